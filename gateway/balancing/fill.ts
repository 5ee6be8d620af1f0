// Filling above the minimum: weighted max-min by raising all together, one after the other in order, or what moves the most energy.
import { roomFor, take, tightest } from './capacity.js';
import { mostValue } from './linear-program.js';
import type { Lane, PhaseMask } from './network.js';
import { byArrival } from './order.js';
import type { Candidate, Cause } from './share.js';

const EPSILON = 1e-9;

/** A candidate that charges, on the phases chosen for it. */
export interface Active {
  readonly candidate: Candidate;
  readonly phases: PhaseMask;
  readonly lane: Lane;
}

/** By position in the group. `left` has been lowered by the same currents. */
export interface Filled {
  readonly current: Float64Array;
  readonly causes: readonly (Cause | undefined)[];
}

const CAUSES: Readonly<Record<Candidate['boundedBy'], Cause>> = {
  upperBound: { kind: 'upperBound' },
  demand: { kind: 'demand' },
  unbalance: { kind: 'unbalance' },
};

/**
 * Progressive filling: everyone's current above the minimum rises in proportion to the weight; who reaches the bound or a
 * full cell stays there. Each cell keeps what it had left and its rising weight at the level of its last change, so one
 * freeze costs only the cells it touches.
 * @param left is lowered by what was given
 */
export function fillFair(group: readonly Active[], left: Float64Array): Filled {
  const count = group.length;
  const weights = weightsOf(group);
  const { first, members, used } = membersOf(group, left.length);
  const rising = new Float64Array(left.length);
  const since = new Float64Array(left.length);
  const atLevel = new Map<number, number[]>();
  for (let i = 0; i < count; i++) {
    const one = group[i];
    if (one === undefined) continue;
    const { candidate, lane } = one;
    const weight = weights[i] ?? 1;
    for (let at = 0; at < lane.cells.length; at++) {
      const cell = lane.cells[at] ?? 0;
      rising[cell] = (rising[cell] ?? 0) + weight * (lane.coefficients[at] ?? 0);
    }
    const level = (candidate.bound - candidate.minimum) / weight;
    const alike = atLevel.get(level);
    if (alike === undefined) atLevel.set(level, [i]);
    else alike.push(i);
  }
  const levels = Float64Array.from(atLevel.keys()).sort();
  const current = new Float64Array(count);
  const causes: (Cause | undefined)[] = group.map(() => undefined);
  const freeze = (i: number, height: number, cause: Cause): void => {
    const one = group[i];
    if (one === undefined || causes[i] !== undefined) return;
    const { cells, coefficients } = one.lane;
    const weight = weights[i] ?? 0;
    for (let k = 0; k < cells.length; k++) {
      const cell = cells[k] ?? 0;
      left[cell] = (left[cell] ?? 0) - (height - (since[cell] ?? 0)) * (rising[cell] ?? 0);
      since[cell] = height;
      rising[cell] = (rising[cell] ?? 0) - weight * (coefficients[k] ?? 0);
    }
    current[i] = one.candidate.minimum + height * weight;
    causes[i] = cause;
  };
  for (let at = 0; at < levels.length;) {
    const bounded = levels[at] ?? 0;
    const reaching = atLevel.get(bounded) ?? [];
    if (reaching.every((i) => causes[i] !== undefined)) {
      at++;
      continue;
    }
    let full = Infinity;
    let fullCell = -1;
    for (const cell of used) {
      const speed = rising[cell] ?? 0;
      if (speed <= EPSILON) continue;
      const height = (since[cell] ?? 0) + Math.max(0, left[cell] ?? 0) / speed;
      if (height < full) {
        full = height;
        fullCell = cell;
      }
    }
    if (fullCell >= 0 && full < bounded) {
      const cause: Cause = { kind: 'full', cell: fullCell };
      const end = first[fullCell + 1] ?? 0;
      for (let k = first[fullCell] ?? 0; k < end; k++) freeze(members[k] ?? 0, full, cause);
      rising[fullCell] = 0;
      continue;
    }
    // All whose bound lies below the next full cell: freezing one only moves that cell further up.
    for (; at < levels.length && (levels[at] ?? 0) <= full; at++) {
      const level = levels[at] ?? 0;
      for (const i of atLevel.get(level) ?? []) freeze(i, level, CAUSES[group[i]?.candidate.boundedBy ?? 'upperBound']);
    }
  }
  return { current, causes };
}

const NO_CELLS = new Int32Array(0);

/** Who loads each cell: those of cell c are at `members[first[c]]` to before `members[first[c + 1]]`. */
function membersOf(
  group: readonly Active[],
  cells: number,
): { readonly first: Int32Array; readonly members: Int32Array; readonly used: readonly number[] } {
  const first = new Int32Array(cells + 1);
  for (let i = 0; i < group.length; i++) {
    const own = group[i]?.lane.cells ?? NO_CELLS;
    for (let at = 0; at < own.length; at++) {
      const next = (own[at] ?? 0) + 1;
      first[next] = (first[next] ?? 0) + 1;
    }
  }
  const used: number[] = [];
  for (let cell = 0; cell < cells; cell++) {
    if ((first[cell + 1] ?? 0) > 0) used.push(cell);
    first[cell + 1] = (first[cell + 1] ?? 0) + (first[cell] ?? 0);
  }
  const next = first.slice();
  const members = new Int32Array(first[cells] ?? 0);
  for (let i = 0; i < group.length; i++) {
    const own = group[i]?.lane.cells ?? NO_CELLS;
    for (let at = 0; at < own.length; at++) {
      const cell = own[at] ?? 0;
      const place = next[cell] ?? 0;
      members[place] = i;
      next[cell] = place + 1;
    }
  }
  return { first, members, used };
}

/**
 * As configured; but the cars between two phases share by pairs of conductors first, then among the cars of a pair: their
 * weights are such that the three pairs rise alike.
 */
function weightsOf(group: readonly Active[]): Float64Array {
  const sums = [0, 0, 0, 0, 0];
  let pairs = 0;
  let total = 0;
  for (const { candidate, phases } of group) {
    if (!candidate.lineToLine) continue;
    if (sums[phases] === 0) pairs++;
    sums[phases] = (sums[phases] ?? 0) + candidate.weight;
    total += candidate.weight;
  }
  const weights = new Float64Array(group.length);
  for (let i = 0; i < group.length; i++) {
    const one = group[i];
    if (one === undefined) continue;
    const { weight, lineToLine } = one.candidate;
    weights[i] = lineToLine && pairs > 1 ? (weight * total) / (pairs * (sums[one.phases] ?? 1)) : weight;
  }
  return weights;
}

/** Each in turn takes all it can, as they have come. */
export function fillInOrder(group: readonly Active[], left: Float64Array): Filled {
  const current = new Float64Array(group.length);
  const causes: (Cause | undefined)[] = group.map(() => undefined);
  const arrivals = [...group.entries()].sort(([, a], [, b]) => byArrival(a.candidate, b.candidate));
  for (const [i, { candidate, lane }] of arrivals) {
    const room = Math.max(0, roomFor(left, lane));
    const wish = candidate.bound - candidate.minimum;
    causes[i] = wish <= room ? CAUSES[candidate.boundedBy] : { kind: 'full', cell: tightest(left, lane) };
    const more = Math.min(wish, room);
    take(left, lane, more);
    current[i] = candidate.minimum + more;
  }
  return { current, causes };
}

/**
 * The place of each by urgency; cars whose departure nobody knows come after the others, the least served first. Nothing that
 * a new current changes counts, or each plan would want what the last one did not.
 */
function ranksOf(group: readonly Active[]): Int32Array {
  const places = group.map(({ candidate }, i) => ({ candidate, i }));
  places.sort(
    ({ candidate: a }, { candidate: b }) =>
      (a.laxity === b.laxity ? 0 : a.laxity - b.laxity) ||
      (a.laxity === Infinity ? a.turns - b.turns : 0) ||
      a.activeSince - b.activeSince ||
      a.outlet - b.outlet,
  );
  const ranks = new Int32Array(group.length);
  places.forEach(({ i }, rank) => (ranks[i] = rank));
  return ranks;
}

/** What an ampere for the least urgent counts, against one for the most urgent. */
const LEAST_URGENT = 0.5;
/** An ampere for a car that charges, against one for a car that would have to be started: what makes fewer changes. */
const STEADY = 1.05;

/**
 * The currents that move the most energy now, an ampere of the least urgent car counting half as much as one of the most
 * urgent and those between in the order of their urgency. On the sessions of the benchmark that reaches what planning ahead
 * reaches, and needs no forecast.
 */
export function fillMostEnergy(group: readonly Active[], left: Float64Array): Filled {
  const last = Math.max(1, group.length - 1);
  const ranks = ranksOf(group);
  const more = mostValue(
    group.map(({ candidate, lane, phases }, i) => ({
      lane,
      most: candidate.bound - candidate.minimum,
      value:
        (phases === candidate.phases ? candidate.power : 1) *
        (1 - ((1 - LEAST_URGENT) * (ranks[i] ?? 0)) / last) *
        (candidate.running ? STEADY : 1),
    })),
    left,
  );
  const current = new Float64Array(group.length);
  group.forEach(({ candidate, lane }, i) => {
    const given = Math.min(more[i] ?? 0, Math.max(0, roomFor(left, lane)));
    take(left, lane, given);
    current[i] = candidate.minimum + given;
  });
  const causes = group.map(({ candidate, lane }, i): Cause =>
    (current[i] ?? 0) >= candidate.bound - 1e-6
      ? CAUSES[candidate.boundedBy]
      : { kind: 'full', cell: tightest(left, lane) },
  );
  return { current, causes };
}
