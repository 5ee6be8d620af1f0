// The journal's file over time: opened or salvaged, written, measured, and found again after its disk was away.
import { closeSync, existsSync, fsyncSync, openSync, rmSync, writeFileSync } from 'node:fs';
import type { Salvage } from '../../gateway/ports/journal.js';
import { check, connect, isCut, Statements, type Connection } from './database.js';
import {
  CODES,
  isDamage,
  reasonOf,
  type Space,
  type WorkerReply,
  type WorkerRequest,
  type WorkerStart,
} from './protocol.js';
import { damageMark, salvage } from './salvage.js';
import { identityOf, measure } from './space.js';

/** Milliseconds between two looks at the file system while there is traffic. */
const MEASURED_EVERY = 500;
/** Pages in the write-ahead log, by estimate, at which they are moved to the database once nobody waits. */
const CHECKPOINT_PAGES = 2_000;
const PAGE_SIZE = 4096;
/** Pages of the tree that a commit touches beside its own bytes. */
const PAGES_BESIDE = 3;
/** A refusal with one of these came before the commit was written whole: it cannot come back. */
const BEFORE_THE_COMMIT: ReadonlySet<string> = new Set([
  'SQLITE_FULL',
  'SQLITE_READONLY',
  'SQLITE_IOERR_WRITE',
  'SQLITE_CANTOPEN',
  CODES.moved,
]);

export class Store {
  readonly #start: WorkerStart;
  #db: Connection;
  #statements: Statements;
  #identity: string | undefined;
  readonly salvage: Salvage | undefined;
  /** The newest entry that was acknowledged. */
  #acknowledged: number;
  /**
   * Something that was refused may be whole in the log all the same (its flush failed): a process that opens the file now
   * would find it. The next commit writes over it.
   */
  #refusedMayBeThere = false;
  #pages = 0;
  #measuredAt = -Infinity;
  #probes = 0;

  /** @throws Error with SQLite's code or one of `CODES` */
  constructor(start: WorkerStart) {
    this.#start = start;
    const opened = open(start);
    this.#db = opened.db;
    this.salvage = opened.salvage;
    this.#statements = new Statements(opened.db);
    this.#acknowledged = this.#statements.lastSeq();
    this.#identity = identityOf(start.file);
  }

  get lastSeq(): number {
    return this.#acknowledged;
  }

  /** @throws Error with SQLite's code or one of `CODES`; nothing of the request was kept */
  answer(request: WorkerRequest): WorkerReply {
    const { id } = request;
    try {
      switch (request.type) {
        case 'write': {
          const begun = performance.now();
          const due = begun - this.#measuredAt >= MEASURED_EVERY;
          if (due) this.#inPlace();
          this.#statements.write(request);
          this.#refusedMayBeThere = false;
          if (request.entries.length > 0) this.#acknowledged = request.first + request.entries.length - 1;
          this.#wrote([...request.entries, ...request.documents]);
          return { id, took: performance.now() - begun, ...(due && this.#spaceBeside()) };
        }
        case 'read':
          return { id, rows: this.#statements.read(request.after, request.limit) };
        case 'load':
          return { id, rows: this.#statements.load(request.collection) };
        case 'newest':
          return { id, rows: this.#statements.newest(request.collection, request.before, request.limit) };
        case 'trim':
        case 'expire': {
          const done =
            request.type === 'trim'
              ? this.#statements.trim(request.upTo)
              : this.#statements.expire(request.collection, request.from, request.before);
          this.#pages += done.deleted;
          return { id, ...done, ...this.#spaceBeside() };
        }
        case 'amend':
          this.#statements.amend(request);
          this.#pages += request.entries.length;
          return { id, ...this.#spaceBeside() };
        case 'probe':
          return { id, ...this.#probe() };
        case 'close':
          this.#db.close();
          return { id };
      }
    } catch (error) {
      this.#refused(reasonOf(error).code, request.type === 'write' || request.type === 'probe');
      throw error;
    }
  }

  /** Between two requests: what makes room and would keep somebody waiting if it came with a commit. */
  rest(): void {
    if (this.#pages < CHECKPOINT_PAGES) return;
    this.#pages = 0;
    try {
      this.#db.pragma('wal_checkpoint(PASSIVE)');
    } catch (error) {
      // What was committed stays in the log, and is moved the next time.
      this.#refused(reasonOf(error).code, false);
    }
  }

  space(): Space {
    this.#measuredAt = performance.now();
    return measure(this.#db, this.#start.file, this.#start.sizeLimit);
  }

  /** What was committed is committed, whether or not the file system can be looked at. */
  #spaceBeside(): { readonly space?: Space } {
    try {
      return { space: this.space() };
    } catch {
      return {};
    }
  }

  /** What is written to a file that nobody will find is lost. */
  #inPlace(): void {
    if (identityOf(this.#start.file) === this.#identity) return;
    const text = `${this.#start.file} is not the file that was opened: it was removed or replaced, or its disk is gone`;
    throw Object.assign(new Error(text), { code: CODES.moved });
  }

  #wrote(texts: readonly (string | null)[]): void {
    const bytes = texts.reduce((sum, text) => sum + (text?.length ?? 0), 0);
    this.#pages += PAGES_BESIDE + Math.ceil(bytes / PAGE_SIZE);
  }

  #refused(code: string | undefined, commit: boolean): void {
    if (commit && (code === undefined || !BEFORE_THE_COMMIT.has(code))) this.#refusedMayBeThere = true;
    if (!isDamage(code)) return;
    try {
      writeFileSync(damageMark(this.#start.file), '');
    } catch {
      // Without the mark the next start finds the damage when it reads that far again.
    }
  }

  #probe(): { readonly space: Space } {
    try {
      this.#inPlace();
      this.#write();
    } catch (error) {
      const { code } = reasonOf(error);
      if (code === 'SQLITE_FULL' || !takesFiles(this.#start.file)) throw error;
      // The disk is well and our handle is not: it was mounted anew, or was read-only when SQLite last looked.
      this.#reopen();
      this.#write();
    }
    return { space: this.space() };
  }

  /** A commit of nothing in particular: it also writes over what was refused and may be in the log. */
  #write(): void {
    this.#statements.write({ first: 0, entries: [], documents: ['journal', 'probe', String(++this.#probes)] });
    this.#refusedMayBeThere = false;
  }

  /** Opens the file anew and goes on only with exactly what was acknowledged. */
  #reopen(): void {
    if (this.#refusedMayBeThere) throw changed('what was refused may be in it');
    try {
      this.#db.close();
    } catch {
      // It could not be written, so closing could not tidy it up.
    }
    this.#db = connect(this.#start.file);
    this.#statements = new Statements(this.#db);
    this.#identity = identityOf(this.#start.file);
    const last = this.#statements.lastSeq();
    if (last !== this.#acknowledged) throw changed(`it ends at entry ${last} instead of ${this.#acknowledged}`);
  }
}

const changed = (how: string): Error =>
  Object.assign(new Error(`the journal had to be opened anew, and ${how}`), { code: CODES.changed });

function open(start: WorkerStart): { readonly db: Connection; readonly salvage: Salvage | undefined } {
  const { file, now } = start;
  if (existsSync(damageMark(file)) || isCut(file)) return salvage(file, now);
  let db: Connection | undefined;
  try {
    db = connect(file);
    check(db);
    return { db, salvage: undefined };
  } catch (error) {
    db?.close();
    if (!isDamage(reasonOf(error).code)) throw error;
    return salvage(file, now);
  }
}

/** Whether the file's folder takes another file, down to the disk. */
function takesFiles(file: string): boolean {
  const probe = `${file}.probe`;
  try {
    const handle = openSync(probe, 'w');
    try {
      writeFileSync(handle, 'x');
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    return true;
  } catch {
    return false;
  } finally {
    try {
      rmSync(probe, { force: true });
    } catch {
      // As unwritable as the rest.
    }
  }
}
