// What an evening came to: the result of `forecourt simulate` as data.
import type { PerPhase, Site } from '../../gateway/site/topology.js';
import type { Outcome } from './breaker-account.js';
import type { VisitReport } from './visit-account.js';

export interface CircuitResult {
  readonly circuit: string;
  readonly breaker_A: number;
  readonly metered: boolean;
  /** Something hangs on it beside chargers and the circuits that it feeds. */
  readonly loaded: boolean;
  /** The most that was on it beside chargers, circuits below included, on the worst phase. */
  readonly building_A: number;
  readonly phases: PerPhase<{ readonly peak_A: number; readonly above_s: number; readonly outcome: Outcome }>;
  /** Energy that cars did not get because this circuit was full, and how many cars; not for the grid operator's limit. */
  readonly refused_Wh: number;
  readonly heldBack: number;
  /** Energy that cars did not get because the grid operator limited this circuit. */
  readonly refusedByOperator_Wh: number;
}

export interface RehearsalReport {
  /** No breaker was exceeded. */
  readonly ok: boolean;
  readonly site: string;
  readonly evses: number;
  readonly circuits: readonly CircuitResult[];
  readonly cars: readonly VisitReport[];
  /** The most cars at one moment. */
  readonly mostPlugged: number;
  readonly mostCharging: number;
}

export const evseCounts = (site: Site): number => site.stations.reduce((sum, { evses }) => sum + evses.length, 0);
