// Filling above the minimum: weighted max-min by raising all together, or one after the other in order.
import { quantise, type Candidate, type Cause, type Share } from './share.js';
import { take, tightest, type Rows } from './capacity.js';

const EPSILON = 1e-9;

const shareOf = (candidate: Candidate, current: number, cause: Cause): Share => ({
  outlet: candidate.outlet,
  target: Math.max(candidate.minimum, quantise(Math.min(current, candidate.bound))),
  cause,
});

function cellsOf(candidate: Candidate, rows: Rows): readonly number[] {
  const cells: number[] = [];
  for (const row of rows.of[candidate.outlet] ?? []) {
    for (let phase = 0; phase < 3; phase++) if (candidate.phases & (1 << phase)) cells.push(row * 3 + phase);
  }
  return cells;
}

/**
 * Progressive filling: everyone's current above the minimum rises in proportion to the weight; who reaches the bound or a
 * full cell stays there. Each cell keeps what it had left and its rising weight at the level of its last change, so one
 * freeze costs only the cells it touches.
 * @param left is lowered by what was given
 */
export function fillFair(group: readonly Candidate[], rows: Rows, left: Float64Array): readonly Share[] {
  const cells = group.map((candidate) => cellsOf(candidate, rows));
  const weight = new Float64Array(left.length);
  const members = new Map<number, number[]>();
  group.forEach((candidate, i) => {
    for (const cell of cells[i] ?? []) {
      weight[cell] = (weight[cell] ?? 0) + candidate.weight;
      const list = members.get(cell);
      if (list === undefined) members.set(cell, [i]);
      else list.push(i);
    }
  });
  const used = [...members.keys()];
  const since = new Float64Array(left.length);
  const level = group.map((candidate) => (candidate.bound - candidate.minimum) / candidate.weight);
  const byLevel = group.map((_, i) => i).sort((a, b) => (level[a] ?? 0) - (level[b] ?? 0));
  const frozen: (Share | undefined)[] = group.map(() => undefined);
  let open = group.length;
  let at = 0;
  const freeze = (i: number, height: number, cause: Cause): void => {
    const candidate = group[i];
    if (candidate === undefined || frozen[i] !== undefined) return;
    for (const cell of cells[i] ?? []) {
      left[cell] = (left[cell] ?? 0) - (height - (since[cell] ?? 0)) * (weight[cell] ?? 0);
      since[cell] = height;
      weight[cell] = (weight[cell] ?? 0) - candidate.weight;
    }
    frozen[i] = shareOf(candidate, candidate.minimum + height * candidate.weight, cause);
    open--;
  };
  while (open > 0) {
    let full = Infinity;
    let fullCell = -1;
    for (const cell of used) {
      const rising = weight[cell] ?? 0;
      if (rising <= EPSILON) continue;
      const height = (since[cell] ?? 0) + Math.max(0, left[cell] ?? 0) / rising;
      if (height < full) {
        full = height;
        fullCell = cell;
      }
    }
    while (at < byLevel.length && frozen[byLevel[at] ?? 0] !== undefined) at++;
    const first = byLevel[at];
    if (first === undefined) break;
    const bounded = level[first] ?? 0;
    if (bounded <= full || fullCell < 0) {
      freeze(first, bounded, { kind: group[first]?.boundedBy ?? 'upperBound' });
      continue;
    }
    for (const i of members.get(fullCell) ?? []) freeze(i, full, { kind: 'full', cell: fullCell });
    weight[fullCell] = 0;
  }
  return frozen.filter((share) => share !== undefined);
}

/** Each in turn takes all it can. */
export function fillInOrder(group: readonly Candidate[], rows: Rows, left: Float64Array): readonly Share[] {
  return group.map((candidate) => {
    const path = rows.of[candidate.outlet] ?? [];
    const cell = tightest(left, path, candidate.phases);
    const room = cell < 0 ? Infinity : Math.max(0, left[cell] ?? 0);
    const wish = candidate.bound - candidate.minimum;
    const more = Math.min(wish, room);
    take(left, path, candidate.phases, more);
    const cause: Cause = wish <= room ? { kind: candidate.boundedBy } : { kind: 'full', cell };
    return shareOf(candidate, candidate.minimum + more, cause);
  });
}
