// Who dialled in and was not known: for whoever sets the site up, and bounded, since anybody can knock.
import type { Clock } from '../kernel/clock.js';
import type { Timestamp } from '../kernel/units.js';

const MOST = 50;
/** Longer ones are no identities (OCPP 2.0.1 part 4 section 3.1.1). */
const LONGEST_IDENTITY = 48;

export interface Knocking {
  readonly station: string;
  readonly remoteAddress: string;
  readonly attempts: number;
  readonly firstAt: Timestamp;
  readonly lastAt: Timestamp;
}

export class KnockingStations {
  /** The one that knocked last is the last. */
  readonly #known = new Map<string, Knocking>();

  constructor(private readonly clock: Pick<Clock, 'now'>) {}

  knocked(station: string, remoteAddress: string): void {
    if (station.length > LONGEST_IDENTITY) return;
    const before = this.#known.get(station);
    const now = this.clock.now();
    this.#known.delete(station);
    this.#known.set(station, {
      station,
      remoteAddress,
      attempts: (before?.attempts ?? 0) + 1,
      firstAt: before?.firstAt ?? now,
      lastAt: now,
    });
    const [oldest] = this.#known.keys();
    if (this.#known.size > MOST && oldest !== undefined) this.#known.delete(oldest);
  }

  /** The newest first. */
  get all(): readonly Knocking[] {
    return [...this.#known.values()].reverse();
  }
}
