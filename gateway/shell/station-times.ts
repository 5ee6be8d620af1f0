// Chargers that were told the time while it was wrong: until they hear the right one, they go on stamping by the wrong one.
import type { Clock } from '../kernel/clock.js';
import type { StationId } from '../kernel/ids.js';
import { amended } from '../kernel/amended.js';
import { minutes, seconds, timestamp, type Timestamp } from '../kernel/units.js';
import type { StationEvent } from '../site/station-event.js';
import { shifted, type TimeShift } from '../site/time-shift.js';

/** This close to the gateway's own time a charger shows that it has heard it. */
const HEARD = minutes(1);
/** Below this there is nothing to tell apart. */
const LEAST = seconds(2);

interface Follower {
  readonly shift: TimeShift;
  /** The first time by which it showed that it knows better; what it still holds back may be from before. */
  readonly heardAt?: Timestamp;
}

/**
 * What it cannot know: whether a message that comes hours late was stamped by the old time or by the new one, where both
 * are possible. It counts as old from a charger that was there in the era, never showed a clock of its own, and has not
 * been heard with the new time since.
 */
export class StationTimes {
  readonly #clock: Clock;
  /** Stations heard of since the era began, and whether they have a clock of their own. */
  readonly #inEra = new Map<StationId, 'ours' | 'own'>();
  readonly #followers = new Map<StationId, Follower>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A station was heard while the time is in doubt. @param ahead it said a time that the gateway could not believe */
  heard(station: StationId, ahead: boolean | undefined): void {
    if (ahead !== undefined || !this.#inEra.has(station)) this.#inEra.set(station, ahead === true ? 'own' : 'ours');
  }

  /** Those that may go by the era's time. */
  inEra(): readonly StationId[] {
    return [...this.#inEra].flatMap(([station, clock]) => (clock === 'ours' ? [station] : []));
  }

  /** The era is over, and these may not have heard of it. */
  left(stations: readonly StationId[], { from, offset }: TimeShift): void {
    this.#inEra.clear();
    for (const station of stations) this.#followers.set(station, { shift: { from, offset } });
  }

  /** The event with the times that were told by the old time moved to the new one, what was said being kept. */
  translated<E extends StationEvent>(event: E): E {
    const follower = this.#followers.get(event.station);
    if (follower === undefined) return event;
    const told: StationEvent = event;
    switch (told.type) {
      case 'status':
      case 'securityEvent':
        return this.#told(told, follower) as E;
      case 'meterValues':
        return amended<StationEvent>(told, {
          meterValues: told.meterValues.map((value) => this.#told(value, follower)),
        }) as E;
      case 'transaction':
        return amended(this.#told(told, follower), {
          meterValues: told.meterValues.map((value) => this.#told(value, follower)),
        }) as StationEvent as E;
      default:
        return event;
    }
  }

  #told<T extends { readonly at: Timestamp; readonly reportedAt?: Timestamp }>(told: T, follower: Follower): T {
    const { shift } = follower;
    const now = this.#clock.now();
    const old = now - shift.offset;
    const { at } = told;
    if (at < shift.from || Math.abs(shift.offset) < LEAST) return told;
    const knows = Math.abs(at - now) < Math.abs(at - old);
    if (knows && Math.abs(at - now) < HEARD) this.#knows(follower, at);
    const last = timestamp((follower.heardAt ?? now) - shift.offset);
    if (knows || at > last + HEARD) return told;
    return amended<{ readonly at: Timestamp; readonly reportedAt?: Timestamp }>(told, {
      at: shifted(at, shift),
      reportedAt: told.reportedAt ?? at,
    }) as T;
  }

  #knows(follower: Follower, at: Timestamp): void {
    if (follower.heardAt !== undefined) return;
    for (const [station, each] of this.#followers) {
      if (each !== follower) continue;
      // Moved back, old times and new ones overlap from here on.
      if (follower.shift.offset < 0) this.#followers.delete(station);
      else this.#followers.set(station, { ...follower, heardAt: at });
    }
  }
}
