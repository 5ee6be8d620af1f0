// Who charges, and at what: activation in order at the minimum, then filling by class. Exact for its objective: feasible sets are downward closed.
import type { BalancingPolicy } from '../site/topology.js';
import { take, tightest, type Rows } from './capacity.js';
import { fillFair, fillInOrder } from './fill.js';
import type { Candidate, Cause, Share } from './share.js';

const EPSILON = 1e-6;

const byClass = (a: Candidate, b: Candidate): number => b.priority - a.priority;

/** Best first. Ends with the number on the wall, so that no order of input matters. */
const fairOrder = (a: Candidate, b: Candidate): number =>
  byClass(a, b) ||
  Number(b.protected) - Number(a.protected) ||
  Number(a.sleeping) - Number(b.sleeping) ||
  a.turns - b.turns ||
  Number(b.running) - Number(a.running) ||
  a.waitingSince - b.waitingSince ||
  a.energyServed - b.energyServed ||
  a.activeSince - b.activeSince ||
  a.outlet - b.outlet;

const arrivalOrder = (a: Candidate, b: Candidate): number =>
  byClass(a, b) || a.activeSince - b.activeSince || a.outlet - b.outlet;

const compareLaxity = (a: number, b: number): number => (a === b ? 0 : a < b ? -1 : 1);
const urgencyOrder = (a: Candidate, b: Candidate): number =>
  byClass(a, b) || Number(b.protected) - Number(a.protected) || compareLaxity(a.laxity, b.laxity) || fairOrder(a, b);

export const ORDERS: Readonly<Record<BalancingPolicy['strategy'], (a: Candidate, b: Candidate) => number>> = {
  fair: fairOrder,
  'first-come': arrivalOrder,
  'most-energy': urgencyOrder,
};

/**
 * Divides what is left among the candidates.
 * @param left what candidates may take at [row * 3 + phase]; is not changed
 * @param moving rows whose background is measured and so may move: a start needs more there than its minimum
 */
export function allocate(
  candidates: readonly Candidate[],
  rows: Rows,
  left: Float64Array,
  moving: readonly boolean[],
  strategy: BalancingPolicy['strategy'],
): readonly Share[] {
  const rest = Float64Array.from(left);
  const ordered = [...candidates].sort(ORDERS[strategy]);
  const active: Candidate[] = [];
  const shares: Share[] = [];
  for (const candidate of ordered) {
    const path = rows.of[candidate.outlet] ?? [];
    const refusal = refuse(candidate, path, rest, moving);
    if (refusal !== undefined) {
      shares.push({ outlet: candidate.outlet, target: 0, cause: refusal });
      continue;
    }
    take(rest, path, candidate.phases, candidate.minimum);
    active.push(candidate);
  }
  for (let from = 0; from < active.length;) {
    let to = from;
    while (to < active.length && active[to]?.priority === active[from]?.priority) to++;
    const group = active.slice(from, to);
    shares.push(...(strategy === 'fair' ? fillFair(group, rows, rest) : fillInOrder(group, rows, rest)));
    from = to;
  }
  return shares;
}

function refuse(
  candidate: Candidate,
  path: readonly number[],
  rest: Float64Array,
  moving: readonly boolean[],
): Cause | undefined {
  const cell = tightest(rest, path, candidate.phases);
  if (cell >= 0 && (rest[cell] ?? 0) < candidate.minimum - EPSILON) return { kind: 'rotation', cell };
  if (candidate.running) return undefined;
  if (candidate.heldBack) return { kind: 'pause' };
  const shaky = tightest(
    rest,
    path.filter((row) => moving[row]),
    candidate.phases,
  );
  if (shaky >= 0 && (rest[shaky] ?? 0) < candidate.startNeed - EPSILON) return { kind: 'rotation', cell: shaky };
  return undefined;
}
