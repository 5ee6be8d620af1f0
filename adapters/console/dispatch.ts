// Finds the route of a request and sees to it that only who may use it does.
import type { IncomingMessage } from 'node:http';
import { mayAs } from '../../gateway/ports/console-users.js';
import { problem, type Caller, type ConsoleAnswer, type ConsoleRoute } from '../../gateway/ports/console-routes.js';
import { readBody } from './body.js';
import { commandRefusal } from './guard.js';
import { noSuchAddress, type Page } from './page.js';

/** Who asks: undefined where he would have to sign in first. */
export type Recognise = (request: IncomingMessage) => Caller | undefined;

export interface Dispatch {
  readonly routes: readonly ConsoleRoute[];
  readonly page: Page;
  readonly recognise: Recognise;
  /** Whether the request comes from a program on the box. */
  readonly isLocal: (request: IncomingMessage) => boolean;
}

export interface Dispatched {
  readonly answer: ConsoleAnswer;
  /** Whether whoever asked may still have it, of an answer that goes on. */
  readonly stays: () => boolean;
}

const NOBODY: Omit<Caller, 'address'> = { name: '', role: 'viewer' };

/** @throws what a route throws, which is a defect; an error of the socket */
export async function dispatch(
  { routes, page, recognise, isLocal }: Dispatch,
  request: IncomingMessage,
): Promise<Dispatched> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://console');
  const address = request.socket.remoteAddress ?? '';
  const known = recognise(request);
  const caller = known ?? { ...NOBODY, address };
  const say = (answer: ConsoleAnswer, stays = (): boolean => true): Dispatched => ({ answer, stays });
  const reading = request.method === 'GET' || request.method === 'HEAD';
  const method = request.method === 'HEAD' ? 'GET' : request.method;

  const here = routes.flatMap((each) => {
    const parts = matched(each.path, pathname);
    return parts === undefined ? [] : [{ each, parts }];
  });
  // A path that is written out goes before one with an open part.
  const found = here
    .filter(({ each }) => each.method === method)
    .reduce<(typeof here)[number] | undefined>(
      (best, one) => (best === undefined || one.parts.length < best.parts.length ? one : best),
      undefined,
    );
  if (found === undefined) {
    if (here.length === 0) {
      const file = reading ? page.answer(pathname, request.headers['if-none-match']) : undefined;
      return say(file ?? noSuchAddress(pathname));
    }
    const allow = [...new Set(here.map(({ each }) => each.method))].join(', ');
    return say(problem(405, `${request.method} is not done here`, `use ${allow}`, { allow }));
  }
  const { each: route, parts } = found;
  const wanted = route.access === 'local' ? 'viewer' : route.access;
  const stays = (): boolean => {
    const now = recognise(request);
    return wanted === 'open' || (now !== undefined && mayAs(now.role, wanted));
  };
  if (wanted !== 'open' && !(route.access === 'local' && isLocal(request))) {
    if (known === undefined)
      return say(problem(401, 'nobody has signed in', 'sign in first, or use the forecourt command on the box'));
    if (!mayAs(known.role, wanted))
      return say(problem(403, `this takes ${article(wanted)}`, `ask an operator for the role ${wanted}`));
  }
  if (reading) return say(await route.answer({ parts, query: searchParams, body: {}, caller }), stays);
  const refused = commandRefusal(request);
  if (refused !== undefined) return say(refused);
  const body = await readBody(request, route.largestBody);
  if (!body.ok) return say(body.error);
  return say(await route.answer({ parts, query: searchParams, body: body.value, caller }));
}

const article = (role: string): string => (role === 'viewer' ? 'a viewer' : `an ${role}`);

function matched(pattern: string, pathname: string): readonly string[] | undefined {
  const wanted = pattern.split('/');
  const given = pathname.split('/');
  if (wanted.length !== given.length) return undefined;
  const open: string[] = [];
  for (const [index, part] of wanted.entries()) {
    const text = decoded(given[index] ?? '');
    if (part === '*' && text !== undefined && text !== '') open.push(text);
    else if (part !== text) return undefined;
  }
  return open;
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
