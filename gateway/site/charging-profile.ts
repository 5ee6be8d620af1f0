// Charging profiles in canonical form: OCPP 2.0.1 names, limits in A per phase or W in total, times as numbers.
import type { Timestamp } from '../kernel/units.js';
import type { TransactionUid } from '../kernel/ids.js';

export type ChargingProfilePurpose =
  | 'ChargingStationExternalConstraints'
  | 'ChargingStationMaxProfile'
  | 'TxDefaultProfile'
  | 'TxProfile';
export type ChargingProfileKind = 'Absolute' | 'Recurring' | 'Relative';
/** A: per phase. W: sum of the phases. */
export type ChargingRateUnit = 'A' | 'W';

/** What the gateway takes of one CSMS, and tells it (SmartChargingCtrlr; 1.6 ChargeProfileMaxStackLevel and its like). */
export const PROFILE_LIMITS = {
  /** The highest stackLevel. */
  stackLevel: 100,
  /** Periods of a schedule: a day in steps of five minutes. */
  periods: 288,
  /** Profiles in force or waiting at the same time. */
  profiles: 1000,
} as const;

export interface ChargingSchedulePeriod {
  /** Seconds after the schedule's start. */
  readonly startPeriod: number;
  readonly limit: number;
  /** Absent: 3 (K01.FR.49). */
  readonly numberPhases?: number;
  readonly phaseToUse?: number;
}

export interface ChargingSchedule {
  readonly id?: number;
  /** Seconds; absent: for ever. */
  readonly duration?: number;
  readonly startSchedule?: Timestamp;
  readonly unit: ChargingRateUnit;
  readonly minChargingRate?: number;
  readonly periods: readonly ChargingSchedulePeriod[];
}

export interface ChargingProfile {
  readonly id: number;
  readonly stackLevel: number;
  readonly purpose: ChargingProfilePurpose;
  readonly kind: ChargingProfileKind;
  readonly recurrency?: 'Daily' | 'Weekly';
  readonly validFrom?: Timestamp;
  readonly validTo?: Timestamp;
  readonly transaction?: TransactionUid;
  /** One in 1.6; up to three alternatives in 2.0.1, of which the first applies. */
  readonly schedules: readonly ChargingSchedule[];
}
