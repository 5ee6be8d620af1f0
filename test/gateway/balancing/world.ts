// A simulated site for the balancing tests: cars, chargers that obey late, refuse, ignore or fall silent, and meters; one second a step.
import { circuitId, evseNumber, meterId, stationId, type MeterId } from '../../../gateway/kernel/ids.js';
import {
  ampere,
  milliseconds,
  minutes,
  timestamp,
  volt,
  type Ampere,
  type Timestamp,
} from '../../../gateway/kernel/units.js';
import type { MeterReading } from '../../../gateway/site/metering.js';
import {
  perPhase,
  PHASES,
  type BalancingPolicy,
  type Circuit,
  type Evse,
  type PerPhase,
  type Phase,
} from '../../../gateway/site/topology.js';
import { plan, type Plan } from '../../../gateway/balancing/balancer.js';
import { ceilings, confirmed, failed } from '../../../gateway/balancing/commit.js';
import { networkOf, type Network } from '../../../gateway/balancing/network.js';
import { begun, heard, inForce, tended, type GridOperatorState } from '../../../gateway/grid-operator/limit.js';
import type { EvseObservation, SharedCap } from '../../../gateway/balancing/observation.js';
import { initialBalancing, type BalancingState } from '../../../gateway/balancing/state.js';
import type { BalancingSettings } from '../../../gateway/balancing/settings.js';

export interface CircuitSpec {
  readonly fedBy?: string;
  readonly breaker: number;
  readonly margin?: number;
  readonly meter?: string;
  readonly whenMeterLost?: number;
}

export interface EvseSpec {
  readonly number: number;
  readonly circuit: string;
  readonly phases?: readonly Phase[];
  readonly rotationKnown?: boolean;
  readonly max?: number;
  readonly min?: number;
  readonly fallback?: number;
  readonly fallbackAfter?: number;
  readonly startsAt?: number;
}

export interface Car {
  readonly takes: number;
  /** Grid phases; absent: all that are wired. */
  readonly phases?: readonly Phase[];
  readonly priority?: number;
  readonly weight?: number;
  readonly since?: number;
}

export interface Charger {
  readonly spec: EvseSpec;
  car: Car | undefined;
  link: 'unknown' | 'connected' | 'lost';
  /** The setpoint it really holds. */
  holds: number;
  /** What the car really takes, per phase it uses. */
  takes: number;
  /** accepts: all is well; deaf: accepts and does nothing; rejects; applies-mute: applies and never answers; drops: neither. */
  manner: 'accepts' | 'deaf' | 'rejects' | 'applies-mute' | 'drops';
  upperBound: number;
  wire: { current: number; at: number }[];
  silentSince: number | undefined;
  measures: boolean;
  /** When the car follows its last cut. */
  givesWayAt: number | undefined;
}

export interface World {
  readonly network: Network;
  readonly chargers: Map<number, Charger>;
  readonly background: Map<string, [number, number, number]>;
  readonly deadMeters: Set<string>;
  caps: readonly SharedCap[];
  gridOperator: GridOperatorState;
  /** The grid operator's heartbeat goes on. */
  heartbeat: boolean;
  state: BalancingState;
  now: number;
  last: Plan | undefined;
  log: { at: number; evse: number; current: number }[];
  escalations: string[];
  readonly settings: BalancingSettings | undefined;
  /** Seconds until a setpoint is in force and answered. */
  delay: () => number;
  /** Seconds that a car takes to follow a cut. */
  lag: number;
}

export function siteOf(
  circuits: Readonly<Record<string, CircuitSpec>>,
  specs: readonly EvseSpec[],
  policy?: Partial<BalancingPolicy>,
) {
  const list = Object.entries(circuits).map(([id, one]): Circuit => ({
    id: circuitId(id),
    ...(one.fedBy === undefined ? {} : { fedBy: circuitId(one.fedBy) }),
    breaker: ampere(one.breaker),
    margin: ampere(one.margin ?? 0),
    ...(one.meter === undefined ? {} : { meter: meterId(one.meter) }),
    ...(one.whenMeterLost === undefined ? {} : { whenMeterLost: ampere(one.whenMeterLost) }),
  }));
  const evses = specs.map((spec): Evse => ({
    number: evseNumber(spec.number),
    station: stationId(`CP${spec.number}`),
    stationEvse: 1,
    connectors: [{ number: 1, type: 'Type2' }],
    circuit: circuitId(spec.circuit),
    maxCurrent: ampere(spec.max ?? 32),
    minCurrent: ampere(spec.min ?? 6),
    fallbackCurrent: ampere(spec.fallback ?? 0),
    phases: spec.phases ?? PHASES,
    rotationKnown: spec.rotationKnown ?? true,
  }));
  const stations = evses.map((evse) => ({
    id: evse.station,
    link: { kind: 'ocpp' as const, securityProfile: 0 as const },
    evses: [evse],
    start: { kind: 'authorized' as const },
  }));
  return {
    circuits: list,
    stations,
    nominalVoltage: volt(230),
    balancing: { strategy: 'fair' as const, rotation: minutes(15), ...policy },
  };
}

export function worldOf(
  circuits: Readonly<Record<string, CircuitSpec>>,
  specs: readonly EvseSpec[],
  options: {
    policy?: Partial<BalancingPolicy>;
    settings?: BalancingSettings;
    delay?: () => number;
    remembered?: number;
    lag?: number;
    /** A restarted gateway: what the one before knew, or nothing. */
    carriesOn?: World;
    forgets?: boolean;
  } = {},
): World {
  const network = networkOf(siteOf(circuits, specs, options.policy));
  const now = 1_800_000_000_000;
  const known = options.carriesOn;
  const kept = known === undefined ? undefined : ceilings(known.network, known.state);
  const remembered = new Map(specs.map((spec) => [evseNumber(spec.number), options.remembered ?? 0]));
  return {
    network,
    chargers: new Map(
      specs.map((spec) => [
        spec.number,
        {
          spec,
          car: undefined,
          link: 'connected',
          holds: 0,
          takes: 0,
          manner: 'accepts',
          upperBound: spec.max ?? 32,
          wire: [],
          silentSince: undefined,
          measures: true,
          givesWayAt: undefined,
        },
      ]),
    ),
    background: new Map(),
    deadMeters: new Set(),
    caps: [],
    gridOperator: begun(network.policy.gridOperatorLimit === undefined ? [] : ['mqtt'], [], timestamp(now)),
    heartbeat: false,
    state: initialBalancing(network, timestamp(now), options.forgets === true ? undefined : (kept ?? remembered)),
    now,
    last: undefined,
    log: [],
    escalations: [],
    settings: options.settings,
    delay: options.delay ?? (() => 1),
    lag: options.lag ?? 3,
  };
}

const wiredOf = (charger: Charger): readonly Phase[] => charger.spec.phases ?? PHASES;

export function currentOf(charger: Charger): PerPhase<Ampere> {
  const used = charger.car?.phases ?? wiredOf(charger);
  return perPhase((phase) => ampere(used.includes(phase) && wiredOf(charger).includes(phase) ? charger.takes : 0));
}

/** What really flows through a circuit. */
export function flowOf(world: World, circuit: string): PerPhase<Ampere> {
  const index = world.network.circuits.findIndex((one) => one.id === circuit);
  const inside = (from: number): boolean => from >= 0 && (from === index || inside(world.network.feeder[from] ?? -1));
  const flow = { L1: 0, L2: 0, L3: 0 };
  world.network.circuits.forEach((one, at) => {
    const background = inside(at) ? world.background.get(one.id) : undefined;
    PHASES.forEach((phase, p) => (flow[phase] += background?.[p] ?? 0));
  });
  world.network.outlets.forEach((outlet) => {
    const charger = world.chargers.get(outlet.evse.number);
    if (charger === undefined || !outlet.path.includes(index)) return;
    const current = currentOf(charger);
    PHASES.forEach((phase) => (flow[phase] += current[phase]));
  });
  return perPhase((phase) => ampere(flow[phase]));
}

export function observationOf(world: World, charger: Charger): EvseObservation {
  const { spec, car } = charger;
  const charging = charger.takes > 0;
  return {
    evse: evseNumber(spec.number),
    link: charger.link,
    wantsEnergy: car !== undefined,
    transactionOpen: car !== undefined,
    chargingState:
      car === undefined ? 'Idle' : charging ? 'Charging' : charger.holds > 0 ? 'SuspendedEV' : 'SuspendedEVSE',
    priority: car?.priority ?? 0,
    ...(car?.weight === undefined ? {} : { weight: car.weight }),
    ...(car === undefined ? {} : { activeSince: timestamp(car.since ?? 1) }),
    ...(charger.measures && charger.link === 'connected'
      ? { measured: { current: currentOf(charger), at: timestamp(world.now) } }
      : {}),
    upperBound: ampere(charger.upperBound),
    ...(spec.startsAt === undefined ? {} : { startsAt: ampere(spec.startsAt) }),
    ...(spec.fallbackAfter === undefined ? {} : { fallbackAfter: milliseconds(spec.fallbackAfter * 1000) }),
  };
}

function readings(world: World): ReadonlyMap<MeterId, MeterReading> {
  const answer = new Map<MeterId, MeterReading>();
  for (const circuit of world.network.circuits) {
    if (circuit.meter === undefined || world.deadMeters.has(circuit.meter)) continue;
    answer.set(circuit.meter, { meter: circuit.meter, at: timestamp(world.now), current: flowOf(world, circuit.id) });
  }
  return answer;
}

/** One second: chargers act on what arrived, cars follow, the gateway plans and sends. */
export function step(world: World, afterCars?: (world: World) => void): Plan {
  world.now += 1000;
  const now = timestamp(world.now);
  for (const charger of world.chargers.values()) obey(world, charger, now);
  afterCars?.(world);
  const evses = [...world.chargers.values()].map((charger) => observationOf(world, charger));
  if (world.heartbeat) world.gridOperator = heard(world.gridOperator, 'mqtt', now);
  world.gridOperator = tended(world.gridOperator, now);
  const { circuits, policy } = world.network;
  const gridOperator = inForce(world.gridOperator, policy.gridOperatorLimit, circuits);
  const input = { evses, meters: readings(world), caps: world.caps, gridOperator };
  const made = plan(world.network, world.state, input, now, world.settings);
  world.state = made.state;
  world.last = made;
  for (const command of made.commands) {
    world.log.push({ at: world.now, evse: command.evse, current: command.current });
    const charger = world.chargers.get(command.evse);
    const earliest = charger?.wire.at(-1)?.at ?? 0;
    charger?.wire.push({ current: command.current, at: Math.max(earliest, world.now + world.delay() * 1000) });
  }
  for (const one of made.escalations) world.escalations.push(`${one.type} ${one.evse}`);
  return made;
}

function obey(world: World, charger: Charger, now: Timestamp): void {
  const evse = evseNumber(charger.spec.number);
  while (charger.wire[0] !== undefined && charger.wire[0].at <= world.now) {
    const { current } = charger.wire[0];
    charger.wire.shift();
    const applies = charger.manner === 'accepts' || charger.manner === 'applies-mute';
    if (applies && charger.link === 'connected') charger.holds = current;
    const answers = charger.link === 'connected' && (charger.manner === 'accepts' || charger.manner === 'deaf');
    if (answers) world.state = confirmed(world.network, world.state, evse, ampere(current), now);
    else {
      const outcome = charger.manner === 'rejects' && charger.link === 'connected' ? 'Rejected' : 'Uncertain';
      world.state = failed(world.network, world.state, evse, ampere(current), outcome, now);
    }
  }
  if (charger.link !== 'connected') {
    charger.silentSince ??= world.now;
    const after = charger.spec.fallbackAfter;
    if (after !== undefined && world.now - charger.silentSince >= after * 1000)
      charger.holds = charger.spec.fallback ?? 0;
  } else charger.silentSince = undefined;
  const wish = charger.car === undefined || charger.holds < 6 ? 0 : Math.min(charger.holds, charger.car.takes);
  if (wish >= charger.takes) {
    charger.givesWayAt = undefined;
    charger.takes = Math.min(wish, charger.takes + 4);
    return;
  }
  charger.givesWayAt ??= world.now + world.lag * 1000;
  if (charger.car === undefined || world.now >= charger.givesWayAt) charger.takes = wish;
}

export function run(world: World, seconds: number, each?: (world: World) => void): void {
  for (let i = 0; i < seconds; i++) {
    step(world);
    each?.(world);
  }
}

export const sentTo = (world: World, evse: number): number =>
  world.last?.report().evses.find((one) => one.evse === evse)?.sent ?? -1;
