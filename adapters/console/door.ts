// One address that the console listens at. A port that is taken keeps nothing from working: it is tried again.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { CancelTimer } from '../../gateway/kernel/clock.js';
import { FAULTS } from '../../gateway/kernel/faults.js';
import { seconds } from '../../gateway/kernel/units.js';
import type { AdapterContext } from '../../gateway/ports/station.js';
import { MOST_STREAMS } from './event-streams.js';

const TRY_AGAIN = seconds(30);
/** Beside the pages that look on, a few questions at a time. */
const MOST_CONNECTIONS = MOST_STREAMS + 64;
const LARGEST_HEADERS = 8 * 1024;
/** Milliseconds to send the headers, and the whole request. */
const HEADERS_WITHIN = 5_000;
const REQUEST_WITHIN = 15_000;
/** Milliseconds without a byte in either direction. */
const SILENCE = 30_000;

export class Door {
  readonly #at: { readonly host: string; readonly port: number };
  readonly #server: Server;
  readonly #context: AdapterContext;
  #retry: CancelTimer = () => undefined;
  #closed = false;

  constructor(
    at: { readonly host: string; readonly port: number },
    handle: (request: IncomingMessage, response: ServerResponse) => void,
    context: AdapterContext,
  ) {
    this.#at = at;
    this.#context = context;
    this.#server = createServer({ maxHeaderSize: LARGEST_HEADERS }, handle);
    this.#server.headersTimeout = HEADERS_WITHIN;
    this.#server.requestTimeout = REQUEST_WITHIN;
    this.#server.maxConnections = MOST_CONNECTIONS;
    this.#server.timeout = SILENCE;
  }

  /** While it is open. */
  get port(): number | undefined {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : undefined;
  }

  /** Resolves when it listens, or could not for the first time. Never throws. */
  open(): Promise<void> {
    return this.#attempt(true);
  }

  /** Lets nobody in any more, from this moment; whoever is in may stay. */
  shut(): void {
    this.#closed = true;
    this.#retry();
    if (this.#server.listening) this.#server.close();
  }

  async close(): Promise<void> {
    const { listening } = this.#server;
    const ended = new Promise<void>((resolve) => this.#server.once('close', resolve));
    this.shut();
    this.#server.closeAllConnections();
    if (listening) await ended;
  }

  async #attempt(first: boolean): Promise<void> {
    const { clock, log } = this.#context;
    const { host, port } = this.#at;
    const failure = await listen(this.#server, host, port);
    if (failure === undefined) {
      log.info({ address: addressOf(this.#server) }, 'the console listens');
      return;
    }
    if (first)
      log.warn(
        { err: failure, fault: FAULTS.consoleUnavailable.code, address: `${host}:${port}` },
        'the console cannot listen; the gateway works without it, and it is tried again',
      );
    if (!this.#closed) this.#retry = clock.after(TRY_AGAIN, () => void this.#attempt(false));
  }
}

/** @returns why it does not listen */
function listen(server: Server, host: string, port: number): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const settle = (failure?: Error): void => {
      server.off('error', settle);
      server.off('listening', settle);
      resolve(failure);
    };
    server.once('error', settle);
    server.once('listening', () => settle());
    server.listen(port, host);
  });
}

function addressOf(server: Server): string {
  const address = server.address();
  return typeof address === 'object' && address !== null ? `${address.address}:${address.port}` : String(address);
}
