// The links of the whole site: one per address, shared by every device that names it, so that no device sees two masters.
import type { AdapterContext } from '../../gateway/ports/station.js';
import type { ModbusConnection } from '../../gateway/site/topology.js';
import { asciiShape } from './ascii-shape.js';
import { Bus, type BusOptions } from './bus.js';
import type { DeviceProfile, Transport } from './device-profile.js';
import type { IdentifyingLink, ModbusLink } from './link.js';
import { MbapFraming } from './mbap-framing.js';
import { rtuShape } from './rtu-shape.js';
import { serialChannel } from './serial-channel.js';
import { tcpChannel } from './tcp-channel.js';
import { udpChannel } from './udp-channel.js';
import { WireFraming } from './wire-framing.js';

export type WireMode = 'rtu' | 'ascii';

export interface ModbusLinks {
  /** The link to an address, opened at its first request. The devices of one address have one wire mode. */
  to(connection: ModbusConnection, device?: Pick<DeviceProfile, 'transports'>): ModbusLink;
  /** Closes those to other addresses than these. */
  keepOnly(connections: readonly ModbusConnection[]): Promise<void>;
  /** Closes them all. */
  stop(): Promise<void>;
}

/** Milliseconds; a serial server needs some of it for its line, of which nothing is known here. */
const ANSWER_TIMEOUT = { serial: 1000, network: 1500 } as const;

/** Start, eight of data, parity or a second stop, stop. */
const BITS_PER_BYTE = 11;

export function openModbusLinks(context: AdapterContext): ModbusLinks {
  const links = new Map<string, ModbusLink>();
  return {
    to(connection, device) {
      const key = peerOf(connection);
      const link = links.get(key) ?? openModbusLink(connection, context, wireMode(device?.transports ?? []));
      links.set(key, link);
      return link;
    },
    async keepOnly(connections) {
      const needed = new Set(connections.map(peerOf));
      const idle = [...links].filter(([key]) => !needed.has(key));
      for (const [key] of idle) links.delete(key);
      await Promise.all(idle.map(([, link]) => link.stop()));
    },
    async stop() {
      await Promise.all([...links.values()].map((link) => link.stop()));
    },
  };
}

/** @param mode of the frames on a serial line, whatever it is reached through */
export const openModbusLink = (
  connection: ModbusConnection,
  context: AdapterContext,
  mode: WireMode = 'rtu',
): IdentifyingLink => new Bus({ peer: peerOf(connection), ...transport(connection, mode) }, context);

function transport(connection: ModbusConnection, mode: WireMode): Omit<BusOptions, 'peer'> {
  const wire = (): WireFraming => new WireFraming(mode === 'rtu' ? rtuShape : asciiShape);
  const network = { silence: 0, byteTime: 0, answerTimeout: ANSWER_TIMEOUT.network };
  switch (connection.kind) {
    case 'tcp':
      return { ...network, open: tcpChannel(connection.host, connection.port), framing: new MbapFraming() };
    case 'udp':
      return { ...network, open: udpChannel(connection.host, connection.port), framing: new MbapFraming() };
    case 'rtu-over-tcp':
      return { ...network, open: tcpChannel(connection.host, connection.port), framing: wire() };
    case 'rtu-over-udp':
      return { ...network, open: udpChannel(connection.host, connection.port), framing: wire() };
    case 'serial':
      return {
        silence: frameSilence(connection.baudRate),
        byteTime: BITS_PER_BYTE * (1000 / connection.baudRate),
        answerTimeout: ANSWER_TIMEOUT.serial,
        open: serialChannel(connection),
        framing: wire(),
      };
  }
}

/** Milliseconds between two RTU frames: 3.5 characters of 11 bits, above 19200 baud 1.75 ms (Modbus over Serial Line 1.02 section 2.5.1.1). */
export const frameSilence = (baudRate: number): number => Math.max(1.75, (3.5 * BITS_PER_BYTE * 1000) / baudRate);

/** ASCII only where a device speaks nothing else on its line. */
const wireMode = (transports: readonly Transport[]): WireMode =>
  transports.includes('ascii') && !transports.includes('rtu') ? 'ascii' : 'rtu';

const peerOf = (connection: ModbusConnection): string =>
  connection.kind === 'serial'
    ? `serial:${connection.path}`
    : `${connection.kind}://${connection.host}:${connection.port}`;
