// Charging profiles (scenario S38): what is taken and what replaced. Composites against an oracle: oracle.test.ts.
import t from 'tap';
import { csmsId, evseNumber, transactionUid } from '../../../gateway/kernel/ids.js';
import { ampere, timestamp, volt } from '../../../gateway/kernel/units.js';
import type { ChargingProfile, ChargingSchedule } from '../../../gateway/site/charging-profile.js';
import { PHASES } from '../../../gateway/site/topology.js';
import { evseComposite, stationComposite } from '../../../gateway/charging-profiles/composite.js';
import { limitAt, nextChange, stationCapsAt } from '../../../gateway/charging-profiles/limit.js';
import {
  bindRemoteStart,
  clearProfiles,
  dropRemoteStart,
  emptyStore,
  endTransaction,
  listProfiles,
  setForRemoteStart,
  setProfile,
  withoutLeftovers,
  type ProfileScope,
  type ProfileStore,
  type SetContext,
} from '../../../gateway/charging-profiles/store.js';
import { defaultRules } from '../../../gateway/charging-profiles/validate.js';

const NOON = 1_800_014_400_000;
const U = volt(230);
const ONE = evseNumber(1);
const EVSE = { number: ONE };
const TX = transactionUid('018f-1');
const at = (seconds: number) => timestamp(NOON + seconds * 1000);
const context: SetContext = { now: at(0), role: 'authority', rules: defaultRules, openTransaction: TX };

type Sketch = Partial<Omit<ChargingProfile, 'schedules'>> & { schedule?: Partial<ChargingSchedule>; amps?: number };
function profile({ schedule, amps, ...own }: Sketch): ChargingProfile {
  const kind = own.kind ?? 'Absolute';
  const purpose = own.purpose ?? 'TxDefaultProfile';
  return {
    id: 1,
    stackLevel: 0,
    purpose,
    kind,
    ...(purpose === 'TxProfile' ? { transaction: TX } : {}),
    ...own,
    schedules: [
      {
        unit: 'A',
        periods: [{ startPeriod: 0, limit: amps ?? 10 }],
        ...(kind === 'Relative' ? {} : { startSchedule: at(0) }),
        ...schedule,
      },
    ],
  };
}

function accepted(store: ProfileStore, scope: ProfileScope, sketch: Sketch, how = context): ProfileStore {
  const result = setProfile(store, scope, profile(sketch), how);
  if (!result.ok) throw new Error(`${result.error.reasonCode}: ${result.error.detail}`);
  return result.value;
}
const reason = (store: ProfileStore, scope: ProfileScope, sketch: Sketch, how = context): string => {
  const result = setProfile(store, scope, profile(sketch), how);
  return result.ok ? 'Accepted' : result.error.reasonCode;
};
const v16 = emptyStore(csmsId('landlord'), '1.6');
const v201 = emptyStore(csmsId('operator'), '2.0.1');
const ids = (store: ProfileStore): readonly number[] => listProfiles(store, {}).map((one) => one.profile.id);

t.test('profiles that are rejected, with the reason code of 2.0.1', async (t) => {
  const cases: readonly (readonly [string, string, ProfileScope, Sketch, SetContext?, ProfileStore?])[] = [
    ['K01.FR.22 external constraints', 'InvalidProfile', 'station', { purpose: 'ChargingStationExternalConstraints' }],
    [
      'K01.FR.38 relative maximum',
      'InvalidProfile',
      'station',
      { purpose: 'ChargingStationMaxProfile', kind: 'Relative' },
    ],
    ['maximum on one EVSE', 'InvalidProfile', ONE, { purpose: 'ChargingStationMaxProfile' }],
    ['TxProfile on the station', 'InvalidProfile', 'station', { purpose: 'TxProfile' }],
    [
      'TxProfile without a transaction',
      'TxNotFound',
      ONE,
      { purpose: 'TxProfile' },
      { now: at(0), role: 'authority', rules: defaultRules },
    ],
    [
      'TxProfile of another transaction',
      'TxNotFound',
      ONE,
      { purpose: 'TxProfile', transaction: transactionUid('other') },
    ],
    ['a default that names a transaction', 'InvalidProfile', ONE, { transaction: TX }],
    ['EVSE out of view', 'UnknownEvse', evseNumber(2), {}, context, emptyStore(csmsId('x'), '2.0.1', [ONE])],
    ['first period late', 'InvalidSchedule', ONE, { schedule: { periods: [{ startPeriod: 5, limit: 1 }] } }],
    ['no period', 'InvalidSchedule', ONE, { schedule: { periods: [] } }],
    [
      'K01.FR.35 periods out of order',
      'InvalidSchedule',
      ONE,
      { schedule: { periods: [0, 9, 9].map((startPeriod) => ({ startPeriod, limit: 1 })) } },
    ],
    ['negative limit', 'ValueOutOfRange', ONE, { amps: -1 }],
    ['limit that is no number', 'ValueOutOfRange', ONE, { amps: NaN }],
    ['no duration', 'ValueOutOfRange', ONE, { schedule: { duration: 0 } }],
    ['four phases', 'ValueOutOfRange', ONE, { schedule: { periods: [{ startPeriod: 0, limit: 1, numberPhases: 4 }] } }],
    [
      'phaseToUse with three phases',
      'UnsupportedParam',
      ONE,
      { schedule: { periods: [{ startPeriod: 0, limit: 1, phaseToUse: 2 }] } },
    ],
    ['stack level too high', 'InvalidStackLevel', ONE, { stackLevel: 101 }],
    ['stack level negative', 'InvalidStackLevel', ONE, { stackLevel: -1 }],
    ['validity that never is', 'InvalidProfile', ONE, { validFrom: at(9), validTo: at(9) }],
    ['recurring without recurrency', 'MissingParam', ONE, { kind: 'Recurring' }],
    [
      'K01.FR.41 relative with a start',
      'InvalidSchedule',
      ONE,
      { kind: 'Relative', schedule: { startSchedule: at(0) } },
    ],
    [
      'unit',
      'UnsupportedRateUnit',
      ONE,
      { schedule: { unit: 'W' } },
      { ...context, rules: { ...defaultRules, units: ['A'] } },
    ],
    [
      'too many periods',
      'TooManyElements',
      ONE,
      { schedule: { periods: [0, 1].map((startPeriod) => ({ startPeriod, limit: 1 })) } },
      { ...context, rules: { ...defaultRules, maxPeriods: 1 } },
    ],
    ['limiter writes a default', 'NotEnabled', ONE, {}, { ...context, role: 'limiter' }],
    [
      'observer writes a maximum',
      'NotEnabled',
      'station',
      { purpose: 'ChargingStationMaxProfile' },
      { ...context, role: 'observer' },
    ],
    [
      'limiter writes a maximum',
      'Accepted',
      'station',
      { purpose: 'ChargingStationMaxProfile' },
      { ...context, role: 'limiter' },
    ],
  ];
  for (const [name, expected, scope, sketch, how, store] of cases) {
    t.equal(reason(store ?? v201, scope, sketch, how), expected, name);
  }
  const { startSchedule: _, ...startless } = profile({}).schedules[0] ?? { unit: 'A', periods: [] };
  const absolute = { ...profile({}), schedules: [startless] };
  t.notOk(setProfile(v201, ONE, absolute, context).ok, '2.0.1: an absolute schedule has a start');
  t.ok(setProfile(v16, ONE, absolute, context).ok, '1.6 section 7.13: it starts with charging');
});

t.test('1.6 replaces by id and by scope, purpose and level', async (t) => {
  let store = accepted(v16, ONE, { id: 1 });
  store = accepted(store, ONE, { id: 2 });
  t.same(ids(store), [2]);
  store = accepted(store, ONE, { id: 3, stackLevel: 1 });
  store = accepted(store, 'station', { id: 2, stackLevel: 5 });
  t.same(ids(store), [3, 2]);
  store = accepted(store, ONE, { id: 4, stackLevel: 1, validFrom: at(500), amps: 7 });
  t.same(ids(store), [2, 4], 'even where the new one is not valid yet');
  const both = accepted(accepted(v16, ONE, { id: 1, amps: 10 }), 'station', { id: 2, amps: 20 });
  t.equal(limitAt([both], EVSE, undefined, at(1), U)?.limit, 20, 'the last one written at a level wins');
});

t.test('2.0.1 replaces by id and rejects a duplicate (K01.FR.05, .06, .39, .52, .53)', async (t) => {
  const store = accepted(v201, ONE, { id: 1 });
  t.equal(reason(store, ONE, { id: 2 }), 'DuplicateProfile');
  t.equal(reason(store, 'station', { id: 2 }), 'DuplicateProfile');
  t.equal(reason(accepted(v201, 'station', { id: 1 }), ONE, { id: 2 }), 'DuplicateProfile');
  t.same(ids(accepted(store, ONE, { id: 1, stackLevel: 4 })), [1]);
  const early = accepted(v201, ONE, { id: 1, validTo: at(100) });
  const later = accepted(early, ONE, { id: 2, validFrom: at(100), amps: 20 });
  t.equal(limitAt([later], EVSE, undefined, at(99), U)?.limit, 10);
  t.equal(limitAt([later], EVSE, undefined, at(100), U)?.limit, 20, 'one after the other on the same level');
  const tx = accepted(v201, ONE, { id: 1, purpose: 'TxProfile' });
  t.equal(reason(tx, ONE, { id: 2, purpose: 'TxProfile' }), 'DuplicateProfile');
});

t.test('the profile of a remote start is bound to its transaction and goes with it', async (t) => {
  const { transaction: _, ...sent } = profile({ id: 7, purpose: 'TxProfile', amps: 8 });
  const result = setForRemoteStart(v201, ONE, 99, sent, context);
  if (!result.ok) throw new Error(result.error.detail);
  const waiting = result.value;
  t.equal(limitAt([waiting], EVSE, { uid: TX }, at(1), U), undefined, 'waits');
  t.same(ids(dropRemoteStart(waiting, 99)), []);
  const bound = bindRemoteStart(waiting, 99, TX);
  t.match(limitAt([bound], EVSE, { uid: TX }, at(1), U), { limit: 8, source: { csms: 'operator', id: 7 } });
  t.equal(limitAt([bound], EVSE, { uid: transactionUid('next') }, at(1), U), undefined);
  t.same(ids(endTransaction(bound, TX)), []);
  t.notOk(setForRemoteStart(v201, ONE, 99, profile({}), context).ok, 'only a TxProfile');
  t.notOk(setForRemoteStart(v201, ONE, 99, profile({ purpose: 'TxProfile' }), context).ok, 'no id yet');
});

t.test('clear by id alone or by all criteria; a store survives JSON', async (t) => {
  let store = accepted(v201, ONE, { id: 1 });
  store = accepted(store, evseNumber(2), { id: 2 });
  store = accepted(store, 'station', { id: 3, purpose: 'ChargingStationMaxProfile' });
  t.equal(clearProfiles(store, { id: 9 }).cleared, 0);
  t.same(ids(clearProfiles(store, { id: 3, scope: ONE }).store), [1, 2]);
  t.same(ids(clearProfiles(store, { scope: ONE }).store), [2, 3]);
  t.same(ids(clearProfiles(store, { purpose: 'TxDefaultProfile', stackLevel: 0 }).store), [3]);
  t.equal(clearProfiles(store, {}).cleared, 3);
  t.same(listProfiles(store, { ids: [2, 3], scope: 'station' }).length, 1);
  t.same(JSON.parse(JSON.stringify(store)), store);
});

t.test('units, fall-back to lower levels, and the least of all CSMSs (S39)', async (t) => {
  const watts = (limit: number, numberPhases?: number): Sketch => ({
    schedule: {
      unit: 'W',
      periods: [{ startPeriod: 0, limit, ...(numberPhases === undefined ? {} : { numberPhases }) }],
    },
  });
  t.equal(limitAt([accepted(v201, ONE, watts(11_000))], EVSE, undefined, at(0), U)?.limit, 15.9, 'never up');
  t.equal(limitAt([accepted(v201, ONE, watts(3_680, 1))], EVSE, undefined, at(0), U)?.limit, 16);
  // 6.65 kW are 32 A between two phases of a 120/208 V site, whatever the CSMS takes for its phases.
  for (const phases of [undefined, 1, 2, 3])
    t.equal(
      limitAt([accepted(v201, ONE, watts(6_652, phases))], { ...EVSE, lineToLine: true }, undefined, at(0), volt(120))
        ?.limit,
      32,
    );
  let store = accepted(v201, ONE, { id: 1, amps: 16 });
  store = accepted(store, ONE, {
    id: 2,
    stackLevel: 3,
    amps: 30,
    schedule: { duration: 100, periods: [{ startPeriod: 0, limit: 30 }] },
  });
  store = accepted(store, ONE, { id: 3, purpose: 'TxProfile', amps: 9, validTo: at(50) });
  const tx = { uid: TX };
  t.equal(limitAt([store], EVSE, tx, at(49), U)?.limit, 9);
  t.equal(limitAt([store], EVSE, tx, at(50), U)?.limit, 30, 'TxDefault again, although it allows more');
  t.equal(limitAt([store], EVSE, tx, at(100), U)?.limit, 16, 'lower level after the duration (errata 3.43)');
  t.equal(nextChange([store], ONE, tx, at(49)), at(50));
  t.equal(nextChange([store], ONE, tx, at(100)), undefined);
  const limiter = emptyStore(csmsId('limiter'), '1.6', [ONE]);
  const role = { ...context, role: 'limiter' as const };
  const capped = accepted(
    limiter,
    'station',
    { purpose: 'ChargingStationMaxProfile', schedule: { unit: 'W', periods: [{ startPeriod: 0, limit: 60_000 }] } },
    role,
  );
  t.match(stationCapsAt([store, capped], at(5), U), [{ limit: 86.9, evses: [1], source: { csms: 'limiter' } }]);
  const evses = [1, 2].map((number) => ({ number: evseNumber(number), maxCurrent: ampere(32), phases: PHASES }));
  const request = { start: at(0), duration: 200, unit: 'A' as const, nominal: U };
  t.same(stationComposite([store, capped], evses, ampere(50), request).periods, [
    { startPeriod: 0, limit: 50 },
    { startPeriod: 100, limit: 48 },
  ]);
  t.same(
    evseComposite([store], { number: ONE, maxCurrent: ampere(20), phases: PHASES }, { ...request, unit: 'W' }).periods,
    [
      { startPeriod: 0, limit: 13_800, numberPhases: 3 },
      { startPeriod: 100, limit: 11_040, numberPhases: 3 },
    ],
  );
  const max = { purpose: 'ChargingStationMaxProfile' as const, amps: 10, validFrom: at(50), validTo: at(150) };
  const both = [store, accepted(limiter, 'station', max, role)];
  const periodsOf = (number: number): unknown =>
    evseComposite(both, { number: evseNumber(number), maxCurrent: ampere(32), phases: PHASES }, request).periods;
  t.same(
    periodsOf(1),
    [
      { startPeriod: 0, limit: 30 },
      { startPeriod: 50, limit: 10 },
      { startPeriod: 150, limit: 16 },
    ],
    'what caps the station caps each of its EVSEs',
  );
  t.same(periodsOf(2), [{ startPeriod: 0, limit: 32 }], 'and none that its CSMS does not see');
});

t.test('a daily profile is 24 hours, not a calendar day', async (t) => {
  const start = timestamp(Date.parse('2026-03-28T21:00:00Z')); // 22:00 in Amsterdam, the evening before the clocks change
  const how = { ...context, now: start };
  const night = {
    kind: 'Recurring' as const,
    recurrency: 'Daily' as const,
    schedule: { startSchedule: start, duration: 3600 },
  };
  const store = accepted(v201, ONE, night, how);
  const limit = (text: string) => limitAt([store], EVSE, undefined, timestamp(Date.parse(text)), U)?.limit;
  t.equal(limit('2026-03-29T21:30:00Z'), 10);
  t.equal(limit('2026-03-29T20:30:00Z'), undefined, 'it does not move with local time (errata 3.44)');
});

t.test('no CSMS fills the disk, or keeps the site busy with one question', async (t) => {
  const few = { ...context, rules: { ...defaultRules, maxProfiles: 2 } };
  const two = accepted(accepted(v201, ONE, { id: 1 }, few), ONE, { id: 2, stackLevel: 1 }, few);
  t.equal(reason(two, ONE, { id: 3, stackLevel: 2 }, few), 'TooManyElements');
  t.same(ids(accepted(two, ONE, { id: 2, stackLevel: 3 }, few)), [1, 2], 'a replacement needs no room');
  t.equal(reason({ ...two, version: '1.6' }, ONE, { id: 3, stackLevel: 2 }, few), 'TooManyElements');

  const periods = Array.from({ length: 200 }, (_, i) => ({ startPeriod: i * 60, limit: 10 + (i % 2) }));
  const daily = {
    kind: 'Recurring' as const,
    recurrency: 'Daily' as const,
    schedule: { startSchedule: at(0), periods },
  };
  const evse = { number: ONE, maxCurrent: ampere(32), phases: PHASES };
  const request = { start: at(0), duration: 2_000_000_000, unit: 'A' as const, nominal: U };
  const long = evseComposite([accepted(v201, ONE, daily)], evse, request);
  t.equal(long.periods.length, 288, 'as many periods as a schedule has');
  t.equal(long.duration, 86_400 + 88 * 60, 'and it says how far it goes');
  const flat = { ...daily, schedule: { ...daily.schedule, periods: periods.map((one) => ({ ...one, limit: 10 })) } };
  const dull = evseComposite([accepted(v201, ONE, flat)], evse, request);
  t.same(dull.periods, [{ startPeriod: 0, limit: 10 }]);
  t.ok((dull.duration ?? 0) < request.duration, 'nor does it look at 60 years of days that are all alike');
});

t.test('what a process before has left of transactions and remote starts is dropped', async (t) => {
  const { transaction: _, ...sent } = profile({ id: 7, purpose: 'TxProfile', stackLevel: 3 });
  const store = accepted(accepted(v201, ONE, { id: 1 }), ONE, { id: 2, purpose: 'TxProfile' });
  const both = setForRemoteStart(store, ONE, 99, sent, context);
  if (!both.ok) throw new Error(both.error.detail);
  t.same(ids(withoutLeftovers(both.value, (uid) => uid === TX, at(0))), [1, 2, 7]);
  t.same(ids(withoutLeftovers(both.value, () => false, at(1))), [1]);
});
