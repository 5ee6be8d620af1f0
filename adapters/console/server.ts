// The console's HTTP server: what it offers, to whom, and what becomes of a request.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { SiteConsole } from '../../gateway/ports/console.js';
import type { AdapterContext } from '../../gateway/ports/station.js';
import { problem, type ConsoleAnswer, type ConsoleRoute } from '../../gateway/ports/console-routes.js';
import type { ConsoleUsers } from '../../gateway/ports/console-users.js';
import { dispatch } from './dispatch.js';
import { Doors } from './doors.js';
import { EventStreams, MOST_STREAMS } from './event-streams.js';
import { isAddress, isLoopbackAddress, isLoopbackName, refusal } from './guard.js';
import { LiveFeed } from './live.js';
import { openMetrics, type Metrics } from './metrics.js';
import { openPage } from './page.js';
import { recogniser } from './recognise.js';
import { recordRoutes } from './record-routes.js';
import { siteRoutes } from './routes.js';
import { send } from './send.js';
import { userRoutes } from './user-routes.js';

export interface ConsoleServer {
  /** The port, while it is open. */
  readonly port: number | undefined;
  close(): Promise<void>;
}

/** What the console has to offer. */
export interface ConsoleOffer {
  readonly site: SiteConsole;
  readonly users: ConsoleUsers;
  /** What programs on the box prove themselves with; absent where it could not be written. */
  readonly localToken?: string;
  /** The addresses of further capabilities. */
  readonly routes?: readonly ConsoleRoute[];
  /** The folder of the page's files. */
  readonly page?: string;
}

/** Where it listens. */
export interface ConsoleListen {
  readonly host: string;
  readonly port: number;
  /** By which browsers may know it, beside its addresses. */
  readonly names: readonly string[];
}

/**
 * Listens on the box itself, and at `listen` as soon as there are users.
 * Resolves when it listens, or could not for the first time. Never throws.
 */
export async function openConsole(
  listen: ConsoleListen,
  offer: ConsoleOffer,
  context: AdapterContext,
): Promise<ConsoleServer> {
  const { clock, log } = context;
  let metrics: Metrics | undefined;
  const { site, users, routes = [] } = offer;
  const live = new LiveFeed(site, clock);
  const streams = new EventStreams(clock);
  const names = new Set(listen.names.map((name) => name.toLowerCase()));
  const open = {
    routes: [
      ...siteRoutes(site, () => (metrics ??= openMetrics(site)), live),
      ...recordRoutes(site),
      ...userRoutes(site.site, users),
      ...routes,
    ],
    page: openPage(offer.page),
    recognise: recogniser(users, offer.localToken),
    isLocal: ({ socket }: IncomingMessage) => isLoopbackAddress(socket.remoteAddress ?? ''),
  };
  // Without users everything is open, and only to those who ask for the box itself.
  const isOurName = (name: string): boolean =>
    isLoopbackName(name) || (users.exist && (isAddress(name) || names.has(name)));

  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let stays = (): boolean => false;
    let answer: ConsoleAnswer;
    try {
      const refused = refusal(request, isOurName);
      if (refused === undefined) ({ answer, stays } = await dispatch(open, request));
      else answer = refused;
      if (answer.kind === 'events' && streams.full)
        answer = problem(503, `${MOST_STREAMS} pages look on already`, 'close some of them', { 'retry-after': '30' });
    } catch (err) {
      log.error({ err, path: request.url }, 'the console could not answer');
      answer = problem(500, 'the gateway could not answer', 'the log says why; keep it: this is a defect');
    }
    // A body that nobody read would be taken for the next request.
    if (!request.complete) response.shouldKeepAlive = false;
    await send(response, answer, streams, stays);
  };
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    respond(request, response).catch((err: unknown) => {
      log.debug({ err, path: request.url }, 'an answer of the console was not taken to its end');
      response.destroy();
    });
  };
  const doors = new Doors(listen, handle, context);
  await doors.open(users.exist);
  users.onChange(() => {
    streams.review();
    doors.widen(users.exist);
  });

  return {
    get port() {
      return doors.port;
    },
    async close() {
      metrics?.close();
      await doors.close();
    },
  };
}
