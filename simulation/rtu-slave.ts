// Simulated Modbus slaves on one serial line behind a TCP port, as a serial server shows it; a pty can be tied to the port. Its own framing.
import { answerTo, type SlaveUnit } from './modbus-slave.js';
import { openSlavePort, type SlavePort, type SlavePortOptions } from './slave-port.js';

export interface RtuRequest {
  readonly unit: number;
  readonly fc: number;
  /** Function code and data. */
  readonly pdu: Buffer;
  readonly frame: Buffer;
}

export interface RtuSlaveOptions extends SlavePortOptions {
  /** A unit that is not listed answers nothing. */
  readonly units: ReadonlyMap<number, SlaveUnit>;
  /** Replaces the answer: bytes to send, or undefined to keep silent. Absent: the plain answer goes out. */
  readonly answer?: (request: RtuRequest, plain: Buffer | undefined, line: RtuLine) => Buffer | undefined;
}

/** Whoever is on the line hears everything. */
export type RtuLine = Pick<SlavePort, 'say'>;

export type RtuSlave = SlavePort;

export function startRtuSlave({ units, answer, ...where }: RtuSlaveOptions): Promise<RtuSlave> {
  const serve = (frame: Buffer, say: RtuLine['say']): void => {
    const request = { unit: frame.readUInt8(0), fc: frame.readUInt8(1), pdu: frame.subarray(1, -2), frame };
    const unit = units.get(request.unit);
    if (request.unit === 0) for (const each of units.values()) answerTo(each, request);
    const plain = unit === undefined ? undefined : rtuFrame(request.unit, answerTo(unit, request));
    const bytes = answer === undefined ? plain : answer(request, plain, { say });
    if (bytes !== undefined) say(bytes);
  };
  return openSlavePort(where, (received, _socket, say) => {
    let rest = received;
    for (let length = requestLength(rest); length <= rest.length; length = requestLength(rest)) {
      const frame = rest.subarray(0, length);
      const valid = checksum(frame.subarray(0, -2)) === frame.readUInt16LE(length - 2);
      rest = rest.subarray(valid ? length : 1);
      if (valid) serve(frame, say);
    }
    return rest;
  });
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
