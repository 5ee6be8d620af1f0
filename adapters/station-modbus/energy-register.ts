// The energy register of one EVSE: never falls inside a transaction, and a spike is read again before it is believed.
import type { ModbusDevice } from '../modbus/device.js';
import { ENERGY, type Snapshot } from './snapshot.js';

export interface RegisterPoint {
  /** Wh. */
  readonly energy: number;
  /** Monotonic milliseconds; undefined where the value is older than the process. */
  readonly at?: number;
}

/** Registers of some devices count in whole kilowatt hours. */
const RESOLUTION = 1000;

/** @param maxPower what the EVSE can give, in W */
export function isPlausible(last: RegisterPoint | undefined, energy: number, now: number, maxPower: number): boolean {
  if (last === undefined) return true;
  if (energy < last.energy) return false;
  if (last.at === undefined) return true;
  return energy - last.energy <= (1.5 * maxPower * (now - last.at)) / 3_600_000 + RESOLUTION;
}

/** What a poll did to the register; `jumped` where the value had to be read again. */
export interface Taken {
  readonly last: RegisterPoint | undefined;
  readonly jumped?: { readonly before: number; readonly read: number; readonly again: number | undefined };
}

/**
 * Takes in the register of a poll. A second spike is believed, a fall never.
 * @param last the last point of the same transaction; undefined outside one, where any value is taken
 */
export async function takeEnergy(
  last: RegisterPoint | undefined,
  snapshot: Snapshot,
  now: number,
  maxPower: number,
  device: ModbusDevice,
): Promise<Taken> {
  const energy = snapshot.values.get(ENERGY);
  if (typeof energy !== 'number') return { last };
  if (last === undefined || isPlausible(last, energy, now, maxPower)) return { last: { energy, at: now } };
  const values = await device.read([ENERGY]);
  const second = values.ok ? values.value.get(ENERGY) : undefined;
  const again = typeof second === 'number' ? second : undefined;
  return {
    last: again === undefined ? last : { energy: Math.max(last.energy, again), at: now },
    jumped: { before: last.energy, read: energy, again },
  };
}
