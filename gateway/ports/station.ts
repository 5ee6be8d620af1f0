// What a station adapter is given and what it must offer. An adapter reports and obeys; it decides nothing.
import type { Clock } from '../kernel/clock.js';
import type { EvseNumber, StationId } from '../kernel/ids.js';
import type { Log } from '../kernel/log.js';
import type { Milliseconds } from '../kernel/units.js';
import type { MeterReading } from '../site/metering.js';
import type { CommandOutcome, StationCommand } from '../site/station-command.js';
import type { StationAnswer, StationEvent } from '../site/station-event.js';
import type { Station } from '../site/topology.js';

/** The gateway as a station adapter sees it. */
export interface StationHost {
  /**
   * Hands over what happened and resolves with what the station is to be answered, once it is on disk.
   * @throws JournalUnavailable: answer the station with an internal error, so that it keeps its message
   */
  report<E extends StationEvent>(event: E): Promise<StationAnswer<E>>;
}

/** One station, whatever it speaks. */
export interface StationDriver {
  readonly station: Station;
  /** Carries out one command; never throws, never waits longer than 15 s (or the device's own slower rule). */
  execute(command: StationCommand): Promise<CommandOutcome>;
  /** What the device does by itself; absent where the station tells it by its capabilities. */
  readonly watchdog?: WatchdogTrial;
  /** Ends the link; resolves when nothing more will be reported. */
  stop(): Promise<void>;
}

/** Tells any station of the site to carry out a command; `Offline` where nobody serves one of that name. */
export type TellStation = (station: StationId, command: StationCommand) => Promise<CommandOutcome>;

/** The watchdog of a station, for whoever tries it out. */
export interface WatchdogTrial {
  /**
   * From the last sign of life until the device has certainly acted; `unknown` where no source tells. Absent: it has no watchdog,
   * and `note` says what is known.
   */
  readonly after?: Milliseconds | 'unknown';
  readonly note: string;
  /**
   * Leaves the EVSE without what its watchdog wants for so long, and reads then what it does. A command for the EVSE, a lost
   * link and `feed` end it before that.
   */
  starve(evse: EvseNumber, during: Milliseconds): Promise<StarvedDevice>;
  /** Goes on as ever. */
  feed(): void;
}

/** `current`: on the EVSE's own conductors, in A. */
export type StarvedDevice =
  | { readonly status: 'ended'; readonly current: readonly [number, number, number] }
  | { readonly status: 'interrupted'; readonly detail: string };

export interface MeterHost {
  reading(reading: MeterReading): void;
}

/** One meter that is being read. */
export interface MeterDriver {
  stop(): Promise<void>;
}

/** What every adapter is handed. */
export interface AdapterContext {
  readonly clock: Clock;
  readonly log: Log;
}
