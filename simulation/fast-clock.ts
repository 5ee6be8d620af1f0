// A clock that runs faster than the wall: the same program over the same real sockets, an evening in minutes.
import type { CancelTimer, Clock } from '../gateway/kernel/clock.js';
import { milliseconds, timestamp, type Milliseconds } from '../gateway/kernel/units.js';

/**
 * @param speed how many seconds pass in one second of `base`; every time-out shrinks with it, so more than some tens
 * leaves real sockets no time to answer
 */
export function fastClock(speed: number, base: Clock): Clock {
  const wallOrigin = base.now();
  const origin = base.monotonic();
  const passed = (): number => (base.monotonic() - origin) * speed;
  return {
    now: () => timestamp(Math.round(wallOrigin + passed())),
    monotonic: () => milliseconds(origin + passed()),
    after: (delay: Milliseconds, action: () => void): CancelTimer => base.after(milliseconds(delay / speed), action),
    every: (interval: Milliseconds, action: () => void): CancelTimer =>
      base.every(milliseconds(interval / speed), action),
  };
}
