// Clocks of stations that cannot be right: what they say gives way to the moment of arrival, and nothing else does.
import t from 'tap';
import { evseNumber, stationId } from '../../../gateway/kernel/ids.js';
import { minutes, timestamp, type Timestamp } from '../../../gateway/kernel/units.js';
import { withPlausibleTimes } from '../../../gateway/site/plausible-time.js';
import type { StatusReported, TransactionReported } from '../../../gateway/site/station-event.js';

const NOW = timestamp(Date.UTC(2026, 10, 23, 12));
const CP01 = stationId('CP01');

const status = (at: Timestamp): StatusReported => ({
  type: 'status',
  station: CP01,
  evse: evseNumber(1),
  status: 'Available',
  at,
});
const event = (at: Timestamp, valueAt: Timestamp): TransactionReported => ({
  type: 'transaction',
  station: CP01,
  kind: 'updated',
  at,
  trigger: 'MeterValuePeriodic',
  meterValues: [{ at: valueAt, sampled: [{ value: 1 }] }],
  offline: false,
});

void t.test('which times are believed', (t) => {
  for (const [what, at, believed] of [
    ['now', NOW, true],
    ['four minutes ahead', timestamp(NOW + minutes(4)), true],
    ['six minutes ahead', timestamp(NOW + minutes(6)), false],
    ['2099', timestamp(Date.UTC(2099, 0, 1)), false],
    ['two days of offline replay', timestamp(NOW - minutes(2880)), true],
    ['1970', timestamp(0), false],
  ] as const) {
    const given = status(at);
    const taken = withPlausibleTimes(given, NOW);
    if (believed) t.equal(taken, given, what);
    else t.match(taken, { at: NOW }, what);
  }
  t.end();
});

void t.test('an event of a transaction keeps what was said; its values are judged one by one', (t) => {
  const late = timestamp(Date.UTC(2099, 0, 1));
  t.match(withPlausibleTimes(event(late, late), NOW), { at: NOW, reportedAt: late, meterValues: [{ at: NOW }] });
  const onlyValue = withPlausibleTimes(event(NOW, late), NOW);
  t.match(onlyValue, { at: NOW, meterValues: [{ at: NOW }] });
  t.notOk('reportedAt' in onlyValue);
  const right = event(NOW, NOW);
  t.equal(withPlausibleTimes(right, NOW), right);
  t.end();
});

void t.test('what every kind of event said is kept', (t) => {
  const late = timestamp(Date.UTC(2099, 0, 1));
  t.match(withPlausibleTimes(status(late), NOW), { at: NOW, reportedAt: late });
  t.match(withPlausibleTimes(event(NOW, late), NOW), { meterValues: [{ at: NOW, reportedAt: late }] });
  const translated = { ...status(late), reportedAt: timestamp(5) };
  t.match(withPlausibleTimes(translated, NOW), { at: NOW, reportedAt: 5 }, 'the first word of the station');
  t.end();
});
