// A faultless site.yaml as the model that the gateway works with. Defaults are those that the schema documents.
import { isAbsolute, join } from 'node:path';
import { circuitId, csmsId, evseNumber, meterId } from '../gateway/kernel/ids.js';
import { ampere, milliseconds, volt, wattHour, type Volt } from '../gateway/kernel/units.js';
import {
  PHASES,
  type AuthorizationPolicy,
  type BalancingPolicy,
  type Circuit,
  type Csms,
  type CsmsRole,
  type JournalPolicy,
  type Listen,
  type LocalToken,
  type Meter,
  type Phase,
  type SerialLine,
  type Site,
  type Tariff,
  type Telemetry,
} from '../gateway/site/topology.js';
import { consoleSettings } from './console-address.js';
import { buildGridOperatorLimit } from './grid-operator-builder.js';
import { documentedDefault } from './site-form.js';
import { secretKey, type Secrets } from './secrets.js';
import { serialLine, type Wiring } from './serial-bus.js';
import { buildStation, connection, unit } from './station-builder.js';
import { address, needed, one, quantity } from './values.js';
import { entries, has, isSection, list, section, text, type Section } from './written.js';

/**
 * @param written the site, scalars as text, without any error in it
 * @param folder where relative paths start
 * @param wiring of the devices by their names
 * @throws Error where `written` has an error after all: the checks before this have a hole
 */
export function buildSite(written: Section, secrets: Secrets, folder: string, wiring: Wiring): Site {
  const about = section(written, 'site');
  const id = needed(about, 'id');
  const nominalVoltage = volt(quantity(about, 'nominal-voltage', 'site', 'voltage'));
  const circuits = feedersFirst(entries(written, 'circuits').map(([name, keys]) => circuit(name, keys)));
  const stations = entries(written, 'stations').map(([name, keys]) =>
    buildStation(name, keys, written, secrets, wiring),
  );
  const console = consoleSettings(written);
  const cost = has(written, 'tariff') ? tariff(section(written, 'tariff')) : undefined;
  return {
    id,
    name: text(about, 'name') ?? id,
    timeZone: text(about, 'time-zone') ?? documentedDefault('site', 'time-zone'),
    nominalVoltage,
    circuits,
    meters: entries(written, 'meters').map(([name, keys]) => meter(name, keys, written, wiring)),
    stations,
    csms: entries(written, 'csms').map(([name, keys]) => csms(name, keys, id, secrets)),
    authorization: authorization(section(written, 'authorization')),
    balancing: balancing(section(written, 'balancing'), circuits, nominalVoltage, (address) =>
      serialLine(written, address, wiring),
    ),
    ...(cost === undefined ? {} : { tariff: cost }),
    listen:
      stations.some(({ link }) => link.kind === 'ocpp') || has(written, 'listen')
        ? listen(section(written, 'listen'), secrets)
        : {},
    telemetry: telemetry(section(written, 'telemetry'), id, secrets),
    ...(console === undefined ? {} : { console }),
    dataDirectory: dataDirectory(written, folder),
    journal: journal(section(written, 'journal')),
  };
}

/** Where the journal lies. @param folder where a relative path starts */
export function dataDirectory(written: Section, folder: string): string {
  const directory = text(written, 'data-directory') ?? documentedDefault('', 'data-directory');
  return isAbsolute(directory) ? directory : join(folder, directory);
}

function circuit(name: string, keys: Section): Circuit {
  const fedBy = text(keys, 'fed-by');
  const measuredBy = text(keys, 'meter');
  return {
    id: circuitId(name),
    ...(fedBy === undefined ? {} : { fedBy: circuitId(fedBy) }),
    breaker: ampere(quantity(keys, 'breaker', 'circuit', 'current')),
    margin: ampere(quantity(keys, 'margin', 'circuit', 'current')),
    ...(measuredBy === undefined ? {} : { meter: meterId(measuredBy) }),
    ...(has(keys, 'primary-voltage')
      ? { primaryVoltage: volt(quantity(keys, 'primary-voltage', 'circuit', 'voltage')) }
      : {}),
    ...(has(keys, 'when-meter-lost')
      ? { whenMeterLost: ampere(quantity(keys, 'when-meter-lost', 'circuit', 'current')) }
      : {}),
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

function meter(name: string, keys: Section, site: Section, wiring: Wiring): Meter {
  const phases = text(keys, 'phases');
  return {
    id: meterId(name),
    device: needed(keys, 'device'),
    connection: connection(keys, serialLine(site, needed(keys, 'connection'), wiring)),
    ...unit(keys),
    ...(phases !== undefined && { phases: phases.split(' ').map((phase): Phase => one(PHASES, phase)) }),
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
    sendMinusOne: (text(keys, 'send-minus-one') ?? documentedDefault('csms', 'send-minus-one')) === 'true',
    ...(has(keys, 'profile-max-age-offline') && {
      profileMaxAgeOffline: milliseconds(quantity(keys, 'profile-max-age-offline', 'csms', 'time')),
    }),
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
    listsInChargers:
      (text(keys, 'lists-in-chargers') ?? documentedDefault('authorization', 'lists-in-chargers')) === 'true',
    ...(maxEnergy === undefined
      ? {}
      : { maxEnergyOnInvalidId: wattHour(quantity(keys, 'max-energy-on-invalid-id', 'authorization', 'energy')) }),
  };
}

function localToken(written: unknown): LocalToken {
  if (!isSection(written)) return { idToken: String(written) };
  const group = text(written, 'group');
  const name = text(written, 'name');
  const priority = text(written, 'priority');
  return {
    idToken: needed(written, 'token'),
    ...(group === undefined ? {} : { group }),
    ...(name === undefined ? {} : { name }),
    ...(priority === undefined ? {} : { chargingPriority: Number(priority) }),
  };
}

function balancing(
  keys: Section,
  circuits: readonly Circuit[],
  voltage: Volt,
  lineOf: (connection: string) => SerialLine,
): BalancingPolicy {
  return {
    strategy: one(
      ['fair', 'first-come', 'most-energy'] as const,
      text(keys, 'strategy') ?? documentedDefault('balancing', 'strategy'),
    ),
    rotation: milliseconds(quantity(keys, 'rotation', 'balancing', 'time')),
    ...(has(keys, 'max-unbalance') && { unbalance: ampere(quantity(keys, 'max-unbalance', 'balancing', 'current')) }),
    ...(has(keys, 'grid-operator-limit')
      ? {
          gridOperatorLimit: buildGridOperatorLimit(section(keys, 'grid-operator-limit'), circuits, voltage, lineOf),
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

function journal(keys: Section): JournalPolicy {
  return {
    sizeLimit: quantity(keys, 'size-limit', 'journal', 'data'),
    keepBills: milliseconds(quantity(keys, 'keep-bills', 'journal', 'time')),
  };
}

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
