// The journal in memory, for tests: the contract of a real one, plus failures, delays and crashes on demand.
import { journalSeq, type JournalSeq } from '../../gateway/kernel/ids.js';
import { milliseconds } from '../../gateway/kernel/units.js';
import {
  JournalUnavailable,
  type Amendment,
  type Commit,
  type DocumentPut,
  type Journal,
  type JournalEntry,
  type JournalStatus,
} from '../../gateway/ports/journal.js';

interface PendingCommit {
  readonly entries: readonly JournalEntry[];
  readonly documents: readonly DocumentPut[];
  readonly resolve: (seqs: readonly JournalSeq[]) => void;
  readonly reject: (error: Error) => void;
}

/** JSON there and back: what a document looks like after a restart, and proof that it can be stored at all. */
const throughJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown;

export class MemoryJournal implements Journal {
  #entries: JournalEntry[] = [];
  #documents = new Map<string, Map<string, unknown>>();
  #lastSeq = 0;
  #listeners: ((seq: JournalSeq) => void)[] = [];
  #pending: PendingCommit[] = [];
  #failures = 0;
  #held = false;
  #closed = false;
  #crashed = false;
  #status: JournalStatus = {
    writable: true,
    lost: false,
    size: 0,
    used: 0,
    limit: 1e9,
    free: 1e9,
    commits: 0,
    refused: 0,
  };
  /** The last commit was refused. */
  #refusing = false;
  #healthListeners: ((status: JournalStatus) => void)[] = [];
  /** Every commit that became durable, the oldest first. */
  readonly commits: { readonly commit: Commit; readonly urgency: 'now' | 'batch' }[] = [];

  get lastSeq(): JournalSeq {
    return journalSeq(this.#lastSeq);
  }

  /** The next `count` commits are refused, as by a full disk. */
  failNext(count = 1): void {
    this.#failures = count;
  }

  /** Commits wait, neither durable nor refused, until `release`. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    for (const pending of this.#pending.splice(0)) this.#apply(pending);
  }

  /** What the next process finds on the disk after a power cut now: held commits are lost and never answered. */
  afterCrash(): MemoryJournal {
    const next = new MemoryJournal();
    next.#entries = [...this.#entries];
    next.#lastSeq = this.#entries.at(-1)?.seq ?? 0;
    for (const [name, documents] of this.#documents)
      next.#documents.set(name, new Map([...documents].map(([key, value]) => [key, throughJson(value)])));
    this.#pending = [];
    this.#listeners = [];
    this.#crashed = true;
    return next;
  }

  /** What `status` says from now on. */
  standing(status: Partial<JournalStatus>): void {
    this.#status = { ...this.#status, ...status };
    for (const listener of this.#healthListeners) listener(this.#status);
  }

  get status(): JournalStatus {
    return this.#status;
  }

  onHealth(listener: (status: JournalStatus) => void): void {
    this.#healthListeners.push(listener);
  }

  amend(amendments: readonly Amendment[], documents: readonly DocumentPut[] = []): Promise<void> {
    const newest = this.#entries.at(-1)?.seq;
    const changed = new Map(amendments.map((each) => [each.seq, each]));
    this.#entries = this.#entries.flatMap((entry) => {
      const amendment = changed.get(entry.seq);
      if (amendment === undefined) return [entry];
      if (amendment.record !== undefined) return [{ seq: entry.seq, record: amendment.record }];
      return entry.seq === newest ? [entry] : [];
    });
    this.#store(documents);
    return Promise.resolve();
  }

  expire(collection: string, from: string, before: string): Promise<number> {
    const stored = this.#documents.get(collection);
    const old = [...(stored?.keys() ?? [])].filter((key) => key >= from && key < before);
    for (const key of old) stored?.delete(key);
    return Promise.resolve(old.length);
  }

  commit(commit: Commit, urgency: 'now' | 'batch' = 'now'): Promise<readonly JournalSeq[]> {
    if (this.#crashed) return new Promise(() => undefined);
    if (this.#closed) return Promise.reject(new JournalUnavailable('the journal is closed'));
    if (this.#failures > 0) {
      this.#failures--;
      const refusal = new JournalUnavailable('no space left on device (injected)');
      this.#status = { ...this.#status, refused: this.#status.refused + 1 };
      if (!this.#refusing) this.standing({ writable: false, fault: refusal.fault, reason: refusal.message });
      this.#refusing = true;
      return Promise.reject(refusal);
    }
    let documents: readonly DocumentPut[];
    try {
      for (const record of commit.records ?? []) throughJson(record);
      documents = (commit.documents ?? []).map((put) =>
        put.value === undefined ? put : { ...put, value: throughJson(put.value) },
      );
    } catch (err) {
      return Promise.reject(err instanceof Error ? err : new TypeError(String(err)));
    }
    const entries = (commit.records ?? []).map((record) => ({ seq: journalSeq(++this.#lastSeq), record }));
    return new Promise((resolve, reject) => {
      const pending = { entries, documents, resolve, reject };
      this.commits.push({ commit, urgency });
      if (this.#held) this.#pending.push(pending);
      else this.#apply(pending);
    });
  }

  read(after: JournalSeq, limit: number): Promise<readonly JournalEntry[]> {
    return Promise.resolve(this.#entries.filter((entry) => entry.seq > after).slice(0, limit));
  }

  load(collection: string): Promise<ReadonlyMap<string, unknown>> {
    const documents = this.#documents.get(collection) ?? new Map<string, unknown>();
    return Promise.resolve(new Map([...documents].map(([key, value]) => [key, throughJson(value)])));
  }

  newest(collection: string, before: string, limit: number): Promise<ReadonlyMap<string, unknown>> {
    const below = [...(this.#documents.get(collection) ?? [])].filter(([key]) => key < before);
    const sorted = below.sort(([a], [b]) => (a < b ? 1 : -1)).slice(0, limit);
    return Promise.resolve(new Map(sorted.map(([key, value]) => [key, throughJson(value)])));
  }

  trim(upTo: JournalSeq): Promise<void> {
    const newest = this.#entries.at(-1);
    this.#entries = this.#entries.filter((entry) => entry.seq > upTo || entry === newest);
    return Promise.resolve();
  }

  onCommitted(listener: (seq: JournalSeq) => void): void {
    this.#listeners.push(listener);
  }

  close(): Promise<void> {
    this.release();
    this.#closed = true;
    return Promise.resolve();
  }

  #apply({ entries, documents, resolve }: PendingCommit): void {
    this.#entries.push(...entries);
    this.#store(documents);
    this.#status = { ...this.#status, commits: this.#status.commits + 1, lastFlush: milliseconds(0) };
    if (this.#refusing) {
      this.#refusing = false;
      const { fault: _fault, reason: _reason, ...well } = this.#status;
      this.#status = well;
      this.standing({ writable: true });
    }
    resolve(entries.map((entry) => entry.seq));
    const durable = this.#entries.at(-1)?.seq ?? journalSeq(0);
    for (const listener of this.#listeners) listener(durable);
  }

  #store(documents: readonly DocumentPut[]): void {
    for (const { collection, key, value } of documents) {
      const stored = this.#documents.get(collection) ?? new Map<string, unknown>();
      this.#documents.set(collection, stored);
      if (value === undefined) stored.delete(key);
      else stored.set(key, value);
    }
  }
}
