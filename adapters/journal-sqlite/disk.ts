// The event loop's side of the worker thread: requests by number, one answer each, and one clear reason when it is gone.
import { Worker } from 'node:worker_threads';
import { FAULTS, type Fault } from '../../gateway/kernel/faults.js';
import { JournalUnavailable } from '../../gateway/ports/journal.js';
import { prepareDirectory } from './directory.js';
import {
  CODES,
  isDamage,
  type WorkerReady,
  type WorkerReply,
  type WorkerRequest,
  type WorkerStart,
} from './protocol.js';

// Omit over a union would lose its members' own fields.
type WithoutId<R> = R extends { readonly id: number } ? Omit<R, 'id'> : never;

type Opened = Extract<WorkerReady, { readonly ready: true }>;

interface Pending {
  readonly resolve: (reply: WorkerReply) => void;
  readonly reject: (reason: JournalUnavailable) => void;
}

/**
 * Opens the database in a thread of its own, or what can be salvaged of it.
 * @throws JournalUnavailable with the fault that fits: in use, too new, a directory that cannot be, or simply not writable
 */
export async function startDisk(start: WorkerStart): Promise<{ readonly disk: Disk; readonly ready: Opened }> {
  prepareDirectory(start.file);
  // Flags of the process (loaders, debuggers) are for its own thread: loading them again takes ten times as long as the rest.
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: start, execArgv: [] });
  let ready: WorkerReady;
  try {
    ready = await new Promise<WorkerReady>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', () => reject(new Error('the journal thread ended at once')));
    });
  } catch (cause) {
    throw new JournalUnavailable(`cannot start the journal thread: ${wordsOf(cause)}`, {
      cause,
      fault: FAULTS.journalDied.code,
    });
  }
  if (!ready.ready) {
    // It ends by itself once it has said so; waiting for a thread that is ending can wait for ever.
    worker.unref();
    throw unavailable(ready, `cannot open ${start.file}: `);
  }
  return { disk: new Disk(worker), ready };
}

export class Disk {
  readonly #pending = new Map<number, Pending>();
  readonly #worker: Worker;
  #requests = 0;
  #gone: JournalUnavailable | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (reply: WorkerReply) => {
      const pending = this.#pending.get(reply.id);
      this.#pending.delete(reply.id);
      if (reply.error === undefined) pending?.resolve(reply);
      else pending?.reject(unavailable({ error: reply.error, ...(reply.code !== undefined && { code: reply.code }) }));
    });
    const { code } = FAULTS.journalDied;
    worker.on('error', (cause) =>
      this.#end(new JournalUnavailable('the journal thread has died', { cause, fault: code })),
    );
    worker.on('exit', () => this.#end(new JournalUnavailable('the journal is closed')));
  }

  /** Calls back when the thread ends by itself, which it never should. */
  onDeath(listener: (err: unknown) => void): void {
    this.#worker.on('error', listener);
  }

  /** @throws JournalUnavailable when the disk refuses, or the thread is gone */
  ask(request: WithoutId<WorkerRequest>): Promise<WorkerReply> {
    if (this.#gone !== undefined) return Promise.reject(this.#gone);
    const id = ++this.#requests;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#worker.postMessage({ ...request, id });
    });
  }

  /** Closes the database after everything that was asked before; the thread ends by itself when it has answered. */
  async close(): Promise<void> {
    try {
      if (this.#gone === undefined) await this.ask({ type: 'close' });
    } finally {
      this.#end(new JournalUnavailable('the journal is closed'));
      // Not terminated: Node 20 may wait for ever for a thread that is on its way out.
      this.#worker.unref();
    }
  }

  #end(reason: JournalUnavailable): void {
    this.#gone ??= reason;
    for (const { reject } of this.#pending.values()) reject(this.#gone);
    this.#pending.clear();
  }
}

/** What the disk said, with its code in the catalogue. */
export function unavailable(
  { error, code }: { readonly error?: string; readonly code?: string },
  before = '',
): JournalUnavailable {
  const reason = error ?? 'unknown reason';
  if (code?.startsWith('SQLITE_BUSY') === true) {
    const words = `${before}another gateway uses this data directory (${reason})`;
    return new JournalUnavailable(words, { fault: FAULTS.journalLocked.code });
  }
  return new JournalUnavailable(`${before}${reason}`, { fault: faultOf(code).code });
}

function faultOf(code: string | undefined): Fault {
  if (isDamage(code)) return FAULTS.journalDamaged;
  if (code === CODES.tooNew) return FAULTS.journalTooNew;
  return code === CODES.changed ? FAULTS.journalChanged : FAULTS.journalUnavailable;
}

const wordsOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
