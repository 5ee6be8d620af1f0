// How each charger stands: obeying, unknown, silent, not confirming or not reacting; and the current it is counted at meanwhile.
import type { EvseNumber } from '../kernel/ids.js';
import { timestamp, type Ampere } from '../kernel/units.js';
import type { Evse } from '../site/topology.js';
import { ceilingOf, withLost, withReturned } from './commit.js';
import { NOTHING, type Triple } from './conductors.js';
import { carPhases, chargerShare, onlyPhase, worstPhase } from './demand.js';
import type { Moment } from './moment.js';
import { evenly, type Outlet, type PhaseMask } from './network.js';
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
  /** On which it is counted now. */
  readonly phases: PhaseMask;
  /** Those that the car uses when it may use all. */
  readonly wide: PhaseMask;
  /** The one that it uses when it is told to use only one; 0 where it cannot be told so. */
  readonly narrow: PhaseMask;
  /** What it may take at most on each of its phases now. */
  readonly ceiling: number;
  /** Where it takes more than that: what it counts for on each phase. */
  readonly beyond: Triple | undefined;
  /** What of the meters above is this charger's, and so not background. */
  readonly share: Triple;
  /** `share` is what its charger has told lately; nothing is known otherwise. */
  readonly measured: boolean;
  /**
   * What of them may be this charger's: all it may take on the phases on which it is counted, or exactly its share. On no other, or
   * a load of the building could pass for that of a car which is not counted there.
   */
  readonly most: number | 'share';
  /** Nobody is there to take its `ceiling`: all such EVSEs together count for one car that comes unannounced. */
  readonly vacant: boolean;
}

/** Works a change of the link, a proven fall-back and the end of a transaction into what the charger may hold. */
export function observeLink(
  outlet: Outlet,
  state: EvseState,
  observation: EvseObservation | undefined,
  moment: Moment,
): EvseState {
  const link = observation?.link ?? 'unknown';
  if (link !== 'connected') {
    const gone = state.link === link || link === 'unknown' ? state : withLost(state, moment.now);
    const { fallbackAfter } = observation ?? {};
    if (fallbackAfter === undefined || !moment.reached((gone.lostAt ?? moment.now) + fallbackAfter)) return gone;
    if (gone.confirmed === outlet.evse.fallbackCurrent && gone.settling === undefined && gone.open.length === 0)
      return gone;
    const { settling: _, phases: __, ...rest } = gone;
    return { ...rest, confirmed: outlet.evse.fallbackCurrent, open: [] };
  }
  const back = state.link === 'connected' ? state : withReturned(state, outlet.evse, mostInSilence(outlet.evse));
  const quiet = back.settling === undefined && back.open.every((command) => command.uncertain);
  if (observation?.startsAt === undefined || observation.transactionOpen || !quiet) return back;
  // The setpoint went with its transaction; what is in force is the default profile.
  const told = back.sentAt !== undefined || back.retryAt !== undefined;
  if (back.confirmed === observation.startsAt && back.open.length === 0 && !told) return back;
  // With the setpoint goes the time since it was sent: the next car's first raise need not rest for the last car's.
  const { phases: _, sentPhases: __, sentAt: ___, retryAt: ____, ...rest } = back;
  return { ...rest, confirmed: observation.startsAt, open: [], sent: observation.startsAt };
}

/** What it may take beside what it was told, once it has lost the gateway. */
const mostInSilence = (evse: Evse): Ampere =>
  evse.silentAtFullPower === true ? evse.maxCurrent : evse.fallbackCurrent;

/** Ends the wait for a car that has followed its cut, by measurement or by time. */
export function observeSettling(
  state: EvseState,
  observation: EvseObservation | undefined,
  measured: Triple | undefined,
  moment: Moment,
): EvseState {
  const settling = state.settling;
  if (settling === undefined) return state;
  if (moment.reached(settling.until)) return withoutSettling(state);
  const at = observation?.measured?.at;
  if (measured === undefined || at === undefined || at <= settling.since) return state;
  // Seen above and then below is a car that has followed; one that was below all along may still be on its way up.
  const above = worstPhase(measured) > (state.confirmed ?? 0) + MEASURING_ERROR;
  if (!above) return settling.seenAbove && (!settling.wide || state.confirmed === 0) ? withoutSettling(state) : state;
  return settling.seenAbove ? state : { ...state, settling: { ...settling, seenAbove: true } };
}

function withoutSettling(state: EvseState): EvseState {
  const { settling: _, ...settled } = state;
  return settled;
}

/** Chargers' meters are not better than this, in A. */
const MEASURING_ERROR = 0.1;

export function standOf(
  outlet: Outlet,
  state: EvseState,
  observation: EvseObservation | undefined,
  measured: Triple | undefined,
  moment: Moment,
  settings: BalancingSettings,
): Stand {
  const { wired } = outlet;
  const wide = carPhases(outlet, state, observation);
  const narrow = onlyPhase(outlet, observation);
  const link = observation?.link ?? 'unknown';
  const held = ceilingOf(state, outlet.evse);
  if (link !== 'connected') {
    const ceiling = Math.max(held, mostInSilence(outlet.evse));
    return {
      standing: link,
      phases: wired,
      wide,
      narrow,
      ceiling,
      beyond: undefined,
      share: NOTHING,
      measured: false,
      most: ceiling,
      vacant: false,
    };
  }
  const oneOnly = narrow !== 0 && onOnePhase(state);
  const elsewhere = oneOnly && measured?.some((current, phase) => current > 1 && !(narrow & (1 << phase)));
  const phases = oneOnly ? (elsewhere === true ? wired : narrow) : wide;
  const share = chargerShare(outlet, measured, held);
  const most = isCurrent(state, observation, moment, settings) ? 'share' : held;
  if (measured !== undefined && worstPhase(measured) > held + settings.tolerance) {
    const loaded = outlet.evse.rotationKnown ? 0 : worstPhase(measured);
    const on = (p: 0 | 1 | 2): number =>
      Math.max(phases & (1 << p) ? held : 0, measured[p], wired & (1 << p) ? loaded : 0);
    const beyond: Triple = [on(0), on(1), on(2)];
    return {
      standing: 'notReacting',
      phases,
      wide,
      narrow,
      ceiling: held,
      beyond,
      share,
      measured: true,
      most,
      vacant: false,
    };
  }
  const cutAt =
    state.sent !== undefined && state.sent < held && state.settling === undefined ? state.sentAt : undefined;
  const standing = cutAt !== undefined && overdue(state, moment, settings) ? 'unconfirmed' : 'obeying';
  return {
    standing,
    phases,
    wide,
    narrow,
    ceiling: held,
    beyond: undefined,
    share,
    measured: measured !== undefined,
    most,
    vacant: standing === 'obeying' && isVacant(state, observation, measured, held),
  };
}

/** It has the current of a car that is not there yet, and only that: whatever was on its way to it has settled. */
const isVacant = (
  state: EvseState,
  observation: EvseObservation | undefined,
  measured: Triple | undefined,
  held: number,
): boolean =>
  observation?.vacant === true &&
  !observation.transactionOpen &&
  observation.startsAt !== undefined &&
  held <= observation.startsAt &&
  state.settling === undefined &&
  worstPhase(measured ?? NOTHING) < 1;

const overdue = (state: EvseState, moment: Moment, settings: BalancingSettings): boolean =>
  state.retryAt !== undefined || state.open.some((command) => moment.reached(command.at + settings.confirmWithin));

/** Nothing that is in force, on its way or not yet followed lets it take current on more than one phase. */
const onOnePhase = (state: EvseState): boolean =>
  (state.phases === 1 || state.confirmed === 0) &&
  state.settling?.wide !== true &&
  state.open.every((command) => command.phases === 1 || command.current === 0);

/** What it counts for on each phase. */
export const worstOf = (stand: Stand): Triple => stand.beyond ?? evenly(stand.phases, stand.ceiling);

/** Measured as lately as the meters, and not about to follow a new setpoint: then what it takes is known, else only bounded. */
function isCurrent(
  state: EvseState,
  observation: EvseObservation | undefined,
  moment: Moment,
  settings: BalancingSettings,
): boolean {
  const at = observation?.measured?.at;
  if (at === undefined || moment.reached(at + 2 * settings.meterInterval + 1)) return false;
  return state.sentAt === undefined || moment.reached(state.sentAt + settings.settle + 1);
}

/** Keeps the time of an excess and says which step is due; every step waits for a sample taken after the one before. */
export function observeExcess(
  state: EvseState,
  stand: Stand,
  observation: EvseObservation | undefined,
  moment: Moment,
  settings: BalancingSettings,
): { readonly state: EvseState; readonly escalation?: Escalation } {
  const at = observation?.measured?.at;
  if (stand.standing !== 'notReacting' || at === undefined) {
    if (state.excess === undefined) return { state };
    const { excess: _, ...rest } = state;
    return { state: rest };
  }
  const { now } = moment;
  const excess = state.excess ?? { since: now, step: 0, stepAt: now };
  const due = moment.reached(excess.stepAt + settings.reactWithin) && at > excess.stepAt;
  const type = due ? STEPS[excess.step] : undefined;
  if (type === undefined) return { state: state.excess === undefined ? { ...state, excess } : state };
  const taken = { ...excess, step: excess.step + 1, stepAt: now };
  const benched = type === 'resend' ? {} : { benchedUntil: timestamp(now + settings.bench) };
  return {
    state: { ...state, excess: taken, ...benched },
    escalation: { type, evse: state.evse, measured: worstPhase(worstOf(stand)), allowed: stand.ceiling },
  };
}
