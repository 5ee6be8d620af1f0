// Runs the balancing scenarios of test/scenarios/balancing: a site, cars on it, then changes and what is expected after each.
import t, { type Test } from 'tap';
import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { ampere, minutes, timestamp } from '../../../gateway/kernel/units.js';
import { PHASES, type BalancingPolicy, type Phase } from '../../../gateway/site/topology.js';
import { evseNumber } from '../../../gateway/kernel/ids.js';
import {
  flowOf,
  run,
  sentTo,
  worldOf,
  type Car,
  type Charger,
  type CircuitSpec,
  type EvseSpec,
  type World,
} from './world.js';

interface Patch {
  readonly cars?: Readonly<Record<string, (Omit<Car, 'phases'> & { readonly phases?: string }) | null>>;
  readonly background?: Readonly<Record<string, readonly [number, number, number]>>;
  readonly links?: Readonly<Record<string, Charger['link']>>;
  readonly manners?: Readonly<Record<string, Charger['manner']>>;
  readonly bounds?: Readonly<Record<string, number>>;
  readonly meters?: Readonly<Record<string, 'dead' | 'frozen' | 'alive'>>;
  /** EVSEs that no longer tell what they draw. */
  readonly unmeasured?: readonly number[];
  readonly caps?: readonly { readonly name: string; readonly evses: readonly number[]; readonly limit: number }[];
  /** Seconds of the scenario at which heartbeat and limit were last heard. */
  readonly gridOperator?: { readonly heartbeat: boolean; readonly says?: boolean; readonly limit?: number };
}

interface Expectation {
  /** A number, or `low..high`. */
  readonly sent?: Readonly<Record<string, number | string>>;
  readonly because?: Readonly<Record<string, string>>;
  /** On how many phases it was told to charge last. */
  readonly phases?: Readonly<Record<string, 1 | 3>>;
  /** In the last second. */
  readonly flowAtMost?: Readonly<Record<string, number>>;
  /** In every second of the step. */
  readonly peakAtMost?: Readonly<Record<string, number>>;
  readonly escalations?: readonly string[];
  /** Pauses (a setpoint of 0 after one above 0) since the scenario began. */
  readonly pauses?: number;
  readonly commandsAtMost?: number;
}

interface Scenario {
  readonly name: string;
  readonly why?: string;
  readonly strategy?: BalancingPolicy['strategy'];
  readonly rotation?: number;
  readonly failsafe?: number;
  readonly unbalance?: number;
  readonly base: {
    readonly circuits: Readonly<Record<string, CircuitSpec>>;
    readonly evses: readonly (Omit<EvseSpec, 'phases'> & { readonly phases?: string })[];
    readonly remembered?: number;
  } & Patch;
  readonly steps: readonly { readonly patch?: Patch; readonly after: number; readonly expect: Expectation }[];
}

const phasesOf = (text: string): readonly Phase[] => PHASES.filter((phase) => text.includes(phase));
const wiringOf = (text: string): readonly Phase[] =>
  text.split(' ').flatMap((word) => PHASES.filter((phase) => phase === word));

function apply(world: World, patch: Patch): void {
  const chargers = (from: Readonly<Record<string, unknown>> | undefined): Charger[] =>
    Object.keys(from ?? {}).flatMap((number) => world.chargers.get(Number(number)) ?? []);
  for (const charger of chargers(patch.cars)) {
    const car = patch.cars?.[charger.spec.number];
    const { phases, ...rest } = car ?? { takes: 0 };
    charger.car = car
      ? { since: world.now, ...rest, ...(phases === undefined ? {} : { phases: phasesOf(phases) }) }
      : undefined;
  }
  for (const charger of chargers(patch.links)) charger.link = patch.links?.[charger.spec.number] ?? charger.link;
  for (const charger of chargers(patch.manners))
    charger.manner = patch.manners?.[charger.spec.number] ?? charger.manner;
  for (const charger of chargers(patch.bounds)) charger.upperBound = patch.bounds?.[charger.spec.number] ?? 0;
  for (const [circuit, [a, b, c]] of Object.entries(patch.background ?? {})) world.background.set(circuit, [a, b, c]);
  for (const [meter, how] of Object.entries(patch.meters ?? {})) {
    world.deadMeters.delete(meter);
    world.frozenMeters.delete(meter);
    if (how === 'dead') world.deadMeters.add(meter);
    if (how === 'frozen') world.frozenMeters.add(meter);
  }
  for (const number of patch.unmeasured ?? []) {
    const charger = world.chargers.get(number);
    if (charger !== undefined) charger.measures = false;
  }
  if (patch.caps !== undefined) {
    world.caps = patch.caps.map((cap) => ({
      name: cap.name,
      evses: cap.evses.map(evseNumber),
      limit: ampere(cap.limit),
    }));
  }
  if (patch.gridOperator !== undefined) {
    const { heartbeat, says, limit } = patch.gridOperator;
    world.gridOperator = {
      ...world.gridOperator,
      ...(heartbeat ? { heartbeatAt: timestamp(world.now) } : {}),
      ...(says === true ? { saidAt: timestamp(world.now) } : {}),
      ...(limit === undefined ? {} : { limit: ampere(limit) }),
    };
    if (says === true && limit === undefined) {
      const { limit: _, ...unlimited } = world.gridOperator;
      world.gridOperator = unlimited;
    }
    world.heartbeat = heartbeat;
  }
}

function pauses(world: World): number {
  const last = new Map<number, number>();
  let count = 0;
  for (const { evse, current } of world.log) {
    if (current === 0 && (last.get(evse) ?? 0) > 0) count++;
    last.set(evse, current);
  }
  return count;
}

function within(actual: number, expected: number | string): boolean {
  const [low = '', high = low] = String(expected).split('..');
  return actual >= Number(low) - 1e-9 && actual <= Number(high) + 1e-9;
}

function check(t: Test, world: World, label: string, expected: Expectation, commandsBefore: number): void {
  for (const [evse, wanted] of Object.entries(expected.sent ?? {})) {
    const actual = sentTo(world, Number(evse));
    t.ok(within(actual, wanted), `${label}: EVSE ${evse} at ${wanted} A`, { actual });
  }
  for (const [evse, wanted] of Object.entries(expected.because ?? {})) {
    const why = world.last?.report().evses.find((one) => one.evse === Number(evse))?.because;
    const where = why !== undefined && 'where' in why ? ` ${why.where.name} ${why.where.phase}` : '';
    const reason = why !== undefined && 'why' in why ? ` ${why.why}` : '';
    const actual = `${why?.kind}${where}${reason}`;
    t.ok(actual.startsWith(wanted), `${label}: EVSE ${evse} because ${wanted}`, { actual });
  }
  for (const [evse, wanted] of Object.entries(expected.phases ?? {})) {
    const last = world.log.findLast((one) => one.evse === Number(evse));
    t.equal(last?.phases, wanted, `${label}: EVSE ${evse} on ${wanted} phases`);
  }
  for (const [circuit, most] of Object.entries(expected.flowAtMost ?? {})) {
    const flow = flowOf(world, circuit);
    t.ok(
      PHASES.every((phase) => flow[phase] <= most + 1e-6),
      `${label}: ${circuit} at most ${most} A`,
      { flow },
    );
  }
  if (expected.escalations !== undefined) t.same(world.escalations, expected.escalations, `${label}: escalations`);
  if (expected.pauses !== undefined) t.equal(pauses(world), expected.pauses, `${label}: pauses`);
  if (expected.commandsAtMost !== undefined) {
    t.ok(
      world.log.length - commandsBefore <= expected.commandsAtMost,
      `${label}: at most ${expected.commandsAtMost} commands`,
    );
  }
}

const folder = new URL('../../../../test/scenarios/balancing/', import.meta.url);
let played = 0;
for (const file of readdirSync(folder).sort()) {
  const scenario = parse(readFileSync(new URL(file, folder), 'utf8')) as Scenario;
  played++;
  t.test(scenario.name, async (t) => {
    const { circuits, evses, remembered, ...start } = scenario.base;
    const specs = evses.map(({ phases, ...spec }): EvseSpec => ({
      ...spec,
      ...(phases === undefined ? {} : { phases: wiringOf(phases) }),
    }));
    const world = worldOf(circuits, specs, {
      policy: {
        strategy: scenario.strategy ?? 'fair',
        rotation: minutes(scenario.rotation ?? 15),
        ...(scenario.unbalance === undefined ? {} : { unbalance: ampere(scenario.unbalance) }),
        ...(scenario.failsafe === undefined
          ? {}
          : { gridOperatorLimit: { from: 'mqtt' as const, failsafe: ampere(scenario.failsafe) } }),
      },
      ...(remembered === undefined ? {} : { remembered }),
    });
    apply(world, start);
    for (const [i, one] of scenario.steps.entries()) {
      const before = world.log.length;
      apply(world, one.patch ?? {});
      run(world, one.after, () => {
        for (const [circuit, most] of Object.entries(one.expect.peakAtMost ?? {})) {
          const flow = flowOf(world, circuit);
          if (PHASES.some((phase) => flow[phase] > most + 1e-6))
            t.fail(`step ${i + 1}: ${circuit} above ${most} A`, { flow });
        }
      });
      check(t, world, `step ${i + 1}`, one.expect, before);
    }
  });
}
t.test('every scenario was played', async (t) => {
  t.ok(played >= 10, `${played} played`);
});
