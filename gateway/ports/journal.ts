// The durable store: one append-only journal, and documents that are committed together with it.
import { FAULTS } from '../kernel/faults.js';
import type { JournalSeq } from '../kernel/ids.js';
import type { JournalRecord } from '../site/transaction.js';

export interface JournalEntry {
  readonly seq: JournalSeq;
  readonly record: JournalRecord;
}

/** A piece of state that must outlive a restart: JSON under a name, replaced as a whole. */
export interface DocumentPut {
  readonly collection: string;
  readonly key: string;
  /** Absent: the document is deleted. */
  readonly value?: unknown;
}

export interface Commit {
  readonly records?: readonly JournalRecord[];
  readonly documents?: readonly DocumentPut[];
}

export interface Journal {
  /**
   * Makes everything in `commit` durable, all or nothing; commits of one moment share a disk flush, in call order.
   * Sequence numbers are assigned at the call, so `lastSeq` has already risen when it returns.
   * @param urgency `batch` may wait some tens of milliseconds to save an SD card (meter values); the default waits for nothing.
   * @returns the sequence numbers of the records
   * @throws JournalUnavailable when the disk refuses, or after `close`; nothing of the commit was kept
   * @throws TypeError for something that JSON cannot hold; nothing of the commit was kept
   */
  commit(commit: Commit, urgency?: 'now' | 'batch'): Promise<readonly JournalSeq[]>;

  /** The last sequence number assigned; 0 in an empty journal. */
  readonly lastSeq: JournalSeq;

  /** Committed entries after `after`, in order, at most `limit`; the newest ones come from memory. */
  read(after: JournalSeq, limit: number): Promise<readonly JournalEntry[]>;

  /** All documents of a collection, as of the last commit. */
  load(collection: string): Promise<ReadonlyMap<string, unknown>>;

  /** Forgets entries up to and including `upTo`, which every reader has passed; the newest entry always stays. */
  trim(upTo: JournalSeq): Promise<void>;

  /** Calls back after each commit with the highest durable sequence number. */
  onCommitted(listener: (seq: JournalSeq) => void): void;

  close(): Promise<void>;
}

/** The disk is full, read-only or failing; the charger keeps its message and is asked to send it again. */
export class JournalUnavailable extends Error {
  /** A code of the error catalogue: FC-J01 unless the reason is known more closely. */
  readonly fault: string;

  constructor(message: string, options?: { readonly cause?: unknown; readonly fault?: string }) {
    super(message, options);
    this.name = 'JournalUnavailable';
    this.fault = options?.fault ?? FAULTS.journalUnavailable.code;
  }
}
