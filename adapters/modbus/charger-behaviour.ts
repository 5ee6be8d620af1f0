// How one make of Modbus charger behaves, as data: states, limits, pauses, watchdog, phases, card reader. Part of its profile.

/** IEC 61851-1 state of an EVSE. B: a car is there, C: it takes energy (D counts as C), `starting`: the device is booting. */
export type EvseState = 'A' | 'B' | 'C' | 'E' | 'F' | 'starting';

export type Match =
  | number
  | string
  | { readonly bitsSet: number }
  | { readonly bitsClear: number }
  | { readonly oneOf: readonly (number | string)[] }
  | { readonly from: number; readonly to: number };

/** By register; all have to match. */
export type Condition = Readonly<Record<string, Match>>;

/** The first rule whose every register matches decides. */
export interface StateRule {
  readonly when: Condition;
  readonly is: EvseState;
}

export interface RegisterWrite {
  readonly register: string;
  readonly value: number;
}

/** How a device shows that it took a setpoint. */
export interface Confirmation {
  readonly register: string;
  /** `equals`: holds the value written; `at-most`: what the device applies does not exceed it. */
  readonly rule: 'equals' | 'at-most';
  /** What it shows, where that is not the limit. */
  readonly value?: number;
  /** In ampere; absent: 0.05 A. */
  readonly slack?: number;
}

export interface CurrentControl {
  /** The register of the current limit per phase, or of the power limit of all phases (`unit: W`). */
  readonly setpoint: string;
  /** Registers of the same limit for the other phases, where each has its own. */
  readonly alsoSet: readonly string[];
  /** Written before the setpoint when energy is to flow again. */
  readonly before: readonly RegisterWrite[];
  /** Step of the setpoint in ampere; limits are rounded down to it. */
  readonly step: number;
  /** Range of the setpoint in ampere; a limit below `min` pauses. */
  readonly min: number;
  readonly max: number;
  /** Register of the largest limit that this very device takes, in ampere; 0 says nothing. */
  readonly deviceMax?: string;
  /** Milliseconds from one setpoint to the next. */
  readonly intervalMs?: number;
  /** Written, in this order, to stop the energy. */
  readonly pause: readonly RegisterWrite[];
  /** Written after it. */
  readonly resume: readonly RegisterWrite[];
  readonly confirmLimit: readonly Confirmation[];
  readonly confirmPause: readonly Confirmation[];
}

/** What the device does by itself when it hears nothing more. */
export type Watchdog =
  | { readonly kind: 'none'; readonly note: string }
  /** Nobody needs to do anything: any request in time keeps it from acting. */
  | (Falling & { readonly kind: 'any-traffic' })
  /** The setpoint expires unless it is written again; `remaining`: seconds that the last one stays valid. */
  | (Falling & { readonly kind: 'rewrite-setpoint'; readonly remaining?: string })
  /** A time-out register that restarts the clock with every write. */
  | (Falling & { readonly kind: 'rewrite-timeout'; readonly timeout: string })
  /** A register that a certain value has to be written to. */
  | (Falling & { readonly kind: 'write-token'; readonly register: string; readonly token: number });

/** How a watchdog is fed, and what it does when it is not. */
interface Falling {
  readonly refreshSeconds: number;
  /** Until it acts: as the gateway writes it where there is a time-out register to write, as delivered otherwise. Infinity: not known. */
  readonly seconds: number;
  readonly timeout?: string;
  /** Where the device shows the time-out that it has taken. */
  readonly timeoutReadBack?: string;
  /** The current (or power) that it falls back to: written by the gateway where it can be, set in the device otherwise. */
  readonly fallbackCurrent?: string;
  readonly fallbackCurrentReadBack?: string;
  /** Written after time-out and fallback current: what switches it on. */
  readonly enable: readonly RegisterWrite[];
  /** `full-power` (all it can give) and `unknown` are no protection: the gateway never counts on them. */
  readonly fallsTo: 'fallback-current' | 'stop' | 'full-power' | 'unknown';
}

export interface PhaseSwitch {
  readonly register: string;
  readonly one: number;
  readonly three: number;
  /** What a person has to fit or set before it works: told by `forecourt check` where site.yaml says phase-switching. */
  readonly requires?: string;
}

/** A card reader that the charger shows. */
export interface Reader {
  /** Register of the last card: text, or a number that is read in hexadecimal. Empty or 0 between cards, or as it was. */
  readonly token: string;
  /** Counts the cards, so that the same one is seen twice. */
  readonly counter?: string;
  /** Bytes that the card's number has, of a token in hexadecimal. */
  readonly length?: string;
}

/** What brings it back from a state that it does not leave by itself. The limit is told anew after it. */
export interface Recovery {
  readonly when: Condition;
  readonly write: readonly RegisterWrite[];
}
