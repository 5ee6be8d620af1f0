// Whether a new value of an energy register can be believed: chargers are known to answer with falling registers and with spikes.

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

/**
 * What to make of a value that was read again because the first was not plausible: a second spike is believed, a fall is
 * never, so that a register does not go backwards inside a transaction.
 */
export const believed = (last: RegisterPoint, again: number): number => Math.max(last.energy, again);
