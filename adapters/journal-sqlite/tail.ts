// The newest durable entries in memory: views that keep up never make the disk read.
import { journalSeq, type JournalSeq } from '../../gateway/kernel/ids.js';
import type { JournalEntry } from '../../gateway/ports/journal.js';

export class Tail {
  #entries: JournalEntry[] = [];
  /** Everything above this and up to `newest` is in memory. */
  #floor: JournalSeq;
  #newest: JournalSeq;

  /**
   * @param capacity entries kept at least; up to twice as many between two clearances
   * @param newest the last durable sequence number
   */
  constructor(
    readonly capacity: number,
    newest: JournalSeq,
  ) {
    this.#floor = newest;
    this.#newest = newest;
  }

  get newest(): JournalSeq {
    return this.#newest;
  }

  push(entry: JournalEntry): void {
    this.#entries.push(entry);
    this.#newest = entry.seq;
    if (this.#entries.length >= 2 * this.capacity) {
      this.#floor = this.#entries[this.capacity - 1]?.seq ?? this.#floor;
      this.#entries = this.#entries.slice(this.capacity);
    }
  }

  /** Entries after `after`, or undefined where memory does not reach back that far. */
  after(after: JournalSeq, limit: number): readonly JournalEntry[] | undefined {
    if (after >= this.#newest) return [];
    if (after < this.#floor) return undefined;
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#entries[middle]?.seq ?? journalSeq(0)) <= after) low = middle + 1;
      else high = middle;
    }
    return this.#entries.slice(low, low + limit);
  }
}
