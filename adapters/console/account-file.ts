// Users and sessions in one file of the data directory that only the gateway may read, replaced as a whole.
import { randomBytes } from 'node:crypto';
import { chown, copyFile, mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  isRole,
  type Accounts,
  type AccountStore,
  type StoredSession,
  type StoredUser,
} from '../../gateway/ports/console-users.js';

const MODE = 0o600;

const folderOf = (dataDirectory: string): string => join(dataDirectory, 'console');
/** Where the command line on the box finds what it proves itself with. */
export const localTokenFile = (dataDirectory: string): string => join(folderOf(dataDirectory), 'local-token');

export function accountFile(dataDirectory: string): AccountStore {
  const path = join(folderOf(dataDirectory), 'accounts.json');
  return {
    async load() {
      let text: string;
      try {
        text = await readFile(path, 'utf8');
      } catch (err) {
        if (err instanceof Error && 'code' in err && err.code === 'ENOENT') return undefined;
        throw err;
      }
      try {
        const value: unknown = JSON.parse(text);
        if (isAccounts(value)) return value;
        throw new Error(`${path} does not hold users`);
      } catch (err) {
        // The next user that is made would replace it.
        await copyFile(path, `${path}.broken`);
        throw err;
      }
    },
    save: (accounts) => replaced(path, `${JSON.stringify(accounts, undefined, 1)}\n`),
  };
}

/** A new token for every process: the old one is worth nothing. @throws Error where it cannot be written */
export async function writeLocalToken(dataDirectory: string): Promise<string> {
  const token = randomBytes(24).toString('base64url');
  await replaced(localTokenFile(dataDirectory), `${token}\n`);
  return token;
}

/** On disk, and never half of it, whenever the power goes. */
async function replaced(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // Written by root for a gateway that runs as somebody else, whose the data directory is.
  const root = process.getuid?.() === 0;
  const { uid, gid } = await stat(dirname(dirname(path)));
  if (root) await chown(dirname(path), uid, gid);
  const beside = `${path}.new`;
  const file = await open(beside, 'w', MODE);
  try {
    await file.chmod(MODE);
    if (root) await file.chown(uid, gid);
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(beside, path);
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function isAccounts(value: unknown): value is Accounts {
  if (typeof value !== 'object' || value === null) return false;
  const { users, sessions } = value as Partial<Record<keyof Accounts, unknown>>;
  return Array.isArray(users) && users.every(isUser) && Array.isArray(sessions) && sessions.every(isSession);
}

function isUser(value: unknown): value is StoredUser {
  const { name, role, hash, createdAt } = (value ?? {}) as Partial<Record<keyof StoredUser, unknown>>;
  return typeof name === 'string' && isRole(role) && typeof hash === 'string' && typeof createdAt === 'number';
}

function isSession(value: unknown): value is StoredSession {
  const { digest, name, address, createdAt } = (value ?? {}) as Partial<Record<keyof StoredSession, unknown>>;
  return [digest, name, address].every((each) => typeof each === 'string') && typeof createdAt === 'number';
}
