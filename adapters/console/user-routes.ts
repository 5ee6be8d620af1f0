// The addresses for signing in and out, for the first user and for all others.
import type { Result } from '../../gateway/kernel/result.js';
import type { Milliseconds } from '../../gateway/kernel/units.js';
import {
  answer,
  problem,
  type Asked,
  type ConsoleAnswer,
  type ConsoleRoute,
} from '../../gateway/ports/console-routes.js';
import { isRole, mayAs, type ConsoleUsers, type UserRefusal } from '../../gateway/ports/console-users.js';
import { isLoopbackAddress } from './guard.js';
import { COOKIE } from './recognise.js';

/** Seconds; the gateway ends it earlier where it is not used. */
const COOKIE_LIFETIME = 7 * 24 * 3600;
const cookie = (token: string, lifetime: number): string =>
  `${COOKIE}=${token}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${lifetime}`;

/** @param site its id, by which the command line knows whose gateway it asked */
export function userRoutes(site: string, users: ConsoleUsers): readonly ConsoleRoute[] {
  const signedIn = (done: Result<string, UserRefusal>): ConsoleAnswer => {
    if (!done.ok) return refused(done.error);
    const who = users.of(done.value);
    if (who === undefined) return refused({ kind: 'wrong' });
    const body = { name: who.name, role: who.role, setup: false };
    return { kind: 'json', status: 200, body, headers: { 'set-cookie': cookie(done.value, COOKIE_LIFETIME) } };
  };
  const attempted = ({ body, caller }: Asked) => {
    const { name, password } = body;
    if (typeof name !== 'string' || typeof password !== 'string') return undefined;
    return { name, password, address: caller.address, local: isLoopbackAddress(caller.address) };
  };
  const incomplete = problem(400, 'name and password are texts', 'send {"name":"...","password":"..."}');
  const done = (result: Result<true, UserRefusal>, status = 200): ConsoleAnswer =>
    result.ok ? answer({ site, status: 'Accepted' }, status) : refused(result.error);
  return [
    {
      method: 'GET',
      path: '/api/session',
      access: 'open',
      answer: ({ caller }) => {
        if (!users.exist) return answer({ name: '', role: 'operator', setup: true });
        return caller.name === ''
          ? problem(401, 'nobody has signed in', 'sign in: POST /api/session')
          : answer({ name: caller.name, role: caller.role, setup: false });
      },
    },
    {
      method: 'POST',
      path: '/api/session',
      access: 'open',
      answer: async (asked) => {
        const attempt = attempted(asked);
        return attempt === undefined ? incomplete : signedIn(await users.signIn(attempt));
      },
    },
    {
      method: 'DELETE',
      path: '/api/session',
      access: 'open',
      answer: async ({ caller }) => {
        if (caller.session !== undefined) await users.signOut(caller.session);
        return { kind: 'json', status: 200, body: { status: 'Accepted' }, headers: { 'set-cookie': cookie('', 0) } };
      },
    },
    {
      method: 'POST',
      path: '/api/setup',
      access: 'open',
      answer: async (asked) => {
        const attempt = attempted(asked);
        const { token } = asked.body;
        if (attempt === undefined || typeof token !== 'string') return incomplete;
        if (users.exist) return problem(409, 'there are users already', 'sign in, or ask an operator for a user');
        return signedIn(await users.setUp(token, attempt));
      },
    },
    { method: 'GET', path: '/api/users', access: 'operator', answer: () => answer({ site, users: users.list() }) },
    {
      method: 'POST',
      path: '/api/users',
      access: 'operator',
      answer: async ({ body: { name, password, role }, caller }) => {
        if (typeof name !== 'string' || typeof password !== 'string') return incomplete;
        if (!isRole(role)) return badRole;
        return done(await users.add(name, password, role, caller.name), 201);
      },
    },
    {
      method: 'PATCH',
      path: '/api/users/*',
      access: 'viewer',
      answer: async ({ parts: [name = ''], body: { password, role }, caller }) => {
        const own = caller.session !== undefined && caller.name === name;
        if (!mayAs(caller.role, 'operator') && !(own && role === undefined))
          return problem(403, 'only an operator changes others, and roles', 'ask an operator');
        if (role !== undefined && !isRole(role)) return badRole;
        if (password !== undefined && typeof password !== 'string') return incomplete;
        if (role === undefined && password === undefined) return incomplete;
        const wanted = { ...(password !== undefined && { password }), ...(role !== undefined && { role }) };
        const by = { name: caller.name, ...(own && { session: caller.session }) };
        return done(await users.change(name, wanted, by));
      },
    },
    {
      method: 'DELETE',
      path: '/api/users/*',
      access: 'operator',
      answer: async ({ parts: [name = ''], caller }) => done(await users.remove(name, caller.name)),
    },
  ];
}

const badRole = problem(400, 'role is viewer, electrician or operator', 'send one of them');

const later = (wait: Milliseconds): ConsoleAnswer => {
  const wait_s = Math.ceil(wait / 1000);
  return problem(429, 'too many attempts', `wait ${wait_s} s, or use forecourt users password on the box`, {
    'retry-after': String(wait_s),
  });
};

function refused(refusal: UserRefusal): ConsoleAnswer {
  switch (refusal.kind) {
    case 'wrong':
      return problem(
        401,
        'the name, password or token is wrong',
        'try again; forecourt users password on the box sets a new one',
      );
    case 'later':
      return later(refusal.wait);
    case 'bad':
      return problem(400, refusal.why, 'choose another');
    case 'unknown':
      return problem(404, 'there is no such user', 'GET /api/users lists them');
    case 'last':
      return problem(409, 'the last operator stays', 'make somebody else operator first');
    case 'not-kept':
      return problem(503, `it could not be written: ${refusal.why}`, 'look at the disk of the gateway');
  }
}
