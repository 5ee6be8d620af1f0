// Groups registers into as few reads as the device allows. Registers that nobody asked for are never read: a gap may be unreadable.
import type { BitFunction, IoPolicy, ReadFunction, Register } from './device-profile.js';
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
  readonly fc: ReadFunction | BitFunction;
  readonly address: number;
  readonly count: number;
  readonly registers: readonly PlacedRegister[];
}

/** Where the read of a register begins and ends: at itself, or at the block that it is read with. */
function extent({ register, address }: PlacedRegister): { readonly from: number; readonly end: number } {
  const { block } = register;
  const from = block === undefined ? address : address - register.address + block.at;
  return { from, end: from + (block?.words ?? wordsOf(register)) };
}

/** Blocks of adjoining registers of one unit and function, none longer than the device allows; a value is never split. */
export function planReads(registers: readonly PlacedRegister[], io: IoPolicy): readonly ReadBlock[] {
  const longest = io.maxRegistersPerRead ?? 125;
  const readable = registers
    .flatMap((placed) =>
      placed.register.read === undefined ? [] : [{ placed, fc: placed.register.read, ...extent(placed) }],
    )
    .sort((a, b) => a.placed.unit - b.placed.unit || a.fc - b.fc || a.from - b.from);
  const blocks: (Omit<ReadBlock, 'count' | 'registers'> & { count: number; registers: PlacedRegister[] })[] = [];
  for (const { fc, from, end, placed } of readable) {
    const last = blocks.at(-1);
    const same = last !== undefined && last.unit === placed.unit && last.fc === fc;
    const within = same && from === last.address && end === last.address + last.count;
    const adjoins =
      within ||
      (same &&
        io.exactReads !== true &&
        fc >= 3 &&
        placed.register.block === undefined &&
        from <= last.address + last.count &&
        end - last.address <= longest);
    if (adjoins) {
      last.count = Math.max(last.count, end - last.address);
      last.registers.push(placed);
    } else {
      blocks.push({ unit: placed.unit, fc, address: from, count: end - from, registers: [placed] });
    }
  }
  return blocks;
}
