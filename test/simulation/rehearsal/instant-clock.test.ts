// The clock that does not wait: timers in order, at their own moment, and all that follows from one before the next.
import t from 'tap';
import { milliseconds, seconds, timestamp } from '../../../gateway/kernel/units.js';
import { InstantClock } from '../../../simulation/rehearsal/instant-clock.js';

t.test('timers fire in order of their time, then of their setting, and promises in between', async (t) => {
  const clock = new InstantClock(timestamp(1000));
  const seen: string[] = [];
  const note = (what: string) => () => void seen.push(`${clock.monotonic()} ${what}`);
  clock.every(seconds(2), note('every'));
  clock.after(seconds(3), () => {
    void Promise.resolve()
      .then(() => Promise.resolve())
      .then(note('promise'));
    clock.after(milliseconds(0), note('at once'));
  });
  clock.after(seconds(2), note('second'));
  const cancel = clock.after(seconds(3), note('cancelled'));
  clock.after(seconds(1), () => cancel());
  await clock.runUntil(seconds(5));
  t.same(seen, ['2000 every', '2000 second', '3000 at once', '3000 promise', '4000 every']);
  t.equal(clock.monotonic(), 5000);
  t.equal(clock.now(), 6000);
});

t.test('a repeated timer that cancels itself is over', async (t) => {
  const clock = new InstantClock(timestamp(0));
  let count = 0;
  const cancel = clock.every(seconds(1), () => {
    if (++count === 3) cancel();
  });
  await clock.runUntil(seconds(10));
  t.equal(count, 3);
});
