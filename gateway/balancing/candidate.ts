// An EVSE as the division of current sees it: whether it takes part, within which bounds and how urgently.
import type { Timestamp } from '../kernel/units.js';
import type { Candidate } from './share.js';
import { demandOf, sleeps } from './demand.js';
import type { Headroom } from './headroom.js';
import type { Network, Outlet } from './network.js';
import type { EvseObservation } from './observation.js';
import type { BalancingSettings } from './settings.js';
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

/** Undefined where it gets no current, or none that could be moved. */
export function candidateOf(
  index: number,
  { outlet, observation, state, stand, benched }: Seen,
  headroom: readonly Headroom[],
  network: Network,
  now: Timestamp,
  settings: BalancingSettings,
): Candidate | undefined {
  if (observation?.wantsEnergy !== true || stand.standing !== 'obeying' || benched) return undefined;
  const { evse, path } = outlet;
  const upper = Math.min(observation.upperBound, evse.maxCurrent);
  if (!(upper >= evse.minCurrent)) return undefined;
  const { session } = state;
  const demand = demandOf(session, evse.minCurrent, now, settings);
  const running = state.sent === undefined ? observation.chargingState === 'Charging' : state.sent > 0;
  const waitingSince = session.waitingSince ?? now;
  const patience = session.pausedBefore ? settings.restartPatience : settings.startPatience;
  const factor = now - waitingSince >= patience ? 1 : settings.startFactor;
  const rotation = network.policy.rotation;
  const stale = path.some((row) => headroom[row]?.meter === 'stale');
  const weight = observation.weight ?? 1;
  const { departure, energyNeeded } = observation;
  return {
    outlet: index,
    phases: stand.phases,
    minimum: evse.minCurrent,
    bound: Math.min(upper, demand),
    boundedBy: demand < upper ? 'demand' : 'upperBound',
    weight: weight > 0 ? weight : 1,
    priority: observation.priority,
    running,
    protected: running && now - (session.onSince ?? now) < rotation,
    sleeping: running && sleeps(session, now, settings),
    turns: Math.floor(session.service / Math.max(1, rotation)),
    waitingSince,
    activeSince: observation.activeSince ?? 0,
    laxity:
      departure === undefined
        ? Infinity
        : (departure - now) / 3_600_000 - (energyNeeded ?? 0) / (upper * network.nominal * phaseCount(stand.phases)),
    energyServed: observation.energyServed ?? 0,
    startNeed: evse.minCurrent * factor,
    heldBack: stale || (session.offSince !== undefined && now - session.offSince < settings.minimumOff),
  };
}

const phaseCount = (mask: number): number => (mask & 1) + ((mask >> 1) & 1) + ((mask >> 2) & 1);
