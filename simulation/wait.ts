// Waits for something to become true on a simulated site, in clock time.
import type { Clock } from '../gateway/kernel/clock.js';
import { milliseconds, seconds, type Milliseconds } from '../gateway/kernel/units.js';

const LOOK = milliseconds(250);

export const pause = (clock: Clock, time: Milliseconds): Promise<void> =>
  new Promise((resolve) => clock.after(time, resolve));

/** @returns whether it became true within `patience` seconds */
export async function until(clock: Clock, patience: number, condition: () => boolean): Promise<boolean> {
  const end = clock.monotonic() + seconds(patience);
  while (!condition()) {
    if (clock.monotonic() >= end) return false;
    await pause(clock, LOOK);
  }
  return true;
}
