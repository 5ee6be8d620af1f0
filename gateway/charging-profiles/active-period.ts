// Which period of a profile holds at a moment, and when that changes next.
import { timestamp, type Timestamp } from '../kernel/units.js';
import type { ChargingSchedule, ChargingSchedulePeriod } from '../site/charging-profile.js';
import type { StoredProfile } from './store.js';

const DAY = 86_400_000;

export interface ActivePeriod {
  readonly period: ChargingSchedulePeriod;
  readonly schedule: ChargingSchedule;
}

/** Plain 24 hours or 7 days (OCPP 1.6 errata 3.43): over a change of the clocks it stays where it was in UTC. */
const recurrence = (stored: StoredProfile): number => (stored.profile.recurrency === 'Weekly' ? 7 * DAY : DAY);

/**
 * Where the schedule's zero lies at `at`.
 * @param charging when the transaction was first offered energy (K01.FR.42), or when one would start
 */
function baseAt(stored: StoredProfile, schedule: ChargingSchedule, at: number, charging: number): number {
  const { profile } = stored;
  const start = schedule.startSchedule;
  if (profile.kind === 'Recurring' && start !== undefined) {
    const every = recurrence(stored);
    return start + Math.max(0, Math.floor((at - start) / every)) * every;
  }
  if (profile.kind === 'Absolute' && start !== undefined) return start;
  // A cap of the whole station has no transaction to be relative to.
  return profile.purpose === 'ChargingStationMaxProfile' ? (profile.validFrom ?? stored.receivedAt) : charging;
}

function durationOf(stored: StoredProfile, schedule: ChargingSchedule): number {
  const own = schedule.duration === undefined ? Infinity : schedule.duration * 1000;
  return stored.profile.kind === 'Recurring' ? Math.min(own, recurrence(stored)) : own;
}

const validFrom = (stored: StoredProfile): number => stored.profile.validFrom ?? stored.receivedAt;
const validTo = (stored: StoredProfile): number => stored.profile.validTo ?? Infinity;

/** The period in force at `at`; undefined where the profile says nothing then (K01.FR.36, .37). */
export function activePeriod(stored: StoredProfile, at: Timestamp, charging: Timestamp): ActivePeriod | undefined {
  const schedule = stored.profile.schedules[0];
  if (schedule === undefined || at < validFrom(stored) || at >= validTo(stored)) return undefined;
  const since = at - baseAt(stored, schedule, at, charging);
  if (since < 0 || since >= durationOf(stored, schedule)) return undefined;
  const period = schedule.periods.findLast((one) => one.startPeriod * 1000 <= since);
  return period === undefined ? undefined : { period, schedule };
}

/** The first moment after `after` at which the profile may say something else; undefined: never. */
export function nextChangeOf(stored: StoredProfile, after: Timestamp, charging: Timestamp): Timestamp | undefined {
  const schedule = stored.profile.schedules[0];
  if (schedule === undefined) return undefined;
  let next = Infinity;
  const consider = (moment: number): void => {
    if (moment > after && moment < next) next = moment;
  };
  consider(validFrom(stored));
  consider(validTo(stored));
  const base = baseAt(stored, schedule, after, charging);
  const duration = durationOf(stored, schedule);
  const again = stored.profile.kind === 'Recurring' ? [base, base + recurrence(stored)] : [base];
  for (const start of again) {
    for (const period of schedule.periods)
      if (period.startPeriod * 1000 < duration) consider(start + period.startPeriod * 1000);
    consider(start + duration);
  }
  return Number.isFinite(next) ? timestamp(next) : undefined;
}
