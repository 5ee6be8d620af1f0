// The durable store: one append-only journal, and documents that are committed together with it.
import { FAULTS } from '../kernel/faults.js';
import type { JournalSeq } from '../kernel/ids.js';
import type { Milliseconds } from '../kernel/units.js';
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

/** What becomes of an entry that is waited for, but may be told in part or not at all. */
export interface Amendment {
  readonly seq: JournalSeq;
  /** What stays of it; absent: nothing. */
  readonly record?: JournalRecord;
}

/** How the journal stands on its disk. Sizes in bytes, as last measured: after a write, and at least every second while it is asked for room. */
export interface JournalStatus {
  /** False: nothing is taken in until the disk is well again, or has room. */
  readonly writable: boolean;
  /** Why not: a code of the error catalogue, and in words. */
  readonly fault?: string;
  readonly reason?: string;
  /** Only a new process helps: the file is damaged, or holds something else than this process believes. */
  readonly lost: boolean;
  /** Of the database and its write-ahead log. */
  readonly size: number;
  /** What of the database holds something; the rest is used again before the file grows. */
  readonly used: number;
  /** What `used` may come to: `journal.size-limit`, or less where the file system has no more room. */
  readonly limit: number;
  /** On the file system. */
  readonly free: number;
  /** Commits that became durable, and that were refused, since the process began. */
  readonly commits: number;
  readonly refused: number;
  /** From the call to the disk's answer, of the last commit that waited for nothing. */
  readonly lastFlush?: Milliseconds;
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

  /** Documents of a collection whose key is below `before`, the greatest key first, as of the last commit. */
  newest(collection: string, before: string, limit: number): Promise<ReadonlyMap<string, unknown>>;

  /** Forgets entries up to and including `upTo`, which every reader has passed; the newest entry always stays. */
  trim(upTo: JournalSeq): Promise<void>;

  /**
   * Makes less of entries that are already there, together with `documents`, all or nothing. Works where `commit` refuses
   * records for want of room. Give it some hundred at a time: commits that come in meanwhile wait for it.
   * @throws JournalUnavailable when the disk refuses; nothing has changed
   */
  amend(amendments: readonly Amendment[], documents?: readonly DocumentPut[]): Promise<void>;

  /** Deletes the documents of a collection whose key is from `from` up to, but not, `before`; the answer is how many. */
  expire(collection: string, from: string, before: string): Promise<number>;

  readonly status: JournalStatus;

  /** Calls back when `status.writable` or `status.lost` has changed. */
  onHealth(listener: (status: JournalStatus) => void): void;

  /** Calls back after each commit with the highest durable sequence number. */
  onCommitted(listener: (seq: JournalSeq) => void): void;

  close(): Promise<void>;
}

/** Where a journal that had to be salvaged says so, for those who have to make up for what is missing. */
export const SALVAGE = { collection: 'journal', key: 'salvage' } as const;

/** What became of a damaged journal: a document of `SALVAGE` until the gateway has started on what was left. */
export interface Salvage {
  /** In ms since 1970, by the gateway's own clock. */
  readonly at: number;
  readonly entries: number;
  readonly documents: number;
  /** Entries missing between those that could be read; what was behind the last one cannot be known. */
  readonly missing: number;
  /** The damaged file, kept. */
  readonly kept: string;
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
