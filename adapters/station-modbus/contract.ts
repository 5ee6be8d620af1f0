// What a Modbus station offers beyond any other station, and what it is set up with.
import type { EvseNumber, StationTransactionId } from '../../gateway/kernel/ids.js';
import { minutes, seconds, volt, type Milliseconds, type Volt, type WattHour } from '../../gateway/kernel/units.js';
import type { StationDriver } from '../../gateway/ports/station.js';
import type { IdToken } from '../../gateway/site/tokens.js';

export interface StationSettings {
  /** Between polls; the device's own slower rule wins. */
  readonly pollInterval: Milliseconds;
  /** Between values inside a transaction. */
  readonly meterInterval: Milliseconds;
  /** Between values outside transactions. */
  readonly idleMeterInterval: Milliseconds;
  /** How long a remote start waits for the car (OCPP ConnectionTimeOut, EVConnectionTimeOut). */
  readonly connectionTimeout: Milliseconds;
  /** Polls in a row without an answer after which the station is reported as disconnected. */
  readonly missedPolls: number;
  /** Of the site: what a power limit is reckoned with. */
  readonly nominalVoltage: Volt;
}

export const DEFAULT_STATION_SETTINGS: StationSettings = {
  pollInterval: seconds(1),
  meterInterval: seconds(10),
  idleMeterInterval: minutes(15),
  connectionTimeout: seconds(60),
  missedPolls: 3,
  nominalVoltage: volt(230),
};

/** A transaction that was open when the gateway stopped. */
export interface OpenTransaction {
  readonly evse: EvseNumber;
  readonly stationTransactionId: StationTransactionId;
  readonly idToken: IdToken;
  /** The register when it began, or the last one seen. */
  readonly meterStart?: WattHour;
}

export interface ModbusStationDriver extends StationDriver {
  /** Goes on with these transactions under the same ids. To be called in the same turn as the opening, before the first poll. */
  resume(open: readonly OpenTransaction[]): void;
}
