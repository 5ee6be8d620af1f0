// A clock that stands still until a test moves it: timers fire in order of their time, at their own moment.
import type { CancelTimer, Clock } from '../../gateway/kernel/clock.js';
import { milliseconds, timestamp, type Milliseconds, type Timestamp } from '../../gateway/kernel/units.js';

interface Timer {
  readonly order: number;
  at: number;
  readonly interval: number | undefined;
  readonly action: () => void;
}

/** Turns of the event loop granted after each timer, so that promises of fakes (and of a real disk) can settle. */
const TURNS = 3;

export class FakeClock implements Clock {
  #wall: number;
  #monotonic = 0;
  #order = 0;
  readonly #timers = new Set<Timer>();

  constructor(start: number | string = '2025-03-01T08:00:00Z') {
    this.#wall = typeof start === 'number' ? start : Date.parse(start);
  }

  now(): Timestamp {
    return timestamp(this.#wall);
  }

  monotonic(): Milliseconds {
    return milliseconds(this.#monotonic);
  }

  after(delay: Milliseconds, action: () => void): CancelTimer {
    return this.#add(delay, undefined, action);
  }

  every(interval: Milliseconds, action: () => void): CancelTimer {
    return this.#add(interval, Math.max(1, interval), action);
  }

  /** Timers that are waiting. */
  get pending(): number {
    return this.#timers.size;
  }

  /** The wall clock jumps; durations are not affected. */
  setNow(at: number): void {
    this.#wall = at;
  }

  /** Lets promises that are ready settle, without moving the time. */
  async settle(turns = TURNS): Promise<void> {
    for (let i = 0; i < turns; i++) await new Promise<void>((resolve) => setImmediate(resolve));
  }

  /** Moves the time forward, firing every timer that falls due at its own moment, and lets what each set off settle. */
  async advance(ms: number): Promise<void> {
    await this.settle();
    const end = this.#monotonic + ms;
    for (let due = this.#next(end); due !== undefined; due = this.#next(end)) {
      this.#moveTo(due.at);
      this.#fire(due);
      await this.settle();
    }
    this.#moveTo(end);
    await this.settle();
  }

  /** The time has moved on at once, as on a machine that slept: what fell due meanwhile fires once, now. */
  async leap(ms: number): Promise<void> {
    const end = this.#monotonic + ms;
    this.#moveTo(end);
    for (let due = this.#next(end); due !== undefined; due = this.#next(end)) {
      due.at = end;
      this.#fire(due);
    }
    await this.settle();
  }

  /** As `advance`, without letting promises settle in between: for code that is synchronous. */
  advanceSync(ms: number): void {
    const end = this.#monotonic + ms;
    for (let due = this.#next(end); due !== undefined; due = this.#next(end)) {
      this.#moveTo(due.at);
      this.#fire(due);
    }
    this.#moveTo(end);
  }

  #add(delay: number, interval: number | undefined, action: () => void): CancelTimer {
    const timer: Timer = { order: this.#order++, at: this.#monotonic + Math.max(0, delay), interval, action };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  #next(end: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.at > end) continue;
      if (first === undefined || timer.at < first.at || (timer.at === first.at && timer.order < first.order))
        first = timer;
    }
    return first;
  }

  #fire(timer: Timer): void {
    if (timer.interval === undefined) this.#timers.delete(timer);
    else timer.at += timer.interval;
    timer.action();
  }

  #moveTo(monotonic: number): void {
    if (monotonic <= this.#monotonic) return;
    this.#wall += monotonic - this.#monotonic;
    this.#monotonic = monotonic;
  }
}
