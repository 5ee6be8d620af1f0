// What the journal's two halves say to each other: the event loop's side and the worker thread that waits for the disk.
import type { Salvage } from '../../gateway/ports/journal.js';

/** Reasons of our own beside SQLite's codes. */
export const CODES = {
  /** A newer program has written the file. */
  tooNew: 'TOO_NEW',
  /** The file is no longer where it was opened. */
  moved: 'MOVED',
  /** Opened anew, the file does not hold what was acknowledged, or perhaps what was refused. */
  changed: 'CHANGED',
} as const;

/** What the thread is started with. */
export interface WorkerStart {
  /** The database; files with the same beginning belong to it. */
  readonly file: string;
  /** Bytes that the database may hold. */
  readonly sizeLimit: number;
  /** Milliseconds since 1970, for the name of a damaged file that is put aside. */
  readonly now: number;
}

/** All of one flush: becomes one SQLite transaction, so one fsync. */
export interface WriteRequest {
  readonly type: 'write';
  readonly id: number;
  /** The number of the first entry; the others follow without a gap. */
  readonly first: number;
  /** In JSON. */
  readonly entries: readonly string[];
  /** Collection, key and JSON of each, one behind the other; null instead of JSON deletes. Flat, for it is cheaper to send. */
  readonly documents: readonly (string | null)[];
}

export interface ReadRequest {
  readonly type: 'read';
  readonly id: number;
  readonly after: number;
  readonly limit: number;
}

export interface LoadRequest {
  readonly type: 'load';
  readonly id: number;
  readonly collection: string;
}

/** Documents whose key is below `before`, the greatest key first. */
export interface NewestRequest {
  readonly type: 'newest';
  readonly id: number;
  readonly collection: string;
  readonly before: string;
  readonly limit: number;
}

/** Deletes a portion of what is to be forgotten: commits that came in meanwhile go between two portions. */
export interface TrimRequest {
  readonly type: 'trim';
  readonly id: number;
  readonly upTo: number;
}

export interface AmendRequest {
  readonly type: 'amend';
  readonly id: number;
  /** Null instead of JSON deletes. */
  readonly entries: readonly (readonly [seq: number, json: string | null])[];
  readonly documents: readonly (string | null)[];
}

/** Deletes a portion of the documents with these keys. */
export interface ExpireRequest {
  readonly type: 'expire';
  readonly id: number;
  readonly collection: string;
  readonly from: string;
  readonly before: string;
}

/** Finds out whether the disk takes anything (again), opening the file anew where that is needed. */
export interface ProbeRequest {
  readonly type: 'probe';
  readonly id: number;
}

export interface CloseRequest {
  readonly type: 'close';
  readonly id: number;
}

export type WorkerRequest =
  | WriteRequest
  | ReadRequest
  | LoadRequest
  | NewestRequest
  | TrimRequest
  | AmendRequest
  | ExpireRequest
  | ProbeRequest
  | CloseRequest;

/** In bytes. */
export interface Space {
  readonly size: number;
  readonly used: number;
  readonly limit: number;
  readonly free: number;
  /** Not one more entry may be added. */
  readonly full: boolean;
}

export interface WorkerReply {
  readonly id: number;
  /** `write`: how long the disk took, in ms. */
  readonly took?: number;
  /** Why the disk refused; nothing of the request was kept. */
  readonly error?: string;
  /** SQLite's name of that reason, such as SQLITE_FULL, or one of `CODES`. */
  readonly code?: string;
  /** `read`: [seq, json]; `load`, `newest`: [key, json]. */
  readonly rows?: readonly (readonly [number | string, string])[];
  /** `trim`, `expire`: how many were deleted, and whether more remain. */
  readonly deleted?: number;
  readonly more?: boolean;
  /** Now and then. */
  readonly space?: Space;
}

/** The first message of the worker: the database is open, or why not. */
export type WorkerReady =
  | { readonly ready: true; readonly lastSeq: number; readonly space: Space; readonly salvage?: Salvage }
  | { readonly ready: false; readonly error: string; readonly code?: string };

/** Words and code of anything that was thrown. */
export function reasonOf(error: unknown): { readonly error: string; readonly code?: string } {
  if (!(error instanceof Error)) return { error: String(error) };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return { error: error.message, ...(code !== undefined && { code }) };
}

export const isDamage = (code: string | undefined): boolean =>
  code?.startsWith('SQLITE_CORRUPT') === true || code === 'SQLITE_NOTADB' || code === 'SQLITE_IOERR_CORRUPTFS';
