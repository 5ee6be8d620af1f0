// A journal in memory for a site that is only tried out: documents are kept while it runs, entries are numbered and forgotten.
import { journalSeq, type JournalSeq } from '../../gateway/kernel/ids.js';
import type { Commit, DocumentPut, Journal, JournalEntry, JournalStatus } from '../../gateway/ports/journal.js';

const ROOMY: JournalStatus = {
  writable: true,
  lost: false,
  size: 0,
  used: 0,
  limit: Number.MAX_SAFE_INTEGER,
  free: Number.MAX_SAFE_INTEGER,
  commits: 0,
  refused: 0,
};

export class MemoryJournal implements Journal {
  readonly status = ROOMY;
  readonly #documents = new Map<string, Map<string, unknown>>();
  readonly #listeners: ((seq: JournalSeq) => void)[] = [];
  #lastSeq = 0;

  get lastSeq(): JournalSeq {
    return journalSeq(this.#lastSeq);
  }

  async commit({ records = [], documents = [] }: Commit): Promise<readonly JournalSeq[]> {
    const seqs = records.map(() => journalSeq(++this.#lastSeq));
    this.#put(documents);
    // As after a disk: the caller goes on in a later turn.
    await Promise.resolve();
    for (const listener of this.#listeners) listener(this.lastSeq);
    return seqs;
  }

  /** Nothing reads what was: no CSMS and no broker is there to be told. */
  read(): Promise<readonly JournalEntry[]> {
    return Promise.resolve([]);
  }

  load(collection: string): Promise<ReadonlyMap<string, unknown>> {
    return Promise.resolve(new Map(this.#documents.get(collection)));
  }

  newest(collection: string, before: string, limit: number): Promise<ReadonlyMap<string, unknown>> {
    const below = [...(this.#documents.get(collection) ?? [])].filter(([key]) => key < before);
    return Promise.resolve(new Map(below.sort(([a], [b]) => (a < b ? 1 : -1)).slice(0, limit)));
  }

  trim(): Promise<void> {
    return Promise.resolve();
  }

  amend(_amendments: readonly unknown[], documents: readonly DocumentPut[] = []): Promise<void> {
    this.#put(documents);
    return Promise.resolve();
  }

  expire(): Promise<number> {
    return Promise.resolve(0);
  }

  onHealth(): void {
    // Memory is never full here.
  }

  onCommitted(listener: (seq: JournalSeq) => void): void {
    this.#listeners.push(listener);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #put(documents: readonly DocumentPut[]): void {
    for (const { collection, key, value } of documents) {
      const stored = this.#documents.get(collection) ?? new Map<string, unknown>();
      this.#documents.set(collection, stored);
      if (value === undefined) stored.delete(key);
      else stored.set(key, value);
    }
  }
}
