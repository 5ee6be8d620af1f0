// The journal's one database: how it is opened, and every statement that is run on it.
import Database from 'better-sqlite3';
import { existsSync, statSync } from 'node:fs';
import { CODES, type AmendRequest, type WriteRequest } from './protocol.js';

/** The form of the database; rises when a release changes it in a way that an older one cannot read. */
export const STORE_VERSION = 1;
/** Milliseconds that a gateway which is just ending gets to let go of the database. */
const LOCK_PATIENCE = 2_000;
/** Rows deleted in one transaction: a commit that waits behind it waits some milliseconds. */
const PORTION = 2_000;
/** The write-ahead log is cut back to this many bytes when it was longer. */
const LOG_KEPT = 8 * 1024 * 1024;
/** Pages in the log at which SQLite itself moves them to the database; we do it earlier, when nobody waits. */
const LOG_PAGES = 6_000;
/** A database up to this many bytes is looked through at the start: some seconds on a slow card. */
const CHECKED_SIZE = 64 * 1024 * 1024;

export type Connection = Database.Database;

/**
 * Opens the file, creating it where there is none, and brings it to this release's form.
 * @param patience milliseconds that another process gets to let go of it
 * @throws Error with SQLite's code or one of `CODES`
 */
export function connect(file: string, patience = LOCK_PATIENCE): Connection {
  const db = new Database(file, { timeout: patience });
  try {
    // One process owns the site; a second one on the same directory would tell every CSMS everything twice.
    db.pragma('locking_mode = EXCLUSIVE');
    db.pragma('journal_mode = WAL');
    // FULL: a commit is on the disk, not merely with the kernel, when it returns.
    db.pragma('synchronous = FULL');
    db.pragma(`journal_size_limit = ${LOG_KEPT}`);
    db.pragma(`wal_autocheckpoint = ${LOG_PAGES}`);
    const version = Number(db.pragma('user_version', { simple: true }));
    if (version > STORE_VERSION) {
      const text = `it was written by a newer Forecourt (version ${version} of the file, this one knows ${STORE_VERSION})`;
      throw Object.assign(new Error(text), { code: CODES.tooNew });
    }
    db.exec(`
      CREATE TABLE IF NOT EXISTS entry (seq INTEGER PRIMARY KEY, body TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS document (
        collection TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (collection, key)
      ) WITHOUT ROWID;
    `);
    if (version !== STORE_VERSION) db.pragma(`user_version = ${STORE_VERSION}`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** @throws Error with the code SQLITE_CORRUPT for a database that does not hang together, as far as it is looked through */
export function check(db: Connection): void {
  const pages = Number(db.pragma('page_count', { simple: true }));
  const pageSize = Number(db.pragma('page_size', { simple: true }));
  if (pages * pageSize > CHECKED_SIZE) return;
  const found = String(db.pragma('quick_check(1)', { simple: true }));
  if (found !== 'ok') throw Object.assign(new Error(`the database is damaged: ${found}`), { code: 'SQLITE_CORRUPT' });
}

/** A file without any bytes and without a log is no journal: it was cut. */
export const isCut = (file: string): boolean =>
  existsSync(file) && statSync(file).size === 0 && !existsSync(`${file}-wal`);

/** Every statement the journal needs, prepared once. */
export class Statements {
  readonly #insertEntry;
  readonly #deleteEntries;
  readonly #entriesBetween;
  readonly #putDocument;
  readonly #deleteDocument;
  readonly #read;
  readonly #load;
  readonly #newest;
  readonly #trim;
  readonly #expire;
  readonly #last;
  readonly write: (request: Pick<WriteRequest, 'first' | 'entries' | 'documents'>) => void;
  readonly amend: (request: Pick<AmendRequest, 'entries' | 'documents'>) => void;

  constructor(db: Connection) {
    this.#insertEntry = db.prepare('INSERT INTO entry (seq, body) VALUES (?, ?)');
    this.#entriesBetween = db.prepare('SELECT seq, body FROM entry WHERE seq BETWEEN ? AND ? ORDER BY seq').raw();
    this.#deleteEntries = db.prepare('DELETE FROM entry WHERE seq BETWEEN ? AND ?');
    this.#putDocument = db.prepare(
      'INSERT INTO document (collection, key, body) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body',
    );
    this.#deleteDocument = db.prepare('DELETE FROM document WHERE collection = ? AND key = ?');
    this.#read = db.prepare('SELECT seq, body FROM entry WHERE seq > ? ORDER BY seq LIMIT ?').raw();
    this.#load = db.prepare('SELECT key, body FROM document WHERE collection = ?').raw();
    this.#newest = db
      .prepare('SELECT key, body FROM document WHERE collection = ? AND key < ? ORDER BY key DESC LIMIT ?')
      .raw();
    this.#trim = db.prepare(
      `DELETE FROM entry WHERE seq IN (
        SELECT seq FROM entry WHERE seq <= ? AND seq < (SELECT max(seq) FROM entry) ORDER BY seq LIMIT ${PORTION})`,
    );
    this.#expire = db.prepare(
      `DELETE FROM document WHERE collection = ? AND key IN (
        SELECT key FROM document WHERE collection = ? AND key >= ? AND key < ? ORDER BY key LIMIT ${PORTION})`,
    );
    this.#last = db.prepare('SELECT coalesce(max(seq), 0) FROM entry').pluck();
    this.write = db.transaction(
      ({ first, entries, documents }: Pick<WriteRequest, 'first' | 'entries' | 'documents'>) => {
        let seq = first;
        for (const json of entries) this.#insertEntry.run(seq++, json);
        this.#putDocuments(documents);
      },
    );
    this.amend = db.transaction(({ entries, documents }: Pick<AmendRequest, 'entries' | 'documents'>) => {
      this.#rewrite(new Map(entries));
      this.#putDocuments(documents);
    });
  }

  /** Everything from the first to the last is written anew: rows taken from between others would leave half empty pages. */
  #rewrite(amendments: ReadonlyMap<number, string | null>): void {
    if (amendments.size === 0) return;
    const seqs = [...amendments.keys()];
    const bounds = [Math.min(...seqs), Math.max(...seqs)] as const;
    const rows = this.#entriesBetween.all(...bounds) as [number, string][];
    // The newest entry always stays: its number is where the next one continues.
    const newest = this.lastSeq();
    this.#deleteEntries.run(...bounds);
    for (const [seq, body] of rows) {
      const amended = amendments.get(seq);
      if (amended !== null) this.#insertEntry.run(seq, amended ?? body);
      else if (seq === newest) this.#insertEntry.run(seq, body);
    }
  }

  #putDocuments(documents: readonly (string | null)[]): void {
    for (let at = 0; at < documents.length; at += 3) {
      const [collection, key, json] = documents.slice(at, at + 3);
      if (json === null) this.#deleteDocument.run(collection, key);
      else this.#putDocument.run(collection, key, json);
    }
  }

  lastSeq(): number {
    return Number(this.#last.get());
  }

  read(after: number, limit: number): readonly [number, string][] {
    return this.#read.all(after, limit) as [number, string][];
  }

  load(collection: string): readonly [string, string][] {
    return this.#load.all(collection) as [string, string][];
  }

  newest(collection: string, before: string, limit: number): readonly [string, string][] {
    return this.#newest.all(collection, before, limit) as [string, string][];
  }

  trim(upTo: number): { readonly deleted: number; readonly more: boolean } {
    const deleted = this.#trim.run(upTo).changes;
    return { deleted, more: deleted === PORTION };
  }

  expire(collection: string, from: string, before: string): { readonly deleted: number; readonly more: boolean } {
    const deleted = this.#expire.run(collection, collection, from, before).changes;
    return { deleted, more: deleted === PORTION };
  }
}
