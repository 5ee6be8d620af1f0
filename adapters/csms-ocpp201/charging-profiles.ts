// OCPP 2.0.1 charging profiles and composite schedules <-> canonical ones.
import type { OCPP20 } from 'typed-ocpp';
import type { CompositeSchedule } from '../../gateway/ports/csms.js';
import { transactionUid } from '../../gateway/kernel/ids.js';
import { toRfc3339 } from '../../gateway/kernel/units.js';
import type { ChargingProfile, ChargingSchedule, ChargingSchedulePeriod } from '../../gateway/site/charging-profile.js';
import { timeOf } from '../ocpp-j/csms-route.js';

type Profile201 = OCPP20.SetChargingProfileRequest['chargingProfile'];
type Schedule201 = Profile201['chargingSchedule'][number];
type Period201 = Schedule201['chargingSchedulePeriod'][number];

const decodePeriod = ({ startPeriod, limit, numberPhases, phaseToUse }: Period201): ChargingSchedulePeriod => ({
  startPeriod,
  limit,
  ...(numberPhases !== undefined && { numberPhases }),
  ...(phaseToUse !== undefined && { phaseToUse }),
});

const decodeSchedule = (schedule: Schedule201): ChargingSchedule => ({
  id: schedule.id,
  unit: schedule.chargingRateUnit,
  ...(schedule.duration !== undefined && { duration: schedule.duration }),
  ...(schedule.startSchedule !== undefined && { startSchedule: timeOf(schedule.startSchedule) }),
  ...(schedule.minChargingRate !== undefined && { minChargingRate: schedule.minChargingRate }),
  periods: schedule.chargingSchedulePeriod.map(decodePeriod),
});

/** @throws UnusableRequest where a time is none */
export const decodeProfile = (profile: Profile201): ChargingProfile => ({
  id: profile.id,
  stackLevel: profile.stackLevel,
  purpose: profile.chargingProfilePurpose,
  kind: profile.chargingProfileKind,
  ...(profile.recurrencyKind !== undefined && { recurrency: profile.recurrencyKind }),
  ...(profile.validFrom !== undefined && { validFrom: timeOf(profile.validFrom) }),
  ...(profile.validTo !== undefined && { validTo: timeOf(profile.validTo) }),
  ...(profile.transactionId !== undefined && { transaction: transactionUid(profile.transactionId) }),
  schedules: profile.chargingSchedule.map(decodeSchedule),
});

const encodePeriod = ({ startPeriod, limit, numberPhases, phaseToUse }: ChargingSchedulePeriod): Period201 => ({
  startPeriod: Math.floor(startPeriod),
  limit,
  ...(numberPhases !== undefined && { numberPhases }),
  ...(phaseToUse !== undefined && { phaseToUse }),
});

export const encodeProfile = (profile: ChargingProfile): Profile201 => ({
  id: profile.id,
  stackLevel: profile.stackLevel,
  chargingProfilePurpose: profile.purpose,
  chargingProfileKind: profile.kind,
  ...(profile.recurrency !== undefined && { recurrencyKind: profile.recurrency }),
  ...(profile.validFrom !== undefined && { validFrom: toRfc3339(profile.validFrom) }),
  ...(profile.validTo !== undefined && { validTo: toRfc3339(profile.validTo) }),
  ...(profile.transaction !== undefined && { transactionId: profile.transaction }),
  // The schema holds one to three alternatives.
  chargingSchedule: profile.schedules.slice(0, 3).map((schedule, index) => ({
    id: schedule.id ?? index,
    chargingRateUnit: schedule.unit,
    ...(schedule.duration !== undefined && { duration: Math.floor(schedule.duration) }),
    ...(schedule.startSchedule !== undefined && { startSchedule: toRfc3339(schedule.startSchedule) }),
    ...(schedule.minChargingRate !== undefined && { minChargingRate: schedule.minChargingRate }),
    chargingSchedulePeriod: schedule.periods.map(encodePeriod),
  })),
});

/** @param duration in seconds, as asked: the answer must name one, also where the schedule has no end */
export const encodeComposite = (
  composite: CompositeSchedule,
  evseId: number,
  duration: number,
): NonNullable<OCPP20.GetCompositeScheduleResponse['schedule']> => ({
  evseId,
  duration: Math.floor(composite.schedule.duration ?? duration),
  scheduleStart: toRfc3339(composite.start),
  chargingRateUnit: composite.schedule.unit,
  chargingSchedulePeriod: composite.schedule.periods.map(encodePeriod),
});
