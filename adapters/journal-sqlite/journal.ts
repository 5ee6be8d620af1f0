// The journal on SQLite: group commit in a worker thread, so that a slow disk delays answers but never the event loop.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { CancelTimer, Clock } from '../../gateway/kernel/clock.js';
import { journalSeq, type JournalSeq } from '../../gateway/kernel/ids.js';
import type { Log } from '../../gateway/kernel/log.js';
import { milliseconds } from '../../gateway/kernel/units.js';
import { JournalUnavailable, type Commit, type Journal, type JournalEntry } from '../../gateway/ports/journal.js';
import type { JournalRecord } from '../../gateway/site/transaction.js';
import type { DocumentWrite, WorkerReady, WorkerReply, WorkerRequest } from './protocol.js';
import { Tail } from './tail.js';

/** Longest wait of a `batch` commit for company, in milliseconds: what an SD card is spared. */
const BATCH_WINDOW = milliseconds(20);
/** A disk that flushes in less (ms) is no card and is not spared: what comes while it flushes shares the next flush. */
const QUICK_FLUSH = 1;
/** So many waiting commits are company enough. */
const COMPANY = 64;
/** Newest entries kept in memory for the views, which read everything at least once each. */
const TAIL_ENTRIES = 1000;

interface WaitingCommit {
  readonly entries: readonly JournalEntry[];
  readonly bodies: readonly string[];
  readonly documents: readonly DocumentWrite[];
  readonly done: (seqs: readonly JournalSeq[]) => void;
  readonly refused: (reason: JournalUnavailable) => void;
}

// Omit over a union would lose its members' own fields.
type WithoutId<R> = R extends { readonly id: number } ? Omit<R, 'id'> : never;

/**
 * Opens `journal.db` in `directory`, creating both.
 * @throws JournalUnavailable when the database cannot be opened: locked by another gateway, corrupt, disk full
 */
export async function openJournal(directory: string, clock: Clock, log: Log): Promise<Journal> {
  const file = join(directory, 'journal.db');
  try {
    mkdirSync(directory, { recursive: true });
  } catch (cause) {
    throw new JournalUnavailable(`cannot create ${directory}`, { cause });
  }
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: { file } });
  const ready = await new Promise<WorkerReady>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  if (!ready.ready) throw new JournalUnavailable(`cannot open ${file}: ${ready.error ?? 'unknown reason'}`);
  return new SqliteJournal(worker, journalSeq(ready.lastSeq), clock, log);
}

class SqliteJournal implements Journal {
  #last: JournalSeq;
  #waiting: WaitingCommit[] = [];
  #flushing = false;
  #scheduled = false;
  #window: CancelTimer | undefined;
  /** The shortest flush of late, in ms: what the disk can do when nothing disturbs it. */
  #flushTime = Infinity;
  #requests = 0;
  #broken: string | undefined;
  readonly #replies = new Map<number, (reply: WorkerReply) => void>();
  readonly #listeners: ((seq: JournalSeq) => void)[] = [];
  readonly #tail: Tail;
  readonly #clock: Clock;

  constructor(
    readonly worker: Worker,
    last: JournalSeq,
    clock: Clock,
    log: Log,
  ) {
    this.#last = last;
    this.#tail = new Tail(TAIL_ENTRIES, last);
    this.#clock = clock;
    worker.on('message', (reply: WorkerReply) => {
      const resolve = this.#replies.get(reply.id);
      this.#replies.delete(reply.id);
      resolve?.(reply);
    });
    worker.on('error', (err) => {
      log.error({ err, fault: 'FC-J02' }, 'the journal thread has died; nothing more is accepted until the restart');
      this.#break('the journal thread has died');
    });
    worker.on('exit', () => this.#break('the journal is closed'));
  }

  get lastSeq(): JournalSeq {
    return this.#last;
  }

  commit(commit: Commit, urgency: 'now' | 'batch' = 'now'): Promise<readonly JournalSeq[]> {
    if (this.#broken !== undefined) return Promise.reject(new JournalUnavailable(this.#broken));
    const records = commit.records ?? [];
    const entries: JournalEntry[] = [];
    for (const record of records) {
      this.#last = journalSeq(this.#last + 1);
      entries.push({ seq: this.#last, record });
    }
    const documents = (commit.documents ?? []).map((put): DocumentWrite => [
      put.collection,
      put.key,
      put.value === undefined ? null : JSON.stringify(put.value),
    ]);
    const bodies = records.map((record) => JSON.stringify(record));
    return new Promise((done, refused) => {
      this.#waiting.push({ entries, bodies, documents, done, refused });
      const waits = this.#flushTime >= QUICK_FLUSH && this.#waiting.length < COMPANY;
      if (urgency === 'now' || !waits) this.#flushSoon();
      else this.#window ??= this.#clock.after(BATCH_WINDOW, () => this.#flushSoon());
    });
  }

  #flushSoon(): void {
    this.#window?.();
    this.#window = undefined;
    if (this.#scheduled || this.#flushing) return;
    this.#scheduled = true;
    // Everything that arrives in this turn of the event loop shares the flush.
    setImmediate(() => {
      this.#scheduled = false;
      void this.#flush();
    });
  }

  async #flush(): Promise<void> {
    if (this.#flushing || this.#waiting.length === 0) return;
    this.#flushing = true;
    const batch = this.#waiting;
    this.#waiting = [];
    const reply = await this.#ask({
      type: 'write',
      firstSeq: batch.find((commit) => commit.entries.length > 0)?.entries[0]?.seq ?? 0,
      entries: batch.flatMap((commit) => commit.bodies),
      documents: batch.flatMap((commit) => commit.documents),
    });
    this.#flushing = false;
    if (this.#waiting.length > 0) this.#flushSoon();
    // A minimum that forgets slowly: a busy machine delays single flushes, a slow disk all of them.
    if (reply.took !== undefined) this.#flushTime = Math.min(reply.took, this.#flushTime * 1.1);
    if (reply.error === undefined) {
      for (const commit of batch) for (const entry of commit.entries) this.#tail.push(entry);
      for (const commit of batch) commit.done(commit.entries.map((entry) => entry.seq));
      const seq = this.#tail.newest;
      for (const listener of this.#listeners) listener(seq);
    } else {
      const reason = new JournalUnavailable(reply.error);
      for (const commit of batch) commit.refused(reason);
    }
  }

  async read(after: JournalSeq, limit: number): Promise<readonly JournalEntry[]> {
    const remembered = this.#tail.after(after, limit);
    if (remembered !== undefined) return remembered;
    const durable = this.#tail.newest;
    const reply = await this.#ask({ type: 'read', after, limit });
    if (reply.error !== undefined) throw new JournalUnavailable(reply.error);
    return (reply.rows ?? [])
      .filter(([seq]) => Number(seq) <= durable)
      .map(([seq, body]) => ({ seq: journalSeq(Number(seq)), record: JSON.parse(body) as JournalRecord }));
  }

  async load(collection: string): Promise<ReadonlyMap<string, unknown>> {
    const reply = await this.#ask({ type: 'load', collection });
    if (reply.error !== undefined) throw new JournalUnavailable(reply.error);
    return new Map((reply.rows ?? []).map(([key, body]) => [String(key), JSON.parse(body) as unknown]));
  }

  async trim(upTo: JournalSeq): Promise<void> {
    const reply = await this.#ask({ type: 'trim', upTo });
    if (reply.error !== undefined) throw new JournalUnavailable(reply.error);
  }

  onCommitted(listener: (seq: JournalSeq) => void): void {
    this.#listeners.push(listener);
  }

  async close(): Promise<void> {
    while (this.#broken === undefined && (this.#waiting.length > 0 || this.#flushing)) {
      if (this.#flushing) await new Promise((resolve) => setImmediate(resolve));
      else await this.#flush();
    }
    this.#window?.();
    if (this.#broken === undefined) await this.#ask({ type: 'close' });
    this.#break('the journal is closed');
    await this.worker.terminate();
  }

  #ask(request: WithoutId<WorkerRequest>): Promise<WorkerReply> {
    const id = ++this.#requests;
    if (this.#broken !== undefined) return Promise.resolve({ id, error: this.#broken });
    return new Promise((resolve) => {
      this.#replies.set(id, resolve);
      this.worker.postMessage({ ...request, id } as WorkerRequest);
    });
  }

  #break(reason: string): void {
    this.#broken ??= reason;
    for (const [id, resolve] of this.#replies) resolve({ id, error: reason });
    this.#replies.clear();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const commit of waiting) commit.refused(new JournalUnavailable(reason));
  }
}
