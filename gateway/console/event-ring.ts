// What has happened at the site lately, for people to read: a ring in memory, the newest kept.
import type { ConsoleEvent, EventLog } from '../ports/console.js';

/** A night's worth at a busy site; some 300 bytes each. */
const MOST_EVENTS = 1000;

export class EventRing implements EventLog {
  readonly #most: number;
  /** Event `number` is at `number % #most`. */
  readonly #entries: ConsoleEvent[] = [];
  #last = 0;

  constructor(most = MOST_EVENTS) {
    this.#most = most;
  }

  get last(): number {
    return this.#last;
  }

  add(event: ConsoleEvent): void {
    this.#last += 1;
    this.#entries[this.#last % this.#most] = event;
  }

  *since(number: number): Generator<{ readonly number: number; readonly entry: ConsoleEvent }> {
    for (let next = Math.max(number, this.#last - this.#most) + 1; next <= this.#last; next++) {
      const entry = this.#entries[next % this.#most];
      if (entry !== undefined) yield { number: next, entry };
    }
  }

  newest(limit: number): readonly ConsoleEvent[] {
    return [...this.since(this.#last - Math.min(limit, this.#most))].map(({ entry }) => entry).reverse();
  }
}
