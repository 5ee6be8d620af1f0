// What one breaker went through on one phase: its peak, how long it was above its rating, and whether it would have opened.
import type { Ampere, Milliseconds } from '../../gateway/kernel/units.js';

/**
 * - `held`: never above the rating.
 * - `brief`: above it for moments, as when a lift starts and the cars follow; no breaker opens for that.
 * - `exceeded`: above it longer than cars need to follow, or so much that its bimetal may open.
 */
export type Outcome = 'held' | 'brief' | 'exceeded';

/** An overload that lasts longer than this in one go is none that the cars were about to end: reaction is 12 s at worst, twice over and then some. */
const LONGEST_BRIEF = 60;
/** Conventional non-tripping current of IEC 60898-1, as a multiple of the rating; squared, the heat it leads to. */
const FULL = 1.13 ** 2;
/** Far below that of a real breaker, in seconds: the account is full before the bimetal bends. */
const TIME_CONSTANT = 120;
/** A breaker of type B may open at once from three times its rating. */
const AT_ONCE = 3;
/** Below this above the rating, in A, is arithmetic. */
const NOTHING = 0.05;

export class BreakerAccount {
  #peak = 0;
  #above = 0;
  #run = 0;
  #longest = 0;
  #heat = 0;
  #opened = false;

  constructor(readonly rating: Ampere) {}

  /** @param current as it was for all of `elapsed` */
  take(current: number, elapsed: Milliseconds): void {
    const seconds = elapsed / 1000;
    const load = current / this.rating;
    this.#peak = Math.max(this.#peak, current);
    this.#heat = load * load + (this.#heat - load * load) * Math.exp(-seconds / TIME_CONSTANT);
    if (this.#heat > FULL || load > AT_ONCE) this.#opened = true;
    const above = current > this.rating + NOTHING;
    this.#above += above ? seconds : 0;
    this.#run = above ? this.#run + seconds : 0;
    this.#longest = Math.max(this.#longest, this.#run);
  }

  /** In A. */
  get peak(): number {
    return this.#peak;
  }

  /** Seconds above the rating, all together. */
  get secondsAbove(): number {
    return this.#above;
  }

  get outcome(): Outcome {
    if (this.#opened || this.#longest > LONGEST_BRIEF) return 'exceeded';
    return this.#above > 0 ? 'brief' : 'held';
  }
}
