// The users of the console: who there is, who is signed in, and who may sign in.
import type { Clock } from '../kernel/clock.js';
import { FAULTS } from '../kernel/faults.js';
import type { Log } from '../kernel/log.js';
import { failed, ok, type Result } from '../kernel/result.js';
import { minutes, seconds, timestamp, toRfc3339, type Milliseconds } from '../kernel/units.js';
import type {
  Accounts,
  AccountStore,
  ConsoleUsers,
  Role,
  Secrets,
  SignedIn,
  SignInAttempt,
  StoredSession,
  StoredUser,
  UserRefusal,
  UserSummary,
} from '../ports/console-users.js';
import { addressGroup, SignInLimit } from './sign-in-limit.js';

/** A session ends a week after it began, or a day after it was last used. */
const LONGEST_SESSION = minutes(7 * 24 * 60);
const LONGEST_IDLE = minutes(24 * 60);
/** Browsers of one user that are signed in at a time; the oldest goes. */
const MOST_SESSIONS = 20;
const MOST_USERS = 100;
/** Passwords that are being checked at a time: each takes a third of a second of one processor. */
const MOST_CHECKS = 8;

const NAME = /^[a-z0-9][a-z0-9._@-]{0,31}$/;
const SHORTEST_PASSWORD = 10;
const LONGEST_PASSWORD = 200;

export interface UserDependencies {
  readonly store: AccountStore;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly log: Log;
  /** For people: who signed in, and what became of users. */
  readonly told: (name: string, text: string, severity: 'info' | 'warning') => void;
}

export class Users implements ConsoleUsers {
  readonly #is: UserDependencies;
  readonly #limit = new SignInLimit();
  #accounts: Accounts;
  /** What is kept cannot be read: nobody may take that for a console without users. */
  readonly #broken: boolean;
  readonly #setupToken: string | undefined;
  /** By the monotonic clock, by the digest of the session. */
  readonly #usedAt = new Map<string, Milliseconds>();
  readonly #listeners: (() => void)[] = [];
  #checks = 0;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(is: UserDependencies, accounts: Accounts | undefined, broken: boolean) {
    this.#is = is;
    this.#accounts = accounts ?? { users: [], sessions: [] };
    this.#broken = broken;
    if (!this.exist) this.#setupToken = is.secrets.token();
  }

  /** Never throws: what cannot be read lets nobody in, but for programs on the box. */
  static async open(is: UserDependencies): Promise<Users> {
    try {
      return new Users(is, await is.store.load(), false);
    } catch (err) {
      is.log.error({ err, fault: FAULTS.consoleUsersLost.code }, 'the users of the console cannot be read');
      return new Users(is, undefined, true);
    }
  }

  get exist(): boolean {
    return this.#broken || this.#accounts.users.length > 0;
  }

  get setupToken(): string | undefined {
    return this.exist ? undefined : this.#setupToken;
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  list(): readonly UserSummary[] {
    return this.#accounts.users.map(({ name, role, createdAt, lastSeenAt }) => ({
      name,
      role,
      createdAt: toRfc3339(timestamp(createdAt)),
      ...(lastSeenAt !== undefined && { lastSeenAt: toRfc3339(timestamp(lastSeenAt)) }),
    }));
  }

  of(token: string): SignedIn | undefined {
    const digest = this.#is.secrets.digest(token);
    const session = this.#accounts.sessions.find((each) => each.digest === digest);
    const user = session && this.#user(session.name);
    if (session === undefined || user === undefined || !this.#lasts(session)) return undefined;
    this.#usedAt.set(digest, this.#is.clock.monotonic());
    return { name: user.name, role: user.role, session: digest };
  }

  async setUp(token: string, asked: SignInAttempt): Promise<Result<string, UserRefusal>> {
    const { secrets, clock } = this.#is;
    const wait = this.#limit.attempt({ ...this.#attempt(asked), familiar: false }, clock.monotonic());
    if (wait !== undefined) return failed({ kind: 'later', wait });
    const wanted = this.setupToken;
    if (wanted === undefined || secrets.digest(token) !== secrets.digest(wanted)) return failed({ kind: 'wrong' });
    const added = await this.add(asked.name, asked.password, 'operator', 'set-up');
    if (added.ok) this.#limit.succeeded(this.#attempt(asked));
    return added.ok ? this.#begin(lower(asked.name), asked.address) : added;
  }

  async signIn(asked: SignInAttempt): Promise<Result<string, UserRefusal>> {
    const { secrets, clock, log, told } = this.#is;
    const attempt = this.#attempt(asked);
    const wait = this.#limit.attempt(attempt, clock.monotonic());
    if (wait !== undefined) return failed({ kind: 'later', wait });
    if (this.#checks >= MOST_CHECKS) return failed({ kind: 'later', wait: seconds(6) });
    this.#checks += 1;
    const user = this.#user(attempt.name);
    const right = await secrets.verify(asked.password.slice(0, LONGEST_PASSWORD), user?.hash).finally(() => {
      this.#checks -= 1;
    });
    if (!right || user === undefined || this.#user(attempt.name)?.hash !== user.hash) {
      log.warn(
        { address: asked.address, fault: FAULTS.consolePassword.code },
        'a wrong name or password at the console',
      );
      told(user?.name ?? 'unknown', `a wrong password from ${asked.address}`, 'warning');
      return failed({ kind: 'wrong' });
    }
    this.#limit.succeeded(attempt);
    told(user.name, `signed in from ${asked.address}`, 'info');
    return this.#begin(user.name, asked.address);
  }

  signOut(session: string): Promise<Result<true, UserRefusal>> {
    return this.#change(({ users, sessions }) =>
      ok({ users, sessions: sessions.filter(({ digest }) => digest !== session) }),
    );
  }

  async add(name: string, password: string, role: Role, by: string): Promise<Result<true, UserRefusal>> {
    const id = lower(name);
    const bad = NAME.test(id) ? passwordFault(id, password) : 'a name is 1 to 32 letters, digits, dots, dashes or @';
    if (bad !== undefined) return failed({ kind: 'bad', why: bad });
    const hash = await this.#is.secrets.hash(password);
    const user: StoredUser = { name: id, role, hash, createdAt: this.#is.clock.now() };
    return this.#change(
      ({ users, sessions }) => {
        if (users.some((each) => each.name === id))
          return failed({ kind: 'bad', why: `there is a user ${id} already` });
        // With a user the console asks everybody to sign in: the first must be able to make the others.
        if (users.length === 0 && role !== 'operator')
          return failed({ kind: 'bad', why: 'the first user is an operator: make that one first' });
        if (users.length >= MOST_USERS) return failed({ kind: 'bad', why: `there are ${MOST_USERS} users already` });
        return ok({ users: [...users, user], sessions });
      },
      id,
      `made ${role} by ${by}`,
    );
  }

  async change(
    name: string,
    wanted: { readonly password?: string; readonly role?: Role },
    by: { readonly name: string; readonly session?: string },
  ): Promise<Result<true, UserRefusal>> {
    const id = lower(name);
    const { password, role } = wanted;
    const bad = password === undefined ? undefined : passwordFault(id, password);
    if (bad !== undefined) return failed({ kind: 'bad', why: bad });
    const hash = password === undefined ? undefined : await this.#is.secrets.hash(password);
    return this.#change(
      ({ users, sessions }) => {
        const before = users.find((each) => each.name === id);
        if (before === undefined) return failed({ kind: 'unknown' });
        const after = { ...before, ...(hash !== undefined && { hash }), ...(role !== undefined && { role }) };
        const changed = users.map((each) => (each === before ? after : each));
        if (!hasOperator(changed)) return failed({ kind: 'last' });
        const stay = sessions.filter((each) => hash === undefined || each.name !== id || each.digest === by.session);
        return ok({ users: changed, sessions: stay });
      },
      id,
      `${[...(hash === undefined ? [] : ['a new password']), ...(role === undefined ? [] : [`role ${role}`])].join(', ')} by ${by.name}`,
    );
  }

  remove(name: string, by: string): Promise<Result<true, UserRefusal>> {
    const id = lower(name);
    return this.#change(
      ({ users, sessions }) => {
        const stay = users.filter((each) => each.name !== id);
        if (stay.length === users.length) return failed({ kind: 'unknown' });
        if (!hasOperator(stay)) return failed({ kind: 'last' });
        return ok({ users: stay, sessions: sessions.filter((each) => each.name !== id) });
      },
      id,
      `removed by ${by}`,
    );
  }

  #attempt({ name, address, local }: SignInAttempt) {
    const id = lower(name).slice(0, 64);
    const group = addressGroup(address);
    const known = this.#accounts.sessions.some((each) => each.name === id && addressGroup(each.address) === group);
    return { name: id, address: group, familiar: local || known };
  }

  async #begin(name: string, address: string): Promise<Result<string, UserRefusal>> {
    const { secrets, clock } = this.#is;
    const token = secrets.token();
    const session: StoredSession = { digest: secrets.digest(token), name, address, createdAt: clock.now() };
    const kept = await this.#change(({ users, sessions }) => {
      const own = sessions.filter((each) => each.name === name);
      const gone = new Set(own.slice(0, Math.max(0, own.length + 1 - MOST_SESSIONS)));
      return ok({
        users: users.map((each) => (each.name === name ? { ...each, lastSeenAt: clock.now() } : each)),
        sessions: [...sessions.filter((each) => !gone.has(each) && this.#lasts(each)), session],
      });
    });
    return kept.ok ? ok(token) : kept;
  }

  #user(name: string): StoredUser | undefined {
    return this.#accounts.users.find((each) => each.name === name);
  }

  #lasts({ digest, createdAt }: StoredSession): boolean {
    const { clock } = this.#is;
    const usedAt = this.#usedAt.get(digest);
    // Of what was used before this process nothing is known: it counts as used now.
    const idle = usedAt === undefined ? 0 : clock.monotonic() - usedAt;
    return clock.now() - createdAt < LONGEST_SESSION && idle < LONGEST_IDLE;
  }

  /** One change at a time; it counts when it is on disk. */
  #change(
    make: (accounts: Accounts) => Result<Accounts, UserRefusal>,
    name?: string,
    text?: string,
  ): Promise<Result<true, UserRefusal>> {
    const work = async (): Promise<Result<true, UserRefusal>> => {
      const { store, log, told } = this.#is;
      const made = make(this.#accounts);
      if (!made.ok) return made;
      try {
        await store.save(made.value);
      } catch (err) {
        log.error({ err, fault: FAULTS.consoleUsersLost.code }, 'the users of the console could not be written');
        return failed({ kind: 'not-kept', why: err instanceof Error ? err.message : String(err) });
      }
      this.#accounts = made.value;
      const sessions = new Set(made.value.sessions.map(({ digest }) => digest));
      for (const digest of this.#usedAt.keys()) if (!sessions.has(digest)) this.#usedAt.delete(digest);
      if (name !== undefined && text !== undefined) told(name, text, 'info');
      for (const listener of this.#listeners) listener();
      return ok(true);
    };
    const done = this.#last.then(work);
    this.#last = done;
    return done;
  }
}

const lower = (name: string): string => name.trim().toLowerCase();

const hasOperator = (users: readonly StoredUser[]): boolean => users.some(({ role }) => role === 'operator');

/** Why a password is not taken; length is what counts. */
function passwordFault(name: string, password: string): string | undefined {
  if (password.length < SHORTEST_PASSWORD) return `a password has at least ${SHORTEST_PASSWORD} characters`;
  if (password.length > LONGEST_PASSWORD) return `a password has at most ${LONGEST_PASSWORD} characters`;
  if (new Set(password).size < 4) return 'a password is not one character again and again';
  if (password.toLowerCase().includes(name) && password.length < name.length + 6)
    return 'a password is more than the name';
  return undefined;
}
