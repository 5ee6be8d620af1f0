// Heartbeats keep their interval even where timers come early and time passes between two looks at the clock.
import t from 'tap';
import { heartbeatTimer } from '../../../adapters/ocpp-j/csms-heartbeat.js';
import type { Clock } from '../../../gateway/kernel/clock.js';
import { milliseconds, timestamp } from '../../../gateway/kernel/units.js';

void t.test('a timer that comes a moment early is followed by a short wait, not by half a minute', (t) => {
  let now = 0;
  let beats = 0;
  const waits: { readonly delay: number; readonly action: () => void }[] = [];
  const clock: Clock = {
    now: () => timestamp(now),
    // Every look costs a little: the second look may find the interval over.
    monotonic: () => milliseconds((now += 0.2)),
    after: (delay, action) => {
      waits.push({ delay, action });
      return () => undefined;
    },
    every: () => () => undefined,
  };
  const timer = heartbeatTimer(
    clock,
    () => milliseconds(1000),
    () => beats++,
  );
  timer.start();
  const begun = now;
  for (let i = 0; i < 200 && beats < 10; i++) {
    const wait = waits.shift();
    if (wait === undefined) break;
    // A quarter of a millisecond early, as timers of whole milliseconds are.
    now += Math.max(0, wait.delay - 0.25);
    wait.action();
  }
  t.equal(beats, 10);
  t.ok(now - begun < 10_100, `ten beats in ${Math.round(now - begun)} ms`);
  t.end();
});
