// Connector states and faults of an OCPP 2.0.1 station: StatusNotification, and the events that mean the same (G01.FR.03).
import type { CallAnswer, Payload } from '../ocpp-j/contract.js';
import { integerOf, memberOf, momentOf, recordsOf } from '../ocpp-j/fields.js';
import { answer, type ActionHandler } from '../ocpp-j/station-reports.js';
import type { Timestamp } from '../../gateway/kernel/units.js';
import type { ConnectorError, ConnectorStatus } from '../../gateway/site/station-event.js';
import type { Charger } from './charger.js';
import type { Pointed } from './places.js';
import { CONNECTOR_STATUSES, notifiedEvent, type NotifiedEvent } from './translate-event.js';

export function statusMessages(charger: Charger): ReadonlyMap<string, ActionHandler> {
  const { station, clock, log, reports, places } = charger;

  /** An EVSE without a connector means all of its connectors. */
  async function reportStatus(
    pointed: Exclude<Pointed, { kind: 'unknown' }>,
    statusOf: (known: ConnectorStatus | undefined) => ConnectorStatus | undefined,
    at: Timestamp,
    error?: ConnectorError,
  ): Promise<void> {
    const evse = pointed.kind === 'evse' ? pointed.evse : undefined;
    const named = pointed.kind === 'evse' ? pointed.connector : undefined;
    const connectors = named !== undefined ? [named] : (evse?.connectors.map(({ number }) => number) ?? [undefined]);
    if (evse) charger.learned.statusSeen = true;
    await Promise.all(
      connectors.map(async (connector) => {
        const status = statusOf(places.statusOf(evse, connector));
        if (!status) return;
        places.remember(evse, connector, status);
        await reports.report({
          type: 'status',
          station: station.id,
          ...(evse && { evse: evse.number }),
          ...(connector !== undefined && { connector }),
          status,
          ...(error && { error }),
          at,
        });
      }),
    );
  }

  async function statusNotification(payload: Payload): Promise<CallAnswer> {
    const pointed = places.at(integerOf(payload, 'evseId'), integerOf(payload, 'connectorId'));
    const status = memberOf(payload['connectorStatus'], CONNECTOR_STATUSES);
    if (pointed.kind === 'unknown' || !status)
      log.warn(
        { station: station.id, stationEvse: payload['evseId'], connector: payload['connectorId'] },
        'status that fits no connector ignored',
      );
    else await reportStatus(pointed, () => status, momentOf(payload, 'timestamp') ?? clock.now());
    return answer({});
  }

  async function take(event: NotifiedEvent): Promise<void> {
    const pointed = places.read(event.evse);
    if (pointed.kind === 'unknown') {
      log.warn({ station: station.id, stationEvse: event.evse }, 'event that fits no EVSE ignored');
      return;
    }
    if (event.kind === 'status') return reportStatus(pointed, () => event.status, event.at);
    log.warn(
      { station: station.id, ...(pointed.kind === 'evse' && { evse: pointed.evse.number }), error: event.error },
      event.error ? 'the station reports a problem' : 'a problem is over',
    );
    // A problem alone is a warning: the status stays as it was told last. A station that talks is available.
    const otherwise = pointed.kind === 'station' ? 'Available' : undefined;
    return reportStatus(pointed, (known) => known ?? otherwise, event.at, event.error);
  }

  async function notifyEvent(payload: Payload): Promise<CallAnswer> {
    const events = recordsOf(payload, 'eventData').flatMap((event) => notifiedEvent(event, clock.now()) ?? []);
    await Promise.all(events.map(take));
    return answer({});
  }

  return new Map<string, ActionHandler>([
    ['StatusNotification', statusNotification],
    ['NotifyEvent', notifyEvent],
  ]);
}
