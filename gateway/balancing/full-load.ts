// What each circuit carries when every EVSE takes a given current: for the electrical review, before anything runs.
import type { Evse, Site } from '../site/topology.js';
import { addLegs } from './capacity.js';
import { currentOn, LEGS, type Triple } from './conductors.js';
import { networkOf } from './network.js';

/**
 * On L1, L2 and L3 of every circuit, in the order of the site's circuits, in A; behind a transformer on its own side. Where
 * the rotation of an EVSE is unknown, it counts on every phase.
 */
export function fullLoad(
  site: Pick<Site, 'circuits' | 'stations' | 'balancing' | 'nominalVoltage'>,
  currentOf: (evse: Evse) => number,
): readonly Triple[] {
  const network = networkOf(site);
  const legs = new Float64Array(network.circuits.length * LEGS);
  for (const { evse, path, lineToLine, wired } of network.outlets) {
    const on = (bit: number): number => (wired & bit ? currentOf(evse) : 0);
    addLegs(legs, path, lineToLine, [on(1), on(2), on(4)]);
  }
  return network.conductors.map((conductors, row) => {
    const flow = (conductor: number): number => currentOn(conductors, conductor, legs, row * LEGS);
    return [flow(0), flow(1), flow(2)];
  });
}
