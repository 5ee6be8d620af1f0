// One plan: what every EVSE is told now, so that no circuit is exceeded whatever the chargers do with it.
import type { Timestamp } from '../kernel/units.js';
import { withArrivals } from './arrivals.js';
import type { Seen } from './candidate.js';
import { addLegs, layoutOf, rowsOf, type Layout } from './capacity.js';
import { currentsOn, LEGS, type Triple } from './conductors.js';
import { divide, type Division } from './division.js';
import { candidatesOf, observe, type Findings } from './findings.js';
import { headrooms, type Sums } from './headroom.js';
import { Moment } from './moment.js';
import { evenly, type Network } from './network.js';
import type { Snapshot } from './observation.js';
import { keepsItsCurrent, leftAfter, targetsOutside } from './outside.js';
import { release, type LimitCommand, type Wishes } from './release.js';
import { circuitReports, evseReport, type BalancingReport, type CircuitReport } from './report.js';
import { defaultSettings, type BalancingSettings } from './settings.js';
import type { Candidate, Shares } from './share.js';
import { worstOf, type Escalation } from './standing.js';
import type { BalancingState } from './state.js';

export interface Plan {
  readonly state: BalancingState;
  /** To be sent now, in any order; the outcome of each goes to `confirmed` or `failed`. */
  readonly commands: readonly LimitCommand[];
  /** Steps against chargers that do not react; `resend` and `pause` are among the commands already. */
  readonly escalations: readonly Escalation[];
  /** What the next plan need not find out again. */
  readonly findings: Known;
  /** Why everything is as it is; worked out when asked for, since most plans are never looked at. */
  report(): BalancingReport;
  /** Its part about the circuits, without the explanation of every EVSE. */
  circuits(): readonly CircuitReport[];
}

/**
 * Decides the setpoint of every EVSE. Pure; called about once a second and after every event that matters. The same
 * input again answers no command.
 * @param before the last plan: with it only what has changed is looked at again, and the answer is the same
 */
export function plan(
  network: Network,
  state: BalancingState,
  snapshot: Snapshot,
  now: Timestamp,
  settings: BalancingSettings = defaultSettings,
  before?: Plan,
): Plan {
  const moment = new Moment(now);
  const known = stillTrue(before?.findings, network, settings, now);
  const found = observe(network, state, snapshot, moment, settings, known);
  const { seen } = found;
  const sums = found.same && known !== undefined ? known.sums : sumsOf(network, seen);
  const measured = headrooms(network, state, snapshot, sums, now, settings);
  const layout = layoutOf(network, snapshot.caps ?? [], known?.layout);
  const rows = withArrivals(rowsOf(layout, measured.headrooms), seen);
  const taking = candidatesOf(network, found, measured.headrooms, moment, settings, known);
  const { late, order } = taking;

  const divisible = {
    order,
    rows,
    left: leftAfter(seen, rows, keepsItsCurrent),
    moving: measured.headrooms.map(({ meter }) => meter === 'live' || meter === 'stale'),
    uneven: unevenOf(seen),
  };
  const division = divide(divisible, network.outlets, network.policy, known?.division);
  const { shares } = division;
  const outside = targetsOutside(seen, (outlet) => shares.cause[outlet] !== undefined, rows, network, moment, settings);
  const wishes = wishesOf(shares, outside, late, order);
  const released = release(seen, wishes, rows, now, settings);

  const granted = (obeying: boolean): readonly Triple[] => sumsByPhase(network, seen, obeying);
  const reported: { circuits?: readonly CircuitReport[] } = {};
  const circuits = (): readonly CircuitReport[] =>
    (reported.circuits ??= circuitReports(
      network,
      measured.headrooms,
      measured.circuits,
      granted(false),
      granted(true),
    ));
  const report = (): BalancingReport => {
    const failsafe = snapshot.gridOperator?.failsafe ?? false;
    const { caps } = layout;
    const scene = { network, caps, rows, headrooms: measured.headrooms, reserved: granted(false), failsafe };
    const wished = new Set(wishes.sequence);
    return {
      evses: seen.map((one, index) =>
        evseReport(scene, one, {
          sent: released.states[index]?.sent,
          cause: shares.cause[index],
          target: wished.has(index) ? (wishes.target[index] ?? 0) : one.stand.ceiling,
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
  };
  const { states, seenUntil, same } = found;
  const findings = { ...taking, network, settings, at: now, seen, states, seenUntil, same, sums, layout, division };
  return { state: next, commands: released.commands, escalations: found.escalations, findings, report, circuits };
}

/** What was found of EVSEs, circuits and the division, for the next plan. */
interface Known extends Findings {
  readonly sums: Sums;
  readonly layout: Layout;
  readonly division: Division;
}

/** Findings are of one site under the same settings, and time does not go back. */
const stillTrue = (
  findings: Known | undefined,
  network: Network,
  settings: BalancingSettings,
  now: Timestamp,
): Known | undefined =>
  findings?.network === network && findings.settings === settings && now >= findings.at ? findings : undefined;

/** What one- and two-phase EVSEs take that are told nothing else, in A per phase. */
function unevenOf(seen: readonly Seen[]): Triple {
  const sums: [number, number, number] = [0, 0, 0];
  for (const one of seen) {
    if (one.stand.vacant || !keepsItsCurrent(one) || one.outlet.lineToLine || one.stand.phases === 7) continue;
    const worst = worstOf(one.stand);
    for (let phase = 0; phase < 3; phase++) sums[phase] = (sums[phase] ?? 0) + (worst[phase] ?? 0);
  }
  return sums;
}

function wishesOf(
  shares: Shares,
  outside: ReadonlyMap<number, number>,
  late: readonly boolean[],
  order: readonly Candidate[],
): Wishes {
  const target = Float64Array.from(shares.target);
  for (const [outlet, wish] of outside) target[outlet] = wish;
  const sequence = Int32Array.from([...order.map(({ outlet }) => outlet), ...outside.keys()]);
  return { sequence, target, phases: shares.phases, late };
}

/** What EVSEs do of what the meters show. */
function sumsOf(network: Network, seen: readonly Seen[]): Sums {
  const size = network.circuits.length * LEGS;
  const empty = (): Float64Array => new Float64Array(size);
  const sums = { share: empty(), known: empty(), most: empty() };
  for (const { outlet, stand } of seen) {
    const { metered, lineToLine } = outlet;
    if (metered.length === 0 || stand.vacant) continue;
    addLegs(sums.share, metered, lineToLine, stand.share);
    addLegs(sums.known, metered, lineToLine, stand.measured ? stand.share : evenly(stand.phases, stand.ceiling));
    addLegs(sums.most, metered, lineToLine, stand.most === 'share' ? stand.share : evenly(stand.phases, stand.most));
  }
  return sums;
}

/** What the EVSEs that obey, or the others, may take on each conductor of each circuit. */
function sumsByPhase(network: Network, seen: readonly Seen[], obeying: boolean): readonly Triple[] {
  const sums = new Float64Array(network.circuits.length * LEGS);
  for (const { outlet, stand } of seen)
    if (!stand.vacant && (stand.standing === 'obeying') === obeying)
      addLegs(sums, outlet.path, outlet.lineToLine, worstOf(stand));
  return network.conductors.map((conductors, row) => currentsOn(conductors, sums, row * LEGS));
}
