// A simulated Modbus TCP slave on a real socket: registers by unit, its own framing, so that it shares nothing with the code it tests.
import type { Socket } from 'node:net';
import { openSlavePort, type SlavePort, type SlavePortOptions } from './slave-port.js';

/** Words by 0-based address; an absent address answers exception 2 (illegal data address). */
export type SlaveRegisters = Map<number, number>;

export interface SlaveUnit {
  readonly holding: SlaveRegisters;
  /** Absent: function 4 reads the holding registers too. */
  readonly input?: SlaveRegisters;
  /** Coils and discrete inputs, 0 or 1; absent: there are none. */
  readonly bits?: SlaveRegisters;
  /** Told of each request before it is answered. */
  readonly onRequest?: () => void;
  /** Told after each coil that was written. */
  readonly onBit?: (address: number, value: number) => void;
  /** Told after each write, in the order of the addresses. */
  readonly onWrite?: (address: number, values: readonly number[]) => void;
}

export interface SlaveRequest {
  readonly transaction: number;
  readonly unit: number;
  readonly fc: number;
  /** Function code and data. */
  readonly pdu: Buffer;
}

export interface ModbusSlaveOptions extends SlavePortOptions {
  /** A unit that is not listed answers nothing, as on a bus. */
  readonly units: ReadonlyMap<number, SlaveUnit>;
  /** Replaces the answer: bytes to send, or undefined to keep silent. Absent: the plain answer goes out. */
  readonly answer?: (request: SlaveRequest, plain: Buffer | undefined, socket: Socket) => Buffer | undefined;
}

export interface ModbusSlave extends SlavePort {
  holding(unit: number): SlaveRegisters;
  /** Answers nothing, on connections that stay, until it is told to again. */
  mute(silent: boolean): void;
}

export async function startModbusSlave({ units, answer, ...where }: ModbusSlaveOptions): Promise<ModbusSlave> {
  let muted = false;
  const serve = (frame: Buffer, socket: Socket): void => {
    const request = {
      transaction: frame.readUInt16BE(0),
      unit: frame.readUInt8(6),
      fc: frame.readUInt8(7),
      pdu: frame.subarray(7),
    };
    const unit = units.get(request.unit);
    unit?.onRequest?.();
    const plain =
      unit === undefined ? undefined : modbusFrame(request.transaction, request.unit, answerTo(unit, request));
    const bytes = answer === undefined ? plain : answer(request, plain, socket);
    if (!muted && bytes !== undefined && !socket.destroyed) socket.write(bytes);
  };
  const port = await openSlavePort(where, (received, socket) => {
    let rest = received;
    while (rest.length >= 8 && rest.length >= 6 + rest.readUInt16BE(4)) {
      const end = 6 + rest.readUInt16BE(4);
      serve(rest.subarray(0, end), socket);
      rest = rest.subarray(end);
    }
    return rest;
  });
  return Object.assign(port, {
    holding(unit: number): SlaveRegisters {
      const known = units.get(unit);
      if (known === undefined) throw new Error(`no unit ${unit}`);
      return known.holding;
    },
    mute(silent: boolean): void {
      muted = silent;
    },
  });
}

/** A whole Modbus TCP frame around a function code and its data. */
export function modbusFrame(transaction: number, unit: number, pdu: Buffer): Buffer {
  const frame = Buffer.alloc(7 + pdu.length);
  frame.writeUInt16BE(transaction, 0);
  frame.writeUInt16BE(pdu.length + 1, 4);
  frame.writeUInt8(unit, 6);
  pdu.copy(frame, 7);
  return frame;
}

/** The function code and data that a unit answers with. */
export function answerTo(unit: SlaveUnit, { fc, pdu }: Pick<SlaveRequest, 'fc' | 'pdu'>): Buffer {
  if (pdu.length < 5) return exception(fc, 3);
  const address = pdu.readUInt16BE(1);
  switch (fc) {
    case 1:
    case 2:
      return readBit(fc, unit.bits ?? new Map(), address, pdu.readUInt16BE(3));
    case 3:
    case 4:
      return read(fc, fc === 4 ? (unit.input ?? unit.holding) : unit.holding, address, pdu.readUInt16BE(3));
    case 5:
      return writeBit(unit, address, pdu);
    case 6:
      return write(unit, fc, address, [pdu.readUInt16BE(3)], pdu);
    case 16: {
      const count = pdu.readUInt16BE(3);
      if (count === 0 || pdu.length !== 6 + count * 2) return exception(fc, 3);
      const values = Array.from({ length: count }, (_, i) => pdu.readUInt16BE(6 + i * 2));
      return write(unit, fc, address, values, pdu);
    }
    default:
      return exception(fc, 1);
  }
}

function read(fc: number, registers: SlaveRegisters, address: number, count: number): Buffer {
  if (count === 0 || count > 125) return exception(fc, 3);
  const answer = Buffer.alloc(2 + count * 2);
  answer.writeUInt8(fc, 0);
  answer.writeUInt8(count * 2, 1);
  for (let i = 0; i < count; i++) {
    const word = registers.get(address + i);
    if (word === undefined) return exception(fc, 2);
    answer.writeUInt16BE(word & 0xffff, 2 + i * 2);
  }
  return answer;
}

/** One at a time is all that anybody here asks for. */
function readBit(fc: number, bits: SlaveRegisters, address: number, count: number): Buffer {
  const bit = bits.get(address);
  if (count !== 1) return exception(fc, 3);
  return bit === undefined ? exception(fc, 2) : Buffer.from([fc, 1, bit]);
}

function writeBit(unit: SlaveUnit, address: number, pdu: Buffer): Buffer {
  const value = pdu.readUInt16BE(3);
  if (value !== 0 && value !== 0xff00) return exception(5, 3);
  if (unit.bits?.has(address) !== true) return exception(5, 2);
  unit.bits.set(address, value === 0 ? 0 : 1);
  unit.onBit?.(address, value === 0 ? 0 : 1);
  return Buffer.from(pdu.subarray(0, 5));
}

function write(unit: SlaveUnit, fc: number, address: number, values: readonly number[], pdu: Buffer): Buffer {
  if (values.some((_, i) => !unit.holding.has(address + i))) return exception(fc, 2);
  values.forEach((value, i) => unit.holding.set(address + i, value));
  unit.onWrite?.(address, values);
  return Buffer.from(pdu.subarray(0, 5));
}

const exception = (fc: number, code: number): Buffer => Buffer.from([fc | 0x80, code]);
