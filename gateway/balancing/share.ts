// The words of dividing a circuit: who asks for a share, what share each gets, and why.
import type { PhaseMask } from './network.js';

export interface Candidate {
  /** Index in the network's outlets. */
  readonly outlet: number;
  /** The phases that its car uses; pairs of phases where it is between two. */
  readonly phases: PhaseMask;
  /** The one phase that it uses when it is told so; 0 where it cannot be told, or uses one anyway. */
  readonly narrow: PhaseMask;
  /** It was told to use only one phase. */
  readonly isNarrow: boolean;
  /** Its number of phases has not been changed for long enough to change it again. */
  readonly maySwitch: boolean;
  readonly lineToLine: boolean;
  /** What one ampere on `phases` moves, in units of one phase to neutral. */
  readonly power: number;
  readonly minimum: number;
  /** At least the minimum. */
  readonly bound: number;
  readonly boundedBy: 'upperBound' | 'demand' | 'unbalance';
  readonly weight: number;
  readonly priority: number;
  readonly running: boolean;
  /** It began to charge less than one rotation ago: only a shortage may stop it. */
  readonly protected: boolean;
  readonly sleeping: boolean;
  /** Whole rotations it has charged in this session. */
  readonly turns: number;
  /** A time in milliseconds. */
  readonly waitingSince: number;
  readonly activeSince: number;
  /** Time until departure beyond what it needs at full current, in steps of urgency; infinite where the departure is unknown. */
  readonly laxity: number;
  readonly energyServed: number;
  /** What must be free for it to start, on circuits whose background moves and on the others. */
  readonly startNeed: number;
  /** It may not start yet (least pause, silent meter). */
  readonly heldBack: boolean;
}

/** What decided the current of one candidate; `cell` is a cell of the rows. */
export type Cause =
  | { readonly kind: 'upperBound' | 'demand' | 'pause' | 'unbalance' }
  | { readonly kind: 'full' | 'rotation'; readonly cell: number };

export interface Share {
  readonly outlet: number;
  /** A multiple of 0.1 A, 0 or from the minimum to the bound. */
  readonly target: number;
  /** On which of its phases. */
  readonly phases: PhaseMask;
  readonly cause: Cause;
}

/** Down to 0.1 A, without losing a step to binary fractions. */
export const quantise = (current: number): number => Math.floor(current * 10 + 1e-4) / 10;
