// Goes from address to address and from serial port to serial port, and interviews whoever answers there.
import { failed, ok, type Result } from '../../gateway/kernel/result.js';
import type { AdapterContext } from '../../gateway/ports/station.js';
import type { ModbusConnection, SerialLine } from '../../gateway/site/topology.js';
import type { DeviceProfile, Transport } from '../modbus/device-profile.js';
import { openModbusLink } from '../modbus/open-links.js';
import { CarefulLink, type Pace } from './careful-link.js';
import type { FoundDevice, Progress } from './found.js';
import { interview, type Interview } from './interview.js';
import { mayRead } from './never-probe.js';

export interface SurveyOptions {
  readonly hosts: readonly string[];
  readonly port: number;
  readonly lines: readonly { readonly path: string; readonly settings?: SerialLine }[];
  /** Units to ask; absent: those that devices are delivered with, and 1 to 20 behind converters and on serial lines. */
  readonly units?: readonly number[];
  readonly profiles: readonly DeviceProfile[];
}

/** Addresses that are knocked at at once; each of them sees one connection. */
const HOSTS_AT_ONCE = 64;
const ON_NETWORK: Pace = { timeoutMs: 600, requestDelayMs: 20 };
const ON_LINE: Pace = { timeoutMs: 300, requestDelayMs: 100 };
const LINE_UNITS = range(1, 20);
/** Tried behind those that the profiles name. */
const USUAL_LINES: readonly SerialLine[] = [
  { baudRate: 9600, parity: 'none', stopBits: 1 },
  { baudRate: 19_200, parity: 'even', stopBits: 1 },
  { baudRate: 9600, parity: 'even', stopBits: 1 },
  { baudRate: 19_200, parity: 'none', stopBits: 1 },
  { baudRate: 38_400, parity: 'none', stopBits: 1 },
  { baudRate: 115_200, parity: 'none', stopBits: 1 },
];

export async function survey(
  options: SurveyOptions,
  progress: Progress,
  context: AdapterContext,
): Promise<readonly FoundDevice[]> {
  const { hosts, port, lines } = options;
  if (hosts.length > 0) progress.say(`${hosts.length} addresses at port ${port}`);
  const onNetwork = await inParallel(HOSTS_AT_ONCE, hosts, async (host) => {
    const found = await atAddress(host, options, context);
    for (const { unit } of found) progress.say(`${host}:${port} answers as unit ${unit}`);
    return found;
  });
  const onLines: FoundDevice[] = [];
  for (const line of lines) onLines.push(...(await onLine(line, options, progress, context)));
  return [...onNetwork.flat(), ...onLines];
}

async function atAddress(
  host: string,
  { port, units: asked, profiles }: SurveyOptions,
  context: AdapterContext,
): Promise<readonly FoundDevice[]> {
  const connection = { kind: 'tcp', host, port } as const;
  const link = new CarefulLink(openModbusLink(connection, context), mayRead(profiles), ON_NETWORK, context.clock);
  const over = profilesOver(profiles, ['tcp', 'rtu']);
  const found: FoundDevice[] = [];
  // What answers and is unknown is told once: many devices answer as every unit.
  let stranger: FoundDevice | undefined;
  const units = [...(asked ?? usualUnits(over))];
  try {
    for (const unit of units) {
      const here = asked === undefined ? over.filter((profile) => answersAs(profile, unit)) : over;
      const outcome = await interview(link, unit, here);
      if (outcome === 'unreachable') break;
      if (outcome === 'absent') continue;
      const device = { connection, unit, ...outcome };
      if (outcome.candidates.length === 0) {
        stranger ??= device;
        continue;
      }
      found.push(device);
      if (isItsOwnMaster(outcome, profiles)) break;
      // Who speaks only on a line is behind a converter, and perhaps not alone.
      if (asked === undefined) units.push(...LINE_UNITS.filter((each) => !units.includes(each)));
    }
  } finally {
    await link.stop();
  }
  return found.length > 0 || stranger === undefined ? found : [stranger];
}

/** It has its own network port: whatever answers there as another unit is the same device. */
const isItsOwnMaster = ({ candidates }: Interview, profiles: readonly DeviceProfile[]): boolean =>
  candidates.some(({ profile }) => profiles.find(({ id }) => id === profile)?.transports.includes('tcp'));

async function onLine(
  { path, settings }: SurveyOptions['lines'][number],
  { units = LINE_UNITS, profiles }: SurveyOptions,
  progress: Progress,
  context: AdapterContext,
): Promise<readonly FoundDevice[]> {
  const over = profilesOver(profiles, ['rtu']);
  for (const line of settings === undefined ? likelyLines(over) : [settings]) {
    progress.say(`${path} at ${lineText(line)}, units ${units[0] ?? ''} to ${units.at(-1) ?? ''}`);
    const connection: ModbusConnection = { kind: 'serial', path, ...line };
    const found = await unitsOf(connection, units, over, progress, context);
    if (!found.ok) {
      progress.say(`${path} cannot be opened`);
      return [];
    }
    // A line has one speed: where somebody answers, nobody answers at another.
    if (found.value.length > 0) return found.value;
  }
  return [];
}

async function unitsOf(
  connection: ModbusConnection & { readonly kind: 'serial' },
  units: readonly number[],
  profiles: readonly DeviceProfile[],
  progress: Progress,
  context: AdapterContext,
): Promise<Result<readonly FoundDevice[], 'unreachable'>> {
  const link = new CarefulLink(openModbusLink(connection, context), mayRead(profiles), ON_LINE, context.clock);
  const found: FoundDevice[] = [];
  try {
    for (const unit of units) {
      const outcome = await interview(link, unit, profiles);
      if (outcome === 'unreachable') return failed(outcome);
      if (outcome === 'absent') continue;
      progress.say(`${connection.path} answers as unit ${unit}`);
      found.push({ connection, unit, ...outcome });
    }
  } finally {
    await link.stop();
  }
  return ok(found);
}

const profilesOver = (profiles: readonly DeviceProfile[], ways: readonly Transport[]): readonly DeviceProfile[] =>
  profiles.filter(({ transports }) => transports.some((each) => ways.includes(each)));

/** A device with a network port is asked as it is delivered; the unit of one on a line has been set by somebody. */
const answersAs = ({ transports, unit }: DeviceProfile, number: number): boolean =>
  unit.unit === number || (transports.includes('rtu') && !(unit.kind === 'fixed' && unit.only === true));

/** As devices are delivered, the most usual first. */
function usualUnits(profiles: readonly DeviceProfile[]): readonly number[] {
  const counts = new Map<number, number>();
  for (const { unit } of profiles) counts.set(unit.unit, (counts.get(unit.unit) ?? 0) + 1);
  return [...counts].sort(([a, many], [b, more]) => more - many || a - b).map(([unit]) => unit);
}

/** Settings that devices are delivered with, the most usual first. */
function likelyLines(profiles: readonly DeviceProfile[]): readonly SerialLine[] {
  const counts = new Map<string, { readonly line: SerialLine; count: number }>();
  for (const line of [...profiles.flatMap(({ serial }) => serial ?? []), ...USUAL_LINES]) {
    const entry = counts.get(lineText(line)) ?? { line, count: 0 };
    counts.set(lineText(line), { ...entry, count: entry.count + 1 });
  }
  return [...counts.values()].sort((a, b) => b.count - a.count).map(({ line }) => line);
}

/** As on the cover of a manual: 9600-8N1. */
export const lineText = ({ baudRate, parity, stopBits }: SerialLine): string =>
  `${baudRate}-8${parity === 'none' ? 'N' : parity === 'even' ? 'E' : 'O'}${stopBits}`;

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

async function inParallel<T, R>(most: number, items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results = new Map<number, R>();
  const rest = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of rest) results.set(index, await work(item));
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, worker));
  return [...results].sort(([a], [b]) => a - b).map(([, result]) => result);
}
