// Messages that a CSMS refused for good: kept with the reason, until somebody sends them again.
import { journalSeq, type JournalSeq } from '../kernel/ids.js';
import type { Timestamp } from '../kernel/units.js';
import type { ProjectionState } from '../ports/csms.js';
import type { DocumentPut } from '../ports/journal.js';
import type { JournalRecord } from '../site/transaction.js';

export interface DeadLetter {
  /** Its place in the journal. */
  readonly seq: JournalSeq;
  /** With the values that this CSMS was to be told; the journal itself may have been trimmed. */
  readonly record: JournalRecord;
  readonly reason: string;
  /** What it was sent with, where the adapter has gone on without it (2.0.1: its seqNo). */
  readonly state?: ProjectionState;
  readonly attempts: number;
  readonly at: Timestamp;
}

const PREFIX = 'dead/';
/** Of letters that are no start and no end the newest: a CSMS that takes no samples at all must not fill the disk with them. */
const LESSER_KEPT = 500;

export class DeadLetters {
  readonly #collection: string;
  readonly #letters = new Map<JournalSeq, DeadLetter>();

  constructor(collection: string, stored: ReadonlyMap<string, unknown>) {
    this.#collection = collection;
    for (const [key, value] of stored)
      if (key.startsWith(PREFIX) && isLetter(value)) this.#letters.set(journalSeq(value.seq), value);
  }

  get size(): number {
    return this.#letters.size;
  }

  get(seq: JournalSeq): DeadLetter | undefined {
    return this.#letters.get(seq);
  }

  /** In the order in which they happened. */
  all(): readonly DeadLetter[] {
    return [...this.#letters.values()].sort((a, b) => a.seq - b.seq);
  }

  put(letter: DeadLetter): readonly DocumentPut[] {
    this.#letters.set(letter.seq, letter);
    const documents: DocumentPut[] = [{ collection: this.#collection, key: PREFIX + letter.seq, value: letter }];
    const lesser = [...this.#letters.values()].filter(({ record }) => !isMilestone(record));
    const given = lesser.slice(0, Math.max(0, lesser.length - LESSER_KEPT));
    for (const { seq } of given) documents.push(...this.remove(seq));
    return documents;
  }

  remove(seq: JournalSeq): readonly DocumentPut[] {
    this.#letters.delete(seq);
    return [{ collection: this.#collection, key: PREFIX + seq }];
  }
}

const isMilestone = (record: JournalRecord): boolean => record.type === 'transaction' && record.kind !== 'updated';

function isLetter(value: unknown): value is DeadLetter {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Partial<DeadLetter>).seq === 'number' &&
    typeof (value as Partial<DeadLetter>).record === 'object'
  );
}
