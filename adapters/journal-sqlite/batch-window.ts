// How long a commit that may wait does wait for company: nothing on a fast disk, some tens of milliseconds on an SD card.
import { milliseconds, type Milliseconds } from '../../gateway/kernel/units.js';

/** Flushes below this cost nothing worth saving (NVMe, a disk with a battery behind its cache). */
const FAST = milliseconds(3);
/** Flushes above this are those of a worn card or a busy eMMC. */
const SLOW = milliseconds(20);
const WAIT = milliseconds(20);
const LONG_WAIT = milliseconds(50);
/** Weight of the newest flush in the moving average: some ten flushes tell a new disk from the old one. */
const WEIGHT = 0.2;

export class BatchWindow {
  #average: number | undefined;

  /** A flush has ended after this time. */
  flushed(took: Milliseconds): void {
    this.#average = this.#average === undefined ? took : this.#average + WEIGHT * (took - this.#average);
  }

  /** What a `batch` commit waits; a disk that is not known yet is taken for an ordinary card. */
  get wait(): Milliseconds {
    if (this.#average === undefined) return WAIT;
    if (this.#average < FAST) return milliseconds(0);
    return this.#average > SLOW ? LONG_WAIT : WAIT;
  }
}
