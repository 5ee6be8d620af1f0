// The steps of commissioning, what each is shown of the site, and how it ends. Times are monotonic; currents in A per conductor.
import type { Milliseconds } from '../kernel/units.js';
import type { Phase } from '../site/topology.js';

export const STEPS = ['communication', 'setpoint', 'pause', 'watchdog', 'phases'] as const;
export type Step = (typeof STEPS)[number];

/** Of L1, L2 and L3 of a charger, or of the grid. */
export type Conductors = readonly [number, number, number];

export interface Sample {
  readonly current: Conductors;
  /** When it arrived. */
  readonly at: Milliseconds;
}

/** What the charger does by itself when it hears nothing more. */
export type Silence =
  | { readonly kind: 'keeps-its-limit'; readonly note: string }
  /** An OCPP charger: by a default profile that it has, or has not, confirmed. */
  | { readonly kind: 'default-profile'; readonly confirmed: boolean }
  /** It acts, but nobody says when. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'falls-back'; readonly after: Milliseconds };

/** What came of leaving a charger without what its watchdog wants. */
export type Starved =
  | { readonly status: 'ended'; readonly current: Conductors }
  | { readonly status: 'interrupted'; readonly detail: string };

export interface Seen {
  readonly connected: boolean;
  /** What the charger said of itself when it came. */
  readonly inventory?: string;
  readonly faulted?: string;
  /** A car has an open transaction and may have energy. */
  readonly charging: boolean;
  /** What the charger has confirmed that it offers. */
  readonly offered?: number;
  /** On the charger's own conductors. */
  readonly draws?: Sample;
  /** The nearest meter above the charger, on grid phases. */
  readonly meter?: Sample & { readonly name: string };
  readonly minimum: number;
  readonly fallback: number;
  /** The grid phases that its conductors are on in site.yaml; only their number counts where the rotation is unknown. */
  readonly wired: readonly Phase[];
  readonly rotationKnown: boolean;
  readonly lineToLine: boolean;
  readonly silence: Silence;
  /** Only after `starve` was asked for. */
  readonly starved?: Starved;
}

export type End = 'passed' | 'failed' | 'skipped' | 'needs-car';

export interface Result {
  readonly state: End;
  readonly detail: string;
}

/** What a step wants of the site until the next moment. */
export interface Wish<State> {
  readonly state: State;
  /** The EVSE gets at most this, in A; absent: what load balancing gives it. Never a raise. */
  readonly bound?: number;
  /** Every other EVSE gets at most what it had when the step began. */
  readonly steady?: boolean;
  /** From this moment on the charger's watchdog is not fed for so long. */
  readonly starve?: Milliseconds;
}

export type Advance<State> = Wish<State> | { readonly end: Result };

export const ended = (state: End, detail: string): { readonly end: Result } => ({ end: { state, detail } });

export const worst = ({ current }: Sample): number => Math.max(...current);

/** For people. */
export const amperes = (current: number): string => `${Math.round(current * 10) / 10} A`;

/** Something flows. */
export const FLOWS = 1.5;
/** A car may take this much more than it is told. */
export const TOLERANCE = 1;
/** A car follows within 5 s (IEC 61851-1), and its charger tells with its next sample. */
export const SETTLE = 7000 as Milliseconds;
