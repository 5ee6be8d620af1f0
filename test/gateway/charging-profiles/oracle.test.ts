// Charging profiles of two CSMSs, set one after the other at random, against an oracle that asks second by second (S38, S39).
import t from 'tap';
import fc from 'fast-check';
import { evseComposite, stationComposite, type CompositeEvse } from '../../../gateway/charging-profiles/composite.js';
import { limitAt, nextChange } from '../../../gateway/charging-profiles/limit.js';
import { emptyStore, setProfile, type ProfileStore } from '../../../gateway/charging-profiles/store.js';
import { defaultRules } from '../../../gateway/charging-profiles/validate.js';
import { csmsId, evseNumber, transactionUid } from '../../../gateway/kernel/ids.js';
import { ampere, timestamp, volt, type Timestamp } from '../../../gateway/kernel/units.js';
import type { ChargingProfile, ChargingSchedule } from '../../../gateway/site/charging-profile.js';
import { PHASES, type Phase } from '../../../gateway/site/topology.js';
import { conductors, Oracle, tenth, VOLTS_BETWEEN, type OracleProfile, type Say } from './oracle.js';

const DAY = 86_400;
const WINDOW = 240;
const U = volt(230);
const TX = transactionUid('018f-1');
const ms = (second: number): Timestamp => timestamp(second * 1000);
const seconds = (text: string): number => Date.parse(text) / 1000;

/** Around the nights on which clocks change in Europe and in America, and a plain day. */
const MOMENTS = ['2026-03-29T00:58:30Z', '2026-10-25T00:58:30Z', '2026-11-01T05:58:30Z', '2026-06-01T11:00:00Z'];

const EVSES: readonly CompositeEvse[] = [
  { number: evseNumber(1), maxCurrent: ampere(32), phases: PHASES },
  { number: evseNumber(2), maxCurrent: ampere(16), phases: ['L2'] },
  { number: evseNumber(3), maxCurrent: ampere(24), phases: ['L1', 'L2'], lineToLine: true },
  // Written the other way round, which is the same load.
  { number: evseNumber(4), maxCurrent: ampere(20), phases: ['L1', 'L3'], lineToLine: true },
];
const BETWEEN = [3, 4];

interface Drawn {
  readonly csms: 0 | 1;
  readonly place: 0 | 1 | 2 | 3 | 4;
  readonly id: number;
  readonly level: number;
  readonly purpose: OracleProfile['purpose'];
  readonly kind: OracleProfile['kind'];
  readonly weekly: boolean;
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly start: number;
  readonly daysAgo: number;
  readonly startless: boolean;
  readonly duration: number | undefined;
  readonly watts: boolean;
  readonly periods: readonly { readonly gap: number; readonly limit: number; readonly phases: 1 | 2 | 3 | undefined }[];
  /** Seconds after the profile before. */
  readonly wait: number;
}

const drawn: fc.Arbitrary<Drawn> = fc.record({
  csms: fc.constantFrom<0 | 1>(0, 1),
  place: fc.constantFrom<Drawn['place']>(0, 1, 2, 3, 4),
  id: fc.integer({ min: 1, max: 6 }),
  level: fc.integer({ min: 0, max: 2 }),
  purpose: fc.constantFrom<OracleProfile['purpose']>('TxDefaultProfile', 'TxProfile', 'ChargingStationMaxProfile'),
  kind: fc.constantFrom<OracleProfile['kind']>('Absolute', 'Recurring', 'Relative'),
  weekly: fc.boolean(),
  from: fc.option(fc.integer({ min: -60, max: WINDOW }), { nil: undefined }),
  to: fc.option(fc.integer({ min: -30, max: WINDOW + 30 }), { nil: undefined }),
  start: fc.integer({ min: -200, max: WINDOW }),
  daysAgo: fc.integer({ min: 0, max: 15 }),
  startless: fc.boolean(),
  duration: fc.option(fc.integer({ min: 1, max: 400 }), { nil: undefined }),
  watts: fc.boolean(),
  periods: fc.array(
    fc.record({
      gap: fc.integer({ min: 1, max: 90 }),
      limit: fc.integer({ min: 0, max: 400 }).map((tenths) => tenths / 10),
      phases: fc.constantFrom<1 | 2 | 3 | undefined>(undefined, 1, 2, 3),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  wait: fc.integer({ min: 0, max: 20 }),
});

function toOracle(one: Drawn, version: '1.6' | '2.0.1', base: number): OracleProfile {
  let startPeriod = 0;
  const periods = one.periods.map(({ gap, limit, phases }, i) => {
    startPeriod = i === 0 ? 0 : startPeriod + gap;
    return { startPeriod, limit: one.watts ? limit * 230 : limit, ...(phases !== undefined && { phases }) };
  });
  const every = one.weekly ? 7 * DAY : DAY;
  const to = one.to === undefined ? undefined : Math.max(one.to, (one.from ?? -61) + 1);
  const startless = one.kind === 'Relative' || (one.kind === 'Absolute' && version === '1.6' && one.startless);
  return {
    id: one.id,
    purpose: one.purpose,
    level: one.level,
    kind: one.kind,
    every,
    from: one.from === undefined ? undefined : base + one.from,
    to: to === undefined ? undefined : base + to,
    start: startless ? undefined : base + one.start - (one.kind === 'Recurring' ? one.daysAgo * DAY : 0),
    // A recurring schedule says nothing beyond its day or week.
    duration: one.kind === 'Recurring' ? Math.min(one.duration ?? every, every) : one.duration,
    watts: one.watts,
    periods,
  };
}

function toProfile(one: OracleProfile, weekly: boolean): ChargingProfile {
  const schedule: ChargingSchedule = {
    unit: one.watts ? 'W' : 'A',
    periods: one.periods.map(({ startPeriod, limit, phases }) => ({
      startPeriod,
      limit,
      ...(phases !== undefined && { numberPhases: phases }),
    })),
    ...(one.duration !== undefined && { duration: one.duration }),
    ...(one.start !== undefined && { startSchedule: ms(one.start) }),
  };
  return {
    id: one.id,
    stackLevel: one.level,
    purpose: one.purpose,
    kind: one.kind,
    ...(one.kind === 'Recurring' && { recurrency: weekly ? 'Weekly' : 'Daily' }),
    ...(one.purpose === 'TxProfile' && { transaction: TX }),
    ...(one.from !== undefined && { validFrom: ms(one.from) }),
    ...(one.to !== undefined && { validTo: ms(one.to) }),
    schedules: [schedule],
  };
}

/** Sets what was drawn in both; throws where one takes it and the other does not. */
function setAll(drawns: readonly Drawn[], versions: readonly ['1.6' | '2.0.1', '1.6' | '2.0.1'], base: number) {
  const oracles = [new Oracle(versions[0], [1, 2, 3, 4], BETWEEN), new Oracle(versions[1], [1, 3], BETWEEN)] as const;
  const stores: [ProfileStore, ProfileStore] = [
    emptyStore(csmsId('operator'), versions[0]),
    emptyStore(csmsId('landlord'), versions[1], [evseNumber(1), evseNumber(3)]),
  ];
  let now = base - 100;
  for (const one of drawns) {
    now += one.wait;
    const oracle = oracles[one.csms];
    const isCap = one.purpose === 'ChargingStationMaxProfile';
    if (isCap && one.kind === 'Relative' && oracle.version === '2.0.1') continue;
    const place = isCap ? 0 : one.purpose === 'TxProfile' ? 1 : one.place;
    if (place !== 0 && !oracle.sees.includes(place)) continue;
    const wanted = toOracle(one, oracle.version, base);
    const context = { now: ms(now), role: 'authority', rules: defaultRules, openTransaction: TX } as const;
    const scope = place === 0 ? 'station' : evseNumber(place);
    const result = setProfile(stores[one.csms], scope, toProfile(wanted, one.weekly), context);
    const taken = oracle.set(place, wanted, now);
    if (result.ok !== taken)
      throw new Error(`profile ${one.id}: ${result.ok ? 'taken' : result.error.reasonCode}, the oracle says ${taken}`);
    if (result.ok) stores[one.csms] = result.value;
  }
  return { oracles, stores };
}

const lowest = (says: readonly (Say | undefined)[]): Say | undefined => {
  let least: Say | undefined;
  for (const one of says) if (one !== undefined && (least === undefined || one.limit < least.limit)) least = one;
  return least;
};

t.test('composites and limits say at every second what the oracle says', async (t) => {
  const counted = { seconds: 0, limited: 0, capped: 0 };
  const site = fc.record({
    moment: fc.constantFrom(...MOMENTS),
    drawns: fc.array(drawn, { maxLength: 12 }),
    versions: fc.tuple(fc.constantFrom('1.6', '2.0.1'), fc.constantFrom('1.6', '2.0.1')),
    offered: fc.option(fc.integer({ min: -300, max: 0 }), { nil: undefined }),
    later: fc.constantFrom(0, 0, 0, DAY, 7 * DAY),
  });
  fc.assert(
    fc.property(site, ({ moment, drawns, versions, offered, later }) => {
      const base = seconds(moment);
      const { oracles, stores } = setAll(drawns, versions, base);
      const start = base + later;
      const tx = { uid: TX, ...(offered !== undefined && { energyOfferedAt: ms(base + offered) }) };
      const evses = EVSES.map((evse, i) => (i === 0 ? { ...evse, transaction: tx } : evse));
      const ask = (unit: 'A' | 'W') => ({ start: ms(start), duration: WINDOW, unit, nominal: U });
      const told = evses.map((evse) => ({
        A: evseComposite(stores, evse, ask('A')).periods,
        W: evseComposite(stores, evse, ask('W')).periods,
      }));
      const current = stationComposite(stores, evses, ampere(40), ask('A')).periods;
      const power = stationComposite(stores, evses, ampere(40), ask('W')).periods;
      const same = (what: string, second: number, ours: number | undefined, theirs: number): void => {
        if (ours !== theirs) throw new Error(`${what} at +${second - start} s: ${ours}, oracle ${theirs}`);
      };
      for (let second = start; second < start + WINDOW; second++) {
        const at = (periods: readonly { startPeriod: number; limit: number }[]): number | undefined =>
          periods.findLast(({ startPeriod }) => startPeriod <= second - start)?.limit;
        const caps = oracles.map((oracle) => oracle.cap(second));
        const sum: Record<Phase, number> = { L1: 0, L2: 0, L3: 0 };
        const between: [number, number, number] = [0, 0, 0];
        evses.forEach((evse, i) => {
          const charging = i === 0 && offered !== undefined ? base + offered : start;
          const said = lowest(oracles.map((oracle) => oracle.evse(i + 1, second, charging, i === 0)));
          const own = Math.min(evse.maxCurrent, said?.limit ?? Infinity);
          if (i === 2) between[0] = own;
          else if (i === 3) between[2] = own;
          else for (const phase of evse.phases.slice(0, said?.phases ?? 3)) sum[phase] += own;
          const seenBy = oracles.flatMap((oracle, csms) => (oracle.sees.includes(i + 1) ? [caps[csms]] : []));
          const least = Math.min(own, lowest(seenBy)?.limit ?? Infinity);
          const volts = i < 2 ? 230 * Math.min(evse.phases.length, said?.phases ?? 3) : VOLTS_BETWEEN;
          same(`EVSE ${i + 1} in A`, second, at(told[i]?.A ?? []), least);
          same(`EVSE ${i + 1} in W`, second, at(told[i]?.W ?? []), tenth(least * volts));
          if (said !== undefined) counted.limited++;
        });
        const most = Math.min(40, lowest(caps)?.limit ?? Infinity);
        const on = conductors(
          PHASES.map((phase) => sum[phase]),
          between,
        );
        same('the station in A', second, at(current), tenth(Math.min(most, Math.max(...on.map(({ amps }) => amps)))));
        const watts = on.reduce((total, { active }) => total + Math.min(active, most) * 230, 0);
        same('the station in W', second, at(power), tenth(watts));
        if (most < 40) counted.capped++;
        counted.seconds++;
      }
    }),
    { numRuns: 1000 },
  );
  t.ok(counted.limited > counted.seconds / 6, `${counted.limited} limits in ${counted.seconds} seconds`);
  t.ok(counted.capped > counted.seconds / 20, `${counted.capped} of them with a cap`);
});

t.test('a limit does not change before nextChange says so', async (t) => {
  fc.assert(
    fc.property(
      fc.constantFrom(...MOMENTS),
      fc.array(drawn, { maxLength: 6 }),
      fc.integer({ min: -50, max: WINDOW }),
      (moment, drawns, from) => {
        const base = seconds(moment);
        const { stores } = setAll(drawns, ['1.6', '2.0.1'], base);
        const tx = { uid: TX, energyOfferedAt: ms(base - 20) };
        const limit = (second: number) => limitAt(stores, { number: evseNumber(1) }, tx, ms(second), U)?.limit;
        const begin = base + from;
        const change = nextChange(stores, evseNumber(1), tx, ms(begin));
        const until = Math.min(change === undefined ? Infinity : change / 1000, begin + WINDOW);
        for (let second = begin; second < until; second++)
          if (limit(second) !== limit(begin)) throw new Error(`changed at +${second - base} s, not at ${until - base}`);
      },
    ),
    { numRuns: 500 },
  );
  t.pass('over 500 random stores');
});
