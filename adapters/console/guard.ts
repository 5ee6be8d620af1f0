// Which requests are looked at: those of programs and of the console's own page. A web page of somebody else is neither.
import type { IncomingMessage } from 'node:http';
import { problem, type ConsoleAnswer } from '../../gateway/ports/console-routes.js';

type Asked = Pick<IncomingMessage, 'method' | 'headers'>;

/**
 * The answer to a request that may not be looked at; undefined: it may.
 * @param isOurName whether the console goes by this host name or address
 */
export function refusal({ headers }: Asked, isOurName: (host: string) => boolean): ConsoleAnswer | undefined {
  // A page whose own name was made to point at this address still says that name.
  const name = hostName(headers.host);
  if (name === undefined || !isOurName(name))
    return problem(
      421,
      'this is not the name of the console',
      'ask for the address of the gateway, or write the name into site.yaml: console: { names: [...] }',
    );
  if (headers.origin !== undefined && !isOwnOrigin(headers.origin, headers.host))
    return problem(403, 'a page of another origin may not ask the console', 'open the page of the gateway itself');
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    return problem(403, 'a page of another origin may not ask the console', 'open the page of the gateway itself');
  return undefined;
}

/** No form of a page can send this type without asking first, and the question is not answered. */
export function commandRefusal({ headers }: Pick<IncomingMessage, 'headers'>): ConsoleAnswer | undefined {
  if (isJson(headers['content-type'])) return undefined;
  return problem(
    415,
    'a command needs content-type: application/json',
    'send a JSON object, {} where nothing is to be said',
  );
}

const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/i;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/i;

/** The host of a Host header without its port, in lower case; undefined: it is none. */
const hostName = (host: string | undefined): string | undefined => HOST.exec(host ?? '')?.[1]?.toLowerCase();

export const isLoopbackName = (name: string): boolean => LOOPBACK.test(name);

/** Whether an address of a socket is the box itself. */
export const isLoopbackAddress = (address: string): boolean => /^(::ffff:)?127\.|^::1$/i.test(address);

/** An address says where it is: no name could have been made to point at it. */
export const isAddress = (name: string): boolean => /^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:.]+\])$/i.test(name);

/** A reverse proxy may speak TLS for us: what counts is the name that the browser was asked for. */
const isOwnOrigin = (origin: string, host: string | undefined): boolean =>
  /^https?:\/\/(.*)$/i.exec(origin)?.[1]?.toLowerCase() === host?.toLowerCase();

const isJson = (contentType: string | undefined): boolean =>
  contentType?.split(';', 1)[0]?.trim().toLowerCase() === 'application/json';
