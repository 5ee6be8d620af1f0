// What a schema cannot see: names that must exist, numbers that must be unique, settings that must agree.
import { errorAtKey, errorAtValue, warningAtKey, warningAtValue, type Fault } from './fault.js';
import { inWords, type Path } from './place.js';
import { nearest } from './suggestion.js';
import { entries, evsesOf, has, isSection, list, section, text, type Section } from './written.js';

/** Names of the device profiles there are. */
export interface DeviceNames {
  readonly chargers: readonly string[];
  readonly meters: readonly string[];
  /** Chargers that keep their last limit for ever when nobody talks to them. */
  readonly chargersWithoutWatchdog: readonly string[];
}

type Check = (site: Section, devices: DeviceNames) => readonly Fault[];

/** Every disagreement inside a site as it is written; pieces that are misshapen are passed over. */
export const referenceFaults = (site: Section, devices: DeviceNames): readonly Fault[] =>
  CHECKS.flatMap((check) => check(site, devices));

const CHECKS: readonly Check[] = [
  timeZone,
  circuits,
  meters,
  stations,
  evses,
  modbusUnits,
  serialBuses,
  addresses,
  csms,
  notBuilt,
];

const meant = (word: string, choices: readonly string[], none: string): string => {
  const guess = nearest(word, choices);
  if (guess !== undefined) return `did you mean ${guess}?`;
  return choices.length === 0 || choices.length > 12
    ? none
    : `there ${choices.length === 1 ? 'is' : 'are'} ${choices.join(', ')}`;
};

function timeZone(site: Section): readonly Fault[] {
  const zone = text(section(site, 'site'), 'time-zone');
  if (zone === undefined || isTimeZone(zone)) return [];
  const known = Intl.supportedValuesOf('timeZone');
  const city = known.find((name) => name.toLowerCase().endsWith(`/${zone.toLowerCase()}`));
  return [
    errorAtValue(
      'unknown-time-zone',
      ['site', 'time-zone'],
      `there is no time zone ${zone}`,
      city === undefined ? meant(zone, known, 'write for example Europe/Amsterdam') : `did you mean ${city}?`,
    ),
  ];
}

function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch (error) {
    // RangeError is how Intl says no.
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function circuits(site: Section): readonly Fault[] {
  const all = entries(site, 'circuits');
  const names = all.map(([name]) => name);
  const meterNames = Object.keys(section(site, 'meters'));
  const feeders = new Map(all.map(([name, keys]) => [name, text(keys, 'fed-by')]));
  const metered = new Map<string, string>();
  return all.flatMap(([name, keys]) => {
    const faults: Fault[] = [];
    const feeder = text(keys, 'fed-by');
    if (feeder !== undefined && !names.includes(feeder)) {
      faults.push(
        errorAtValue(
          'unknown-circuit',
          ['circuits', name, 'fed-by'],
          `circuit ${name} is fed by ${feeder}, which does not stand under circuits`,
          meant(
            feeder,
            names.filter((other) => other !== name),
            'add it under circuits',
          ),
        ),
      );
    }
    if (loops(name, feeders)) {
      faults.push(
        errorAtValue(
          'circuit-loop',
          ['circuits', name, 'fed-by'],
          `circuit ${name} feeds itself: ${loopFrom(name, feeders).join(' <- ')}`,
          'leave out fed-by at the grid connection',
        ),
      );
    }
    const meter = text(keys, 'meter');
    if (meter !== undefined && !meterNames.includes(meter)) {
      faults.push(
        errorAtValue(
          'unknown-meter',
          ['circuits', name, 'meter'],
          `circuit ${name} is measured by ${meter}, which does not stand under meters`,
          meant(meter, meterNames, 'add it under meters'),
        ),
      );
    }
    const other = meter === undefined ? undefined : metered.get(meter);
    if (meter !== undefined && other !== undefined) {
      faults.push(
        errorAtValue(
          'meter-used-twice',
          ['circuits', name, 'meter'],
          `meter ${meter} already measures circuit ${other}`,
          'name it at the circuit whose whole current flows through it',
        ),
      );
    }
    if (meter !== undefined) metered.set(meter, other ?? name);
    return faults;
  });
}

/** True where following the feeders from `name` comes back to `name`; a loop further up is that circuit's fault. */
const loops = (name: string, feeders: ReadonlyMap<string, string | undefined>): boolean =>
  loopFrom(name, feeders).at(-1) === name && loopFrom(name, feeders).length > 1;

function loopFrom(name: string, feeders: ReadonlyMap<string, string | undefined>): readonly string[] {
  const way = [name];
  let at = feeders.get(name);
  while (at !== undefined && way.length <= feeders.size) {
    way.push(at);
    if (at === name) break;
    at = feeders.get(at);
  }
  return way;
}

function meters(site: Section, devices: DeviceNames): readonly Fault[] {
  return entries(site, 'meters').flatMap(([name, keys]) =>
    unknownDevice(['meters', name], keys, devices.meters, devices.chargers, 'a charger, not a meter'),
  );
}

function unknownDevice(
  path: Path,
  keys: Section,
  right: readonly string[],
  wrong: readonly string[],
  why: string,
): readonly Fault[] {
  const device = text(keys, 'device');
  if (device === undefined || right.includes(device)) return [];
  const message = wrong.includes(device) ? `${device} is ${why}` : `there is no device profile ${device}`;
  return [
    errorAtValue(
      'unknown-device',
      [...path, 'device'],
      message,
      meant(device, right, 'forecourt discover names the devices that it finds'),
    ),
  ];
}

function stations(site: Section, devices: DeviceNames): readonly Fault[] {
  const names = Object.keys(section(site, 'circuits'));
  const hasTls = has(section(site, 'listen'), 'tls');
  return entries(site, 'stations').flatMap(([name, keys]) => {
    const path = ['stations', name];
    const faults: Fault[] = [];
    const circuit = text(keys, 'circuit');
    if (circuit !== undefined && !names.includes(circuit)) {
      faults.push(
        errorAtValue(
          'unknown-circuit',
          [...path, 'circuit'],
          `station ${name} is fed by ${circuit}, which does not stand under circuits`,
          meant(circuit, names, 'add it under circuits'),
        ),
      );
    }
    if (has(keys, 'device')) {
      faults.push(...unknownDevice(path, keys, devices.chargers, devices.meters, 'a meter, not a charger'));
      if (!has(keys, 'connection'))
        faults.push(
          errorAtKey(
            'missing-key',
            path,
            `station ${name} has a device and no connection`,
            'write for example connection: tcp://10.0.0.5:502',
          ),
        );
      for (const key of ['password', 'security-profile', 'assume-protocol']) {
        if (has(keys, key))
          faults.push(
            errorAtKey(
              'unknown-key',
              [...path, key],
              `${key} is for OCPP chargers; station ${name} has a device, so it speaks Modbus`,
              'leave it out',
            ),
          );
      }
      return faults;
    }
    for (const key of ['connection', 'unit', 'baud-rate', 'parity', 'stop-bits', 'start']) {
      if (has(keys, key))
        faults.push(
          errorAtKey(
            'needs-device',
            [...path, key],
            `${key} is for Modbus chargers; station ${name} has no device`,
            'write device: and its profile, or leave it out',
          ),
        );
    }
    const profile = text(keys, 'security-profile');
    if (!has(keys, 'password') && profile !== '0') {
      faults.push(
        errorAtKey(
          'no-credentials',
          path,
          `station ${name} has no password: whoever is on the network could pretend to be it`,
          `write password: { file: secrets/${name} }, or security-profile: 0 where the network is trusted`,
        ),
      );
    }
    if (profile === '2' && !hasTls)
      faults.push(
        errorAtValue(
          'needs-tls',
          [...path, 'security-profile'],
          `station ${name} is to connect by TLS, and listen has no certificate`,
          'write tls: under listen, or security-profile: 1',
        ),
      );
    return faults;
  });
}

function evses(site: Section): readonly Fault[] {
  const seen = new Map<number, string>();
  return evsesOf(site).flatMap(({ station, index, number, keys }) => {
    const path: Path = ['stations', station, 'evses', index];
    const faults: Fault[] = [];
    const other = number === undefined ? undefined : seen.get(number);
    if (number !== undefined && other !== undefined) {
      const free = 1 + Math.max(0, ...evsesOf(site).map((evse) => evse.number ?? 0));
      faults.push(
        errorAtValue(
          'duplicate-evse',
          [...path, 'number'],
          `EVSE ${number} of station ${station} has the number of an EVSE of station ${other}`,
          `every EVSE of the site has its own number; ${free} is free`,
        ),
      );
    }
    if (number !== undefined) seen.set(number, other ?? station);
    const phases = text(keys, 'phases')?.split(' ') ?? [];
    if (new Set(phases).size < phases.length) {
      faults.push(
        errorAtValue(
          'repeated-phase',
          [...path, 'phases'],
          `${inWords([...path, 'phases'], site)} names one phase twice`,
          'write each phase once, such as L2 L3 L1',
        ),
      );
    }
    if (has(keys, 'connector') && has(keys, 'connectors')) {
      faults.push(
        errorAtKey(
          'duplicate-key',
          [...path, 'connectors'],
          `${inWords(path, site)} has connector and connectors`,
          'keep one of the two',
        ),
      );
    }
    return faults;
  });
}

/** Modbus devices: where they stand, and what they say about their bus. */
const modbusDevices = (
  site: Section,
): readonly { readonly path: Path; readonly keys: Section; readonly connection: string }[] =>
  ['meters', 'stations'].flatMap((kind) =>
    entries(site, kind).flatMap(([name, keys]) => {
      const connection = text(keys, 'connection');
      return connection === undefined || !has(keys, 'device') ? [] : [{ path: [kind, name], keys, connection }];
    }),
  );

function modbusUnits(site: Section): readonly Fault[] {
  const seen = new Map<string, Path>();
  return modbusDevices(site).flatMap(({ path, keys, connection }) => {
    const unit = text(keys, 'unit');
    const address =
      /^tcp:.*:\d+$/.test(connection) || !connection.startsWith('tcp:') ? connection : `${connection}:502`;
    const id = `${address} ${unit ?? 'default'}`;
    const other = seen.get(id);
    if (other === undefined) {
      seen.set(id, path);
      return [];
    }
    return [
      errorAtKey(
        'duplicate-unit',
        has(keys, 'unit') ? [...path, 'unit'] : path,
        `${inWords(path, site)} answers to the same unit at ${connection} as ${inWords(other, site)}`,
        'give each device its own unit, in the device and here',
      ),
    ];
  });
}

function serialBuses(site: Section): readonly Fault[] {
  const seen = new Map<string, string>();
  return modbusDevices(site).flatMap(({ path, keys, connection }) =>
    ['baud-rate', 'parity', 'stop-bits'].flatMap((key) => {
      const value = text(keys, key);
      if (value === undefined) return [];
      if (!connection.startsWith('serial:'))
        return [
          errorAtKey(
            'unknown-key',
            [...path, key],
            `${key} is for serial buses; ${inWords(path, site)} is reached over TCP`,
            'leave it out',
          ),
        ];
      const known = seen.get(`${connection} ${key}`);
      seen.set(`${connection} ${key}`, known ?? value);
      return known === undefined || known === value
        ? []
        : [
            errorAtValue(
              'bus-settings-differ',
              [...path, key],
              `${key} is ${value} here and ${known} at another device of ${connection}`,
              'set all devices of a bus to the same',
            ),
          ];
    }),
  );
}

function addresses(site: Section): readonly Fault[] {
  const paths: readonly Path[] = [
    ['listen', 'ocpp'],
    ['telemetry', 'local-broker', 'listen'],
    ['console', 'listen'],
    ...modbusDevices(site).map(({ path }) => [...path, 'connection']),
  ];
  return paths.flatMap((path) => {
    const written = path.reduce<unknown>((at, key) => (isSection(at) ? at[String(key)] : undefined), site);
    const port =
      typeof written === 'string' && !written.startsWith('serial:') ? /:(\d{1,5})$/.exec(written)?.[1] : undefined;
    return port === undefined || (Number(port) >= 1 && Number(port) <= 65_535)
      ? []
      : [errorAtValue('out-of-range', path, `there is no port ${port}`, 'write a port from 1 to 65535')];
  });
}

function csms(site: Section): readonly Fault[] {
  const numbers = new Set(evsesOf(site).map((evse) => evse.number));
  return entries(site, 'csms').flatMap(([name, keys]) => {
    const path = ['csms', name];
    const profile = text(keys, 'security-profile');
    const faults = list(keys, 'evses').flatMap((number, index) =>
      typeof number === 'string' && /^\d+$/.test(number) && !numbers.has(Number(number))
        ? [
            errorAtValue(
              'unknown-evse',
              [...path, 'evses', index],
              `csms ${name} is to see EVSE ${number}, and no station has it`,
              `there are ${[...numbers].filter((known) => known !== undefined).join(', ')}`,
            ),
          ]
        : [],
    );
    if (profile === '3')
      faults.push(
        errorAtValue(
          'not-built',
          [...path, 'security-profile'],
          'client certificates are not supported yet',
          'choose 2',
        ),
      );
    if (profile === '2' && text(keys, 'url')?.startsWith('ws:') === true) {
      faults.push(
        errorAtValue(
          'needs-tls',
          [...path, 'url'],
          `csms ${name} has security profile 2 and an address without TLS`,
          'write wss:// for ws://, or security-profile: 1',
        ),
      );
    }
    if ((profile === '1' || profile === '2') && !has(keys, 'password')) {
      faults.push(
        errorAtKey(
          'no-credentials',
          path,
          `csms ${name} has security profile ${profile} and no password`,
          `write password: { file: secrets/${name} }`,
        ),
      );
    }
    return faults;
  });
}

/** Accepted so that a site can be written once and completely; whoever relies on it must know. */
function notBuilt(site: Section): readonly Fault[] {
  const switches: readonly Path[] = [['telemetry', 'broker', 'sparkplug'], ['telemetry', 'local-broker', 'home-assistant']]; // prettier-ignore
  const sections: readonly Path[] = [['uplink'], ['console'], ['balancing', 'grid-operator-limit']];
  const at = (path: Path): unknown =>
    path.reduce<unknown>((value, key) => (isSection(value) ? value[String(key)] : undefined), site);
  const say = (path: Path): string => `${inWords(path, site)} is accepted, not acted on yet`;
  return [
    ...sections.filter((path) => at(path) !== undefined).map((path) => warningAtKey('not-built', path, say(path))),
    ...switches.filter((path) => at(path) === 'true').map((path) => warningAtKey('not-built', path, say(path))),
  ];
}

/** A secret written where everybody reads it. */
export const inTheOpen = (path: Path, what: string): Fault =>
  warningAtValue(
    'secret-in-the-open',
    path,
    `${what} stands in the file itself`,
    'put it in a file that only the gateway reads: { file: secrets/<name> }',
  );
