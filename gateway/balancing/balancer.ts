// One plan: what every EVSE is told now, so that no circuit is exceeded whatever the chargers do with it.
import type { Timestamp } from '../kernel/units.js';
import { allocate } from './allocation.js';
import { candidateOf, type Seen } from './candidate.js';
import { addLegs, laneOf, rowsOf, take, takeEach, type Rows } from './capacity.js';
import { currentOn, LEGS, type Triple } from './conductors.js';
import { measuredOf, observeSession } from './demand.js';
import { gridOperatorLimit, headrooms, type Headroom, type Sums } from './headroom.js';
import type { Network, PhaseMask } from './network.js';
import type { EvseObservation, Snapshot } from './observation.js';
import { ordered } from './order.js';
import { freeNow, release, type LimitCommand, type Wish } from './release.js';
import { circuitReports, evseReport, type BalancingReport, type CircuitReport } from './report.js';
import { defaultSettings, type BalancingSettings } from './settings.js';
import type { Candidate, Share } from './share.js';
import { observeExcess, observeLink, observeSettling, standOf, worstOf, type Escalation } from './standing.js';
import type { BalancingState, EvseState } from './state.js';
import { boundByUnbalance, limitUnbalance } from './unbalance.js';

export interface Plan {
  readonly state: BalancingState;
  /** To be sent now, in any order; the outcome of each goes to `confirmed` or `failed`. */
  readonly commands: readonly LimitCommand[];
  /** Steps against chargers that do not react; `resend` and `pause` are among the commands already. */
  readonly escalations: readonly Escalation[];
  /** What the next plan need not find out again. */
  readonly findings: Findings;
  /** Why everything is as it is; worked out when asked for, since most plans are never looked at. */
  report(): BalancingReport;
  /** Its part about the circuits, without the explanation of every EVSE. */
  circuits(): readonly CircuitReport[];
}

/** What was found out of each EVSE, and from what. */
interface Findings {
  readonly at: Timestamp;
  readonly evses: readonly EvseObservation[];
  /** Found before anything was sent. */
  readonly seen: readonly Seen[];
  /** The states that this plan left: an EVSE whose state is another since then is looked at again. */
  readonly states: readonly EvseState[];
  readonly late: readonly boolean[];
  readonly candidates: readonly Candidate[];
  readonly order: readonly Candidate[];
}

/** What was found of EVSEs holds for this long, where nothing was told of them since, in milliseconds. */
const FINDINGS_HOLD = 1000;

/**
 * Decides the setpoint of every EVSE. Pure; called about once a second and after every event that matters. The same
 * input again answers no command.
 * @param before the last plan: a plan that follows it within a second looks again only at what has changed
 */
export function plan(
  network: Network,
  state: BalancingState,
  snapshot: Snapshot,
  now: Timestamp,
  settings: BalancingSettings = defaultSettings,
  before?: Plan,
): Plan {
  const findings =
    before !== undefined && now >= before.findings.at && now - before.findings.at < FINDINGS_HOLD
      ? before.findings
      : undefined;
  const { seen, escalations } = observe(network, state, snapshot, now, settings, findings);
  const operator = gridOperatorLimit(network, state, snapshot.gridOperator, now, settings);
  const measured = headrooms(network, state, snapshot, sumsOf(network, seen), operator.limit, now, settings);
  const caps = snapshot.caps ?? [];
  const rows = rowsOf(network, measured.headrooms, caps);

  const late = lateOf(network, measured.headrooms);
  const candidates = candidatesOf(network, seen, late, now, settings, findings);
  const { strategy, unbalance } = network.policy;
  const order = sameItems(candidates, findings?.candidates) ? (findings?.order ?? []) : ordered(candidates, strategy);
  const left = leftToDivide(seen, rows);
  const moving = measured.headrooms.map(({ meter }) => meter === 'live' || meter === 'stale');
  const divide = (among: readonly Candidate[]): readonly Share[] => allocate(among, rows, left, moving, strategy);
  const shares = divideWithin(order, divide, unbalance);

  const shareOf: (Share | undefined)[] = Array.from({ length: seen.length });
  for (const one of shares) shareOf[one.outlet] = one;
  const wishes = wishesOf(seen, shareOf, late, order);
  const released = release(seen, wishes, rows, freeNow(seen, rows), now, settings);

  const granted = (obeying: boolean): readonly Triple[] => sumsByPhase(network, seen, obeying);
  const circuits = (): readonly CircuitReport[] =>
    circuitReports(network, measured.headrooms, measured.circuits, granted(false), granted(true));
  const report = (): BalancingReport => {
    const targets = new Map(wishes.map((wish) => [wish.outlet, wish.target]));
    const failsafe = operator.failsafeSince !== undefined;
    const scene = { network, caps, rows, headrooms: measured.headrooms, reserved: granted(false), failsafe };
    return {
      evses: seen.map((one, index) =>
        evseReport(scene, one, {
          sent: released.states[index]?.sent,
          share: shareOf[index],
          target: targets.get(index) ?? one.stand.ceiling,
          waitingCell: released.waiting.get(index),
          noRaise: late[index] ?? false,
        }),
      ),
      circuits: circuits(),
      failsafe,
    };
  };
  const next: BalancingState = {
    evses: released.states,
    circuits: measured.circuits,
    ...(operator.failsafeSince === undefined ? {} : { failsafeSince: operator.failsafeSince }),
  };
  const found: Findings = {
    at: findings?.at ?? now,
    evses: snapshot.evses,
    seen,
    states: released.states,
    late,
    candidates,
    order,
  };
  return { state: next, commands: released.commands, escalations, findings: found, report, circuits };
}

/** Divides, and where the rule of unbalance takes from some, divides that among the others. */
function divideWithin(
  order: readonly Candidate[],
  divide: (among: readonly Candidate[]) => readonly Share[],
  unbalance: number | undefined,
): readonly Share[] {
  const first = divide(order);
  if (unbalance === undefined) return first;
  const candidates = new Map(order.map((candidate) => [candidate.outlet, candidate]));
  const lowered = limitUnbalance(first, candidates, unbalance);
  const paused = lowered.filter((share) => share.cause.kind === 'unbalance' && share.target === 0);
  const bound = new Map(boundByUnbalance(candidates, lowered).map((candidate) => [candidate.outlet, candidate]));
  const again = order.flatMap(({ outlet }) => bound.get(outlet) ?? []);
  return [...limitUnbalance(divide(again), candidates, unbalance), ...paused];
}

function observe(
  network: Network,
  state: BalancingState,
  snapshot: Snapshot,
  now: Timestamp,
  settings: BalancingSettings,
  findings: Findings | undefined,
): { readonly seen: readonly Seen[]; readonly escalations: readonly Escalation[] } {
  const escalations: Escalation[] = [];
  const sameTold = findings !== undefined && findings.evses === snapshot.evses;
  const told: (EvseObservation | undefined)[] = Array.from({ length: network.outlets.length });
  if (!sameTold) {
    for (const one of snapshot.evses) told[network.indexOf.get(one.evse) ?? -1] = one;
  }
  const seen: Seen[] = [];
  for (let index = 0; index < network.outlets.length; index++) {
    const outlet = network.outlets[index];
    const own = state.evses[index];
    if (outlet === undefined || own === undefined) continue;
    const known = findings?.seen[index];
    if (known !== undefined && own === findings?.states[index] && own === known.state) {
      if (sameTold || known.observation === told[index]) {
        seen.push(known);
        continue;
      }
    }
    const observation = sameTold ? known?.observation : told[index];
    const measured = measuredOf(outlet, observation, now, settings);
    const linked = observeSettling(observeLink(outlet, own, observation, now), observation, measured, now);
    const session = observeSession(outlet, linked, observation, measured, now, settings);
    const carried = session === linked.session ? linked : { ...linked, session };
    const stand = standOf(outlet, carried, observation, measured, now, settings);
    const excess = observeExcess(carried, stand, observation, now, settings);
    if (excess.escalation !== undefined) escalations.push(excess.escalation);
    seen.push({
      outlet,
      observation,
      state: excess.state,
      stand,
      benched: excess.state.benchedUntil !== undefined && now < excess.state.benchedUntil,
      repeat: excess.escalation?.type === 'resend',
    });
  }
  return { seen, escalations };
}

function candidatesOf(
  network: Network,
  seen: readonly Seen[],
  late: readonly boolean[],
  now: Timestamp,
  settings: BalancingSettings,
  findings: Findings | undefined,
): readonly Candidate[] {
  const known: (Candidate | undefined)[] = Array.from({ length: findings === undefined ? 0 : seen.length });
  for (const candidate of findings?.candidates ?? []) known[candidate.outlet] = candidate;
  const candidates: Candidate[] = [];
  for (let index = 0; index < seen.length; index++) {
    const one = seen[index];
    if (one === undefined) continue;
    const same = findings !== undefined && findings.seen[index] === one && findings.late[index] === late[index];
    const candidate = same ? known[index] : candidateOf(index, one, late[index] ?? false, network, now, settings);
    if (candidate !== undefined) candidates.push(candidate);
  }
  return candidates;
}

const sameItems = (a: readonly unknown[], b: readonly unknown[] | undefined): boolean =>
  b !== undefined && a.length === b.length && a.every((item, index) => item === b[index]);

/** For each outlet, whether a meter above it is late. */
function lateOf(network: Network, headroom: readonly Headroom[]): readonly boolean[] {
  const stale = headroom.map(({ meter }) => meter === 'stale');
  const any = stale.includes(true);
  return network.outlets.map(({ path }) => any && path.some((row) => stale[row]));
}

/** Counted as it stands in the plan for the others: not to be moved by a setpoint, or not to be told one. */
const keepsItsCurrent = ({ stand, observation }: Seen): boolean =>
  stand.standing !== 'obeying' || (observation?.startsAt !== undefined && !observation.transactionOpen);

function leftToDivide(seen: readonly Seen[], rows: Rows): Float64Array {
  const left = Float64Array.from(rows.slack);
  for (let outlet = 0; outlet < seen.length; outlet++) {
    const one = seen[outlet];
    if (one === undefined || !keepsItsCurrent(one)) continue;
    if (one.stand.beyond !== undefined) takeEach(left, rows, outlet, one.stand.beyond);
    else take(left, laneOf(rows, outlet, one.stand.phases), one.stand.ceiling);
  }
  return left;
}

function wishesOf(
  seen: readonly Seen[],
  shareOf: readonly (Share | undefined)[],
  late: readonly boolean[],
  order: readonly Candidate[],
): readonly Wish[] {
  const wishes: Wish[] = [];
  const wish = (index: number, share: Share | undefined): void => {
    const one = seen[index];
    if (one?.observation?.link !== 'connected') return;
    const target = share?.target ?? targetOutside(one);
    if (target === undefined) return;
    const phases = share === undefined ? {} : { phases: share.phases };
    const raiseEvery = one.observation.raiseEvery ?? 0;
    wishes.push({ outlet: index, target, ...phases, noRaise: late[index] ?? false, repeat: one.repeat, raiseEvery });
  };
  for (const { outlet } of order) wish(outlet, shareOf[outlet]);
  const divided = new Uint8Array(seen.length);
  for (const { outlet } of order) divided[outlet] = 1;
  for (let index = 0; index < seen.length; index++) if (divided[index] === 0) wish(index, undefined);
  return wishes;
}

/** What an EVSE that takes no part in the division is told: to pause, or what it was told last. */
function targetOutside({ observation, state, stand, benched, outlet }: Seen): number | undefined {
  if (observation?.startsAt !== undefined && !observation.transactionOpen) return undefined;
  const upper = Math.min(observation?.upperBound ?? 0, outlet.evse.maxCurrent);
  const mayCharge = observation?.wantsEnergy === true && !benched && upper >= outlet.evse.minCurrent;
  return mayCharge && stand.standing !== 'obeying' ? Math.min(state.sent ?? 0, upper) : 0;
}

const on = (mask: PhaseMask, current: number): Triple => [
  mask & 1 ? current : 0,
  mask & 2 ? current : 0,
  mask & 4 ? current : 0,
];

/** What EVSEs do of what the meters show. */
function sumsOf(network: Network, seen: readonly Seen[]): Sums {
  const size = network.circuits.length * LEGS;
  const sums = { share: new Float64Array(size), most: new Float64Array(size) };
  for (const { outlet, stand } of seen) {
    const { metered, lineToLine, wired } = outlet;
    if (metered.length === 0) continue;
    addLegs(sums.share, metered, lineToLine, stand.share);
    addLegs(sums.most, metered, lineToLine, stand.most === 'share' ? stand.share : on(wired, stand.most));
  }
  return sums;
}

/** What the EVSEs that obey, or the others, may take on each conductor of each circuit. */
function sumsByPhase(network: Network, seen: readonly Seen[], obeying: boolean): readonly Triple[] {
  const sums = new Float64Array(network.circuits.length * LEGS);
  for (const { outlet, stand } of seen)
    if ((stand.standing === 'obeying') === obeying) addLegs(sums, outlet.path, outlet.lineToLine, worstOf(stand));
  return network.conductors.map((conductors, row) => {
    const flow = (conductor: number): number => currentOn(conductors, conductor, sums, row * LEGS);
    return [flow(0), flow(1), flow(2)];
  });
}
