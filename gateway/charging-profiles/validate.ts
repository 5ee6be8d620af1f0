// What a charging profile must be like to be taken, whatever is stored already.
import {
  PROFILE_LIMITS,
  type ChargingProfile,
  type ChargingRateUnit,
  type ChargingSchedule,
} from '../site/charging-profile.js';

/** `reasonCode` is one of OCPP 2.0.1's; at most 20 characters. */
export interface ProfileRejection {
  readonly reasonCode:
    | 'DuplicateProfile'
    | 'InvalidProfile'
    | 'InvalidSchedule'
    | 'InvalidStackLevel'
    | 'MissingParam'
    | 'NotEnabled'
    | 'TooManyElements'
    | 'TxNotFound'
    | 'UnknownEvse'
    | 'UnsupportedParam'
    | 'UnsupportedRateUnit'
    | 'ValueOutOfRange';
  readonly detail: string;
}

/** What this gateway says that it can do (SmartChargingCtrlr, ChargeProfileMaxStackLevel and its like). */
export interface ProfileRules {
  readonly maxStackLevel: number;
  readonly maxPeriods: number;
  readonly maxProfiles: number;
  readonly units: readonly ChargingRateUnit[];
}

export const defaultRules: ProfileRules = {
  maxStackLevel: PROFILE_LIMITS.stackLevel,
  maxPeriods: PROFILE_LIMITS.periods,
  maxProfiles: PROFILE_LIMITS.profiles,
  units: ['A', 'W'],
};

const whole = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
const reject = (reasonCode: ProfileRejection['reasonCode'], detail: string): ProfileRejection => ({
  reasonCode,
  detail,
});

/** The first fault of a profile on its own; undefined: none. */
export function validateProfile(
  profile: ChargingProfile,
  version: '1.6' | '2.0.1',
  rules: ProfileRules,
): ProfileRejection | undefined {
  if (profile.purpose === 'ChargingStationExternalConstraints') {
    return reject('InvalidProfile', 'external constraints are not set by a CSMS (K01.FR.22)');
  }
  if (!whole(profile.stackLevel) || profile.stackLevel > rules.maxStackLevel) {
    return reject('InvalidStackLevel', `the stack level is 0 to ${rules.maxStackLevel}`);
  }
  if (profile.purpose !== 'TxProfile' && profile.transaction !== undefined) {
    return reject('InvalidProfile', 'only a TxProfile names a transaction');
  }
  if (profile.kind === 'Recurring' && profile.recurrency === undefined) {
    return reject('MissingParam', 'a recurring profile says Daily or Weekly');
  }
  if (profile.kind === 'Relative' && profile.purpose === 'ChargingStationMaxProfile' && version === '2.0.1') {
    return reject('InvalidProfile', 'ChargingStationMaxProfile is not relative (K01.FR.38)');
  }
  if (profile.validFrom !== undefined && profile.validTo !== undefined && profile.validFrom >= profile.validTo) {
    return reject('InvalidProfile', 'validFrom lies before validTo');
  }
  if (profile.schedules.length === 0) return reject('InvalidSchedule', 'a profile has a schedule');
  if (profile.schedules.length > (version === '1.6' ? 1 : 3)) return reject('TooManyElements', 'too many schedules');
  for (const schedule of profile.schedules) {
    const fault = validateSchedule(profile, schedule, version, rules);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function validateSchedule(
  profile: ChargingProfile,
  schedule: ChargingSchedule,
  version: '1.6' | '2.0.1',
  rules: ProfileRules,
): ProfileRejection | undefined {
  if (!rules.units.includes(schedule.unit))
    return reject('UnsupportedRateUnit', `limits in ${schedule.unit} are not taken`);
  // 1.6 reads an Absolute schedule without a start as from the start of charging (section 7.13).
  const startNeeded = profile.kind === 'Recurring' || (profile.kind === 'Absolute' && version === '2.0.1');
  if (startNeeded && schedule.startSchedule === undefined) {
    return reject('MissingParam', `a schedule of kind ${profile.kind} has a start (K01.FR.40)`);
  }
  if (profile.kind === 'Relative' && schedule.startSchedule !== undefined && version === '2.0.1') {
    return reject('InvalidSchedule', 'a relative schedule has no start (K01.FR.41)');
  }
  if (schedule.duration !== undefined && !(schedule.duration > 0 && Number.isFinite(schedule.duration))) {
    return reject('ValueOutOfRange', 'the duration is above 0');
  }
  const { periods } = schedule;
  if (periods.length > rules.maxPeriods) return reject('TooManyElements', `at most ${rules.maxPeriods} periods`);
  if (periods[0]?.startPeriod !== 0) return reject('InvalidSchedule', 'the first period starts at 0 (K01.FR.31)');
  let last = -1;
  for (const period of periods) {
    if (!whole(period.startPeriod) || period.startPeriod <= last) {
      return reject('InvalidSchedule', 'periods follow each other in time (K01.FR.35)');
    }
    last = period.startPeriod;
    if (!(period.limit >= 0 && Number.isFinite(period.limit))) return reject('ValueOutOfRange', 'a limit is 0 or more');
    if (period.numberPhases !== undefined && ![1, 2, 3].includes(period.numberPhases)) {
      return reject('ValueOutOfRange', 'numberPhases is 1 to 3');
    }
    if (period.phaseToUse !== undefined && period.numberPhases !== 1) {
      return reject('UnsupportedParam', 'phaseToUse goes with one phase (K01.FR.48)');
    }
  }
  return undefined;
}
