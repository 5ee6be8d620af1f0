// Remembers what CSMSs have said of tokens, for the time without them (OCPP 1.6 section 3.5.2, 2.0.1 C10).
import { LRUCache } from 'lru-cache';
import { timestamp, type Milliseconds, type Timestamp } from '../kernel/units.js';
import { shifted, type TimeShift } from '../site/time-shift.js';
import { tokenKey, type IdToken, type IdTokenInfo } from '../site/tokens.js';

export interface CacheEntry {
  readonly idToken: IdToken;
  readonly info: IdTokenInfo;
  readonly lastUsed: Timestamp;
}

/**
 * A bounded cache: the token unused for longest makes room. Entries past their date stay until then, because a known token
 * that has expired is not an unknown one. Time is handed in; nothing expires by itself.
 */
export class TokenCache {
  readonly #entries: LRUCache<string, CacheEntry>;

  /** @param capacity number of tokens, at least 1 */
  constructor(capacity: number) {
    this.#entries = new LRUCache({ max: Math.max(1, Math.floor(capacity)) });
  }

  /** Looks without counting as a use. */
  peek(token: IdToken): CacheEntry | undefined {
    return this.#entries.peek(tokenKey(token));
  }

  /** A start was allowed by this entry: its lifetime counts from here (C10.FR.08). */
  used(token: IdToken, now: Timestamp): void {
    const entry = this.#entries.get(tokenKey(token));
    if (entry) this.#entries.set(tokenKey(token), { ...entry, lastUsed: now });
  }

  /**
   * Takes over a CSMS's answer. ConcurrentTx is about this moment and not about the token, so it changes nothing; tokens of
   * a remote start (Central, C05) and those that name nobody are not kept.
   * @param inList the token is on the local list, which speaks for it alone (1.6 section 3.5.3)
   * @returns whether the cache has changed
   */
  learn(token: IdToken, info: IdTokenInfo, now: Timestamp, inList: boolean): boolean {
    if (inList || token.type === 'Central' || token.type === 'NoAuthorization' || info.status === 'ConcurrentTx')
      return false;
    this.#entries.set(tokenKey(token), { idToken: token, info, lastUsed: now });
    return true;
  }

  /** The site has learned the time. */
  shift(shift: TimeShift): void {
    // The longest unused first: setting them keeps that order.
    for (const entry of this.entriesToPersist()) this.#entries.set(tokenKey(entry.idToken), shiftedUse(entry, shift));
  }

  clear(): void {
    this.#entries.clear();
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The most recently used first. */
  newestFirst(): Iterable<CacheEntry> {
    return this.#entries.values();
  }

  /** Plain JSON, the longest unused first: what `restore` takes. */
  entriesToPersist(): readonly CacheEntry[] {
    return [...this.#entries.rvalues()].filter((entry) => entry !== undefined);
  }

  restore(entries: Iterable<CacheEntry>): void {
    for (const entry of entries) this.#entries.set(tokenKey(entry.idToken), entry);
  }
}

/** The entry with its last use when it turns out to have been. */
export const shiftedUse = (entry: CacheEntry, shift: TimeShift): CacheEntry => ({
  ...entry,
  lastUsed: shifted(entry.lastUsed, shift),
});

/** When an entry stops being valid: its own date, else its lifetime after the last use (C10.FR.08). */
export const cacheExpiry = ({ info, lastUsed }: CacheEntry, lifetime: Milliseconds): Timestamp =>
  info.cacheExpiry ?? timestamp(lastUsed + lifetime);

/** Whether a stored value is an entry of this shape. */
export function isCacheEntry(value: unknown): value is CacheEntry {
  if (typeof value !== 'object' || value === null) return false;
  const { idToken, info, lastUsed } = value as Partial<Record<keyof CacheEntry, unknown>>;
  return hasText(idToken, 'idToken') && hasText(info, 'status') && typeof lastUsed === 'number';
}

const hasText = (value: unknown, key: string): boolean =>
  typeof value === 'object' && value !== null && typeof (value as Record<string, unknown>)[key] === 'string';
