// How each charger stands: obeying, unknown, silent, not confirming or not reacting; and the current it is counted at meanwhile.
import type { EvseNumber } from '../kernel/ids.js';
import { timestamp, type Timestamp } from '../kernel/units.js';
import { ceilingOf, withLost, withReturned } from './commit.js';
import { chargerShare, countedPhases, measuredOf, worstPhase } from './demand.js';
import type { Outlet, PhaseMask, Triple } from './network.js';
import type { EvseObservation } from './observation.js';
import type { BalancingSettings } from './settings.js';
import type { EvseState } from './state.js';

/**
 * - `obeying`: takes part in the plan.
 * - `unknown`, `lost`: not reachable; counted at the most it may take.
 * - `unconfirmed`: a cut has not been confirmed; counted at the old value.
 * - `notReacting`: measured above what it may take; counted as measured.
 */
export type Standing = 'obeying' | 'unknown' | 'lost' | 'unconfirmed' | 'notReacting';

/** Steps against a charger that does not react, in this order, each only on fresh evidence that the last one did not help. */
export type EscalationStep = 'resend' | 'pause' | 'stop' | 'inoperative';
const STEPS: readonly EscalationStep[] = ['resend', 'pause', 'stop', 'inoperative'];

export interface Escalation {
  readonly type: EscalationStep;
  readonly evse: EvseNumber;
  /** What it takes on its worst phase, and what it may take. */
  readonly measured: number;
  readonly allowed: number;
}

export interface Stand {
  readonly standing: Standing;
  readonly phases: PhaseMask;
  /** What it may take at most on each of its phases now. */
  readonly ceiling: number;
  /** The same per grid phase, with what it takes beyond it. */
  readonly worst: Triple;
  /** What of the meters above is this charger's, and so not background. */
  readonly share: Triple;
  /** What of them may be this charger's: all it may take, unless it was measured at the same time as the meter. */
  readonly most: Triple;
}

/** Works a change of the link, a proven fall-back and the end of a transaction into what the charger may hold. */
export function observeLink(
  outlet: Outlet,
  state: EvseState,
  observation: EvseObservation | undefined,
  now: Timestamp,
): EvseState {
  const link = observation?.link ?? 'unknown';
  if (link !== 'connected') {
    const gone = state.link === link || link === 'unknown' ? state : withLost(state, now);
    const silent = gone.lostAt === undefined ? 0 : now - gone.lostAt;
    if (observation?.fallbackAfter === undefined || silent < observation.fallbackAfter) return gone;
    const { settling: _, ...rest } = gone;
    return { ...rest, confirmed: outlet.evse.fallbackCurrent, open: [] };
  }
  const back = state.link === 'connected' ? state : withReturned(state, outlet.evse);
  const quiet = back.settling === undefined && back.open.every((command) => command.uncertain);
  if (observation?.startsAt === undefined || observation.transactionOpen || !quiet) return back;
  // The setpoint went with its transaction; what is in force is the default profile.
  const told = back.sentAt !== undefined || back.retryAt !== undefined;
  if (back.confirmed === observation.startsAt && back.open.length === 0 && !told) return back;
  // With the setpoint goes the time since it was sent: the next car's first raise need not rest for the last car's.
  const { sentAt: _, retryAt: __, ...rest } = back;
  return { ...rest, confirmed: observation.startsAt, open: [], sent: observation.startsAt };
}

/** Ends the wait for a car that has followed its cut, by measurement or by time. */
export function observeSettling(
  state: EvseState,
  observation: EvseObservation | undefined,
  now: Timestamp,
  settings: BalancingSettings,
): EvseState {
  const settling = state.settling;
  if (settling === undefined) return state;
  const { settling: _, ...settled } = state;
  if (now >= settling.until) return settled;
  const measured = measuredOf(observation, now, settings);
  const at = observation?.measured?.at;
  if (measured === undefined || at === undefined || at <= settling.since) return state;
  // Seen above and then below is a car that has followed; one that was below all along may still be on its way up.
  const above = worstPhase(measured) > (state.confirmed ?? 0) + MEASURING_ERROR;
  if (!above) return settling.seenAbove ? settled : state;
  return settling.seenAbove ? state : { ...state, settling: { ...settling, seenAbove: true } };
}

/** Chargers' meters are not better than this, in A. */
const MEASURING_ERROR = 0.1;

export function standOf(
  outlet: Outlet,
  state: EvseState,
  observation: EvseObservation | undefined,
  now: Timestamp,
  settings: BalancingSettings,
): Stand {
  const phases = countedPhases(outlet, state, observation);
  const link = observation?.link ?? 'unknown';
  const held = ceilingOf(state, outlet.evse);
  if (link !== 'connected') {
    const ceiling = Math.max(held, outlet.evse.fallbackCurrent);
    return {
      standing: link,
      phases: outlet.wired,
      ceiling,
      worst: spread(outlet.wired, ceiling),
      share: [0, 0, 0],
      most: spread(outlet.wired, ceiling),
    };
  }
  const measured = measuredOf(observation, now, settings);
  const share = chargerShare(outlet, measured, held);
  const most = isCurrent(state, observation, now, settings) ? share : spread(outlet.wired, held);
  const excess = measured !== undefined && worstPhase(measured) > held + settings.tolerance;
  if (excess) {
    const plain = spread(phases, held);
    const loaded = outlet.evse.rotationKnown ? 0 : worstPhase(measured);
    const over = spread(outlet.wired, loaded);
    const on = (p: 0 | 1 | 2): number => Math.max(plain[p], measured[p], over[p]);
    return { standing: 'notReacting', phases, ceiling: held, worst: [on(0), on(1), on(2)], share, most };
  }
  const cutAt =
    state.sent !== undefined && state.sent < held && state.settling === undefined ? state.sentAt : undefined;
  const overdue =
    state.open.some((command) => now - command.at >= settings.confirmWithin) || state.retryAt !== undefined;
  const standing = cutAt !== undefined && overdue ? 'unconfirmed' : 'obeying';
  return { standing, phases, ceiling: held, worst: spread(phases, held), share, most };
}

/** Measured as lately as the meters, and not about to follow a new setpoint: then what it takes is known, else only bounded. */
function isCurrent(
  state: EvseState,
  observation: EvseObservation | undefined,
  now: Timestamp,
  settings: BalancingSettings,
): boolean {
  const at = observation?.measured?.at;
  if (at === undefined || now - at > 2 * settings.meterInterval) return false;
  return state.sentAt === undefined || now - state.sentAt > settings.settle;
}

const spread = (phases: PhaseMask, current: number): Triple => [
  phases & 1 ? current : 0,
  phases & 2 ? current : 0,
  phases & 4 ? current : 0,
];

/** Keeps the time of an excess and says which step is due; every step waits for a sample taken after the one before. */
export function observeExcess(
  state: EvseState,
  stand: Stand,
  observation: EvseObservation | undefined,
  now: Timestamp,
  settings: BalancingSettings,
): { readonly state: EvseState; readonly escalation?: Escalation } {
  const at = observation?.measured?.at;
  if (stand.standing !== 'notReacting' || at === undefined) {
    if (state.excess === undefined) return { state };
    const { excess: _, ...rest } = state;
    return { state: rest };
  }
  const excess = state.excess ?? { since: now, step: 0, stepAt: now };
  const due = now - excess.stepAt >= settings.reactWithin && at > excess.stepAt;
  const type = due ? STEPS[excess.step] : undefined;
  if (type === undefined) return { state: state.excess === undefined ? { ...state, excess } : state };
  const taken = { ...excess, step: excess.step + 1, stepAt: now };
  const benched = type === 'resend' ? {} : { benchedUntil: timestamp(now + settings.bench) };
  return {
    state: { ...state, excess: taken, ...benched },
    escalation: { type, evse: state.evse, measured: worstPhase(stand.worst), allowed: stand.ceiling },
  };
}
