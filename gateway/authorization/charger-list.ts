// The list by which a charger lets drivers in while the gateway itself is away: what belongs into it, and what has changed in it.
import type { EvseNumber } from '../kernel/ids.js';
import type { Timestamp } from '../kernel/units.js';
import { LONGEST_ID_TAG } from '../site/token-alias.js';
import { tokenKey, type IdToken, type IdTokenInfo } from '../site/tokens.js';
import { allowedAt, cachedToken, isMasterPass, listedToken, siteToken, type Knowledge } from './known-token.js';
import type { ListEntry } from './local-list.js';
import { cacheExpiry } from './token-cache.js';

/** One driver whom the charger may let in: Accepted, with date and group where there are any, and no more than that. */
export type ChargerEntry = ListEntry;

/** By tokenKey, the most useful first. */
export type ChargerList = ReadonlyMap<string, ChargerEntry>;

export interface Holder {
  /** How many entries it can hold. */
  readonly capacity: number;
  readonly ocpp: '1.6' | '2.0.1';
  /** Those of the charger, which cannot all tell where a token may be used. */
  readonly evses: readonly EvseNumber[];
}

export interface DerivedList {
  readonly entries: ChargerList;
  /** When the first of them stops being valid; absent: never. */
  readonly until?: Timestamp;
}

interface Candidate {
  readonly entry: ChargerEntry;
  readonly until?: Timestamp;
}

/** 2.0.1 identifierString[36]. */
const LONGEST_ID_TOKEN = 36;

/**
 * Cards of the site first, then the authority's valid list and the valid cache, most recently used first. Where not all find
 * room, the cache gets up to half of it: it knows who really comes here.
 * @param knowledge without an EVSE
 */
export function deriveList(knowledge: Knowledge, holder: Holder): DerivedList {
  const taken = new Map<string, Candidate>();
  const add = (candidates: readonly Candidate[], room: number): void => {
    for (const candidate of candidates.slice(0, room)) taken.set(tokenKey(candidate.entry.idToken), candidate);
  };
  add(first(siteCards(knowledge), holder, knowledge, taken), holder.capacity);
  const room = holder.capacity - taken.size;
  const listed = first(valid(knowledge), holder, knowledge, taken);
  const cached = first(used(knowledge), holder, knowledge, taken);
  add(listed, Math.max(room - cached.length, Math.ceil(room / 2)));
  add(cached, holder.capacity - taken.size);
  const dates = [...taken.values()].flatMap(({ until }) => until ?? []);
  return {
    entries: new Map([...taken].map(([key, { entry }]) => [key, entry])),
    ...(dates.length > 0 && { until: dates.reduce((a, b) => (a < b ? a : b)) }),
  };
}

/** As many as could find room at most, of those that this charger can hold. */
function first(
  candidates: Iterable<Candidate>,
  holder: Holder,
  { settings }: Knowledge,
  taken: ReadonlyMap<string, Candidate>,
): readonly Candidate[] {
  const found: Candidate[] = [];
  for (const candidate of candidates) {
    if (taken.size + found.length >= holder.capacity) break;
    const { idToken, info } = candidate.entry;
    const usable =
      fits(idToken, holder.ocpp) &&
      !taken.has(tokenKey(idToken)) &&
      // A master pass starts nothing, and a charger on its own would let it.
      !isMasterPass(info, settings) &&
      holder.evses.every((evse) => allowedAt(info, evse));
    if (usable) found.push({ ...candidate, entry: { idToken: read(idToken), info: needed(info) } });
  }
  return found;
}

function* siteCards(knowledge: Knowledge): Iterable<Candidate> {
  for (const { idToken } of knowledge.siteTokens) {
    const token: IdToken = { idToken, type: 'ISO14443' };
    const known = siteToken(knowledge, token);
    if (known) yield { entry: { idToken: token, info: known.info } };
  }
}

function* valid(knowledge: Knowledge): Iterable<Candidate> {
  for (const { idToken } of knowledge.list?.entries.values() ?? []) {
    const known = listedToken(knowledge, idToken);
    if (known?.validity !== 'valid') continue;
    const honoured = knowledge.list?.ocpp === '1.6' || knowledge.settings.listSupportsExpiry;
    const until = honoured ? known.info.cacheExpiry : undefined;
    const { cacheExpiry: _date, ...info } = known.info;
    yield {
      entry: { idToken, info: { ...info, ...(until !== undefined && { cacheExpiry: until }) } },
      ...dated(until),
    };
  }
}

function* used(knowledge: Knowledge): Iterable<Candidate> {
  for (const kept of knowledge.cache.newestFirst()) {
    // The list speaks for its tokens alone.
    if (listedToken(knowledge, kept.idToken) !== undefined) continue;
    const known = cachedToken(knowledge, kept.idToken);
    if (known?.validity !== 'valid') continue;
    // An entry without a date lives on with every use: a date that moves each time would be sent each time.
    const { idToken } = kept;
    yield { entry: { idToken, info: known.info }, until: cacheExpiry(kept, knowledge.settings.cacheLifetime) };
  }
}

const dated = (until: Timestamp | undefined): { readonly until?: Timestamp } => (until === undefined ? {} : { until });

/** A longer token cannot be presented at a 1.6 charger, so its alias would only take up room there. */
const fits = ({ idToken, type }: IdToken, ocpp: Holder['ocpp']): boolean =>
  type !== 'NoAuthorization' &&
  idToken.length > 0 &&
  idToken.length <= (ocpp === '1.6' ? LONGEST_ID_TAG : LONGEST_ID_TOKEN);

/** 1.6 CSMSs do not tell types, and `Central` is never what a reader reads. */
const read = (token: IdToken): IdToken => (token.type === 'Central' ? { ...token, type: 'ISO14443' } : token);

const needed = ({ cacheExpiry: date, group }: IdTokenInfo): IdTokenInfo => ({
  status: 'Accepted',
  ...(date !== undefined && { cacheExpiry: date }),
  ...(group && group.idToken !== '' && { group: { idToken: group.idToken, type: group.type } }),
});

/** What a differential update has to say: an entry without info is removed. */
export type ListDifference = readonly { readonly idToken: IdToken; readonly info?: IdTokenInfo }[];

/** Removals first: a full charger needs the room. */
export function difference(held: ChargerList, wanted: ChargerList): ListDifference {
  const removed = [...held].flatMap(([key, { idToken }]) => (wanted.has(key) ? [] : [{ idToken }]));
  const put = [...wanted].flatMap(([key, entry]) => (isSame(held.get(key), entry) ? [] : [entry]));
  return [...removed, ...put];
}

const isSame = (a: ChargerEntry | undefined, b: ChargerEntry): boolean => JSON.stringify(a) === JSON.stringify(b);
