// Times that a station cannot mean: a clock that stands in the future or never learned the year counts as not told.
import { amended } from '../kernel/amended.js';
import { minutes, timestamp, type Timestamp } from '../kernel/units.js';
import type { MeterValue } from './metering.js';
import type { StationEvent } from './station-event.js';

/** A station may be this far ahead of the gateway before it is not believed. */
const AHEAD = minutes(5);
/** 2020-01-01T00:00:00Z: no station of this site has told anything before, but clocks without a battery begin in 1970. */
const LONG_AGO = timestamp(Date.UTC(2020, 0, 1));

/** Whether a station can mean this time. A gateway that does not know the year itself judges nobody. */
const plausible = (at: Timestamp, now: Timestamp): boolean => now < LONG_AGO || (at <= now + AHEAD && at >= LONG_AGO);

/**
 * The event with every time that cannot be meant replaced by that of its arrival. A transaction's event keeps what the
 * station said as `reportedAt`: by that a repetition is recognised.
 */
export function withPlausibleTimes(event: StationEvent, now: Timestamp): StationEvent {
  switch (event.type) {
    case 'status':
    case 'securityEvent':
      return plausible(event.at, now) ? event : { ...event, at: now };
    case 'meterValues': {
      const meterValues = plausibleValues(event.meterValues, now);
      return meterValues === event.meterValues ? event : amended(event, { meterValues });
    }
    case 'transaction': {
      const meterValues = plausibleValues(event.meterValues, now);
      const told = plausible(event.at, now);
      if (told && meterValues === event.meterValues) return event;
      return amended(event, told ? { meterValues } : { meterValues, at: now, reportedAt: event.at });
    }
    default:
      return event;
  }
}

function plausibleValues(values: readonly MeterValue[], now: Timestamp): readonly MeterValue[] {
  if (values.every(({ at }) => plausible(at, now))) return values;
  return values.map((value) => (plausible(value.at, now) ? value : { ...value, at: now }));
}
