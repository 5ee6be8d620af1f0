// What is known of the site at this moment, as everyone inside may read it: connectors, stations, the last values.
import type { EvseNumber, StationId } from '../kernel/ids.js';
import type { Ampere, Timestamp, WattHour } from '../kernel/units.js';
import type { Capabilities } from './capabilities.js';
import type { MeterValue } from './metering.js';
import type { ChargingState, ConnectorError, ConnectorStatus, Inventory } from './station-event.js';
import type { PerPhase } from './topology.js';
import type { Transaction } from './transaction.js';

export interface LiveStation {
  readonly id: StationId;
  readonly connected: boolean;
  /** When the link was last seen to come or go. */
  readonly since: Timestamp;
  readonly booted: boolean;
  readonly inventory?: Inventory;
  readonly capabilities?: Capabilities;
  /** Error of the station as a whole (1.6 connector 0). */
  readonly error?: ConnectorError;
}

export interface LiveConnector {
  readonly evse: EvseNumber;
  readonly connector: number;
  /** What the rest of the world is told (aggregation section 2: availability, faults, offline and reservations merged). */
  readonly status: ConnectorStatus;
  /** What the station itself said last. */
  readonly reported: ConnectorStatus;
  readonly chargingState: ChargingState;
  /** `ended`: the transaction is over, the cable still in. */
  readonly transaction: 'none' | 'open' | 'ended';
  /** The open transaction has charged, or could have: before that its car is still being prepared. */
  readonly energized?: boolean;
  readonly error?: ConnectorError;
  readonly at: Timestamp;
}

export interface LiveEvse {
  readonly number: EvseNumber;
  /** Measured per grid phase; absent while nothing has been measured. */
  readonly current?: PerPhase<Ampere>;
  readonly currentAt?: Timestamp;
  readonly register?: WattHour;
  /** The last sample of every measurand. */
  readonly lastValues?: MeterValue;
  /** What the EVSE has confirmed it offers. */
  readonly offered?: Ampere;
  /** What its charger said last that it offers (Current.Offered), and when the gateway heard it. */
  readonly saysItOffers?: { readonly current: Ampere; readonly at: Timestamp };
  readonly transaction?: Transaction;
}

/** The read side of the site: what views, telemetry and the console look at. */
export interface LiveSite {
  station(id: StationId): LiveStation | undefined;
  connector(evse: EvseNumber, connector: number): LiveConnector | undefined;
  evse(number: EvseNumber): LiveEvse | undefined;
  connectors(): Iterable<LiveConnector>;
}
