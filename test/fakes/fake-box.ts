// A box as it is found in the field: its clock may stand anywhere after a power cut, and nobody sets it until a test does.
import type { CancelTimer, Clock } from '../../gateway/kernel/clock.js';
import { milliseconds, timestamp, type Milliseconds, type Timestamp } from '../../gateway/kernel/units.js';
import type { Machine } from '../../gateway/ports/machine.js';
import type { FakeClock } from './fake-clock.js';

export class FakeBox implements Clock {
  readonly #true: FakeClock;
  readonly #released: Timestamp;
  #boots = 1;
  #startedAt: Milliseconds;
  /** How far its clock is from the true time. */
  #error = 0;
  #synchronised: Timestamp | undefined;
  /** Timers that have fired. */
  fired = 0;

  /** @param released of the release that runs on it */
  constructor(clock: FakeClock, released: Timestamp) {
    this.#true = clock;
    this.#released = released;
    this.#startedAt = clock.monotonic();
  }

  get machine(): Machine {
    const boot = (): string => `boot ${this.#boots}`;
    return {
      get boot() {
        return boot();
      },
      released: this.#released,
      lastSynchronised: () => this.#synchronised,
    };
  }

  /** Power comes back: another boot, whose clock begins at `wall`. */
  powerOn(wall: number): void {
    this.#boots++;
    this.#startedAt = this.#true.monotonic();
    this.#synchronised = undefined;
    this.set(wall);
  }

  /** The system's clock jumps. */
  set(wall: number): void {
    this.#error = wall - this.#true.now();
  }

  /** A time server sets the system's clock. @param told the system says so, as systemd-timesyncd does */
  ntp(told: boolean): void {
    this.#error = 0;
    if (told) this.#synchronised = this.now();
  }

  now(): Timestamp {
    return timestamp(this.#true.now() + this.#error);
  }

  monotonic(): Milliseconds {
    return milliseconds(this.#true.monotonic() - this.#startedAt);
  }

  after(delay: Milliseconds, action: () => void): CancelTimer {
    return this.#true.after(delay, this.#counted(action));
  }

  every(interval: Milliseconds, action: () => void): CancelTimer {
    return this.#true.every(interval, this.#counted(action));
  }

  #counted(action: () => void): () => void {
    return () => {
      this.fired++;
      action();
    };
  }
}
