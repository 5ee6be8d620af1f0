// What the gateway itself knows of a token: from the site's own cards, the local list, the cache, in that order.
import type { EvseNumber } from '../kernel/ids.js';
import type { Timestamp } from '../kernel/units.js';
import type { LocalToken } from '../site/topology.js';
import { tokenKey, type IdToken, type IdTokenInfo } from '../site/tokens.js';
import { listed, type LocalList } from './local-list.js';
import type { AuthorizationSettings } from './settings.js';
import { cacheExpiry, type TokenCache } from './token-cache.js';

/** Everything that is known locally, and the moment and place it is asked for. */
export interface Knowledge {
  readonly now: Timestamp;
  readonly settings: AuthorizationSettings;
  readonly siteTokens: readonly LocalToken[];
  /** Of the authority; absent where it never sent one. */
  readonly list?: LocalList;
  readonly cache: TokenCache;
  /** Absent where the question names no EVSE (Authorize). */
  readonly evse?: EvseNumber;
}

/** `concurrent`: refused only because of another transaction, which the gateway can judge itself (1.6 section 3.5.2). */
export type Validity = 'valid' | 'concurrent' | 'bad';

export interface KnownToken {
  readonly source: 'site-token' | 'local-list' | 'cache';
  readonly info: IdTokenInfo;
  readonly validity: Validity;
}

/** A card of the site itself. */
export function siteToken({ siteTokens }: Knowledge, token: IdToken): KnownToken | undefined {
  const found = siteTokens.find(({ idToken }) => tokenKey(idToken) === tokenKey(token));
  if (!found) return undefined;
  const group = found.group === undefined ? {} : { group: { idToken: found.group, type: 'Central' as const } };
  const { chargingPriority } = found;
  const priority = chargingPriority === undefined ? {} : { chargingPriority };
  return { source: 'site-token', validity: 'valid', info: { status: 'Accepted', ...group, ...priority } };
}

export function listedToken(knowledge: Knowledge, token: IdToken): KnownToken | undefined {
  const { list, settings } = knowledge;
  const entry = settings.listEnabled ? listed(list, token) : undefined;
  if (!list || !entry) return undefined;
  const { info } = entry;
  if (info.status === 'ConcurrentTx')
    return { source: 'local-list', info, validity: list.ocpp === '1.6' ? 'concurrent' : 'bad' };
  const honoured = list.ocpp === '1.6' || settings.listSupportsExpiry;
  return { source: 'local-list', ...judged(info, honoured ? info.cacheExpiry : undefined, knowledge) };
}

export function cachedToken(knowledge: Knowledge, token: IdToken): KnownToken | undefined {
  const { cache, settings } = knowledge;
  const entry = settings.cacheEnabled ? cache.peek(token) : undefined;
  if (!entry) return undefined;
  return { source: 'cache', ...judged(entry.info, cacheExpiry(entry, settings.cacheLifetime), knowledge) };
}

/** The first that knows the token: the list beats the cache (1.6 section 3.5.3, C13.FR.01). */
export const knownToken = (knowledge: Knowledge, token: IdToken): KnownToken | undefined =>
  siteToken(knowledge, token) ?? listedToken(knowledge, token) ?? cachedToken(knowledge, token);

/** Valid is: Accepted, before its date, and at an EVSE that it may use. */
function judged(
  info: IdTokenInfo,
  expiry: Timestamp | undefined,
  { now, evse }: Knowledge,
): { readonly info: IdTokenInfo; readonly validity: Validity } {
  if (info.status !== 'Accepted') return { info, validity: 'bad' };
  if (expiry !== undefined && now >= expiry) return { info: { ...info, status: 'Expired' }, validity: 'bad' };
  if (!allowedAt(info, evse)) return { info: { ...info, status: 'Invalid' }, validity: 'bad' };
  return { info, validity: 'valid' };
}

/** The EVSEs a token is limited to (C01.FR.20, C01.FR.21). */
export const allowedAt = (info: IdTokenInfo, evse: EvseNumber | undefined): boolean =>
  evse === undefined || info.evses === undefined || info.evses.includes(evse);

/** Two tokens of one group: both have one, and it is the same (C09.FR.07). */
export const sameGroup = (a: IdToken | undefined, b: IdToken | undefined): boolean =>
  a !== undefined && b !== undefined && a.idToken !== '' && tokenKey(a) === tokenKey(b);

export const isMasterPass = (info: IdTokenInfo, settings: AuthorizationSettings): boolean =>
  settings.masterPassGroup !== undefined &&
  settings.masterPassGroup !== '' &&
  info.group !== undefined &&
  tokenKey(info.group) === tokenKey(settings.masterPassGroup);
