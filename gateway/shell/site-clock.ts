// The site's clock: goes on by the monotonic clock, and is set by the system's and by CSMSs as far as each is to be believed.
import type { CancelTimer, Clock } from '../kernel/clock.js';
import type { CsmsId } from '../kernel/ids.js';
import { milliseconds, minutes, seconds, timestamp, type Milliseconds, type Timestamp } from '../kernel/units.js';
import type { Machine } from '../ports/machine.js';

/**
 * What the time stands on. `unset`: nothing, it goes on from the last time that was known. `assumed`: one source that
 * nobody has confirmed. `confirmed`: an authority, or two sources that agree. `synchronised`: the system's time server.
 */
export type Standing = 'unset' | 'assumed' | 'confirmed' | 'synchronised';

/** How the time stood at one moment of one boot of the machine. */
export interface Reckoning {
  readonly boot?: string;
  readonly monotonic: Milliseconds;
  readonly at: Timestamp;
  readonly standing: Standing;
}

/** The time is another one from here on. */
export interface Step {
  readonly offset: Milliseconds;
  readonly before: Standing;
  readonly after: Standing;
  readonly source: 'system' | CsmsId;
}

export interface SiteClockListener {
  stepped(step: Step): void;
  /** The time that was assumed is right. */
  confirmed(by: 'system' | CsmsId): void;
  /** The system's clock has jumped by so much; it is followed, or not believed. */
  jumped(by: Milliseconds, followed: boolean): void;
  /** A CSMS says another time and is not believed. */
  contradicted(csms: CsmsId, by: Milliseconds): void;
}

/** Two clocks that are closer than this agree; nothing that OCPP asks for needs more (and chargers are judged by the same). */
export const TOLERANCE = minutes(5);
/** A jump of the system's clock that is worth a line in the log. */
const JUMP = minutes(1);
/** Two answers of one CSMS that say the same time: what passed between them differs by less. */
const AGREEMENT = seconds(10);
/** A time server that was last heard of longer ago no longer vouches for the system's clock. */
const SYNCHRONISED_FOR = milliseconds(86_400_000);
/** No site meets a time further from its release than this. */
const LIFETIME = milliseconds(30 * 365 * 86_400_000);

/** Whether the monotonic clock still counts from where it did. */
export const isSameBoot = (known: Reckoning | undefined, { boot }: Machine): known is Reckoning =>
  boot !== undefined && known?.boot === boot;

const trusted = (standing: Standing): boolean => standing === 'confirmed' || standing === 'synchronised';

export class SiteClock implements Clock {
  readonly #system: Clock;
  readonly #machine: Machine;
  readonly #listener: SiteClockListener;
  #standing: Standing;
  /** Whether the system's clock is followed; else the time is `#origin` plus the monotonic clock. */
  #following: boolean;
  #origin = 0;
  /** The time at `#monotonic`, not yet rounded. */
  #at: number;
  #monotonic: number;
  /** The system's time beside the monotonic clock, when it was last looked at. */
  #systemOrigin: number;
  /** `lastSynchronised` when the system's clock was last found to agree. */
  #synchronised: Timestamp | undefined;
  /** What each CSMS last said, beside the monotonic clock. */
  readonly #said = new Map<CsmsId, number>();
  readonly #contradicting = new Set<CsmsId>();

  /**
   * @param known how it stood when the last process wrote it down
   * @param newest the latest time in the journal; after another boot the clock does not begin before
   */
  constructor(
    system: Clock,
    machine: Machine,
    listener: SiteClockListener,
    known: Reckoning | undefined,
    newest: Timestamp,
  ) {
    this.#system = system;
    this.#machine = machine;
    this.#listener = listener;
    this.#monotonic = system.monotonic();
    const wall = system.now();
    this.#systemOrigin = wall - this.#monotonic;
    const sameBoot = isSameBoot(known, machine) && this.#monotonic >= known.monotonic;
    this.#synchronised = machine.lastSynchronised();
    if (sameBoot) {
      this.#at = known.at + (this.#monotonic - known.monotonic);
      this.#standing = known.standing;
      this.#following = this.#standing !== 'unset' && Math.abs(wall - this.#at) <= TOLERANCE;
    } else if (this.#synchronised !== undefined && this.#possible(wall)) {
      this.#standing = 'synchronised';
      this.#following = true;
      this.#at = wall;
    } else {
      // A machine that was off has at least been up since.
      const up = machine.boot === undefined ? 0 : this.#monotonic;
      const earliest = Math.max(machine.released, known?.at ?? 0, newest + 1) + up;
      this.#following = wall >= earliest - TOLERANCE;
      this.#standing = this.#following ? 'assumed' : 'unset';
      this.#at = this.#following ? Math.max(wall, known?.at ?? 0) : earliest;
    }
    this.#origin = this.#at - this.#monotonic;
  }

  get standing(): Standing {
    return this.#standing;
  }

  get trusted(): boolean {
    return trusted(this.#standing);
  }

  /**
   * Never runs back, but where a better source has moved it. Where its source is a little behind it goes at half the speed
   * until both are together; a jump of the system's clock is not followed before `tend` has judged it.
   */
  now(): Timestamp {
    const monotonic = this.#system.monotonic();
    const passed = monotonic - this.#monotonic;
    const expected = this.#at + passed;
    const source = this.#following ? this.#system.now() : this.#origin + monotonic;
    const target = Math.abs(source - expected) <= TOLERANCE ? source : expected;
    this.#at = target >= expected ? target : Math.max(target, this.#at + passed / 2);
    this.#monotonic = monotonic;
    return timestamp(Math.floor(this.#at));
  }

  monotonic(): Milliseconds {
    return this.#system.monotonic();
  }

  after(delay: Milliseconds, action: () => void): CancelTimer {
    return this.#system.after(delay, action);
  }

  every(interval: Milliseconds, action: () => void): CancelTimer {
    return this.#system.every(interval, action);
  }

  reckoning(): Reckoning {
    const at = this.now();
    const { boot } = this.#machine;
    const monotonic = milliseconds(this.#monotonic);
    return { ...(boot !== undefined && { boot }), monotonic, at, standing: this.#standing };
  }

  /** Looks at the system's clock; once a second is enough. */
  tend(): void {
    const now = this.now();
    const wall = this.#system.now();
    const jump = wall - this.#monotonic - this.#systemOrigin;
    this.#systemOrigin = wall - this.#monotonic;
    const synchronised = this.#machine.lastSynchronised();
    const gap = wall - now;
    if (Math.abs(gap) <= TOLERANCE) {
      if (Math.abs(jump) > JUMP) this.#listener.jumped(milliseconds(jump), true);
      this.#synchronised = synchronised;
      this.#agrees(wall, synchronised);
      return;
    }
    // A time server was heard since both last agreed.
    const renewed = synchronised !== undefined && synchronised !== this.#synchronised;
    const forward = wall > now && (this.#standing === 'unset' || (this.#standing === 'assumed' && this.#following));
    if (this.#possible(wall) && (renewed || forward)) {
      this.#synchronised = synchronised;
      this.#set(wall, renewed ? 'synchronised' : 'assumed', true, 'system');
    } else {
      this.#hold();
      if (Math.abs(jump) > JUMP) this.#listener.jumped(milliseconds(jump), false);
    }
  }

  /** See `SiteTimeSource.heardFrom`. */
  heard(csms: CsmsId, authority: boolean, said: Timestamp): 'taken' | 'doubtful' | 'not taken' {
    const now = this.now();
    const origin = said - this.#monotonic;
    const before = this.#said.get(csms);
    this.#said.set(csms, origin);
    const again = before !== undefined && Math.abs(origin - before) <= AGREEMENT;
    const gap = said - now;
    if (Math.abs(gap) <= TOLERANCE) {
      this.#contradicting.delete(csms);
      this.#confirmedBy(csms, authority, said);
      return 'taken';
    }
    const first = this.#standing === 'unset' && gap > 0;
    const may = this.#possible(said) && (first || (authority && this.#standing !== 'synchronised'));
    if (may && (first || again)) {
      const followed = Math.abs(this.#system.now() - said) <= TOLERANCE;
      this.#contradicting.delete(csms);
      this.#set(said, authority || followed ? 'confirmed' : 'assumed', followed, csms);
      return 'taken';
    }
    if (may) return 'doubtful';
    if (!this.#contradicting.has(csms)) {
      this.#contradicting.add(csms);
      this.#listener.contradicted(csms, milliseconds(gap));
    }
    return 'not taken';
  }

  /** The system's clock and the site's are together. */
  #agrees(wall: Timestamp, synchronised: Timestamp | undefined): void {
    const server = synchronised !== undefined && wall - synchronised <= SYNCHRONISED_FOR;
    if (!trusted(this.#standing)) {
      if (server) this.#set(wall, 'synchronised', true, 'system');
      else if (this.#standing === 'unset') this.#set(wall, 'assumed', true, 'system');
    } else this.#standing = server ? 'synchronised' : 'confirmed';
    this.#following = true;
  }

  #confirmedBy(csms: CsmsId, authority: boolean, said: Timestamp): void {
    if (this.#standing === 'unset') return this.#set(said, authority ? 'confirmed' : 'assumed', false, csms);
    if (this.#standing === 'assumed' && (authority || this.#following)) {
      this.#standing = 'confirmed';
      this.#listener.confirmed(csms);
    }
    // Nothing else keeps this clock: an authority's answers do, to the accuracy that they have.
    const off = said - (this.#origin + this.#monotonic);
    if (!this.#following && authority && Math.abs(off) > AGREEMENT) this.#origin += off;
  }

  #set(at: Timestamp, standing: Standing, following: boolean, source: Step['source']): void {
    const now = this.now();
    const before = this.#standing;
    this.#standing = standing;
    this.#following = following;
    this.#origin = at - this.#monotonic;
    // So little back is made up for by going slower.
    const offset = at < now && now - at <= TOLERANCE ? 0 : at - now;
    this.#at += offset;
    this.#listener.stepped({ offset: milliseconds(offset), before, after: standing, source });
  }

  #hold(): void {
    if (!this.#following) return;
    this.#following = false;
    this.#origin = this.#at - this.#monotonic;
  }

  #possible(at: Timestamp): boolean {
    return at >= this.#machine.released && at <= this.#machine.released + LIFETIME;
  }
}
