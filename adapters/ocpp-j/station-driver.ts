// What the shell sees of an OCPP charger's driver, whichever version the charger speaks.
import type { StationDriver } from '../../gateway/ports/station.js';
import type { Volt } from '../../gateway/kernel/units.js';
import type { CallHandler, OcppConnection } from './contract.js';

export interface OcppStationDriver extends StationDriver {
  /** Answers the charger's calls, on whichever connection they come. */
  readonly handler: CallHandler;
  /** A connection is open: reported as `connected`; an earlier one is let go of first. */
  attach(connection: OcppConnection): void;
  /** The connection is gone: reported as `disconnected`; commands end as `Offline` from now on. */
  detach(reason: string): void;
}

export interface OcppStationSettings {
  /** Phase to neutral, for chargers that take watts only. */
  readonly nominalVoltage: Volt;
  /** Seconds. */
  readonly heartbeatInterval: number;
  /** Seconds between two samples while charging. */
  readonly meterInterval: number;
}
