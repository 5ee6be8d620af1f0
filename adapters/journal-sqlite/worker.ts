// The worker thread that owns the database: it may wait for the disk, the event loop may not.
import Database from 'better-sqlite3';
import { parentPort, workerData } from 'node:worker_threads';
import { TOO_NEW, type WorkerReady, type WorkerReply, type WorkerRequest } from './protocol.js';

const SCHEMA_VERSION = 1;
/** Milliseconds that a gateway which is just ending gets to let go of the database. */
const LOCK_PATIENCE = 2_000;
/** Entries deleted in one transaction: a commit that waits behind it waits some milliseconds. */
const TRIM_PORTION = 2_000;

function open(file: string): Database.Database {
  const db = new Database(file, { timeout: LOCK_PATIENCE });
  // One process owns the site; a second one on the same directory would tell every CSMS everything twice.
  db.pragma('locking_mode = EXCLUSIVE');
  db.pragma('journal_mode = WAL');
  // FULL: a commit is on the disk, not merely with the kernel, when it returns.
  db.pragma('synchronous = FULL');
  const version = Number(db.pragma('user_version', { simple: true }));
  if (version > SCHEMA_VERSION) {
    const text = `it was written by a newer Forecourt (version ${version} of the file, this one knows ${SCHEMA_VERSION})`;
    throw Object.assign(new Error(text), { code: TOO_NEW });
  }
  db.exec(`
    CREATE TABLE IF NOT EXISTS entry (seq INTEGER PRIMARY KEY, body TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS document (
      collection TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (collection, key)
    ) WITHOUT ROWID;
    PRAGMA user_version = ${SCHEMA_VERSION};
  `);
  return db;
}

function serve(db: Database.Database): (request: WorkerRequest) => WorkerReply {
  const insertEntry = db.prepare('INSERT INTO entry (seq, body) VALUES (?, ?)');
  const putDocument = db.prepare(
    'INSERT INTO document (collection, key, body) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body',
  );
  const deleteDocument = db.prepare('DELETE FROM document WHERE collection = ? AND key = ?');
  const readEntries = db.prepare('SELECT seq, body FROM entry WHERE seq > ? ORDER BY seq LIMIT ?').raw();
  const loadDocuments = db.prepare('SELECT key, body FROM document WHERE collection = ?').raw();
  // The newest entry always stays: its number is where the next one continues.
  const trimEntries = db.prepare(
    `DELETE FROM entry WHERE seq IN (
      SELECT seq FROM entry WHERE seq <= ? AND seq < (SELECT max(seq) FROM entry) ORDER BY seq LIMIT ${TRIM_PORTION})`,
  );

  const write = db.transaction((request: Extract<WorkerRequest, { type: 'write' }>) => {
    for (const [seq, json] of request.entries) insertEntry.run(seq, json);
    for (const [collection, key, json] of request.documents) {
      if (json === null) deleteDocument.run(collection, key);
      else putDocument.run(collection, key, json);
    }
  });

  return (request) => {
    switch (request.type) {
      case 'write': {
        const begun = performance.now();
        write(request);
        return { id: request.id, took: performance.now() - begun };
      }
      case 'read':
        return { id: request.id, rows: readEntries.all(request.after, request.limit) as [number, string][] };
      case 'load':
        return { id: request.id, rows: loadDocuments.all(request.collection) as [string, string][] };
      case 'trim':
        return { id: request.id, more: trimEntries.run(request.upTo).changes === TRIM_PORTION };
      case 'close':
        db.close();
        return { id: request.id };
    }
  };
}

function reasonOf(error: unknown): { readonly error: string; readonly code?: string } {
  if (!(error instanceof Error)) return { error: String(error) };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return { error: error.message, ...(code !== undefined && { code }) };
}

const port = parentPort;
if (port === null) throw new Error('the journal worker runs as a worker thread only');
try {
  const db = open((workerData as { file: string }).file);
  const answer = serve(db);
  const lastSeq = Number(db.prepare('SELECT coalesce(max(seq), 0) FROM entry').pluck().get());
  port.on('message', (request: WorkerRequest) => {
    let reply: WorkerReply;
    try {
      reply = answer(request);
    } catch (error) {
      reply = { id: request.id, ...reasonOf(error) };
    }
    port.postMessage(reply);
    if (request.type === 'close') port.close();
  });
  port.postMessage({ ready: true, lastSeq } satisfies WorkerReady);
} catch (error) {
  port.postMessage({
    ready: false,
    ...reasonOf(error),
    lastSeq: 0,
  } satisfies WorkerReady);
  port.close();
}
