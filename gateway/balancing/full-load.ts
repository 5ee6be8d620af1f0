// What each circuit carries when every EVSE takes a given current: for the electrical review, before anything runs.
import type { Evse, Site } from '../site/topology.js';
import { addLegs } from './capacity.js';
import { currentsOn, LEGS, type Triple } from './conductors.js';
import { evenly, networkOf } from './network.js';

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
  for (const { evse, path, lineToLine, wired } of network.outlets)
    addLegs(legs, path, lineToLine, evenly(wired, currentOf(evse)));
  return network.conductors.map((conductors, row) => currentsOn(conductors, legs, row * LEGS));
}
