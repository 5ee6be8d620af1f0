// Whether a time zone exists, by the time zone data of Node.
import { errorAtValue, type Fault } from './fault.js';
import { didYouMean } from './suggestion.js';
import { section, text, type Section } from './written.js';

export function timeZone(site: Section): readonly Fault[] {
  const zone = text(section(site, 'site'), 'time-zone');
  if (zone === undefined || isTimeZone(zone)) return [];
  const known = Intl.supportedValuesOf('timeZone');
  const city = known.find((name) => name.toLowerCase().endsWith(`/${zone.toLowerCase()}`));
  return [
    errorAtValue(
      'unknown-time-zone',
      ['site', 'time-zone'],
      `there is no time zone ${zone}`,
      city === undefined ? didYouMean(zone, known, 'write for example Europe/Amsterdam') : `did you mean ${city}?`,
    ),
  ];
}

function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch (error) {
    // RangeError is how Intl says no.
    if (error instanceof RangeError) return false;
    throw error;
  }
}
