// Canonical transaction record -> OCPP 2.0.1 TransactionEvent, numbered per CSMS.
import type { OCPP20 } from 'typed-ocpp';
import type { CsmsMessage, ProjectionState } from '../../gateway/ports/csms.js';
import { toRfc3339 } from '../../gateway/kernel/units.js';
import type { TransactionRecord } from '../../gateway/site/transaction.js';
import { encodeMeterValue } from './encode-meter-values.js';

type TransactionMessage = Extract<CsmsMessage, { type: 'transaction' }>;

const EVENT_TYPES = { started: 'Started', updated: 'Updated', ended: 'Ended' } as const satisfies Record<
  TransactionRecord['kind'],
  OCPP20.TransactionEventRequest['eventType']
>;

/** The number of the next event: from 0, without gaps, because the CSMS waits for every number (E01.FR.07). */
export function seqNoOf(state: ProjectionState): number {
  const seqNo = state['seqNo'];
  return typeof seqNo === 'number' && Number.isSafeInteger(seqNo) && seqNo >= 0 ? seqNo : 0;
}

/** What to keep once the event is answered; until then a repetition carries the same number. */
export const afterEvent = (state: ProjectionState): ProjectionState => ({ seqNo: seqNoOf(state) + 1 });

export function encodeTransaction({
  record,
  slot,
  offline,
  state,
}: TransactionMessage): OCPP20.TransactionEventRequest {
  const meterValue = encodeMeterValue(record.meterValues);
  return {
    eventType: EVENT_TYPES[record.kind],
    timestamp: toRfc3339(record.at),
    triggerReason: record.trigger,
    seqNo: seqNoOf(state),
    ...((offline || record.offline) && { offline: true }),
    ...(record.phasesUsed !== undefined && { numberOfPhasesUsed: Math.round(record.phasesUsed) }),
    ...(record.cableMaxCurrent !== undefined && { cableMaxCurrent: Math.round(record.cableMaxCurrent) }),
    ...(record.reservationId !== undefined && { reservationId: record.reservationId }),
    transactionInfo: {
      transactionId: record.uid,
      chargingState: record.chargingState,
      ...(record.stoppedReason !== undefined && { stoppedReason: record.stoppedReason }),
      ...(record.remoteStartId !== undefined && { remoteStartId: record.remoteStartId }),
    },
    // In every event, so that a CSMS that missed the first one still knows where.
    evse: { id: slot.evse, connectorId: slot.connector },
    ...(record.idToken && { idToken: { idToken: record.idToken.idToken, type: record.idToken.type } }),
    ...(meterValue.length > 0 && { meterValue }),
    ...(record.customData && { customData: { ...record.customData } }),
  };
}
