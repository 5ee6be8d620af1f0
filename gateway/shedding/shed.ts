// What may be given up when the journal runs out of room: samples before news, and never what a deciding CSMS bills by.
import type { JournalSeq, TransactionUid } from '../kernel/ids.js';
import type { MeterValue, SampledValue } from '../site/metering.js';
import type { JournalRecord, TransactionRecord } from '../site/transaction.js';

/** Tried in this order, each on the whole journal before the next; `samples` again and again while it finds any. */
export const STAGES = ['readings', 'samples', 'values', 'security', 'transactions'] as const;
export type Stage = (typeof STAGES)[number];

/** What was given up: readings outside transactions, periodic updates whole, values of other updates ... */
export type Kind = Stage | 'bills';
export type Counts = Readonly<Partial<Record<Kind, number>>>;

/** Somebody who is told of the journal. */
export interface Reader {
  readonly id: string;
  /** Decides and bills: it is told of every start and end. */
  readonly authority: boolean;
  /** It has everything up to here. */
  readonly settled: JournalSeq;
  /** Its answers that are ahead of the disk are handed to it: what is given up now was not told to it under a number. */
  flush?(): void;
  /** Whether it is told of such a record at all. */
  concerns(record: JournalRecord): boolean;
  /** Whether it knows of the transaction, and so has to hear of its end. */
  knows(uid: TransactionUid): boolean;
}

export interface Entry {
  readonly seq: JournalSeq;
  readonly record: JournalRecord;
}

export interface Shedding {
  /** Without a record: nothing of it stays. */
  readonly amendments: readonly { readonly seq: JournalSeq; readonly record?: JournalRecord }[];
  /** By reader. */
  readonly counts: ReadonlyMap<string, Counts>;
  /** Transactions whose next periodic update stays: to be handed in with the entries that follow. */
  readonly alternating: ReadonlySet<TransactionUid>;
}

/**
 * What one stage gives up among some entries. Of the periodic updates of a transaction the 1st, 3rd, 5th ... go
 * (E04.FR.08); signed values and those of a transaction's begin and end never (errata 3.14 of OCPP 1.6).
 * @param alternating of the entries before these, in the same pass
 */
export function shed(
  stage: Stage,
  entries: readonly Entry[],
  readers: readonly Reader[],
  alternating: ReadonlySet<TransactionUid>,
): Shedding {
  const amendments: { seq: JournalSeq; record?: JournalRecord }[] = [];
  const counts = new Map<string, Partial<Record<Kind, number>>>();
  const next = new Set(alternating);
  for (const { seq, record } of entries) {
    const waiting = readers.filter((reader) => reader.settled < seq && reader.concerns(record));
    const left = remains(stage, record, waiting, next);
    if (left === record) continue;
    amendments.push({ seq, ...(left && { record: left }) });
    const kind = record.type === 'cdr' ? 'bills' : stage;
    for (const { id } of waiting) {
      const of = counts.get(id) ?? {};
      counts.set(id, { ...of, [kind]: (of[kind] ?? 0) + 1 });
    }
  }
  return { amendments, counts, alternating: next };
}

/** Two counts together. */
export function added(one: Counts, other: Counts): Counts {
  const sum: Partial<Record<Kind, number>> = { ...one };
  for (const [kind, count] of Object.entries(other) as [Kind, number][]) sum[kind] = (sum[kind] ?? 0) + count;
  return sum;
}

/** The record itself: it stays. Undefined: nothing of it stays. */
function remains(
  stage: Stage,
  record: JournalRecord,
  waiting: readonly Reader[],
  alternating: Set<TransactionUid>,
): JournalRecord | undefined {
  switch (stage) {
    case 'readings':
      return record.type === 'meter' && !record.meterValues.some(mustStay) ? undefined : record;
    case 'samples': {
      if (record.type !== 'transaction' || !isPeriodicUpdate(record)) return record;
      if (alternating.delete(record.uid)) return record;
      alternating.add(record.uid);
      return undefined;
    }
    case 'values':
      return record.type === 'transaction' ? withoutPeriodicValues(record) : record;
    case 'security':
      return record.type === 'security' ? undefined : record;
    case 'transactions':
      return mayBeForgotten(record, waiting) ? undefined : record;
  }
}

/** Nobody who decides waits for it, and nobody who knows of the transaction is left without its end. */
function mayBeForgotten(record: JournalRecord, waiting: readonly Reader[]): boolean {
  if (waiting.length === 0 || waiting.some(({ authority }) => authority)) return false;
  if (record.type === 'cdr') return true;
  if (record.type !== 'transaction') return false;
  return record.kind !== 'ended' || !waiting.some((reader) => reader.knows(record.uid));
}

/** Nothing but samples: without it the transaction's course is only coarser. */
function isPeriodicUpdate(record: TransactionRecord): boolean {
  return (
    record.kind === 'updated' &&
    (record.trigger === 'MeterValuePeriodic' || record.trigger === 'MeterValueClock') &&
    record.idToken === undefined &&
    !record.meterValues.some(mustStay)
  );
}

function withoutPeriodicValues(record: TransactionRecord): TransactionRecord {
  if (record.kind !== 'updated') return record;
  const meterValues = record.meterValues
    .map((value) => ({ at: value.at, sampled: value.sampled.filter(isLasting) }))
    .filter(({ sampled }) => sampled.length > 0);
  const count = (values: readonly MeterValue[]): number => values.reduce((sum, { sampled }) => sum + sampled.length, 0);
  return count(meterValues) === count(record.meterValues) ? record : { ...record, meterValues };
}

const mustStay = ({ sampled }: MeterValue): boolean =>
  sampled.some(
    ({ signed, context }) => signed !== undefined || context === 'Transaction.Begin' || context === 'Transaction.End',
  );

const isLasting = ({ signed, context }: SampledValue): boolean =>
  signed !== undefined ||
  (context !== undefined && context !== 'Sample.Periodic' && context !== 'Sample.Clock' && context !== 'Other');
