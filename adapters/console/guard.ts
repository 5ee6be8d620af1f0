// Who may ask: programs on this box. A web page that somebody has open here is none of them, whatever name it resolves to us.
import type { IncomingMessage } from 'node:http';
import { problem, type Reply } from './reply.js';

type Asked = Pick<IncomingMessage, 'method' | 'headers'>;

/** The answer to a request that may not be carried out; undefined: it may. */
export function refusal({ method, headers }: Asked): Reply | undefined {
  // A page whose own name was made to point at this address still says that name.
  if (!isLoopbackHost(headers.host))
    return problem(421, 'this is not the name of the console', 'ask for http://127.0.0.1 and the port of site.yaml');
  if (headers.origin !== undefined && !isOwnOrigin(headers.origin, headers.host))
    return problem(403, 'a page of another origin may not ask the console', 'ask from a program on the gateway itself');
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    return problem(403, 'a page of another origin may not ask the console', 'ask from a program on the gateway itself');
  // No form of a page can send this type without asking first, and the question is not answered.
  if (method === 'POST' && !isJson(headers['content-type']))
    return problem(
      415,
      'a command needs content-type: application/json',
      'send a JSON object, {} where nothing is to be said',
    );
  return undefined;
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i;

const isLoopbackHost = (host: string | undefined): boolean => host !== undefined && LOOPBACK.test(host);

const isOwnOrigin = (origin: string, host: string | undefined): boolean =>
  origin.toLowerCase() === `http://${host}`.toLowerCase();

const isJson = (contentType: string | undefined): boolean =>
  contentType?.split(';', 1)[0]?.trim().toLowerCase() === 'application/json';
