// Canonical status -> OCPP 2.0.1 StatusNotification, and NotifyEvent for the errors that come and go with it.
import type { OCPP20 } from 'typed-ocpp';
import type { ConnectorView, Slot } from '../../gateway/ports/csms.js';
import { type Timestamp, toRfc3339 } from '../../gateway/kernel/units.js';
import type { ConnectorError, ConnectorStatus, ErrorCode } from '../../gateway/site/station-event.js';
import { truncate } from '../ocpp-j/truncate.js';
import { ERROR_PLACES } from './error-components.js';

type EventData = OCPP20.NotifyEventRequest['eventData'][number];

export const encodeStatus = ({ slot, status, at }: ConnectorView): OCPP20.StatusNotificationRequest => ({
  timestamp: toRfc3339(at),
  connectorStatus: status,
  evseId: slot.evse,
  connectorId: slot.connector,
});

/** An error in force; absent and NoError are the same. */
export const errorOf = (error: ConnectorError | undefined): ConnectorError | undefined =>
  error?.code === 'NoError' ? undefined : error;

/** @param slot absent: the station as a whole */
function errorEvent(
  eventId: number,
  code: Exclude<ErrorCode, 'NoError'>,
  slot: Slot | undefined,
  at: Timestamp,
): Omit<EventData, 'actualValue'> {
  const place = ERROR_PLACES[code];
  const component = slot === undefined && code === 'OtherError' ? 'ChargingStation' : place.component;
  return {
    eventId,
    timestamp: toRfc3339(at),
    trigger: 'Alerting',
    eventNotificationType: 'HardWiredNotification',
    component: { name: component, ...(slot && { evse: { id: slot.evse, connectorId: slot.connector } }) },
    variable: { name: place.variable },
  };
}

const notify = (at: Timestamp, eventData: EventData[]): OCPP20.NotifyEventRequest => ({
  generatedAt: toRfc3339(at),
  seqNo: 0,
  tbc: false,
  eventData,
});

/**
 * What has to be said when `told` was the error the CSMS knows of and `now` is the one in force; undefined: nothing.
 * @param nextEventId numbers the events; it is asked once for each
 */
export function encodeErrorChange(
  told: Exclude<ErrorCode, 'NoError'> | undefined,
  now: ConnectorError | undefined,
  slot: Slot | undefined,
  at: Timestamp,
  nextEventId: () => number,
): OCPP20.NotifyEventRequest | undefined {
  const error = errorOf(now);
  const code = error && error.code !== 'NoError' ? error.code : undefined;
  if (told === code) return undefined;
  const eventData: EventData[] = [];
  if (told !== undefined)
    eventData.push({ ...errorEvent(nextEventId(), told, slot, at), actualValue: 'false', cleared: true });
  if (error && code !== undefined) {
    const info = error.info ?? (code === 'ResetFailure' || code.endsWith('Voltage') ? code : undefined);
    eventData.push({
      ...errorEvent(nextEventId(), code, slot, at),
      actualValue: 'true',
      ...(error.vendorErrorCode !== undefined && { techCode: truncate(error.vendorErrorCode, 50) }),
      ...(info !== undefined && { techInfo: truncate(info, 500) }),
    });
  }
  return notify(at, eventData);
}

/** The station as a whole has no StatusNotification in 2.0.1: its availability is a variable (G01.FR.03). */
export const encodeAvailability = (
  status: ConnectorStatus,
  at: Timestamp,
  eventId: number,
): OCPP20.NotifyEventRequest =>
  notify(at, [
    {
      eventId,
      timestamp: toRfc3339(at),
      trigger: 'Delta',
      actualValue: status,
      eventNotificationType: 'HardWiredNotification',
      component: { name: 'ChargingStation' },
      variable: { name: 'AvailabilityState' },
    },
  ]);
