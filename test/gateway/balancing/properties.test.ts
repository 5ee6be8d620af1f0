// What must hold on every site, under every fault: the properties of load balancing, on random sites.
import t from 'tap';
import fc from 'fast-check';
import { PHASES, type Phase } from '../../../gateway/site/topology.js';
import { flowOf, run, sentTo, step, worldOf, type Charger, type EvseSpec, type World } from './world.js';

const ROTATIONS: readonly (readonly Phase[])[] = [
  ['L1', 'L2', 'L3'],
  ['L2', 'L3', 'L1'],
  ['L3', 'L1', 'L2'],
  ['L1'],
  ['L2'],
  ['L3'],
];

const evseArb = fc.record({
  circuit: fc.constantFrom('main', 'a', 'b'),
  phases: fc.constantFrom(...ROTATIONS),
  rotationKnown: fc.boolean(),
  max: fc.constantFrom(16, 32),
});
const siteArb = fc.record({
  main: fc.integer({ min: 10, max: 120 }),
  a: fc.integer({ min: 6, max: 63 }),
  b: fc.integer({ min: 6, max: 63 }),
  evses: fc.array(evseArb, { minLength: 1, maxLength: 8 }),
  takes: fc.array(fc.integer({ min: 6, max: 32 }), { minLength: 8, maxLength: 8 }),
  phases: fc.array(fc.constantFrom<readonly Phase[] | undefined>(undefined, ['L1'], ['L2'], ['L1', 'L2']), {
    minLength: 8,
    maxLength: 8,
  }),
  priorities: fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 8, maxLength: 8 }),
});
type Spec = typeof siteArb extends fc.Arbitrary<infer T> ? T : never;

function build(spec: Spec, delay?: () => number): World {
  const circuits = {
    main: { breaker: spec.main },
    a: { fedBy: 'main', breaker: spec.a },
    b: { fedBy: 'main', breaker: spec.b },
  };
  const evses = spec.evses.map((one, i): EvseSpec => ({ ...one, number: i + 1 }));
  const world = worldOf(circuits, evses, delay === undefined ? {} : { delay, lag: 7 });
  plugIn(world, spec);
  return world;
}

function plugIn(world: World, spec: Spec): void {
  [...world.chargers.values()].forEach((charger, i) => {
    const phases = spec.phases[i];
    const wired = charger.spec.phases ?? PHASES;
    const usable = phases?.every((phase) => wired.includes(phase)) === true ? { phases } : {};
    charger.car = { takes: spec.takes[i] ?? 16, ...usable, priority: spec.priorities[i] ?? 0 };
  });
}

const limits = (spec: Spec): readonly (readonly [string, number])[] => [
  ['main', spec.main],
  ['a', spec.a],
  ['b', spec.b],
];

function overload(world: World, spec: Spec): string | undefined {
  for (const [circuit, limit] of limits(spec)) {
    const flow = flowOf(world, circuit);
    for (const phase of PHASES) if (flow[phase] > limit + 1e-6) return `${circuit} ${phase} ${flow[phase]} > ${limit}`;
  }
  return undefined;
}

t.test('no circuit is exceeded, whatever is applied, lost, refused or late', async (t) => {
  const faultArb = fc.record({
    at: fc.integer({ min: 0, max: 299 }),
    evse: fc.nat(7),
    what: fc.constantFrom<'manner' | 'link' | 'car' | 'bound'>('manner', 'link', 'car', 'bound'),
    manner: fc.constantFrom<Charger['manner']>('accepts', 'rejects', 'applies-mute', 'drops'),
    bound: fc.constantFrom(0, 5, 8, 12.5, 32),
  });
  const delays = fc.array(fc.integer({ min: 0, max: 7 }), { minLength: 7, maxLength: 7 });
  fc.assert(
    fc.property(
      siteArb,
      fc.array(faultArb, { maxLength: 20 }),
      delays,
      fc.boolean(),
      (spec, faults, delay, measures) => {
        let turn = 0;
        const world = build(spec, () => delay[turn++ % delay.length] ?? 1);
        for (const charger of world.chargers.values()) charger.measures = measures;
        for (let second = 0; second < 300; second++) {
          for (const fault of faults.filter((one) => one.at === second)) {
            const charger = [...world.chargers.values()][fault.evse % world.chargers.size];
            if (charger === undefined) continue;
            if (fault.what === 'manner') charger.manner = fault.manner;
            else if (fault.what === 'link') charger.link = charger.link === 'connected' ? 'lost' : 'connected';
            else if (fault.what === 'bound') charger.upperBound = fault.bound;
            else charger.car = charger.car === undefined ? { takes: 32, since: second + 2 } : undefined;
          }
          step(world);
          const broken = overload(world, spec);
          if (broken !== undefined) throw new Error(`second ${second}: ${broken}`);
          for (const { evse, sent } of world.last?.report().evses ?? []) {
            if (sent !== undefined && sent !== 0 && sent < 6) throw new Error(`EVSE ${evse} was told ${sent} A`);
          }
        }
      },
    ),
    { numRuns: 60 },
  );
  t.pass('held');
});

t.test('after a restart no step goes above the limit, whether the gateway remembers or not (S41)', async (t) => {
  const arrivals = fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(siteArb, arrivals, fc.boolean(), (spec, arrival, remembers) => {
      const before = build({ ...spec, phases: [] });
      run(before, 60);
      const circuits = Object.fromEntries(before.network.circuits.map((one) => [one.id, one]));
      const evses = [...before.chargers.values()].map((charger) => charger.spec);
      const world = worldOf(circuits, evses, remembers ? { carriesOn: before } : { forgets: true });
      [...before.chargers.values()].forEach((old) => {
        const charger = world.chargers.get(old.spec.number);
        if (charger === undefined) return;
        Object.assign(charger, { car: old.car, holds: old.holds, takes: old.takes, link: 'unknown' });
      });
      for (let second = 0; second < 150; second++) {
        [...world.chargers.values()].forEach((charger, i) => {
          if (arrival[i] === second) charger.link = 'connected';
        });
        step(world);
        const broken = overload(world, spec);
        if (broken !== undefined) throw new Error(`second ${second}: ${broken}`);
      }
      const charging = (of: World): number => [...of.chargers.values()].filter((one) => one.takes > 0).length;
      if (charging(world) < Math.min(1, charging(before))) throw new Error('nobody charges any more');
    }),
    { numRuns: 40 },
  );
  t.pass('held');
});

t.test('work-conserving: whoever has less than the bound shares a full phase; then nothing more is sent', async (t) => {
  fc.assert(
    fc.property(siteArb, (spec) => {
      const world = build({ ...spec, takes: spec.takes.map(() => 32), phases: [] });
      run(world, 150);
      const before = world.log.length;
      run(world, 20);
      if (world.log.length !== before) throw new Error('still sending');
      for (const one of world.last?.report().evses ?? []) {
        const sent = one.sent ?? 0;
        const charger = world.chargers.get(one.evse);
        if (sent >= (charger?.spec.max ?? 32) - 0.5) continue;
        const path = pathOf(world, one.evse);
        const room = Math.min(
          ...path.flatMap((circuit) =>
            one.phases.map(
              (phase) => (limits(spec).find(([id]) => id === circuit)?.[1] ?? 0) - grantedOn(world, circuit, phase),
            ),
          ),
        );
        const needed = sent === 0 ? 6 : 1.2;
        if (room >= needed) throw new Error(`EVSE ${one.evse} has ${sent} A while ${room} A are free`);
      }
    }),
    { numRuns: 60 },
  );
  t.pass('held');
});

const pathOf = (world: World, evse: number): readonly string[] => {
  const outlet = world.network.outlets.find((one) => one.evse.number === evse);
  return outlet?.path.map((index) => world.network.circuits[index]?.id ?? '') ?? [];
};

function grantedOn(world: World, circuit: string, phase: Phase): number {
  return world.last?.report().circuits.find((one) => one.circuit === circuit)?.granted[phase] ?? 0;
}

t.test('within a class, who has less than another on a shared full phase is at its bound', async (t) => {
  fc.assert(
    fc.property(siteArb, (spec) => {
      const world = build({ ...spec, takes: spec.takes.map(() => 32), phases: [], priorities: [] });
      run(world, 150);
      const reports = world.last?.report().evses.filter((one) => (one.sent ?? 0) > 0) ?? [];
      for (const low of reports) {
        if (low.because.kind !== 'full') continue;
        const { name, phase } = low.because.where;
        for (const high of reports) {
          const shares = pathOf(world, high.evse).includes(name) && high.phases.includes(phase);
          if (shares && (high.sent ?? 0) > (low.sent ?? 0) + 1.2) {
            throw new Error(
              `EVSE ${high.evse} ${high.sent} A above EVSE ${low.evse} ${low.sent} A on ${name} ${phase}`,
            );
          }
        }
      }
    }),
    { numRuns: 60 },
  );
  t.pass('held');
});

t.test('turning all phases turns nothing else', async (t) => {
  const turn = (phase: Phase): Phase => PHASES[(PHASES.indexOf(phase) + 1) % 3] ?? 'L1';
  fc.assert(
    fc.property(siteArb, (spec) => {
      const turned = {
        ...spec,
        evses: spec.evses.map((one) => ({ ...one, phases: one.phases.map(turn) })),
        phases: spec.phases.map((phases) => phases?.map(turn)),
      };
      const [one, other] = [build(spec), build(turned)];
      run(one, 100);
      run(other, 100);
      const told = (world: World): readonly number[] => [...world.chargers.keys()].map((evse) => sentTo(world, evse));
      if (told(one).join() !== told(other).join()) throw new Error(`${told(one).join()} / ${told(other).join()}`);
    }),
    { numRuns: 30 },
  );
  t.pass('held');
});

t.test('losing a charger frees nothing that it had; losing a meter makes no room', async (t) => {
  fc.assert(
    fc.property(siteArb, fc.nat(7), fc.boolean(), (spec, who, meter) => {
      const circuits = {
        main: { breaker: spec.main, meter: 'grid', whenMeterLost: 20 },
        a: { fedBy: 'main', breaker: spec.a },
        b: { fedBy: 'main', breaker: spec.b },
      };
      const evses = spec.evses.map((one, i): EvseSpec => ({ ...one, number: i + 1, fallback: 6 }));
      const world = worldOf(circuits, evses);
      world.background.set('main', [2, 5, 0]);
      plugIn(world, spec);
      run(world, 150);
      const before = world.last?.report();
      const victim = [...world.chargers.values()][who % world.chargers.size];
      const had = before?.evses.find((one) => one.evse === victim?.spec.number)?.sent ?? 0;
      if (meter) world.deadMeters.add('grid');
      else if (victim !== undefined) victim.link = 'lost';
      run(world, 40);
      const after = world.last?.report();
      for (const [i, circuit] of (after?.circuits ?? []).entries()) {
        for (const phase of PHASES) {
          const slack = circuit.slack[phase];
          if (meter && slack > (before?.circuits[i]?.slack[phase] ?? 0) + 1e-6)
            throw new Error(`${circuit.circuit} grew`);
          const sum = circuit.granted[phase] + circuit.reserved[phase];
          if (sum > Math.max(slack, circuit.reserved[phase]) + 1e-6) throw new Error(`${sum} A granted of ${slack} A`);
        }
      }
      const counted = after?.evses.find((one) => one.evse === victim?.spec.number)?.ceiling ?? 0;
      if (!meter && counted < Math.max(6, had)) throw new Error(`${had} A became ${counted} A`);
    }),
    { numRuns: 40 },
  );
  t.pass('held');
});

t.test('no starvation: k places, n equals, each is served within ceil(n/k) turns, one start per turn', async (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 6 }), (places, cars) => {
      const specs = Array.from({ length: cars }, (_, i): EvseSpec => ({ number: i + 1, circuit: 'main' }));
      const world = worldOf({ main: { breaker: places * 6 + 3 } }, specs);
      for (const charger of world.chargers.values()) charger.car = { takes: 16 };
      const turns = Math.ceil(cars / places);
      run(world, turns * 900 + 60);
      for (const evse of world.chargers.keys()) {
        const own = world.log.filter((one) => one.evse === evse);
        if (!own.some((one) => one.current > 0)) throw new Error(`EVSE ${evse} of ${cars} was never served`);
        const starts = own.filter((one, i) => one.current > 0 && (own[i - 1]?.current ?? 0) === 0);
        starts.forEach((start, i) => {
          const gap = start.at - (starts[i - 1]?.at ?? -Infinity);
          if (gap < 900_000) throw new Error(`EVSE ${evse} was started twice within ${gap} ms`);
        });
      }
    }),
    { numRuns: 12 },
  );
  t.pass('held');
});
