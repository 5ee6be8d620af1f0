// When the next Heartbeat is due, by an interval that the CSMS may change at any time.
import type { CancelTimer, Clock } from '../../gateway/kernel/clock.js';
import { type Milliseconds, milliseconds } from '../../gateway/kernel/units.js';

export interface HeartbeatTimer {
  /** Counts from now. */
  start(): void;
  /** One has just gone out for another reason: counts anew. */
  sent(): void;
  stop(): void;
}

/** How often the interval is looked at again. */
const CHECK = 30_000;

/** @param interval 0 or less: no heartbeats for now */
export function heartbeatTimer(clock: Clock, interval: () => Milliseconds, beat: () => void): HeartbeatTimer {
  let last = clock.monotonic();
  let cancel: CancelTimer = () => {};

  function wait(): void {
    cancel();
    const every = interval();
    // A timer may come a little early: what is left then is waited for, however little it is.
    const left = every > 0 ? Math.max(0, last + every - clock.monotonic()) : CHECK;
    cancel = clock.after(milliseconds(Math.min(left, CHECK)), () => {
      const now = interval();
      if (now > 0 && clock.monotonic() - last >= now) {
        last = clock.monotonic();
        beat();
      }
      wait();
    });
  }

  return {
    start() {
      last = clock.monotonic();
      wait();
    },
    sent() {
      last = clock.monotonic();
    },
    stop: () => cancel(),
  };
}
