// Time as a dependency. Only the system clock (compose.ts) and the test clock implement this; nothing else asks the time.
import type { Milliseconds, Timestamp } from './units.js';

export interface Clock {
  /** Wall-clock time; may jump when the box learns the time. */
  now(): Timestamp;
  /** Milliseconds that only ever rise, from an arbitrary origin: for durations and timeouts. */
  monotonic(): Milliseconds;
  /** Calls `action` once after `delay`; the answer cancels it. A cancelled or fired timer may be cancelled again. */
  after(delay: Milliseconds, action: () => void): CancelTimer;
  /** Calls `action` every `interval` until cancelled. */
  every(interval: Milliseconds, action: () => void): CancelTimer;
}

export type CancelTimer = () => void;
