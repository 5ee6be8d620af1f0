// `forecourt discover`: looks for chargers and meters on the box's own networks and serial ports, and prints what to write into site.yaml.
import { parseArgs } from 'node:util';
import { hostsIn, ownNetworks, type Interface } from '../adapters/discovery/address-range.js';
import { survey, type SurveyOptions } from '../adapters/discovery/survey.js';
import type { DeviceProfile } from '../adapters/modbus/device-profile.js';
import { profileOf, type DeviceShelf } from '../site-config/devices/shelf.js';
import { askGateway, EXIT, findSite, type ConsoleIo } from './cli-console.js';
import { discoveryYaml } from './cli-discover-yaml.js';
import type { Clock } from './kernel/clock.js';
import { silentLog } from './kernel/log.js';
import { failed, ok, type Result } from './kernel/result.js';
import type { UnknownStation, UnknownStations } from './ports/commissioning.js';
import type { SerialLine } from './site/topology.js';

const USAGE = `usage: forecourt discover [options]

  Looks for chargers and meters and prints what to write into site.yaml. It only reads.

  --network NET   a private network such as 10.0.0.0/24, or one address; several times for several.
                  Otherwise the networks that this box is in, of each at most a /22.
  --no-network    serial ports only
  --port N        Modbus TCP port, 502 unless written
  --serial PORT   such as /dev/ttyUSB0, or /dev/ttyUSB0:19200-8E1 where its settings are known; several times for several.
                  Otherwise the adapters in /dev/serial/by-id.
  --no-serial     networks only
  --units LIST    unit numbers to ask, such as 1-20 or 1,2,255; as devices are delivered unless written
  --site NEW.yaml a whole file to begin with goes there; it must not exist yet. Otherwise the parts go to the terminal.
  --free TOKEN    with it charging starts at plug-in under this token, as on a site for staff
  --json          what was found, as one JSON object
  exit code       0 something was found, 1 nothing was, 2 wrong usage

  A gateway that runs on this box is left in peace: the addresses of its site.yaml are not asked, and the OCPP chargers that
  knock at it without standing in its site.yaml are listed, too.
`;

export interface DiscoverIo extends ConsoleIo {
  /** @throws where the file cannot be written, or is there already */
  readonly writeNewFile: (path: string, text: string) => void;
  readonly interfaces: () => readonly Interface[];
  readonly serialPorts: () => readonly string[];
  readonly devices: (siteFile?: string) => DeviceShelf;
  readonly clock: Clock;
}

const OPTIONS = {
  network: { type: 'string', multiple: true },
  'no-network': { type: 'boolean' },
  port: { type: 'string' },
  serial: { type: 'string', multiple: true },
  'no-serial': { type: 'boolean' },
  units: { type: 'string' },
  site: { type: 'string' },
  free: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

const SERIAL = /^(?<path>\/[^:]+)(?::(?<baud>\d+)-8(?<parity>[NEO])(?<stop>[12]))?$/;
const PARITIES = { N: 'none', E: 'even', O: 'odd' } as const;

interface Asked {
  readonly hosts: readonly string[];
  readonly port: number;
  readonly lines: SurveyOptions['lines'];
  readonly units?: readonly number[];
  readonly site?: string;
  readonly free?: string;
  readonly json: boolean;
}

/** @returns the exit code */
export async function runDiscover(args: readonly string[], io: DiscoverIo): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    io.out(USAGE);
    return EXIT.done;
  }
  const asked = askedFor(args, io);
  if (!asked.ok) {
    io.err(`${asked.error}\n\n${USAGE}`);
    return EXIT.usage;
  }
  const { hosts, lines, site, free, json, ...how } = asked.value;
  const shelf = io.devices();
  const running = await runningGateway(io);
  const progress = { say: (text: string): void => io.err(`${text}\n`) };
  const taken = (address: string): boolean => running.connections.includes(address);
  const left = [
    ...hosts.filter((host) => taken(`tcp://${host}:${how.port}`)),
    ...lines.flatMap(({ path }) => (taken(`serial:${path}`) ? [path] : [])),
  ];
  if (left.length > 0) progress.say(`left in peace, since the running gateway uses them: ${left.join(', ')}`);
  const devices = await survey(
    {
      ...how,
      hosts: hosts.filter((host) => !left.includes(host)),
      lines: lines.filter(({ path }) => !left.includes(path)),
      profiles: profilesOf(shelf),
    },
    progress,
    { clock: io.clock, log: silentLog },
  );
  const discovery = { devices, unknownStations: running.unknown };
  const found = devices.length + running.unknown.length;
  progress.say(`${found} found`);
  if (json) {
    io.out(`${JSON.stringify(discovery, null, 2)}\n`);
  } else {
    const about = {
      whole: site !== undefined,
      firstEvse: running.nextEvse,
      shelf,
      ...(free !== undefined && { free }),
    };
    const text = discoveryYaml(discovery, about);
    if (site === undefined) io.out(text);
    else {
      try {
        io.writeNewFile(site, text);
      } catch (err) {
        io.err(`${site} is not written: ${err instanceof Error ? err.message : String(err)}\n`);
        return EXIT.usage;
      }
      progress.say(`${site} is written: edit it where it says EDIT, then forecourt check ${site}`);
    }
  }
  return found > 0 ? EXIT.done : EXIT.failed;
}

function askedFor(args: readonly string[], io: DiscoverIo): Result<Asked, string> {
  let values;
  try {
    values = parseArgs({ args: [...args], options: OPTIONS }).values;
  } catch (err) {
    return failed(err instanceof Error ? err.message : String(err));
  }
  const port = Number(values.port ?? 502);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return failed(`${values.port} is no port`);
  const units = values.units === undefined ? ok(undefined) : unitList(values.units);
  if (!units.ok) return units;
  const only = values['no-network'] === true ? [] : ownNetworks(io.interfaces());
  // Whoever names a place means that place only.
  const networks = values.network ?? (values.serial === undefined ? only : []);
  const hosts: string[] = [];
  for (const network of networks) {
    const within = hostsIn(network);
    if (!within.ok) return within;
    hosts.push(...within.value);
  }
  const own = values['no-serial'] === true || values.network !== undefined ? [] : io.serialPorts();
  const lines: SurveyOptions['lines'][number][] = [];
  for (const text of values.serial ?? own) {
    const line = serialText(text);
    if (!line.ok) return line;
    lines.push(line.value);
  }
  const addresses = new Set(io.interfaces().map(({ address }) => address));
  return ok({
    // The box itself is no charger; whoever names its address means it.
    hosts: [...new Set(hosts)].filter((host) => values.network !== undefined || !addresses.has(host)),
    port,
    lines,
    json: values.json === true,
    ...(units.value && { units: units.value }),
    ...(values.site !== undefined && { site: values.site }),
    ...(values.free !== undefined && { free: values.free }),
  });
}

function unitList(text: string): Result<readonly number[], string> {
  const units = text.split(',').flatMap((part) => {
    const [, from, to = from] = /^(\d{1,3})(?:-(\d{1,3}))?$/.exec(part) ?? [];
    const [first, last] = [Number(from), Number(to)];
    return first <= last ? Array.from({ length: last - first + 1 }, (_, i) => first + i) : [NaN];
  });
  return units.every((unit) => unit >= 0 && unit <= 255)
    ? ok([...new Set(units)])
    : failed(`${text} are no unit numbers: write for example 1-20`);
}

function serialText(text: string): Result<SurveyOptions['lines'][number], string> {
  const groups = SERIAL.exec(text)?.groups;
  const path = groups?.['path'];
  if (groups === undefined || path === undefined)
    return failed(`${text} is no serial port: write for example /dev/ttyUSB0 or /dev/ttyUSB0:9600-8N1`);
  const baud = groups['baud'];
  if (baud === undefined) return ok({ path });
  const parity = PARITIES[groups['parity'] as keyof typeof PARITIES];
  const settings: SerialLine = { baudRate: Number(baud), parity, stopBits: groups['stop'] === '2' ? 2 : 1 };
  return ok({ path, settings });
}

const profilesOf = (shelf: DeviceShelf): readonly DeviceProfile[] =>
  [...shelf.chargers, ...shelf.meters].flatMap((name) => profileOf(shelf, name) ?? []);

interface Running {
  readonly connections: readonly string[];
  readonly unknown: readonly UnknownStation[];
  readonly nextEvse: number;
}

/** What a gateway that runs on this box has to itself, and who knocks at it; nothing where none runs. */
async function runningGateway(io: DiscoverIo): Promise<Running> {
  const none: Running = { connections: [], unknown: [], nextEvse: 1 };
  const where = findSite(undefined, io);
  if (!where.ok) return none;
  const answer = await askGateway<UnknownStations>(where.value, '/api/unknown-stations');
  if (!answer.ok) return none;
  const { connections, evses } = where.value;
  return { connections, unknown: answer.value.stations, nextEvse: Math.max(0, ...evses) + 1 };
}
