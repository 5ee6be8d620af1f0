// The console's API as its page sees it, played from what a test wrote down: for what the simulated site cannot bring about on demand.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { openPage } from '../../adapters/console/page.js';
import type { ConsoleAnswer } from '../../gateway/ports/console-routes.js';

export interface PlayedApi {
  readonly address: string;
  /** Commands in the order in which they came: `POST /api/evses/3/stop {}`. */
  readonly commands: readonly string[];
  /** To every open stream of that address. */
  tell(path: string, event: string, data: object): void;
  /** Ends every open stream and answers nothing until it is `true` again. */
  reachable: boolean;
  close(): Promise<void>;
}

/** What is answered: a value, or what it is made of for this request; a status other than 200 where `status` is given. */
export type Answers = Readonly<Record<string, Answer>>;
type Answer = object | ((body: unknown, query: URLSearchParams) => { readonly status?: number; readonly body: object });

/**
 * @param answers by `GET /api/site`; streams are `STREAM /api/live`, with what each new reader hears first by event
 * @param folder the built page
 */
export async function playConsoleApi(answers: Answers, folder: string): Promise<PlayedApi> {
  const commands: string[] = [];
  const streams = new Map<ServerResponse, string>();
  const page = openPage(folder);
  let reachable = true;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://console');
    if (!reachable) return void response.destroy();
    const stream = answers[`STREAM ${pathname}`];
    if (stream !== undefined) {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      streams.set(response, pathname);
      response.on('close', () => streams.delete(response));
      for (const [event, data] of Object.entries(stream)) write(response, event, data as object);
      return;
    }
    const body = await bodyOf(request);
    if (request.method !== 'GET') commands.push(`${request.method} ${pathname} ${JSON.stringify(body)}`);
    const found = answers[`${request.method} ${pathname}`];
    if (found === undefined) return file(page.answer(pathname, undefined), pathname, response);
    const made = typeof found === 'function' ? found(body, searchParams) : { body: found };
    response.writeHead(made.status ?? 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(made.body));
  };
  const server = createServer((request, response) => {
    answer(request, response).catch((err: unknown) => {
      response.destroy(err instanceof Error ? err : new Error(String(err)));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    commands,
    tell(path, event, data) {
      for (const [response, of] of streams) if (of === path) write(response, event, data);
    },
    get reachable() {
      return reachable;
    },
    set reachable(wanted) {
      reachable = wanted;
      if (!wanted) for (const response of streams.keys()) response.destroy();
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

const write = (response: ServerResponse, event: string, data: object): void =>
  void response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const piece of request.setEncoding('utf8')) text += String(piece);
  return text === '' ? undefined : JSON.parse(text);
}

function file(found: ConsoleAnswer | undefined, pathname: string, response: ServerResponse): void {
  if (found?.kind !== 'text') {
    response.writeHead(404, { 'content-type': 'application/json' });
    return void response.end(JSON.stringify({ error: `nothing at ${pathname}`, action: 'ask for something else' }));
  }
  response.writeHead(200, { 'content-type': found.contentType, ...found.headers });
  response.end(found.body);
}
