// The local authorization list that one CSMS keeps on the gateway (OCPP 1.6 sections 3.5.1 and 5.15, 2.0.1 D01).
import { failed, ok, type Result } from '../kernel/result.js';
import { aliasOf, LONGEST_ID_TAG } from '../site/token-alias.js';
import { tokenKey, type IdToken, type IdTokenInfo } from '../site/tokens.js';

export interface ListEntry {
  readonly idToken: IdToken;
  readonly info: IdTokenInfo;
}

export interface LocalList {
  /** 0 while the list is empty, which is also what the CSMS is told. */
  readonly version: number;
  /** Version of OCPP that the list came in: the two read an entry's date and ConcurrentTx differently. */
  readonly ocpp: '1.6' | '2.0.1';
  /** By tokenKey, in the order in which they came. */
  readonly entries: ReadonlyMap<string, ListEntry>;
}

export const emptyList = (ocpp: LocalList['ocpp']): LocalList => ({ version: 0, ocpp, entries: new Map() });

export interface ListUpdate {
  /** Above 0: -1 and 0 mean something else in an answer. */
  readonly version: number;
  readonly update: 'Full' | 'Differential';
  /** An entry without info is removed; only in a differential update. */
  readonly entries: readonly { readonly idToken: IdToken; readonly info?: IdTokenInfo }[];
}

/** What an update changes: the work of one message, however long the list is. */
export interface ListChange {
  readonly version: number;
  /** Nothing of the list before stays. */
  readonly replaces: boolean;
  readonly put: ReadonlyMap<string, ListEntry>;
  readonly removed: readonly string[];
}

/**
 * What SendLocalList changes.
 * @param maxEntries LocalAuthListMaxLength
 * @returns `VersionMismatch` for a differential update that is not newer (D01.FR.19), `Failed` for one that cannot be
 * carried out; the list then stays as it is
 */
export function decideUpdate(
  list: LocalList,
  { version, update, entries }: ListUpdate,
  maxEntries: number,
): Result<ListChange, 'VersionMismatch' | 'Failed'> {
  if (!Number.isSafeInteger(version) || version <= 0) return failed('Failed');
  const replaces = update === 'Full';
  if (!replaces && version <= list.version) return failed('VersionMismatch');
  const put = new Map<string, ListEntry>();
  const removed = new Set<string>();
  let size = replaces ? 0 : list.entries.size;
  for (const { idToken, info } of entries) {
    const key = tokenKey(idToken);
    const known = !replaces && list.entries.has(key);
    const before = put.get(key);
    if (before !== undefined || removed.has(key)) {
      // The same verdict twice is clumsy; two verdicts on one token cannot both be meant.
      if (JSON.stringify(before?.info) === JSON.stringify(info)) continue;
      return failed('Failed');
    }
    if (info === undefined) {
      if (replaces) return failed('Failed');
      removed.add(key);
      if (known) size--;
    } else {
      put.set(key, { idToken, info });
      if (!known) size++;
    }
  }
  if (size > maxEntries) return failed('Failed');
  return ok({ version: size === 0 ? 0 : version, replaces, put, removed: [...removed] });
}

/** What the list says of a token; absent: nothing. A 1.6 CSMS may know a long token by its alias only. */
export function listed(list: LocalList | undefined, token: IdToken): ListEntry | undefined {
  const entry = list?.entries.get(tokenKey(token));
  if (entry !== undefined || list?.ocpp !== '1.6' || token.idToken.length <= LONGEST_ID_TAG) return entry;
  return list.entries.get(aliasOf(token));
}

/** Whether a stored value is an entry of a list. */
export function isListEntry(value: unknown): value is ListEntry {
  if (typeof value !== 'object' || value === null) return false;
  const { idToken, info } = value as Partial<Record<keyof ListEntry, unknown>>;
  return hasText(idToken, 'idToken') && hasText(info, 'status');
}

const hasText = (value: unknown, key: string): boolean =>
  typeof value === 'object' && value !== null && typeof (value as Record<string, unknown>)[key] === 'string';
