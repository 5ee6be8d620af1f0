// The newest durable entries in memory: views that keep up never make the disk read.
import { journalSeq, type JournalSeq } from '../../gateway/kernel/ids.js';
import type { JournalEntry } from '../../gateway/ports/journal.js';

interface Remembered {
  readonly entry: JournalEntry;
  readonly size: number;
}

export class Tail {
  #remembered: Remembered[] = [];
  #size = 0;
  /** Everything above this and up to `newest` is in memory. */
  #floor: JournalSeq;
  #newest: JournalSeq;

  /**
   * @param capacity entries kept at least, unless they are too big; up to twice as many between two clearances
   * @param sizeLimit never more than this, in characters of JSON; a clearance leaves half of it
   * @param newest the last durable sequence number
   */
  constructor(
    readonly capacity: number,
    readonly sizeLimit: number,
    newest: JournalSeq,
  ) {
    this.#floor = newest;
    this.#newest = newest;
  }

  get newest(): JournalSeq {
    return this.#newest;
  }

  /** @param size characters of the entry in JSON */
  push(entry: JournalEntry, size: number): void {
    this.#remembered.push({ entry, size });
    this.#size += size;
    this.#newest = entry.seq;
    if (this.#remembered.length >= 2 * this.capacity || this.#size > this.sizeLimit) this.#clear();
  }

  /** Entries after `after`, or undefined where memory does not reach back that far. */
  after(after: JournalSeq, limit: number): readonly JournalEntry[] | undefined {
    if (after >= this.#newest) return [];
    if (after < this.#floor) return undefined;
    const first = this.#firstAbove(after);
    return this.#remembered.slice(first, first + limit).map(({ entry }) => entry);
  }

  /** The journal has forgotten everything up to here, but never its newest entry. */
  trimmed(upTo: JournalSeq): void {
    this.#drop(Math.min(this.#firstAbove(upTo), Math.max(0, this.#remembered.length - 1)));
  }

  /** Entries up to here have been changed on disk: they are read from there. */
  changed(upTo: JournalSeq): void {
    if (upTo <= this.#floor) return;
    this.#floor = upTo;
    this.#drop(this.#firstAbove(upTo));
  }

  #clear(): void {
    let first = Math.max(0, this.#remembered.length - this.capacity);
    let size = this.#remembered.slice(first).reduce((sum, each) => sum + each.size, 0);
    while (size > this.sizeLimit / 2 && first < this.#remembered.length) {
      size -= this.#remembered[first]?.size ?? 0;
      first++;
    }
    this.#floor = this.#remembered[first - 1]?.entry.seq ?? this.#floor;
    this.#drop(first);
  }

  #drop(count: number): void {
    for (const { size } of this.#remembered.splice(0, count)) this.#size -= size;
  }

  #firstAbove(seq: JournalSeq): number {
    let low = 0;
    let high = this.#remembered.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#remembered[middle]?.entry.seq ?? journalSeq(0)) <= seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
