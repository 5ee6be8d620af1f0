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
    return [{ collection: this.#collection, key: PREFIX + letter.seq, value: letter }];
  }

  remove(seq: JournalSeq): readonly DocumentPut[] {
    this.#letters.delete(seq);
    return [{ collection: this.#collection, key: PREFIX + seq }];
  }
}

function isLetter(value: unknown): value is DeadLetter {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Partial<DeadLetter>).seq === 'number' &&
    typeof (value as Partial<DeadLetter>).record === 'object'
  );
}
