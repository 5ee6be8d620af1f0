// TransactionEventRequest of OCPP 2.0.1 as the canonical transaction event.
import type { Payload } from '../ocpp-j/contract.js';
import { booleanOf, integerOf, memberOf, momentOf, recordOf, textOf } from '../ocpp-j/fields.js';
import { numberFrom } from '../ocpp-j/sampled-value.js';
import { stationTransactionId, type StationId } from '../../gateway/kernel/ids.js';
import type { Timestamp } from '../../gateway/kernel/units.js';
import type {
  ChargingState,
  StoppedReason,
  TransactionReported,
  TriggerReason,
} from '../../gateway/site/station-event.js';
import { meterValuesOf } from './translate-meter-values.js';
import { idTokenOf } from './translate-token.js';

const KINDS = { Started: 'started', Updated: 'updated', Ended: 'ended' } as const;

const CHARGING_STATES: readonly ChargingState[] = ['Charging', 'EVConnected', 'SuspendedEV', 'SuspendedEVSE', 'Idle'];

const TRIGGERS: readonly TriggerReason[] = [
  'Authorized',
  'CablePluggedIn',
  'ChargingRateChanged',
  'ChargingStateChanged',
  'Deauthorized',
  'EnergyLimitReached',
  'EVCommunicationLost',
  'EVConnectTimeout',
  'MeterValueClock',
  'MeterValuePeriodic',
  'TimeLimitReached',
  'Trigger',
  'UnlockCommand',
  'StopAuthorized',
  'EVDeparted',
  'EVDetected',
  'RemoteStop',
  'RemoteStart',
  'AbnormalCondition',
  'SignedDataReceived',
  'ResetCommand',
];

const STOPPED_REASONS: readonly StoppedReason[] = [
  'DeAuthorized',
  'EmergencyStop',
  'EnergyLimitReached',
  'EVDisconnected',
  'GroundFault',
  'ImmediateReset',
  'Local',
  'LocalOutOfCredit',
  'MasterPass',
  'Other',
  'OvercurrentFault',
  'PowerLoss',
  'PowerQuality',
  'Reboot',
  'Remote',
  'SOCLimitReached',
  'StoppedByEV',
  'TimeLimitReached',
  'Timeout',
];

/** The text of the standard and some stations spell it differently from the schema. */
const triggerOf = (written: unknown): TriggerReason =>
  written === 'EVConnectionTimeout' ? 'EVConnectTimeout' : (memberOf(written, TRIGGERS) ?? 'ChargingStateChanged');

/** An absent reason of an ended transaction means Local (TransactionType.stoppedReason). */
const stoppedReasonOf = (info: Payload): StoppedReason =>
  info['stoppedReason'] === undefined ? 'Local' : (memberOf(info['stoppedReason'], STOPPED_REASONS) ?? 'Other');

const customDataOf = (payload: Payload): TransactionReported['customData'] => {
  const custom = recordOf(payload, 'customData');
  const vendorId = custom && textOf(custom, 'vendorId');
  return custom && vendorId !== undefined ? { ...custom, vendorId } : undefined;
};

/** Without the place, which the caller looks up. Undefined where it names no transaction or no kind of event. */
export function transactionOf(
  payload: Payload,
  station: StationId,
  now: Timestamp,
): Omit<TransactionReported, 'evse' | 'connector'> | undefined {
  const info = recordOf(payload, 'transactionInfo');
  const id = info && textOf(info, 'transactionId');
  const eventType = memberOf(payload['eventType'], ['Started', 'Updated', 'Ended'] as const);
  if (!info || id === undefined || id === '' || eventType === undefined) return undefined;
  const optional = {
    seqNo: integerOf(payload, 'seqNo'),
    chargingState: memberOf(info['chargingState'], CHARGING_STATES),
    idToken: idTokenOf(payload),
    reservationId: integerOf(payload, 'reservationId'),
    remoteStartId: integerOf(info, 'remoteStartId'),
    stoppedReason: eventType === 'Ended' ? stoppedReasonOf(info) : undefined,
    phasesUsed: integerOf(payload, 'numberOfPhasesUsed'),
    cableMaxCurrent: numberFrom(payload['cableMaxCurrent']),
    customData: customDataOf(payload),
  };
  return {
    type: 'transaction',
    station,
    kind: KINDS[eventType],
    stationTransactionId: stationTransactionId(id),
    at: momentOf(payload, 'timestamp') ?? now,
    trigger: triggerOf(payload['triggerReason']),
    meterValues: meterValuesOf(payload, now),
    offline: booleanOf(payload, 'offline') ?? false,
    ...present(optional),
  };
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Leaves out what is undefined. */
function present<T extends object>(fields: T): Present<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<T>;
}
