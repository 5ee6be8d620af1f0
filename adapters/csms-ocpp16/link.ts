// The link to a CSMS that speaks OCPP 1.6: the gateway is one Charge Point with many connectors.
import type { OCPP16 } from 'typed-ocpp';
import type { CsmsHost, CsmsLink, CsmsMessage, DeliveryOutcome } from '../../gateway/ports/csms.js';
import type { AdapterContext } from '../../gateway/ports/station.js';
import type { Csms } from '../../gateway/site/topology.js';
import { failureOf, type Frame, frame } from '../ocpp-j/csms-delivery.js';
import { answerBy, oneOf, payloadOf, requestOf } from '../ocpp-j/csms-route.js';
import { type CsmsSession, type Dial, openCsmsSession } from '../ocpp-j/csms-session.js';
import { routes16 } from './commands.js';
import { tokenInfoOf } from './decode-token-info.js';
import { encodeMeterValues } from './encode-meter-values.js';
import { encodeBoot, encodeDataTransfer, encodeJobStatus, encodeSecurityEvent } from './encode-notices.js';
import { encodeStationStatus, encodeStatus } from './encode-status.js';
import { idTagOf, type TokenAliases } from '../ocpp-j/token-alias.js';
import { transactionDelivery } from './transaction-delivery.js';

export interface Ocpp16CsmsOptions {
  readonly aliases: TokenAliases;
  /** Numbers in [0, 1) for the back-off; Math.random unless a test says otherwise. */
  readonly random?: () => number;
}

export function openOcpp16Csms(
  csms: Csms,
  host: CsmsHost,
  context: AdapterContext,
  dial: Dial,
  options: Ocpp16CsmsOptions,
): CsmsLink {
  const { aliases } = options;
  const routes = routes16(host, aliases);
  const session: CsmsSession = openCsmsSession(
    host,
    {
      boot: (identity) => payloadOf(encodeBoot(identity)),
      answer: (call, command) => answerBy(routes, call, command),
    },
    context,
    dial,
    options.random,
  );
  const send = ({ action, payload, priority }: Frame) => session.call(action, payload, priority);
  const transactions = transactionDelivery(send, aliases, csms.sendMinusOne);

  async function tell(message: Frame | undefined): Promise<DeliveryOutcome> {
    if (!message) return { kind: 'nothing' };
    const outcome = await send(message);
    return outcome.kind === 'result' ? { kind: 'answered' } : failureOf(outcome);
  }

  async function authorize(message: Extract<CsmsMessage, { type: 'authorize' }>): Promise<DeliveryOutcome> {
    const request: OCPP16.AuthorizeRequest = { idTag: idTagOf(message.idToken, aliases) };
    const outcome = await send(frame('Authorize', request, 'authorize'));
    if (outcome.kind !== 'result') return failureOf(outcome);
    const { idTagInfo } = requestOf<OCPP16.AuthorizeResponse>(outcome.payload);
    return { kind: 'answered', idTokenInfo: tokenInfoOf(idTagInfo, aliases) };
  }

  async function securityEvent(message: Extract<CsmsMessage, { type: 'securityEvent' }>): Promise<DeliveryOutcome> {
    const outcome = await send(frame('SecurityEventNotification', encodeSecurityEvent(message), 'status'));
    if (outcome.kind === 'result') return { kind: 'answered' };
    // A CSMS without the security extension never takes it, by whatever error: repeated, it would only hold up
    // transactions. InternalError may pass.
    if (outcome.kind === 'error' && outcome.code !== 'InternalError') {
      context.log.warn({ csms: csms.id, event: message.event, outcome }, 'CSMS did not take a security event');
      return { kind: 'answered' };
    }
    return failureOf(outcome);
  }

  async function dataTransfer(message: Extract<CsmsMessage, { type: 'dataTransfer' }>): Promise<DeliveryOutcome> {
    const outcome = await send(frame('DataTransfer', encodeDataTransfer(message), 'status'));
    if (outcome.kind !== 'result') return failureOf(outcome);
    const { status, data } = requestOf<OCPP16.DataTransferResponse>(outcome.payload);
    return {
      kind: 'answered',
      data: {
        status: oneOf(status, ['Accepted', 'Rejected', 'UnknownMessageId', 'UnknownVendorId'], 'Rejected'),
        ...(data !== undefined && { data }),
      },
    };
  }

  function deliver(message: CsmsMessage): Promise<DeliveryOutcome> {
    switch (message.type) {
      case 'status': {
        const reported = transactions.startReported(message.connector.slot.flat);
        return tell(frame('StatusNotification', encodeStatus(message.connector, reported), 'status'));
      }
      case 'stationStatus':
        return tell(
          frame('StatusNotification', encodeStationStatus(message.status, message.error, message.at), 'status'),
        );
      case 'authorize':
        return authorize(message);
      case 'transaction':
        return transactions.deliver(message);
      case 'meterValues': {
        const values = encodeMeterValues(message.slot, message.meterValues);
        return tell(values && frame('MeterValues', values, 'values'));
      }
      case 'securityEvent':
        return securityEvent(message);
      case 'dataTransfer':
        return dataTransfer(message);
      case 'jobStatus':
        return tell(encodeJobStatus(message));
      // 1.6 has no message for these; the end of a reservation shows in the connector's status (OCPP 1.6 section 5.13).
      case 'reservationEnded':
      case 'report':
      case 'reportChargingProfiles':
      case 'chargingLimit':
        return tell(undefined);
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
    reboot: (reason) => session.reboot(reason),
    askTime: () => session.askTime(),
    stop: () => session.stop(),
  };
}
