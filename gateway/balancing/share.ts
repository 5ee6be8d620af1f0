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
  /** It has waited for so many rotations that it goes before those who were served less. */
  readonly overdue: boolean;
  /** Whole rotations it has charged in this session. */
  readonly turns: number;
  /** A time in milliseconds; the latest there is where it does not wait. */
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

/** Whether both ask for the same with the same right. */
export const sameCandidate = (a: Candidate | undefined, b: Candidate | undefined): boolean =>
  a === b ||
  (a !== undefined &&
    b !== undefined &&
    a.outlet === b.outlet &&
    a.phases === b.phases &&
    a.narrow === b.narrow &&
    a.isNarrow === b.isNarrow &&
    a.maySwitch === b.maySwitch &&
    a.lineToLine === b.lineToLine &&
    a.power === b.power &&
    a.minimum === b.minimum &&
    a.bound === b.bound &&
    a.boundedBy === b.boundedBy &&
    a.weight === b.weight &&
    a.priority === b.priority &&
    a.running === b.running &&
    a.protected === b.protected &&
    a.sleeping === b.sleeping &&
    a.overdue === b.overdue &&
    a.turns === b.turns &&
    a.waitingSince === b.waitingSince &&
    a.activeSince === b.activeSince &&
    a.laxity === b.laxity &&
    a.energyServed === b.energyServed &&
    a.startNeed === b.startNeed &&
    a.heldBack === b.heldBack);

/** What decided the current of one candidate; `cell` is a cell of the rows. */
export type Cause =
  | { readonly kind: 'upperBound' | 'demand' | 'pause' | 'unbalance' }
  | { readonly kind: 'full' | 'rotation'; readonly cell: number };

/** What each outlet gets; one that took no part has no cause. */
export interface Shares {
  /** Multiples of 0.1 A: 0, or from the minimum to the bound. */
  readonly target: Float64Array;
  /** On which of its phases. */
  readonly phases: Uint8Array;
  readonly cause: (Cause | undefined)[];
}

export const noShares = (outlets: readonly unknown[]): Shares => ({
  target: new Float64Array(outlets.length),
  phases: new Uint8Array(outlets.length),
  cause: outlets.map(() => undefined),
});

/** Down to 0.1 A, without losing a step to binary fractions. */
export const quantise = (current: number): number => Math.floor(current * 10 + 1e-4) / 10;
