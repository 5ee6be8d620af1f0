// Two observations are the same only if every field is: what a plan is told must not be overlooked because the last one was told the rest.
import t from 'tap';
import { csmsId, evseNumber } from '../../../gateway/kernel/ids.js';
import { ampere, milliseconds, timestamp, wattHour } from '../../../gateway/kernel/units.js';
import { perPhase } from '../../../gateway/site/topology.js';
import { sameObservation, type EvseObservation } from '../../../gateway/balancing/observation.js';

const profile = (id: number) => ({ csms: csmsId('operator'), purpose: 'TxProfile' as const, id });
const measured = (current: number, at: number) => ({
  current: perPhase(() => ampere(current)),
  at: timestamp(at),
});
/** Every field twice. The compiler asks for one that is new. */
const FIELDS: { readonly [K in keyof Required<EvseObservation>]: readonly [EvseObservation[K], EvseObservation[K]] } = {
  evse: [evseNumber(1), evseNumber(2)],
  link: ['connected', 'lost'],
  wantsEnergy: [true, false],
  transactionOpen: [true, false],
  chargingState: ['Charging', 'SuspendedEV'],
  priority: [0, 1],
  weight: [1, 2],
  activeSince: [timestamp(1), timestamp(2)],
  energyServed: [wattHour(1), wattHour(2)],
  measured: [measured(6, 1), measured(6, 2)],
  upperBound: [ampere(16), ampere(32)],
  boundBy: ['the cable', 'the hardware'],
  boundByProfile: [profile(1), profile(2)],
  offers: [
    { current: ampere(6), at: timestamp(1) },
    { current: ampere(7), at: timestamp(1) },
  ],
  phasesUsed: [['L1'], ['L2']],
  startsAt: [ampere(6), ampere(8)],
  vacant: [true, false],
  fallbackAfter: [milliseconds(1), milliseconds(2)],
  departure: [timestamp(1), timestamp(2)],
  energyNeeded: [wattHour(1), wattHour(2)],
  phaseSwitching: [true, false],
  setpointsPerDay: [24, 48],
};

t.test('every field counts', async (t) => {
  const pick = (of: 0 | 1, field?: string): EvseObservation =>
    Object.fromEntries(
      Object.entries(FIELDS).map(([key, values]) => [key, values[key === field ? 1 - of : of]]),
    ) as unknown as EvseObservation;
  t.ok(sameObservation(pick(0), pick(0)), 'the same said again');
  t.ok(sameObservation(undefined, undefined));
  t.notOk(sameObservation(pick(0), undefined));
  for (const field of Object.keys(FIELDS)) {
    t.notOk(sameObservation(pick(0), pick(0, field)), field);
    const { [field as keyof EvseObservation]: _, ...without } = pick(0);
    t.notOk(sameObservation(pick(0), without as EvseObservation), `${field} is missing`);
  }
  const later = { ...pick(0), offers: { current: ampere(6), at: timestamp(2) } };
  t.notOk(sameObservation(pick(0), later), 'said later');
  t.notOk(sameObservation(pick(0), { ...pick(0), measured: measured(7, 1) }), 'measured otherwise');
});
