// Who charges, and at what: activation in order at the minimum, then filling by class. Exact for its objective: feasible sets are downward closed.
import type { BalancingPolicy } from '../site/topology.js';
import { laneOf, roomFor, take, tightest, type Rows } from './capacity.js';
import { fillFair, fillInOrder, fillMostEnergy, type Active, type Filled } from './fill.js';
import type { Lane } from './network.js';
import { quantise, type Candidate, type Cause, type Share } from './share.js';

const EPSILON = 1e-6;
/** Setpoints are multiples of this, in A. */
const STEP = 0.1;

/**
 * Divides what is left among the candidates.
 * @param candidates best first
 * @param left what candidates may take, by cell; is not changed
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
  const active: Active[] = [];
  const shares: Share[] = [];
  for (const candidate of candidates) {
    const chosen = activate(candidate, rows, rest, moving);
    if ('kind' in chosen) {
      shares.push({ outlet: candidate.outlet, target: 0, phases: candidate.phases, cause: chosen });
      continue;
    }
    take(rest, chosen.lane, candidate.minimum);
    active.push(chosen);
  }
  for (let from = 0; from < active.length;) {
    let to = from;
    while (to < active.length && active[to]?.candidate.priority === active[from]?.candidate.priority) to++;
    const group = from === 0 && to === active.length ? active : active.slice(from, to);
    const fill = strategy === 'fair' ? fillFair : strategy === 'first-come' ? fillInOrder : fillMostEnergy;
    inSteps(group, fill(group, rest), rest, shares);
    from = to;
  }
  return shares;
}

/** Three phases first; one where that fits and the charger can be told so. */
function activate(candidate: Candidate, rows: Rows, rest: Float64Array, moving: readonly boolean[]): Active | Cause {
  const { outlet, phases, narrow, isNarrow, maySwitch, running } = candidate;
  const wide = laneOf(rows, outlet, phases);
  if (narrow === 0) return refuse(candidate, wide, rows, rest, moving) ?? { candidate, lane: wide, phases };
  const one = laneOf(rows, outlet, narrow);
  const refused = refuse(candidate, wide, rows, rest, moving);
  // Going on with all phases needs as much as a start: it should last.
  const widens = maySwitch && (!running || roomFor(rest, wide) >= candidate.startNeed - EPSILON);
  if (refused === undefined && (!isNarrow || widens)) return { candidate, lane: wide, phases };
  if (!isNarrow && !maySwitch) return refused ?? { kind: 'pause' };
  return refuse(candidate, one, rows, rest, moving) ?? { candidate, lane: one, phases: narrow };
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
  if (candidate.heldBack) return { kind: 'pause' };
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
function inSteps(group: readonly Active[], filled: Filled, rest: Float64Array, shares: Share[]): void {
  const current = new Float64Array(group.length);
  const unfilled: number[] = [];
  for (let i = 0; i < group.length; i++) {
    const one = group[i];
    if (one === undefined) continue;
    const given = filled.current[i] ?? 0;
    const stepped = Math.max(one.candidate.minimum, quantise(Math.min(given, one.candidate.bound)));
    current[i] = stepped;
    take(rest, one.lane, stepped - given);
    if (filled.causes[i]?.kind === 'full') unfilled.push(i);
  }
  unfilled.sort((a, b) => (group[b]?.candidate.power ?? 0) - (group[a]?.candidate.power ?? 0) || a - b);
  for (const i of unfilled) {
    const one = group[i];
    if (one === undefined || roomFor(rest, one.lane) < STEP - EPSILON) continue;
    const more = quantise((current[i] ?? 0) + STEP);
    if (more > one.candidate.bound + EPSILON) continue;
    take(rest, one.lane, more - (current[i] ?? 0));
    current[i] = more;
  }
  group.forEach(({ candidate, phases }, i) => {
    const cause = filled.causes[i] ?? { kind: 'upperBound' };
    shares.push({ outlet: candidate.outlet, target: current[i] ?? 0, phases, cause });
  });
}
