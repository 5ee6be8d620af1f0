// What is known of tokens, kept over restarts: the local list of each CSMS and the cache of their answers.
import { FAULTS } from '../kernel/faults.js';
import { csmsId, type CsmsId } from '../kernel/ids.js';
import type { Log } from '../kernel/log.js';
import type { Timestamp } from '../kernel/units.js';
import { emptyList, listed, updateList, type ListUpdate, type LocalList } from '../authorization/local-list.js';
import { TokenCache, type CacheEntry } from '../authorization/token-cache.js';
import type { DocumentPut, Journal } from '../ports/journal.js';
import type { Site } from '../site/topology.js';
import type { TimeShift } from '../site/time-shift.js';
import { tokenKey, type IdToken, type IdTokenInfo } from '../site/tokens.js';

const LISTS = 'local-list';
const CACHE = 'token-cache';
/** LocalAuthListMaxLength: what the gateway promises to a CSMS. */
export const MAX_LIST_ENTRIES = 100_000;

export class TokenStore {
  readonly cache: TokenCache;
  readonly #lists = new Map<CsmsId, LocalList>();
  /** Keys that have a document, so that those of forgotten tokens can be cleared away. */
  readonly #stored = new Set<string>();
  readonly #site: Site;
  readonly #journal: Journal;
  readonly #log: Log;

  private constructor(site: Site, journal: Journal, log: Log) {
    this.#site = site;
    this.#journal = journal;
    this.#log = log;
    this.cache = new TokenCache(site.authorization.cacheEntries);
  }

  static async open(site: Site, journal: Journal, log: Log): Promise<TokenStore> {
    const store = new TokenStore(site, journal, log);
    for (const [id, list] of await journal.load(LISTS)) store.#lists.set(csmsId(id), list as LocalList);
    const entries = [...(await journal.load(CACHE))] as [string, CacheEntry][];
    store.cache.restore(entries.map(([, entry]) => entry).sort((a, b) => a.lastUsed - b.lastUsed));
    for (const [key] of entries) store.#stored.add(key);
    return store;
  }

  list(csms: CsmsId): LocalList | undefined {
    return this.#lists.get(csms);
  }

  async updateList(csms: CsmsId, update: ListUpdate): Promise<'Accepted' | 'Failed' | 'VersionMismatch'> {
    const ocpp = this.#site.csms.find((each) => each.id === csms)?.ocpp ?? '2.0.1';
    const updated = updateList(this.#lists.get(csms) ?? emptyList(ocpp), update, MAX_LIST_ENTRIES);
    if (!updated.ok) return updated.error;
    await this.#journal.commit({ documents: [{ collection: LISTS, key: csms, value: updated.value }] });
    this.#lists.set(csms, updated.value);
    return 'Accepted';
  }

  /** Remembers a CSMS's answer; losing the newest in a crash costs one question to the CSMS. */
  learn(csms: CsmsId | undefined, token: IdToken, info: IdTokenInfo, now: Timestamp): void {
    const inList = csms !== undefined && listed(this.#lists.get(csms), token) !== undefined;
    if (this.cache.learn(token, info, now, inList)) this.#save(token);
  }

  used(token: IdToken, now: Timestamp): void {
    if (this.cache.peek(token) === undefined) return;
    this.cache.used(token, now);
    this.#save(token);
  }

  /** The site has learned the time. What is on disk bears the mark of its era. */
  shift(shift: TimeShift): void {
    this.cache.shift(shift);
  }

  async clearCache(): Promise<void> {
    this.cache.clear();
    const documents = [...this.#stored].map((key): DocumentPut => ({ collection: CACHE, key }));
    this.#stored.clear();
    await this.#journal.commit({ documents });
  }

  #save(token: IdToken): void {
    const key = tokenKey(token);
    const documents: DocumentPut[] = [{ collection: CACHE, key, value: this.cache.peek(token) }];
    this.#stored.add(key);
    if (this.#stored.size > 2 * Math.max(1, this.#site.authorization.cacheEntries)) {
      const kept = new Set(this.cache.entriesToPersist().map((entry) => tokenKey(entry.idToken)));
      for (const each of this.#stored) {
        if (kept.has(each)) continue;
        this.#stored.delete(each);
        documents.push({ collection: CACHE, key: each });
      }
    }
    this.#journal
      .commit({ documents }, 'batch')
      .catch((err: unknown) =>
        this.#log.warn({ err, fault: FAULTS.journalUnavailable.code }, 'the token cache could not be written'),
      );
  }
}
