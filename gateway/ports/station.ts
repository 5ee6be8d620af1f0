// What a station adapter is given and what it must offer. An adapter reports and obeys; it decides nothing.
import type { Clock } from '../kernel/clock.js';
import type { Log } from '../kernel/log.js';
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
  /** Ends the link; resolves when nothing more will be reported. */
  stop(): Promise<void>;
}

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
