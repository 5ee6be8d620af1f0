// Chargers that were told a wrong time: which of their times are moved, and when they are believed again.
import t from 'tap';
import { evseNumber, stationId } from '../../../gateway/kernel/ids.js';
import { milliseconds, minutes, seconds, timestamp, type Timestamp } from '../../../gateway/kernel/units.js';
import { StationTimes } from '../../../gateway/shell/station-times.js';
import type { StatusReported } from '../../../gateway/site/station-event.js';
import { FakeClock } from '../../fakes/fake-clock.js';

const CP1 = stationId('CP1');
const hours = (value: number): number => minutes(60 * value);

const status = (at: number): StatusReported => ({
  type: 'status',
  station: CP1,
  evse: evseNumber(1),
  status: 'Available',
  at: timestamp(at),
});

/** The gateway has just learned that it was `offset` behind, in an era that went on for half an hour. */
function learned(offset: number): {
  readonly clock: FakeClock;
  readonly times: StationTimes;
  readonly old: () => number;
} {
  const clock = new FakeClock();
  const times = new StationTimes(clock);
  times.heard(CP1, false);
  const from = timestamp(clock.now() - offset - minutes(30));
  times.left(times.inEra(), { from, offset: milliseconds(offset) });
  return { clock, times, old: () => clock.now() - offset };
}

void t.test('the old time is moved, whatever was said is kept', (t) => {
  for (const offset of [hours(20), minutes(2), -hours(3)]) {
    const { clock, times, old } = learned(offset);
    t.match(times.translated(status(old())), { at: clock.now(), reportedAt: old() }, `now, ${offset}`);
    clock.advanceSync(minutes(10));
    t.match(times.translated(status(old())), { at: clock.now() }, `ten minutes later, ${offset}`);
  }
  t.end();
});

void t.test('times from before the era, and those of a charger that has heard the new one, stay', (t) => {
  const { clock, times, old } = learned(hours(20));
  const before = status(old() - minutes(31));
  t.equal(times.translated(before), before);
  const heard = status(clock.now() - seconds(5));
  t.equal(times.translated(heard), heard);
  const heardAt = heard.at;
  clock.advanceSync(hours(21));
  t.match(times.translated(status(heardAt - hours(20))), { at: heardAt }, 'what it held back from before');
  const since: StatusReported = status(heardAt + minutes(30));
  t.equal(times.translated(since), since, 'although the old time would be there by now');
  t.end();
});

void t.test('moved back, new times are not taken for old ones', (t) => {
  const { clock, times } = learned(-hours(3));
  const heard = status(clock.now());
  t.equal(times.translated(heard), heard);
  clock.advanceSync(hours(4));
  const later = status(clock.now());
  t.equal(times.translated(later), later);
  t.end();
});

void t.test('a charger with a clock of its own is left alone', (t) => {
  const clock = new FakeClock();
  const times = new StationTimes(clock);
  times.heard(CP1, undefined);
  t.same(times.inEra(), [CP1], 'connected, and not heard otherwise');
  times.heard(CP1, true);
  t.same(times.inEra(), []);
  times.heard(CP1, undefined);
  t.same(times.inEra(), [], 'an event without a time says nothing');
  times.heard(CP1, false);
  t.same(times.inEra(), [CP1], 'it has been told since');
  const at: Timestamp = clock.now();
  times.left([], { from: at, offset: milliseconds(hours(1)) });
  const event = status(at);
  t.equal(times.translated(event), event);
  t.end();
});
