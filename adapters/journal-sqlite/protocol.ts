// What the journal's two halves say to each other: the event loop's side and the worker thread that waits for the disk.

/** The `code` for a file that a newer program has written; the others are SQLite's. */
export const TOO_NEW = 'TOO_NEW';

/** A document to put (`json`) or to delete (`null`). */
export type DocumentWrite = readonly [collection: string, key: string, json: string | null];

/** A journal entry in JSON. */
export type EntryWrite = readonly [seq: number, json: string];

/** All of one flush: becomes one SQLite transaction, so one fsync. */
export interface WriteRequest {
  readonly type: 'write';
  readonly id: number;
  readonly entries: readonly EntryWrite[];
  readonly documents: readonly DocumentWrite[];
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

/** Deletes a portion of what is to be forgotten: commits that came in meanwhile go between two portions. */
export interface TrimRequest {
  readonly type: 'trim';
  readonly id: number;
  readonly upTo: number;
}

export interface CloseRequest {
  readonly type: 'close';
  readonly id: number;
}

export type WorkerRequest = WriteRequest | ReadRequest | LoadRequest | TrimRequest | CloseRequest;

export interface WorkerReply {
  readonly id: number;
  /** `write`: how long the disk took, in ms. */
  readonly took?: number;
  /** Why the disk refused; nothing of the request was kept. */
  readonly error?: string;
  /** SQLite's name of that reason, such as SQLITE_FULL. */
  readonly code?: string;
  /** `read`: [seq, json]; `load`: [key, json]. */
  readonly rows?: readonly (readonly [number | string, string])[];
  /** `trim`: more remains to be deleted. */
  readonly more?: boolean;
}

/** The first message of the worker: the database is open, or why not. */
export interface WorkerReady {
  readonly ready: boolean;
  readonly error?: string;
  readonly code?: string;
  readonly lastSeq: number;
}
