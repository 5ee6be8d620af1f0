// The time of one plan, and until when what was concluded from it stays true.
import type { Timestamp } from '../kernel/units.js';

/**
 * Whoever concludes something from the time asks here whether a moment has come. So it is known until when the same question
 * has the same answer, and nobody has to look again before.
 */
export class Moment {
  readonly now: Timestamp;
  #until = Infinity;

  constructor(now: Timestamp) {
    this.now = now;
  }

  /** Begins with a new conclusion. */
  begin(): void {
    this.#until = Infinity;
  }

  /** Whether this time has come. */
  reached(time: number): boolean {
    if (this.now >= time) return true;
    if (time < this.#until) this.#until = time;
    return false;
  }

  /** What was concluded since `begin` holds before this time, and perhaps no longer. */
  get until(): number {
    return this.#until;
  }
}
