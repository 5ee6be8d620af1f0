// What load balancing remembers from one plan to the next: plain data, replaced as a whole.
import type { EvseNumber } from '../kernel/ids.js';
import type { Timestamp } from '../kernel/units.js';
import type { BreakerDecision } from './breaker.js';
import type { Triple } from './conductors.js';
import type { Network, PhaseMask } from './network.js';
import type { EvseObservation } from './observation.js';

/** A setpoint on its way: it may be in force already, or never. */
export interface OpenCommand {
  readonly current: number;
  /** Where the EVSE switches phases: on how many. */
  readonly phases: 1 | 3 | undefined;
  readonly at: Timestamp;
  /** Sent without an answer; only a later confirmation ends the doubt. */
  readonly uncertain: boolean;
}

export interface EvseState {
  readonly evse: EvseNumber;
  /** The last setpoint the charger is known to hold; absent: it may take its maximum. */
  readonly confirmed?: number;
  readonly confirmedAt?: Timestamp;
  /** Where the EVSE switches phases: on how many it is known to charge; absent: on any that are wired. */
  readonly phases?: 1 | 3;
  /** In the order of sending. */
  readonly open: readonly OpenCommand[];
  /** The last setpoint sent; absent: none since the gateway started or the charger came back. */
  readonly sent?: number;
  readonly sentAt?: Timestamp;
  readonly sentPhases?: 1 | 3;
  readonly phasesSentAt?: Timestamp;
  /** Setpoints that its memory may still bear today, and since when that counts. */
  readonly budget?: { readonly left: number; readonly at: Timestamp };
  /** A car that has just been cut may still take `from`. */
  readonly settling?: {
    readonly from: number;
    /** It may still be on all its phases. */
    readonly wide: boolean;
    readonly since: Timestamp;
    readonly until: Timestamp;
    /** It was measured above the new setpoint after the cut was confirmed. */
    readonly seenAbove: boolean;
  };
  /** Refused or unanswered: not before this time again. */
  readonly retryAt?: Timestamp;
  /** A change of the link as far as it has been worked in. */
  readonly link: EvseObservation['link'];
  readonly lostAt?: Timestamp;
  /** Since when it takes more than it may, and which step against that was taken last. */
  readonly excess?: { readonly since: Timestamp; readonly step: number; readonly stepAt: Timestamp };
  readonly benchedUntil?: Timestamp;
  readonly session: Session;
}

/** What is only true of the car that is there now. All fields are always there: it is replaced often, for every car. */
export interface Session {
  readonly activeSince: Timestamp | undefined;
  readonly onSince: Timestamp | undefined;
  readonly offSince: Timestamp | undefined;
  readonly waitingSince: Timestamp | undefined;
  /** Time with a setpoint above 0 before `onSince`, in milliseconds. */
  readonly service: number;
  readonly pausedBefore: boolean;
  /** Until then the car may try its full upper bound. */
  readonly trialUntil: Timestamp | undefined;
  /** Highest measured worst phase of the last and of the running half minute. */
  readonly peak: { readonly last: number; readonly running: number; readonly since: Timestamp } | undefined;
  readonly idleSince: Timestamp | undefined;
  readonly phases: PhaseMask | undefined;
  readonly learning: { readonly phases: PhaseMask; readonly since: Timestamp } | undefined;
}

export const newSession: Session = {
  activeSince: undefined,
  onSince: undefined,
  offSince: undefined,
  waitingSince: undefined,
  service: 0,
  pausedBefore: false,
  trialUntil: undefined,
  peak: undefined,
  idleSince: undefined,
  phases: undefined,
  learning: undefined,
};

export interface CircuitState {
  readonly background: readonly { readonly at: Timestamp; readonly current: Triple }[];
  /** The last background, without what was only counted as such because of an overload. */
  readonly baseline?: Triple;
  readonly held: Triple;
  readonly readingAt?: Timestamp;
  readonly unchanged?: { readonly since: Timestamp; readonly current: Triple; readonly share: Triple };
  /** Thermal account of the breaker, 1 at its rating for ever. */
  readonly heat: Triple;
  readonly heatAt?: Timestamp;
  /** What the last reading asked of each phase. */
  readonly breaker: readonly [BreakerDecision, BreakerDecision, BreakerDecision];
  /** Since when a phase is measured so far above the rating that it must be shed. */
  readonly shedSince?: Timestamp;
}

export interface BalancingState {
  /** By index in the network's outlets. */
  readonly evses: readonly EvseState[];
  readonly circuits: readonly CircuitState[];
}

/**
 * The state at the start of the gateway.
 * @param remembered the setpoint each EVSE held at most when the gateway was last alive (`ceilings` of its last state); an
 *   EVSE that is not in it may take its maximum until it confirms a setpoint.
 */
export function initialBalancing(
  network: Network,
  now: Timestamp,
  remembered?: ReadonlyMap<EvseNumber, number>,
): BalancingState {
  const evses = network.outlets.map(({ evse }): EvseState => {
    const ceiling = remembered?.get(evse.number);
    return {
      evse: evse.number,
      ...(ceiling === undefined ? {} : { confirmed: Math.max(ceiling, evse.fallbackCurrent) }),
      open: [],
      link: 'unknown',
      lostAt: now,
      session: newSession,
    };
  });
  const circuits = network.circuits.map((): CircuitState => ({
    background: [],
    held: [0, 0, 0],
    heat: [0, 0, 0],
    breaker: ['hold', 'hold', 'hold'],
  }));
  return {
    evses,
    circuits,
  };
}
