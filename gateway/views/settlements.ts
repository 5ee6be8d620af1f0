// What a CSMS has answered, on its way to the disk: cursor and projections together, a few routine answers ahead of it.
import type { Clock } from '../kernel/clock.js';
import { FAULTS } from '../kernel/faults.js';
import type { CsmsId } from '../kernel/ids.js';
import type { Log } from '../kernel/log.js';
import { seconds } from '../kernel/units.js';
import type { DocumentPut, Journal } from '../ports/journal.js';

export interface SettlementDependencies {
  readonly csms: CsmsId;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Log;
  /** The cursor as it stands, and what to call once it is on disk. */
  readonly cursor: () => { readonly document: DocumentPut; readonly saved: () => void };
}

/**
 * Answers that may be ahead of the disk, none of which says anything new. So many updates at most are told again by the
 * next process: each the same under the same number, in the same order (DECISIONS 17).
 */
const MOST_AHEAD = 16;
/** Pause after a disk that refuses. */
const PAUSE = seconds(1);

export class Settlements {
  readonly #is: SettlementDependencies;
  /** Every document that is not known to be on disk, the newest state of each: a commit carries them all. */
  readonly #unwritten = new Map<string, DocumentPut>();
  /** Settlements so far, and how many of them are on disk. */
  #made = 0;
  #durable = 0;
  /** The last one that was handed to the journal. */
  #handedOver = 0;
  #underWay = 0;
  #stopped = false;
  #waiting: { readonly through: number; readonly resolve: () => void }[] = [];

  constructor(dependencies: SettlementDependencies) {
    this.#is = dependencies;
  }

  /** Resolves when these documents and the cursor are on disk. */
  now(documents: readonly DocumentPut[]): Promise<void> {
    this.#put(documents);
    this.#handOver('now');
    return this.#through(this.#made);
  }

  /** Resolves when another answer may be waited for: at once, unless the disk is far behind. */
  routine(documents: readonly DocumentPut[]): Promise<void> {
    this.#put(documents);
    // What comes while a commit is under way goes with the next one.
    if (this.#underWay === 0) this.#handOver('batch');
    return this.#through(this.#made - MOST_AHEAD + 1);
  }

  /** Resolves when all settlements so far are on disk; undefined: they are. */
  written(): Promise<void> | undefined {
    return this.#durable < this.#made ? this.#through(this.#made) : undefined;
  }

  /** What the journal is handed after this cannot be on disk before the settlements so far. */
  flush(): void {
    if (this.#handedOver < this.#made) this.#handOver('now');
  }

  /** Nobody is kept waiting any more; what the disk refuses from now on is told again by the next process. */
  stop(): void {
    this.flush();
    this.#stopped = true;
    this.#release();
  }

  #put(documents: readonly DocumentPut[]): void {
    for (const document of documents) this.#unwritten.set(document.key, document);
    this.#made++;
  }

  #handOver(urgency: 'now' | 'batch'): void {
    const { journal, cursor } = this.#is;
    const through = this.#made;
    const documents = [...this.#unwritten.values()];
    const { document, saved } = cursor();
    this.#handedOver = through;
    this.#underWay++;
    journal.commit({ documents: [...documents, document] }, urgency).then(
      () => {
        this.#underWay--;
        saved();
        for (const written of documents)
          if (this.#unwritten.get(written.key) === written) this.#unwritten.delete(written.key);
        this.#durable = Math.max(this.#durable, through);
        this.#release();
        if (this.#handedOver < this.#made && this.#underWay === 0) this.#handOver('batch');
      },
      (err: unknown) => {
        this.#underWay--;
        this.#refused(err);
      },
    );
  }

  /** Tried until it succeeds: what was delivered and is not on disk would be delivered again after a restart. */
  #refused(err: unknown): void {
    const { csms, clock, log } = this.#is;
    if (this.#stopped) return;
    log.error({ csms, err, fault: FAULTS.journalUnavailable.code }, 'Delivery waits for the disk');
    clock.after(PAUSE, () => {
      if (!this.#stopped && this.#underWay === 0 && this.#durable < this.#made) this.#handOver('now');
    });
  }

  #through(count: number): Promise<void> {
    if (this.#durable >= count || this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push({ through: count, resolve });
    });
  }

  #release(): void {
    const free = this.#waiting.filter(({ through }) => this.#stopped || through <= this.#durable);
    this.#waiting = this.#waiting.filter((each) => !free.includes(each));
    for (const { resolve } of free) resolve();
  }
}
