// Between a value and the words a device shows it in, by the register's own description; apart from the drivers' code, which it tests.
import type { DeviceProfile, NumberType, Register } from '../adapters/modbus/device-profile.js';
import type { RegisterValue } from '../adapters/modbus/register-value.js';

const WORDS = {
  bit: 1,
  uint16: 1,
  int16: 1,
  uint32: 2,
  int32: 2,
  uint64: 4,
  int64: 4,
  float32: 2,
  float64: 4,
} as const;

type Orders = Pick<DeviceProfile, 'byteOrder' | 'wordOrder'>;

export const wordCount = (register: Register): number =>
  register.type === 'string' ? (register.words ?? 1) : WORDS[register.type];

/**
 * The words for a value in base units, the most significant as the device's orders say; a value that does not fit is
 * shown as the nearest that does.
 * @param power the power of ten that the device shows in the register's factor register
 */
export function toWords(register: Register, orders: Orders, value: RegisterValue, power = 0): number[] {
  const count = wordCount(register);
  const view = new DataView(new ArrayBuffer(count * 2));
  if (register.type === 'bit') return [Number(value) === 0 ? 0 : 1];
  if (register.type === 'string') {
    const wide = register.encoding === 'utf-16';
    const written = register.encoding === 'hex' ? Buffer.from(String(value), 'hex').toString('latin1') : String(value);
    const text = written.slice(0, wide ? count : view.byteLength);
    for (let i = 0; i < text.length; i++) {
      if (wide) view.setUint16(i * 2, text.charCodeAt(i));
      else view.setUint8(i, text.charCodeAt(i));
    }
  } else {
    // Dividing by a decimal fraction leaves a trace that rounding to nine digits removes.
    const raw = Number((Number(value) / ((register.scale ?? 1) * 10 ** power)).toPrecision(12));
    setNumber(view, register.type, register.mask === undefined ? raw : raw * 2 ** (register.shift ?? 0));
  }
  const words = Array.from({ length: count }, (_, i) => view.getUint16(i * 2));
  const swapped = (register.byteOrder ?? orders.byteOrder) === 'little' ? words.map(swapBytes) : words;
  const little = register.type !== 'string' && (register.wordOrder ?? orders.wordOrder) === 'little';
  return little ? swapped.reverse() : swapped;
}

/** The number that words written by the gateway stand for, in base units. */
export function fromWords(register: Register, orders: Orders, words: readonly number[]): number {
  const little = (register.wordOrder ?? orders.wordOrder) === 'little';
  const ordered = little ? [...words].reverse() : words;
  const view = new DataView(new ArrayBuffer(words.length * 2));
  const swap = (register.byteOrder ?? orders.byteOrder) === 'little';
  ordered.forEach((word, i) => view.setUint16(i * 2, swap ? swapBytes(word) : word));
  return Number((getNumber(view, register.type) * (register.scale ?? 1)).toPrecision(12));
}

const swapBytes = (word: number): number => ((word & 0xff) << 8) | (word >> 8);
const within = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, Math.round(value)));

function setNumber(view: DataView, type: NumberType, value: number): void {
  switch (type) {
    case 'uint16':
      return view.setUint16(0, within(value, 0, 0xffff));
    case 'int16':
      return view.setInt16(0, within(value, -0x8000, 0x7fff));
    case 'uint32':
      return view.setUint32(0, within(value, 0, 0xffff_ffff));
    case 'int32':
      return view.setInt32(0, within(value, -0x8000_0000, 0x7fff_ffff));
    case 'uint64':
      return view.setBigUint64(0, BigInt(within(value, 0, Number.MAX_SAFE_INTEGER)));
    case 'int64':
      return view.setBigInt64(0, BigInt(within(value, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)));
    case 'float32':
      return view.setFloat32(0, value);
    case 'float64':
      return view.setFloat64(0, value);
  }
}

function getNumber(view: DataView, type: Register['type']): number {
  switch (type) {
    case 'uint16':
      return view.getUint16(0);
    case 'int16':
      return view.getInt16(0);
    case 'uint32':
      return view.getUint32(0);
    case 'int32':
      return view.getInt32(0);
    case 'uint64':
      return Number(view.getBigUint64(0));
    case 'int64':
      return Number(view.getBigInt64(0));
    case 'float32':
      return view.getFloat32(0);
    case 'float64':
      return view.getFloat64(0);
    case 'bit':
      return view.getUint16(0) === 0 ? 0 : 1;
    case 'string':
      return Number.NaN;
  }
}
