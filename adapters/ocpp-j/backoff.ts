// How long to wait before the next attempt to reach a CSMS (OCPP 2.0.1 Part 4 section 5.3); used for 1.6 just the same.
import { milliseconds, type Milliseconds } from '../../gateway/kernel/units.js';

export interface BackoffSettings {
  /** RetryBackOffWaitMinimum. */
  readonly waitMinimum: Milliseconds;
  /** RetryBackOffRandomRange: the largest random share of each increase. */
  readonly randomRange: Milliseconds;
  /** RetryBackOffRepeatTimes: how often the wait is doubled before it stays as it is. */
  readonly repeatTimes: number;
}

/**
 * The waits before the first, second, third ... attempt, without end; begin a new iteration after a success.
 * @param random from 0 up to 1
 */
export function* reconnectWaits(settings: BackoffSettings, random: () => number): Generator<Milliseconds, never> {
  let wait = settings.waitMinimum + random() * settings.randomRange;
  for (let doublings = 0; doublings < settings.repeatTimes; doublings++) {
    yield milliseconds(wait);
    wait = 2 * wait + random() * settings.randomRange;
  }
  for (;;) yield milliseconds(wait);
}
