// The step that finds out which phase is which: takes the charger up and down, and watches the meter above it. Pure.
import { seconds, type Milliseconds } from '../kernel/units.js';
import { drawn } from './limit-steps.js';
import { estimatePhases, type PhaseStep } from './phase-estimate.js';
import { amperes, ended, SETTLE, type Advance, type Conductors, type Sample, type Seen } from './step.js';

/** The meter's samples that make a level. */
const LEVEL_SAMPLES = 4;
const MOST_STEPS = 10;
/** A level comes after the charger's next sample; after a pause, when load balancing lets it start again. */
const LEVEL_WITHIN = seconds(360);
/** Steps of less than this drown, in A. */
const LEAST_STEP = 3;

interface Level {
  readonly charger: Conductors;
  readonly meter: Conductors;
}

export interface PhaseState {
  /** Which level is being looked for. */
  readonly toward: 'high' | 'low';
  readonly since: Milliseconds;
  /** Since when it offers what the level wants. */
  readonly confirmedAt?: Milliseconds;
  /** What the meter showed since the charger has settled. */
  readonly window: readonly Sample[];
  /** A: its minimum, or 0 where that is too close to what it gets. */
  readonly low: number;
  readonly last?: Level;
  readonly steps: readonly PhaseStep[];
}

export function findPhases(state: PhaseState | undefined, seen: Seen, now: Milliseconds): Advance<PhaseState> {
  if (!seen.connected) return ended('failed', 'the charger does not answer any more');
  if (seen.lineToLine) return ended('skipped', 'it hangs between two phases: look at the terminals');
  if (seen.meter === undefined)
    return ended('skipped', 'no meter above it measures what it takes: look at the terminals');
  if (state === undefined) return begin(seen, now);
  if (!seen.charging) return ended('needs-car', 'the car has left, or is full: again with another');
  const { low, toward } = state;
  const offered = seen.offered ?? 0;
  const there = toward === 'low' ? offered <= low + 0.05 : offered >= low + LEAST_STEP;
  const { confirmedAt: before, ...rest } = state;
  const next: PhaseState = there ? { ...rest, confirmedAt: before ?? now } : { ...rest, window: [] };
  const level = levelOf(next, seen);
  if (level.whole !== undefined) return afterLevel(next, level.whole, seen, now);
  if (now - state.since > LEVEL_WITHIN)
    return ended(
      'skipped',
      toward === 'high'
        ? `load balancing gives it no more than ${amperes(offered)}: again when less is charging`
        : `it has not gone down to ${amperes(low)}`,
    );
  return wish({ ...next, window: level.window });
}

function begin(seen: Seen, now: Milliseconds): Advance<PhaseState> {
  const current = drawn(seen);
  if (current === undefined) return ended('needs-car', 'plug in a car, or a load, and let it charge; then again');
  const low = current >= seen.minimum + LEAST_STEP ? seen.minimum : 0;
  return wish({ toward: 'high', since: now, window: [], low, steps: [] });
}

const wish = (state: PhaseState): Advance<PhaseState> => ({
  state,
  steady: true,
  ...(state.toward === 'low' && { bound: state.low }),
});

/** Both have told what flows since the car had time to follow. */
function levelOf(
  { confirmedAt, window }: PhaseState,
  { draws, meter }: Seen,
): { readonly window: readonly Sample[]; readonly whole?: Level } {
  if (confirmedAt === undefined || meter === undefined) return { window: [] };
  const settled = confirmedAt + SETTLE;
  const fresh = meter.at >= settled && window.at(-1)?.at !== meter.at;
  const samples = fresh ? [...window, meter].slice(-LEVEL_SAMPLES) : window;
  if (samples.length < LEVEL_SAMPLES || draws === undefined || draws.at < settled) return { window: samples };
  return { window: samples, whole: { charger: draws.current, meter: typical(samples) } };
}

/** The middle of the samples on each phase: the start of a motor is in none of them. */
const typical = (samples: readonly Sample[]): Conductors => {
  const on = (i: 0 | 1 | 2): number => {
    const sorted = samples.map(({ current }) => current[i]).sort((a, b) => a - b);
    return ((sorted[Math.floor((sorted.length - 1) / 2)] ?? 0) + (sorted[Math.ceil((sorted.length - 1) / 2)] ?? 0)) / 2;
  };
  return [on(0), on(1), on(2)];
};

function afterLevel(state: PhaseState, level: Level, seen: Seen, now: Milliseconds): Advance<PhaseState> {
  const { last, toward } = state;
  const steps = last === undefined ? state.steps : [...state.steps, stepBetween(last, level)];
  const estimate = estimatePhases(steps, seen.wired.length);
  if (estimate.kind === 'sure') {
    const line = `phases: ${estimate.phases.join(' ')}`;
    const written = seen.wired.join(' ');
    const verdict = !seen.rotationKnown
      ? `write ${line}`
      : written === estimate.phases.join(' ')
        ? `${line}, as site.yaml says`
        : `site.yaml says phases: ${written}, measured is ${line}: write ${line}`;
    const how = estimate.inferred
      ? 'conductors without current of their own follow from a clockwise rotating field: check that with an instrument'
      : 'each conductor was seen';
    return ended(
      seen.rotationKnown && written !== estimate.phases.join(' ') ? 'failed' : 'passed',
      `${verdict} (${steps.length} steps; ${how})`,
    );
  }
  if (steps.length >= MOST_STEPS)
    return ended('failed', `after ${steps.length} steps it cannot be said: ${estimate.why}`);
  return wish({
    toward: toward === 'high' ? 'low' : 'high',
    since: now,
    window: [],
    low: state.low,
    last: level,
    steps,
  });
}

const stepBetween = (from: Level, to: Level): PhaseStep => ({
  charger: difference(from.charger, to.charger),
  meter: difference(from.meter, to.meter),
});

const difference = (a: Conductors, b: Conductors): Conductors => [b[0] - a[0], b[1] - a[1], b[2] - a[2]];
