// Users of a console in memory, whose passwords are kept as they are: scrypt takes its time on purpose.
import { Users } from '../../gateway/console/users.js';
import type { Clock } from '../../gateway/kernel/clock.js';
import type { Accounts, AccountStore, Secrets } from '../../gateway/ports/console-users.js';
import { recordingLog } from './recording-log.js';

export class MemoryAccounts implements AccountStore {
  kept: Accounts | undefined;
  /** Thrown by whatever is asked of it. */
  broken: Error | undefined;

  load(): Promise<Accounts | undefined> {
    return this.broken === undefined ? Promise.resolve(this.kept) : Promise.reject(this.broken);
  }

  save(accounts: Accounts): Promise<void> {
    if (this.broken !== undefined) return Promise.reject(this.broken);
    this.kept = accounts;
    return Promise.resolve();
  }
}

export class PlainSecrets implements Secrets {
  checks = 0;
  #tokens = 0;

  hash(password: string): Promise<string> {
    return Promise.resolve(`plain ${password}`);
  }

  verify(password: string, hash: string | undefined): Promise<boolean> {
    this.checks += 1;
    return Promise.resolve(hash === `plain ${password}`);
  }

  token(): string {
    this.#tokens += 1;
    return `token-number-${String(this.#tokens).padStart(10, '0')}`;
  }

  digest(token: string): string {
    return `digest of ${token}`;
  }
}

export async function openUsers(clock: Clock, store = new MemoryAccounts()) {
  const secrets = new PlainSecrets();
  const log = recordingLog();
  const told: string[] = [];
  const users = await Users.open({
    store,
    secrets,
    clock,
    log,
    told: (name, text, severity) => told.push(`${severity} ${name}: ${text}`),
  });
  return { users, secrets, log, told, store };
}

export const noUsers = async (clock: Clock): Promise<Users> => (await openUsers(clock)).users;
