// The real clock, for the two things that the fake one cannot show: waits beyond 31 bits, and time that only rises.
import t from 'tap';
import { milliseconds } from '../../gateway/kernel/units.js';
import { systemClock } from '../../gateway/system-clock.js';

const DAY = 86_400_000;

/** Timers as the process would have them, fired by hand: a month cannot be waited for. */
function handTimers(): { readonly waits: number[]; fire(): void; readonly pending: number; restore(): void } {
  const { setTimeout: realSet, clearTimeout: realClear } = globalThis;
  const timers = new Map<number, () => void>();
  const waits: number[] = [];
  let next = 0;
  globalThis.setTimeout = ((action: () => void, delay: number) => {
    waits.push(delay);
    timers.set(++next, action);
    return next;
  }) as unknown as typeof setTimeout;
  globalThis.clearTimeout = ((id: number) => void timers.delete(id)) as unknown as typeof clearTimeout;
  return {
    waits,
    get pending() {
      return timers.size;
    },
    fire() {
      // What an action sets anew is not due yet.
      const due = [...timers];
      for (const [id, action] of due) {
        timers.delete(id);
        action();
      }
    },
    restore() {
      globalThis.setTimeout = realSet;
      globalThis.clearTimeout = realClear;
    },
  };
}

void t.test('a wait of two months is served in steps, fires once, and can be cancelled in any of them', (t) => {
  const timers = handTimers();
  t.teardown(() => timers.restore());
  let fired = 0;
  systemClock.after(milliseconds(60 * DAY), () => fired++);
  timers.fire();
  timers.fire();
  t.equal(fired, 0);
  timers.fire();
  t.equal(fired, 1);
  t.equal(timers.pending, 0);
  t.ok(timers.waits.every((wait) => wait <= 2 ** 31 - 1));
  t.equal(
    timers.waits.reduce((sum, wait) => sum + wait, 0),
    60 * DAY,
  );

  const cancel = systemClock.after(milliseconds(60 * DAY), () => fired++);
  timers.fire();
  cancel();
  t.equal(timers.pending, 0, 'cancelled in its second step');
  t.equal(fired, 1);
  cancel();
  timers.waits.length = 0;
  systemClock.after(milliseconds(Infinity), () => fired++);
  timers.fire();
  timers.fire();
  t.equal(fired, 1, 'for ever is for ever');
  t.ok(timers.waits.every((wait) => wait <= 2 ** 31 - 1));
  t.end();
});

void t.test('intervals beyond 31 bits do not become a busy loop', (t) => {
  const timers = handTimers();
  t.teardown(() => timers.restore());
  let fired = 0;
  const cancel = systemClock.every(milliseconds(30 * DAY), () => fired++);
  timers.fire();
  t.equal(fired, 0);
  timers.fire();
  t.equal(fired, 1);
  timers.fire();
  timers.fire();
  t.equal(fired, 2);
  cancel();
  t.equal(timers.pending, 0);
  const once = systemClock.every(milliseconds(25 * DAY), () => {
    fired++;
    once();
  });
  timers.fire();
  timers.fire();
  t.equal(fired, 3);
  t.equal(timers.pending, 0, 'an interval may end itself');
  t.end();
});

void t.test('time', async (t) => {
  t.ok(Math.abs(systemClock.now() - Date.now()) < 1000);
  let last = systemClock.monotonic();
  for (let i = 0; i < 1000; i++) {
    const now = systemClock.monotonic();
    if (now < last) t.fail('time went backwards');
    last = now;
  }
  const before = systemClock.monotonic();
  await new Promise<void>((resolve) => systemClock.after(milliseconds(20), resolve));
  t.ok(systemClock.monotonic() - before >= 19);
  await new Promise<void>((resolve) => {
    let ticks = 0;
    const cancel = systemClock.every(milliseconds(1), () => {
      if (++ticks < 3) return;
      cancel();
      resolve();
    });
  });
  t.pass('an interval ticks until it is cancelled');
});
