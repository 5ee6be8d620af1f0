// OCPP 1.6 charging profiles and composite schedules <-> canonical ones.
import type { OCPP16 } from 'typed-ocpp';
import type { CompositeSchedule } from '../../gateway/ports/csms.js';
import { toRfc3339 } from '../../gateway/kernel/units.js';
import type { ChargingProfile, ChargingProfilePurpose } from '../../gateway/site/charging-profile.js';
import { timeOf } from '../ocpp-j/csms-route.js';

type Profile16 = OCPP16.SetChargingProfileRequest['csChargingProfiles'];

export const purposeOf = (purpose: Profile16['chargingProfilePurpose']): ChargingProfilePurpose =>
  purpose === 'ChargePointMaxProfile' ? 'ChargingStationMaxProfile' : purpose;

/**
 * The transaction is not part of it: 1.6 names it by the CSMS's own number, which only the view can translate.
 * @throws UnusableRequest where a time is none
 */
export function decodeProfile(profile: Profile16): ChargingProfile {
  const schedule = profile.chargingSchedule;
  return {
    id: profile.chargingProfileId,
    stackLevel: profile.stackLevel,
    purpose: purposeOf(profile.chargingProfilePurpose),
    kind: profile.chargingProfileKind,
    ...(profile.recurrencyKind !== undefined && { recurrency: profile.recurrencyKind }),
    ...(profile.validFrom !== undefined && { validFrom: timeOf(profile.validFrom) }),
    ...(profile.validTo !== undefined && { validTo: timeOf(profile.validTo) }),
    schedules: [
      {
        id: profile.chargingProfileId,
        unit: schedule.chargingRateUnit,
        ...(schedule.duration !== undefined && { duration: schedule.duration }),
        ...(schedule.startSchedule !== undefined && { startSchedule: timeOf(schedule.startSchedule) }),
        ...(schedule.minChargingRate !== undefined && { minChargingRate: schedule.minChargingRate }),
        periods: schedule.chargingSchedulePeriod.map(({ startPeriod, limit, numberPhases }) => ({
          startPeriod,
          limit,
          ...(numberPhases !== undefined && { numberPhases }),
        })),
      },
    ],
  };
}

/** One decimal, rounded down: 1.6 knows no finer limit and must not be told of more than there is. */
const tenths = (value: number): number => Math.floor(value * 10 + 1e-6) / 10;

/** `startSchedule` is left out of the schedule: the answer's own `scheduleStart` says it (errata 3.57). */
export function encodeComposite(
  composite: CompositeSchedule,
  connectorId: number,
): OCPP16.GetCompositeScheduleResponse {
  const { schedule } = composite;
  return {
    status: 'Accepted',
    connectorId,
    scheduleStart: toRfc3339(composite.start),
    chargingSchedule: {
      ...(schedule.duration !== undefined && { duration: Math.floor(schedule.duration) }),
      chargingRateUnit: schedule.unit,
      ...(schedule.minChargingRate !== undefined && { minChargingRate: tenths(schedule.minChargingRate) }),
      chargingSchedulePeriod: schedule.periods.map(({ startPeriod, limit, numberPhases }) => ({
        startPeriod: Math.floor(startPeriod),
        limit: tenths(limit),
        ...(numberPhases !== undefined && { numberPhases }),
      })),
    },
  };
}
