// What an EVSE is told that takes no part in the division: to pause, or what it was told last, or less where that has become too much.
import { allocate } from './allocation.js';
import { candidateOf, type Seen } from './candidate.js';
import { laneOf, take, takeEach, type Rows } from './capacity.js';
import type { Moment } from './moment.js';
import type { Network } from './network.js';
import { ordered } from './order.js';
import type { BalancingSettings } from './settings.js';
import { noShares, type Candidate } from './share.js';

/** What is in force there is its default profile, and no setpoint is. */
const untold = ({ observation }: Seen): boolean => observation?.startsAt !== undefined && !observation.transactionOpen;

/** Counted as it stands in the plan for the others: not to be moved by a setpoint, or not to be told one. */
export const keepsItsCurrent = (one: Seen): boolean => one.stand.standing !== 'obeying' || untold(one);

/** What is left of the slack, by cell, after those that `counts` names. */
export function leftAfter(
  seen: readonly Seen[],
  rows: Rows,
  counts: (one: Seen, outlet: number) => boolean,
): Float64Array {
  const left = Float64Array.from(rows.slack);
  for (let outlet = 0; outlet < seen.length; outlet++) {
    const one = seen[outlet];
    if (one === undefined || one.stand.vacant || !counts(one, outlet)) continue;
    if (one.stand.beyond !== undefined) takeEach(left, rows, outlet, one.stand.beyond);
    else take(left, laneOf(rows, outlet, one.stand.phases), one.stand.ceiling);
  }
  return left;
}

const asIfObeying = (outlet: number, one: Seen, network: Network, moment: Moment, settings: BalancingSettings) =>
  candidateOf(outlet, { ...one, stand: { ...one.stand, standing: 'obeying' } }, false, network, moment, settings);

/**
 * The targets, by outlet. Who has not confirmed a cut, or does not react to it, may do so yet: it is never told more, but what no
 * longer fits is divided anew among these, on the phases that they were told. The others are in the way of nothing, since they get
 * only what is left when these take all that they may.
 * @param divided whether an outlet has its share already
 */
export function targetsOutside(
  seen: readonly Seen[],
  divided: (outlet: number) => boolean,
  rows: Rows,
  network: Network,
  moment: Moment,
  settings: BalancingSettings,
): ReadonlyMap<number, number> {
  const targets = new Map<number, number>();
  const told: Candidate[] = [];
  for (let outlet = 0; outlet < seen.length; outlet++) {
    const one = seen[outlet];
    if (one?.observation?.link !== 'connected' || untold(one) || divided(outlet)) continue;
    // One that obeys and has no share asks for none, or may have none.
    const candidate =
      one.stand.standing === 'obeying' ? undefined : asIfObeying(outlet, one, network, moment, settings);
    const most = Math.min(one.state.sent ?? 0, one.observation.upperBound, one.outlet.evse.maxCurrent);
    targets.set(outlet, candidate === undefined ? 0 : most);
    if (candidate === undefined || most < candidate.minimum) continue;
    const phases = candidate.isNarrow ? candidate.narrow : candidate.phases;
    told.push({ ...candidate, phases, narrow: 0, isNarrow: false, bound: most, boundedBy: 'upperBound' });
  }
  if (told.length === 0) return targets;
  const apart = new Set(told.map(({ outlet }) => outlet));
  const left = leftAfter(seen, rows, (one, outlet) => keepsItsCurrent(one) && !apart.has(outlet));
  const { strategy } = network.policy;
  const shares = noShares(seen);
  allocate(ordered(told, strategy), rows, left, [], strategy, shares);
  for (const { outlet, bound } of told) targets.set(outlet, Math.min(bound, shares.target[outlet] ?? 0));
  return targets;
}
