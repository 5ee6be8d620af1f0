// The topics and payloads of the site's MQTT telemetry. Documented for users in README.md, section MQTT.
import { toRfc3339 } from '../kernel/units.js';
import type { LiveConnector, LiveEvse, LiveStation } from '../site/live-state.js';
import type { JournalRecord } from '../site/transaction.js';

export interface TelemetryMessage {
  readonly topic: string;
  readonly payload: string;
}

/** `<prefix>/<site>`; MQTT's own characters are not allowed in it (site ids are checked by the configuration). */
export const topicRoot = (prefix: string, site: string): string => `${prefix}/${site}`;

export const onlineTopic = (root: string): string => `${root}/online`;
export const gridLimitTopic = (root: string): string => `${root}/grid-operator-limit/set`;

export function connectorMessage(root: string, connector: LiveConnector): TelemetryMessage {
  return {
    topic: `${root}/evse/${connector.evse}/connector/${connector.connector}`,
    payload: JSON.stringify({
      status: connector.status,
      chargingState: connector.chargingState,
      transaction: connector.transaction,
      error: connector.error?.code ?? 'NoError',
      errorInfo: connector.error?.info,
      at: toRfc3339(connector.at),
    }),
  };
}

export function evseMessage(root: string, evse: LiveEvse): TelemetryMessage {
  const current = evse.current;
  return {
    topic: `${root}/evse/${evse.number}`,
    payload: JSON.stringify({
      offered_A: evse.offered,
      current_A: current && { L1: current.L1, L2: current.L2, L3: current.L3 },
      register_Wh: evse.register,
      transaction: evse.transaction?.uid,
      energy_Wh:
        evse.transaction?.register === undefined || evse.transaction.meterStart === undefined
          ? undefined
          : evse.transaction.register - evse.transaction.meterStart,
    }),
  };
}

export function stationMessage(root: string, station: LiveStation): TelemetryMessage {
  return {
    topic: `${root}/station/${station.id}`,
    payload: JSON.stringify({
      connected: station.connected,
      since: toRfc3339(station.since),
      vendor: station.inventory?.vendor,
      model: station.inventory?.model,
      firmwareVersion: station.inventory?.firmwareVersion,
    }),
  };
}

/** What the broker is told of a journal entry, at least once and in order; undefined: nothing. */
export function eventMessage(root: string, seq: number, record: JournalRecord): TelemetryMessage | undefined {
  switch (record.type) {
    case 'transaction': {
      // Periodic samples are in the retained EVSE topic; the event stream carries what changed.
      if (record.kind === 'updated' && record.trigger.startsWith('MeterValue')) return undefined;
      return {
        topic: `${root}/event/transaction`,
        payload: JSON.stringify({
          seq,
          transaction: record.uid,
          event: record.kind,
          at: toRfc3339(record.at),
          station: record.station,
          evse: record.evse,
          connector: record.connector,
          trigger: record.trigger,
          chargingState: record.chargingState,
          register_Wh: record.register,
          stoppedReason: record.stoppedReason,
        }),
      };
    }
    case 'cdr':
      return {
        topic: `${root}/event/cdr`,
        payload: JSON.stringify({
          seq,
          transaction: record.uid,
          site: record.site,
          station: record.station,
          evse: record.evse,
          connector: record.connector,
          idToken: record.idToken?.idToken,
          basis: record.basis,
          startedAt: toRfc3339(record.startedAt),
          endedAt: toRfc3339(record.endedAt),
          meterStart_Wh: record.meterStart,
          meterStop_Wh: record.meterStop,
          energy_Wh: record.energy,
          stoppedReason: record.stoppedReason,
          estimated: record.estimated,
          cost: record.cost,
        }),
      };
    case 'security':
      return {
        topic: `${root}/event/security`,
        payload: JSON.stringify({
          seq,
          station: record.station,
          event: record.event,
          at: toRfc3339(record.at),
          techInfo: record.techInfo,
        }),
      };
    case 'meter':
      return undefined;
  }
}
