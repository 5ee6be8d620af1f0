// What a car would take if it were offered all: learned from what it takes, and on which phases.
import { amended } from '../kernel/amended.js';
import { timestamp, type Timestamp } from '../kernel/units.js';
import { maskOf, type Outlet, type PhaseMask, type Triple } from './network.js';
import type { EvseObservation } from './observation.js';
import type { BalancingSettings } from './settings.js';
import { newSession, type EvseState, type Session } from './state.js';

/** The measured current, while it is recent enough to be believed. */
export function measuredOf(
  observation: EvseObservation | undefined,
  now: Timestamp,
  settings: BalancingSettings,
): Triple | undefined {
  const measured = observation?.measured;
  if (measured === undefined || Math.abs(now - measured.at) > settings.measuredFor) return undefined;
  const { L1, L2, L3 } = measured.current;
  return [L1, L2, L3].every(Number.isFinite) ? [L1, L2, L3] : undefined;
}

export const worstPhase = (current: Triple): number => Math.max(current[0], current[1], current[2]);

/**
 * What of a charger's measured current is certainly on each phase: with a rotation nobody knows, only what all its wired
 * phases carry alike. What is left out counts as background, which is safe.
 */
export function certainShare(outlet: Outlet, measured: Triple | undefined): Triple {
  if (measured === undefined) return [0, 0, 0];
  const phases = ([0, 1, 2] as const).filter((phase) => (outlet.wired & (1 << phase)) !== 0);
  const common = outlet.evse.rotationKnown ? Infinity : Math.min(...phases.map((phase) => measured[phase]));
  const on = (phase: 0 | 1 | 2): number => Math.max(0, Math.min(measured[phase], common));
  return [on(0), on(1), on(2)];
}

/** The phases on which this EVSE must be counted. */
export function countedPhases(outlet: Outlet, state: EvseState, observation: EvseObservation | undefined): PhaseMask {
  if (observation?.link !== 'connected' || !outlet.evse.rotationKnown || !observation.wantsEnergy) return outlet.wired;
  const told = observation.phasesUsed === undefined ? 0 : maskOf(observation.phasesUsed);
  const known = told === 0 ? state.session.phases : told;
  return known === undefined || known === 0 ? outlet.wired : known;
}

/** The most this car can be expected to take now; its minimum where it takes nothing, so that it may wake up. */
export function demandOf(session: Session, minimum: number, now: Timestamp, settings: BalancingSettings): number {
  if (session.trialUntil === undefined || now < session.trialUntil || session.peak === undefined) return Infinity;
  return Math.max(minimum, Math.max(session.peak.last, session.peak.running) + settings.demandMargin);
}

export const sleeps = (session: Session, now: Timestamp, settings: BalancingSettings): boolean =>
  session.idleSince !== undefined && now - session.idleSince >= settings.sleepAfter;

function withPhases(
  session: Session,
  outlet: Outlet,
  measured: Triple,
  now: Timestamp,
  settings: BalancingSettings,
): Session {
  if (!outlet.evse.rotationKnown) return session;
  const carrying = ([0, 1, 2] as const).reduce<number>(
    (mask, phase) => (measured[phase] > 1 ? mask | (1 << phase) : mask),
    0,
  );
  if (session.phases !== undefined && (carrying & ~session.phases) !== 0) {
    // Current where none was expected: believe nothing and learn anew.
    const { phases: _, learning: __, ...rest } = session;
    return rest;
  }
  if (worstPhase(measured) < 4 || (carrying & ~outlet.wired) !== 0) {
    const { learning: _, ...rest } = session;
    return rest;
  }
  if (session.learning?.phases !== carrying) return { ...session, learning: { phases: carrying, since: now } };
  return now - session.learning.since >= settings.learnPhases ? { ...session, phases: carrying } : session;
}

function withPeak(session: Session, worst: number, now: Timestamp): Session {
  const peak = session.peak;
  if (peak === undefined) return { ...session, peak: { last: worst, running: worst, since: now } };
  if (now - peak.since < 30_000) {
    return worst > peak.running ? { ...session, peak: { ...peak, running: worst } } : session;
  }
  return { ...session, peak: { last: peak.running, running: worst, since: now } };
}

/** Carries what is known of the car on to `now`; a new session forgets the old one. */
export function observeSession(
  outlet: Outlet,
  state: EvseState,
  observation: EvseObservation | undefined,
  elapsed: number,
  now: Timestamp,
  settings: BalancingSettings,
): Session {
  if (observation?.wantsEnergy !== true)
    return state.session.activeSince === undefined &&
      state.session.service === 0 &&
      state.session.onSince === undefined &&
      state.session.waitingSince === undefined
      ? state.session
      : newSession;
  const before =
    observation.activeSince === undefined || observation.activeSince === state.session.activeSince
      ? state.session
      : { ...newSession, activeSince: observation.activeSince };
  const setpoint = state.sent ?? state.confirmed ?? 0;
  const on = state.sent === undefined ? observation.chargingState === 'Charging' : setpoint > 0;
  if (!on || observation.link !== 'connected') return waiting(before, now);
  const { waitingSince: _, ...rest } = before;
  let session: Session = amended(rest, { onSince: before.onSince ?? now, service: before.service + elapsed });
  const measured = measuredOf(observation, now, settings);
  if (measured === undefined) return session;
  session = withPhases(session, outlet, measured, now, settings);
  const worst = worstPhase(measured);
  session = withPeak(session, worst, now);
  if (worst >= 1) {
    const { idleSince: _idle, ...awake } = session;
    session = awake;
  } else if (session.idleSince === undefined) session = { ...session, idleSince: now };
  const charging = worst >= 1 || observation.chargingState === 'SuspendedEV';
  const took = worst >= setpoint - settings.tolerance;
  if (charging && (session.trialUntil === undefined || took)) {
    return amended(session, { trialUntil: timestamp(now + settings.demandTrial) });
  }
  return session;
}

function waiting(session: Session, now: Timestamp): Session {
  const settled =
    session.waitingSince !== undefined && session.onSince === undefined && session.idleSince === undefined;
  if (settled && session.trialUntil === undefined && session.peak === undefined && session.learning === undefined)
    return session;
  const { onSince, idleSince: _, trialUntil: __, peak: ___, learning: ____, ...rest } = session;
  return {
    ...rest,
    peak: undefined,
    waitingSince: session.waitingSince ?? now,
    ...(onSince === undefined ? {} : { offSince: now, pausedBefore: true }),
  };
}
