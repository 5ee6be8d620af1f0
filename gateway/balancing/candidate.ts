// An EVSE as the division of current sees it: whether it takes part, within which bounds and how urgently.
import { demandOf, sleeps, turnsOf } from './demand.js';
import type { Moment } from './moment.js';
import { powerOf, type Network, type Outlet } from './network.js';
import type { EvseObservation } from './observation.js';
import type { BalancingSettings } from './settings.js';
import type { Candidate } from './share.js';
import type { Stand } from './standing.js';
import type { EvseState } from './state.js';

/** One EVSE with all that is known of it in this plan. */
export interface Seen {
  readonly outlet: Outlet;
  readonly observation: EvseObservation | undefined;
  readonly state: EvseState;
  readonly stand: Stand;
  readonly benched: boolean;
  readonly repeat: boolean;
}

/**
 * Undefined where it gets no current, or none that could be moved.
 * @param stale a meter above it is late
 */
export function candidateOf(
  index: number,
  { outlet, observation, state, stand, benched }: Seen,
  stale: boolean,
  network: Network,
  moment: Moment,
  settings: BalancingSettings,
): Candidate | undefined {
  if (observation?.wantsEnergy !== true || stand.standing !== 'obeying' || benched) return undefined;
  const { evse } = outlet;
  const upper = Math.min(observation.upperBound, evse.maxCurrent);
  if (!(upper >= evse.minCurrent && upper > 0)) return undefined;
  const { session } = state;
  const demand = demandOf(session, evse.minCurrent, moment, settings);
  const running = state.sent === undefined ? observation.chargingState === 'Charging' : state.sent > 0;
  const { waitingSince } = session;
  const patience = session.pausedBefore ? settings.restartPatience : settings.startPatience;
  const patient = waitingSince === undefined || !moment.reached(waitingSince + patience);
  const { rotation } = network.policy;
  const weight = observation.weight ?? 1;
  const power = powerOf(outlet, stand.wide);
  const { departure, energyNeeded } = observation;
  // A car that was seen to take less than it is offered needs longer.
  const rate = Math.min(upper, Math.max(evse.minCurrent, demand - settings.demandMargin));
  const latestStart =
    departure === undefined
      ? Infinity
      : departure - ((energyNeeded ?? 0) * 3_600_000) / (rate * network.nominal * power);
  const switches = stand.narrow !== 0 && stand.wide !== stand.narrow;
  return {
    outlet: index,
    phases: stand.wide,
    narrow: switches ? stand.narrow : 0,
    isNarrow: switches && state.sentPhases === 1,
    maySwitch:
      !switches || state.phasesSentAt === undefined || moment.reached(state.phasesSentAt + settings.phaseSwitchEvery),
    lineToLine: outlet.lineToLine,
    power,
    minimum: evse.minCurrent,
    bound: Math.min(upper, demand),
    boundedBy: demand < upper ? 'demand' : 'upperBound',
    weight: weight > 0 ? weight : 1,
    priority: observation.priority,
    running,
    protected: running && !moment.reached((session.onSince ?? moment.now) + rotation),
    sleeping: running && sleeps(session, moment, settings),
    overdue: waitingSince !== undefined && moment.reached(waitingSince + settings.overdueAfter * rotation),
    turns: turnsOf(session, rotation, moment),
    waitingSince: waitingSince ?? Number.MAX_SAFE_INTEGER,
    activeSince: observation.activeSince ?? 0,
    laxity: laxityOf(latestStart, settings.urgencyStep, moment),
    energyServed: observation.energyServed ?? 0,
    startNeed: evse.minCurrent * (patient ? settings.startFactor : 1),
    heldBack: stale || (session.offSince !== undefined && !moment.reached(session.offSince + settings.minimumOff)),
  };
}

/** Begun steps of time to spare; 0 or less where it is too late already. */
function laxityOf(latestStart: number, step: number, moment: Moment): number {
  if (latestStart === Infinity) return Infinity;
  const steps = Math.ceil((latestStart - moment.now) / step);
  moment.reached(latestStart - (steps - 1) * step);
  return steps;
}
