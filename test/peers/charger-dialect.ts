// What a charger does, whatever version it speaks.
import type { Changes } from './changes.js';
import type { Reaction } from './reactions.js';
import type { Payload } from './wire-record.js';

export interface Wiring {
  call(action: string, payload: Payload): Promise<Payload>;
  /** Wh on the meter. */
  readonly register: number;
  readonly smartCharging: boolean;
  readonly phaseSwitching: boolean;
  readonly obeysRemoteStart: boolean;
  readonly changes: Changes;
}

export interface StartOptions {
  readonly idToken: string;
  readonly remoteStartId?: number;
  readonly reservationId?: number;
  readonly offline?: boolean;
  readonly at?: Date;
}

export interface StopOptions {
  /** 1.6 word; the 2.0.1 charger says its own. */
  readonly reason?: 'Local' | 'Remote' | 'EVDisconnected' | 'PowerLoss' | 'DeAuthorized';
  readonly idToken?: string;
  readonly offline?: boolean;
  readonly at?: Date;
  /** 1.6: instead of the id that it was given. */
  readonly transactionId?: number;
}

/** A limit that is in force, as the charger understands what it was given. */
export interface Limit {
  readonly purpose: string;
  readonly current: number;
  readonly transaction: boolean;
  /** numberPhases, where it is said. */
  readonly phases?: number;
  readonly phaseToUse?: number;
}

/** The phases on which it charges with that limit. */
export const phasesOf = (limit: Limit | undefined): readonly ('L1' | 'L2' | 'L3')[] =>
  limit?.phases === 1 ? ['L1'] : ['L1', 'L2', 'L3'];

/** One EVSE with one connector. */
export interface ChargerDialect {
  /** Wh; `charge` moves it on. */
  readonly register: number;
  /** Of the transaction that is open. */
  readonly transaction: string | undefined;
  /** What SetChargingProfile has left, newest last. */
  readonly limits: readonly Limit[];
  readonly settings: ReadonlyMap<string, string>;
  /** How many transactions began since the charger was made. */
  readonly starts: number;
  react(action: string, payload: Payload): Promise<Reaction> | Reaction;
  boot(): Promise<Payload>;
  heartbeat(): Promise<Payload>;
  available(): Promise<void>;
  plug(): Promise<void>;
  unplug(): Promise<void>;
  unavailable(): Promise<void>;
  faulted(): Promise<void>;
  /** Whether the driver is let in, in the words of the version. */
  authorize(idToken: string): Promise<string>;
  /** Begins a transaction and charges; the answer is what is said of the token. */
  start(options: StartOptions): Promise<string>;
  /** The meter moves on by `wattHours` and is told with the current of each phase. */
  charge(wattHours: number, current?: number, at?: Date): Promise<void>;
  suspendedByCar(): Promise<void>;
  suspendedBySite(): Promise<void>;
  resume(): Promise<void>;
  stop(options?: StopOptions): Promise<void>;
}
