// Why every EVSE has the current it has, and how every circuit stands: what `forecourt explain` and the console show.
import type { CircuitId, EvseNumber } from '../kernel/ids.js';
import { ampere, type Ampere } from '../kernel/units.js';
import { perPhase, type PerPhase, type Phase } from '../site/topology.js';
import type { Cause } from './share.js';
import type { BreakerDecision } from './breaker.js';
import type { Seen } from './candidate.js';
import { rowName, type RowName, type Rows } from './capacity.js';
import type { Triple } from './conductors.js';
import type { Headroom, MeterHealth } from './headroom.js';
import { phasesOf, type Network } from './network.js';
import type { ProfileReference, SharedCap } from './observation.js';
import type { Standing } from './standing.js';
import type { CircuitState } from './state.js';

/** What holds an EVSE at its current. `where` names the circuit or cap and the phase. */
export type Because =
  | { readonly kind: 'idle' }
  /** Hardware, cable or a charging profile; `by` in the words of the observation. */
  | { readonly kind: 'upperBound'; readonly by?: string; readonly profile?: ProfileReference }
  | {
      readonly kind: 'belowMinimum';
      readonly by?: string;
      readonly profile?: ProfileReference;
      readonly minimum: Ampere;
    }
  | { readonly kind: 'demand' }
  /** It may have more, and its charger offers the car less by itself. */
  | { readonly kind: 'charger'; readonly offers: Ampere }
  | { readonly kind: 'full'; readonly where: RowName; readonly why: FullBecause }
  /** Not all can charge at their minimum: it waits for its turn. */
  | { readonly kind: 'rotation'; readonly where: RowName; readonly why: FullBecause }
  /** Its current is known, and still to be given up by another. */
  | { readonly kind: 'release'; readonly where: RowName }
  | { readonly kind: 'meterStale' }
  /** Charging stopped moments ago and resumes after the least pause. */
  | { readonly kind: 'pause' }
  | { readonly kind: 'unbalance' }
  | { readonly kind: 'benched' }
  | { readonly kind: Exclude<Standing, 'obeying'> };

/** Why a circuit is full: other cars and the building, or current kept for chargers that cannot be trusted. */
export type FullBecause = 'load' | 'reserve' | 'meterLost' | 'gridOperator' | 'gridOperatorLost';

export interface EvseReport {
  readonly evse: EvseNumber;
  readonly standing: Standing;
  /** What the plan wants it to have. */
  readonly target: Ampere;
  /** What it was told last; absent: nothing yet. */
  readonly sent?: Ampere;
  /** What it may take at most, and what is therefore counted on each of its phases. */
  readonly ceiling: Ampere;
  readonly phases: readonly Phase[];
  readonly because: Because;
}

export interface CircuitReport {
  readonly circuit: CircuitId;
  readonly limit: Ampere;
  readonly limitedBy: 'breaker' | 'gridOperator';
  readonly meter: MeterHealth;
  readonly background: PerPhase<Ampere>;
  /** What EVSEs may take together. */
  readonly slack: PerPhase<Ampere>;
  /** Kept for EVSEs that are not obeying. */
  readonly reserved: PerPhase<Ampere>;
  /** What the obeying ones may take. */
  readonly granted: PerPhase<Ampere>;
  /** Thermal account of the breaker: 1 at its rating for ever. */
  readonly heat: PerPhase<number>;
  readonly breaker: PerPhase<BreakerDecision>;
}

export interface BalancingReport {
  readonly evses: readonly EvseReport[];
  readonly circuits: readonly CircuitReport[];
  readonly failsafe: boolean;
}

const toPerPhase = (of: Triple): PerPhase<Ampere> =>
  perPhase((phase) => ampere(of[phase === 'L1' ? 0 : phase === 'L2' ? 1 : 2]));

function fullBecause({ headrooms, reserved, rows, failsafe }: Scene, cell: number): FullBecause {
  const row = rows.row[cell] ?? -1;
  const headroom = headrooms[row];
  if (headroom?.meter === 'lost') return 'meterLost';
  if (headroom?.limitedBy === 'gridOperator') return failsafe ? 'gridOperatorLost' : 'gridOperator';
  return (reserved[row]?.[rows.bounds[cell]?.conductor ?? 0] ?? 0) > 0 ? 'reserve' : 'load';
}

/** What all explanations of one plan refer to. */
export interface Scene {
  readonly network: Network;
  readonly caps: readonly SharedCap[];
  readonly rows: Rows;
  readonly headrooms: readonly Headroom[];
  readonly reserved: readonly Triple[];
  /** The grid operator is not heard, so the limit for that case holds. */
  readonly failsafe: boolean;
}

/** What the plan made of one EVSE. */
export interface Verdict {
  readonly sent: number | undefined;
  /** What decided its share; absent where it got none of what was divided. */
  readonly cause: Cause | undefined;
  readonly target: number;
  readonly waitingCell: number | undefined;
  readonly noRaise: boolean;
}

export function evseReport(scene: Scene, one: Seen, verdict: Verdict): EvseReport {
  const { state, stand } = one;
  return {
    evse: state.evse,
    standing: stand.standing,
    target: ampere(verdict.target),
    ...(verdict.sent === undefined ? {} : { sent: ampere(verdict.sent) }),
    ceiling: ampere(stand.ceiling),
    phases: phasesOf(one.outlet, stand.phases),
    because: because(scene, one, verdict),
  };
}

/** From a setpoint until its charger's own word tells of it, in ms. */
const CHARGER_FOLLOWS = 15_000;

function because(
  scene: Scene,
  { stand, state, observation, benched, outlet }: Seen,
  { sent, cause, target, waitingCell, noRaise }: Verdict,
): Because {
  const { network, caps, rows } = scene;
  if (stand.standing !== 'obeying') return { kind: stand.standing };
  if (observation?.wantsEnergy !== true) return { kind: 'idle' };
  if (benched) return { kind: 'benched' };
  const by = {
    ...(observation.boundBy !== undefined && { by: observation.boundBy }),
    ...(observation.boundByProfile && { profile: observation.boundByProfile }),
  };
  if (cause === undefined) return { kind: 'belowMinimum', ...by, minimum: outlet.evse.minCurrent };
  const behind = target > (sent ?? 0) + 1e-6;
  if (behind && noRaise) return { kind: 'meterStale' };
  if (behind && waitingCell !== undefined) return { kind: 'release', where: rowName(network, caps, rows, waitingCell) };
  if (cause.kind === 'full' || cause.kind === 'rotation') {
    const where = rowName(network, caps, rows, cause.cell);
    return { kind: cause.kind, where, why: fullBecause(scene, cause.cell) };
  }
  if (cause.kind === 'pause' && noRaise) return { kind: 'meterStale' };
  const { offers } = observation;
  if (offers !== undefined && offers.current < (sent ?? 0) - 1 && offers.at - (state.sentAt ?? 0) > CHARGER_FOLLOWS)
    return { kind: 'charger', offers: offers.current };
  return cause.kind === 'upperBound' ? { kind: 'upperBound', ...by } : { kind: cause.kind };
}

export function circuitReports(
  network: Network,
  headroom: readonly Headroom[],
  circuits: readonly CircuitState[],
  reserved: readonly Triple[],
  granted: readonly Triple[],
): readonly CircuitReport[] {
  const none: Triple = [0, 0, 0];
  const current = (value: number | undefined): Ampere => ampere(value ?? 0);
  return network.circuits.flatMap((circuit, index): CircuitReport[] => {
    const one = headroom[index];
    if (one === undefined) return [];
    const [L1, L2, L3] = circuits[index]?.heat ?? none;
    return [
      {
        circuit: circuit.id,
        limit: current(one.limit),
        limitedBy: one.limitedBy,
        meter: one.meter,
        background: toPerPhase(one.background),
        slack: toPerPhase(one.slack),
        reserved: toPerPhase(reserved[index] ?? none),
        granted: toPerPhase(granted[index] ?? none),
        heat: { L1, L2, L3 },
        breaker: { L1: one.breaker[0], L2: one.breaker[1], L3: one.breaker[2] },
      },
    ];
  });
}
