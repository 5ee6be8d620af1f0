// The chargers of a faultless site.yaml, and how Modbus devices are reached.
import { circuitId, evseNumber, stationId } from '../gateway/kernel/ids.js';
import { ampere } from '../gateway/kernel/units.js';
import { PHASES } from '../gateway/site/topology.js';
import type {
  Connector,
  ConnectorType,
  Evse,
  ModbusConnection,
  Phase,
  SerialLine,
  SmartChargingTraits,
  StartPolicy,
  Station,
} from '../gateway/site/topology.js';
import { documentedDefault } from './site-form.js';
import { secretKey, type Secrets } from './secrets.js';
import { serialLine, type Wiring } from './serial-bus.js';
import { needed, one, quantity } from './values.js';
import { has, isSection, list, section, text, type Section } from './written.js';

export function buildStation(name: string, keys: Section, site: Section, secrets: Secrets, wiring: Wiring): Station {
  const id = stationId(name);
  const evses = list(keys, 'evses').flatMap((written, index) =>
    isSection(written) ? [evse(id, index + 1, needed(keys, 'circuit'), written)] : [],
  );
  if (has(keys, 'device')) {
    const silentAtFullPower = wiring(text(keys, 'device'))?.silentAtFullPower === true;
    const link = {
      kind: 'modbus',
      device: needed(keys, 'device'),
      connection: connection(keys, serialLine(site, needed(keys, 'connection'), wiring)),
      ...unit(keys),
    } as const;
    const unruly = evses.map((each) => ({ ...each, ...(silentAtFullPower && { silentAtFullPower }) }));
    return { id, link, evses: unruly, start: startPolicy(keys) };
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
      ...(has(keys, 'smart-charging') && { smartCharging: smartCharging(section(keys, 'smart-charging')) }),
    },
    evses,
    start: { kind: 'authorized' },
  };
}

const PURPOSES = ['TxProfile', 'TxDefaultProfile', 'ChargePointMaxProfile'] as const;

function smartCharging(keys: Section): SmartChargingTraits {
  const [unit, purpose, level] = [text(keys, 'unit'), text(keys, 'purpose'), text(keys, 'stack-level')];
  const [whole, pause] = [text(keys, 'whole-amperes'), text(keys, 'pause')];
  const setpoints = text(keys, 'setpoints-per-day');
  const named = purpose === undefined ? undefined : one(PURPOSES, purpose);
  return {
    ...(unit !== undefined && { units: [one(['A', 'W'] as const, unit)] }),
    ...(named && { purposes: [named === 'ChargePointMaxProfile' ? 'ChargingStationMaxProfile' : named] }),
    ...(level !== undefined && { stackLevel: Number(level) }),
    ...(whole !== undefined && { wholeAmperes: whole === 'true' }),
    ...(setpoints !== undefined && { setpointsPerDay: Number(setpoints) }),
    ...(pause !== undefined && { pause: one(['zero', 'stop'] as const, pause) }),
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
  const priority = text(keys, 'priority');
  const weight = text(keys, 'weight');
  return {
    number: evseNumber(Number(needed(keys, 'number'))),
    station: owner,
    stationEvse,
    connectors,
    circuit: circuitId(fedBy),
    maxCurrent: ampere(maxCurrent),
    minCurrent: ampere(quantity(keys, 'min-current', 'evse', 'current')),
    fallbackCurrent: ampere(quantity(keys, 'fallback-current', 'evse', 'current')),
    phases: phases === 'unknown' ? PHASES : phases.split(/[ -]/).map((phase): Phase => one(PHASES, phase)),
    ...(phases.includes('-') && { lineToLine: true }),
    rotationKnown: phases !== 'unknown',
    ...(text(keys, 'phase-switching') === 'true' && { phaseSwitching: true }),
    ...(priority !== undefined && { chargingPriority: Number(priority) }),
    ...(weight !== undefined && { weight: Number(weight) }),
  };
}

export const unit = (keys: Section): { readonly unit?: number } => {
  const written = text(keys, 'unit');
  return written === undefined ? {} : { unit: Number(written) };
};

/** @param line what the serial line is set to, where it is one */
export function connection(keys: Section, line: SerialLine): ModbusConnection {
  const written = needed(keys, 'connection');
  const [, kind, host = '', port] = NETWORK.exec(written) ?? [];
  if (kind === undefined) return { kind: 'serial', path: written.replace(/^serial:/, ''), ...line };
  return {
    kind: one(['tcp', 'udp', 'rtu-over-tcp', 'rtu-over-udp'] as const, kind),
    host: host.replace(/^\[|\]$/g, ''),
    port: Number(port ?? 502),
  };
}

const NETWORK = /^((?:rtu-over-)?(?:tcp|udp)):\/\/(\[[^\]]+\]|[^:]+)(?::(\d+))?$/;
