// What a car would take if it were offered all: learned from what it takes, and on which phases.
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
 * What of the meters above is this charger's. With a rotation nobody knows, its worst phase on every wired one: the plan
 * counts all it may take on all of them in turn, so a phase it does not load still has at least what the meter shows.
 * @param ceiling what it may take at most: only so much is counted in the plan
 */
export function chargerShare(outlet: Outlet, measured: Triple | undefined, ceiling: number): Triple {
  if (measured === undefined) return [0, 0, 0];
  const worst = worstPhase(measured);
  const on = (phase: 0 | 1 | 2): number => {
    if (outlet.evse.rotationKnown) return Math.max(0, measured[phase]);
    return (outlet.wired & (1 << phase)) === 0 ? 0 : Math.max(0, Math.min(worst, ceiling));
  };
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

type Learnt = Pick<Session, 'phases' | 'learning'>;

/** Which phases the car uses, once the same ones have carried the current for long enough. */
function learn(
  { phases, learning }: Session,
  outlet: Outlet,
  measured: Triple,
  now: Timestamp,
  settings: BalancingSettings,
): Learnt {
  if (!outlet.evse.rotationKnown) return { phases, learning };
  const carrying = (measured[0] > 1 ? 1 : 0) | (measured[1] > 1 ? 2 : 0) | (measured[2] > 1 ? 4 : 0);
  // Current where none was expected: believe nothing and learn anew.
  if (phases !== undefined && (carrying & ~phases) !== 0) return { phases: undefined, learning: undefined };
  if (worstPhase(measured) < 4 || (carrying & ~outlet.wired) !== 0) return { phases, learning: undefined };
  if (learning?.phases !== carrying) return { phases, learning: { phases: carrying, since: now } };
  return now - learning.since >= settings.learnPhases ? { phases: carrying, learning } : { phases, learning };
}

function risen(peak: Session['peak'], worst: number, now: Timestamp): Session['peak'] {
  if (peak === undefined) return { last: worst, running: worst, since: now };
  if (now - peak.since >= 30_000) return { last: peak.running, running: worst, since: now };
  return worst > peak.running ? { ...peak, running: worst } : peak;
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
  if (observation?.wantsEnergy !== true) return newSession;
  const before =
    observation.activeSince === undefined || observation.activeSince === state.session.activeSince
      ? state.session
      : { ...newSession, activeSince: observation.activeSince };
  const setpoint = state.sent ?? state.confirmed ?? 0;
  const on = state.sent === undefined ? observation.chargingState === 'Charging' : setpoint > 0;
  if (!on || observation.link !== 'connected') return waiting(before, now);
  const session = {
    ...before,
    waitingSince: undefined,
    onSince: before.onSince ?? now,
    service: before.service + elapsed,
  };
  const measured = measuredOf(observation, now, settings);
  if (measured === undefined) return session;
  const worst = worstPhase(measured);
  const { phases, learning } = learn(before, outlet, measured, now, settings);
  const charging = worst >= 1 || observation.chargingState === 'SuspendedEV';
  const tries = charging && (before.trialUntil === undefined || worst >= setpoint - settings.tolerance);
  return {
    ...session,
    phases,
    learning,
    peak: risen(before.peak, worst, now),
    idleSince: worst >= 1 ? undefined : (before.idleSince ?? now),
    trialUntil: tries ? timestamp(now + settings.demandTrial) : before.trialUntil,
  };
}

/** A car without current: what it would take is forgotten, how it was served is not. */
const waiting = (session: Session, now: Timestamp): Session => ({
  ...session,
  onSince: undefined,
  idleSince: undefined,
  trialUntil: undefined,
  peak: undefined,
  learning: undefined,
  waitingSince: session.waitingSince ?? now,
  offSince: session.onSince === undefined ? session.offSince : now,
  pausedBefore: session.pausedBefore || session.onSince !== undefined,
});
