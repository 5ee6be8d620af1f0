// Who charges, and at what: activation in order at the minimum, then filling by class. Exact for its objective: feasible sets are downward closed.
import type { BalancingPolicy } from '../site/topology.js';
import { laneOf, roomFor, take, tightest, type Rows } from './capacity.js';
import { fillFair, fillInOrder, fillMostEnergy, type Active, type Filled } from './fill.js';
import type { Lane, PhaseMask } from './network.js';
import { quantise, type Candidate, type Cause, type Shares } from './share.js';

const EPSILON = 1e-6;
/** Setpoints are multiples of this, in A. */
const STEP = 0.1;
const PAUSE: Cause = { kind: 'pause' };

const FILLS: Readonly<
  Record<BalancingPolicy['strategy'], (group: readonly Active[], left: Float64Array, rows: Rows) => Filled>
> = { fair: fillFair, 'first-come': fillInOrder, 'most-energy': fillMostEnergy };

/**
 * Divides what is left among the candidates.
 * @param candidates best first
 * @param left what candidates may take, by cell; is not changed
 * @param moving rows whose background is measured and so may move: a start needs more there than its minimum
 * @param shares is filled in for the candidates
 * @returns what nobody got, by cell
 */
export function allocate(
  candidates: readonly Candidate[],
  rows: Rows,
  left: Float64Array,
  moving: readonly boolean[],
  strategy: BalancingPolicy['strategy'],
  shares: Shares,
): Float64Array {
  const rest = left.slice();
  const active: Active[] = [];
  for (const candidate of candidates) {
    const one = activate(candidate, rows, rest, moving, shares);
    if (one === undefined) continue;
    take(rest, one.lane, candidate.minimum);
    active.push(one);
  }
  for (let from = 0; from < active.length;) {
    let to = from;
    while (to < active.length && active[to]?.candidate.priority === active[from]?.candidate.priority) to++;
    const group = from === 0 && to === active.length ? active : active.slice(from, to);
    inSteps(group, FILLS[strategy](group, rest, rows), rest, shares);
    from = to;
  }
  return rest;
}

/** Three phases first; one where that fits and the charger can be told so. Undefined, and the cause noted, where it waits. */
function activate(
  candidate: Candidate,
  rows: Rows,
  rest: Float64Array,
  moving: readonly boolean[],
  shares: Shares,
): Active | undefined {
  const { outlet, phases, narrow, isNarrow, maySwitch, running } = candidate;
  const wide = laneOf(rows, outlet, phases);
  const refused = refuse(candidate, wide, rows, rest, moving);
  if (narrow === 0)
    return refused === undefined ? { candidate, lane: wide, phases } : waits(shares, outlet, phases, refused);
  // Going on with all phases needs as much as a start: it should last.
  const widens = maySwitch && (!running || roomFor(rest, wide) >= candidate.startNeed - EPSILON);
  if (refused === undefined && (!isNarrow || widens)) return { candidate, lane: wide, phases };
  if (!isNarrow && !maySwitch) return waits(shares, outlet, phases, refused ?? PAUSE);
  const one = laneOf(rows, outlet, narrow);
  const cause = refuse(candidate, one, rows, rest, moving);
  return cause === undefined ? { candidate, lane: one, phases: narrow } : waits(shares, outlet, phases, cause);
}

function waits(shares: Shares, outlet: number, phases: PhaseMask, cause: Cause): undefined {
  shares.target[outlet] = 0;
  shares.phases[outlet] = phases;
  shares.cause[outlet] = cause;
}

function refuse(
  candidate: Candidate,
  lane: Lane,
  rows: Rows,
  rest: Float64Array,
  moving: readonly boolean[],
): Cause | undefined {
  if (roomFor(rest, lane) < candidate.minimum - EPSILON) return { kind: 'rotation', cell: tightest(rest, lane) };
  if (candidate.running) return undefined;
  if (candidate.heldBack) return PAUSE;
  const { cells, coefficients } = lane;
  for (let at = 0; at < cells.length; at++) {
    const cell = cells[at] ?? 0;
    if (moving[rows.row[cell] ?? -1] !== true) continue;
    const needed = candidate.startNeed * (coefficients[at] ?? 0);
    if ((rest[cell] ?? 0) < needed - EPSILON) return { kind: 'rotation', cell };
  }
  return undefined;
}

/** Down to whole steps; what that leaves goes, a step for each, where it moves the most energy. */
function inSteps(group: readonly Active[], { current, causes }: Filled, rest: Float64Array, shares: Shares): void {
  const unfilled: Active[] = [];
  for (let i = 0; i < group.length; i++) {
    const one = group[i];
    if (one === undefined) continue;
    const { candidate, lane, phases } = one;
    const given = current[i] ?? 0;
    const cause = causes[i];
    const stepped = Math.max(candidate.minimum, quantise(Math.min(given, candidate.bound)));
    take(rest, lane, stepped - given);
    shares.target[candidate.outlet] = stepped;
    shares.phases[candidate.outlet] = phases;
    shares.cause[candidate.outlet] = cause;
    if (cause?.kind === 'full') unfilled.push(one);
  }
  // The sort is stable: between equals the order of the group decides.
  unfilled.sort((a, b) => b.candidate.power - a.candidate.power);
  for (const { candidate, lane } of unfilled) {
    if (roomFor(rest, lane) < STEP - EPSILON) continue;
    const stepped = shares.target[candidate.outlet] ?? 0;
    const more = quantise(stepped + STEP);
    if (more > candidate.bound + EPSILON) continue;
    take(rest, lane, more - stepped);
    shares.target[candidate.outlet] = more;
  }
}
