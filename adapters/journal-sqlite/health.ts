// Whether the journal can be written: what refusals and measures say of it, and how often the disk is asked again.
import type { CancelTimer, Clock } from '../../gateway/kernel/clock.js';
import { FAULTS } from '../../gateway/kernel/faults.js';
import type { Log } from '../../gateway/kernel/log.js';
import { milliseconds, seconds } from '../../gateway/kernel/units.js';
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
      lost: this.#fault !== undefined && LOST.has(this.#fault),
      size,
      used,
      limit,
      free,
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

  /** A commit is on the disk. */
  written(): void {
    if (this.#fault !== undefined && !this.full && !this.status.lost) this.#well();
  }

  /** The disk has refused. */
  refused(reason: JournalUnavailable): void {
    if (this.status.lost || this.#fault === reason.fault) return;
    this.#ill(reason.fault, reason);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelProbe?.();
  }

  #judge(): void {
    const { journalFull } = FAULTS;
    if (this.#space.full && !this.full) this.#ill(journalFull.code, undefined);
    else if (!this.#space.full && this.full) this.#well();
  }

  #ill(fault: string, err: unknown): void {
    this.#fault = fault;
    const { size, used, limit, free } = this.#space;
    this.#deps.log.error({ err, fault, size, used, limit, free }, 'the journal cannot be written');
    this.#wait = FIRST_PROBE;
    this.#probeLater();
    this.#tell();
  }

  #well(): void {
    this.#fault = undefined;
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
