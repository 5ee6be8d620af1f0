// Tells an OCPP 2.0.1 CSMS of statuses and remembers which errors it knows of, so that each is raised once and cleared once.
import type { ConnectorView, DeliveryOutcome } from '../../gateway/ports/csms.js';
import type { Timestamp } from '../../gateway/kernel/units.js';
import type { ConnectorError, ConnectorStatus, ErrorCode } from '../../gateway/site/station-event.js';
import type { CallOutcome } from '../ocpp-j/contract.js';
import { failureOf, type Frame, frame } from '../ocpp-j/csms-delivery.js';
import { encodeAvailability, encodeErrorChange, encodeStatus, errorOf } from './encode-status.js';

export interface StatusTelling {
  connector(view: ConnectorView): Promise<DeliveryOutcome>;
  station(status: ConnectorStatus, error: ConnectorError | undefined, at: Timestamp): Promise<DeliveryOutcome>;
  /** The CSMS starts afresh with this station. */
  forget(): void;
}

type Raised = Exclude<ErrorCode, 'NoError'>;

/** @param ignored an event that the CSMS refused: logged, never repeated, since it is a notice and no transaction */
export function statusTelling(
  send: (frame: Frame) => Promise<CallOutcome>,
  ignored: (outcome: CallOutcome) => void,
): StatusTelling {
  const raised = new Map<string, Raised>();
  let availability: ConnectorStatus | undefined;
  let lastEventId = 0;

  /** Unsent is the only failure that matters: the view will say it all again on the next link. */
  async function notice(message: Frame): Promise<DeliveryOutcome | undefined> {
    const outcome = await send(message);
    if (outcome.kind === 'closed') return failureOf(outcome);
    if (outcome.kind !== 'result') ignored(outcome);
    return undefined;
  }

  async function errors(
    slot: ConnectorView['slot'] | undefined,
    now: ConnectorError | undefined,
    at: Timestamp,
  ): Promise<DeliveryOutcome | undefined> {
    const key = slot ? `${slot.evse}.${slot.connector}` : 'station';
    const change = encodeErrorChange(raised.get(key), now, slot, at, () => ++lastEventId);
    if (!change) return undefined;
    const failed = await notice(frame('NotifyEvent', change, 'status'));
    if (failed) return failed;
    const error = errorOf(now);
    if (error && error.code !== 'NoError') raised.set(key, error.code);
    else raised.delete(key);
    return undefined;
  }

  return {
    async connector(view) {
      const outcome = await send(frame('StatusNotification', encodeStatus(view), 'status'));
      if (outcome.kind !== 'result') return failureOf(outcome);
      return (await errors(view.slot, view.error, view.at)) ?? { kind: 'answered' };
    },
    async station(status, error, at) {
      // Available is what a station is until it says otherwise.
      const changed = status !== (availability ?? 'Available');
      const code = errorOf(error)?.code;
      if (!changed && raised.get('station') === code) return { kind: 'nothing' };
      if (changed) {
        const failed = await notice(frame('NotifyEvent', encodeAvailability(status, at, ++lastEventId), 'status'));
        if (failed) return failed;
        availability = status;
      }
      return (await errors(undefined, error, at)) ?? { kind: 'answered' };
    },
    forget() {
      raised.clear();
      availability = undefined;
    },
  };
}
