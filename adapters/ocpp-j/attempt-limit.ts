// Counts failed attempts at the door by address and by identity, so that a flood is turned away unread and reported once.
import type { Clock } from '../../gateway/kernel/clock.js';

export interface AttemptLimits {
  /** Failures from one address within the window before it has to wait. */
  readonly perAddress: number;
  /** Failures on one identity before only addresses without a failure may still try it. */
  readonly perIdentity: number;
  /** Milliseconds. */
  readonly window: number;
}

export const defaultAttemptLimits: AttemptLimits = { perAddress: 20, perIdentity: 10, window: 60_000 };

/** A flood from many addresses forgets the oldest ones instead of filling the memory. */
const mostRemembered = 10_000;

interface Failures {
  count: number;
  until: number;
}

export class AttemptLimit {
  readonly #clock: Clock;
  readonly #limits: AttemptLimits;
  readonly #byAddress = new Map<string, Failures>();
  readonly #byIdentity = new Map<string, Failures>();

  constructor(clock: Clock, limits: AttemptLimits = defaultAttemptLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** False: this failure is one too many. Attempts with the right credentials are never asked about here. */
  allows(address: string, identity: string): boolean {
    const failures = this.#count(this.#byAddress, address);
    if (failures >= this.#limits.perAddress) return false;
    return failures === 0 || this.#count(this.#byIdentity, identity) < this.#limits.perIdentity;
  }

  failed(address: string, identity: string): void {
    this.#add(this.#byAddress, address);
    this.#add(this.#byIdentity, identity);
  }

  #count(failures: Map<string, Failures>, key: string): number {
    const entry = failures.get(key);
    return entry === undefined || entry.until <= this.#clock.monotonic() ? 0 : entry.count;
  }

  #add(failures: Map<string, Failures>, key: string): void {
    const count = this.#count(failures, key);
    const entry = failures.get(key);
    if (count > 0 && entry !== undefined) entry.count++;
    else remember(failures, key, { count: 1, until: this.#clock.monotonic() + this.#limits.window });
  }
}

function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= mostRemembered) return;
  const oldest = map.keys().next();
  if (oldest.done !== true) map.delete(oldest.value);
}
