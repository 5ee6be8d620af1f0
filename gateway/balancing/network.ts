// The wiring as load balancing needs it: circuits with their feeders, and each EVSE with every circuit above it.
import type { EvseNumber } from '../kernel/ids.js';
import type { Circuit, Evse, Phase, Site } from '../site/topology.js';

/** Indexed 0, 1, 2 for L1, L2, L3. */
export type Triple = readonly [number, number, number];

/** A set of grid phases: bit 0 is L1, bit 1 L2, bit 2 L3. */
export type PhaseMask = number;

const PHASE_BIT: Readonly<Record<Phase, number>> = { L1: 1, L2: 2, L3: 4 };
export const maskOf = (phases: readonly Phase[]): PhaseMask =>
  phases.reduce((mask, phase) => mask | PHASE_BIT[phase], 0);
export const phaseAt = (index: number): Phase => (index === 0 ? 'L1' : index === 1 ? 'L2' : 'L3');

export interface Outlet {
  readonly evse: Evse;
  /** Indices of the circuits that carry its current, its own first. */
  readonly path: readonly number[];
  readonly wired: PhaseMask;
}

export interface Network {
  /** Feeders before what they feed. */
  readonly circuits: readonly Circuit[];
  /** For each circuit the index of its feeder; -1 at the grid connection. */
  readonly feeder: readonly number[];
  /** In ascending EVSE number. */
  readonly outlets: readonly Outlet[];
  readonly indexOf: ReadonlyMap<EvseNumber, number>;
  readonly nominal: Site['nominalVoltage'];
  readonly policy: Site['balancing'];
}

/** What of a site matters here; built once, since a site never changes while running. */
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
    .map((evse) => ({ evse, path: pathFrom(position.get(evse.circuit)), wired: maskOf(evse.phases) }));
  const indexOf = new Map(outlets.map((outlet, index) => [outlet.evse.number, index]));
  return { circuits: site.circuits, feeder, outlets, indexOf, nominal: site.nominalVoltage, policy: site.balancing };
}
