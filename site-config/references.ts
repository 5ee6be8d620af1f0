// What a schema cannot see: names that must exist, numbers that must be unique, settings that must agree.
import { addresses, modbusUnits, reachable, serialBuses } from './bus-faults.js';
import { circuitFaults } from './circuit-faults.js';
import type { DeviceShelf } from './devices/shelf.js';
import { consoleFaults } from './console-address.js';
import { errorAtKey, errorAtValue, type Fault } from './fault.js';
import { gridOperatorFaults } from './grid-operator-faults.js';
import { inWords, type Path } from './place.js';
import { didYouMean } from './suggestion.js';
import { timeZone } from './time-zone.js';
import { notBuilt } from './unbuilt.js';
import { entries, evsesOf, has, list, section, text, type Section } from './written.js';

type Check = (site: Section, devices: DeviceShelf) => readonly Fault[];

/** Every disagreement inside a site as it is written; pieces that are misshapen are passed over. */
export const referenceFaults = (site: Section, devices: DeviceShelf): readonly Fault[] =>
  CHECKS.flatMap((check) => check(site, devices));

const CHECKS: readonly Check[] = [
  timeZone,
  circuitFaults,
  meters,
  stations,
  evses,
  reachable,
  modbusUnits,
  serialBuses,
  addresses,
  csms,
  consoleFaults,
  gridOperatorFaults,
  notBuilt,
];

function meters(site: Section, devices: DeviceShelf): readonly Fault[] {
  return entries(site, 'meters').flatMap(([name, keys]) => [
    ...unknownDevice(['meters', name], keys, devices.meters, devices.chargers, 'a charger, not a meter'),
    ...repeatedPhase(site, ['meters', name], keys),
  ]);
}

function repeatedPhase(site: Section, path: Path, keys: Section): readonly Fault[] {
  const phases = text(keys, 'phases')?.split(' ') ?? [];
  if (new Set(phases).size === phases.length) return [];
  return [
    errorAtValue(
      'repeated-phase',
      [...path, 'phases'],
      `${inWords([...path, 'phases'], site)} names one phase twice`,
      'write each phase once, such as L2 L3 L1',
    ),
  ];
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
      didYouMean(device, right, 'forecourt discover names the devices that it finds'),
    ),
  ];
}

function stations(site: Section, devices: DeviceShelf): readonly Fault[] {
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
          didYouMean(circuit, names, 'add it under circuits'),
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
      for (const key of ['password', 'security-profile', 'assume-protocol', 'smart-charging']) {
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
    faults.push(...repeatedPhase(site, path, keys));
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
