// One moment of whichever step runs: what it wants of the site until the next, or how it ended. Pure.
import type { Milliseconds } from '../kernel/units.js';
import { BEGIN, moveLimit, starve, type LimitState } from './limit-steps.js';
import { findPhases, type PhaseState } from './phase-step.js';
import { ended, type Result, type Seen, type Step } from './step.js';

export interface Run {
  readonly step: Step;
  readonly limit?: LimitState;
  readonly phase?: PhaseState;
}

export type Moment =
  | { readonly end: Result }
  | {
      readonly run: Run;
      readonly bound?: number;
      readonly steady?: boolean;
      readonly starve?: Milliseconds;
    };

export function advance(run: Run, seen: Seen, now: Milliseconds): Moment {
  switch (run.step) {
    case 'communication':
      return communication(seen);
    case 'phases': {
      const next = findPhases(run.phase, seen, now);
      if ('end' in next) return next;
      const { state, ...wish } = next;
      return { run: { ...run, phase: state }, ...wish };
    }
    case 'setpoint':
    case 'pause':
    case 'watchdog': {
      const limit = run.limit ?? BEGIN;
      const low = run.step === 'pause' ? 0 : seen.minimum;
      const next = run.step === 'watchdog' ? starve(limit, seen, now) : moveLimit(limit, seen, now, low);
      if ('end' in next) return next;
      const { state, ...wish } = next;
      return { run: { ...run, limit: state }, ...wish };
    }
  }
}

function communication({ connected, inventory, faulted }: Seen): { readonly end: Result } {
  if (!connected)
    return ended('failed', 'the charger does not answer: the log says why (forecourt status, deploy/MODBUS.md)');
  if (faulted !== undefined) return ended('failed', `it answers and is faulted: ${faulted}`);
  return ended('passed', inventory ?? 'it answers');
}
