// The steps that move one charger's limit: whether it takes a setpoint, pauses, and falls back when it is left alone. Pure.
import { seconds, type Milliseconds } from '../kernel/units.js';
import { amperes, ended, FLOWS, SETTLE, TOLERANCE, worst, type Advance, type Seen } from './step.js';

/** From the wish until the charger has confirmed and its car has followed. */
const WITHIN = seconds(75);
/** After a pause load balancing waits a minute, and a car wakes up when it likes. */
const RESUMES_WITHIN = seconds(300);
/** Between two levels, in A, to tell them apart. */
const LEAST_STEP = 3;
/** After the charger must have fallen back. */
const TELLS_WITHIN = seconds(30);

export type LimitState =
  | { readonly stage: 'begin' }
  /** `confirmedAt`: since when it offers what it is to. */
  | {
      readonly stage: 'down' | 'up';
      readonly since: Milliseconds;
      readonly before: number;
      readonly confirmedAt?: Milliseconds;
      readonly lowered?: string;
    }
  | { readonly stage: 'starving'; readonly since: Milliseconds; readonly before: number };

export const BEGIN: LimitState = { stage: 'begin' };

const NEEDS_CAR = ended('needs-car', 'plug in a car, or a load, and let it charge; then again');

/** What the car takes; undefined where it takes nothing worth telling. */
export function drawn({ charging, draws, offered }: Seen): number | undefined {
  if (!charging || draws === undefined || offered === undefined) return undefined;
  const current = worst(draws);
  return current < FLOWS ? undefined : current;
}

/** @param low A that the charger is taken down to: its minimum, or 0 */
export function moveLimit(state: LimitState, seen: Seen, now: Milliseconds, low: number): Advance<LimitState> {
  if (!seen.connected) return ended('failed', 'the charger does not answer any more');
  if (state.stage === 'begin') {
    const before = drawn(seen);
    if (before === undefined) return NEEDS_CAR;
    if (before < low + LEAST_STEP)
      return ended('skipped', `the car takes ${amperes(before)}: too little to see a step down to ${amperes(low)}`);
    return { state: { stage: 'down', since: now, before }, bound: low };
  }
  if (state.stage === 'starving') return ended('failed', 'out of order');
  return state.stage === 'down' ? lower(state, seen, now, low) : raise(state, seen, now, low);
}

type Moving = LimitState & { readonly stage: 'down' | 'up' };

function lower(state: Moving, seen: Seen, now: Milliseconds, low: number): Advance<LimitState> {
  const { offered = Infinity } = seen;
  const confirmed = offered <= low + 0.05;
  const next = stamped(state, confirmed, now);
  const sample = settledSample(next, seen);
  if (sample !== undefined && sample <= low + TOLERANCE) {
    const took = Math.round(((next.confirmedAt ?? now) - state.since) / 1000);
    const lowered = `from ${amperes(state.before)} to ${amperes(sample)} at ${amperes(low)}, confirmed after ${took} s`;
    return { state: { stage: 'up', since: now, before: state.before, lowered } };
  }
  // Its car may have gone meanwhile.
  if (!seen.charging) return NEEDS_CAR;
  if (now - state.since < WITHIN) return { state: next, bound: low };
  if (!confirmed) return ended('failed', `it has not confirmed ${amperes(low)} within ${WITHIN / 1000} s`);
  return ended('failed', `it confirms ${amperes(low)}, and the car takes ${amperes(sample ?? state.before)}`);
}

function raise(state: Moving, seen: Seen, now: Milliseconds, low: number): Advance<LimitState> {
  const { offered = 0 } = seen;
  const next = stamped(state, offered > low + 0.5, now);
  const sample = settledSample(next, seen);
  const lowered = state.lowered ?? '';
  if (sample !== undefined && sample > low + TOLERANCE)
    return ended('passed', `${lowered}; back at ${amperes(sample)}`);
  if (!seen.charging) return ended('passed', `${lowered}; the car left before it was seen to go up again`);
  if (now - state.since < RESUMES_WITHIN) return { state: next };
  if (next.confirmedAt === undefined)
    return ended(
      'passed',
      `${lowered}; load balancing had no more to give afterwards, so it was not seen to go up again`,
    );
  return ended('failed', `${lowered}; it confirms ${amperes(offered)}, and the car takes no more`);
}

const stamped = (state: Moving, confirmed: boolean, now: Milliseconds): Moving => {
  const { confirmedAt, ...rest } = state;
  return confirmed ? { ...rest, confirmedAt: confirmedAt ?? now } : rest;
};

/** What the car takes after it had time to follow; undefined while no sample tells. */
function settledSample({ confirmedAt }: Moving, { draws }: Seen): number | undefined {
  if (confirmedAt === undefined || draws === undefined || draws.at < confirmedAt + SETTLE) return undefined;
  return worst(draws);
}

export function starve(state: LimitState, seen: Seen, now: Milliseconds): Advance<LimitState> {
  if (!seen.connected) return ended('failed', 'the charger does not answer any more');
  const { silence, fallback } = seen;
  switch (silence.kind) {
    case 'keeps-its-limit':
      return ended(
        'skipped',
        `it keeps its last limit when the gateway is gone: set a limit in the charger itself (${silence.note})`,
      );
    case 'unknown':
      return ended('skipped', 'when it acts without the gateway is not known: unplug its network to see it');
    case 'default-profile':
      return silence.confirmed
        ? ended(
            'skipped',
            `it has taken a default profile of ${amperes(fallback)} for the time without gateway; unplug its network to see it`,
          )
        : ended(
            'failed',
            `it has not taken a default profile of ${amperes(fallback)}: what it does without gateway is not known`,
          );
    case 'falls-back':
  }
  if (state.stage !== 'starving') {
    const before = drawn(seen);
    if (before === undefined) return NEEDS_CAR;
    if (before < fallback + LEAST_STEP)
      return ended('skipped', `the car takes ${amperes(before)}: too little to see it fall to ${amperes(fallback)}`);
    return { state: { stage: 'starving', since: now, before }, bound: seen.offered ?? before, starve: silence.after };
  }
  const { starved } = seen;
  const waits = Math.round(silence.after / 1000);
  if (starved === undefined) {
    const late = now - state.since > silence.after + TELLS_WITHIN;
    return late ? ended('failed', 'it did not answer after it was left alone') : { state, bound: state.before };
  }
  if (starved.status === 'interrupted') return ended('skipped', `broken off: ${starved.detail}`);
  const left = Math.max(...starved.current);
  return left <= fallback + TOLERANCE
    ? ended(
        'passed',
        `left alone for ${waits} s it fell from ${amperes(state.before)} to ${amperes(left)}, as its fallback of ${amperes(fallback)} wants`,
      )
    : ended(
        'failed',
        `left alone for ${waits} s it still gave ${amperes(left)}; its fallback should be ${amperes(fallback)}`,
      );
}
