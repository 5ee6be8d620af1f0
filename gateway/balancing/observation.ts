// What load balancing is told about the site at one moment.
import type { CircuitId, CsmsId, EvseNumber, MeterId } from '../kernel/ids.js';
import type { Ampere, Milliseconds, Timestamp, WattHour } from '../kernel/units.js';
import type { ChargingProfilePurpose } from '../site/charging-profile.js';
import type { MeterReading } from '../site/metering.js';
import type { ChargingState } from '../site/station-event.js';
import type { PerPhase, Phase } from '../site/topology.js';

/** A profile as its CSMS knows it. */
export interface ProfileReference {
  readonly csms: CsmsId;
  readonly purpose: ChargingProfilePurpose;
  readonly id: number;
}

export const profileName = ({ csms, purpose, id }: ProfileReference): string => `${purpose} ${id} of ${csms}`;

export interface EvseObservation {
  readonly evse: EvseNumber;
  /** `unknown`: not heard of since the gateway started. */
  readonly link: 'unknown' | 'connected' | 'lost';
  /** An open, authorized transaction with a car connected, and the EVSE operative. */
  readonly wantsEnergy: boolean;
  /** A transaction is open, whether or not it may have energy. */
  readonly transactionOpen: boolean;
  readonly chargingState: ChargingState;
  /** Higher goes first; equal ones share. */
  readonly priority: number;
  /** Share of the current above the minimum, relative to others of its priority; above 0, 1 unless given. */
  readonly weight?: number;
  /** When this car began to want energy; tells one session from the next. */
  readonly activeSince?: Timestamp;
  readonly energyServed?: WattHour;
  /** On grid phases. Where the rotation is unknown: on the phases as wired, which are not believed one by one. */
  readonly measured?: { readonly current: PerPhase<Ampere>; readonly at: Timestamp };
  /** The least of the hardware, the cable and the profiles of every CSMS, per phase. */
  readonly upperBound: Ampere;
  /** Where `upperBound` comes from, in words for the explanation. */
  readonly boundBy?: string;
  /** The charging profile that it comes from, where it is one. */
  readonly boundByProfile?: ProfileReference;
  /** What the charger says that it offers the car, and when it said so; absent: it does not say. */
  readonly offers?: { readonly current: Ampere; readonly at: Timestamp };
  /** Grid phases the car is known to use; absent: learned from `measured`. */
  readonly phasesUsed?: readonly Phase[];
  /**
   * Only where a setpoint ends with its transaction (OCPP TxProfile): what the EVSE then offers the next car before it
   * has been told anything (its fail-safe default profile). Absent: the last setpoint stays in force.
   */
  readonly startsAt?: Ampere;
  /** No car is at it, as its charger says: who comes is seen to plug in before taking anything. */
  readonly vacant?: boolean;
  /** Proven to fall back by itself this long after it lost the gateway; absent: not proven. */
  readonly fallbackAfter?: Milliseconds;
  readonly departure?: Timestamp;
  /** Still to be charged, as the car or the driver said. */
  readonly energyNeeded?: WattHour;
  /** It charges on one phase or on three, as it is told. */
  readonly phaseSwitching?: boolean;
  /** Most setpoints in 24 hours; absent: no bound. */
  readonly setpointsPerDay?: number;
}

/** Whether both say the same. */
export function sameObservation(a: EvseObservation | undefined, b: EvseObservation | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  return (
    a.evse === b.evse &&
    a.link === b.link &&
    a.wantsEnergy === b.wantsEnergy &&
    a.transactionOpen === b.transactionOpen &&
    a.chargingState === b.chargingState &&
    a.priority === b.priority &&
    a.weight === b.weight &&
    a.activeSince === b.activeSince &&
    a.energyServed === b.energyServed &&
    a.upperBound === b.upperBound &&
    a.boundBy === b.boundBy &&
    a.startsAt === b.startsAt &&
    a.vacant === b.vacant &&
    a.fallbackAfter === b.fallbackAfter &&
    a.departure === b.departure &&
    a.energyNeeded === b.energyNeeded &&
    a.phaseSwitching === b.phaseSwitching &&
    a.setpointsPerDay === b.setpointsPerDay &&
    sameMeasured(a.measured, b.measured) &&
    sameProfile(a.boundByProfile, b.boundByProfile) &&
    a.offers?.current === b.offers?.current &&
    a.offers?.at === b.offers?.at &&
    a.phasesUsed?.join() === b.phasesUsed?.join()
  );
}

const sameMeasured = (a: EvseObservation['measured'], b: EvseObservation['measured']): boolean =>
  a === b ||
  (a?.at === b?.at &&
    a?.current.L1 === b?.current.L1 &&
    a?.current.L2 === b?.current.L2 &&
    a?.current.L3 === b?.current.L3);

const sameProfile = (a: ProfileReference | undefined, b: ProfileReference | undefined): boolean =>
  a === b || (a?.csms === b?.csms && a?.purpose === b?.purpose && a?.id === b?.id);

/** A bound on the sum of several EVSEs, per phase: a CSMS's ChargingStationMaxProfile over its view (OCPP 1.6 section 3.13.3). */
export interface SharedCap {
  readonly name: string;
  readonly evses: readonly EvseNumber[];
  readonly limit: Ampere;
  readonly profile?: ProfileReference;
}

/** What the grid operator allows. */
export interface GridOperatorLimits {
  /** Per phase, for everything on the circuit. */
  readonly limits: ReadonlyMap<CircuitId, Ampere>;
  /** He is not heard, and the limit for that case is among them. */
  readonly failsafe: boolean;
}

export interface Snapshot {
  /** In any order; an EVSE that is missing counts as unknown. */
  readonly evses: readonly EvseObservation[];
  /** The newest reading of each meter. */
  readonly meters: ReadonlyMap<MeterId, MeterReading>;
  readonly caps?: readonly SharedCap[];
  readonly gridOperator?: GridOperatorLimits;
}
