// Whether the journal can be written: what refusals and measures say of it, and how often the disk is asked again.
import type { CancelTimer, Clock } from '../../gateway/kernel/clock.js';
import { FAULTS } from '../../gateway/kernel/faults.js';
import type { Log } from '../../gateway/kernel/log.js';
import { milliseconds, seconds, type Milliseconds } from '../../gateway/kernel/units.js';
import type { JournalStatus, JournalUnavailable } from '../../gateway/ports/journal.js';
import type { Space } from './protocol.js';

const FIRST_PROBE = seconds(1);
const LATEST_PROBE = seconds(10);
/** Faults after which only a new process can go on. */
const LOST: ReadonlySet<string> = new Set([
  FAULTS.journalDamaged.code,
  FAULTS.journalChanged.code,
  FAULTS.journalDied.code,
]);

export const NO_ROOM = 'the journal has no room';

export interface HealthDependencies {
  readonly clock: Clock;
  readonly log: Log;
  /** Tries the disk; the answer comes in by `measured` or `refused`. */
  readonly probe: () => Promise<Space>;
}

export class Health {
  readonly #deps: HealthDependencies;
  readonly #listeners: ((status: JournalStatus) => void)[] = [];
  #space: Space;
  #fault: string | undefined;
  #reason: string | undefined;
  #commits = 0;
  #refused = 0;
  #lastFlush: Milliseconds | undefined;
  #cancelProbe: CancelTimer | undefined;
  #wait = FIRST_PROBE;
  #stopped = false;

  constructor(deps: HealthDependencies, space: Space) {
    this.#deps = deps;
    this.#space = space;
    this.#judge();
  }

  get status(): JournalStatus {
    const { size, used, limit, free } = this.#space;
    return {
      writable: this.#fault === undefined,
      ...(this.#fault !== undefined && { fault: this.#fault }),
      ...(this.#reason !== undefined && { reason: this.#reason }),
      lost: this.#fault !== undefined && LOST.has(this.#fault),
      size,
      used,
      limit,
      free,
      commits: this.#commits,
      refused: this.#refused,
      ...(this.#lastFlush !== undefined && { lastFlush: this.#lastFlush }),
    };
  }

  /** Every entry is refused for want of room; documents are still taken. */
  get full(): boolean {
    return this.#fault === FAULTS.journalFull.code;
  }

  listen(listener: (status: JournalStatus) => void): void {
    this.#listeners.push(listener);
  }

  measured(space: Space): void {
    this.#space = space;
    if (this.#fault === undefined || this.full) this.#judge();
  }

  /** Something is on the disk: so many commits, and how long the last of those that wait for nothing has waited. */
  written(commits = 0, flush?: Milliseconds): void {
    this.#commits += commits;
    this.#lastFlush = flush ?? this.#lastFlush;
    if (this.#fault !== undefined && !this.full && !this.status.lost) this.#well();
  }

  /** The disk has refused. */
  refused(reason: JournalUnavailable): void {
    if (this.status.lost || this.#fault === reason.fault) return;
    this.#ill(reason.fault, reason.message, reason);
  }

  refusedCommits(count: number): void {
    this.#refused += count;
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelProbe?.();
  }

  #judge(): void {
    const { journalFull } = FAULTS;
    if (this.#space.full && !this.full) this.#ill(journalFull.code, NO_ROOM);
    else if (!this.#space.full && this.full) this.#well();
  }

  #ill(fault: string, reason: string, err?: unknown): void {
    this.#fault = fault;
    this.#reason = reason;
    const { size, used, limit, free } = this.#space;
    this.#deps.log.error({ err, fault, size, used, limit, free }, 'the journal cannot be written');
    this.#wait = FIRST_PROBE;
    this.#probeLater();
    this.#tell();
  }

  #well(): void {
    this.#fault = undefined;
    this.#reason = undefined;
    this.#cancelProbe?.();
    this.#cancelProbe = undefined;
    this.#deps.log.info({}, 'the journal can be written again');
    this.#tell();
    this.#judge();
  }

  #probeLater(): void {
    this.#cancelProbe?.();
    this.#cancelProbe = undefined;
    if (this.#stopped || this.status.lost) return;
    this.#cancelProbe = this.#deps.clock.after(this.#wait, () => {
      // A full journal is looked at often: room comes as soon as a CSMS takes something.
      if (!this.full) this.#wait = milliseconds(Math.min(2 * this.#wait, LATEST_PROBE));
      this.#deps.probe().then(
        (space) => {
          this.written();
          this.measured(space);
          if (this.#fault !== undefined) this.#probeLater();
        },
        // Refusals have been told by whoever asked the disk.
        () => this.#probeLater(),
      );
    });
  }

  #tell(): void {
    for (const listener of this.#listeners) {
      try {
        listener(this.status);
      } catch (err) {
        this.#deps.log.error({ err }, 'who wanted to know of the journal failed');
      }
    }
  }
}
