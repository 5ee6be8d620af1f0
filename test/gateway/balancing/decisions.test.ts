// The single decisions of load balancing: what a charger may take, what a circuit has left, what a breaker bears, who goes first.
import t from 'tap';
import { circuitId, evseNumber, meterId, type EvseNumber } from '../../../gateway/kernel/ids.js';
import { ampere, milliseconds, minutes, timestamp, volt, wattHour } from '../../../gateway/kernel/units.js';
import { perPhase } from '../../../gateway/site/topology.js';
import { plan } from '../../../gateway/balancing/balancer.js';
import { explain } from '../../../gateway/balancing/explain.js';
import { accountBreaker } from '../../../gateway/balancing/breaker.js';
import { ceilings, confirmed, failed, lost, reset, returned } from '../../../gateway/balancing/commit.js';
import { networkOf } from '../../../gateway/balancing/network.js';
import type { EvseObservation, Snapshot } from '../../../gateway/balancing/observation.js';
import { initialBalancing, type BalancingState } from '../../../gateway/balancing/state.js';
import { observationOf, run, sentTo, siteOf, step, worldOf } from './world.js';

const T0 = 1_800_000_000_000;
const at = (seconds: number) => timestamp(T0 + seconds * 1000);
const ONE = evseNumber(1);
const circuits = { main: { breaker: 32 } };
const network = networkOf(siteOf(circuits, [{ number: 1, circuit: 'main', fallback: 8 }]));
const ceiling = (state: BalancingState, evse: EvseNumber = ONE): number => ceilings(network, state).get(evse) ?? -1;
const seen = (own: Partial<EvseObservation> = {}): Snapshot => ({
  evses: [
    {
      evse: ONE,
      link: 'connected',
      wantsEnergy: true,
      transactionOpen: true,
      chargingState: 'Charging',
      priority: 0,
      upperBound: ampere(32),
      ...own,
    },
  ],
  meters: new Map(),
});

t.test('a setpoint counts until the car has certainly followed the next', async (t) => {
  let state = initialBalancing(network, at(0));
  t.equal(ceiling(state), 32, 'nobody knows: its maximum');
  ({ state } = plan(network, state, seen({ upperBound: ampere(10) }), at(1)));
  t.equal(ceiling(state), 32, 'sent is not confirmed');
  state = confirmed(network, state, ONE, ampere(9), at(2));
  t.equal(ceiling(state), 32, 'an answer to a question never asked');
  state = confirmed(network, state, ONE, ampere(10), at(2));
  t.equal(ceiling(state), 32, 'confirmed, the car on its way');
  ({ state } = plan(network, state, seen({ upperBound: ampere(10) }), at(11.9)));
  t.equal(ceiling(state), 32);
  const timed = plan(network, state, seen({ upperBound: ampere(10) }), at(12)).state;
  t.equal(ceiling(timed), 10, 'acknowledgement + 10 s');
  const measured = (current: number, when: number) => ({ current: perPhase(() => ampere(current)), at: at(when) });
  const above = plan(network, state, seen({ upperBound: ampere(10), measured: measured(20, 4) }), at(4)).state;
  t.equal(ceiling(above), 32);
  const below = plan(network, above, seen({ upperBound: ampere(10), measured: measured(9.8, 6) }), at(6)).state;
  t.equal(ceiling(below), 10, 'or the measured drop');
  const early = plan(network, state, seen({ upperBound: ampere(10), measured: measured(5, 4) }), at(4)).state;
  t.equal(ceiling(early), 32, 'a car that was below all along may still be on its way up');
});

t.test('what a failure leaves in force', async (t) => {
  const begun = plan(network, initialBalancing(network, at(0), new Map([[ONE, 8]])), seen(), at(1)).state;
  t.equal(ceiling(begun), 32);
  for (const [outcome, held] of [
    ['Rejected', 8],
    ['Offline', 8],
    ['NotSupported', 8],
    ['Uncertain', 32],
  ] as const) {
    const state = failed(network, begun, ONE, ampere(32), outcome, at(2));
    t.equal(ceiling(state), held, outcome);
    t.same(plan(network, state, seen(), at(3)).commands, [], `${outcome}: not again at once`);
    t.equal(
      plan(network, state, seen(), at(13)).commands.length,
      outcome === 'NotSupported' ? 0 : 1,
      `${outcome}: later`,
    );
  }
  t.equal(failed(network, begun, ONE, ampere(5), 'Rejected', at(2)), begun, 'an answer to nothing');
  t.equal(failed(network, begun, evseNumber(77), ampere(5), 'Rejected', at(2)), begun, 'an EVSE that is not there');
});

t.test('a silent charger keeps what it may take; it falls back only where that is proven', async (t) => {
  const known = initialBalancing(network, at(0), new Map([[ONE, 20]]));
  const up = plan(network, known, seen({ upperBound: ampere(20) }), at(1)).state;
  const gone = lost(network, confirmed(network, up, ONE, ampere(20), at(2)), ONE, at(3));
  t.equal(lost(network, gone, ONE, at(9)), gone, 'lost once');
  t.equal(ceiling(plan(network, gone, seen({ link: 'lost' }), at(9999)).state), 20);
  const proven = { link: 'lost' as const, fallbackAfter: milliseconds(60_000) };
  t.equal(ceiling(plan(network, gone, seen(proven), at(62)).state), 20);
  const fallen = plan(network, gone, seen(proven), at(63)).state;
  t.equal(ceiling(fallen), 8);
  const back = plan(network, returned(network, fallen, ONE), seen({ upperBound: ampere(8) }), at(70));
  t.same(back.commands, [{ evse: 1, current: 8 }], 'told again when it returns, even the same');
  t.same(plan(network, gone, seen({ link: 'lost' }), at(10)).commands, [], 'nothing is sent to a silent one');
  const blank = initialBalancing(network, at(0));
  t.equal(
    ceiling(plan(network, blank, { evses: [], meters: new Map() }, at(9)).state),
    32,
    'missing from the snapshot: unknown',
  );
});

t.test('a charger that was set up is told again what it had, but not what is on its way', async (t) => {
  const upTo16 = seen({ upperBound: ampere(16) });
  const begun = plan(network, initialBalancing(network, at(0), new Map([[ONE, 16]])), upTo16, at(1)).state;
  t.equal(reset(network, begun, ONE), begun, 'on its way');
  const held = plan(network, confirmed(network, begun, ONE, ampere(16), at(2)), upTo16, at(3));
  t.same(held.commands, [], 'held, and so not told again by itself');
  const again = plan(network, reset(network, held.state, ONE), upTo16, at(4));
  t.same(again.commands, [{ evse: 1, current: 16 }]);
});

t.test('a setpoint that ends with its transaction leaves the default profile in force', async (t) => {
  const world = worldOf(circuits, [
    { number: 1, circuit: 'main', startsAt: 6 },
    { number: 2, circuit: 'main', startsAt: 6 },
  ]);
  const second = world.chargers.get(2);
  if (second === undefined) throw new Error('no EVSE 2');
  second.car = { takes: 32 };
  run(world, 60);
  t.equal(sentTo(world, 2), 26, 'a car that plugs in at EVSE 1 takes 6 A before it is told anything');
  t.notOk(
    world.log.some((one) => one.evse === 1),
    'and EVSE 1 is not told about transactions it does not have',
  );
});

t.test('empty EVSEs keep room for one car that nobody has announced, plugged ones each for theirs', async (t) => {
  const specs = [1, 2, 3, 4].map((number) => ({ number, circuit: 'main', startsAt: 6, announces: true }));
  const world = worldOf(circuits, specs);
  const [first, second, third] = [1, 2, 3].map((number) => world.chargers.get(number));
  if (first === undefined || second === undefined || third === undefined) throw new Error('there are four');
  first.car = { takes: 32 };
  run(world, 60);
  t.equal(sentTo(world, 1), 26, 'three are empty, and one car may come unannounced');
  second.plugged = true;
  third.plugged = true;
  run(world, 1);
  t.equal(sentTo(world, 1), 14, 'two cars are there and have not begun, and a third may come');
  second.car = { takes: 32 };
  third.car = { takes: 32 };
  run(world, 60);
  const told = [1, 2, 3].map((number) => sentTo(world, number) ?? 0);
  t.ok(told.reduce((sum, current) => sum + current, 0) <= 26 && told.every((current) => current >= 8), told.join(' '));
  third.car = undefined;
  third.plugged = false;
  run(world, 60);
  t.equal((sentTo(world, 1) ?? 0) + (sentTo(world, 2) ?? 0), 26, 'what an empty one had is given on');
});

t.test('the same input again sends nothing, and its order does not matter', async (t) => {
  const specs = [1, 2, 3, 4].map((number) => ({ number, circuit: 'main' }));
  const world = worldOf({ main: { breaker: 30 } }, specs);
  for (const charger of world.chargers.values()) charger.car = { takes: 32 };
  step(world);
  const evses = [...world.chargers.values()].map((charger) => observationOf(world, charger));
  const input = { evses, meters: new Map() };
  t.same(plan(world.network, world.state, input, timestamp(world.now)).commands, []);
  const fresh = initialBalancing(world.network, at(0), new Map(evses.map((one) => [one.evse, 0])));
  const forwards = plan(world.network, fresh, input, at(1));
  const backwards = plan(world.network, fresh, { ...input, evses: evses.toReversed() }, at(1));
  t.ok(forwards.commands.length > 0);
  t.same(backwards.commands, forwards.commands);
  t.same(backwards.report(), forwards.report());
});

t.test('a stale meter allows no increase, a frozen one is stale, feed-in is no room', async (t) => {
  const metered = networkOf(siteOf({ main: { breaker: 32, meter: 'grid' } }, [{ number: 1, circuit: 'main' }]));
  const reading = (current: number, when: number) =>
    new Map([[meterId('grid'), { meter: meterId('grid'), at: at(when), current: perPhase(() => ampere(current)) }]]);
  const start = initialBalancing(metered, at(0), new Map([[ONE, 0]]));
  const live = plan(metered, start, { ...seen(), meters: reading(-20, 1) }, at(1));
  t.same(live.commands, [{ evse: 1, current: 32 }], 'the breaker, not breaker + feed-in');
  const stale = plan(metered, start, { ...seen(), meters: reading(0, 1) }, at(4));
  t.same(stale.commands, [{ evse: 1, current: 0 }], 'told to pause, since nobody knows what it holds');
  t.same(stale.report().evses[0]?.because, { kind: 'meterStale' });
  let state = live.state;
  const share = (current: number, when: number) => ({ current: perPhase(() => ampere(current)), at: at(when) });
  for (let s = 2; s < 80; s++) {
    state = plan(
      metered,
      state,
      { ...seen({ measured: share(s < 70 ? 0 : 9, s) }), meters: reading(-20, s) },
      at(s),
    ).state;
  }
  const frozen = plan(metered, state, { ...seen({ measured: share(9, 80) }), meters: reading(-20, 80) }, at(80));
  t.equal(frozen.report().circuits[0]?.meter, 'stale', 'the cars changed and the meter did not');
});

t.test('the account of a breaker', async (t) => {
  const load = (current: number, seconds: number) => {
    let heat: readonly [number, number, number] = [1, 1, 1];
    let last = accountBreaker(heat, undefined, [0, 0, 0], 100, at(0));
    for (let s = 1; s <= seconds; s++) {
      last = accountBreaker(heat, at(s - 1), [current, 50, -500], 100, at(s));
      heat = last.heat;
    }
    return last.decisions;
  };
  t.same(load(100, 3600), ['hold', 'hold', 'hold']);
  t.same(load(112, 7200), ['workOff', 'hold', 'hold'], '1.13 is borne');
  t.same(load(114, 1), ['shed', 'hold', 'hold']);
  t.same(load(144, 1), ['shed', 'hold', 'hold']);
  t.same(load(146, 1), ['open', 'hold', 'hold']);
});

t.test('above 1.45 of the breaker every EVSE on the phase is interrupted, the others stay', async (t) => {
  const world = worldOf({ main: { breaker: 32, meter: 'grid' } }, [
    { number: 1, circuit: 'main', phases: ['L1'] },
    { number: 2, circuit: 'main', phases: ['L2'] },
  ]);
  for (const charger of world.chargers.values()) charger.car = { takes: 20 };
  run(world, 30);
  world.background.set('main', [27, 0, 0]);
  run(world, 3);
  t.equal(sentTo(world, 1), 0);
  t.ok(sentTo(world, 2) >= 20);
});

t.test('an overload that the plan cannot explain is taken from the EVSEs', async (t) => {
  const world = worldOf({ main: { breaker: 40, meter: 'grid' } }, [
    { number: 1, circuit: 'main' },
    { number: 2, circuit: 'main' },
  ]);
  const [first, second] = [...world.chargers.values()];
  if (first === undefined || second === undefined) throw new Error('two EVSEs');
  first.car = { takes: 20 };
  second.car = { takes: 20 };
  run(world, 40);
  first.manner = 'deaf';
  first.measures = false;
  world.background.set('main', [10, 0, 0]);
  run(world, 40);
  t.ok(sentTo(world, 2) < 15, 'the neighbour makes room for what nobody owns up to');
});

t.test('weights share what is above the minimum; classes go first; most-energy looks at departures', async (t) => {
  const specs = [1, 2].map((number) => ({ number, circuit: 'main' }));
  const weighted = worldOf({ main: { breaker: 30 } }, specs);
  weighted.chargers.forEach((charger, number) => (charger.car = { takes: 32, weight: number }));
  run(weighted, 60);
  t.same([sentTo(weighted, 1), sentTo(weighted, 2)], [12, 18]);
  const classes = worldOf({ main: { breaker: 30 } }, specs);
  classes.chargers.forEach((charger, number) => (charger.car = { takes: 32, priority: number }));
  run(classes, 60);
  t.same([sentTo(classes, 1), sentTo(classes, 2)], [6, 24]);
  const hurried = networkOf(
    siteOf({ main: { breaker: 30 } }, specs, { strategy: 'most-energy', rotation: minutes(15) }),
  );
  const base = seen().evses[0];
  if (base === undefined) throw new Error('no observation');
  const evses = [
    { ...base, departure: at(36_000), energyNeeded: wattHour(10_000) },
    { ...base, evse: evseNumber(2), departure: at(7_200), energyNeeded: wattHour(10_000) },
  ];
  const start = initialBalancing(
    hurried,
    at(0),
    new Map([
      [ONE, 0],
      [evseNumber(2), 0],
    ]),
  );
  const made = plan(hurried, start, { evses, meters: new Map() }, at(1));
  t.same(
    made.commands.map(({ evse, current }) => [evse, current]).sort(([a = 0], [b = 0]) => a - b),
    [
      [1, 6],
      [2, 24],
    ],
  );
});

t.test('nested meters: what a metered branch carries counts in its unmetered feeder', async (t) => {
  const nested = networkOf(
    siteOf({ main: { breaker: 32 }, deck: { fedBy: 'main', breaker: 32, meter: 'deck' } }, [
      { number: 1, circuit: 'main' },
    ]),
  );
  const meters = new Map([
    [meterId('deck'), { meter: meterId('deck'), at: at(1), current: perPhase(() => ampere(12)) }],
  ]);
  const start = initialBalancing(nested, at(0), new Map([[ONE, 0]]));
  const made = plan(nested, start, { ...seen(), meters }, at(1));
  t.same(made.commands, [{ evse: 1, current: 20 }]);
  t.equal(made.report().circuits.find((one) => one.circuit === circuitId('main'))?.background.L2, 12);
  t.equal(nested.nominal, volt(230));
});

t.test('explained in a sentence', async (t) => {
  const world = worldOf({ main: { breaker: 14 } }, [
    { number: 1, circuit: 'main' },
    { number: 2, circuit: 'main' },
    { number: 3, circuit: 'main' },
  ]);
  for (const charger of world.chargers.values()) charger.car = { takes: 32 };
  run(world, 60);
  const sentences = world.last?.report().evses.map(explain);
  t.same(sentences, [
    'EVSE 1 was told 7 A, since circuit main is full on L1: the other cars and the building take the rest.',
    'EVSE 2 was told 7 A, since circuit main is full on L1: the other cars and the building take the rest.',
    'EVSE 3 was told 0 A, since it waits for its turn on circuit main L1: the other cars and the building take the rest.',
  ]);
});

t.test('a car explains no load on phases that it does not use, however seldom its charger samples', async (t) => {
  const wired = [
    ['L1', 'L2', 'L3'],
    ['L2', 'L3', 'L1'],
    ['L3', 'L1', 'L2'],
  ] as const;
  const specs = wired.map((phases, index) => ({ number: index + 1, circuit: 'main', phases }));
  const three = networkOf(siteOf({ main: { breaker: 20, meter: 'grid' } }, specs));
  const limits = new Map(specs.map(({ number }) => [number, 0]));
  /** One-phase cars, each on a grid phase of its own. */
  const takes = (number: number) => Math.min(16, limits.get(number) ?? 0);
  let state = initialBalancing(three, at(0), new Map(specs.map(({ number }) => [evseNumber(number), 0])));
  const second = (when: number, building: number): void => {
    const background = { L1: building, L2: 4, L3: 4 };
    const evses = specs.map(({ number }) => ({
      ...seen().evses[0],
      evse: evseNumber(number),
      measured: {
        current: perPhase((phase) => ampere(phase === wired[number - 1]?.[0] ? takes(number) : 0)),
        at: at(Math.floor(when / 10) * 10),
      },
    })) as EvseObservation[];
    const current = perPhase((phase) => {
      const own = wired.findIndex(([first]) => first === phase) + 1;
      return ampere(background[phase] + takes(own));
    });
    const meters = new Map([[meterId('grid'), { meter: meterId('grid'), at: at(when), current }]]);
    const result = plan(three, state, { evses, meters }, at(when));
    state = result.state;
    for (const { evse, current: limit } of result.commands) {
      limits.set(evse, limit);
      state = confirmed(three, state, evse, limit, at(when));
    }
  };
  for (let when = 1; when <= 124; when++) second(when, 4);
  t.equal(limits.get(1), 16);
  // Longer after their last sample than meters take for two.
  second(125, 10);
  second(126, 10);
  t.equal(limits.get(1), 10, 'the building took 6 A more on L1: nobody else can have been that');
  t.equal(limits.get(2), 16);
  // Seen at 10 A since, and counted at 16 until it has certainly followed: above the breaker that explains nothing any more.
  for (let when = 127; when <= 132; when++) second(when, 10);
  second(133, 14);
  second(134, 14);
  t.equal(limits.get(1), 6, 'an overload is not put down to a car that was seen to take less');
});

t.test('a breaker that is warm is spared: above its rating is too much until it has cooled', async (t) => {
  let heat: readonly [number, number, number] = [0, 0, 0];
  let second = 0;
  const after = (current: number, seconds: number): string | undefined => {
    let last: string | undefined;
    for (let s = 0; s < seconds; s++) {
      const account = accountBreaker(heat, at(second), [current, 0, 0], 100, at(second + 1));
      heat = account.heat;
      second++;
      [last] = account.decisions;
    }
    return last;
  };
  t.equal(after(105, 60), 'workOff', 'cold, and a little too much');
  t.equal(after(140, 600), 'shed');
  t.equal(after(105, 1), 'shed', 'the same, while it is warm');
  t.equal(after(99, 1), 'workOff', 'it cools');
  t.equal(after(105, 120), 'shed');
  t.equal(after(99, 1200), 'hold');
  t.equal(after(105, 1), 'workOff', 'cold again');
});

t.test('a silent charger counts at its fallback, where that is more than it held', async (t) => {
  const low = seen({ upperBound: ampere(6) });
  const sent = plan(network, initialBalancing(network, at(0), new Map([[ONE, 6]])), low, at(1)).state;
  const held = plan(network, confirmed(network, sent, ONE, ampere(6), at(2)), low, at(20)).state;
  t.equal(ceiling(held), 6);
  const silent = plan(network, held, seen({ link: 'lost' }), at(21));
  t.match(silent.report().evses[0], { standing: 'lost', ceiling: 8 });
  t.equal(silent.report().circuits[0]?.reserved.L1, 8);
});

t.test('a silent charger that nothing limits by itself counts at its maximum, until it is told again', async (t) => {
  const site = siteOf(circuits, [{ number: 1, circuit: 'main', fallback: 8 }]);
  const unruly = networkOf({
    ...site,
    stations: site.stations.map((station) => ({
      ...station,
      evses: station.evses.map((evse) => ({ ...evse, silentAtFullPower: true })),
    })),
  });
  const holds = (state: BalancingState) => ceilings(unruly, state).get(ONE);
  const low = { upperBound: ampere(6) };
  const begun = initialBalancing(unruly, at(0), new Map([[ONE, 6]]));
  const sent = plan(unruly, begun, seen(low), at(1)).state;
  const held = plan(unruly, confirmed(unruly, sent, ONE, ampere(6), at(2)), seen(low), at(20)).state;
  t.equal(holds(held), 6, 'it obeys');
  const silent = plan(unruly, held, seen({ ...low, link: 'lost' }), at(21));
  t.match(silent.report().evses[0], { standing: 'lost', ceiling: 32 });
  t.equal(silent.report().circuits[0]?.reserved.L1, 32);
  t.equal(holds(plan(unruly, silent.state, seen(low), at(22)).state), 32, 'back, and not yet told');
});

t.test('a cut that nobody confirms makes its EVSE count at the old current, and says so', async (t) => {
  const start = initialBalancing(network, at(0), new Map([[ONE, 20]]));
  const cut = plan(network, start, seen({ upperBound: ampere(10) }), at(1));
  t.same(cut.commands, [{ evse: 1, current: 10 }]);
  const soon = plan(network, cut.state, seen({ upperBound: ampere(10) }), at(5));
  t.equal(soon.report().evses[0]?.standing, 'obeying');
  const late = plan(network, soon.state, seen({ upperBound: ampere(10) }), at(6));
  t.match(late.report().evses[0], { standing: 'unconfirmed', ceiling: 20 });
  t.equal(late.report().circuits[0]?.reserved.L1, 20, 'kept for it');
});

t.test('who has not confirmed a cut is told a lower one, and never a higher one', async (t) => {
  const limited = (limit: number, own: Partial<EvseObservation> = {}): Snapshot => ({
    ...seen({ upperBound: ampere(10), ...own }),
    gridOperator: { limits: new Map([[circuitId('main'), ampere(limit)]]), failsafe: false },
  });
  const start = initialBalancing(network, at(0), new Map([[ONE, 20]]));
  const cut = plan(network, start, limited(32), at(1)).state;
  const mute = plan(network, cut, limited(32), at(6));
  t.same([mute.report().evses[0]?.standing, mute.commands], ['unconfirmed', []]);
  const lower = plan(network, mute.state, limited(8), at(7));
  t.same(lower.commands, [{ evse: 1, current: 8 }]);
  t.match(lower.report().evses[0], { standing: 'unconfirmed', target: 8, ceiling: 20 });
  t.same(plan(network, lower.state, limited(8), at(8)).commands, [], 'once');
  const higher = plan(network, lower.state, limited(32), at(9));
  t.match(higher.report().evses[0], { standing: 'unconfirmed', target: 8, sent: 8 });
  t.same(higher.commands, []);
  t.same(plan(network, higher.state, limited(5), at(10)).commands, [{ evse: 1, current: 0 }], 'no car takes 5 A');
  const measured = { current: perPhase(() => ampere(20)), at: at(30) };
  const kept = confirmed(network, mute.state, ONE, ampere(10), at(8));
  const deaf = plan(network, kept, limited(32, { measured }), at(30));
  t.same([deaf.report().evses[0]?.standing, deaf.commands], ['notReacting', []]);
  const less = plan(network, deaf.state, limited(8, { measured }), at(31));
  t.same(less.commands, [{ evse: 1, current: 8 }], 'nor does one that does not react keep more than there is');
});

t.test('those who have not confirmed a cut share what is left of it', async (t) => {
  const specs = [1, 2, 3].map((number) => ({ number, circuit: 'main' }));
  const world = worldOf({ main: { breaker: 48 } }, specs);
  for (const charger of world.chargers.values()) charger.car = { takes: 32 };
  run(world, 60);
  t.same(
    [1, 2, 3].map((evse) => sentTo(world, evse)),
    [16, 16, 16],
  );
  for (const evse of [1, 2]) Object.assign(world.chargers.get(evse) ?? {}, { manner: 'applies-mute', upperBound: 12 });
  run(world, 9);
  t.same(
    [1, 2, 3].map((evse) => sentTo(world, evse)),
    [12, 12, 16],
    'counted at 16 A each',
  );
  world.caps = [{ name: 'cap', limit: ampere(15), evses: specs.map(({ number }) => evseNumber(number)) }];
  run(world, 20);
  t.same(
    [1, 2, 3].map((evse) => sentTo(world, evse)),
    [7.5, 7.5, 0],
  );
});

t.test('the highest background of ten seconds counts; who was paused stays so for a minute', async (t) => {
  const world = worldOf({ main: { breaker: 32, meter: 'grid' } }, [{ number: 1, circuit: 'main' }]);
  const [charger] = world.chargers.values();
  if (charger === undefined) throw new Error('one EVSE');
  charger.car = { takes: 32 };
  run(world, 30);
  world.background.set('main', [28, 0, 0]);
  run(world, 1);
  t.equal(sentTo(world, 1), 0);
  world.background.set('main', [0, 0, 0]);
  run(world, 8);
  t.equal(world.last?.report().circuits[0]?.background.L1, 28, 'still');
  run(world, 12);
  t.equal(world.last?.report().circuits[0]?.background.L1, 0);
  t.same([sentTo(world, 1), world.last?.report().evses[0]?.because.kind], [0, 'pause']);
  run(world, 60);
  t.equal(sentTo(world, 1), 32);
});
