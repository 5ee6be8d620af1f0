// Random sites for the properties of load balancing: trees of circuits, mixed wiring, cars of every kind.
import fc from 'fast-check';
import { evseNumber } from '../../../gateway/kernel/ids.js';
import { ampere, minutes } from '../../../gateway/kernel/units.js';
import { PHASES, type Phase } from '../../../gateway/site/topology.js';
import { flowOf, worldOf, type Car, type Charger, type CircuitSpec, type EvseSpec, type World } from './world.js';

const ROTATIONS: readonly (readonly Phase[])[] = [
  ['L1', 'L2', 'L3'],
  ['L2', 'L3', 'L1'],
  ['L3', 'L1', 'L2'],
  ['L1'],
  ['L2'],
  ['L3'],
];
const PAIRS: readonly (readonly Phase[])[] = [
  ['L1', 'L2'],
  ['L2', 'L3'],
  ['L3', 'L1'],
];
const CIRCUITS = ['main', 'a', 'b', 'c', 'd'] as const;

const evseArb = fc.record({
  circuit: fc.nat(4),
  rotation: fc.nat(5),
  /** Between two phases, on a site that has such EVSEs. */
  lineToLine: fc.boolean(),
  rotationKnown: fc.boolean(),
  max: fc.constantFrom(16, 32),
  switches: fc.boolean(),
  takes: fc.integer({ min: 6, max: 32 }),
  phases: fc.constantFrom<readonly Phase[] | undefined>(undefined, ['L1'], ['L2'], ['L1', 'L2']),
  priority: fc.integer({ min: 0, max: 1 }),
  weight: fc.integer({ min: 1, max: 2 }),
  stay: fc.option(fc.integer({ min: 600, max: 7200 }), { nil: undefined }),
});

export const siteArb = fc.record({
  breakers: fc.tuple(
    fc.integer({ min: 10, max: 120 }),
    ...([0, 1, 2, 3] as const).map(() => fc.integer({ min: 6, max: 63 })),
  ),
  /** What feeds each of the others: one of those before it. */
  feeders: fc.tuple(fc.constant(0), fc.nat(1), fc.nat(2), fc.nat(3)),
  circuits: fc.integer({ min: 1, max: 5 }),
  evses: fc.array(evseArb, { minLength: 1, maxLength: 8 }),
  strategy: fc.constantFrom('fair' as const, 'first-come' as const, 'most-energy' as const),
  northAmerica: fc.boolean(),
  /** Behind a delta-wye transformer, where it is a North American site. */
  transformer: fc.boolean(),
  cap: fc.option(fc.integer({ min: 5, max: 60 }), { nil: undefined }),
});
export type SiteSpec = typeof siteArb extends fc.Arbitrary<infer T> ? T : never;

export const circuitsOf = (spec: SiteSpec): Readonly<Record<string, CircuitSpec>> =>
  Object.fromEntries(
    CIRCUITS.slice(0, spec.circuits).map((id, i): [string, CircuitSpec] => [
      id,
      {
        breaker: spec.breakers[i] ?? 10,
        ...(i === 0
          ? spec.northAmerica && spec.transformer && { primaryVoltage: 480 }
          : { fedBy: CIRCUITS[spec.feeders[i - 1] ?? 0] ?? 'main' }),
      },
    ]),
  );

export const evsesOf = (spec: SiteSpec): readonly EvseSpec[] =>
  spec.evses.map((one, i): EvseSpec => {
    const lineToLine = spec.northAmerica && one.lineToLine;
    const phases = (lineToLine ? PAIRS[one.rotation % 3] : ROTATIONS[one.rotation]) ?? PHASES;
    return {
      number: i + 1,
      circuit: CIRCUITS[one.circuit % spec.circuits] ?? 'main',
      phases,
      rotationKnown: lineToLine || one.rotationKnown,
      max: one.max,
      ...(lineToLine && { lineToLine }),
      ...(one.switches && !lineToLine && phases.length === 3 && { switches: true }),
    };
  });

export function carOf(spec: SiteSpec, charger: Charger): Car {
  const own = spec.evses[charger.spec.number - 1];
  const wired = charger.spec.phases ?? PHASES;
  const fits = charger.spec.lineToLine !== true && own?.phases?.every((phase) => wired.includes(phase)) === true;
  return {
    takes: own?.takes ?? 16,
    priority: own?.priority ?? 0,
    weight: own?.weight ?? 1,
    ...(fits && own.phases && { phases: own.phases }),
    ...(own?.stay !== undefined && { departure: own.stay, energy: 5000 }),
  };
}

export function buildWorld(
  spec: SiteSpec,
  options: { readonly delay?: () => number; readonly circuits?: Readonly<Record<string, CircuitSpec>> } = {},
): World {
  const world = worldOf(options.circuits ?? circuitsOf(spec), evsesOf(spec), {
    policy: { strategy: spec.strategy, rotation: minutes(15) },
    lag: 7,
    ...(options.delay && { delay: options.delay }),
  });
  if (spec.cap !== undefined)
    world.caps = [
      {
        name: 'cap',
        limit: ampere(spec.cap),
        evses: [...world.chargers.keys()].filter((n) => n % 2 === 1).map(evseNumber),
      },
    ];
  for (const charger of world.chargers.values()) charger.car = carOf(spec, charger);
  return world;
}

/** What is too much, and where; `drawn` is what each charger is taken to draw. */
export function overload(world: World, drawn?: (of: Charger) => ReturnType<typeof flowOf>): string | undefined {
  for (const { id, breaker } of world.network.circuits) {
    const flow = flowOf(world, id, drawn);
    for (const phase of PHASES)
      if (flow[phase] > breaker + 1e-6) return `${id} ${phase} ${flow[phase].toFixed(3)} > ${breaker}`;
  }
  return undefined;
}

export const pathOf = (world: World, evse: number): readonly string[] => {
  const outlet = world.network.outlets.find((one) => one.evse.number === evse);
  return outlet?.path.map((index) => world.network.circuits[index]?.id ?? '') ?? [];
};
