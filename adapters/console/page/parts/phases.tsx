// The current of one conductor against what it may carry: a number, a bar, and a mark where it may be less than the bar's end.
import type { JSX } from 'preact';
import type { CircuitSummary } from '../../../../gateway/ports/console.js';
import { amperes, rating } from '../format.js';
import { loadOf, PHASES, type Load } from '../standing.js';

interface ConductorProps {
  readonly phase: string;
  readonly current_A: number | undefined;
  /** The end of the bar: a breaker's rating, or the most that an EVSE can take. */
  readonly scale_A: number;
  /** What it may carry now, where that is less. */
  readonly limit_A?: number | undefined;
  /** The part that does not charge cars. */
  readonly background_A?: number | undefined;
  /** Says what it may carry after the number. */
  readonly showLimit?: boolean;
  /** A breaker close to its limit is worth a look; an EVSE at its limit is as it should be. */
  readonly watched?: boolean;
}

const WORDS: Readonly<Record<Load, string>> = { normal: '', close: ', close to its limit', over: ', over its limit' };
const MARKS: Readonly<Record<Load, string>> = { normal: '', close: '▲', over: '!' };

export function Conductor(props: ConductorProps): JSX.Element {
  const { phase, current_A, scale_A, limit_A = scale_A, background_A, showLimit = false, watched = false } = props;
  const limit = Math.min(limit_A, scale_A);
  const load = current_A === undefined || !watched ? 'normal' : loadOf(current_A, limit_A);
  const part = (value_A: number): number => Math.round(Math.min(1, Math.max(0, value_A / scale_A)) * 1000) / 10;
  const own = Math.min(background_A ?? 0, current_A ?? 0);
  return (
    <div class={`conductor is-${current_A === undefined ? 'dark' : load}`} role="cell">
      <span class="phase" aria-hidden="true">
        {phase}
      </span>
      <span class="amperes">
        <span class="hidden">{phase} </span>
        {amperes(current_A)}
        <span class="hidden">{current_A === undefined ? 'not measured' : ` A${WORDS[load]}`}</span>
        {load !== 'normal' && (
          <b class="mark" aria-hidden="true">
            {MARKS[load]}
          </b>
        )}
        {showLimit && <small> / {rating(limit_A)}</small>}
      </span>
      <svg class="scale" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" focusable="false">
        <rect class="ground" width="100" height="8" />
        {current_A !== undefined && (
          <>
            <rect class="flow" width={part(current_A)} height="8" />
            <rect class="background" width={part(own)} height="8" />
          </>
        )}
        {limit < scale_A && (
          <>
            <rect class="barred" x={part(limit)} width={100 - part(limit)} height="8" />
            <rect class="limit" x={Math.max(0, part(limit) - 0.6)} width="1.2" height="8" />
          </>
        )}
      </svg>
    </div>
  );
}

interface CircuitConductorsProps {
  readonly breaker_A: number;
  /** Undefined before the first plan. */
  readonly standing: CircuitSummary['standing'];
}

export const CircuitConductors = ({ breaker_A: scale_A, standing }: CircuitConductorsProps): JSX.Element => (
  <>
    {PHASES.map((phase) => (
      <Conductor
        key={phase}
        phase={phase}
        current_A={standing?.current_A[phase]}
        background_A={standing?.background_A[phase]}
        scale_A={scale_A}
        limit_A={standing?.limit_A}
        showLimit
        watched
      />
    ))}
  </>
);
