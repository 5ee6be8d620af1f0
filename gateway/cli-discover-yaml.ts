// What was found as text for site.yaml: a whole file to begin with, or what is to be pasted; what was read stands in the comments.
import type { Candidate, FoundDevice } from '../adapters/discovery/found.js';
import { lineText } from '../adapters/discovery/survey.js';
import { profileOf, type DeviceShelf } from '../site-config/devices/shelf.js';
import type { UnknownStation } from './ports/commissioning.js';
import type { ModbusConnection } from './site/topology.js';

export interface Discovery {
  readonly devices: readonly FoundDevice[];
  /** OCPP chargers that knock at the gateway and are not in its site.yaml. */
  readonly unknownStations: readonly UnknownStation[];
}

export interface DiscoveryText {
  /** With everything that a file needs; otherwise only meters and stations, to be pasted. */
  readonly whole: boolean;
  /** Charging starts at plug-in under this token. */
  readonly free?: string;
  /** Taken already: names of stations and meters, numbers of EVSEs. */
  readonly firstEvse: number;
  readonly shelf: DeviceShelf;
}

/** What an EVSE is given where its charger does not tell what it can: any of them bears it, in A. */
const SAFE_MAXIMUM = 16;
const FALLBACK = 6;

interface Named {
  readonly name: string;
  readonly device: FoundDevice;
  readonly candidates: readonly Candidate[];
}

export function discoveryYaml({ devices, unknownStations }: Discovery, about: DiscoveryText): string {
  const known = devices.filter(({ candidates }) => candidates.length > 0);
  const chargers = named(
    'WB',
    known.filter(({ candidates }) => candidates[0]?.kind === 'charger'),
  );
  const meters = named(
    'meter-',
    known.filter(({ candidates }) => candidates[0]?.kind === 'meter'),
  );
  const strangers = devices.filter(({ candidates }) => candidates.length === 0);
  const usable = meters.filter(({ candidates }) => candidates.length === 1);
  const counter = { next: about.firstEvse };
  const stations = [
    ...chargers.flatMap((charger) => station(charger, about, counter)),
    ...unknownStations.flatMap((each) => ocppStation(each, counter)),
  ];
  const places = counter.next - about.firstEvse;
  return [
    ...strangers.flatMap(stranger),
    ...(about.whole ? head(usable, places * FALLBACK) : []),
    ...(meters.length === 0 ? [] : ['', 'meters:', ...meters.flatMap((each) => meter(each, about))]),
    ...(about.whole && unknownStations.length > 0 ? ['', 'listen: { ocpp: 0.0.0.0:9000 }'] : []),
    ...(stations.length === 0 ? [] : ['', 'stations:', ...stations]),
    '',
  ]
    .join('\n')
    .replace(/^\n+/, '');
}

const named = (prefix: string, devices: readonly FoundDevice[]): readonly Named[] =>
  devices.map((device, i) => ({
    name: `${prefix}${String(i + 1).padStart(2, '0')}`,
    device,
    candidates: device.candidates,
  }));

/** @param fallback what all EVSEs together take while they have lost the gateway, in A */
function head(meters: readonly Named[], fallback: number): readonly string[] {
  const breaker = Math.max(SAFE_MAXIMUM, fallback);
  const circuit = (name: string, text: string): string => `  ${name}: { ${text} }`;
  return [
    '# yaml-language-server: $schema=/opt/forecourt/out/bundle/site.schema.json',
    '# Written by forecourt discover. Edit: the name of the site, the circuits and their breakers, which circuit feeds which',
    '# charger, which meter sits where. Then: forecourt check, forecourt run, forecourt commission.',
    'site:',
    '  id: NEW-SITE # by which the cloud knows the site',
    '  name: New site',
    '  time-zone: UTC',
    '',
    'circuits: # from the grid connection downwards',
    '  # EDIT: the rating of the breaker, per phase. What stands here is what the chargers take together without the gateway.',
    circuit('main', `breaker: ${breaker} A${meters[0] === undefined ? '' : `, meter: ${meters[0].name}`}`),
    circuit(
      'chargers',
      `fed-by: main, breaker: ${breaker} A${meters[1] === undefined ? '' : `, meter: ${meters[1].name}`}`,
    ),
    ...meters
      .slice(2)
      .flatMap(({ name }, i) => [
        `  # EDIT: where ${name} sits, and which chargers are behind it.`,
        circuit(`circuit-${i + 3}`, `fed-by: main, breaker: ${breaker} A, meter: ${name}`),
      ]),
  ];
}

function meter({ name, device, candidates }: Named, { shelf }: DiscoveryText): readonly string[] {
  const lines = (candidate: Candidate): readonly string[] => [
    `  ${name}: # ${readText(candidate, shelf)}`,
    ...addressLines(candidate, device, shelf),
  ];
  return oneOf(name, candidates, lines);
}

function station(
  { name, device, candidates }: Named,
  { free, shelf }: DiscoveryText,
  counter: { next: number },
): readonly string[] {
  const first = counter.next;
  counter.next += Math.max(1, ...candidates.map(({ evses }) => evses));
  const lines = (candidate: Candidate): readonly string[] => [
    `  ${name}: # ${readText(candidate, shelf)}`,
    ...addressLines(candidate, device, shelf),
    '    circuit: chargers',
    ...(free === undefined ? [] : [`    start: { free: ${JSON.stringify(free)} }`]),
    '    evses:',
    `      # phases: is found by forecourt commission ${name}; max-current: ${
      candidate.maxCurrent === undefined
        ? 'is not told by the charger: see its plate and its breaker'
        : 'as the charger tells it; its breaker may be smaller'
    }`,
    ...Array.from({ length: candidate.evses }, (_, i) => {
      const current = Math.floor(candidate.maxCurrent ?? SAFE_MAXIMUM);
      return `      - { number: ${first + i}, connector: Type2, max-current: ${current} A, phases: unknown, fallback-current: ${FALLBACK} A }`;
    }),
  ];
  return oneOf(name, candidates, lines);
}

/** What may be several devices is not guessed: each of them stands there, and none of them counts. */
function oneOf(
  name: string,
  candidates: readonly Candidate[],
  lines: (candidate: Candidate) => readonly string[],
): readonly string[] {
  const [only, ...more] = candidates;
  if (only !== undefined && more.length === 0) return lines(only);
  return [
    `  # ${name} is one of: ${candidates.map(({ profile }) => profile).join(', ')}. Look at its plate, and keep that one:`,
    ...candidates.flatMap((candidate) => lines(candidate).map((line) => `  # ${line.slice(2)}`)),
  ];
}

function addressLines(
  { profile }: Candidate,
  { connection, unit }: FoundDevice,
  shelf: DeviceShelf,
): readonly string[] {
  const line = connection.kind === 'serial' ? connection : undefined;
  return [
    `    device: ${profile}`,
    `    connection: ${connectionText(connection)}`,
    ...(profileOf(shelf, profile)?.unit.unit === unit ? [] : [`    unit: ${unit}`]),
    ...(line === undefined
      ? []
      : [`    baud-rate: ${line.baudRate}`, `    parity: ${line.parity}`, `    stop-bits: ${line.stopBits}`]),
  ];
}

const connectionText = (connection: ModbusConnection): string =>
  connection.kind === 'serial'
    ? `serial:${connection.path}`
    : `${connection.kind}://${connection.host}:${connection.port}`;

function readText(candidate: Candidate, shelf: DeviceShelf): string {
  const { profile, vendor, model, serialNumber, firmwareVersion, proven } = candidate;
  const read = [
    [vendor ?? profileOf(shelf, profile)?.vendor, model].filter((text) => text !== undefined).join(' '),
    serialNumber === undefined ? '' : `serial number ${serialNumber}`,
    firmwareVersion === undefined ? '' : `firmware ${firmwareVersion}`,
  ].filter((text) => text !== '');
  const told = read.join(', ');
  return proven ? told : `${told}; what was read fits this model and proves it not: compare with its plate`;
}

function stranger({ connection, unit, says }: FoundDevice): readonly string[] {
  const { vendor, product, revision } = says;
  const name = [vendor, product, revision].filter((text) => text !== undefined).join(' ');
  const line = connection.kind === 'serial' ? ` at ${lineText(connection)}` : '';
  return [
    `# ${connectionText(connection)}${line} answers as unit ${unit} and is no device with a profile${name === '' ? '' : `; it calls itself ${name}`}.`,
  ];
}

/** Its password is the installer's: the gateway never invents one. */
function ocppStation({ station: id, remoteAddress }: UnknownStation, counter: { next: number }): readonly string[] {
  return [
    `  ${/^[A-Za-z][\w-]*$/.test(id) ? id : JSON.stringify(id)}: # knocks from ${remoteAddress}; how many EVSEs it has shows on its plate`,
    '    circuit: chargers',
    `    password: CHANGE-ME-${id.replace(/[^\w-]/g, '')} # EDIT: the password that is set in the charger`,
    `    evses: [{ number: ${counter.next++}, connector: Type2, max-current: ${SAFE_MAXIMUM} A, phases: unknown, fallback-current: ${FALLBACK} A }]`,
  ];
}
