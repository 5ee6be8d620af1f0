// A simulated cloud: it answers as a CSMS does and keeps books of every transaction, to be compared with the chargers' own.
import type { CallHandler, OcppConnection, OcppVersion, Payload } from '../adapters/ocpp-j/contract.js';
import type { Clock } from '../gateway/kernel/clock.js';
import { csms16 } from './csms-ocpp16.js';
import { csms201 } from './csms-ocpp201.js';

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

export interface SimulatedCsmsSettings {
  readonly name: string;
  readonly version: OcppVersion;
  readonly clock: Clock;
  /** Tokens this cloud accepts; absent: all. */
  readonly knownTokens?: readonly string[];
}

export class SimulatedCsms {
  readonly book: CsmsBook = {
    transactions: new Map(),
    statuses: new Map(),
    boots: 0,
    strays: [],
    counts: new Map(),
  };
  readonly handler: CallHandler;
  #connection: OcppConnection | undefined;

  constructor(readonly settings: SimulatedCsmsSettings) {
    const known = settings.knownTokens?.map((token) => token.toLowerCase());
    const accepts = (token: string): boolean => known === undefined || known.includes(token.toLowerCase());
    const answer =
      settings.version === 'ocpp1.6'
        ? csms16(this.book, settings.clock, accepts)
        : csms201(this.book, settings.clock, accepts);
    this.handler = (call) => {
      this.book.counts.set(call.action, (this.book.counts.get(call.action) ?? 0) + 1);
      return Promise.resolve({ kind: 'result', payload: answer(call.action, call.payload) });
    };
  }

  attach(connection: OcppConnection): void {
    this.#connection = connection;
  }

  get connected(): boolean {
    return this.#connection?.open ?? false;
  }

  /** Cuts the uplink: the socket breaks without a word. */
  cut(): void {
    this.#connection?.terminate();
    this.#connection = undefined;
  }

  /**
   * Sends a command to the site.
   * @returns the payload of the answer; undefined where there was none
   */
  async command(action: string, payload: Payload): Promise<Payload | undefined> {
    const outcome = await this.#connection?.call(action, payload, { timeout: 30_000 });
    return outcome?.kind === 'result' ? outcome.payload : undefined;
  }
}
