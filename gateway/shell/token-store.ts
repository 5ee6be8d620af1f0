// What CSMSs have said of tokens, kept over restarts: their local lists, and the cache of their answers.
import type { Clock } from '../kernel/clock.js';
import { FAULTS } from '../kernel/faults.js';
import type { CsmsId } from '../kernel/ids.js';
import type { Log } from '../kernel/log.js';
import { listed, type ListUpdate, type LocalList } from '../authorization/local-list.js';
import { isCacheEntry, TokenCache } from '../authorization/token-cache.js';
import type { DocumentPut, Journal } from '../ports/journal.js';
import type { Site } from '../site/topology.js';
import type { TimeShift } from '../site/time-shift.js';
import { tokenKey, type IdToken, type IdTokenInfo } from '../site/tokens.js';
import { TokenLists } from './token-lists.js';

const CACHE = 'token-cache';

/** `worse`: a token may be refused now that was good before. `better`: nothing but more of them may be good. */
export type TokenNews = 'worse' | 'better';

export interface TokenStoreDependencies {
  readonly site: Site;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Log;
  /** What is known of tokens has changed. */
  readonly changed: (news: TokenNews) => void;
}

export class TokenStore {
  readonly cache: TokenCache;
  readonly #lists: TokenLists;
  /** Keys that have a document, so that those of forgotten tokens can be cleared away. */
  readonly #stored = new Set<string>();
  readonly #deps: TokenStoreDependencies;

  private constructor(deps: TokenStoreDependencies, lists: TokenLists) {
    this.#deps = deps;
    this.#lists = lists;
    this.cache = new TokenCache(deps.site.authorization.cacheEntries);
  }

  static async open(deps: TokenStoreDependencies): Promise<TokenStore> {
    const store = new TokenStore(deps, await TokenLists.open(deps));
    const stored = await deps.journal.load(CACHE);
    const entries = [...stored.values()].filter(isCacheEntry);
    store.cache.restore(entries.sort((a, b) => a.lastUsed - b.lastUsed));
    for (const key of stored.keys()) store.#stored.add(key);
    return store;
  }

  list(csms: CsmsId): LocalList | undefined {
    return this.#lists.of(csms);
  }

  /** @throws JournalUnavailable: the list is as before */
  async updateList(csms: CsmsId, update: ListUpdate): Promise<'Accepted' | 'Failed' | 'VersionMismatch'> {
    const status = await this.#lists.update(csms, update);
    if (status === 'Accepted') this.#deps.changed('worse');
    return status;
  }

  /** Remembers a CSMS's answer; losing the newest in a crash costs one question to the CSMS. */
  learn(csms: CsmsId | undefined, token: IdToken, info: IdTokenInfo): void {
    const inList = csms !== undefined && listed(this.#lists.of(csms), token) !== undefined;
    const before = this.cache.peek(token)?.info;
    if (!this.cache.learn(token, info, this.#deps.clock.now(), inList)) return;
    this.#save(token);
    if (info.status !== 'Accepted') this.#deps.changed('worse');
    else if (JSON.stringify(before) !== JSON.stringify(info)) this.#deps.changed('better');
  }

  /** A start was allowed by the cache: the entry's lifetime counts anew. */
  used(token: IdToken): void {
    if (this.cache.peek(token) === undefined) return;
    this.cache.used(token, this.#deps.clock.now());
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
    this.#deps.changed('worse');
    await this.#deps.journal.commit({ documents });
  }

  #save(token: IdToken): void {
    const { site, journal, log } = this.#deps;
    const key = tokenKey(token);
    const documents: DocumentPut[] = [{ collection: CACHE, key, value: this.cache.peek(token) }];
    this.#stored.add(key);
    if (this.#stored.size > 2 * Math.max(1, site.authorization.cacheEntries)) {
      const kept = new Set(this.cache.entriesToPersist().map((entry) => tokenKey(entry.idToken)));
      for (const each of this.#stored) {
        if (kept.has(each)) continue;
        this.#stored.delete(each);
        documents.push({ collection: CACHE, key: each });
      }
    }
    journal
      .commit({ documents }, 'batch')
      .catch((err: unknown) =>
        log.warn({ err, fault: FAULTS.journalUnavailable.code }, 'the token cache could not be written'),
      );
  }
}
