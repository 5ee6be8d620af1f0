// When a line has been silent long enough for the next frame: the frames' own gap, the pauses of its devices, the rest of what went wrong.

/** Silence before the next request after one that failed, in milliseconds: the rest of a late or garbled answer passes. */
const AFTER_FAILURE = 20;
/** A line that is never silent is used all the same, after so many milliseconds. */
const LONGEST = 250;

/** All times are monotonic milliseconds. */
export class LineSilence {
  /** The strictest that a device asks for: all of them hear every frame. */
  private requestDelay = 0;
  private endedAt = -Infinity;
  private heardAt = -Infinity;
  private failing = false;

  /** @param gap milliseconds that part two frames; undefined on a connection where nothing but answers is heard */
  constructor(private readonly gap: number | undefined) {}

  asksFor(requestDelay: number): void {
    this.requestDelay = Math.max(this.requestDelay, requestDelay);
  }

  heard(now: number): void {
    this.heardAt = now;
  }

  /** A transaction is over. */
  ended(now: number, failed: boolean): void {
    this.endedAt = now;
    this.failing = failed;
  }

  freeAt(): number {
    const delayed = this.endedAt + this.requestDelay;
    if (this.gap === undefined) return delayed;
    const silence = this.failing ? Math.max(this.gap, AFTER_FAILURE) : this.gap;
    return Math.max(delayed, Math.min(this.heardAt + silence, this.endedAt + LONGEST));
  }
}
