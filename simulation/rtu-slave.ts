// Simulated Modbus slaves on one serial line behind a TCP port, as a serial server shows it; a pty can be tied to the port. Its own framing.
import { createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { answerTo, type SlaveUnit } from './modbus-slave.js';

export interface RtuRequest {
  readonly unit: number;
  readonly fc: number;
  /** Function code and data. */
  readonly pdu: Buffer;
  readonly frame: Buffer;
}

export interface RtuSlaveOptions {
  /** Absent: any free port. */
  readonly port?: number;
  /** A unit that is not listed answers nothing. */
  readonly units: ReadonlyMap<number, SlaveUnit>;
  /** Replaces the answer: bytes to send, or undefined to keep silent. Absent: the plain answer goes out. */
  readonly answer?: (request: RtuRequest, plain: Buffer | undefined, line: RtuLine) => Buffer | undefined;
}

export interface RtuLine {
  /** Bytes to everybody who listens. */
  say(bytes: Buffer): void;
}

export interface RtuSlave extends RtuLine {
  readonly port: number;
  /** Connections accepted since the start. */
  readonly connections: number;
  stop(): Promise<void>;
}

export async function startRtuSlave(options: RtuSlaveOptions): Promise<RtuSlave> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const say = (bytes: Buffer): void => {
    for (const socket of sockets) if (!socket.destroyed) socket.write(bytes);
  };
  const serve = (frame: Buffer): void => {
    const request = { unit: frame.readUInt8(0), fc: frame.readUInt8(1), pdu: frame.subarray(1, -2), frame };
    const unit = options.units.get(request.unit);
    if (request.unit === 0) for (const each of options.units.values()) answerTo(each, request);
    const plain = unit === undefined ? undefined : rtuFrame(request.unit, answerTo(unit, request));
    const bytes = options.answer === undefined ? plain : options.answer(request, plain, { say });
    if (bytes !== undefined) say(bytes);
  };
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    let received: Buffer = Buffer.alloc(0);
    socket.setNoDelay(true);
    socket.on('close', () => sockets.delete(socket));
    // A master that goes away without closing is no concern of a slave.
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      for (let length = requestLength(received); length <= received.length; length = requestLength(received)) {
        const frame = received.subarray(0, length);
        const valid = checksum(frame.subarray(0, -2)) === frame.readUInt16LE(length - 2);
        received = received.subarray(valid ? length : 1);
        if (valid) serve(frame);
      }
    });
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return {
    port: address.port,
    get connections() {
      return connections;
    },
    say,
    async stop() {
      for (const socket of sockets) socket.destroy();
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
  };
}

/** A whole RTU frame around a function code and its data. */
export function rtuFrame(unit: number, pdu: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from([unit]), pdu]);
  const frame = Buffer.alloc(body.length + 2);
  body.copy(frame);
  frame.writeUInt16LE(checksum(body), body.length);
  return frame;
}

/** Infinite while it cannot be told. */
function requestLength(bytes: Buffer): number {
  const fc = bytes[1];
  const count = bytes[6];
  if (fc === 15 || fc === 16) return count === undefined ? Infinity : 9 + count;
  return fc === undefined ? Infinity : 8;
}

function checksum(bytes: Buffer): number {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  }
  return crc;
}
