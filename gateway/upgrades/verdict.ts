// Whether a release on trial is kept: chargers and CSMSs that were there before are back, and the gateway does its work.
import { minutes, seconds, type Milliseconds } from '../kernel/units.js';
import type { Course, Observation } from '../ports/installation.js';

/** It must be well for so long without a break. */
export const STEADY = seconds(30);
/** More starts than this within a trial: it does not stay up. The first is the one of the upgrade itself. */
export const MOST_STARTS = 3;
export const DOES_NOT_STAY_UP = `it was started more than ${MOST_STARTS} times and did not stay up`;

export interface Trial {
  readonly course: Pick<Course, 'toVersion' | 'baseline' | 'trial_min'>;
  /** Undefined: it does not answer. */
  readonly seen: Observation | undefined;
  readonly starts: number;
  /** Since the trial is being watched. */
  readonly elapsed: Milliseconds;
  /** Since when nothing has been missing. */
  readonly wellFor: Milliseconds;
}

export type Verdict =
  | { readonly kind: 'wait'; readonly missing: readonly string[] }
  | { readonly kind: 'keep' }
  | { readonly kind: 'return'; readonly reason: string };

export function judge({ course, seen, starts, elapsed, wellFor }: Trial): Verdict {
  if (starts > MOST_STARTS) return { kind: 'return', reason: DOES_NOT_STAY_UP };
  const missing = whatIsMissing(course, seen);
  if (missing.length === 0 && wellFor >= STEADY) return { kind: 'keep' };
  if (elapsed < minutes(course.trial_min) || (missing.length === 0 && elapsed < minutes(course.trial_min) + STEADY))
    return { kind: 'wait', missing };
  return { kind: 'return', reason: `after ${course.trial_min} min: ${missing.join('; ')}` };
}

function whatIsMissing({ toVersion, baseline }: Trial['course'], seen: Observation | undefined): readonly string[] {
  if (seen === undefined) return ['the gateway does not answer'];
  if (seen.version !== toVersion) return [`release ${seen.version} runs, not ${toVersion}`];
  const away = (before: readonly string[], now: readonly string[]): readonly string[] =>
    before.filter((each) => !now.includes(each));
  const stations = away(baseline.stations, seen.stations);
  const csms = away(baseline.csms, seen.csms);
  return [
    ...seen.failing,
    ...(stations.length > 0 ? [`stations not back: ${shortened(stations)}`] : []),
    ...(csms.length > 0 ? [`CSMS not back: ${shortened(csms)}`] : []),
  ];
}

const shortened = (names: readonly string[]): string =>
  names.slice(0, 10).join(', ') + (names.length > 10 ? ` and ${names.length - 10} more` : '');
