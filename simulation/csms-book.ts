// The book a simulated cloud keeps: every transaction it was told of, and everything that should not have happened.
import type { Payload } from '../adapters/ocpp-j/contract.js';

/** Answers one CALL and enters it in the book. */
export type Answerer = (action: string, payload: Payload) => Payload;

/** What a cloud knows of one transaction; times in RFC 3339 as received, energies in Wh. */
export interface BookedTransaction {
  /** Its id in this cloud: the integer it issued, or the station's UUID. */
  readonly id: string;
  /** The station's connector (1.6) or EVSE (2.0.1), as the cloud sees it. */
  readonly slot: number;
  idToken: string | undefined;
  startedAt: string | undefined;
  meterStart: number | undefined;
  endedAt: string | undefined;
  meterStop: number | undefined;
  reason: string | undefined;
  /** Energy registers of the samples in between, in the order received. */
  readonly samples: number[];
  /** Messages that said the same again. */
  repeated: number;
  /** What came in an impossible order, or after the end. */
  readonly faults: string[];
  seqNo: number;
}

export interface CsmsBook {
  readonly transactions: Map<string, BookedTransaction>;
  /** Last status by slot; 0 is the station itself. */
  readonly statuses: Map<string, string>;
  boots: number;
  /** Messages that belong to no transaction this cloud knows. */
  readonly strays: string[];
  /** Every CALL received, by action. */
  readonly counts: Map<string, number>;
}

export const emptyBook = (): CsmsBook => ({
  transactions: new Map(),
  statuses: new Map(),
  boots: 0,
  strays: [],
  counts: new Map(),
});
