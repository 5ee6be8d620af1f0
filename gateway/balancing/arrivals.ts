// Cars that come unannounced: what is kept free for them at empty EVSEs.
import type { Seen } from './candidate.js';
import { laneOf, type Rows } from './capacity.js';

/**
 * Room for one car that takes current at an empty EVSE before anybody has heard of it. One: who plugs in is counted with the
 * next plan, and takes nothing for seconds.
 */
export function withArrivals(rows: Rows, seen: readonly Seen[]): Rows {
  if (!seen.some(({ stand }) => stand.vacant)) return rows;
  const most = new Float64Array(rows.slack.length);
  for (let outlet = 0; outlet < seen.length; outlet++) {
    const stand = seen[outlet]?.stand;
    if (stand?.vacant !== true) continue;
    const { cells, coefficients } = laneOf(rows, outlet, stand.phases);
    for (let at = 0; at < cells.length; at++) {
      const cell = cells[at] ?? 0;
      most[cell] = Math.max(most[cell] ?? 0, stand.ceiling * (coefficients[at] ?? 0));
    }
  }
  return { ...rows, slack: rows.slack.map((room, cell) => room - (most[cell] ?? 0)) };
}
