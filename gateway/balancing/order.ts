// Who goes first, by strategy; and how cars on the three pairs of conductors take turns.
import type { BalancingPolicy } from '../site/topology.js';
import type { Candidate } from './share.js';

const byClass = (a: Candidate, b: Candidate): number => b.priority - a.priority;

export const byArrival = (a: Candidate, b: Candidate): number => a.activeSince - b.activeSince || a.outlet - b.outlet;

/** Best first. Ends with the number on the wall, so that no order of input matters. */
const fairOrder = (a: Candidate, b: Candidate): number =>
  byClass(a, b) ||
  Number(b.protected) - Number(a.protected) ||
  Number(a.sleeping) - Number(b.sleeping) ||
  Number(b.overdue) - Number(a.overdue) ||
  (a.overdue ? a.waitingSince - b.waitingSince : 0) ||
  a.turns - b.turns ||
  Number(b.running) - Number(a.running) ||
  a.waitingSince - b.waitingSince ||
  a.energyServed - b.energyServed ||
  a.activeSince - b.activeSince ||
  a.outlet - b.outlet;

const arrivalOrder = (a: Candidate, b: Candidate): number =>
  byClass(a, b) || Number(b.protected) - Number(a.protected) || byArrival(a, b);

const compareLaxity = (a: number, b: number): number => (a === b ? 0 : a < b ? -1 : 1);
const urgencyOrder = (a: Candidate, b: Candidate): number =>
  byClass(a, b) || Number(b.protected) - Number(a.protected) || compareLaxity(a.laxity, b.laxity) || fairOrder(a, b);

const ORDERS: Readonly<Record<BalancingPolicy['strategy'], (a: Candidate, b: Candidate) => number>> = {
  fair: fairOrder,
  'first-come': arrivalOrder,
  'most-energy': urgencyOrder,
};

/** The candidates, best first. */
export function ordered(candidates: readonly Candidate[], strategy: BalancingPolicy['strategy']): readonly Candidate[] {
  const sorted = candidates.toSorted(ORDERS[strategy]);
  if (strategy === 'first-come' || !sorted.some(({ lineToLine }) => lineToLine)) return sorted;
  const alike = (a: Candidate, b: Candidate): boolean =>
    a.priority === b.priority && a.protected === b.protected && a.sleeping === b.sleeping;
  const answer: Candidate[] = [];
  for (let from = 0; from < sorted.length;) {
    let to = from + 1;
    while (to < sorted.length && sameBlock(sorted[from], sorted[to], alike)) to++;
    answer.push(...inTurns(sorted.slice(from, to)));
    from = to;
  }
  return answer;
}

const sameBlock = (
  a: Candidate | undefined,
  b: Candidate | undefined,
  alike: (a: Candidate, b: Candidate) => boolean,
): boolean => a !== undefined && b !== undefined && alike(a, b);

/**
 * Cars between two phases: the first of each pair of conductors, then the second of each, and so on, at the places that they
 * have among the others. The three pairs then load the conductors alike, and currents that are a third of a turn apart leave
 * room for up to twice what the same cars would get on one pair.
 */
function inTurns(block: readonly Candidate[]): readonly Candidate[] {
  const before = new Map<number, number>();
  const ranked = block
    .filter(({ lineToLine }) => lineToLine)
    .map((candidate, place) => {
      const rank = before.get(candidate.phases) ?? 0;
      before.set(candidate.phases, rank + 1);
      return { candidate, rank, place };
    })
    .sort((a, b) => a.rank - b.rank || a.place - b.place);
  let next = 0;
  return block.map((candidate) => (candidate.lineToLine ? (ranked[next++]?.candidate ?? candidate) : candidate));
}
