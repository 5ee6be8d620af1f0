// Who a request comes from: by its cookie, by the token of the box, or, while there are no users, anybody on the box.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Caller } from '../../gateway/ports/console-routes.js';
import type { ConsoleUsers } from '../../gateway/ports/console-users.js';
import { isLoopbackAddress } from './guard.js';

export const COOKIE = 'forecourt';
/** For programs on the box. */
const BOX = { name: 'console', role: 'operator' } as const;

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** @param localToken what programs on the box prove themselves with */
export function recogniser(
  users: ConsoleUsers,
  localToken: string | undefined,
): (request: IncomingMessage) => Caller | undefined {
  const wanted = localToken === undefined ? undefined : digest(localToken);
  return ({ headers, socket }) => {
    const address = socket.remoteAddress ?? '';
    if (!users.exist) return isLoopbackAddress(address) ? { ...BOX, address } : undefined;
    const [, bearer] = /^Bearer ([\w-]{20,100})$/.exec(headers.authorization ?? '') ?? [];
    if (bearer !== undefined)
      return wanted !== undefined && isLoopbackAddress(address) && timingSafeEqual(digest(bearer), wanted)
        ? { ...BOX, address }
        : undefined;
    const token = cookieOf(headers.cookie);
    const user = token === undefined ? undefined : users.of(token);
    return user && { ...user, address };
  };
}

const cookieOf = (header: string | undefined): string | undefined =>
  header
    ?.split(';')
    .map((pair) => pair.trim())
    .find((pair) => pair.startsWith(`${COOKIE}=`))
    ?.slice(COOKIE.length + 1);
