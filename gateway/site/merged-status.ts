// The one status of a connector that the world is told, out of all that is known of it (aggregation: first rule that fits).
import type { ConnectorError, ConnectorStatus } from './station-event.js';

export interface KnownOfConnector {
  /** What the station said last; undefined while it has said nothing. */
  readonly reported: ConnectorStatus | undefined;
  readonly error: ConnectorError | undefined;
  /** Taken out of service by a CSMS or on site. */
  readonly inoperative: boolean;
  readonly transactionOpen: boolean;
  /** Held for a driver. */
  readonly reserved: boolean;
  /** A fault of the station as a whole. */
  readonly stationError: ConnectorError | undefined;
  /** The station has taken itself out of service as a whole. */
  readonly stationUnavailable: boolean;
  /** The station is silent for longer than the grace. */
  readonly stationLost: boolean;
}

export interface MergedStatus {
  readonly status: ConnectorStatus;
  readonly error: ConnectorError | undefined;
}

export const OFFLINE: ConnectorError = {
  code: 'OtherError',
  info: 'charger offline',
  vendorErrorCode: 'GW_OFFLINE',
};

export function mergedStatus(known: KnownOfConnector): MergedStatus {
  const { error, reported, transactionOpen } = known;
  if (known.inoperative && !transactionOpen) return { status: 'Unavailable', error };
  if (reported === 'Faulted') return { status: 'Faulted', error: error ?? { code: 'OtherError' } };
  if (known.stationError !== undefined) return { status: 'Faulted', error: known.stationError };
  // While the charger is silent its car may go on charging: a transaction stays what it was.
  if (transactionOpen) return { status: 'Occupied', error };
  if (known.stationLost) return { status: 'Unavailable', error: OFFLINE };
  if (reported === undefined) return { status: 'Unavailable', error: undefined };
  if (known.stationUnavailable || reported === 'Unavailable') return { status: 'Unavailable', error };
  return { status: known.reserved ? 'Reserved' : reported, error };
}
