// How many setpoints a charger's memory may still bear today, where each one wears it out.
import type { Timestamp } from '../kernel/units.js';
import type { EvseObservation } from './observation.js';
import type { EvseState } from './state.js';

const DAY = 86_400_000;
/** So much of a day's setpoints may be used at once; the rest comes back over the day, so that no 24 hours see more than all. */
const AT_ONCE = 0.25;
/** A raise, the cuts that may have to follow it, to the minimum and to 0, and one to spare. */
const LEAST = 4;
const atOnce = (setpointsPerDay: number): number => Math.max(LEAST, setpointsPerDay * AT_ONCE);

/** Infinite where nothing limits it. */
export function setpointsLeft(
  state: EvseState,
  { setpointsPerDay }: Pick<EvseObservation, 'setpointsPerDay'>,
  now: Timestamp,
): number {
  if (setpointsPerDay === undefined) return Infinity;
  const most = atOnce(setpointsPerDay);
  if (state.budget === undefined) return most;
  const { left, at } = state.budget;
  return Math.min(most, left + (Math.max(0, now - at) * Math.max(0, setpointsPerDay - most)) / DAY);
}

/**
 * What is left is kept for cuts that cannot wait, one to the minimum instead of many small ones, and nothing is raised until
 * more than that has come back.
 */
export const spares = (left: number, setpointsPerDay: number | undefined): boolean =>
  setpointsPerDay !== undefined && left < Math.max(LEAST, atOnce(setpointsPerDay) / 2);

/** The state after one more setpoint. */
export const spent = (
  state: EvseState,
  observation: Pick<EvseObservation, 'setpointsPerDay'>,
  now: Timestamp,
): EvseState =>
  observation.setpointsPerDay === undefined
    ? state
    : { ...state, budget: { left: setpointsLeft(state, observation, now) - 1, at: now } };
