// What can be wrong with addresses: Modbus units used twice, buses with two speeds, ports that do not exist.
import { errorAtKey, errorAtValue, type Fault } from './fault.js';
import { inWords, type Path } from './place.js';
import { entries, has, isSection, text, type Section } from './written.js';

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

export function modbusUnits(site: Section): readonly Fault[] {
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

export function serialBuses(site: Section): readonly Fault[] {
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

export function addresses(site: Section): readonly Fault[] {
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
