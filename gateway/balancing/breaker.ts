// The thermal account of a breaker per phase, from measured current: what may be worked off, and what must be shed at once.
import type { Timestamp } from '../kernel/units.js';
import type { Triple } from './conductors.js';

/**
 * - `hold`: at most the rating, nothing owed.
 * - `workOff`: above the rating up to 1.13, or still warm: tolerated, the plan already aims below the rating.
 * - `shed`: 1.13 to 1.45, or the account is full: cut by what is too much, now.
 * - `open`: above 1.45: interrupt every EVSE on the phase rather than dim it.
 */
export type BreakerDecision = 'hold' | 'workOff' | 'shed' | 'open';

/** Conventional non-tripping and tripping current of IEC 60898-1, as multiples of the rating. */
const NON_TRIPPING = 1.13;
const TRIPPING = 1.45;
/** Thermal time constant, far below that of a real breaker, so that the account fills before the bimetal bends. */
const TIME_CONSTANT = 300_000;

/**
 * Carries the account of one phase on: first-order heating by the square of the load, 1 at the rating for ever.
 * @param load measured current over rating
 */
function heated(heat: number, load: number, elapsed: number): number {
  const target = load * load;
  return target + (heat - target) * Math.exp(-Math.max(0, elapsed) / TIME_CONSTANT);
}

function decide(heat: number, load: number): BreakerDecision {
  if (load > TRIPPING) return 'open';
  if (load > NON_TRIPPING || (heat >= NON_TRIPPING * NON_TRIPPING && load > 1)) return 'shed';
  return load > 1 || heat > 1 ? 'workOff' : 'hold';
}

/** Takes one reading into the account of the three phases. */
export function accountBreaker(
  heat: Triple,
  heatAt: Timestamp | undefined,
  current: Triple,
  breaker: number,
  at: Timestamp,
): { readonly heat: Triple; readonly decisions: readonly [BreakerDecision, BreakerDecision, BreakerDecision] } {
  const elapsed = heatAt === undefined ? 0 : at - heatAt;
  const load = current.map((value) => Math.max(0, value) / breaker);
  const [a = 0, b = 0, c = 0] = load;
  const next: Triple = [heated(heat[0], a, elapsed), heated(heat[1], b, elapsed), heated(heat[2], c, elapsed)];
  return { heat: next, decisions: [decide(next[0], a), decide(next[1], b), decide(next[2], c)] };
}
