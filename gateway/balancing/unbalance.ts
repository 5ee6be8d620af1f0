// The rule of some grid operators that one- and two-phase loads differ by at most so much between phases (VDE-AR-N 4100: 20 A).
import type { Triple } from './conductors.js';
import { quantise, type Candidate, type Shares } from './share.js';

const ALL = 7;

/**
 * Lowers one- and two-phase EVSEs, the largest first, until the rule holds at the connection point; pauses one that would
 * fall below its minimum. Three-phase EVSEs load all phases alike and are left alone.
 * @param shares of the candidates; those that are lowered get `unbalance` as their cause
 * @param others what other one- and two-phase EVSEs take and will not be told to give up, in A
 * @param most largest difference between two phases, in A
 * @returns whether any was lowered
 */
export function limitUnbalance(
  candidates: readonly Candidate[],
  shares: Shares,
  others: Triple,
  most: number,
): boolean {
  const { target, phases, cause } = shares;
  const uneven = candidates.filter(({ outlet, lineToLine }) => !lineToLine && phases[outlet] !== ALL);
  let lowers = false;
  // Every round lowers one share to its minimum or to 0, or ends: two rounds for each share are enough.
  for (let round = 0; round <= 2 * uneven.length; round++) {
    const sums: [number, number, number] = [...others];
    for (const { outlet } of uneven) {
      const mask = phases[outlet] ?? 0;
      for (let phase = 0; phase < 3; phase++)
        if (mask & (1 << phase)) sums[phase] = (sums[phase] ?? 0) + (target[outlet] ?? 0);
    }
    const highest = Math.max(...sums);
    const lowest = Math.min(...sums);
    const excess = highest - lowest - most;
    if (excess <= 1e-6) break;
    const largest = largestOn(uneven, shares, 1 << sums.indexOf(highest), 1 << sums.indexOf(lowest));
    if (largest === undefined) break;
    const { outlet, minimum } = largest;
    const had = target[outlet] ?? 0;
    const lowered = quantise(Math.max(had - excess, minimum));
    target[outlet] = had > minimum + 1e-6 ? Math.max(lowered, minimum) : 0;
    cause[outlet] = { kind: 'unbalance' };
    lowers = true;
  }
  return lowers;
}

/** The largest load on the one phase and not on the other; of equals the one that stands last. */
function largestOn(
  uneven: readonly Candidate[],
  { target, phases }: Shares,
  top: number,
  bottom: number,
): Candidate | undefined {
  let largest: Candidate | undefined;
  for (const candidate of uneven) {
    const mask = phases[candidate.outlet] ?? 0;
    const own = target[candidate.outlet] ?? 0;
    if (!(mask & top) || mask & bottom || own <= 0) continue;
    if (largest === undefined || own >= (target[largest.outlet] ?? 0)) largest = candidate;
  }
  return largest;
}

/** The candidates once more, those that the rule has lowered bound to what it left them: what they gave up can be divided again. */
export const boundByUnbalance = (candidates: readonly Candidate[], { target, cause }: Shares): readonly Candidate[] =>
  candidates.flatMap((candidate): Candidate[] => {
    if (cause[candidate.outlet]?.kind !== 'unbalance') return [candidate];
    const left = target[candidate.outlet] ?? 0;
    return left > 0 ? [{ ...candidate, bound: left, boundedBy: 'unbalance' }] : [];
  });
