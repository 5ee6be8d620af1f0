// What must hold on every site, under every fault: the properties of load balancing, on random sites.
import fc from 'fast-check';
import { ampere, timestamp } from '../../../gateway/kernel/units.js';
import { perPhase, PHASES, type Phase } from '../../../gateway/site/topology.js';
import { plan } from '../../../gateway/balancing/balancer.js';
import { initialBalancing } from '../../../gateway/balancing/state.js';
import { buildWorld, carOf, circuitsOf, evsesOf, overload, pathOf, siteArb, type SiteSpec } from './random-site.js';
import {
  currentOf,
  flowOf,
  observationOf,
  run,
  sentTo,
  START,
  step,
  worldOf,
  type Charger,
  type EvseSpec,
  type World,
} from './world.js';

export interface Property {
  readonly name: string;
  /** How many of a hundred cases are its own. */
  readonly share: number;
  readonly holds: fc.IRawProperty<unknown>;
}

const fail = (text: string): never => {
  throw new Error(text);
};

const chargersOf = (world: World): readonly Charger[] => [...world.chargers.values()];
/** Three phases, no pairs, one class: where who has how much can be compared. */
const plain = (spec: SiteSpec): SiteSpec => ({
  ...spec,
  northAmerica: false,
  cap: undefined,
  evses: spec.evses.map((one) => ({ ...one, takes: 32, phases: undefined, switches: false, stay: undefined })),
});

const faultArb = fc.record({
  at: fc.integer({ min: 0, max: 249 }),
  evse: fc.nat(7),
  what: fc.constantFrom('manner', 'link', 'car', 'bound', 'measures'),
  manner: fc.constantFrom<Charger['manner']>('accepts', 'rejects', 'applies-mute', 'drops'),
  bound: fc.constantFrom(0, 5, 8, 12.5, 32),
});
type Fault = typeof faultArb extends fc.Arbitrary<infer T> ? T : never;
const faultsArb = fc.array(faultArb, { maxLength: 20 });
const delaysArb = fc.array(fc.integer({ min: 0, max: 7 }), { minLength: 7, maxLength: 7 });

function strike(world: World, spec: SiteSpec, fault: Fault, second: number): void {
  const charger = chargersOf(world)[fault.evse % world.chargers.size];
  if (charger === undefined) return;
  if (fault.what === 'manner') charger.manner = fault.manner;
  else if (fault.what === 'link') charger.link = charger.link === 'connected' ? 'lost' : 'connected';
  else if (fault.what === 'bound') charger.upperBound = fault.bound;
  else if (fault.what === 'measures') charger.measures = !charger.measures;
  else charger.car = charger.car === undefined ? { ...carOf(spec, charger), takes: 32, since: second + 2 } : undefined;
}

/** The most a charger may draw when any of what was sent to it is in force, and any of it is lost. */
function atWorst(charger: Charger): ReturnType<typeof currentOf> {
  const { car, takes, drawsOn, holds, holdsPhases, wire } = charger;
  const possible = [{ current: holds, phases: holdsPhases }, ...wire].map(({ current, phases }) =>
    currentOf(charger, car === undefined ? 0 : Math.min(current, car.takes), phases),
  );
  const drawn = [currentOf(charger, takes, drawsOn), ...possible];
  return perPhase((phase) => ampere(Math.max(...drawn.map((each) => each[phase]))));
}

const neverExceeded = fc.property(siteArb, faultsArb, delaysArb, fc.boolean(), (spec, faults, delays, measures) => {
  let turn = 0;
  const world = buildWorld(spec, { delay: () => delays[turn++ % delays.length] ?? 1 });
  for (const charger of world.chargers.values()) charger.measures = measures;
  for (let second = 0; second < 250; second++) {
    for (const fault of faults) if (fault.at === second) strike(world, spec, fault, second);
    step(world);
    const broken = overload(world, atWorst);
    if (broken !== undefined) fail(`second ${second}: ${broken}`);
    for (const { evse, sent } of world.last?.report().evses ?? [])
      if (sent !== undefined && sent !== 0 && sent < 6) fail(`EVSE ${evse} was told ${sent} A`);
  }
});

const incremental = fc.property(
  siteArb,
  faultsArb,
  delaysArb,
  fc.array(fc.integer({ min: 1, max: 2500 }), { minLength: 1, maxLength: 10 }),
  fc.tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 30 })),
  fc.option(fc.integer({ min: 5, max: 20 }), { nil: undefined }),
  (spec, faults, delays, times, [low, high], unbalance) => {
    let turn = 0;
    const circuits = circuitsOf(spec);
    const metered = Object.fromEntries(
      Object.entries(circuits).map(([id, one], i) => [id, i % 2 === 0 ? { ...one, meter: `meter-${id}` } : one]),
    );
    const world = buildWorld(spec, { delay: () => delays[turn++ % delays.length] ?? 1, circuits: metered });
    Object.assign(world.network.policy, { unbalance });
    world.compares = true;
    for (let i = 0; i < 200; i++) {
      for (const fault of faults) if (fault.at === i) strike(world, spec, fault, i);
      world.background.set('main', i % 3 === 0 ? [low, high, 0] : [high, 0, low]);
      if (i === 120) world.deadMeters.add('meter-main');
      if (i === 150) world.deadMeters.delete('meter-main');
      step(world, times[i % times.length]);
    }
  },
);

const restart = fc.property(
  siteArb,
  fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 8, maxLength: 8 }),
  fc.boolean(),
  (spec, arrival, remembers) => {
    const before = buildWorld({ ...spec, cap: undefined });
    run(before, 60);
    const world = worldOf(circuitsOf(spec), evsesOf(spec), remembers ? { carriesOn: before } : { forgets: true });
    for (const old of before.chargers.values()) {
      const charger = world.chargers.get(old.spec.number);
      if (charger === undefined) continue;
      const { car, holds, takes, holdsPhases, drawsOn } = old;
      Object.assign(charger, { car, holds, takes, holdsPhases, drawsOn, link: 'unknown' });
    }
    for (let second = 0; second < 150; second++) {
      chargersOf(world).forEach((charger, i) => {
        if (arrival[i] === second) charger.link = 'connected';
      });
      step(world);
      const broken = overload(world);
      if (broken !== undefined) fail(`second ${second}: ${broken}`);
    }
    const charging = (of: World): number => chargersOf(of).filter((one) => one.takes > 0).length;
    if (charging(world) < Math.min(1, charging(before))) fail('nobody charges any more');
  },
);

function grantedOn(world: World, circuit: string, phase: Phase): number {
  return world.last?.report().circuits.find((one) => one.circuit === circuit)?.granted[phase] ?? 0;
}

const breakerOf = (world: World, circuit: string): number =>
  world.network.circuits.find(({ id }) => id === circuit)?.breaker ?? 0;

const workConserving = fc.property(siteArb, (any) => {
  const world = buildWorld(plain(any));
  run(world, 150);
  const before = world.log.length;
  run(world, 20);
  if (world.log.length !== before) fail('still sending');
  for (const one of world.last?.report().evses ?? []) {
    const sent = one.sent ?? 0;
    if (sent >= (world.chargers.get(one.evse)?.spec.max ?? 32) - 0.5) continue;
    const room = Math.min(
      ...pathOf(world, one.evse).flatMap((circuit) =>
        one.phases.map((phase) => breakerOf(world, circuit) - grantedOn(world, circuit, phase)),
      ),
    );
    if (room >= (sent === 0 ? 6 : 1.2)) fail(`EVSE ${one.evse} has ${sent} A while ${room} A are free`);
  }
});

const bottleneck = fc.property(siteArb, (any) => {
  const spec = plain({ ...any, strategy: 'fair' });
  const alike = { ...spec, evses: spec.evses.map((one) => ({ ...one, priority: 0, weight: 1 })) };
  const world = buildWorld(alike);
  run(world, 150);
  const reports = world.last?.report().evses.filter((one) => (one.sent ?? 0) > 0) ?? [];
  for (const low of reports) {
    if (low.because.kind !== 'full') continue;
    const { name, phase } = low.because.where;
    for (const high of reports) {
      const shares = pathOf(world, high.evse).includes(name) && high.phases.includes(phase);
      if (shares && (high.sent ?? 0) > (low.sent ?? 0) + 1.2)
        fail(`EVSE ${high.evse} ${high.sent} A above EVSE ${low.evse} ${low.sent} A on ${name} ${phase}`);
    }
  }
});

const turned = fc.property(siteArb, (spec) => {
  const turn = (phase: Phase): Phase => PHASES[(PHASES.indexOf(phase) + 1) % 3] ?? 'L1';
  const one = buildWorld({ ...spec, northAmerica: false });
  const other = worldOf(
    circuitsOf({ ...spec, northAmerica: false }),
    evsesOf({ ...spec, northAmerica: false }).map((evse) => ({ ...evse, phases: (evse.phases ?? PHASES).map(turn) })),
    { policy: one.network.policy, lag: one.lag },
  );
  other.caps = one.caps;
  for (const charger of other.chargers.values()) {
    const { car } = one.chargers.get(charger.spec.number) ?? {};
    charger.car = car && { ...car, ...(car.phases && { phases: car.phases.map(turn) }) };
  }
  run(one, 100);
  run(other, 100);
  const told = (world: World): string => [...world.chargers.keys()].map((evse) => sentTo(world, evse)).join();
  if (told(one) !== told(other)) fail(`${told(one)} / ${told(other)}`);
});

const orderless = fc.property(siteArb, fc.infiniteStream(fc.nat()), (spec, places) => {
  const world = buildWorld(spec);
  const now = timestamp(START + 1000);
  const evses = chargersOf(world).map((charger) => observationOf(world, charger));
  const shuffled = evses
    .map((one) => ({ one, place: places.next().value ?? 0 }))
    .sort((a, b) => a.place - b.place)
    .map(({ one }) => one);
  const start = initialBalancing(world.network, now, new Map(evses.map(({ evse }) => [evse, 0])));
  const [one, other] = [evses, shuffled].map((list) =>
    plan(world.network, start, { evses: list, meters: new Map(), caps: world.caps }, now),
  );
  const text = (of: typeof one): string => JSON.stringify([of?.commands, of?.state, of?.report()]);
  if (text(one) !== text(other)) fail('the order of the input matters');
  if (one === undefined) return;
  const again = plan(world.network, one.state, { evses, meters: new Map(), caps: world.caps }, now);
  if (again.commands.length > 0) fail(`the same input again sends ${JSON.stringify(again.commands)}`);
});

const nothingGained = fc.property(siteArb, fc.nat(7), fc.boolean(), (any, who, meter) => {
  const spec = { ...any, northAmerica: false };
  const circuits = circuitsOf(spec);
  const { main } = circuits;
  if (main === undefined) return;
  const world = worldOf(
    { ...circuits, main: { ...main, meter: 'grid', whenMeterLost: 20 } },
    evsesOf(spec).map((one) => ({ ...one, fallback: 6 })),
  );
  for (const charger of world.chargers.values()) charger.car = carOf(spec, charger);
  world.background.set('main', [2, 5, 0]);
  run(world, 150);
  const before = world.last?.report();
  const victim = chargersOf(world)[who % world.chargers.size];
  const had = before?.evses.find((one) => one.evse === victim?.spec.number)?.sent ?? 0;
  if (meter) world.deadMeters.add('grid');
  else if (victim !== undefined) victim.link = 'lost';
  run(world, 40);
  const after = world.last?.report();
  after?.circuits.forEach((circuit, i) => {
    for (const phase of PHASES) {
      const slack = circuit.slack[phase];
      if (meter && slack > (before?.circuits[i]?.slack[phase] ?? 0) + 1e-6) fail(`${circuit.circuit} grew`);
      const sum = circuit.granted[phase] + circuit.reserved[phase];
      if (sum > Math.max(slack, circuit.reserved[phase]) + 1e-6) fail(`${sum} A granted of ${slack} A`);
    }
  });
  const counted = after?.evses.find((one) => one.evse === victim?.spec.number)?.ceiling ?? 0;
  if (!meter && counted < Math.max(6, had)) fail(`${had} A became ${counted} A`);
});

const everyoneServed = fc.property(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 6 }), (places, cars) => {
  const specs = Array.from({ length: cars }, (_, i): EvseSpec => ({ number: i + 1, circuit: 'main' }));
  const world = worldOf({ main: { breaker: places * 6 + 3 } }, specs);
  for (const charger of world.chargers.values()) charger.car = { takes: 16 };
  run(world, Math.ceil(cars / places) * 900 + 60);
  for (const evse of world.chargers.keys()) {
    const own = world.log.filter((one) => one.evse === evse);
    if (!own.some((one) => one.current > 0)) fail(`EVSE ${evse} of ${cars} was never served`);
    const starts = own.filter((one, i) => one.current > 0 && (own[i - 1]?.current ?? 0) === 0);
    starts.forEach((start, i) => {
      const gap = start.at - (starts[i - 1]?.at ?? -Infinity);
      if (gap < 900_000) fail(`EVSE ${evse} was started twice within ${gap} ms`);
    });
  }
});

/** In seconds. */
const SHORT_ROTATION = 120;

/** The least served go first, and others keep coming: nobody is passed over for longer than three rotations and a queue. */
const nobodyForgotten = fc.property(
  fc.integer({ min: 1, max: 2 }),
  fc.array(fc.integer({ min: 0, max: 1100 }), { minLength: 2, maxLength: 6 }),
  (places, arrivals) => {
    const specs = arrivals.map((_, i): EvseSpec => ({ number: i + 1, circuit: 'main' }));
    const world = worldOf({ main: { breaker: places * 6 + 3 } }, specs);
    Object.assign(world.network.policy, { rotation: SHORT_ROTATION * 1000 });
    const most = (4 + Math.ceil(arrivals.length / places)) * SHORT_ROTATION + 120;
    const waits = arrivals.map(() => 0);
    for (let second = 0; second < 2800; second++) {
      chargersOf(world).forEach((charger, i) => {
        if (arrivals[i] === second) charger.car = { takes: 16, since: second };
        const waiting = charger.car !== undefined && (sentTo(world, charger.spec.number) ?? 0) === 0;
        const waited = waiting ? (waits[i] ?? 0) + 1 : 0;
        if (waited > most) fail(`EVSE ${charger.spec.number} waits ${waited} s for one of ${places} places`);
        waits[i] = waited;
      });
      step(world);
    }
  },
);

/** Cars come and go, nothing else happens: whoever has been started charges for a whole rotation, unless it leaves. */
const steady = fc.property(
  siteArb,
  fc.array(fc.record({ at: fc.integer({ min: 0, max: 1700 }), evse: fc.nat(7) }), { maxLength: 12 }),
  (any, visits) => {
    const spec = plain(any);
    const world = buildWorld({ ...spec, evses: spec.evses.map((one) => ({ ...one, priority: 0 })) });
    const startedAt = new Map<number, number>();
    let told = 0;
    for (let second = 0; second < 1800; second++) {
      for (const visit of visits) {
        const charger = visit.at === second ? chargersOf(world)[visit.evse % world.chargers.size] : undefined;
        if (charger === undefined) continue;
        charger.car = charger.car === undefined ? { takes: 32, since: second + 2 } : undefined;
        startedAt.delete(charger.spec.number);
      }
      step(world);
      for (; told < world.log.length; told++) {
        const { evse, current, at } = world.log[told] ?? { evse: 0, current: 0, at: 0 };
        const began = startedAt.get(evse);
        if (current > 0) startedAt.set(evse, began ?? at);
        else startedAt.delete(evse);
        if (current === 0 && began !== undefined && at - began < 900_000)
          fail(`EVSE ${evse} was stopped ${at - began} ms after its start`);
      }
    }
  },
);

const balanced = fc.property(siteArb, fc.integer({ min: 6, max: 25 }), (any, most) => {
  const spec = { ...any, northAmerica: false };
  const world = buildWorld(spec);
  Object.assign(world.network.policy, { unbalance: most });
  run(world, 200);
  const sums = { L1: 0, L2: 0, L3: 0 };
  for (const { evse, phases, sent } of world.last?.report().evses ?? []) {
    if (phases.length < 3) for (const phase of phases) sums[phase] += sent ?? 0;
    if (sent !== undefined && sent > 0 && sent < 6) fail(`EVSE ${evse} was told ${sent} A`);
  }
  const difference = Math.max(...Object.values(sums)) - Math.min(...Object.values(sums));
  if (difference > most + 1e-6) fail(`phases differ by ${difference} A, ${most} A allowed`);
});

/**
 * The building may take what it likes: 40 s after it has, charging has
 * given way. Where rotations are unknown it takes longer to find out who loads a phase, but not above what a breaker bears for ever.
 */
const overloadEnds = fc.property(
  siteArb,
  fc.array(fc.tuple(fc.nat(40), fc.nat(40), fc.nat(40)), { minLength: 3, maxLength: 3 }),
  (any, jumps) => {
    // Where currents add up at an angle, what a car of unknown rotation is thought to load cannot be told from the building.
    const evses = any.evses.map((one) => ({ ...one, rotationKnown: one.rotationKnown || any.northAmerica }));
    const spec = { ...any, evses, cap: undefined };
    const known = evses.every(({ rotationKnown }) => rotationKnown);
    const circuits = Object.fromEntries(
      Object.entries(circuitsOf(spec)).map(([id, one]) => [id, { ...one, meter: `meter-${id}` }]),
    );
    const world = buildWorld(spec, { circuits });
    run(world, 60);
    for (const jump of jumps) {
      world.background.set('main', [...jump]);
      run(world, 40);
      const nobody = (): ReturnType<typeof flowOf> => currentOf(chargersOf(world)[0] as Charger, 0);
      for (const { id, breaker } of world.network.circuits) {
        const [flow, without] = [flowOf(world, id), flowOf(world, id, nobody)];
        for (const phase of PHASES)
          if (flow[phase] > Math.max(known ? breaker : 1.13 * breaker, without[phase]) + 0.2)
            fail(`${id} ${phase} carries ${flow[phase]} A, ${without[phase]} A of it not from cars`);
      }
    }
  },
);

export const PROPERTIES: readonly Property[] = [
  { name: 'no circuit is exceeded, whatever is applied, lost, refused or late', share: 25, holds: neverExceeded },
  { name: 'what is looked at again is what a full plan finds', share: 15, holds: incremental },
  {
    name: 'after a restart no step goes above the limit, whether the gateway remembers or not (S41)',
    share: 10,
    holds: restart,
  },
  { name: 'an overload by the building ends', share: 10, holds: overloadEnds },
  { name: 'work-conserving; then nothing more is sent', share: 8, holds: workConserving },
  {
    name: 'within a class, who has less than another on a shared full phase is at its bound',
    share: 6,
    holds: bottleneck,
  },
  { name: 'turning all phases turns nothing else', share: 5, holds: turned },
  { name: 'the order of the input does not matter; the same input again sends nothing', share: 6, holds: orderless },
  { name: 'losing a charger frees nothing that it had; losing a meter makes no room', share: 5, holds: nothingGained },
  { name: 'phases stay within the rule of unbalance', share: 5, holds: balanced },
  {
    name: 'k places, n equals: each is served within ceil(n/k) turns, one start per turn',
    share: 2,
    holds: everyoneServed,
  },
  { name: 'nobody waits longer than three rotations and a queue', share: 1, holds: nobodyForgotten },
  { name: 'who was started charges for a whole rotation', share: 3, holds: steady },
];
