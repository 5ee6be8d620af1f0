// The topics and payloads of the site's MQTT telemetry. Documented for users in deploy/MQTT.md; a test holds the two together.
import { maskToken } from '../kernel/log.js';
import { toRfc3339, type Timestamp } from '../kernel/units.js';
import type { LiveConnector, LiveEvse, LiveStation } from '../site/live-state.js';
import type { MeterReading } from '../site/metering.js';
import { perPhase, type PerPhase } from '../site/topology.js';
import type { ChargeDetailRecord, JournalRecord } from '../site/transaction.js';

export interface TelemetryMessage {
  readonly topic: string;
  readonly payload: string;
}

/** What every topic begins with unless site.yaml says otherwise (telemetry.broker.topic-prefix). */
export const defaultRoot = (site: string): string => `forecourt/${site}`;

export const onlineTopic = (root: string): string => `${root}/online`;

/** Where the grid operator's box may speak. */
export const gridOperatorTopics = (root: string, circuits: readonly string[]): readonly string[] => [
  `${root}/grid-operator-limit/set`,
  `${root}/grid-operator-limit/heartbeat`,
  ...circuits.map((circuit) => `${root}/grid-operator-limit/${circuit}/set`),
];

/** What a message on one of these topics is; undefined: something else. */
export function gridOperatorTopic(
  root: string,
  topic: string,
): { readonly kind: 'heartbeat' } | { readonly kind: 'limit'; readonly circuit?: string } | undefined {
  const base = `${root}/grid-operator-limit/`;
  if (!topic.startsWith(base)) return undefined;
  const rest = topic.slice(base.length);
  if (rest === 'heartbeat') return { kind: 'heartbeat' };
  if (rest === 'set') return { kind: 'limit' };
  const circuit = /^([^/]+)\/set$/.exec(rest)?.[1];
  return circuit === undefined ? undefined : { kind: 'limit', circuit };
}

/** Steps in which a value is told, so that noise below them publishes nothing. */
const TENTH = 10;
const HUNDREDTH = 100;
const rounded = (value: number, steps: number): number => Math.round(value * steps) / steps;
const phases = (of: PerPhase<number>, steps: number): PerPhase<number> =>
  perPhase((phase) => rounded(of[phase], steps));

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
      current_A: current && phases(current, TENTH),
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

export function meterMessage(root: string, reading: MeterReading): TelemetryMessage {
  return {
    topic: `${root}/meter/${reading.meter}`,
    payload: JSON.stringify({
      current_A: phases(reading.current, TENTH),
      power_W: reading.power === undefined ? undefined : Math.round(reading.power),
      import_Wh: reading.energyImport,
      export_Wh: reading.energyExport,
      at: toRfc3339(reading.at),
    }),
  };
}

/** How a circuit stands, as load balancing sees it; telemetry does not know load balancing, only this much of it. */
export interface CircuitStanding {
  readonly circuit: string;
  readonly limit: number;
  readonly limitedBy: string;
  readonly meter: string;
  readonly background: PerPhase<number>;
  readonly slack: PerPhase<number>;
  readonly reserved: PerPhase<number>;
  readonly granted: PerPhase<number>;
  readonly heat: PerPhase<number>;
  readonly breaker: PerPhase<string>;
}

export function circuitMessage(root: string, circuit: CircuitStanding): TelemetryMessage {
  return {
    topic: `${root}/circuit/${circuit.circuit}`,
    payload: JSON.stringify({
      limit_A: rounded(circuit.limit, TENTH),
      limitedBy: circuit.limitedBy,
      meter: circuit.meter,
      background_A: phases(circuit.background, TENTH),
      granted_A: phases(circuit.granted, TENTH),
      reserved_A: phases(circuit.reserved, TENTH),
      slack_A: phases(circuit.slack, TENTH),
      heat: phases(circuit.heat, HUNDREDTH),
      breaker: circuit.breaker,
    }),
  };
}

/** How the grid operator's limit stands; telemetry knows this much of it. */
export interface GridOperatorNews {
  readonly limits: ReadonlyMap<string, number>;
  readonly failsafe: boolean;
  readonly sources: readonly { readonly source: string; readonly failsafeSince?: Timestamp }[];
}

export const gridOperatorMessage = (
  root: string,
  { limits, failsafe, sources }: GridOperatorNews,
): TelemetryMessage => ({
  topic: `${root}/grid-operator-limit`,
  payload: JSON.stringify({
    limits_A: Object.fromEntries(limits),
    failsafe,
    sources: sources.map(({ source, failsafeSince }) => ({
      source,
      failsafeSince: failsafeSince === undefined ? undefined : toRfc3339(failsafeSince),
    })),
  }),
});

/** Why an EVSE has the current it has: no figures, so that it changes only with the reason. */
export interface EvseReason {
  readonly evse: number;
  readonly reason: string;
  /** The same for people. */
  readonly text: string;
  readonly circuit?: string;
  readonly phase?: string;
  readonly profile?: { readonly csms: string; readonly purpose: string; readonly id: number };
}

export function reasonMessage(
  root: string,
  { evse, reason, text, circuit, phase, profile }: EvseReason,
): TelemetryMessage {
  return {
    topic: `${root}/evse/${evse}/reason`,
    payload: JSON.stringify({ reason, text, circuit, phase, profile }),
  };
}

/** How one CSMS stands. */
export interface CsmsStanding {
  readonly csms: string;
  readonly connected: boolean;
  readonly accepted: boolean;
  readonly queued: number;
  readonly oldest?: Timestamp;
  readonly dead: number;
  readonly lastError?: string;
}

export function csmsMessage(root: string, csms: CsmsStanding): TelemetryMessage {
  return {
    topic: `${root}/csms/${csms.csms}`,
    payload: JSON.stringify({
      connected: csms.connected,
      accepted: csms.accepted,
      queued: csms.queued,
      oldest: csms.oldest === undefined ? undefined : toRfc3339(csms.oldest),
      deadLetters: csms.dead,
      lastError: csms.lastError,
    }),
  };
}

/**
 * What the broker is told of a journal entry, at least once and in order; undefined: nothing.
 * @param tokens `full` for the operator's own broker, which bills by it; `masked` for everybody else
 */
export function eventMessage(
  root: string,
  seq: number,
  record: JournalRecord,
  tokens: 'full' | 'masked',
): TelemetryMessage | undefined {
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
        payload: JSON.stringify(bill(seq, record, tokens)),
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

/** A charge detail record as it leaves the gateway. */
export interface Bill {
  readonly seq: number;
  readonly [field: string]: unknown;
}

export const bill = (seq: number, record: ChargeDetailRecord, tokens: 'full' | 'masked'): Bill => ({
  seq,
  transaction: record.uid,
  site: record.site,
  station: record.station,
  evse: record.evse,
  connector: record.connector,
  idToken: record.idToken && (tokens === 'full' ? record.idToken.idToken : maskToken(record.idToken.idToken)),
  basis: record.basis,
  startedAt: toRfc3339(record.startedAt),
  endedAt: toRfc3339(record.endedAt),
  meterStart_Wh: record.meterStart,
  meterStop_Wh: record.meterStop,
  energy_Wh: record.energy,
  stoppedReason: record.stoppedReason,
  estimated: record.estimated,
  cost: record.cost,
});
