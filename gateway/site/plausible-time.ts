// Times that a station cannot mean: a clock that stands in the future or never learned the year counts as not told.
import { amended } from '../kernel/amended.js';
import { milliseconds, minutes, timestamp, type Timestamp } from '../kernel/units.js';
import type { MeterValue } from './metering.js';
import type { StationEvent } from './station-event.js';

/** A station may be this far ahead of the gateway before it is not believed. */
const AHEAD = minutes(5);
/** 2020-01-01T00:00:00Z: no station of this site has told anything before, but clocks without a battery begin in 1970. */
const LONG_AGO = timestamp(Date.UTC(2020, 0, 1));

/** What a station held back for longer than this is told as it arrived, where only the arrival is known for sure. */
const OLDEST_REPLAY = milliseconds(60 * 86_400_000);

/** Whether a station can mean this time. */
const plausible = (at: Timestamp, now: Timestamp): boolean => at <= now + AHEAD && at >= LONG_AGO;

/** Whether a station that was not believed can have meant it after all, the true time of its message now being known. */
export const plausibleAtArrival = (said: Timestamp, arrived: Timestamp): boolean =>
  said <= arrived + AHEAD && said >= arrived - OLDEST_REPLAY;

/**
 * The event with every time that cannot be meant replaced by that of its arrival. What the station said is kept as
 * `reportedAt`: by that a repetition is recognised, and it is judged again when the gateway learns the time itself.
 */
export function withPlausibleTimes(event: StationEvent, now: Timestamp): StationEvent {
  switch (event.type) {
    case 'status':
    case 'securityEvent':
      return believed(event, now);
    case 'meterValues': {
      const meterValues = plausibleValues(event.meterValues, now);
      return meterValues === event.meterValues ? event : amended(event, { meterValues });
    }
    case 'transaction': {
      const meterValues = plausibleValues(event.meterValues, now);
      const told = believed(event, now);
      return meterValues === event.meterValues ? told : amended(told, { meterValues });
    }
    default:
      return event;
  }
}

function believed<T extends { readonly at: Timestamp; readonly reportedAt?: Timestamp }>(told: T, now: Timestamp): T {
  if (plausible(told.at, now)) return told;
  const reportedAt = told.reportedAt ?? told.at;
  return amended<{ readonly at: Timestamp; readonly reportedAt?: Timestamp }>(told, { at: now, reportedAt }) as T;
}

function plausibleValues(values: readonly MeterValue[], now: Timestamp): readonly MeterValue[] {
  if (values.every(({ at }) => plausible(at, now))) return values;
  return values.map((value) => believed(value, now));
}
