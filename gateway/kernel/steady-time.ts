// Time that nobody sets: what is aged or waited for must not end, or never end, because a clock was set.
import type { Clock } from './clock.js';
import { timestamp, type Timestamp } from './units.js';

/** Wall-clock time now, and steady from here. */
export function steadyTime(clock: Clock): () => Timestamp {
  const wall = clock.now();
  const monotonic = clock.monotonic();
  return () => timestamp(wall + (clock.monotonic() - monotonic));
}
