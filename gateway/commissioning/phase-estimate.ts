// Which grid phase each conductor of a charger is on: the assignment under which a meter's steps are the charger's own.
import { PHASES, type Phase } from '../site/topology.js';
import { amperes, type Conductors } from './step.js';

/** A change of the charger's current, and what the meter above it changed by at the same time, in A. */
export interface PhaseStep {
  readonly charger: Conductors;
  readonly meter: Conductors;
}

export type PhaseEstimate =
  | {
      readonly kind: 'sure';
      /** Of the charger's L1 onwards. */
      readonly phases: readonly Phase[];
      /** Conductors of which the car took nothing that could be told apart: they follow from a clockwise rotating field. */
      readonly inferred: boolean;
    }
  | { readonly kind: 'unsure'; readonly why: string };

/** Meters and samples are not of one moment: less noise than this is not believed, in A. */
const LEAST_NOISE = 0.5;
/** What one other load can say against an assignment, in units of log-likelihood: a lift is not believed more than this. */
const MOST_AGAINST = 8;
/** An assignment is given up when another is better by this: once in 20,000. */
const SURE = 10;
const LEAST_STEPS = 3;
/** A share of the charger's step that the meter has to show. */
const LEAST_GAIN = 0.6;

/** @param conductors that the charger has */
export function estimatePhases(steps: readonly PhaseStep[], conductors: number): PhaseEstimate {
  if (steps.length < LEAST_STEPS) return { kind: 'unsure', why: `${steps.length} steps are too few` };
  const assignments = assignmentsOf(conductors);
  const residuals = assignments.map((assignment) => steps.flatMap((step) => missing(step, assignment)));
  const noise = Math.max(LEAST_NOISE, 1.5 * Math.min(...residuals.map(median)));
  const against = residuals.map((all) =>
    all.reduce((sum, residual) => sum + Math.min(MOST_AGAINST, (residual / noise) ** 2 / 2), 0),
  );
  const least = Math.min(...against);
  const possible = assignments.filter((_, i) => (against[i] ?? Infinity) - least < SURE);
  const gain = gainOf(steps, assignments[against.indexOf(least)] ?? []);
  if (gain < -LEAST_GAIN) return { kind: 'unsure', why: 'the meter counts the other way: its direction is wrong' };
  if (gain < LEAST_GAIN)
    return {
      kind: 'unsure',
      why: `the meter shows ${Math.round(gain * 100)} % of what the charger changes: is the charger behind this meter?`,
    };
  const [only, ...more] = possible;
  if (only !== undefined && more.length === 0) return { kind: 'sure', phases: only, inferred: false };
  // A field that turns the other way is a fault of the wiring, and is looked for with another instrument.
  const clockwise = possible.filter(turnsClockwise);
  const [rotation, ...others] = clockwise;
  if (rotation !== undefined && others.length === 0) return { kind: 'sure', phases: rotation, inferred: true };
  return { kind: 'unsure', why: whyUnsure(steps, noise) };
}

function whyUnsure(steps: readonly PhaseStep[], noise: number): string {
  const sizes = [0, 1, 2].map(
    (i) => steps.reduce((sum, { charger }) => sum + Math.abs(charger[i] ?? 0), 0) / steps.length,
  );
  const [a = 0, b = 0, c = 0] = sizes;
  if (Math.min(a, b, c) > 0.7 * Math.max(a, b, c))
    return 'the car takes the same on all three conductors, so nothing tells them apart: use a car that charges on one phase';
  return `other loads move by about ${amperes(noise)} at the same time: try when the building is quiet`;
}

/** Every way to put the conductors on different phases. */
function assignmentsOf(conductors: number): readonly (readonly Phase[])[] {
  const rest = (taken: readonly Phase[]): readonly (readonly Phase[])[] =>
    taken.length === conductors
      ? [taken]
      : PHASES.filter((phase) => !taken.includes(phase)).flatMap((phase) => rest([...taken, phase]));
  return rest([]);
}

/** What the meter shows and the charger does not explain, on each grid phase. */
const missing = ({ charger, meter }: PhaseStep, assignment: readonly Phase[]): readonly number[] =>
  PHASES.map((phase, i) => {
    const conductor = assignment.indexOf(phase);
    return Math.abs((meter[i] ?? 0) - (conductor < 0 ? 0 : (charger[conductor] ?? 0)));
  });

function gainOf(steps: readonly PhaseStep[], assignment: readonly Phase[]): number {
  let shared = 0;
  let own = 0;
  for (const { charger, meter } of steps) {
    for (const [conductor, phase] of assignment.entries()) {
      const change = charger[conductor] ?? 0;
      shared += change * (meter[PHASES.indexOf(phase)] ?? 0);
      own += change * change;
    }
  }
  return own === 0 ? 0 : shared / own;
}

const turnsClockwise = (assignment: readonly Phase[]): boolean =>
  assignment.every((phase, i) => PHASES.indexOf(phase) === (PHASES.indexOf(assignment[0] ?? 'L1') + i) % PHASES.length);

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
