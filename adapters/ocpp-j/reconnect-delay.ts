// How long a charging station waits before it tries its CSMS again (OCPP 2.0.1 Part 4 section 5.3).
import { type Milliseconds, seconds } from '../../gateway/kernel/units.js';

export interface BackOff {
  /** RetryBackOffWaitMinimum, in seconds. */
  readonly minimum: number;
  /** RetryBackOffRandomRange, in seconds. */
  readonly range: number;
  /** RetryBackOffRepeatTimes: how often the wait doubles before it stays. */
  readonly repeats: number;
}

/**
 * The minimum, doubled with each failed attempt up to `repeats` times, plus a random part, so that the stations of a
 * town do not come back in one second after a power cut.
 * @param failed attempts that have failed since the last success, from 0
 * @param random a number in [0, 1)
 */
export const reconnectDelay = (failed: number, backOff: BackOff, random: number): Milliseconds =>
  seconds(backOff.minimum * 2 ** Math.min(failed, backOff.repeats) + backOff.range * random);
