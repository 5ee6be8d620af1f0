// Between the words on the bus and the value they stand for: types, word and byte order, scale, sentinels.
import type { DeviceProfile, NumberType, Order, Register } from './device-profile.js';

export type RegisterValue = number | string;

const WORDS: Readonly<Record<NumberType | 'bit', number>> = {
  bit: 1,
  uint16: 1,
  int16: 1,
  uint32: 2,
  int32: 2,
  uint64: 4,
  int64: 4,
  float32: 2,
  float64: 4,
};

/** What a coil is set and cleared with (Modbus specification section 6.5). */
const SET = 0xff00;

/** How many 16-bit registers a value takes; a bit counts as one. */
export const wordsOf = (register: Pick<Register, 'type' | 'words'>): number =>
  register.type === 'string' ? (register.words ?? 1) : WORDS[register.type];

type Orders = Pick<DeviceProfile, 'byteOrder' | 'wordOrder'>;

/**
 * The value that `words` (big-endian as on the bus, exactly wordsOf(register) of them) stand for, in base units.
 * Undefined where the device says "not available".
 * @param power the power of ten read from the register's factor register; 0 where it has none
 */
export function decode(register: Register, orders: Orders, words: Buffer, power = 0): RegisterValue | undefined {
  const bytes = ordered(words, register.byteOrder ?? orders.byteOrder, wordOrderOf(register, orders));
  if (register.type === 'bit') return bytes.readUInt16BE(0);
  if (register.type === 'string') return readText(register, bytes);
  const raw = readNumber(register.type, bytes);
  if (!Number.isFinite(raw) || register.sentinels?.includes(raw) === true) return undefined;
  if (register.zeros?.includes(raw) === true) return 0;
  const field = register.mask === undefined ? raw : (raw & register.mask) >>> (register.shift ?? 0);
  return scaled(field, register.scale ?? 1, power);
}

/**
 * The words to write for a value in base units; rounded to the register's resolution.
 * @throws RangeError where the value does not fit the register's type
 */
export function encode(register: Register, orders: Orders, value: number): Buffer {
  if (register.type === 'string') throw new RangeError('text registers are not written');
  const bytes = Buffer.alloc(WORDS[register.type] * 2);
  if (register.type === 'bit') {
    bytes.writeUInt16BE(value === 0 ? 0 : SET, 0);
    return bytes;
  }
  writeNumber(register.type, bytes, value / (register.scale ?? 1));
  return ordered(bytes, register.byteOrder ?? orders.byteOrder, wordOrderOf(register, orders));
}

/** Text has no word order: its first register holds its first characters on every device seen. */
const wordOrderOf = (register: Register, orders: Orders): Order =>
  register.type === 'string' ? 'big' : (register.wordOrder ?? orders.wordOrder);

// Division by a whole power of ten keeps 12.345 from becoming 12.345000000000001.
function scaled(raw: number, scale: number, power: number): number {
  const times = scale * 10 ** power;
  if (times >= 1) return raw * times;
  const per = Math.round(1 / times);
  return Math.abs(per * times - 1) < 1e-9 ? raw / per : raw * times;
}

/** A text of bytes that are all 0 is none; in hexadecimal as in the others. */
function readText({ encoding }: Register, bytes: Buffer): string {
  if (encoding === 'hex') return bytes.every((byte) => byte === 0) ? '' : bytes.toString('hex').toUpperCase();
  const text = encoding === 'utf-16' ? Buffer.from(bytes).swap16().toString('utf16le') : bytes.toString('latin1');
  const end = text.indexOf('\0');
  return (end < 0 ? text : text.slice(0, end)).trim();
}

function ordered(words: Buffer, byteOrder: Order, wordOrder: Order): Buffer {
  const bytes = Buffer.from(words);
  if (byteOrder !== 'big') bytes.swap16();
  if (wordOrder === 'big') return bytes;
  const reversed = Buffer.alloc(bytes.length);
  for (let at = 0; at < bytes.length; at += 2) bytes.copy(reversed, bytes.length - 2 - at, at, at + 2);
  return reversed;
}

function readNumber(type: NumberType, bytes: Buffer): number {
  switch (type) {
    case 'uint16':
      return bytes.readUInt16BE(0);
    case 'int16':
      return bytes.readInt16BE(0);
    case 'uint32':
      return bytes.readUInt32BE(0);
    case 'int32':
      return bytes.readInt32BE(0);
    case 'uint64':
      return Number(bytes.readBigUInt64BE(0));
    case 'int64':
      return Number(bytes.readBigInt64BE(0));
    case 'float32':
      return bytes.readFloatBE(0);
    case 'float64':
      return bytes.readDoubleBE(0);
  }
}

function writeNumber(type: NumberType, bytes: Buffer, value: number): void {
  switch (type) {
    case 'uint16':
      bytes.writeUInt16BE(Math.round(value), 0);
      return;
    case 'int16':
      bytes.writeInt16BE(Math.round(value), 0);
      return;
    case 'uint32':
      bytes.writeUInt32BE(Math.round(value), 0);
      return;
    case 'int32':
      bytes.writeInt32BE(Math.round(value), 0);
      return;
    case 'uint64':
      bytes.writeBigUInt64BE(BigInt(Math.round(value)), 0);
      return;
    case 'int64':
      bytes.writeBigInt64BE(BigInt(Math.round(value)), 0);
      return;
    case 'float32':
      bytes.writeFloatBE(value, 0);
      return;
    case 'float64':
      bytes.writeDoubleBE(value, 0);
      return;
  }
}
