// Who may use the console, as its adapter and the command line see them, and what keeping them needs from outside.
import type { Result } from '../kernel/result.js';
import type { Milliseconds } from '../kernel/units.js';

/** Each may do what those before it may. */
export type Role = 'viewer' | 'electrician' | 'operator';
export const ROLES: readonly Role[] = ['viewer', 'electrician', 'operator'];

/** Whether somebody of this role may do what `wanted` is needed for. */
export const mayAs = (role: Role, wanted: Role): boolean => ROLES.indexOf(role) >= ROLES.indexOf(wanted);

export const isRole = (value: unknown): value is Role => ROLES.some((role) => role === value);

export interface UserSummary {
  readonly name: string;
  readonly role: Role;
  readonly createdAt: string;
  readonly lastSeenAt?: string;
}

/** Who has signed in. */
export interface SignedIn {
  readonly name: string;
  readonly role: Role;
  /** The digest of its token. */
  readonly session: string;
}

export type UserRefusal =
  | { readonly kind: 'wrong' }
  /** Too many attempts. */
  | { readonly kind: 'later'; readonly wait: Milliseconds }
  | { readonly kind: 'bad'; readonly why: string }
  | { readonly kind: 'unknown' }
  /** The last operator has to stay one. */
  | { readonly kind: 'last' }
  | { readonly kind: 'not-kept'; readonly why: string };

export interface SignInAttempt {
  readonly name: string;
  readonly password: string;
  /** Of the machine that asks, and whether it is the box itself. */
  readonly address: string;
  readonly local: boolean;
}

export interface ConsoleUsers {
  /** Whether somebody has to sign in. */
  readonly exist: boolean;
  /** By which the first user is made; undefined once there is one. */
  readonly setupToken: string | undefined;
  /** Calls back when somebody has come, gone or changed, or has signed out. */
  onChange(listener: () => void): void;
  list(): readonly UserSummary[];
  /** Who the token of a cookie is; undefined: nobody, or not any more. */
  of(token: string): SignedIn | undefined;
  /** The first user, by the token of the log. @returns the token of a session */
  setUp(token: string, attempt: SignInAttempt): Promise<Result<string, UserRefusal>>;
  /** @returns the token of a session */
  signIn(attempt: SignInAttempt): Promise<Result<string, UserRefusal>>;
  signOut(session: string): Promise<Result<true, UserRefusal>>;
  add(name: string, password: string, role: Role, by: string): Promise<Result<true, UserRefusal>>;
  /** A new password ends the sessions of the user, but for the one that set it. */
  change(
    name: string,
    wanted: { readonly password?: string; readonly role?: Role },
    by: { readonly name: string; readonly session?: string },
  ): Promise<Result<true, UserRefusal>>;
  remove(name: string, by: string): Promise<Result<true, UserRefusal>>;
}

/** What is kept of users and of who is signed in. */
export interface Accounts {
  readonly users: readonly StoredUser[];
  readonly sessions: readonly StoredSession[];
}

export interface StoredUser {
  /** In lower case. */
  readonly name: string;
  readonly role: Role;
  /** With its parameters and its salt; never the password. */
  readonly hash: string;
  /** In ms since 1970. */
  readonly createdAt: number;
  readonly lastSeenAt?: number;
}

export interface StoredSession {
  /** Of the token in the browser's cookie, which is kept nowhere else. */
  readonly digest: string;
  readonly name: string;
  /** Where it signed in from. */
  readonly address: string;
  /** In ms since 1970. */
  readonly createdAt: number;
}

export interface AccountStore {
  /** @returns undefined: nothing has been kept yet. @throws Error where it cannot be read */
  load(): Promise<Accounts | undefined>;
  /** On disk when it resolves. @throws Error where it cannot be written; what was there before is still there */
  save(accounts: Accounts): Promise<void>;
}

/** What takes chance or a one-way function. */
export interface Secrets {
  /** Slow on purpose. */
  hash(password: string): Promise<string>;
  /** As slow, whether it is right or not. @param hash undefined: there is no such user */
  verify(password: string, hash: string | undefined): Promise<boolean>;
  /** At least 128 bits that nobody can guess. */
  token(): string;
  digest(token: string): string;
}
