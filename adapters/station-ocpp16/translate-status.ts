// OCPP 1.6 connector states and error codes in canonical words (StatusNotification, OCPP 1.6 section 4.9).
import type { Payload } from '../ocpp-j/contract.js';
import { filledTextOf, memberOf } from '../ocpp-j/fields.js';
import type { ChargingState, ConnectorError, ConnectorStatus, ErrorCode } from '../../gateway/site/station-event.js';

export type Status16 =
  | 'Available'
  | 'Preparing'
  | 'Charging'
  | 'SuspendedEV'
  | 'SuspendedEVSE'
  | 'Finishing'
  | 'Reserved'
  | 'Unavailable'
  | 'Faulted';

/** Unavailable and Faulted say nothing of the cable or the car, so they have no charging state. */
const STATES = {
  Available: { status: 'Available', chargingState: 'Idle' },
  Preparing: { status: 'Occupied', chargingState: 'EVConnected' },
  Charging: { status: 'Occupied', chargingState: 'Charging' },
  SuspendedEV: { status: 'Occupied', chargingState: 'SuspendedEV' },
  SuspendedEVSE: { status: 'Occupied', chargingState: 'SuspendedEVSE' },
  Finishing: { status: 'Occupied', chargingState: 'EVConnected' },
  Reserved: { status: 'Reserved', chargingState: 'Idle' },
  Unavailable: { status: 'Unavailable' },
  Faulted: { status: 'Faulted' },
} as const satisfies Record<Status16, { status: ConnectorStatus; chargingState?: ChargingState }>;

const ERROR_CODES: readonly ErrorCode[] = [
  'NoError',
  'ConnectorLockFailure',
  'EVCommunicationError',
  'GroundFailure',
  'HighTemperature',
  'InternalError',
  'LocalListConflict',
  'OtherError',
  'OverCurrentFailure',
  'OverVoltage',
  'PowerMeterFailure',
  'PowerSwitchFailure',
  'ReaderFailure',
  'ResetFailure',
  'UnderVoltage',
  'WeakSignal',
];

export const status16Of = (payload: Payload): Status16 | undefined =>
  memberOf(payload['status'], Object.keys(STATES) as Status16[]);

export const canonicalStatus = (
  status: Status16,
): { readonly status: ConnectorStatus; readonly chargingState?: ChargingState } => STATES[status];

/** The error beside a status; a code outside the list is kept as words. Absent where the charger reports none. */
export function connectorErrorOf(payload: Payload): ConnectorError | undefined {
  const written = filledTextOf(payload, 'errorCode') ?? 'NoError';
  const known = memberOf(written, ERROR_CODES);
  const said = filledTextOf(payload, 'info');
  const info = known ? said : [written, said].filter((part) => part !== undefined).join(': ');
  const vendorId = filledTextOf(payload, 'vendorId');
  const vendorErrorCode = filledTextOf(payload, 'vendorErrorCode');
  if (known === 'NoError' && info === undefined && vendorErrorCode === undefined) return undefined;
  return {
    code: known ?? 'OtherError',
    ...(info !== undefined && { info }),
    ...(vendorId !== undefined && { vendorId }),
    ...(vendorErrorCode !== undefined && { vendorErrorCode }),
  };
}
