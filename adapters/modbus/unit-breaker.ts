// Keeps a unit that does not answer from slowing the others on its bus: after one full time-out it is asked shortly, and ever more rarely.
import { milliseconds, type Milliseconds } from '../../gateway/kernel/units.js';

/** Milliseconds before the next question after so many in a row without an answer; the last one repeats. */
const PAUSES = [0, 1000, 2000, 5000, 10_000] as const;
/** The shortest wait for an answer, in milliseconds: a radio link may take so long now and then. */
const SHORTEST = 200;
/** Every so many questions a silent unit is given its whole time: it may have become slower. */
const WHOLE_EVERY = 12;
const SILENT_AFTER = 2;

export class UnitBreaker {
  private misses = 0;
  private askAgainAt = -Infinity;
  /** How long answers have taken lately, the slower ones weighing more; undefined before the first. */
  private usual: number | undefined;

  /** Not once, but repeatedly without an answer. */
  get silent(): boolean {
    return this.misses >= SILENT_AFTER;
  }

  /** It is not asked before some time has passed. */
  rests(now: Milliseconds): boolean {
    return now < this.askAgainAt;
  }

  /**
   * How long to wait for the next answer.
   * @param whole what the device's profile allows
   * @param alone nobody else waits for the bus
   */
  patience(whole: number, alone: boolean): Milliseconds {
    if (alone || this.misses % WHOLE_EVERY === 0) return milliseconds(whole);
    const short = this.usual === undefined ? whole / 4 : 2 * this.usual;
    return milliseconds(Math.min(whole, Math.max(SHORTEST, short)));
  }

  answered(took: number): void {
    this.misses = 0;
    this.askAgainAt = -Infinity;
    this.usual = Math.max(took, (this.usual ?? 0) * 0.9);
  }

  missed(now: Milliseconds): void {
    this.askAgainAt = now + (PAUSES[Math.min(this.misses, PAUSES.length - 1)] ?? 0);
    this.misses += 1;
  }
}
