// A faultless site.yaml as the model that the gateway works with. Defaults are those that the schema documents.
import { isAbsolute, join } from 'node:path';
import { circuitId, csmsId, evseNumber, meterId, stationId } from '../gateway/kernel/ids.js';
import { ampere, milliseconds, volt, wattHour } from '../gateway/kernel/units.js';
import { PHASES } from '../gateway/site/topology.js';
import type {
  AuthorizationPolicy,
  BalancingPolicy,
  Circuit,
  Connector,
  ConnectorType,
  Csms,
  CsmsRole,
  Evse,
  Listen,
  LocalToken,
  Meter,
  ModbusConnection,
  Phase,
  Site,
  StartPolicy,
  Station,
  Tariff,
  Telemetry,
} from '../gateway/site/topology.js';
import { parseQuantity, type Dimension } from './quantity.js';
import { documentedDefault } from './schema-faults.js';
import { secretKey, type Secrets } from './secrets.js';
import { entries, has, isSection, list, section, text, type Section } from './written.js';

/**
 * @param written the site, scalars as text, without any error in it
 * @param folder where relative paths start
 * @throws Error where `written` has an error after all: the checks before this have a hole
 */
export function buildSite(written: Section, secrets: Secrets, folder: string): Site {
  const about = section(written, 'site');
  const id = needed(about, 'id');
  const nominalVoltage = volt(quantity(about, 'nominal-voltage', 'site', 'voltage'));
  const stations = entries(written, 'stations').map(([name, keys]) => station(name, keys, written, secrets));
  const directory = text(written, 'data-directory') ?? documentedDefault('', 'data-directory');
  const cost = has(written, 'tariff') ? tariff(section(written, 'tariff')) : undefined;
  return {
    id,
    name: text(about, 'name') ?? id,
    timeZone: text(about, 'time-zone') ?? documentedDefault('site', 'time-zone'),
    nominalVoltage,
    circuits: feedersFirst(entries(written, 'circuits').map(([name, keys]) => circuit(name, keys))),
    meters: entries(written, 'meters').map(([name, keys]) => meter(name, keys)),
    stations,
    csms: entries(written, 'csms').map(([name, keys]) => csms(name, keys, id, secrets)),
    authorization: authorization(section(written, 'authorization')),
    balancing: balancing(section(written, 'balancing'), nominalVoltage),
    ...(cost === undefined ? {} : { tariff: cost }),
    listen:
      stations.some(({ link }) => link.kind === 'ocpp') || has(written, 'listen')
        ? listen(section(written, 'listen'), secrets)
        : {},
    telemetry: telemetry(section(written, 'telemetry'), id, secrets),
    dataDirectory: isAbsolute(directory) ? directory : join(folder, directory),
  };
}

function circuit(name: string, keys: Section): Circuit {
  const fedBy = text(keys, 'fed-by');
  const measuredBy = text(keys, 'meter');
  return {
    id: circuitId(name),
    ...(fedBy === undefined ? {} : { fedBy: circuitId(fedBy) }),
    breaker: ampere(quantity(keys, 'breaker', 'circuit', 'current')),
    margin: ampere(quantity(keys, 'margin', 'circuit', 'current')),
    ...(measuredBy === undefined
      ? {}
      : { meter: meterId(measuredBy), whenMeterLost: ampere(quantity(keys, 'when-meter-lost', 'circuit', 'current')) }),
  };
}

function feedersFirst(circuits: readonly Circuit[]): readonly Circuit[] {
  const ordered: Circuit[] = [];
  let waiting = [...circuits];
  while (waiting.length > 0) {
    const ready = waiting.filter(({ fedBy }) => fedBy === undefined || ordered.some((circuit) => circuit.id === fedBy));
    if (ready.length === 0) throw new Error('circuits feed each other');
    ordered.push(...ready);
    waiting = waiting.filter((circuit) => !ready.includes(circuit));
  }
  return ordered;
}

function meter(name: string, keys: Section): Meter {
  return { id: meterId(name), device: needed(keys, 'device'), connection: connection(keys), ...unit(keys) };
}

const unit = (keys: Section): { readonly unit?: number } => {
  const written = text(keys, 'unit');
  return written === undefined ? {} : { unit: Number(written) };
};

function connection(keys: Section): ModbusConnection {
  const written = needed(keys, 'connection');
  const tcp = /^tcp:\/\/(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(written);
  if (tcp !== null) return { kind: 'tcp', host: (tcp[1] ?? '').replace(/^\[|\]$/g, ''), port: Number(tcp[2] ?? 502) };
  const baudRate = text(keys, 'baud-rate');
  const parity = text(keys, 'parity');
  const stopBits = text(keys, 'stop-bits');
  return {
    kind: 'serial',
    path: written.replace(/^serial:/, ''),
    ...(baudRate === undefined ? {} : { baudRate: Number(baudRate) }),
    ...(parity === undefined ? {} : { parity: one(['none', 'even', 'odd'] as const, parity) }),
    ...(stopBits === undefined ? {} : { stopBits: stopBits === '2' ? 2 : 1 }),
  };
}

function station(name: string, keys: Section, site: Section, secrets: Secrets): Station {
  const id = stationId(name);
  const evses = list(keys, 'evses').flatMap((written, index) =>
    isSection(written) ? [evse(id, index + 1, needed(keys, 'circuit'), written)] : [],
  );
  if (has(keys, 'device')) {
    const link = {
      kind: 'modbus',
      device: needed(keys, 'device'),
      connection: connection(keys),
      ...unit(keys),
    } as const;
    return { id, link, evses, start: startPolicy(keys) };
  }
  const password = secrets.values.get(secretKey(['stations', name, 'password']));
  const assumed = text(keys, 'assume-protocol');
  const profile = text(keys, 'security-profile') ?? (has(section(site, 'listen'), 'tls') ? '2' : '1');
  return {
    id,
    link: {
      kind: 'ocpp',
      securityProfile: profile === '0' ? 0 : profile === '1' ? 1 : 2,
      ...(password === undefined ? {} : { password }),
      ...(assumed === undefined ? {} : { assumeProtocol: assumed === '1.6' ? 'ocpp1.6' : 'ocpp2.0.1' }),
    },
    evses,
    start: { kind: 'authorized' },
  };
}

function startPolicy(keys: Section): StartPolicy {
  const idToken = text(section(keys, 'start'), 'free');
  return idToken === undefined ? { kind: 'authorized' } : { kind: 'free', idToken };
}

const CONNECTOR_TYPES = [
  'Type1',
  'Type2',
  'CCS1',
  'CCS2',
  'CHAdeMO',
  'NACS',
  'Schuko',
  'Other',
] as const satisfies readonly ConnectorType[];

function evse(owner: Station['id'], stationEvse: number, fedBy: string, keys: Section): Evse {
  const written = has(keys, 'connectors')
    ? list(keys, 'connectors')
    : [text(keys, 'connector') ?? documentedDefault('evse', 'connector')];
  const connectors = written.map((type, index): Connector => ({
    number: index + 1,
    type: one(CONNECTOR_TYPES, String(type)),
  }));
  const maxCurrent = quantity(keys, 'max-current', 'evse', 'current');
  const phases = text(keys, 'phases') ?? documentedDefault('evse', 'phases');
  return {
    number: evseNumber(Number(needed(keys, 'number'))),
    station: owner,
    stationEvse,
    connectors,
    circuit: circuitId(fedBy),
    maxCurrent: ampere(maxCurrent),
    minCurrent: ampere(quantity(keys, 'min-current', 'evse', 'current')),
    fallbackCurrent: ampere(quantity(keys, 'fallback-current', 'evse', 'current')),
    phases: phases === 'unknown' ? PHASES : phases.split(' ').map((phase): Phase => one(PHASES, phase)),
    rotationKnown: phases !== 'unknown',
  };
}

function csms(name: string, keys: Section, site: string, secrets: Secrets): Csms {
  const url = needed(keys, 'url');
  const password = secrets.values.get(secretKey(['csms', name, 'password']));
  const certificateAuthority = secrets.values.get(secretKey(['csms', name, 'certificate-authority']));
  const inferred = password === undefined ? 0 : url.startsWith('wss:') ? 2 : 1;
  const profile = Number(text(keys, 'security-profile') ?? inferred);
  const role: CsmsRole = one(
    ['authority', 'observer', 'limiter'] as const,
    text(keys, 'role') ?? documentedDefault('csms', 'role'),
  );
  return {
    id: csmsId(name),
    url: url.replace(/\/+$/, ''),
    ocpp: one(['1.6', '2.0.1'] as const, text(keys, 'ocpp') ?? documentedDefault('csms', 'ocpp')),
    role,
    securityProfile: one([0, 1, 2, 3] as const, profile),
    ...(password === undefined ? {} : { password }),
    ...(certificateAuthority === undefined ? {} : { certificateAuthority }),
    identity: text(keys, 'identity') ?? site,
    ...(has(keys, 'evses') ? { evses: list(keys, 'evses').map((number) => evseNumber(Number(number))) } : {}),
    present: one(['site', 'stations'] as const, text(keys, 'present') ?? documentedDefault('csms', 'present')),
    resetScope: one(
      ['gateway', 'site'] as const,
      text(keys, 'reset-scope') ?? documentedDefault('csms', 'reset-scope'),
    ),
  };
}

function authorization(keys: Section): AuthorizationPolicy {
  const cache = section(keys, 'cache');
  const maxEnergy = text(keys, 'max-energy-on-invalid-id');
  return {
    offline: one(
      ['known-only', 'accept-unknown', 'free'] as const,
      text(keys, 'offline') ?? documentedDefault('authorization', 'offline'),
    ),
    cacheEntries: Number(text(cache, 'entries') ?? documentedDefault('authorization-cache', 'entries')),
    cacheLifetime: milliseconds(quantity(cache, 'lifetime', 'authorization-cache', 'time')),
    timeout: milliseconds(quantity(keys, 'timeout', 'authorization', 'time')),
    localTokens: list(keys, 'local-tokens').map(localToken),
    stopOnInvalidId:
      (text(keys, 'stop-on-invalid-id') ?? documentedDefault('authorization', 'stop-on-invalid-id')) === 'true',
    ...(maxEnergy === undefined
      ? {}
      : { maxEnergyOnInvalidId: wattHour(quantity(keys, 'max-energy-on-invalid-id', 'authorization', 'energy')) }),
  };
}

function localToken(written: unknown): LocalToken {
  if (!isSection(written)) return { idToken: String(written) };
  const group = text(written, 'group');
  const name = text(written, 'name');
  return {
    idToken: needed(written, 'token'),
    ...(group === undefined ? {} : { group }),
    ...(name === undefined ? {} : { name }),
  };
}

function balancing(keys: Section, voltage: number): BalancingPolicy {
  const limit = section(keys, 'grid-operator-limit');
  // Power of the whole connection as current per phase, rounded down: never more than the grid operator allows.
  const perPhase = (power: number): number => Math.floor((power / (3 * voltage)) * 10) / 10;
  return {
    strategy: one(
      ['fair', 'first-come', 'most-energy'] as const,
      text(keys, 'strategy') ?? documentedDefault('balancing', 'strategy'),
    ),
    rotation: milliseconds(quantity(keys, 'rotation', 'balancing', 'time')),
    ...(has(keys, 'grid-operator-limit')
      ? {
          gridOperatorLimit: {
            from: 'mqtt',
            failsafe: ampere(perPhase(quantity(limit, 'failsafe', 'balancing', 'power'))),
          },
        }
      : {}),
  };
}

function tariff(keys: Section): Tariff {
  return {
    currency: needed(keys, 'currency'),
    energyPrice: quantity(keys, 'energy-price', 'tariff', 'price per energy'),
    timePrice: quantity(keys, 'time-price', 'tariff', 'price per time'),
    startFee: Number(text(keys, 'start-fee') ?? documentedDefault('tariff', 'start-fee')),
  };
}

function listen(keys: Section, secrets: Secrets): Listen {
  const certificate = secrets.values.get(secretKey(['listen', 'tls', 'certificate']));
  const key = secrets.values.get(secretKey(['listen', 'tls', 'key']));
  const tls = certificate === undefined || key === undefined ? {} : { tls: { certificate, key } };
  return { ocpp: { ...address(text(keys, 'ocpp') ?? documentedDefault('listen', 'ocpp')), ...tls } };
}

const address = (written: string): { readonly host: string; readonly port: number } => {
  const colon = written.lastIndexOf(':');
  return { host: written.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(written.slice(colon + 1)) };
};

function telemetry(keys: Section, site: string, secrets: Secrets): Telemetry {
  const signIn = (which: 'broker' | 'local-broker'): { readonly username?: string; readonly password?: string } => {
    const username = text(section(keys, which), 'username');
    const password = secrets.values.get(secretKey(['telemetry', which, 'password']));
    return { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) };
  };
  const broker = section(keys, 'broker');
  const local = section(keys, 'local-broker');
  return {
    ...(has(keys, 'broker')
      ? {
          broker: {
            url: needed(broker, 'url'),
            topicPrefix: text(broker, 'topic-prefix') ?? `forecourt/${site}`,
            ...signIn('broker'),
          },
        }
      : {}),
    ...(has(keys, 'local-broker')
      ? { localBroker: { ...address(needed(local, 'listen')), ...signIn('local-broker') } }
      : {}),
  };
}

function needed(of: Section, key: string): string {
  const value = text(of, key);
  if (value === undefined) throw new Error(`${key} is missing in a site that was checked`);
  return value;
}

/** In the base unit; the documented default where the key is not written. */
function quantity(of: Section, key: string, definition: string, dimension: Dimension): number {
  const parsed = parseQuantity(text(of, key) ?? documentedDefault(definition, key), dimension);
  if (!parsed.ok) throw new Error(`${key} is not a ${dimension} in a site that was checked`);
  return parsed.value;
}

function one<T extends string | number>(choices: readonly T[], value: string | number): T {
  const found = choices.find((choice) => choice === value);
  if (found === undefined) throw new Error(`${value} is not a choice in a site that was checked`);
  return found;
}
