// A simulated cloud: it answers as a CSMS does and keeps books of every transaction, to be compared with the chargers' own.
import type { CallHandler, OcppConnection, OcppVersion, Payload } from '../adapters/ocpp-j/contract.js';
import type { Clock } from '../gateway/kernel/clock.js';
import { emptyBook, type CsmsBook } from './csms-book.js';
import { csms16 } from './csms-ocpp16.js';
import { csms201 } from './csms-ocpp201.js';

export interface SimulatedCsmsSettings {
  readonly name: string;
  readonly version: OcppVersion;
  readonly clock: Clock;
  /** Tokens this cloud accepts; absent: all. */
  readonly knownTokens?: readonly string[];
}

export class SimulatedCsms {
  readonly book: CsmsBook = emptyBook();
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

  /** An older connection that ends later changes nothing. */
  detach(connection: OcppConnection): void {
    if (this.#connection === connection) this.#connection = undefined;
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
