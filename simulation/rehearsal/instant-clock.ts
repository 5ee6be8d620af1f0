// A clock that goes as fast as the machine can compute: from one timer to the next, with nothing in between.
import type { CancelTimer, Clock } from '../../gateway/kernel/clock.js';
import { milliseconds, timestamp, type Milliseconds, type Timestamp } from '../../gateway/kernel/units.js';

interface Timer {
  at: number;
  /** Of timers of one moment the one that was set first goes first. */
  order: number;
  readonly interval: number | undefined;
  readonly action: () => void;
  cancelled: boolean;
}

export class InstantClock implements Clock {
  readonly #start: Timestamp;
  #passed = 0;
  #order = 0;
  /** The next one last. */
  readonly #timers: Timer[] = [];

  constructor(start: Timestamp) {
    this.#start = start;
  }

  now(): Timestamp {
    return timestamp(this.#start + this.#passed);
  }

  monotonic(): Milliseconds {
    return milliseconds(this.#passed);
  }

  after(delay: Milliseconds, action: () => void): CancelTimer {
    return this.#add(delay, undefined, action);
  }

  every(interval: Milliseconds, action: () => void): CancelTimer {
    return this.#add(interval, Math.max(1, interval), action);
  }

  /** Lets time pass up to this long after the start. What a timer sets off is done before the next one fires. */
  async runUntil(end: Milliseconds): Promise<void> {
    await settled();
    for (let next = this.#timers.at(-1); next !== undefined && next.at <= end; next = this.#timers.at(-1)) {
      this.#passed = Math.max(this.#passed, next.at);
      while ((this.#timers.at(-1)?.at ?? Infinity) <= this.#passed) this.#fireNext();
      await settled();
    }
    this.#passed = Math.max(this.#passed, end);
  }

  #fireNext(): void {
    const timer = this.#timers.pop();
    if (timer === undefined || timer.cancelled) return;
    timer.action();
    if (timer.interval === undefined || timer.cancelled) return;
    timer.at += timer.interval;
    timer.order = this.#order++;
    this.#insert(timer);
  }

  #add(delay: number, interval: number | undefined, action: () => void): CancelTimer {
    const at = this.#passed + Math.max(0, delay);
    const timer: Timer = { at, order: this.#order++, interval, action, cancelled: false };
    this.#insert(timer);
    return () => {
      timer.cancelled = true;
    };
  }

  #insert(timer: Timer): void {
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#timers[middle];
      if (other !== undefined && (other.at > timer.at || (other.at === timer.at && other.order > timer.order)))
        low = middle + 1;
      else high = middle;
    }
    this.#timers.splice(low, 0, timer);
  }
}

/** Every promise that is ready has been gone on with: no part of the core waits for anything but timers and promises. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
