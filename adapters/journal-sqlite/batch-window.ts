// How long a commit that may wait does wait for company: nothing on a fast disk, some tens of milliseconds on an SD card.
import { milliseconds, type Milliseconds } from '../../gateway/kernel/units.js';

/** Flushes below this cost nothing worth saving (NVMe, a disk with a battery behind its cache). */
const FAST = milliseconds(3);
/** Flushes above this are those of a worn card or a busy eMMC. */
const SLOW = milliseconds(20);
const WAIT = milliseconds(20);
const LONG_WAIT = milliseconds(50);
/** How fast the shortest flush is forgotten: some tens of flushes tell a disk that has become slow. */
const FORGET = 1.1;

export class BatchWindow {
  /** The shortest flush of late: a busy machine delays single ones, a slow disk all of them. */
  #shortest: number | undefined;

  /** A flush has ended after this time. */
  flushed(took: Milliseconds): void {
    this.#shortest = this.#shortest === undefined ? took : Math.min(took, this.#shortest * FORGET);
  }

  /** What a `batch` commit waits; a disk that is not known yet is taken for an ordinary card. */
  get wait(): Milliseconds {
    if (this.#shortest === undefined) return WAIT;
    if (this.#shortest < FAST) return milliseconds(0);
    return this.#shortest > SLOW ? LONG_WAIT : WAIT;
  }
}
