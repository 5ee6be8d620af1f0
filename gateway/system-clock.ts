// The real clock: the one place in the product that asks the time and starts a timer.
import type { CancelTimer, Clock } from './kernel/clock.js';
import { milliseconds, timestamp, type Milliseconds } from './kernel/units.js';

/** setTimeout takes 31 bits, and fires at once for anything above: a longer wait is served in steps. */
const LONGEST_STEP = 2 ** 31 - 1;

/** When this process began on the clock of the machine, which goes on over a restart of the gateway. In ms. */
const STARTED = Number(process.hrtime.bigint()) / 1e6 - performance.now();

export const systemClock: Clock = {
  now: () => timestamp(Date.now()),
  monotonic: () => milliseconds(STARTED + performance.now()),
  after(delay: Milliseconds, action: () => void): CancelTimer {
    let timer: NodeJS.Timeout;
    const wait = (rest: number): void => {
      timer =
        rest > LONGEST_STEP ? setTimeout(() => wait(rest - LONGEST_STEP), LONGEST_STEP) : setTimeout(action, rest);
    };
    wait(delay);
    return () => clearTimeout(timer);
  },
  every(interval: Milliseconds, action: () => void): CancelTimer {
    if (interval <= LONGEST_STEP) {
      const timer = setInterval(action, interval);
      return () => clearInterval(timer);
    }
    let cancel: CancelTimer = () => undefined;
    const again = (): void => {
      cancel = systemClock.after(interval, () => {
        again();
        action();
      });
    };
    again();
    return () => cancel();
  },
};
