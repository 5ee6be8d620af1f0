// The charging profiles that each CSMS has set: plain data that is persisted as it is. Ids live in each CSMS's own namespace.
import type { CsmsId, EvseNumber, TransactionUid } from '../kernel/ids.js';
import { failed, ok, type Result } from '../kernel/result.js';
import type { Timestamp } from '../kernel/units.js';
import type { ChargingProfile, ChargingProfilePurpose } from '../site/charging-profile.js';
import { shifted, type TimeShift } from '../site/time-shift.js';
import type { CsmsRole } from '../site/topology.js';
import { validateProfile, type ProfileRejection, type ProfileRules } from './validate.js';

/** `station`: the whole of what the CSMS sees (EVSE or connector 0). */
export type ProfileScope = EvseNumber | 'station';

export interface StoredProfile {
  readonly scope: ProfileScope;
  readonly profile: ChargingProfile;
  /** An absent validFrom means from here on. */
  readonly receivedAt: Timestamp;
  /** Rises with every profile set: in OCPP 1.6 the last one written at a stack level wins. */
  readonly order: number;
  /** A TxProfile that came with a remote start and waits for its transaction. */
  readonly remoteStartId?: number;
}

export interface ProfileStore {
  readonly csms: CsmsId;
  readonly version: '1.6' | '2.0.1';
  /** The EVSEs this CSMS sees; absent: all. */
  readonly evses?: readonly EvseNumber[];
  readonly profiles: readonly StoredProfile[];
  readonly written: number;
}

export interface SetContext {
  readonly now: Timestamp;
  /** Authority sets everything; a limiter only ChargingStationMaxProfile; an observer nothing. */
  readonly role: CsmsRole;
  readonly rules: ProfileRules;
  /** The open transaction on the EVSE that a TxProfile is for. */
  readonly openTransaction?: TransactionUid;
}

export const emptyStore = (
  csms: CsmsId,
  version: ProfileStore['version'],
  evses?: readonly EvseNumber[],
): ProfileStore => ({ csms, version, ...(evses === undefined ? {} : { evses }), profiles: [], written: 0 });

/**
 * SetChargingProfile. A rejection leaves the store as it was; its reason is a reasonCode of OCPP 2.0.1 (appendix), which a
 * 1.6 view drops. Replaces in 1.6 the profile of the same id, and that of the same scope, purpose and stack level (section
 * 3.13.2); in 2.0.1 that of the same id only (K01.FR.05), and rejects a conflict with another (K01.FR.06, .39, .52, .53).
 */
export function setProfile(
  store: ProfileStore,
  scope: ProfileScope,
  profile: ChargingProfile,
  context: SetContext,
): Result<ProfileStore, ProfileRejection> {
  const refusal = refuse(store, scope, profile, context);
  if (refusal !== undefined) return failed(refusal);
  // 1.6 may leave the transaction out: then it is the one that is open.
  const transaction = profile.purpose === 'TxProfile' ? (profile.transaction ?? context.openTransaction) : undefined;
  const bound = transaction === undefined ? profile : { ...profile, transaction };
  return put(store, { scope, profile: bound, receivedAt: context.now, order: store.written + 1 });
}

/** The TxProfile of a remote start: kept until `bindRemoteStart` or `dropRemoteStart` (OCPP 1.6 section 5.11). */
export function setForRemoteStart(
  store: ProfileStore,
  evse: EvseNumber,
  remoteStartId: number,
  profile: ChargingProfile,
  context: SetContext,
): Result<ProfileStore, ProfileRejection> {
  if (profile.purpose !== 'TxProfile')
    return failed({ reasonCode: 'InvalidProfile', detail: 'a remote start takes a TxProfile' });
  if (profile.transaction !== undefined) {
    return failed({ reasonCode: 'InvalidProfile', detail: 'the transaction of a remote start has no id yet' });
  }
  const refusal = roleRefusal(context.role, profile.purpose) ?? validateProfile(profile, store.version, context.rules);
  if (refusal !== undefined) return failed(refusal);
  return put(store, { scope: evse, profile, receivedAt: context.now, order: store.written + 1, remoteStartId });
}

/** The remote start has led to this transaction: its profile is now in force for it. */
export function bindRemoteStart(store: ProfileStore, remoteStartId: number, transaction: TransactionUid): ProfileStore {
  if (!store.profiles.some((one) => one.remoteStartId === remoteStartId)) return store;
  const profiles = store.profiles.map((one) => {
    if (one.remoteStartId !== remoteStartId) return one;
    const { remoteStartId: _, ...rest } = one;
    return { ...rest, profile: { ...one.profile, transaction } };
  });
  return { ...store, profiles };
}

/** The remote start came to nothing. */
export const dropRemoteStart = (store: ProfileStore, remoteStartId: number): ProfileStore =>
  keep(store, (one) => one.remoteStartId !== remoteStartId);

/** TxProfiles end with their transaction (OCPP 1.6 section 3.13.1). */
export const endTransaction = (store: ProfileStore, transaction: TransactionUid): ProfileStore =>
  keep(store, (one) => one.profile.transaction !== transaction);

export interface ProfileCriteria {
  readonly id?: number;
  readonly ids?: readonly number[];
  readonly scope?: ProfileScope;
  readonly purpose?: ChargingProfilePurpose;
  readonly stackLevel?: number;
}

/** True where the profile meets every criterion; an id alone decides (OCPP 1.6 section 5.2, K10.FR.02). */
function meets(one: StoredProfile, criteria: ProfileCriteria): boolean {
  if (criteria.id !== undefined) return one.profile.id === criteria.id;
  return (
    (criteria.ids === undefined || criteria.ids.includes(one.profile.id)) &&
    (criteria.scope === undefined || one.scope === criteria.scope) &&
    (criteria.purpose === undefined || one.profile.purpose === criteria.purpose) &&
    (criteria.stackLevel === undefined || one.profile.stackLevel === criteria.stackLevel)
  );
}

/** ClearChargingProfile; `cleared` 0 is answered Unknown. */
export function clearProfiles(
  store: ProfileStore,
  criteria: ProfileCriteria,
): { readonly store: ProfileStore; readonly cleared: number } {
  const next = keep(store, (one) => !meets(one, criteria));
  return { store: next, cleared: store.profiles.length - next.profiles.length };
}

/** GetChargingProfiles (K09), in the order in which they were set. */
export const listProfiles = (store: ProfileStore, criteria: ProfileCriteria): readonly StoredProfile[] =>
  store.profiles.filter((one) => meets(one, criteria));

function keep(store: ProfileStore, which: (one: StoredProfile) => boolean): ProfileStore {
  const profiles = store.profiles.filter(which);
  return profiles.length === store.profiles.length ? store : { ...store, profiles };
}

function roleRefusal(role: CsmsRole, purpose: ChargingProfilePurpose): ProfileRejection | undefined {
  if (role === 'authority' || (role === 'limiter' && purpose === 'ChargingStationMaxProfile')) return undefined;
  return { reasonCode: 'NotEnabled', detail: `a CSMS in the role of ${role} may not set a ${purpose}` };
}

function refuse(
  store: ProfileStore,
  scope: ProfileScope,
  profile: ChargingProfile,
  context: SetContext,
): ProfileRejection | undefined {
  const refusal = roleRefusal(context.role, profile.purpose) ?? validateProfile(profile, store.version, context.rules);
  if (refusal !== undefined) return refusal;
  if (scope !== 'station' && store.evses?.includes(scope) === false) {
    return { reasonCode: 'UnknownEvse', detail: `EVSE ${scope} is not in the view` };
  }
  if (profile.purpose === 'ChargingStationMaxProfile' && scope !== 'station') {
    return { reasonCode: 'InvalidProfile', detail: 'ChargingStationMaxProfile is for the whole station' };
  }
  if (profile.purpose !== 'TxProfile') return undefined;
  if (scope === 'station') return { reasonCode: 'InvalidProfile', detail: 'a TxProfile is for one EVSE' };
  if (profile.transaction === undefined && store.version === '2.0.1') {
    return { reasonCode: 'MissingParam', detail: 'a TxProfile names its transaction' };
  }
  if (
    context.openTransaction === undefined ||
    (profile.transaction ?? context.openTransaction) !== context.openTransaction
  ) {
    return { reasonCode: 'TxNotFound', detail: 'no such transaction is open on this EVSE' };
  }
  return undefined;
}

function put(store: ProfileStore, added: StoredProfile): Result<ProfileStore, ProfileRejection> {
  const others = store.profiles.filter((one) => one.profile.id !== added.profile.id);
  const clashing = others.filter((one) => clashes(one, added));
  if (store.version === '1.6') {
    const rest = others.filter((one) => !clashing.includes(one) || one.scope !== added.scope);
    return ok({ ...store, profiles: [...rest, added], written: added.order });
  }
  const clash = clashing.find((one) => one.scope !== added.scope || overlap(one.profile, added.profile));
  if (clash !== undefined) {
    return failed({
      reasonCode: 'DuplicateProfile',
      detail: `profile ${clash.profile.id} has the same purpose and stack level`,
    });
  }
  return ok({ ...store, profiles: [...others, added], written: added.order });
}

function clashes(one: StoredProfile, other: StoredProfile): boolean {
  if (one.profile.purpose !== other.profile.purpose || one.profile.stackLevel !== other.profile.stackLevel)
    return false;
  if (one.profile.purpose === 'TxProfile') {
    return (
      one.scope === other.scope &&
      one.profile.transaction === other.profile.transaction &&
      one.remoteStartId === other.remoteStartId
    );
  }
  return one.scope === other.scope || one.scope === 'station' || other.scope === 'station';
}

const overlap = (one: ChargingProfile, other: ChargingProfile): boolean =>
  (one.validFrom ?? -Infinity) < (other.validTo ?? Infinity) &&
  (other.validFrom ?? -Infinity) < (one.validTo ?? Infinity);

/** The store with the times of receipt as they turn out to have been. */
export const shiftedProfiles = (store: ProfileStore, shift: TimeShift): ProfileStore => ({
  ...store,
  profiles: store.profiles.map((one) => ({ ...one, receivedAt: shifted(one.receivedAt, shift) })),
});
