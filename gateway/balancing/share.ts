// The words of dividing a circuit: who asks for a share, what share each gets, and why.
import type { PhaseMask } from './network.js';

export interface Candidate {
  /** Index in the network's outlets. */
  readonly outlet: number;
  readonly phases: PhaseMask;
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
  /** Hours until departure beyond those it needs at full current; infinite where the departure is unknown. */
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
  readonly cause: Cause;
}

/** Down to 0.1 A, without losing a step to binary fractions. */
export const quantise = (current: number): number => Math.floor(current * 10 + 1e-4) / 10;
