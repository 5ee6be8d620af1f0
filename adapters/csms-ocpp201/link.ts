// The link to a CSMS that speaks OCPP 2.0.1: the gateway is one Charging Station with many EVSEs.
import type { OCPP20 } from 'typed-ocpp';
import type { CsmsHost, CsmsLink, CsmsMessage, DeliveryOutcome, ProjectionState } from '../../gateway/ports/csms.js';
import type { AdapterContext } from '../../gateway/ports/station.js';
import type { Csms } from '../../gateway/site/topology.js';
import type { Payload } from '../ocpp-j/contract.js';
import { failureOf, type Frame, frame, withLate } from '../ocpp-j/csms-delivery.js';
import { answerBy, oneOf, payloadOf, requestOf } from '../ocpp-j/csms-route.js';
import { type Dial, openCsmsSession } from '../ocpp-j/csms-session.js';
import { ROUTES_201 } from './commands.js';
import { encodeMeterValues } from './encode-meter-values.js';
import {
  encodeBoot,
  encodeChargingLimit,
  encodeDataTransfer,
  encodeJobStatus,
  encodeProfiles,
  encodeReservationEnded,
  encodeSecurityEvent,
} from './encode-notices.js';
import { encodeReport } from './encode-report.js';
import { afterEvent, encodeTransaction } from './encode-transaction.js';
import { statusTelling } from './status-telling.js';
import { encodeToken, tokenInfoOf } from './tokens.js';

export interface Ocpp201CsmsOptions {
  /** Numbers in [0, 1) for the back-off; Math.random unless a test says otherwise. */
  readonly random?: () => number;
}

export function openOcpp201Csms(
  csms: Csms,
  host: CsmsHost,
  context: AdapterContext,
  dial: Dial,
  options: Ocpp201CsmsOptions = {},
): CsmsLink {
  const session = openCsmsSession(
    host,
    {
      boot: (identity, reason) => payloadOf(encodeBoot(identity, reason)),
      answer: (call, command) => answerBy(ROUTES_201, call, command),
    },
    context,
    dial,
    options.random,
  );
  const send = ({ action, payload, priority }: Frame, whilePending = false) =>
    session.call(action, payload, priority, whilePending);
  const statuses = statusTelling(send, (outcome) =>
    context.log.warn({ csms: csms.id, outcome }, 'CSMS did not take an event'),
  );

  async function tell(message: Frame | undefined): Promise<DeliveryOutcome> {
    if (!message) return { kind: 'nothing' };
    const outcome = await send(message);
    return outcome.kind === 'result' ? { kind: 'answered' } : failureOf(outcome);
  }

  async function authorize(message: Extract<CsmsMessage, { type: 'authorize' }>): Promise<DeliveryOutcome> {
    const request: OCPP20.AuthorizeRequest = { idToken: encodeToken(message.idToken) };
    const outcome = await send(frame('Authorize', request, 'authorize'));
    if (outcome.kind !== 'result') return failureOf(outcome);
    const { idTokenInfo } = requestOf<OCPP20.AuthorizeResponse>(outcome.payload);
    return { kind: 'answered', idTokenInfo: tokenInfoOf(idTokenInfo) };
  }

  async function transaction(message: Extract<CsmsMessage, { type: 'transaction' }>): Promise<DeliveryOutcome> {
    const priority = message.record.kind === 'updated' ? 'values' : 'transaction';
    const outcome = await send(frame('TransactionEvent', encodeTransaction(message), priority));
    const understand = (payload: Payload) => eventAnswered(payload, message.state);
    if (outcome.kind === 'result') return understand(outcome.payload);
    // Its number stays its own: another event under it would pass for a repetition, and the gap shows what is missing.
    return { ...withLate(outcome, failureOf(outcome), understand), abandoned: afterEvent(message.state) };
  }

  function eventAnswered(payload: Payload, state: ProjectionState): DeliveryOutcome {
    const answer = requestOf<OCPP20.TransactionEventResponse>(payload);
    const info = answer.idTokenInfo && tokenInfoOf(answer.idTokenInfo);
    const chargingPriority = answer.chargingPriority ?? info?.chargingPriority;
    return {
      kind: 'answered',
      state: afterEvent(state),
      ...(info && { idTokenInfo: { ...info, ...(chargingPriority !== undefined && { chargingPriority }) } }),
      ...(answer.totalCost !== undefined && { totalCost: answer.totalCost }),
    };
  }

  /** Delivery is guaranteed (A04.FR.02), taking it is not: what the CSMS does not want is not repeated. InternalError may pass. */
  async function securityEvent(message: Extract<CsmsMessage, { type: 'securityEvent' }>): Promise<DeliveryOutcome> {
    const outcome = await send(frame('SecurityEventNotification', encodeSecurityEvent(message), 'status'));
    if (outcome.kind === 'result') return { kind: 'answered' };
    if (outcome.kind !== 'error' || outcome.code === 'InternalError') return failureOf(outcome);
    context.log.warn({ csms: csms.id, event: message.event, outcome }, 'CSMS did not take a security event');
    return { kind: 'answered' };
  }

  async function dataTransfer(message: Extract<CsmsMessage, { type: 'dataTransfer' }>): Promise<DeliveryOutcome> {
    const outcome = await send(frame('DataTransfer', encodeDataTransfer(message), 'status'));
    if (outcome.kind !== 'result') return failureOf(outcome);
    const { status, data } = requestOf<OCPP20.DataTransferResponse>(outcome.payload);
    return {
      kind: 'answered',
      data: {
        status: oneOf(status, ['Accepted', 'Rejected', 'UnknownMessageId', 'UnknownVendorId'], 'Rejected'),
        ...(data !== undefined && { data }),
      },
    };
  }

  /** Also before Boot is accepted: a CSMS reads the station's configuration while it makes up its mind (B02.FR.02). */
  async function report(message: Extract<CsmsMessage, { type: 'report' }>): Promise<DeliveryOutcome> {
    for (const piece of encodeReport(message.requestId, message.variables, context.clock.now())) {
      const outcome = await send(frame('NotifyReport', piece, 'status'), true);
      if (outcome.kind !== 'result') return failureOf(outcome);
    }
    return { kind: 'answered' };
  }

  function deliver(message: CsmsMessage): Promise<DeliveryOutcome> {
    switch (message.type) {
      case 'status':
        return statuses.connector(message.connector);
      case 'stationStatus':
        return statuses.station(message.status, message.error, message.at);
      case 'authorize':
        return authorize(message);
      case 'transaction':
        return transaction(message);
      case 'meterValues': {
        const values = encodeMeterValues(message.slot?.evse ?? 0, message.meterValues);
        return tell(values && frame('MeterValues', values, 'values'));
      }
      case 'reservationEnded':
        return tell(frame('ReservationStatusUpdate', encodeReservationEnded(message), 'status'));
      case 'securityEvent':
        return securityEvent(message);
      case 'dataTransfer':
        return dataTransfer(message);
      case 'report':
        return report(message);
      case 'reportChargingProfiles': {
        const profiles = encodeProfiles(message);
        return tell(profiles && frame('ReportChargingProfiles', profiles, 'status'));
      }
      case 'chargingLimit':
        return tell(encodeChargingLimit(message));
      case 'jobStatus':
        return tell(encodeJobStatus(message));
    }
  }

  return {
    get connected() {
      return session.connected;
    },
    get accepted() {
      return session.accepted;
    },
    start: () => session.start(),
    deliver,
    probe: () => session.probe(),
    reboot: (reason) => {
      statuses.forget();
      session.reboot(reason);
    },
    askTime: () => session.askTime(),
    stop: () => session.stop(),
  };
}
