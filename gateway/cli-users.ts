// `forecourt users`: who may use the console; the way back in when everybody has forgotten a password.
import { parseArgs } from 'node:util';
import { accountFile } from '../adapters/console/account-file.js';
import { scryptSecrets } from '../adapters/console/secrets.js';
import type { Whereabouts } from '../site-config/whereabouts.js';
import { askGateway, atSite, EXIT, isSiteFile, SITE_HELP, whyNot, type ConsoleIo } from './cli-console.js';
import { moment, table } from './cli-table.js';
import { Users } from './console/users.js';
import type { Clock } from './kernel/clock.js';
import { silentLog } from './kernel/log.js';
import { failed, ok, type Result } from './kernel/result.js';
import { isRole, type Role, type UserRefusal, type UserSummary } from './ports/console-users.js';

const USAGE = `usage: forecourt users [list]
       forecourt users add <name> [--role viewer|electrician|operator]
       forecourt users password <name>
       forecourt users role <name> --role viewer|electrician|operator
       forecourt users remove <name>

  Who may use the console. A password is read from the first line of stdin. Where the gateway runs it is asked, and this
  must be run as root or as the gateway's user; where it does not, its data directory is changed.
  A viewer looks on; an electrician configures, commissions and operates EVSEs; an operator may do everything.

${SITE_HELP}
  --role        viewer unless given; the first user is an operator
  exit code     0 done, 1 not done, 2 wrong usage or no site.yaml
`;

const OPTIONS = { site: { type: 'string' }, role: { type: 'string' }, help: { type: 'boolean', short: 'h' } } as const;

export interface UsersIo extends ConsoleIo {
  readonly clock: Clock;
  /** A line of stdin. */
  readonly readLine: () => Promise<string>;
}

type Verb = 'list' | 'add' | 'password' | 'role' | 'remove';
const VERBS: readonly Verb[] = ['list', 'add', 'password', 'role', 'remove'];

interface Asked {
  readonly verb: Verb;
  readonly name: string;
  readonly role: Role | undefined;
  readonly site: string | undefined;
}

/** @returns what is wrong, or undefined where help is asked for */
function parsed(args: readonly string[]): Asked | string | undefined {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
    if (values.help === true) return undefined;
    const [word = 'list', name = '', ...more] = positionals.filter((each) => !isSiteFile(each));
    const verb = VERBS.find((each) => each === word);
    if (verb === undefined) return `there is no ${word}`;
    if (more.length > 0 || (verb === 'list') !== (name === '')) return 'name one user';
    if (values.role !== undefined && !isRole(values.role)) return 'a role is viewer, electrician or operator';
    if (verb === 'role' && values.role === undefined) return 'say which with --role';
    return {
      verb,
      name,
      role: isRole(values.role) ? values.role : undefined,
      site: values.site ?? positionals.find(isSiteFile),
    };
  } catch (err) {
    return err instanceof Error ? err.message : String(err);
  }
}

/** @returns the exit code */
export function runUsers(args: readonly string[], io: UsersIo): Promise<number> {
  return atSite(parsed(args), USAGE, io, (asked, where) => carryOut(asked, where, io));
}

async function carryOut(asked: Asked, where: Whereabouts, io: UsersIo): Promise<Result<number, string>> {
  const running = await askGateway<{ readonly users: readonly UserSummary[] }>(where, '/api/users');
  if (!running.ok && running.error.kind === 'refused') return failed(whyNot(where, running.error));
  const file = running.ok ? undefined : await usersOnDisk(where, io.clock);
  const list = running.ok ? running.value.users : (file?.list() ?? []);
  const { verb, name } = asked;
  if (verb === 'list') {
    io.out(list.length === 0 ? 'no users: the console is open on the box, and only there\n' : shown(list));
    return ok(EXIT.done);
  }
  const role = asked.role ?? (list.length === 0 ? 'operator' : 'viewer');
  const path = `/api/users/${encodeURIComponent(name)}`;
  const password = verb === 'add' || verb === 'password' ? await io.readLine() : '';
  const result =
    file === undefined
      ? await overTheGateway(where, { verb, name, role, password, path })
      : inWords(await onDisk(file, { verb, name, role, password }));
  if (!result.ok) return result;
  io.out(`${name}: ${DONE[verb]}\n`);
  return ok(EXIT.done);
}

const DONE: Readonly<Record<Exclude<Verb, 'list'>, string>> = {
  add: 'added',
  password: 'has a new password',
  role: 'has another role',
  remove: 'removed',
};

interface Change {
  readonly verb: Exclude<Verb, 'list'>;
  readonly name: string;
  readonly role: Role;
  readonly password: string;
}

async function overTheGateway(
  where: Whereabouts,
  { verb, name, role, password, path }: Change & { readonly path: string },
): Promise<Result<unknown, string>> {
  const ask = () => {
    switch (verb) {
      case 'add':
        return askGateway(where, '/api/users', { name, password, role });
      case 'password':
        return askGateway(where, path, { password }, 'PATCH');
      case 'role':
        return askGateway(where, path, { role }, 'PATCH');
      case 'remove':
        return askGateway(where, path, {}, 'DELETE');
    }
  };
  const answer = await ask();
  return answer.ok ? answer : failed(whyNot(where, answer.error));
}

function onDisk(users: Users, { verb, name, role, password }: Change): Promise<Result<true, UserRefusal>> {
  const by = { name: 'console' };
  switch (verb) {
    case 'add':
      return users.add(name, password, role, by.name);
    case 'password':
      return users.change(name, { password }, by);
    case 'role':
      return users.change(name, { role }, by);
    case 'remove':
      return users.remove(name, by.name);
  }
}

function inWords(result: Result<true, UserRefusal>): Result<true, string> {
  if (result.ok) return result;
  const { error } = result;
  if (error.kind === 'bad' || error.kind === 'not-kept') return failed(error.why);
  return failed(
    error.kind === 'last' ? 'the last operator stays: make somebody else operator first' : 'there is no such user',
  );
}

const usersOnDisk = ({ dataDirectory }: Whereabouts, clock: Clock): Promise<Users> =>
  Users.open({
    store: accountFile(dataDirectory),
    secrets: scryptSecrets(),
    clock,
    log: silentLog,
    told: () => undefined,
  });

const shown = (users: readonly UserSummary[]): string =>
  table(
    [{ title: 'NAME', most: 32 }, { title: 'ROLE' }, { title: 'SINCE' }, { title: 'SIGNED IN' }],
    users.map(({ name, role, createdAt, lastSeenAt }) => [
      name,
      role,
      moment(createdAt),
      lastSeenAt === undefined ? '-' : moment(lastSeenAt),
    ]),
  );
