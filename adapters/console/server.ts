// The console's HTTP server on the loopback address. A port that is taken keeps nothing from working: it is tried again.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { CancelTimer } from '../../gateway/kernel/clock.js';
import { FAULTS } from '../../gateway/kernel/faults.js';
import { seconds } from '../../gateway/kernel/units.js';
import type { SiteConsole } from '../../gateway/ports/console.js';
import type { AdapterContext } from '../../gateway/ports/station.js';
import { problem, type Caller, type ConsoleAnswer, type ConsoleRoute } from '../../gateway/ports/console-routes.js';
import { dispatch } from './dispatch.js';
import { EventStreams, MOST_STREAMS } from './event-streams.js';
import { isLoopbackName, refusal } from './guard.js';
import { LiveFeed } from './live.js';
import { openMetrics, type Metrics } from './metrics.js';
import { openPage } from './page.js';
import { siteRoutes } from './routes.js';
import { send } from './send.js';

const TRY_AGAIN = seconds(30);
/** Beside the pages that look on, a few questions at a time. */
const MOST_CONNECTIONS = MOST_STREAMS + 64;
const LARGEST_HEADERS = 8 * 1024;
/** Milliseconds to send the headers, and the whole request. */
const HEADERS_WITHIN = 5_000;
const REQUEST_WITHIN = 15_000;
/** Milliseconds without a byte in either direction. */
const SILENCE = 30_000;

export interface ConsoleServer {
  /** The port, while it is open. */
  readonly port: number | undefined;
  close(): Promise<void>;
}

/** What the console has to offer. */
export interface ConsoleOffer {
  readonly site: SiteConsole;
  /** The addresses of further capabilities. */
  readonly routes?: readonly ConsoleRoute[];
  /** The folder of the page's files. */
  readonly page?: string;
}

/** Resolves when it listens, or could not for the first time. Never throws. */
export async function openConsole(
  listen: { readonly host: string; readonly port: number },
  offer: ConsoleOffer,
  { clock, log }: AdapterContext,
): Promise<ConsoleServer> {
  let metrics: Metrics | undefined;
  const { site, routes = [] } = offer;
  const live = new LiveFeed(site, clock);
  const streams = new EventStreams(clock);
  const open = {
    routes: [...siteRoutes(site, () => (metrics ??= openMetrics(site)), live), ...routes],
    page: openPage(offer.page),
    recognise: (request: IncomingMessage): Caller => ({
      name: 'console',
      role: 'operator',
      address: request.socket.remoteAddress ?? '',
    }),
    isLocal: () => true,
  };
  const server = createServer({ maxHeaderSize: LARGEST_HEADERS }, (request, response) => {
    respond(request, response).catch((err: unknown) => {
      log.debug({ err, path: request.url }, 'an answer of the console was not taken to its end');
      response.destroy();
    });
  });
  server.headersTimeout = HEADERS_WITHIN;
  server.requestTimeout = REQUEST_WITHIN;
  server.maxConnections = MOST_CONNECTIONS;
  server.timeout = SILENCE;

  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let answer: ConsoleAnswer;
    try {
      answer = refusal(request, isLoopbackName) ?? (await dispatch(open, request)).answer;
      if (answer.kind === 'events' && streams.full)
        answer = problem(503, `${MOST_STREAMS} pages look on already`, 'close some of them', { 'retry-after': '30' });
    } catch (err) {
      log.error({ err, path: request.url }, 'the console could not answer');
      answer = problem(500, 'the gateway could not answer', 'the log says why; keep it: this is a defect');
    }
    // A body that nobody read would be taken for the next request.
    if (!request.complete) response.shouldKeepAlive = false;
    await send(response, answer, streams, () => true);
  };

  let retry: CancelTimer = () => undefined;
  let closed = false;
  const attempt = async (first: boolean): Promise<void> => {
    const failure = await listening(server, listen.host, listen.port);
    if (failure === undefined) {
      log.info({ address: addressOf(server) }, 'the console listens');
      return;
    }
    if (first)
      log.warn(
        { err: failure, fault: FAULTS.consoleUnavailable.code, address: `${listen.host}:${listen.port}` },
        'the console cannot listen; the gateway works without it, and it is tried again',
      );
    if (!closed) retry = clock.after(TRY_AGAIN, () => void attempt(false));
  };
  await attempt(true);

  return {
    get port() {
      const address = server.address();
      return typeof address === 'object' && address !== null ? address.port : undefined;
    },
    async close() {
      closed = true;
      retry();
      metrics?.close();
      if (!server.listening) return;
      const ended = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await ended;
    },
  };
}

/** @returns why it does not listen */
function listening(server: Server, host: string, port: number): Promise<Error | undefined> {
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
