// The journal, watched: how many commits were kept and refused, how long the last took, and whether the disk answers.
import type { Clock } from '../kernel/clock.js';
import { FAULTS } from '../kernel/faults.js';
import type { JournalSeq } from '../kernel/ids.js';
import { milliseconds, type Milliseconds } from '../kernel/units.js';
import {
  JournalUnavailable,
  type Amendment,
  type Commit,
  type DocumentPut,
  type Journal,
  type JournalEntry,
  type JournalStatus,
} from '../ports/journal.js';

export class ObservedJournal implements Journal {
  readonly #journal: Journal;
  readonly #clock: Clock;
  #commits = 0;
  #refused = 0;
  #lastFlush: Milliseconds | undefined;
  #refusal: JournalUnavailable | undefined;

  constructor(journal: Journal, clock: Clock) {
    this.#journal = journal;
    this.#clock = clock;
    journal.onHealth(({ writable }) => {
      if (writable) this.#refusal = undefined;
    });
  }

  /** Commits that became durable since the process began. */
  get commits(): number {
    return this.#commits;
  }

  /** Commits that the disk refused since then. */
  get refused(): number {
    return this.#refused;
  }

  /** From the call to the disk's answer, of the last commit that waited for nothing. */
  get lastFlush(): Milliseconds | undefined {
    return this.#lastFlush;
  }

  /** Why nothing is taken in, or the last commit was not; undefined: it was, or the disk is well again. */
  get refusal(): { readonly message: string; readonly fault: string } | undefined {
    const { writable, fault } = this.#journal.status;
    if (writable || this.#refusal !== undefined) return this.#refusal;
    return { message: 'the journal cannot be written', fault: fault ?? FAULTS.journalUnavailable.code };
  }

  // The promise of the journal itself is handed on: watching adds no turn to anybody's wait.
  commit(commit: Commit, urgency: 'now' | 'batch' = 'now'): Promise<readonly JournalSeq[]> {
    const begun = this.#clock.monotonic();
    const kept = this.#journal.commit(commit, urgency);
    kept.then(
      () => {
        this.#commits++;
        this.#refusal = undefined;
        if (urgency === 'now') this.#lastFlush = milliseconds(this.#clock.monotonic() - begun);
      },
      (err: unknown) => {
        // What JSON cannot hold says nothing of the disk.
        if (!(err instanceof JournalUnavailable)) return;
        this.#refused++;
        this.#refusal = err;
      },
    );
    return kept;
  }

  get lastSeq(): JournalSeq {
    return this.#journal.lastSeq;
  }

  read(after: JournalSeq, limit: number): Promise<readonly JournalEntry[]> {
    return this.#journal.read(after, limit);
  }

  load(collection: string): Promise<ReadonlyMap<string, unknown>> {
    return this.#journal.load(collection);
  }

  trim(upTo: JournalSeq): Promise<void> {
    return this.#journal.trim(upTo);
  }

  amend(amendments: readonly Amendment[], documents?: readonly DocumentPut[]): Promise<void> {
    return this.#journal.amend(amendments, documents);
  }

  expire(collection: string, from: string, before: string): Promise<number> {
    return this.#journal.expire(collection, from, before);
  }

  get status(): JournalStatus {
    return this.#journal.status;
  }

  onHealth(listener: (status: JournalStatus) => void): void {
    this.#journal.onHealth(listener);
  }

  onCommitted(listener: (seq: JournalSeq) => void): void {
    this.#journal.onCommitted(listener);
  }

  close(): Promise<void> {
    return this.#journal.close();
  }
}
