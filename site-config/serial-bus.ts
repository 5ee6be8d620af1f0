// What a serial line is set to: what is written at any of its devices, else what they are delivered with.
import type { SerialLine } from '../gateway/site/topology.js';
import type { Path } from './place.js';
import { one } from './values.js';
import { entries, has, isSection, list, section, text, type Section } from './written.js';

export interface DeviceWiring {
  /** What it speaks itself. */
  readonly transports: readonly ('tcp' | 'udp' | 'rtu' | 'ascii')[];
  /** The unit that it answers as unless site.yaml says another. */
  readonly unit: number;
  readonly serial?: SerialLine;
  /** Of a charger: what limits it when the gateway is silent is nothing, or not known. */
  readonly silentAtFullPower?: boolean;
}

/** Of a device by its name; undefined where that is not known. */
export type Wiring = (device: string | undefined) => DeviceWiring | undefined;

/** Of a line of which nothing is known. */
const USUAL_LINE: SerialLine = { baudRate: 9600, parity: 'none', stopBits: 1 };

export interface ModbusDevice {
  /** Where it stands in the site. */
  readonly path: Path;
  readonly keys: Section;
  readonly connection: string;
  /** The name of its profile; an I/O module with a contact has none. */
  readonly device?: string;
}

/** The meters, chargers and contacts that are reached over Modbus, in this order. */
export const modbusDevices = (site: Section): readonly ModbusDevice[] => [
  ...['meters', 'stations'].flatMap((kind) =>
    entries(site, kind).flatMap(([name, keys]) => {
      const connection = text(keys, 'connection');
      const device = text(keys, 'device');
      return connection === undefined || device === undefined || !has(keys, 'device')
        ? []
        : [{ path: [kind, name], keys, connection, device }];
    }),
  ),
  ...contacts(site),
];

function contacts(site: Section): readonly ModbusDevice[] {
  const operator = section(section(site, 'balancing'), 'grid-operator-limit');
  return list(operator, 'contacts').flatMap((keys, index) => {
    const connection = isSection(keys) && !has(keys, 'file') ? text(keys, 'connection') : undefined;
    if (!isSection(keys) || connection === undefined) return [];
    return [{ path: ['balancing', 'grid-operator-limit', 'contacts', index], keys, connection }];
  });
}

/** As written, with the port that holds where none is. */
export const withPort = (connection: string): string =>
  /^(tcp|udp):\/\/(\[[^\]]+\]|[^:]+)$/.test(connection) ? `${connection}:502` : connection;

export const LINE_KEYS = ['baud-rate', 'parity', 'stop-bits'] as const;
export type LineKey = (typeof LINE_KEYS)[number];

/** A setting as the device is delivered, in the words of site.yaml. */
export function delivered(device: string | undefined, key: LineKey, wiring: Wiring): string | undefined {
  const line = wiring(device)?.serial;
  if (line === undefined) return undefined;
  switch (key) {
    case 'baud-rate':
      return String(line.baudRate);
    case 'parity':
      return line.parity;
    case 'stop-bits':
      return String(line.stopBits);
  }
}

/** The settings of the line at `connection`, of a site in which its devices agree about it. */
export function serialLine(site: Section, connection: string, wiring: Wiring): SerialLine {
  const devices = modbusDevices(site).filter((each) => each.connection === connection);
  const setting = (key: LineKey): string | undefined =>
    devices.map(({ keys }) => text(keys, key)).find((value) => value !== undefined) ??
    devices.map(({ device }) => delivered(device, key, wiring)).find((value) => value !== undefined);
  return {
    baudRate: Number(setting('baud-rate') ?? USUAL_LINE.baudRate),
    parity: one(['none', 'even', 'odd'] as const, setting('parity') ?? USUAL_LINE.parity),
    stopBits: one([1, 2] as const, Number(setting('stop-bits') ?? USUAL_LINE.stopBits)),
  };
}
