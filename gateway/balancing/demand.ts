// What a car would take if it were offered all: learned from what it takes, and on which phases.
import { amended } from '../kernel/amended.js';
import { timestamp } from '../kernel/units.js';
import { NOTHING, type Triple } from './conductors.js';
import type { Moment } from './moment.js';
import { evenly, maskOf, type Outlet, type PhaseMask } from './network.js';
import type { EvseObservation } from './observation.js';
import type { BalancingSettings } from './settings.js';
import { newSession, type EvseState, type Session } from './state.js';

/**
 * The measured current, while it is recent enough to be believed. Of an EVSE between two phases: what flows from the one to
 * the other, at the place of its pair.
 */
export function measuredOf(
  outlet: Outlet,
  observation: EvseObservation | undefined,
  moment: Moment,
  settings: BalancingSettings,
): Triple | undefined {
  const measured = observation?.measured;
  if (measured === undefined || moment.reached(measured.at + settings.measuredFor)) return undefined;
  if (!moment.reached(measured.at - settings.measuredFor)) return undefined;
  const { L1, L2, L3 } = measured.current;
  if (!Number.isFinite(L1) || !Number.isFinite(L2) || !Number.isFinite(L3)) return undefined;
  if (!outlet.lineToLine) return [L1, L2, L3];
  return evenly(outlet.wired, Math.max(L1, L2, L3));
}

export const worstPhase = (current: Triple): number => Math.max(current[0], current[1], current[2]);

/**
 * What of the meters above is this charger's. With a rotation nobody knows, its worst phase on every wired one: the plan
 * counts all it may take on all of them in turn, so a phase it does not load still has at least what the meter shows.
 * @param ceiling what it may take at most: only so much is counted in the plan
 */
export function chargerShare(outlet: Outlet, measured: Triple | undefined, ceiling: number): Triple {
  if (measured === undefined) return NOTHING;
  if (outlet.evse.rotationKnown) return measured;
  return evenly(outlet.wired, Math.max(0, Math.min(worstPhase(measured), ceiling)));
}

/** The phases on which this EVSE would be counted if it charged on all it can: those its car uses, or every wired one. */
export function carPhases(outlet: Outlet, state: EvseState, observation: EvseObservation | undefined): PhaseMask {
  if (observation?.link !== 'connected' || !outlet.evse.rotationKnown || !observation.wantsEnergy) return outlet.wired;
  const told = observation.phasesUsed === undefined || outlet.lineToLine ? 0 : maskOf(observation.phasesUsed);
  const known = told === 0 ? state.session.phases : told;
  return known === undefined || known === 0 ? outlet.wired : known;
}

/** The phase of an EVSE that was told to use only one: that on its first conductor. 0 where it cannot be told so. */
export function onlyPhase(outlet: Outlet, observation: EvseObservation | undefined): PhaseMask {
  const { phases, rotationKnown } = outlet.evse;
  const can = observation?.phaseSwitching === true && rotationKnown && !outlet.lineToLine && phases.length === 3;
  return can ? maskOf(phases.slice(0, 1)) : 0;
}

/** The most this car can be expected to take now; its minimum where it takes nothing, so that it may wake up. */
export function demandOf(session: Session, minimum: number, moment: Moment, settings: BalancingSettings): number {
  if (session.trialUntil === undefined || session.peak === undefined || !moment.reached(session.trialUntil))
    return Infinity;
  return Math.max(minimum, Math.max(session.peak.last, session.peak.running) + settings.demandMargin);
}

export const sleeps = (session: Session, moment: Moment, settings: BalancingSettings): boolean =>
  session.idleSince !== undefined && moment.reached(session.idleSince + settings.sleepAfter);

/** Whole rotations with a setpoint above 0 in this session. */
export function turnsOf({ service, onSince }: Session, rotation: number, moment: Moment): number {
  const turn = Math.max(1, rotation);
  if (onSince === undefined) return Math.floor(service / turn);
  const turns = Math.floor((service + moment.now - onSince) / turn);
  moment.reached(onSince - service + (turns + 1) * turn);
  return turns;
}

/** A trial is prolonged in steps of this, in milliseconds, so that a car at its limit is not new every second. */
const TRIAL_STEP = 5000;
/** What the highest demand is kept for, twice, in milliseconds. */
const PEAK_TIME = 30_000;

/** Carries what is known of the car on to `now`; a new session forgets the old one. Answers the same object where nothing changed. */
export function observeSession(
  outlet: Outlet,
  state: EvseState,
  observation: EvseObservation | undefined,
  measured: Triple | undefined,
  moment: Moment,
  settings: BalancingSettings,
): Session {
  const { now } = moment;
  if (observation?.wantsEnergy !== true) return newSession;
  const before =
    observation.activeSince === undefined || observation.activeSince === state.session.activeSince
      ? state.session
      : { ...newSession, activeSince: observation.activeSince };
  const setpoint = state.sent ?? state.confirmed ?? 0;
  const on = state.sent === undefined ? observation.chargingState === 'Charging' : setpoint > 0;
  if (!on || observation.link !== 'connected') return waiting(before, moment);
  const started =
    before.onSince === undefined || before.waitingSince !== undefined
      ? amended(before, { waitingSince: undefined, onSince: before.onSince ?? now })
      : before;
  return measured === undefined ? started : charging(outlet, state, started, observation, measured, moment, settings);
}

function charging(
  outlet: Outlet,
  state: EvseState,
  session: Session,
  observation: EvseObservation,
  measured: Triple,
  moment: Moment,
  settings: BalancingSettings,
): Session {
  const { now } = moment;
  const worst = worstPhase(measured);
  const setpoint = state.sent ?? state.confirmed ?? 0;
  const draws = worst >= Math.min(1, setpoint / 2) && worst > 0;
  const taking = draws || observation.chargingState === 'SuspendedEV';
  const tries = taking && (session.trialUntil === undefined || worst >= setpoint - settings.tolerance);
  const { trialUntil: tried } = session;
  const prolongs = tries && (tried === undefined || moment.reached(tried - settings.demandTrial + TRIAL_STEP));
  const trialUntil = prolongs ? timestamp(now + settings.demandTrial) : tried;
  const peak = risen(session.peak, worst, moment);
  const idleSince = draws ? undefined : (session.idleSince ?? now);
  const carrying = (measured[0] > 1 ? 1 : 0) | (measured[1] > 1 ? 2 : 0) | (measured[2] > 1 ? 4 : 0);
  // On one phase by order, a car says nothing of the phases it could use.
  const learns = outlet.evse.rotationKnown && !outlet.lineToLine && state.sentPhases !== 1;
  const { phases, learning } = session;
  const surprised = learns && phases !== undefined && (carrying & ~phases) !== 0;
  const plain = learns && !surprised && worst >= 4 && (carrying & ~outlet.wired) === 0;
  const same = plain && learning?.phases === carrying;
  const next = !learns || same ? learning : plain ? { phases: carrying, since: now } : undefined;
  const settled = same && moment.reached(learning.since + settings.learnPhases);
  // Current where none was expected: believe nothing and learn anew.
  const known = surprised ? undefined : settled ? carrying : phases;
  if (
    trialUntil === session.trialUntil &&
    peak === session.peak &&
    idleSince === session.idleSince &&
    known === phases &&
    next === learning
  )
    return session;
  return amended(session, { trialUntil, peak, idleSince, phases: known, learning: next });
}

function risen(peak: Session['peak'], worst: number, moment: Moment): Session['peak'] {
  const { now } = moment;
  if (peak === undefined) return { last: worst, running: worst, since: now };
  if (moment.reached(peak.since + PEAK_TIME)) return { last: peak.running, running: worst, since: now };
  return worst > peak.running ? { ...peak, running: worst } : peak;
}

/** A car without current: what it would take is forgotten, how it was served is not. */
function waiting(session: Session, { now }: Moment): Session {
  if (session.onSince === undefined && session.waitingSince !== undefined) return session;
  return amended(session, {
    onSince: undefined,
    idleSince: undefined,
    trialUntil: undefined,
    peak: undefined,
    learning: undefined,
    waitingSince: session.waitingSince ?? now,
    service: session.service + (session.onSince === undefined ? 0 : now - session.onSince),
    offSince: session.onSince === undefined ? session.offSince : now,
    pausedBefore: session.pausedBefore || session.onSince !== undefined,
  });
}
