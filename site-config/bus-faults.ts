// What can be wrong with addresses: Modbus units used twice, lines with two speeds, devices that cannot be reached so, ports that do not exist.
import { wiringOf, type DeviceShelf } from './devices/shelf.js';
import { errorAtKey, errorAtValue, type Fault } from './fault.js';
import { documentedDefault } from './site-form.js';
import { inWords, type Path } from './place.js';
import {
  delivered,
  LINE_KEYS,
  modbusDevices,
  withPort,
  type LineKey,
  type ModbusDevice,
  type Wiring,
} from './serial-bus.js';
import { has, isSection, text, type Section } from './written.js';

const isSerial = (connection: string): boolean => connection.startsWith('serial:');
/** Several devices hear every frame of it. */
const isLine = (connection: string): boolean => isSerial(connection) || connection.startsWith('rtu-over-');

export function modbusUnits(site: Section, devices: DeviceShelf): readonly Fault[] {
  const wiring = wiringOf(devices);
  const seen = new Map<string, ModbusDevice>();
  return modbusDevices(site).flatMap((modbusDevice) => {
    const { path, keys, connection, device } = modbusDevice;
    const delivered = device === undefined ? documentedDefault('contact', 'unit') : wiring(device)?.unit.toString();
    const unit = text(keys, 'unit') ?? delivered;
    if (unit === '0' && isLine(connection)) {
      return [
        errorAtValue(
          'out-of-range',
          has(keys, 'unit') ? [...path, 'unit'] : [...path, 'connection'],
          `unit 0 is every device on a serial line at once, and none answers; ${inWords(path, site)} needs its own`,
          'write a unit from 1 to 247, the one that the device is set to',
        ),
      ];
    }
    const id = `${withPort(connection)} ${unit ?? 'default'}`;
    const other = seen.get(id);
    if (other === undefined) {
      seen.set(id, modbusDevice);
      return [];
    }
    // Several contacts may be inputs of one I/O module.
    if (device === undefined && other.device === undefined) return [];
    return [
      errorAtKey(
        'duplicate-unit',
        has(keys, 'unit') ? [...path, 'unit'] : path,
        `${inWords(path, site)} answers to the same unit at ${connection} as ${inWords(other.path, site)}`,
        'give each device its own unit, in the device and here',
      ),
    ];
  });
}

export function reachable(site: Section, devices: DeviceShelf): readonly Fault[] {
  const wiring = wiringOf(devices);
  return modbusDevices(site).flatMap(({ path, connection, device }) => {
    const transports = wiring(device)?.transports;
    const speaks = transports === undefined || transports.some((each) => each === 'rtu' || each === 'ascii');
    if (device === undefined || speaks || !isLine(connection)) return [];
    const message = `${device} does not speak on a serial line`;
    const suggestion = `write its address, such as ${transports?.[0] ?? 'tcp'}://10.0.0.5:502`;
    return [errorAtValue('wrong-transport', [...path, 'connection'], message, suggestion)];
  });
}

export function serialBuses(site: Section, shelf: DeviceShelf): readonly Fault[] {
  const wiring = wiringOf(shelf);
  const devices = modbusDevices(site);
  const lines = [...new Set(devices.map(({ connection }) => connection).filter(isSerial))].map((line) =>
    devices.filter(({ connection }) => connection === line),
  );
  return [
    ...devices.flatMap((device) => (isSerial(device.connection) ? [] : lineKeysElsewhere(device, site))),
    ...lines.flatMap((line) => LINE_KEYS.flatMap((key) => settingFaults(key, line, site, wiring))),
    ...frameFaults(devices, site, wiring),
  ];
}

const lineKeysElsewhere = ({ path, keys }: ModbusDevice, site: Section): readonly Fault[] =>
  LINE_KEYS.filter((key) => has(keys, key)).map((key) =>
    errorAtKey(
      'unknown-key',
      [...path, key],
      `${key} is for serial buses; ${inWords(path, site)} is reached over the network`,
      'leave it out; a serial server has these settings itself',
    ),
  );

function settingFaults(key: LineKey, line: readonly ModbusDevice[], site: Section, wiring: Wiring): readonly Fault[] {
  const written = line.filter(({ keys }) => text(keys, key) !== undefined);
  const first = written[0];
  if (first !== undefined) {
    const value = text(first.keys, key);
    return written
      .filter(({ keys }) => text(keys, key) !== value)
      .map(({ path, keys, connection }) =>
        errorAtValue(
          'bus-settings-differ',
          [...path, key],
          `${key} is ${text(keys, key)} here and ${value} at another device of ${connection}`,
          'set all devices of a bus to the same',
        ),
      );
  }
  const known = line.find(({ device }) => delivered(device, key, wiring) !== undefined);
  const value = known && delivered(known.device, key, wiring);
  return line.flatMap(({ path, device }) => {
    const own = delivered(device, key, wiring);
    if (known === undefined || own === undefined || own === value) return [];
    return [
      errorAtValue(
        'bus-settings-differ',
        [...path, 'connection'],
        `${inWords(path, site)} is delivered with ${key} ${own}, ${inWords(known.path, site)} on the same bus with ${value}`,
        `set both devices to the same, and write it here: ${key}: ${value}`,
      ),
    ];
  });
}

/** RTU and ASCII frames cannot share a line. */
function frameFaults(devices: readonly ModbusDevice[], site: Section, wiring: Wiring): readonly Fault[] {
  const first = new Map<string, { readonly ascii: boolean; readonly path: Path }>();
  return devices.flatMap(({ path, connection, device }) => {
    const transports = wiring(device)?.transports;
    if (!isLine(connection) || transports === undefined) return [];
    const ascii = transports.includes('ascii') && !transports.includes('rtu');
    const other = first.get(connection);
    if (other === undefined) first.set(connection, { ascii, path });
    if (other === undefined || other.ascii === ascii) return [];
    const [here, there] = ascii ? ['ASCII', 'RTU'] : ['RTU', 'ASCII'];
    return [
      errorAtValue(
        'bus-settings-differ',
        [...path, 'connection'],
        `${inWords(path, site)} speaks ${here} frames, ${inWords(other.path, site)} on the same bus ${there}`,
        'give each its own line',
      ),
    ];
  });
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
    const port = typeof written === 'string' && !isSerial(written) ? /:(\d{1,5})$/.exec(written)?.[1] : undefined;
    return port === undefined || (Number(port) >= 1 && Number(port) <= 65_535)
      ? []
      : [errorAtValue('out-of-range', path, `there is no port ${port}`, 'write a port from 1 to 65535')];
  });
}
