// The wiring as load balancing needs it: circuits with their feeders, and each EVSE with every circuit above it.
import type { EvseNumber } from '../kernel/ids.js';
import { PHASES, type Circuit, type Evse, type Phase, type Site } from '../site/topology.js';
import { conductorsOf, LEGS, type Bound, type Conductors, type Triple } from './conductors.js';

/**
 * A set of grid phases: bit 0 is L1, bit 1 L2, bit 2 L3. For an EVSE between two phases it is a set of pairs: bit 0 is
 * L1-L2, bit 1 L2-L3, bit 2 L3-L1.
 */
export type PhaseMask = number;

const PHASE_BIT: Readonly<Record<Phase, number>> = { L1: 1, L2: 2, L3: 4 };
export const maskOf = (phases: readonly Phase[]): PhaseMask =>
  phases.reduce((mask, phase) => mask | PHASE_BIT[phase], 0);
/** The same current on each of a mask's phases or pairs, and none on the others. */
export const evenly = (mask: PhaseMask, current: number): Triple => [
  mask & 1 ? current : 0,
  mask & 2 ? current : 0,
  mask & 4 ? current : 0,
];
export const phaseAt = (index: number): Phase => (index === 0 ? 'L1' : index === 1 ? 'L2' : 'L3');

/** Where the current of an EVSE counts: cells of the problem, and what one ampere takes of each. */
export interface Lane {
  readonly cells: Int32Array;
  readonly coefficients: Float64Array;
}

export interface Outlet {
  readonly evse: Evse;
  /** Indices of the circuits that carry its current, its own first. */
  readonly path: readonly number[];
  /** Those of them that have a meter. */
  readonly metered: readonly number[];
  readonly wired: PhaseMask;
  /** Connected between two phases: its masks are sets of pairs. */
  readonly lineToLine: boolean;
}

/** The cells of the problem: one for each conductor of a circuit, or several where currents add up at an angle. */
export interface Cells {
  readonly row: readonly number[];
  readonly bounds: readonly Bound[];
}

export interface Network {
  /** Feeders before what they feed. */
  readonly circuits: readonly Circuit[];
  /** For each circuit the index of its feeder; -1 at the grid connection. */
  readonly feeder: readonly number[];
  readonly conductors: readonly Conductors[];
  readonly cells: Cells;
  /** In ascending EVSE number. */
  readonly outlets: readonly Outlet[];
  /** For each outlet, by mask. */
  readonly lanes: readonly (readonly Lane[])[];
  /** By circuit and leg, what EVSEs take when they have lost the gateway. */
  readonly fallbacks: Float64Array;
  readonly indexOf: ReadonlyMap<EvseNumber, number>;
  readonly nominal: Site['nominalVoltage'];
  readonly policy: Site['balancing'];
}

/** The phases on which the current of a mask flows. */
export const phasesOf = (outlet: Outlet, mask: PhaseMask): readonly Phase[] =>
  PHASES.filter(
    (_, phase) => (mask & (outlet.lineToLine ? (1 << phase) | (1 << ((phase + 2) % 3)) : 1 << phase)) !== 0,
  );

/** Energy that one ampere of a mask moves, in units of one phase to neutral. */
export const powerOf = (outlet: Outlet, mask: PhaseMask): number =>
  ((mask & 1) + ((mask >> 1) & 1) + ((mask >> 2) & 1)) * (outlet.lineToLine ? Math.sqrt(3) : 1);

/** What of a site matters here; built once for each site.yaml. */
export function networkOf(site: Pick<Site, 'circuits' | 'stations' | 'balancing' | 'nominalVoltage'>): Network {
  const position = new Map(site.circuits.map((circuit, index) => [circuit.id, index]));
  const feeder = site.circuits.map((circuit) =>
    circuit.fedBy === undefined ? -1 : (position.get(circuit.fedBy) ?? -1),
  );
  const pathFrom = (start: number | undefined): number[] => {
    const path: number[] = [];
    for (let at = start ?? -1; at >= 0 && !path.includes(at); at = feeder[at] ?? -1) path.push(at);
    return path;
  };
  const outlets = site.stations
    .flatMap((station) => station.evses)
    .sort((a, b) => a.number - b.number)
    .map((evse): Outlet => {
      const lineToLine = evse.lineToLine === true;
      const wired = lineToLine ? pairOf(evse.phases) : maskOf(evse.phases);
      const path = pathFrom(position.get(evse.circuit));
      const metered = path.filter((row) => site.circuits[row]?.meter !== undefined);
      return { evse, path, metered, wired, lineToLine };
    });
  const conductors = site.circuits.map((circuit, row) =>
    conductorsOf(
      legsBelow(outlets.filter(({ path }) => path.includes(row))),
      circuit.primaryVoltage === undefined ? undefined : circuit.primaryVoltage / site.nominalVoltage,
    ),
  );
  const cells: Cells = {
    row: conductors.flatMap(({ bounds }, row) => bounds.map(() => row)),
    bounds: conductors.flatMap(({ bounds }) => bounds),
  };
  return {
    circuits: site.circuits,
    feeder,
    conductors,
    cells,
    outlets,
    lanes: lanesOf(outlets, cells),
    fallbacks: fallbacksOf(outlets, site.circuits.length),
    indexOf: new Map(outlets.map((outlet, index) => [outlet.evse.number, index])),
    nominal: site.nominalVoltage,
    policy: site.balancing,
  };
}

const pairOf = (phases: readonly Phase[]): PhaseMask => {
  const mask = maskOf(phases);
  return mask === 3 ? 1 : mask === 6 ? 2 : 4;
};

function fallbacksOf(outlets: readonly Outlet[], circuits: number): Float64Array {
  const sums = new Float64Array(circuits * LEGS);
  for (const { evse, path, wired, lineToLine } of outlets) {
    for (const row of path) {
      for (let bit = 0; bit < 3; bit++) {
        const at = row * LEGS + bit + (lineToLine ? 3 : 0);
        if (wired & (1 << bit)) sums[at] = (sums[at] ?? 0) + evse.fallbackCurrent;
      }
    }
  }
  return sums;
}

/** The legs that the EVSEs can load. */
export function legsBelow(outlets: readonly Outlet[]): readonly boolean[] {
  return Array.from({ length: LEGS }, (_, leg) =>
    outlets.some((outlet) => outlet.lineToLine === leg >= 3 && (outlet.wired & (1 << (leg % 3))) !== 0),
  );
}

/** EVSEs of one circuit share their lanes. */
function lanesOf(outlets: readonly Outlet[], cells: Cells): readonly (readonly Lane[])[] {
  const shared = new Map<string, readonly Lane[]>();
  return outlets.map((outlet) => {
    const key = `${outlet.path.join(' ')} ${outlet.lineToLine}`;
    const known = shared.get(key);
    if (known !== undefined) return known;
    const own = cells.bounds.map((_, cell) => cell).filter((cell) => outlet.path.includes(cells.row[cell] ?? -1));
    const lanes = Array.from({ length: 8 }, (_, mask) => laneOver(outlet, mask, own, cells.bounds));
    shared.set(key, lanes);
    return lanes;
  });
}

/** @param among the cells that can carry its current */
export function laneOver(
  outlet: Outlet,
  mask: PhaseMask,
  among: readonly number[],
  bounds: readonly Bound[],
  first = 0,
): Lane {
  const loaded = among.flatMap((cell) => {
    const { coefficients } = bounds[cell - first] ?? { coefficients: [] };
    let sum = 0;
    for (let bit = 0; bit < 3; bit++)
      if (mask & (1 << bit)) sum += coefficients[bit + (outlet.lineToLine ? 3 : 0)] ?? 0;
    return sum > 0 ? [{ cell, sum }] : [];
  });
  return {
    cells: Int32Array.from(loaded.map(({ cell }) => cell)),
    coefficients: Float64Array.from(loaded.map(({ sum }) => sum)),
  };
}
