// What a plan finds out about every EVSE, and what of it the next plan need not find out again.
import { amended } from '../kernel/amended.js';
import type { Timestamp } from '../kernel/units.js';
import { candidateOf, type Seen } from './candidate.js';
import { measuredOf, observeSession } from './demand.js';
import type { Headroom } from './headroom.js';
import type { Moment } from './moment.js';
import type { Network, Outlet } from './network.js';
import { sameObservation, type EvseObservation, type Snapshot } from './observation.js';
import { ordered } from './order.js';
import type { BalancingSettings } from './settings.js';
import { sameCandidate, type Candidate } from './share.js';
import { observeExcess, observeLink, observeSettling, standOf, type Escalation } from './standing.js';
import type { BalancingState, EvseState } from './state.js';

/** By outlet. */
interface Observed {
  readonly seen: readonly Seen[];
  /** The states that were looked at. */
  readonly states: readonly EvseState[];
  /** `seen` holds before this time. */
  readonly seenUntil: Float64Array;
  /** Nothing of it is new. */
  readonly same: boolean;
}

interface Taking {
  /** By outlet, whether a meter above it is late; empty where none is. */
  readonly late: readonly boolean[];
  /** By outlet; undefined where it takes no part in the division. */
  readonly candidates: readonly (Candidate | undefined)[];
  /** The candidates hold before this time. */
  readonly candidatesUntil: Float64Array;
  /** The candidates, best first. */
  readonly order: readonly Candidate[];
}

export interface Findings extends Observed, Taking {
  readonly network: Network;
  readonly settings: BalancingSettings;
  readonly at: Timestamp;
}

/** Nothing is found again of an EVSE whose observation and state are the same and for which no moment has come that matters. */
export function observe(
  network: Network,
  state: BalancingState,
  snapshot: Snapshot,
  moment: Moment,
  settings: BalancingSettings,
  before: Findings | undefined,
): Observed & { readonly escalations: readonly Escalation[] } {
  const { outlets, indexOf } = network;
  const escalations: Escalation[] = [];
  const told: (EvseObservation | undefined)[] = outlets.map(() => undefined);
  for (const one of snapshot.evses) {
    const index = indexOf.get(one.evse);
    if (index !== undefined) told[index] = one;
  }
  const seenUntil = new Float64Array(outlets.length);
  let same = before !== undefined;
  const seen = outlets.map((outlet, index): Seen => {
    // One state for each outlet, made by initialBalancing.
    const own = state.evses[index] as EvseState;
    const observation = told[index];
    const known = before?.seen[index];
    const until = before?.seenUntil[index] ?? 0;
    // Looking at it changed nothing then, so looking once more would not now.
    const settled = known?.state === own && before?.states[index] === own;
    if (known !== undefined && settled && moment.now < until && sameObservation(known.observation, observation)) {
      seenUntil[index] = until;
      return known;
    }
    same = false;
    moment.begin();
    const one = look(outlet, own, observation, moment, settings, escalations);
    seenUntil[index] = moment.until;
    return one;
  });
  return { seen, states: state.evses, seenUntil, same, escalations };
}

function look(
  outlet: Outlet,
  own: EvseState,
  observation: EvseObservation | undefined,
  moment: Moment,
  settings: BalancingSettings,
  escalations: Escalation[],
): Seen {
  const measured = measuredOf(outlet, observation, moment, settings);
  const linked = observeSettling(observeLink(outlet, own, observation, moment), observation, measured, moment);
  const session = observeSession(outlet, linked, observation, measured, moment, settings);
  const carried = session === linked.session ? linked : amended(linked, { session });
  const stand = standOf(outlet, carried, observation, measured, moment, settings);
  const { state, escalation } = observeExcess(carried, stand, observation, moment, settings);
  if (escalation !== undefined) escalations.push(escalation);
  const benched = state.benchedUntil !== undefined && !moment.reached(state.benchedUntil);
  return { outlet, observation, state, stand, benched, repeat: escalation?.type === 'resend' };
}

/** Who takes part in the division, and in which order. */
export function candidatesOf(
  network: Network,
  { seen }: Observed,
  headrooms: readonly Headroom[],
  moment: Moment,
  settings: BalancingSettings,
  before: Findings | undefined,
): Taking {
  const late = lateOf(network, headrooms);
  const candidatesUntil = new Float64Array(seen.length);
  let sameOnes = before !== undefined;
  const candidates = seen.map((one, index) => {
    const until = before?.candidatesUntil[index] ?? 0;
    const asLate = (before?.late[index] ?? false) === (late[index] ?? false);
    if (before !== undefined && before.seen[index] === one && asLate && moment.now < until) {
      candidatesUntil[index] = until;
      return before.candidates[index];
    }
    moment.begin();
    const candidate = candidateOf(index, one, late[index] ?? false, network, moment, settings);
    candidatesUntil[index] = moment.until;
    const last = before?.candidates[index];
    if (sameCandidate(candidate, last)) return last;
    sameOnes = false;
    return candidate;
  });
  const order = sameOnes && before !== undefined ? before.order : orderOf(candidates, before?.order ?? [], network);
  return { late, candidates, candidatesUntil, order };
}

/** Begins with the order of the last plan: what is nearly in order is sorted at once. */
function orderOf(
  candidates: readonly (Candidate | undefined)[],
  before: readonly Candidate[],
  network: Network,
): readonly Candidate[] {
  const known = new Uint8Array(candidates.length);
  const list: Candidate[] = [];
  for (const { outlet } of before) {
    const candidate = candidates[outlet];
    known[outlet] = 1;
    if (candidate !== undefined) list.push(candidate);
  }
  for (const candidate of candidates)
    if (candidate !== undefined && known[candidate.outlet] === 0) list.push(candidate);
  return ordered(list, network.policy.strategy);
}

function lateOf(network: Network, headrooms: readonly Headroom[]): readonly boolean[] {
  const stale = headrooms.map(({ meter }) => meter === 'stale');
  return stale.includes(true) ? network.outlets.map(({ path }) => path.some((row) => stale[row])) : [];
}
