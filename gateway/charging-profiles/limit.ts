// What the profiles of all CSMSs allow at a moment: an EVSE's limit, and the caps on the sum of what each CSMS sees.
import type { CsmsId, EvseNumber, TransactionUid } from '../kernel/ids.js';
import { ampere, type Ampere, type Timestamp, type Volt } from '../kernel/units.js';
import type { ChargingProfilePurpose } from '../site/charging-profile.js';
import { PHASES, wattsPerAmpere, type Evse } from '../site/topology.js';
import { activePeriod, nextChangeOf, type ActivePeriod } from './active-period.js';
import type { ProfileStore, StoredProfile } from './store.js';

/** The transaction on the EVSE asked about. */
export interface TransactionContext {
  readonly uid: TransactionUid;
  /** When energy was first offered; absent: not yet. */
  readonly energyOfferedAt?: Timestamp;
}

export interface ProfileLimit {
  /** Per phase, down to 0.1 A. */
  readonly limit: Ampere;
  readonly numberPhases?: number;
  readonly source: { readonly csms: CsmsId; readonly purpose: ChargingProfilePurpose; readonly id: number };
}

/** A cap on the sum of the EVSEs that one CSMS sees, per phase (OCPP 1.6 section 3.13.3). */
export interface StationCap extends ProfileLimit {
  /** Absent: all EVSEs. */
  readonly evses?: readonly EvseNumber[];
}

/** Down to 0.1 A, never up. */
export const floorToTenth = (current: number): number => Math.floor(current * 10 + 1e-6) / 10;

/** An EVSE as profiles need it. */
export type LimitedEvse = Pick<Evse, 'number' | 'lineToLine'>;

/**
 * W are the sum of the phases at the nominal, never the measured voltage; absent numberPhases is 3 (K01.FR.49, errata 3.68).
 * An EVSE between two phases has the voltage between them, whatever numberPhases says.
 */
function perPhaseLimit({ period, schedule }: ActivePeriod, lineToLine: boolean, nominal: Volt): Ampere {
  const perAmpere = wattsPerAmpere({ lineToLine, phases: PHASES }, nominal, period.numberPhases);
  return ampere(floorToTenth(schedule.unit === 'A' ? period.limit : period.limit / perAmpere));
}

function limitOf(
  store: ProfileStore,
  stored: StoredProfile,
  active: ActivePeriod,
  lineToLine: boolean,
  nominal: Volt,
): ProfileLimit {
  const { numberPhases } = active.period;
  return {
    limit: perPhaseLimit(active, lineToLine, nominal),
    ...(numberPhases === undefined ? {} : { numberPhases }),
    source: { csms: store.csms, purpose: stored.profile.purpose, id: stored.profile.id },
  };
}

export const sees = (store: ProfileStore, evse: EvseNumber): boolean => store.evses?.includes(evse) ?? true;

/** The profiles of one purpose that can matter to an EVSE, the leading one first. */
function stack(
  store: ProfileStore,
  purpose: ChargingProfilePurpose,
  evse: EvseNumber | undefined,
  transaction: TransactionUid | undefined,
): readonly StoredProfile[] {
  const own = store.profiles
    .filter(
      (one) =>
        one.profile.purpose === purpose &&
        (one.scope === 'station' || one.scope === evse) &&
        (purpose !== 'TxProfile' || (transaction !== undefined && one.profile.transaction === transaction)),
    )
    .sort((a, b) => b.profile.stackLevel - a.profile.stackLevel || b.order - a.order);
  // In 1.6 the last one written at a level replaces the other there, be it for one connector or for all.
  if (store.version === '2.0.1') return own;
  return own.filter((one, i) => one.profile.stackLevel !== own[i - 1]?.profile.stackLevel);
}

function lead(
  store: ProfileStore,
  profiles: readonly StoredProfile[],
  at: Timestamp,
  charging: Timestamp,
  lineToLine: boolean,
  nominal: Volt,
): ProfileLimit | undefined {
  for (const stored of profiles) {
    const active = activePeriod(stored, at, charging);
    if (active !== undefined) return limitOf(store, stored, active, lineToLine, nominal);
  }
  return undefined;
}

const lower = <T extends ProfileLimit>(a: T | undefined, b: T | undefined): T | undefined =>
  a === undefined || (b !== undefined && b.limit < a.limit) ? b : a;

/**
 * The least that any CSMS allows an EVSE at `at`: a TxProfile while it has an active period, else the TxDefaultProfile.
 * @param charging where relative schedules begin when the transaction has not been offered energy: as if it started then
 * @returns undefined: no profile limits it
 */
export function limitAt(
  stores: readonly ProfileStore[],
  { number, lineToLine = false }: LimitedEvse,
  transaction: TransactionContext | undefined,
  at: Timestamp,
  nominal: Volt,
  charging: Timestamp = at,
): ProfileLimit | undefined {
  const base = transaction?.energyOfferedAt ?? charging;
  return stores
    .filter((store) => sees(store, number))
    .map(
      (store) =>
        lead(store, stack(store, 'TxProfile', number, transaction?.uid), at, base, lineToLine, nominal) ??
        lead(store, stack(store, 'TxDefaultProfile', number, undefined), at, base, lineToLine, nominal),
    )
    .reduce<ProfileLimit | undefined>(lower, undefined);
}

/** The cap of each CSMS on the sum of what it sees; those without one are left out. */
export function stationCapsAt(stores: readonly ProfileStore[], at: Timestamp, nominal: Volt): readonly StationCap[] {
  return stores.flatMap((store) => {
    const cap = lead(store, stack(store, 'ChargingStationMaxProfile', undefined, undefined), at, at, false, nominal);
    return cap === undefined ? [] : [{ ...cap, ...(store.evses === undefined ? {} : { evses: store.evses }) }];
  });
}

/** When the answer of `limitAt` (or, without an EVSE, of `stationCapsAt`) may next be another; undefined: never. */
export function nextChange(
  stores: readonly ProfileStore[],
  evse: EvseNumber | undefined,
  transaction: TransactionContext | undefined,
  after: Timestamp,
  charging: Timestamp = after,
): Timestamp | undefined {
  const base = transaction?.energyOfferedAt ?? charging;
  let next: Timestamp | undefined;
  for (const store of stores) {
    if (evse !== undefined && !sees(store, evse)) continue;
    const profiles =
      evse === undefined
        ? stack(store, 'ChargingStationMaxProfile', undefined, undefined)
        : [...stack(store, 'TxProfile', evse, transaction?.uid), ...stack(store, 'TxDefaultProfile', evse, undefined)];
    for (const stored of profiles) {
      const change = nextChangeOf(stored, after, base);
      if (change !== undefined && (next === undefined || change < next)) next = change;
    }
  }
  return next;
}
