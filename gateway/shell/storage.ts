// Keeps the journal within its room: forgets what everybody has, lets old bills go, and sheds what can best be done without.
import type { CancelTimer, Clock } from '../kernel/clock.js';
import { FAULTS } from '../kernel/faults.js';
import { journalSeq, uuidV7, type JournalSeq, type TransactionUid } from '../kernel/ids.js';
import type { Log } from '../kernel/log.js';
import { minutes, seconds } from '../kernel/units.js';
import type { DocumentPut, Journal, JournalStatus } from '../ports/journal.js';
import { added, shed, STAGES, type Counts, type Reader, type Stage } from '../shedding/shed.js';
import type { JournalPolicy } from '../site/topology.js';
import { BILLS } from './transaction-keeper.js';

const LOOK = seconds(1);
const BILLS_INTERVAL = minutes(60);
/** Shares of the limit: above the one it begins to shed, at the other it stops. */
const BEGIN = 0.9;
const END = 0.8;
/** When nothing was left to shed, it looks again after the journal has grown by this share of its limit. */
const GROWTH = 0.01;
/** Entries looked at, and changed, at a time: a commit that comes in meanwhile waits some milliseconds. */
const PORTION = 200;
/** Entries that every reader has passed stay for a look back; what is older is forgotten. */
const LOOK_BACK = 10_000;
const COLLECTION = 'shed';
/** Bills of a time before that were made while the box did not know the time: their age says nothing. */
const CLOCK_KNOWN = Date.UTC(2020, 0, 1);

export interface StorageDependencies {
  readonly journal: Journal;
  readonly policy: JournalPolicy;
  readonly clock: Clock;
  readonly log: Log;
  /** Everybody who is told of the journal. */
  readonly readers: () => readonly Reader[];
  /** A restart needs nothing up to here. */
  readonly checkpoint: () => JournalSeq;
}

/** What an operator wants to know of the disk at a glance. */
export interface StorageStatus extends JournalStatus {
  /** What each reader will not be told, by kind, since the journal began. */
  readonly shed: ReadonlyMap<string, Counts>;
}

export class Storage {
  readonly #deps: StorageDependencies;
  readonly #shed: Map<string, Counts>;
  #timers: CancelTimer[] = [];
  #busy: Promise<void> | undefined;
  #stopped = false;
  /** How full it was, and how far those who decide had come, when nothing more could be shed. */
  #exhausted: { readonly used: number; readonly settled: number } | undefined;

  private constructor(deps: StorageDependencies, stored: ReadonlyMap<string, unknown>) {
    this.#deps = deps;
    this.#shed = new Map([...stored].map(([id, counts]) => [id, countsOf(counts)]));
  }

  /** @throws JournalUnavailable when the counters cannot be read */
  static async open(deps: StorageDependencies): Promise<Storage> {
    return new Storage(deps, await deps.journal.load(COLLECTION));
  }

  start(): void {
    const { clock } = this.#deps;
    this.#timers = [
      clock.every(LOOK, () => this.#tend(() => this.#makeRoom())),
      clock.every(BILLS_INTERVAL, () => this.#tend(() => this.#dropBills())),
    ];
  }

  /** Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const cancel of this.#timers) cancel();
    await this.#busy;
  }

  get status(): StorageStatus {
    return { ...this.#deps.journal.status, shed: this.#shed };
  }

  /** Room is being made. */
  get busy(): boolean {
    return this.#busy !== undefined;
  }

  /** What a CSMS or broker will not be told. */
  shedOf(reader: string): Counts {
    return this.#shed.get(reader) ?? {};
  }

  /** Forgets what every reader has, but for the newest. */
  async trim(lookBack = LOOK_BACK): Promise<void> {
    const { journal, readers, checkpoint } = this.#deps;
    const upTo = Math.min(checkpoint(), ...readers().map(({ settled }) => settled), journal.lastSeq - lookBack);
    if (upTo > 0) await journal.trim(journalSeq(upTo));
  }

  #tend(work: () => Promise<void>): void {
    if (this.#busy !== undefined || this.#stopped) return;
    this.#busy = work()
      .catch((err: unknown) => {
        const fault = FAULTS.journalUnavailable.code;
        this.#deps.log.warn({ err, fault }, 'no room could be made in the journal');
      })
      .finally(() => {
        this.#busy = undefined;
      });
  }

  #above(share: number): boolean {
    const { used, limit } = this.#deps.journal.status;
    return used > share * limit;
  }

  async #makeRoom(): Promise<void> {
    const { journal, log } = this.#deps;
    if (!this.#above(BEGIN)) return;
    const { used, limit } = journal.status;
    await this.trim(0);
    if (this.#exhausted !== undefined && used < this.#exhausted.used + GROWTH * limit) {
      if (this.#decidersSettled() < this.#exhausted.settled + PORTION) return;
    }
    await this.#dropBills();
    const given = new Map<string, Counts>();
    for (const stage of STAGES) {
      // Every second sample goes, then every second of those that are left.
      for (let found = true; found && this.#above(END) && !this.#stopped;) {
        const before = total(given);
        await this.#pass(stage, given);
        found = stage === 'samples' && total(given) > before;
      }
    }
    this.#exhausted = this.#above(END) ? { used: journal.status.used, settled: this.#decidersSettled() } : undefined;
    if (given.size === 0) return;
    log.warn(
      { fault: FAULTS.journalShed.code, used, limit, left: journal.status.used, shed: Object.fromEntries(given) },
      'the journal ran out of room: what can best be done without was given up',
    );
  }

  #decidersSettled(): number {
    const { journal, readers } = this.#deps;
    const deciders = readers().filter(({ authority }) => authority);
    return Math.min(journal.lastSeq, ...deciders.map(({ settled }) => settled));
  }

  /** One stage from the oldest entry on, until there is room. */
  async #pass(stage: Stage, given: Map<string, Counts>): Promise<void> {
    const { journal, readers, checkpoint } = this.#deps;
    let alternating: ReadonlySet<TransactionUid> = new Set();
    for (let after = journalSeq(0); this.#above(END) && !this.#stopped;) {
      const page = (await journal.read(after, PORTION)).filter(({ seq }) => seq <= checkpoint());
      const last = page.at(-1);
      if (last === undefined) return;
      after = last.seq;
      const step = shed(stage, page, readers(), alternating);
      ({ alternating } = step);
      if (step.amendments.length === 0) continue;
      for (const reader of readers()) reader.flush?.();
      await journal.amend(step.amendments, this.#counted(step.counts));
      for (const [id, counts] of step.counts) {
        this.#shed.set(id, added(this.shedOf(id), counts));
        given.set(id, added(given.get(id) ?? {}, counts));
      }
    }
  }

  #counted(more: ReadonlyMap<string, Counts>): readonly DocumentPut[] {
    return [...more].map(([key, counts]) => ({ collection: COLLECTION, key, value: added(this.shedOf(key), counts) }));
  }

  async #dropBills(): Promise<void> {
    const { journal, clock, policy, log } = this.#deps;
    const before = clock.now() - policy.keepBills;
    if (before <= CLOCK_KNOWN) return;
    // Their keys are the transactions' ids, which rise with the time of the start.
    const key = (at: number): string => uuidV7(at, new Uint8Array(10));
    const count = await journal.expire(BILLS, key(CLOCK_KNOWN), key(before));
    if (count > 0) log.info({ count }, 'charge detail records older than journal.keep-bills were deleted');
  }
}

const total = (given: ReadonlyMap<string, Counts>): number =>
  [...given.values()].flatMap((counts) => Object.values(counts)).reduce((sum, count) => sum + count, 0);

function countsOf(value: unknown): Counts {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).filter(([, count]) => typeof count === 'number'));
}
