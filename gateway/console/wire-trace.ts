// What went over the wires lately: a ring of frames as they were, which are masked when somebody reads them.
import type { Clock } from '../kernel/clock.js';
import { toRfc3339, type Timestamp } from '../kernel/units.js';
import type { TracedFrame, TraceFilter, Traces } from '../ports/console.js';
import { maskedFrame } from './masked-frame.js';

/** Characters of all frames together; some 20,000 of them. */
const MOST_CHARACTERS = 8_000_000;

interface Kept {
  readonly at: Timestamp;
  readonly peer: string;
  readonly direction: 'in' | 'out';
  readonly text: string;
}

export class WireTrace implements Traces {
  readonly #clock: Clock;
  #frames: Kept[] = [];
  /** Of `#frames`, forgotten already. */
  #gone = 0;
  #characters = 0;
  readonly #listeners = new Set<{ readonly filter: TraceFilter; readonly heard: (frame: TracedFrame) => void }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param peer `station/CP01` or `csms/operator`: where the frame came from, or went */
  saw(peer: string, direction: 'in' | 'out', text: string): void {
    const kept: Kept = { at: this.#clock.now(), peer, direction, text };
    this.#frames.push(kept);
    this.#characters += text.length;
    while (this.#characters > MOST_CHARACTERS) {
      this.#characters -= this.#frames[this.#gone]?.text.length ?? 0;
      this.#gone += 1;
    }
    if (this.#gone > 4096 && this.#gone * 2 > this.#frames.length) {
      this.#frames = this.#frames.slice(this.#gone);
      this.#gone = 0;
    }
    for (const { filter, heard } of this.#listeners) if (matches(filter, peer)) heard(shown(kept));
  }

  listen(filter: TraceFilter, heard: (frame: TracedFrame) => void): () => void {
    const listener = { filter, heard };
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  *recent(filter: TraceFilter, minutes: number): Generator<TracedFrame> {
    const since = this.#clock.now() - minutes * 60_000;
    for (const kept of this.#frames.slice(this.#gone))
      if (kept.at >= since && matches(filter, kept.peer)) yield shown(kept);
  }
}

const matches = ({ station, csms }: TraceFilter, peer: string): boolean =>
  (station === undefined && csms === undefined) || peer === `station/${station}` || peer === `csms/${csms}`;

const shown = ({ at, peer, direction, text }: Kept): TracedFrame => ({
  at: toRfc3339(at),
  peer,
  direction,
  frame: maskedFrame(text),
});
