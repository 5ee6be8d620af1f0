// The rule of some grid operators that one- and two-phase loads differ by at most so much between phases (VDE-AR-N 4100: 20 A).
import { quantise, type Candidate, type Share } from './share.js';

const PHASE_INDEX = [0, 1, 2] as const;

/**
 * Lowers one- and two-phase EVSEs, the largest first, until the rule holds at the connection point; pauses one that would
 * fall below its minimum. Three-phase EVSEs load all phases alike and are left alone.
 * @param most largest difference between two phases, in A
 */
export function limitUnbalance(
  shares: readonly Share[],
  candidates: ReadonlyMap<number, Candidate>,
  most: number,
): readonly Share[] {
  const next = [...shares];
  const uneven = next.flatMap((share, position) => {
    const candidate = candidates.get(share.outlet);
    return candidate === undefined || candidate.lineToLine || share.phases === 7
      ? []
      : [{ position, candidate, phases: share.phases }];
  });
  // Every round lowers one share to its minimum or to 0, or ends: two rounds for each share are enough.
  for (let round = 0; round <= 2 * uneven.length; round++) {
    const sums = PHASE_INDEX.map((phase) =>
      uneven.reduce((sum, one) => sum + (one.phases & (1 << phase) ? (next[one.position]?.target ?? 0) : 0), 0),
    );
    const highest = Math.max(...sums);
    const lowest = Math.min(...sums);
    const excess = highest - lowest - most;
    if (excess <= 1e-6) break;
    const top = 1 << sums.indexOf(highest);
    const bottom = 1 << sums.indexOf(lowest);
    const above = uneven
      .filter((one) => one.phases & top && !(one.phases & bottom) && (next[one.position]?.target ?? 0) > 0)
      .sort((a, b) => (next[b.position]?.target ?? 0) - (next[a.position]?.target ?? 0) || b.position - a.position);
    const one = above[0];
    const share = one === undefined ? undefined : next[one.position];
    if (one === undefined || share === undefined) break;
    const lowered = quantise(Math.max(share.target - excess, one.candidate.minimum));
    const target = share.target > one.candidate.minimum + 1e-6 ? Math.max(lowered, one.candidate.minimum) : 0;
    next[one.position] = { ...share, target, cause: { kind: 'unbalance' } };
  }
  return next;
}

/** The candidates once more, those that the rule has lowered bound to what it left them: what they gave up can be divided again. */
export const boundByUnbalance = (
  candidates: ReadonlyMap<number, Candidate>,
  shares: readonly Share[],
): readonly Candidate[] =>
  shares.flatMap((share) => {
    const candidate = candidates.get(share.outlet);
    if (candidate === undefined) return [];
    if (share.cause.kind !== 'unbalance') return [candidate];
    return share.target > 0 ? [{ ...candidate, bound: share.target, boundedBy: 'unbalance' as const }] : [];
  });
