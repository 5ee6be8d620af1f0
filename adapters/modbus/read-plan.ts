// Groups registers into as few reads as the device allows. Registers that nobody asked for are never read: a gap may be unreadable.
import type { IoPolicy, ReadFunction, Register } from './device-profile.js';
import { wordsOf } from './register-value.js';

export interface PlacedRegister {
  readonly name: string;
  readonly register: Register;
  readonly unit: number;
  /** Absolute PDU address. */
  readonly address: number;
}

export interface ReadBlock {
  readonly unit: number;
  readonly fc: ReadFunction;
  readonly address: number;
  readonly count: number;
  readonly registers: readonly PlacedRegister[];
}

/** Blocks of adjoining registers of one unit and function, none longer than the device allows; a value is never split. */
export function planReads(registers: readonly PlacedRegister[], io: IoPolicy): readonly ReadBlock[] {
  const longest = io.maxRegistersPerRead ?? 125;
  const readable = registers
    .flatMap((placed) => (placed.register.read === undefined ? [] : [{ ...placed, fc: placed.register.read }]))
    .sort((a, b) => a.unit - b.unit || a.fc - b.fc || a.address - b.address);
  const blocks: { unit: number; fc: ReadFunction; address: number; count: number; registers: PlacedRegister[] }[] = [];
  for (const { fc, ...placed } of readable) {
    const last = blocks.at(-1);
    const end = placed.address + wordsOf(placed.register);
    const adjoins =
      last !== undefined &&
      io.exactReads !== true &&
      last.unit === placed.unit &&
      last.fc === fc &&
      placed.address <= last.address + last.count &&
      end - last.address <= longest;
    if (adjoins) {
      last.count = Math.max(last.count, end - last.address);
      last.registers.push(placed);
    } else {
      blocks.push({ unit: placed.unit, fc, address: placed.address, count: end - placed.address, registers: [placed] });
    }
  }
  return blocks;
}
