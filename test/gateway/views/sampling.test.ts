// Thinning to one CSMS's interval, also where a charger's clock has been set.
import t from 'tap';
import { minutes, seconds, timestamp, type Timestamp } from '../../../gateway/kernel/units.js';
import type { MeterValue } from '../../../gateway/site/metering.js';
import { measurandSet, thin, type SamplingSettings } from '../../../gateway/views/sampling.js';

const NOON = timestamp(Date.UTC(2026, 10, 23, 12));
const REGISTER = 'Energy.Active.Import.Register';
const settings: SamplingSettings = {
  interval: minutes(1),
  updated: measurandSet(REGISTER),
  ended: measurandSet(REGISTER),
  endedSeries: false,
  aligned: false,
  alignedMeasurands: measurandSet(''),
};
const valueAt = (at: Timestamp): MeterValue => ({ at, sampled: [{ value: 1, measurand: REGISTER }] });
const everyTen = (from: Timestamp, count: number): MeterValue[] =>
  Array.from({ length: count }, (_, i) => valueAt(timestamp(from + i * seconds(10))));
const kept = (values: readonly MeterValue[], last: Timestamp | undefined): readonly number[] =>
  thin(values, settings, last).values.map(({ at }) => (at - NOON) / 1000);

void t.test('one a minute out of one in ten seconds', (t) => {
  t.same(kept(everyTen(NOON, 13), undefined), [0, 60, 120]);
  t.same(kept([valueAt(timestamp(NOON + seconds(55)))], NOON), [55], 'a moment early is in time');
  t.end();
});

void t.test('a clock that was set back does not silence the visit', (t) => {
  t.same(kept([valueAt(NOON)], timestamp(NOON + minutes(600))), [0]);
  t.same(kept([valueAt(NOON)], timestamp(NOON + seconds(30))), [], 'a value that comes a little late is not a new one');
  t.end();
});
