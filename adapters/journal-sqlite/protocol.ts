// What the journal's two halves say to each other: the event loop's side and the worker thread that waits for the disk.

/** A document to put (`json`) or to delete (`null`). */
export type DocumentWrite = readonly [collection: string, key: string, json: string | null];

/** All of one flush: becomes one SQLite transaction, so one fsync. */
export interface WriteRequest {
  readonly type: 'write';
  readonly id: number;
  /** Entries `firstSeq`, `firstSeq + 1`, ... in JSON. */
  readonly firstSeq: number;
  readonly entries: readonly string[];
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
  /** `read`: [seq, json]; `load`: [key, json]. */
  readonly rows?: readonly (readonly [number | string, string])[];
}

/** The first message of the worker: the database is open, or why not. */
export interface WorkerReady {
  readonly ready: boolean;
  readonly error?: string;
  readonly lastSeq: number;
}
