// Site A: the Caltech garage, 54 EVSEs between two phases at 208 V behind a delta-wye transformer, in steps of 5 minutes.
import { circuitId, evseNumber, stationId } from '../../../gateway/kernel/ids.js';
import { ampere, minutes, timestamp, volt, wattHour } from '../../../gateway/kernel/units.js';
import { perPhase, PHASES, type BalancingPolicy, type Circuit, type Evse } from '../../../gateway/site/topology.js';
import { plan, type Plan } from '../../../gateway/balancing/balancer.js';
import { confirmed } from '../../../gateway/balancing/commit.js';
import { networkOf, type Network } from '../../../gateway/balancing/network.js';
import type { EvseObservation } from '../../../gateway/balancing/observation.js';
import { initialBalancing } from '../../../gateway/balancing/state.js';
import { chargerEach } from './chargers.js';
import type { SessionRecord } from './sessions.js';

const words = (text: string): readonly string[] => text.split(' ').map((each) => `CA-${each}`);
const AV_POD = words('324 325 326 327 489 490 491 492');
const CC_POD = words('322 493 496 320 495 321 323 494');
const PAIRS: readonly (readonly string[])[] = [
  [...words('308 508 303 513 310 506 316 500 318 498'), ...AV_POD, ...CC_POD],
  words('304 512 305 511 313 503 311 505 317 499 148 149 212 213'),
  words('307 509 309 507 306 510 315 501 319 497 312 504 314 502'),
];
export const STATIONS = PAIRS.flat();

/** Each session with what it has left, in kWh, while it is being played. */
export interface Visit extends SessionRecord {
  /** 0 L1-L2, 1 L2-L3, 2 L3-L1. */
  readonly pair: number;
  /** 0 none, 1 the AV pod, 2 the CC pod. */
  readonly pod: number;
  readonly outlet: number;
  left: number;
}

/** kWh that one ampere between two phases moves in one step. */
export const PER_AMPERE = 208 / 1000 / 12;

/** @param cap of the transformer in kW */
export function caltech(cap: number, minimum: number, policy: BalancingPolicy): Network {
  const circuit = (id: string, breaker: number, fedBy?: string): Circuit => ({
    id: circuitId(id),
    breaker: ampere(breaker),
    margin: ampere(0),
    ...(fedBy !== undefined && { fedBy: circuitId(fedBy) }),
  });
  const perPhaseWatts = (cap * 1000) / 3;
  const evses = STATIONS.map((station, index): Evse => {
    const pair = PAIRS.findIndex((own) => own.includes(station));
    const pod = AV_POD.includes(station) ? 'av-pod' : CC_POD.includes(station) ? 'cc-pod' : 'secondary';
    return {
      number: evseNumber(index + 1),
      station: stationId(station),
      stationEvse: 1,
      connectors: [{ number: 1, type: 'Type1' }],
      circuit: circuitId(pod),
      maxCurrent: ampere(32),
      minCurrent: ampere(minimum),
      fallbackCurrent: ampere(0),
      phases: [PHASES[pair] ?? 'L1', PHASES[(pair + 1) % 3] ?? 'L1'],
      lineToLine: true,
      rotationKnown: true,
    };
  });
  return networkOf({
    circuits: [
      { ...circuit('primary', perPhaseWatts / 277), primaryVoltage: volt(480) },
      circuit('secondary', perPhaseWatts / 120, 'primary'),
      circuit('av-pod', 80, 'secondary'),
      circuit('cc-pod', 80, 'secondary'),
    ],
    stations: chargerEach(evses),
    nominalVoltage: volt(120),
    balancing: policy,
  });
}

export const visitsOf = (sessions: readonly SessionRecord[]): Visit[] =>
  sessions.flatMap((session) => {
    const outlet = STATIONS.indexOf(session.station);
    const pair = PAIRS.findIndex((own) => own.includes(session.station));
    const pod = AV_POD.includes(session.station) ? 1 : CC_POD.includes(session.station) ? 2 : 0;
    return outlet < 0 ? [] : [{ ...session, outlet, pair, pod, left: session.energy }];
  });

/** Decides the current of every car that is there, in A. */
export type Decide = (there: readonly Visit[], step: number) => readonly number[];

export interface Played {
  /** Share of what was asked for, in percent. */
  readonly percent: number;
  /** Jain's index of the shares of the sessions. */
  readonly jain: number;
  /** Worst excess over a limit, in A. */
  readonly excess: number;
  readonly unserved: number;
}

/** Plays all sessions; a car takes the least of its setpoint, its maximum and what it has left. */
export function play(cap: number, sessions: readonly SessionRecord[], decide: Decide): Played {
  const visits = visitsOf(sessions);
  const end = Math.max(...visits.map(({ departure }) => departure));
  const arriving = new Map<number, Visit[]>();
  for (const visit of visits) arriving.set(visit.arrival, [...(arriving.get(visit.arrival) ?? []), visit]);
  let there: Visit[] = [];
  let excess = 0;
  for (let step = 0; step < end; step++) {
    there = [...there, ...(arriving.get(step) ?? [])].filter((visit) => visit.departure > step && visit.left > 1e-9);
    const currents = decide(there, step);
    const sums: [number, number, number] = [0, 0, 0];
    there.forEach((visit, i) => {
      visit.left -= Math.min(currents[i] ?? 0, visit.most, visit.left / PER_AMPERE) * PER_AMPERE;
      sums[visit.pair] = (sums[visit.pair] ?? 0) + (currents[i] ?? 0);
    });
    excess = Math.max(excess, excessOf(cap, sums));
  }
  const shares = visits.map(({ energy, left }) => 1 - left / energy);
  const total = visits.reduce((sum, { energy }) => sum + energy, 0);
  const missing = visits.reduce((sum, { left }) => sum + left, 0);
  const sum = shares.reduce((all, share) => all + share, 0);
  return {
    percent: (100 * (total - missing)) / total,
    jain: (sum * sum) / (shares.length * shares.reduce((all, share) => all + share * share, 0)),
    excess,
    unserved: shares.filter((share) => share < 1e-6).length,
  };
}

/** By the formulas of the site, not by those of the core. */
export function excessOf(cap: number, [ab, bc, ca]: readonly [number, number, number]): number {
  const secondary = (x: number, y: number): number => Math.sqrt(x * x + y * y + x * y) - (cap * 1000) / 360;
  const primary = (x: number, y: number, twice: number): number => {
    // x and y are a third of a turn apart on either side of the current that counts twice.
    const along = 2 * twice + (x + y) / 2;
    const across = ((x - y) * Math.sqrt(3)) / 2;
    return Math.hypot(along, across) / 4 - (cap * 1000) / 3 / 277;
  };
  return Math.max(
    secondary(ab, ca),
    secondary(bc, ab),
    secondary(ca, bc),
    primary(ab, bc, ca),
    primary(bc, ca, ab),
    primary(ca, ab, bc),
  );
}

export interface OursOptions {
  readonly strategy: BalancingPolicy['strategy'];
  readonly minimum: number;
  /** Departure as the driver said it, the energy that is still to come and the car's greatest current. */
  readonly told: boolean;
}

/**
 * What the car can take in this step. One that is nearly full takes less over five minutes; here that is told, as it is to
 * the published algorithms.
 */
const mostOf = (visit: Visit, minimum: number): number =>
  Math.max(minimum, Math.min(visit.most, visit.left / PER_AMPERE));

/** By when every cut has been followed, in ms. */
const FOLLOWED = 12_000;

/** The balancer: what it wants each car to have counts at once, as in the published simulation; its own waits do not. */
export function ours(cap: number, options: OursOptions): Decide {
  const network = caltech(cap, options.minimum, { strategy: options.strategy, rotation: minutes(15) });
  const start = 1_800_000_000_000;
  let state = initialBalancing(network, timestamp(start), new Map(network.outlets.map(({ evse }) => [evse.number, 0])));
  const set = new Float64Array(network.outlets.length);
  const observe = (index: number, visit: Visit | undefined, now: number): EvseObservation => {
    const evse = network.outlets[index]?.evse;
    const takes = visit === undefined ? 0 : Math.min(set[index] ?? 0, visit.most);
    return {
      evse: evseNumber(index + 1),
      link: 'connected',
      wantsEnergy: visit !== undefined,
      transactionOpen: visit !== undefined,
      chargingState: takes > 0 ? 'Charging' : visit === undefined ? 'Idle' : 'SuspendedEVSE',
      priority: 0,
      upperBound: ampere(options.told && visit !== undefined ? mostOf(visit, options.minimum) : 32),
      measured: {
        current: perPhase((phase) => ampere(evse?.phases.includes(phase) === true ? takes : 0)),
        at: timestamp(now),
      },
      ...(visit !== undefined && {
        activeSince: timestamp(start + visit.arrival * 300_000),
        energyServed: wattHour((visit.energy - visit.left) * 1000),
      }),
      ...(visit !== undefined &&
        options.told && {
          departure: timestamp(start + visit.saidDeparture * 300_000),
          energyNeeded: wattHour(visit.left * 1000),
        }),
    };
  };
  return (there, step) => {
    const present = new Map(there.map((visit) => [visit.outlet, visit]));
    const planAt = (now: number): Plan => {
      const evses = network.outlets.map((_, index) => observe(index, present.get(index), now));
      const made = plan(network, state, { evses, meters: new Map() }, timestamp(now));
      state = made.state;
      for (const { evse, current } of made.commands) {
        set[evse - 1] = current;
        state = confirmed(network, state, evse, current, timestamp(now));
      }
      return made;
    };
    const wanted = planAt(start + step * 300_000).report().evses;
    planAt(start + step * 300_000 + FOLLOWED);
    return there.map(({ outlet }) => wanted[outlet]?.target ?? 0);
  };
}
