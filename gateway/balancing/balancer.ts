// One plan: what every EVSE is told now, so that no circuit is exceeded whatever the chargers do with it.
import { milliseconds, type Timestamp } from '../kernel/units.js';
import { allocate, ORDERS } from './allocation.js';
import type { Candidate, Share } from './share.js';
import { candidateOf, type Seen } from './candidate.js';
import { rowsOf, takeEach } from './capacity.js';
import { observeSession } from './demand.js';
import { gridOperatorLimit, headrooms } from './headroom.js';
import type { Network, Outlet, Triple } from './network.js';
import type { Snapshot } from './observation.js';
import { release, type LimitCommand, type Wish } from './release.js';
import { circuitReports, evseReport, type BalancingReport, type CircuitReport } from './report.js';
import { defaultSettings, type BalancingSettings } from './settings.js';
import { observeExcess, observeLink, observeSettling, standOf, type Escalation } from './standing.js';
import type { BalancingState } from './state.js';
import { boundByUnbalance, limitUnbalance } from './unbalance.js';

export interface Plan {
  readonly state: BalancingState;
  /** To be sent now, in any order; the outcome of each goes to `confirmed` or `failed`. */
  readonly commands: readonly LimitCommand[];
  /** Steps against chargers that do not react; `resend` and `pause` are among the commands already. */
  readonly escalations: readonly Escalation[];
  /** Why everything is as it is; worked out when asked for, since most plans are never looked at. */
  report(): BalancingReport;
  /** Its part about the circuits, without the explanation of every EVSE. */
  circuits(): readonly CircuitReport[];
}

/** A longer gap between two plans (a pause of the process) counts as this much. */
const MAX_STEP = 60_000;

/**
 * Decides the setpoint of every EVSE. Pure; called about once a second and after every event that matters. The same
 * input again answers no command.
 */
export function plan(
  network: Network,
  state: BalancingState,
  snapshot: Snapshot,
  now: Timestamp,
  settings: BalancingSettings = defaultSettings,
): Plan {
  const elapsed = milliseconds(Math.min(MAX_STEP, Math.max(0, now - state.plannedAt)));
  const { seen, escalations } = observe(network, state, snapshot, elapsed, now, settings);
  const share = sumByCircuit(network, (index) => seen[index]?.stand.share);
  const most = sumByCircuit(network, (index) => seen[index]?.stand.most);
  const fallbacks = sumByCircuit(network, (index) => fallbackOf(network.outlets[index]));
  const operator = gridOperatorLimit(network, state, snapshot.gridOperator, now, settings);
  const measured = headrooms(network, state, snapshot, share, most, fallbacks, operator.limit, now, settings);
  const caps = snapshot.caps ?? [];
  const rows = rowsOf(network, measured.headrooms, caps);

  const candidates = new Map<number, Candidate>();
  const left = Float64Array.from(rows.slack);
  seen.forEach((one, index) => {
    const candidate = candidateOf(index, one, measured.headrooms, network, now, settings);
    if (candidate !== undefined) candidates.set(index, candidate);
    else if (keepsItsCurrent(one)) takeEach(left, rows.of[index] ?? [], one.stand.worst);
  });
  const moving = measured.headrooms.map(({ meter }) => meter === 'live' || meter === 'stale');
  const strategy = network.policy.strategy;
  const divide = (among: readonly Candidate[]): readonly Share[] => allocate(among, rows, left, moving, strategy);
  const shares = divideWithin(candidates, divide, settings.unbalance);

  const shareOf = new Map(shares.map((one) => [one.outlet, one]));
  const stale = measured.headrooms.map(({ meter }) => meter === 'stale');
  const anyStale = stale.includes(true);
  const noRaise = (index: number): boolean =>
    anyStale && (network.outlets[index]?.path.some((row) => stale[row]) ?? false);
  const wishes = wishesOf(seen, shareOf, noRaise, candidates, strategy);
  const states = seen.map((one) => one.state);
  const stands = seen.map((one) => one.stand);
  const released = release(network, states, stands, wishes, rows, now, settings);

  const reservedNow = (): readonly Triple[] => sumByCircuit(network, (index) => worstIf(seen[index], false));
  const circuits = (): readonly CircuitReport[] => {
    const granted = sumByCircuit(network, (index) => worstIf(seen[index], true));
    return circuitReports(network, measured.headrooms, measured.circuits, reservedNow(), granted);
  };
  const report = (): BalancingReport => {
    const targets = new Map(wishes.map((wish) => [wish.outlet, wish.target]));
    const reserved = reservedNow();
    const failsafe = operator.failsafeSince !== undefined;
    const scene = { network, caps, headrooms: measured.headrooms, reserved, failsafe };
    return {
      evses: seen.map((one, index) =>
        evseReport(scene, one, {
          sent: released.states[index]?.sent,
          share: shareOf.get(index),
          target: targets.get(index) ?? one.stand.ceiling,
          waitingCell: released.waiting.get(index),
          noRaise: noRaise(index),
        }),
      ),
      circuits: circuits(),
      failsafe,
    };
  };
  const next: BalancingState = {
    evses: released.states,
    circuits: measured.circuits,
    plannedAt: now,
    ...(operator.failsafeSince === undefined ? {} : { failsafeSince: operator.failsafeSince }),
  };
  return { state: next, commands: released.commands, escalations, report, circuits };
}

/** Divides, and where the rule of unbalance takes from some, divides that among the others. */
function divideWithin(
  candidates: ReadonlyMap<number, Candidate>,
  divide: (among: readonly Candidate[]) => readonly Share[],
  unbalance: number | undefined,
): readonly Share[] {
  const first = divide([...candidates.values()]);
  if (unbalance === undefined) return first;
  const lowered = limitUnbalance(first, candidates, unbalance);
  const paused = lowered.filter((share) => share.cause.kind === 'unbalance' && share.target === 0);
  return [...limitUnbalance(divide(boundByUnbalance(candidates, lowered)), candidates, unbalance), ...paused];
}

function observe(
  network: Network,
  state: BalancingState,
  snapshot: Snapshot,
  elapsed: number,
  now: Timestamp,
  settings: BalancingSettings,
): { readonly seen: readonly Seen[]; readonly escalations: readonly Escalation[] } {
  const observations = new Map(snapshot.evses.map((one) => [one.evse, one]));
  const escalations: Escalation[] = [];
  const seen = network.outlets.flatMap((outlet, index): Seen[] => {
    const before = state.evses[index];
    if (before === undefined) return [];
    const observation = observations.get(outlet.evse.number);
    const linked = observeSettling(observeLink(outlet, before, observation, now), observation, now, settings);
    const session = observeSession(outlet, linked, observation, elapsed, now, settings);
    const known = session === linked.session ? linked : { ...linked, session };
    const stand = standOf(outlet, known, observation, now, settings);
    const excess = observeExcess(known, stand, observation, now, settings);
    if (excess.escalation !== undefined) escalations.push(excess.escalation);
    const benched = excess.state.benchedUntil !== undefined && now < excess.state.benchedUntil;
    return [{ outlet, observation, state: excess.state, stand, benched, repeat: excess.escalation?.type === 'resend' }];
  });
  return { seen, escalations };
}

/** Counted as it stands in the plan for the others: not to be moved by a setpoint, or not to be told one. */
const keepsItsCurrent = ({ stand, observation }: Seen): boolean =>
  stand.standing !== 'obeying' || (observation?.startsAt !== undefined && !observation.transactionOpen);

function wishesOf(
  seen: readonly Seen[],
  shares: ReadonlyMap<number, Share>,
  noRaise: (index: number) => boolean,
  candidates: ReadonlyMap<number, Candidate>,
  strategy: keyof typeof ORDERS,
): readonly Wish[] {
  const wishes: Wish[] = [];
  const wish = (index: number): void => {
    const one = seen[index];
    if (one?.observation?.link !== 'connected') return;
    const target = shares.get(index)?.target ?? targetOutside(one);
    if (target === undefined) return;
    const raiseEvery = one.observation.raiseEvery ?? 0;
    wishes.push({ outlet: index, target, noRaise: noRaise(index), repeat: one.repeat, raiseEvery });
  };
  for (const candidate of [...candidates.values()].sort(ORDERS[strategy])) wish(candidate.outlet);
  seen.forEach((_, index) => candidates.has(index) || wish(index));
  return wishes;
}

/** What an EVSE that takes no part in the division is told: to pause, or what it was told last. */
function targetOutside({ observation, state, stand, benched, outlet }: Seen): number | undefined {
  if (observation?.startsAt !== undefined && !observation.transactionOpen) return undefined;
  const upper = Math.min(observation?.upperBound ?? 0, outlet.evse.maxCurrent);
  const mayCharge = observation?.wantsEnergy === true && !benched && upper >= outlet.evse.minCurrent;
  return mayCharge && stand.standing !== 'obeying' ? Math.min(state.sent ?? 0, upper) : 0;
}

function fallbackOf(outlet: Outlet | undefined): Triple {
  const on = (bit: number): number => ((outlet?.wired ?? 0) & bit ? (outlet?.evse.fallbackCurrent ?? 0) : 0);
  return [on(1), on(2), on(4)];
}

const worstIf = (one: Seen | undefined, obeying: boolean): Triple | undefined =>
  (one?.stand.standing === 'obeying') === obeying ? one?.stand.worst : undefined;

function sumByCircuit(network: Network, of: (index: number) => Triple | undefined): readonly Triple[] {
  const sums = network.circuits.map((): [number, number, number] => [0, 0, 0]);
  network.outlets.forEach((outlet, index) => {
    const add = of(index);
    if (add === undefined) return;
    for (const row of outlet.path) {
      const sum = sums[row];
      if (sum === undefined) continue;
      sum[0] += add[0];
      sum[1] += add[1];
      sum[2] += add[2];
    }
  });
  return sums;
}
