// The real clock: the one place in the product that asks the time and starts a timer.
import type { CancelTimer, Clock } from './kernel/clock.js';
import { milliseconds, timestamp, type Milliseconds } from './kernel/units.js';

export const systemClock: Clock = {
  now: () => timestamp(Date.now()),
  monotonic: () => milliseconds(performance.now()),
  after(delay: Milliseconds, action: () => void): CancelTimer {
    // setTimeout takes 31 bits; a longer wait is served in steps.
    const limit = 2 ** 31 - 1;
    let timer: NodeJS.Timeout;
    const wait = (rest: number): void => {
      timer = rest > limit ? setTimeout(() => wait(rest - limit), limit) : setTimeout(action, rest);
    };
    wait(delay);
    return () => clearTimeout(timer);
  },
  every(interval: Milliseconds, action: () => void): CancelTimer {
    const timer = setInterval(action, interval);
    return () => clearInterval(timer);
  },
};
