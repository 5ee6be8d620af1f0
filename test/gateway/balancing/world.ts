// A simulated site for the balancing tests: cars, chargers that obey late, refuse, ignore or fall silent, and meters; one second a step.
import { deepStrictEqual } from 'node:assert/strict';
import { circuitId, evseNumber, meterId, stationId, type MeterId } from '../../../gateway/kernel/ids.js';
import {
  ampere,
  milliseconds,
  minutes,
  timestamp,
  volt,
  wattHour,
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

/** When every world begins. */
export const START = 1_800_000_000_000;

export interface CircuitSpec {
  readonly fedBy?: string;
  readonly breaker: number;
  readonly margin?: number;
  readonly meter?: string;
  readonly whenMeterLost?: number;
  readonly primaryVoltage?: number;
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
  /** It says when a car is plugged in, and when none is. */
  readonly announces?: boolean;
  readonly lineToLine?: boolean;
  /** It charges on one phase or on three, as it is told. */
  readonly switches?: boolean;
  readonly setpointsPerDay?: number;
  /** Seconds between two samples of its charger; 1 unless given. */
  readonly samples?: number;
}

export interface Car {
  readonly takes: number;
  /** Grid phases; absent: all that are wired. */
  readonly phases?: readonly Phase[];
  readonly priority?: number;
  readonly weight?: number;
  readonly since?: number;
  /** Seconds of the scenario at which it leaves, and what it needs until then in Wh, as its driver says. */
  readonly departure?: number;
  readonly energy?: number;
}

export interface Charger {
  readonly spec: EvseSpec;
  car: Car | undefined;
  /** A car is there, and has not begun. */
  plugged?: boolean;
  link: 'unknown' | 'connected' | 'lost';
  /** The setpoint it really holds. */
  holds: number;
  /** On how many phases, where it switches them. */
  holdsPhases: 1 | 3;
  /** On how many its car still draws. */
  drawsOn: 1 | 3;
  /** What the car really takes, per phase it uses. */
  takes: number;
  /** accepts: all is well; deaf: accepts and does nothing; rejects; applies-mute: applies and never answers; drops: neither. */
  manner: 'accepts' | 'deaf' | 'rejects' | 'applies-mute' | 'drops';
  upperBound: number;
  wire: { current: number; phases: 1 | 3 | undefined; at: number }[];
  silentSince: number | undefined;
  measures: boolean;
  sample: EvseObservation['measured'];
  /** When the car follows its last cut. */
  givesWayAt: number | undefined;
  /** When it follows the order to use one phase. */
  narrowsAt: number | undefined;
}

export interface World {
  readonly network: Network;
  readonly chargers: Map<number, Charger>;
  readonly background: Map<string, [number, number, number]>;
  readonly deadMeters: Set<string>;
  /** Meters that go on telling what they told last. */
  readonly frozenMeters: Set<string>;
  lastReadings: ReadonlyMap<MeterId, MeterReading>;
  caps: readonly SharedCap[];
  gridOperator: GridOperatorState;
  /** The grid operator's heartbeat goes on. */
  heartbeat: boolean;
  state: BalancingState;
  now: number;
  last: Plan | undefined;
  log: { at: number; evse: number; current: number; phases: 1 | 3 | undefined }[];
  escalations: string[];
  readonly settings: BalancingSettings | undefined;
  /** Seconds until a setpoint is in force and answered. */
  delay: () => number;
  /** Seconds that a car takes to follow a cut. */
  lag: number;
  /** Every plan is also made without what the last one found out, and has to be the same. */
  compares: boolean;
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
    ...(one.primaryVoltage === undefined ? {} : { primaryVoltage: volt(one.primaryVoltage) }),
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
    ...(spec.lineToLine === undefined ? {} : { lineToLine: spec.lineToLine }),
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
  const now = START;
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
          holdsPhases: 3,
          drawsOn: 3,
          takes: 0,
          manner: 'accepts',
          upperBound: spec.max ?? 32,
          wire: [],
          silentSince: undefined,
          measures: true,
          sample: undefined,
          givesWayAt: undefined,
          narrowsAt: undefined,
        },
      ]),
    ),
    background: new Map(),
    deadMeters: new Set(),
    frozenMeters: new Set(),
    lastReadings: new Map(),
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
    compares: false,
  };
}

const wiredOf = (charger: Charger): readonly Phase[] => charger.spec.phases ?? PHASES;

/** What it draws on each phase; between two phases: what flows from the one to the other. */
export function currentOf(charger: Charger, takes = charger.takes, on = charger.drawsOn): PerPhase<Ampere> {
  const wired = wiredOf(charger);
  const offered = charger.spec.switches === true && on === 1 ? wired.slice(0, 1) : wired;
  const used = charger.car?.phases ?? wired;
  return perPhase((phase) => ampere(used.includes(phase) && offered.includes(phase) ? takes : 0));
}

type Phasor = readonly [number, number];
const ANGLE: Readonly<Record<Phase, number>> = { L1: 0, L2: -120, L3: 120 };
const NEXT: Readonly<Record<Phase, Phase>> = { L1: 'L2', L2: 'L3', L3: 'L1' };
const plus = ([a, b]: Phasor, [c, d]: Phasor, sign = 1): Phasor => [a + sign * c, b + sign * d];
const at = (size: number, degrees: number): Phasor => [
  size * Math.cos((degrees * Math.PI) / 180),
  size * Math.sin((degrees * Math.PI) / 180),
];

/** What one charger puts on each conductor. */
function phasorsOf({ spec }: Charger, current: PerPhase<Ampere>): PerPhase<Phasor> {
  if (spec.lineToLine !== true) return perPhase((phase) => at(current[phase], ANGLE[phase]));
  const phases = spec.phases ?? PHASES;
  const [from] = phases.filter((phase) => phases.includes(NEXT[phase]));
  if (from === undefined) throw new Error('between two phases');
  // The voltage from L1 to L2 leads that from L1 to neutral by 30 degrees, and so in turn.
  const loop = at(Math.max(current.L1, current.L2, current.L3), ANGLE[from] + 30);
  return perPhase((phase) => (phase === from ? loop : phase === NEXT[from] ? plus([0, 0], loop, -1) : [0, 0]));
}

/** What really flows through a circuit. */
export function flowOf(world: World, circuit: string, drawn = (of: Charger) => currentOf(of)): PerPhase<Ampere> {
  const index = world.network.circuits.findIndex((one) => one.id === circuit);
  const inside = (from: number): boolean => from >= 0 && (from === index || inside(world.network.feeder[from] ?? -1));
  const flow = { L1: 0, L2: 0, L3: 0 };
  world.network.circuits.forEach((one, at) => {
    const background = inside(at) ? world.background.get(one.id) : undefined;
    PHASES.forEach((phase, p) => (flow[phase] += background?.[p] ?? 0));
  });
  let sum = perPhase((): Phasor => [0, 0]);
  world.network.outlets.forEach((outlet) => {
    const charger = world.chargers.get(outlet.evse.number);
    if (charger === undefined || !outlet.path.includes(index)) return;
    const own = phasorsOf(charger, drawn(charger));
    sum = perPhase((phase) => plus(sum[phase], own[phase]));
  });
  const { primaryVoltage } = world.network.circuits[index] ?? {};
  const through =
    primaryVoltage === undefined
      ? sum
      : perPhase((phase): Phasor => {
          const [re, im] = plus(sum[phase], sum[NEXT[phase]], -1);
          const ratio = primaryVoltage / world.network.nominal;
          return [re / ratio, im / ratio];
        });
  return perPhase((phase) => ampere(flow[phase] + Math.hypot(...through[phase])));
}

export function observationOf(world: World, charger: Charger): EvseObservation {
  const { spec, car } = charger;
  const charging = charger.takes > 0;
  const now = timestamp(world.now);
  // Chargers sample in turn, not all at once.
  const due = spec.samples === undefined || Math.floor(now / 1000 + 7 * spec.number) % spec.samples === 0;
  if (charger.sample === undefined || due) charger.sample = { current: currentOf(charger), at: now };
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
    ...(car?.departure === undefined ? {} : { departure: timestamp(START + car.departure * 1000) }),
    ...(car?.energy === undefined ? {} : { energyNeeded: wattHour(car.energy) }),
    ...(spec.switches === undefined ? {} : { phaseSwitching: spec.switches }),
    ...(spec.setpointsPerDay === undefined ? {} : { setpointsPerDay: spec.setpointsPerDay }),
    ...(charger.measures && charger.link === 'connected' ? { measured: charger.sample } : {}),
    upperBound: ampere(charger.upperBound),
    ...(spec.startsAt === undefined ? {} : { startsAt: ampere(spec.startsAt) }),
    ...(spec.announces === true ? { vacant: car === undefined && charger.plugged !== true } : {}),
    ...(spec.fallbackAfter === undefined ? {} : { fallbackAfter: milliseconds(spec.fallbackAfter * 1000) }),
  };
}

function readings(world: World): ReadonlyMap<MeterId, MeterReading> {
  const answer = new Map<MeterId, MeterReading>();
  for (const circuit of world.network.circuits) {
    if (circuit.meter === undefined || world.deadMeters.has(circuit.meter)) continue;
    const last = world.frozenMeters.has(circuit.meter) ? world.lastReadings.get(circuit.meter) : undefined;
    if (last !== undefined) answer.set(circuit.meter, { ...last, at: timestamp(world.now) });
    else
      answer.set(circuit.meter, { meter: circuit.meter, at: timestamp(world.now), current: flowOf(world, circuit.id) });
  }
  return answer;
}

/** A second, or less: chargers act on what arrived, cars follow, the gateway plans and sends. */
export function step(world: World, time = 1000): Plan {
  world.now += time;
  const now = timestamp(world.now);
  for (const charger of world.chargers.values()) obey(world, charger, now);
  const evses = [...world.chargers.values()].map((charger) => observationOf(world, charger));
  if (world.heartbeat) world.gridOperator = heard(world.gridOperator, 'mqtt', now);
  world.gridOperator = tended(world.gridOperator, now);
  const { circuits, policy } = world.network;
  const gridOperator = inForce(world.gridOperator, policy.gridOperatorLimit, circuits);
  world.lastReadings = readings(world);
  const input = { evses, meters: world.lastReadings, caps: world.caps, gridOperator };
  const made = plan(world.network, world.state, input, now, world.settings, world.last);
  if (world.compares) sameAs(made, plan(world.network, world.state, input, now, world.settings));
  world.state = made.state;
  world.last = made;
  for (const command of made.commands) {
    const { current, phases } = command;
    world.log.push({ at: world.now, evse: command.evse, current, phases });
    const charger = world.chargers.get(command.evse);
    const earliest = charger?.wire.at(-1)?.at ?? 0;
    charger?.wire.push({ current, phases, at: Math.max(earliest, world.now + world.delay() * 1000) });
  }
  for (const one of made.escalations) world.escalations.push(`${one.type} ${one.evse}`);
  return made;
}

function sameAs(made: Plan, full: Plan): void {
  deepStrictEqual(made.state, full.state);
  deepStrictEqual(made.commands, full.commands);
  deepStrictEqual(made.escalations, full.escalations);
  deepStrictEqual(made.report(), full.report());
}

function obey(world: World, charger: Charger, now: Timestamp): void {
  const evse = evseNumber(charger.spec.number);
  while (charger.wire[0] !== undefined && charger.wire[0].at <= world.now) {
    const { current, phases } = charger.wire[0];
    charger.wire.shift();
    const applies = charger.manner === 'accepts' || charger.manner === 'applies-mute';
    if (applies && charger.link === 'connected') {
      charger.holds = current;
      charger.holdsPhases = phases ?? charger.holdsPhases;
    }
    const answers = charger.link === 'connected' && (charger.manner === 'accepts' || charger.manner === 'deaf');
    if (answers) world.state = confirmed(world.network, world.state, evse, ampere(current), now, phases);
    else {
      const outcome = charger.manner === 'rejects' && charger.link === 'connected' ? 'Rejected' : 'Uncertain';
      world.state = failed(world.network, world.state, evse, ampere(current), outcome, now, phases);
    }
  }
  if (charger.link !== 'connected') {
    charger.silentSince ??= world.now;
    const after = charger.spec.fallbackAfter;
    if (after !== undefined && world.now - charger.silentSince >= after * 1000)
      charger.holds = charger.spec.fallback ?? 0;
  } else charger.silentSince = undefined;
  if (charger.holdsPhases === 3) {
    // Contactors switch without current: the car begins again.
    if (charger.spec.switches === true && charger.drawsOn === 1) charger.takes = 0;
    charger.drawsOn = 3;
    charger.narrowsAt = undefined;
  } else {
    charger.narrowsAt ??= world.now + world.lag * 1000;
    if (charger.takes === 0 || world.now >= charger.narrowsAt) charger.drawsOn = 1;
  }
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
