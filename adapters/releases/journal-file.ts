// The journal's file while no gateway runs: a migrated copy takes its place, and the former file waits for the verdict.
import {
  chownSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  closeSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import type { ReleaseName, StoredJournal } from '../../gateway/ports/installation.js';
import { removeDurably, renameDurably, sync } from './durable.js';

/** Where SQLite keeps `user_version` (file format, section 1.3), four bytes. */
const VERSION_AT = 60;
const NAME = 'journal.db';

/** Runs a release's `migrate` on a folder as the owner of the journal. @throws Error with its words */
export type Migrate = (release: ReleaseName, folder: string) => void;

export class JournalFile implements StoredJournal {
  readonly #live: string;
  readonly #folder: string;
  readonly #copy: string;
  readonly #former: string;
  readonly #newer: string;
  readonly #directory: string;
  readonly #migrate: Migrate;

  constructor(dataDirectory: string, migrate: Migrate) {
    this.#directory = dataDirectory;
    this.#live = join(dataDirectory, NAME);
    this.#folder = join(dataDirectory, 'upgrade');
    this.#copy = join(this.#folder, NAME);
    this.#former = join(this.#folder, 'former.db');
    this.#newer = `${this.#live}.newer`;
    this.#migrate = migrate;
  }

  form(): number | undefined {
    return storedVersion(this.#directory);
  }

  migrateCopy(from: ReleaseName, to: ReleaseName): void {
    removeDurably(this.#folder);
    for (const old of [this.#newer, `${this.#newer}-wal`]) removeDurably(old);
    if (!existsSync(this.#live)) return;
    // Opened and closed in order by the release that wrote it, it is one file, without a log beside it.
    this.#migrate(from, this.#directory);
    if (existsSync(`${this.#live}-wal`)) throw new Error(`${this.#live}-wal is still there: the journal is in use`);
    mkdirSync(this.#folder, { mode: 0o700 });
    copyFileSync(this.#live, this.#copy);
    const { uid, gid } = statSync(this.#live);
    for (const path of [this.#folder, this.#copy]) chownSync(path, uid, gid);
    this.#migrate(to, this.#folder);
    if (existsSync(`${this.#copy}-wal`)) throw new Error('the new release left its copy of the journal open');
    sync(this.#copy);
    sync(this.#folder);
    sync(this.#directory);
  }

  exchange(): void {
    if (existsSync(this.#live) && !existsSync(this.#former)) renameDurably(this.#live, this.#former);
    if (existsSync(this.#copy)) renameDurably(this.#copy, this.#live);
    sync(this.#directory);
  }

  restore(): void {
    if (existsSync(this.#former)) {
      // The log first: without its database it can do no harm.
      for (const end of ['-wal', ''])
        if (existsSync(this.#live + end)) renameDurably(this.#live + end, this.#newer + end);
      renameDurably(this.#former, this.#live);
      sync(this.#folder);
    }
    removeDurably(this.#folder);
  }

  forgetFormer(): void {
    removeDurably(this.#folder);
  }
}

/** In which form the journal is; undefined: there is none, or its first bytes do not say. */
export function storedVersion(dataDirectory: string): number | undefined {
  const file = join(dataDirectory, NAME);
  if (lstatSync(file, { throwIfNoEntry: false })?.isFile() !== true) return undefined;
  const bytes = Buffer.alloc(4);
  const handle = openSync(file, 'r');
  try {
    return readSync(handle, bytes, 0, 4, VERSION_AT) === 4 ? bytes.readUInt32BE() : undefined;
  } finally {
    closeSync(handle);
  }
}
