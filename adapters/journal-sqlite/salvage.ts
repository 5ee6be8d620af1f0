// A damaged journal: its files are put aside and kept, and what can be read of them becomes the new journal.
import Database from 'better-sqlite3';
import {
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Salvage } from '../../gateway/ports/journal.js';
import { connect, Statements, type Connection } from './database.js';
import { reasonOf } from './protocol.js';
import { readDocuments, readEntries, type DocumentRow, type EntryRow } from './salvage-read.js';

/** Damaged journals that are kept, the newest ones. */
const SETS_KEPT = 3;
const SUFFIXES = ['', '-wal', '-shm'];
/** Rows written in one transaction. */
const PORTION = 1_000;
/** Beyond the last entry that could be read: no number that was given to anybody is given again. */
const NUMBERS_SKIPPED = 1_000_000;
/** When nothing tells how far the numbers had come: milliseconds since then, more than any site has entries. */
const EPOCH = Date.UTC(2020, 0, 1);
const PAGE_SIZE = 4096;

/** Present: the file was found to be damaged while it was in use; the next start does not trust it. */
export const damageMark = (file: string): string => `${file}.damaged`;

/**
 * Puts the files aside and opens a new journal with everything that could be read.
 * @param now milliseconds since 1970
 * @throws Error when the files cannot be put aside or no new one can be made
 */
export function salvage(file: string, now: number): { readonly db: Connection; readonly salvage: Salvage } {
  const kept = putAside(file, now);
  const db = connect(file);
  const statements = new Statements(db);
  const documents = copy(db, documentsOf(kept, file), ([collection, key, body]) =>
    statements.write({ first: 0, entries: [], documents: [collection, key, body] }),
  );
  let first = Infinity;
  let last = 0;
  const entries = copy(db, entriesOf(kept, file), ([seq, body]) => {
    statements.write({ first: seq, entries: [body], documents: [] });
    first = Math.min(first, seq);
    last = Math.max(last, seq);
  });
  const missing = entries === 0 ? 0 : last - first + 1 - entries;
  const found: Salvage = { at: now, entries, documents, missing, kept };
  const next = last > 0 ? last + NUMBERS_SKIPPED : Math.max(NUMBERS_SKIPPED, now - EPOCH);
  statements.write({
    first: next,
    // Says nothing; holds the place from which the numbers go on.
    entries: ['null'],
    documents: ['journal', 'salvage', JSON.stringify(found)],
  });
  rmSync(damageMark(file), { force: true });
  return { db, salvage: found };
}

/** The name under which the database is kept from now on; older sets go. */
function putAside(file: string, now: number): string {
  const prefix = `${basename(file)}.damaged-`;
  let at = now;
  const name = (): string => `${file}.damaged-${new Date(at).toISOString().replaceAll(/[-:]|\.\d+/g, '')}`;
  // A box that does not know the time says the same at every start.
  while (existsSync(name())) at += 1000;
  const kept = name();
  for (const suffix of SUFFIXES) rename(`${file}${suffix}`, `${kept}${suffix}`);
  const sets = readdirSync(dirname(file)).filter((name) => name.startsWith(prefix) && !/-(wal|shm)$/.test(name));
  for (const old of sets.toSorted().slice(0, -SETS_KEPT)) {
    for (const suffix of SUFFIXES) rmSync(join(dirname(file), old + suffix), { force: true });
  }
  return kept;
}

function rename(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (reasonOf(error).code !== 'ENOENT') throw error;
  }
}

/** Writes rows in portions until there are no more, or no more fits; the answer is how many. */
function copy<R>(db: Connection, rows: Iterable<R>, put: (row: R) => void): number {
  let count = 0;
  let portion: R[] = [];
  const flush = db.transaction(() => {
    for (const row of portion) put(row);
  });
  const write = (): void => {
    flush();
    count += portion.length;
    portion = [];
  };
  try {
    for (const row of rows) if (portion.push(row) === PORTION) write();
    write();
  } catch (error) {
    // The kept files still hold what does not fit; the gateway has to start.
    if (reasonOf(error).code !== 'SQLITE_FULL') throw error;
  }
  return count;
}

const documentsOf = (kept: string, file: string): Iterable<DocumentRow> => reading(kept, file, readDocuments);

const entriesOf = (kept: string, file: string): Iterable<EntryRow> => reading(kept, file, readEntries);

/** With its log; else, where that finds nothing, by the database alone under a sound first page. */
function* reading<R>(kept: string, file: string, rows: (db: Connection, file: string) => Iterable<R>): Iterable<R> {
  let any = false;
  for (const row of opened(kept, rows)) {
    any = true;
    yield row;
  }
  if (any) return;
  const repaired = `${file}.salvage`;
  try {
    if (withFirstPage(kept, repaired)) yield* opened(repaired, rows);
  } finally {
    for (const suffix of SUFFIXES) rmSync(`${repaired}${suffix}`, { force: true });
  }
}

function* opened<R>(file: string, rows: (db: Connection, file: string) => Iterable<R>): Iterable<R> {
  let db: Connection;
  try {
    // Read only: closing must not move the log into the file that is kept as it was found.
    db = new Database(file, { readonly: true, fileMustExist: true });
  } catch {
    return;
  }
  try {
    yield* rows(db, file);
  } finally {
    db.close();
  }
}

/**
 * The first page holds the header and the schema, which are the same in every journal: those of the new file make a
 * database readable that has lost its own.
 */
function withFirstPage(kept: string, repaired: string): boolean {
  const page = Buffer.alloc(PAGE_SIZE);
  try {
    copyFileSync(kept, repaired);
    const sound = `${repaired}-new`;
    connect(sound).close();
    const from = openSync(sound, 'r');
    readSync(from, page, 0, PAGE_SIZE, 0);
    closeSync(from);
    rmSync(sound, { force: true });
  } catch {
    return false;
  }
  // The size is taken from the file, and no page is known to be free (SQLite file format, sections 1.3.8 and 1.5).
  page.writeUInt32BE(page.readUInt32BE(24) + 1, 92);
  page.fill(0, 32, 40);
  // Without a log: 1 instead of 2 (section 1.3.3).
  page.fill(1, 18, 20);
  const to = openSync(repaired, 'r+');
  writeSync(to, page, 0, PAGE_SIZE, 0);
  closeSync(to);
  return true;
}
