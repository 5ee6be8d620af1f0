// The journal of a gateway that does not run, read from its documents: what waits for each CSMS and what it refused.
import { journalSeq, type JournalSeq } from '../kernel/ids.js';
import type { Timestamp } from '../kernel/units.js';
import type { CsmsSummary, DeadLetterSummary, JournalOverview } from '../ports/console.js';
import type { JournalEntry } from '../ports/journal.js';
import { DeadLetters } from '../views/dead-letters.js';
import { parseCursor, timeOf } from '../views/queue.js';
import { viewCollection } from '../views/view.js';
import { waitingSince } from './csms-summary.js';
import { deadLetterSummary } from './dead-letter-summary.js';

/** A journal that is only looked at. */
export interface StoredJournal {
  lastSeq(): Promise<JournalSeq>;
  read(after: JournalSeq, limit: number): Promise<readonly JournalEntry[]>;
  load(collection: string): Promise<ReadonlyMap<string, unknown>>;
  /** Bytes on the disk. */
  size(): Promise<number | undefined>;
}

/** @param csms the CSMSs of site.yaml; one that the journal has never seen has nothing waiting */
export async function storedOverview(
  site: string,
  csms: readonly string[],
  journal: StoredJournal,
  now: Timestamp,
): Promise<JournalOverview> {
  const lastSeq = await journal.lastSeq();
  const size = await journal.size();
  const summaries: CsmsSummary[] = [];
  for (const id of csms) {
    const stored = await journal.load(viewCollection(id));
    const cursor = parseCursor(stored.get('cursor'))?.seq ?? lastSeq;
    const [first] = cursor < lastSeq ? await journal.read(journalSeq(cursor), 1) : [];
    summaries.push({
      csms: id,
      connected: false,
      accepted: false,
      queued: lastSeq - cursor,
      ...waitingSince(first && timeOf(first.record), now),
      inFlight: false,
      deadLetters: new DeadLetters(viewCollection(id), stored).size,
    });
  }
  return { site, gateway: 'stopped', lastSeq, ...(size !== undefined && { size_bytes: size }), csms: summaries };
}

export async function storedDeadLetters(csms: string, journal: StoredJournal): Promise<readonly DeadLetterSummary[]> {
  const stored = await journal.load(viewCollection(csms));
  return new DeadLetters(viewCollection(csms), stored).all().map(deadLetterSummary);
}
