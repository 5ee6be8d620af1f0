// The local authorization list that one CSMS keeps on the gateway (OCPP 1.6 sections 3.5.1 and 5.15, 2.0.1 D01).
import { failed, ok, type Result } from '../kernel/result.js';
import { tokenKey, type IdToken, type IdTokenInfo } from '../site/tokens.js';

export interface ListEntry {
  readonly idToken: IdToken;
  readonly info: IdTokenInfo;
}

/** Plain JSON, stored as it is under the CSMS's id. */
export interface LocalList {
  /** 0 while the list is empty, which is also what the CSMS is told. */
  readonly version: number;
  /** Version of OCPP that the list came in: the two read an entry's date and ConcurrentTx differently. */
  readonly ocpp: '1.6' | '2.0.1';
  /** 2.0.1 LocalAuthListCtrlr.SupportsExpiryDateTime; 1.6 lists always honour the date (C13, C14). */
  readonly supportsExpiry: boolean;
  /** By tokenKey. */
  readonly entries: Readonly<Record<string, ListEntry>>;
}

export const emptyList = (ocpp: LocalList['ocpp'], supportsExpiry = ocpp === '1.6'): LocalList => ({
  version: 0,
  ocpp,
  supportsExpiry,
  entries: {},
});

export interface ListUpdate {
  /** Above 0: -1 and 0 mean something else in an answer. */
  readonly version: number;
  readonly update: 'Full' | 'Differential';
  /** An entry without info is removed; only in a differential update. */
  readonly entries: readonly { readonly idToken: IdToken; readonly info?: IdTokenInfo }[];
}

/**
 * The list after SendLocalList.
 * @param maxEntries LocalAuthListMaxLength
 * @returns `VersionMismatch` for a differential update that is not newer (D01.FR.19), `Failed` for one that cannot be
 * carried out; the list is then as before
 */
export function updateList(
  list: LocalList,
  { version, update, entries }: ListUpdate,
  maxEntries: number,
): Result<LocalList, 'VersionMismatch' | 'Failed'> {
  if (!Number.isSafeInteger(version) || version <= 0) return failed('Failed');
  if (update === 'Differential' && version <= list.version) return failed('VersionMismatch');
  // Two verdicts on one token in one message: neither can be trusted.
  if (new Set(entries.map(({ idToken }) => tokenKey(idToken))).size !== entries.length) return failed('Failed');
  const next = new Map(update === 'Full' ? [] : Object.entries(list.entries));
  for (const { idToken, info } of entries) {
    if (info) next.set(tokenKey(idToken), { idToken, info });
    else if (update === 'Full') return failed('Failed');
    else next.delete(tokenKey(idToken));
  }
  if (next.size > maxEntries) return failed('Failed');
  return ok({ ...list, version: next.size === 0 ? 0 : version, entries: Object.fromEntries(next) });
}

/** What the list says of a token; absent: nothing. */
export const listed = (list: LocalList | undefined, token: IdToken): ListEntry | undefined =>
  list !== undefined && Object.hasOwn(list.entries, tokenKey(token)) ? list.entries[tokenKey(token)] : undefined;

/** Whether a stored value is a list of this shape. */
export function isLocalList(value: unknown): value is LocalList {
  if (typeof value !== 'object' || value === null) return false;
  const { version, ocpp, supportsExpiry, entries } = value as Partial<Record<keyof LocalList, unknown>>;
  return (
    Number.isSafeInteger(version) &&
    (ocpp === '1.6' || ocpp === '2.0.1') &&
    typeof supportsExpiry === 'boolean' &&
    typeof entries === 'object' &&
    entries !== null &&
    Object.values(entries).every(
      (entry: unknown) => typeof entry === 'object' && entry !== null && 'idToken' in entry && 'info' in entry,
    )
  );
}
