// Where a CSMS goes on when a damaged journal no longer says how far it had come.
import { FAULTS } from '../kernel/faults.js';
import { journalSeq, type JournalSeq } from '../kernel/ids.js';
import type { Log } from '../kernel/log.js';
import type { Timestamp } from '../kernel/units.js';
import { SALVAGE, type Journal } from '../ports/journal.js';
import type { JournalRecord } from '../site/transaction.js';
import type { DeadLetter } from './dead-letters.js';
import type { Projections } from './projections.js';

const PAGE = 200;

export interface Resumption {
  /** Everything up to here counts as delivered. */
  readonly cursor: JournalSeq;
  /** Starts and ends of which nobody knows whether they were delivered: kept for somebody to decide. */
  readonly doubtful: readonly DeadLetter[];
}

export interface ResumeQuestion {
  readonly csms: string;
  readonly journal: Journal;
  readonly log: Log;
  readonly now: Timestamp;
  /** What is left of what was stored of this CSMS. */
  readonly stored: ReadonlyMap<string, unknown>;
  readonly projections: Projections;
  /** Whether the CSMS is told of the record at all. */
  readonly concerns: (record: JournalRecord) => boolean;
}

/**
 * Messages go out in the order of the journal, so one that is known to have arrived tells that all before it did: the end
 * of a transaction that the CSMS was told of, and every start of one that it knows. From there on nothing is lost, and at
 * most what followed the last known one is told twice. Where nothing is known the starts and ends in the journal become
 * dead letters: sending them all could bill a month twice, and leaving them out could lose it.
 * @returns undefined: the cursor is there, or this CSMS is new
 */
export async function resume(question: ResumeQuestion): Promise<Resumption | undefined> {
  const { csms, journal, log, stored, projections } = question;
  if (stored.has('cursor')) return undefined;
  const salvaged = (await journal.load(SALVAGE.collection)).has(SALVAGE.key);
  if (!salvaged && stored.size === 0) return undefined;
  const known = await lastKnown(question);
  const doubtful = known === undefined ? await startsAndEnds(question) : [];
  log.error(
    { csms, fault: FAULTS.cursorLost.code, from: known, transactions: projections.size, doubtful: doubtful.length },
    'how far the CSMS had come was lost with the journal',
  );
  return { cursor: known ?? journal.lastSeq, doubtful };
}

async function lastKnown({ journal, projections }: ResumeQuestion): Promise<JournalSeq | undefined> {
  let last = projections.lastEnded;
  for await (const { seq, record } of entries(journal)) {
    if (record.type !== 'transaction' || record.kind !== 'started' || (last ?? 0) >= seq) continue;
    if (projections.of(record.uid) !== undefined) last = seq;
  }
  return last;
}

async function startsAndEnds({ journal, concerns, now }: ResumeQuestion): Promise<readonly DeadLetter[]> {
  const letters: DeadLetter[] = [];
  for await (const { seq, record } of entries(journal)) {
    if (record.type !== 'transaction' || record.kind === 'updated' || !concerns(record)) continue;
    letters.push({ seq, record, reason: 'may have been delivered: the journal was damaged', attempts: 0, at: now });
  }
  return letters;
}

async function* entries(journal: Journal): AsyncIterable<{ readonly seq: JournalSeq; readonly record: JournalRecord }> {
  for (let after = journalSeq(0); ;) {
    const page = await journal.read(after, PAGE);
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.seq;
  }
}
