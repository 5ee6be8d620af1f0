// site.yaml on its disk, and beside the journal the revisions of it: every file is replaced whole and durable, or stays as it was.
import { chmod, chown, lstat, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { timestamp } from '../../gateway/kernel/units.js';
import {
  SiteFileUnwritable,
  type Revision,
  type RevisionLog,
  type RevisionState,
  type SiteFiles,
  type Trial,
} from '../../gateway/ports/site-files.js';

const FOLDER = 'configuration';
const LOG = 'revisions.json';
/** They may hold passwords. */
const ONLY_OURS = 0o600;
const STATES: readonly string[] = ['kept', 'pending', 'reverted'] satisfies readonly RevisionState[];

/**
 * @param path of site.yaml
 * @param dataDirectory that has the folder of the revisions
 */
export function siteFiles(path: string, dataDirectory: string): SiteFiles {
  const folder = join(dataDirectory, FOLDER);
  const fileOf = (revision: string): string => join(folder, `${revision}.yaml`);
  return {
    path: resolve(path),
    read: () => readFile(path, 'utf8'),
    async write(text) {
      const about = await lstat(path).catch(() => undefined);
      if (about?.isSymbolicLink() === true)
        throw new SiteFileUnwritable(
          `${path} is a symbolic link`,
          'start the gateway with the file itself, or edit the file that the link names and reload it: systemctl reload forecourt',
        );
      await replaced(path, text, about);
    },
    async log() {
      const text = await readIfThere(join(folder, LOG));
      return text === undefined ? { revisions: [] } : parseLog(JSON.parse(text));
    },
    async saveLog(log) {
      await made(folder);
      await replaced(join(folder, LOG), `${JSON.stringify(log)}\n`);
      const known = new Set(log.revisions.map(({ revision }) => basename(fileOf(revision))));
      for (const name of await readdir(folder))
        if (/^\d+\.yaml$/.test(name) && !known.has(name)) await rm(join(folder, name), { force: true });
    },
    text: (revision) => (/^\d+$/.test(revision) ? readIfThere(fileOf(revision)) : Promise.resolve(undefined)),
    async saveText(revision, text) {
      await made(folder);
      await replaced(fileOf(revision), text);
    },
  };
}

async function made(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw unwritable(folder, cause);
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (err) {
    if (codeOf(err) === 'ENOENT') return undefined;
    throw err;
  }
}

interface Owned {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Written beside it and put in its place; on disk, with the name, when it resolves. @param as whose mode and owner it keeps */
async function replaced(file: string, text: string, as?: Owned): Promise<void> {
  const beside = `${file}.new`;
  try {
    const handle = await open(beside, 'w', ONLY_OURS);
    try {
      await handle.writeFile(text);
      if (as !== undefined) await inheriting(beside, as);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, file);
    const folder = await open(dirname(resolve(file)), 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch (cause) {
    await rm(beside, { force: true }).catch(() => undefined);
    throw unwritable(file, cause);
  }
}

/** Whoever could read the file can read it still. A gateway that is not root cannot give it away, and keeps it. */
async function inheriting(file: string, { mode, uid, gid }: Owned): Promise<void> {
  await chmod(file, mode & 0o777);
  const now = await stat(file);
  if (now.uid === uid && now.gid === gid) return;
  await chown(file, uid, gid).catch((err: unknown) => {
    if (codeOf(err) !== 'EPERM') throw err;
  });
}

function unwritable(file: string, cause: unknown): SiteFileUnwritable {
  const folder = dirname(resolve(file));
  switch (codeOf(cause)) {
    case 'EROFS':
      return new SiteFileUnwritable(
        `${folder} is on a file system that is read-only here`,
        `mount it for writing, or let the service write there: ReadWritePaths=${folder}`,
        { cause },
      );
    case 'EACCES':
    case 'EPERM':
      return new SiteFileUnwritable(
        `this process (user ${process.getuid?.() ?? '?'}) may not write in ${folder}`,
        `give the folder to the user that runs the gateway: chown ${folder}`,
        { cause },
      );
    case 'ENOSPC':
    case 'EDQUOT':
      return new SiteFileUnwritable(`there is no room for ${file}`, 'free space on its disk', { cause });
    default: {
      const words = cause instanceof Error ? cause.message : String(cause);
      return new SiteFileUnwritable(`${file} cannot be written: ${words}`, 'nothing has changed', { cause });
    }
  }
}

const codeOf = (err: unknown): unknown => (err instanceof Error && 'code' in err ? err.code : undefined);

/** @throws Error where it is none: a trial that cannot be read must not be taken for one that was kept */
function parseLog(value: unknown): RevisionLog {
  const { revisions, trial } = fields(value);
  if (!Array.isArray(revisions)) throw new Error(`${LOG} holds no list of revisions`);
  const parsed = trial === undefined ? undefined : parseTrial(trial);
  return { revisions: revisions.map(parseRevision), ...(parsed && { trial: parsed }) };
}

function parseRevision(value: unknown): Revision {
  const { revision, at, by, comment, state, diff } = fields(value);
  if (typeof revision !== 'string' || typeof at !== 'number' || typeof by !== 'string' || typeof diff !== 'string')
    throw new Error(`${LOG} holds something that is no revision`);
  if (typeof state !== 'string' || !STATES.includes(state)) throw new Error(`${LOG} holds a revision without a state`);
  return {
    revision,
    at: timestamp(at),
    by,
    ...(typeof comment === 'string' && { comment }),
    state: state as RevisionState,
    diff,
  };
}

function parseTrial(value: unknown): Trial {
  const { revision, former, left, suspended } = fields(value);
  if (typeof revision !== 'string' || typeof former !== 'string' || typeof left !== 'number')
    throw new Error(`${LOG} holds something that is no trial`);
  return { revision, former, left, ...(suspended === true && { suspended }) };
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new Error(`${LOG} holds something that is not understood`);
  return value as Readonly<Record<string, unknown>>;
}
