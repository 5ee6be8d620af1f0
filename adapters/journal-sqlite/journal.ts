// The journal on SQLite: group commit in a worker thread, so that a slow disk delays answers but never the event loop.
import type { CancelTimer, Clock } from '../../gateway/kernel/clock.js';
import { FAULTS } from '../../gateway/kernel/faults.js';
import { journalSeq, type JournalSeq } from '../../gateway/kernel/ids.js';
import type { Log } from '../../gateway/kernel/log.js';
import { milliseconds } from '../../gateway/kernel/units.js';
import { JournalUnavailable, type Commit, type Journal, type JournalEntry } from '../../gateway/ports/journal.js';
import type { JournalRecord } from '../../gateway/site/transaction.js';
import { BatchWindow } from './batch-window.js';
import { startDisk, unavailable, type Disk } from './disk.js';
import type { DocumentWrite, EntryWrite } from './protocol.js';
import { Tail } from './tail.js';

/** Newest entries kept in memory for the views, which read everything at least once each. */
const TAIL_ENTRIES = 4_000;
/** The same in characters of JSON: signed meter values and long transactions must not fill a small box. */
const TAIL_SIZE = 8_000_000;

interface WaitingCommit {
  readonly entries: readonly JournalEntry[];
  readonly bodies: readonly EntryWrite[];
  readonly documents: readonly DocumentWrite[];
  readonly done: (seqs: readonly JournalSeq[]) => void;
  readonly refused: (reason: JournalUnavailable) => void;
}

/**
 * Opens `journal.db` in `directory`, creating both.
 * @throws JournalUnavailable when the database cannot be opened: locked by another gateway, damaged, disk full
 */
export async function openJournal(directory: string, clock: Clock, log: Log): Promise<Journal> {
  const { disk, lastSeq } = await startDisk(directory);
  return new SqliteJournal(disk, lastSeq, clock, log);
}

class SqliteJournal implements Journal {
  #last: JournalSeq;
  #waiting: WaitingCommit[] = [];
  #flushing: Promise<void> | undefined;
  #scheduled = false;
  #cancelWindow: CancelTimer | undefined;
  #closing: Promise<void> | undefined;
  #failing = false;
  readonly #listeners: ((seq: JournalSeq) => void)[] = [];
  readonly #window = new BatchWindow();
  readonly #tail: Tail;
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #log: Log;

  constructor(disk: Disk, last: JournalSeq, clock: Clock, log: Log) {
    this.#disk = disk;
    this.#last = last;
    this.#tail = new Tail(TAIL_ENTRIES, TAIL_SIZE, last);
    this.#clock = clock;
    this.#log = log;
    disk.onDeath((err) => {
      const fault = FAULTS.journalDied.code;
      log.error({ err, fault }, 'the journal thread has died; nothing more is accepted until the restart');
    });
  }

  get lastSeq(): JournalSeq {
    return this.#last;
  }

  // Async for one reason: a value that JSON cannot hold is a rejection, as every other refusal.
  async commit(commit: Commit, urgency: 'now' | 'batch' = 'now'): Promise<readonly JournalSeq[]> {
    if (this.#closing !== undefined) throw new JournalUnavailable('the journal is closed');
    const documents = (commit.documents ?? []).map((put): DocumentWrite => [
      put.collection,
      put.key,
      put.value === undefined ? null : JSON.stringify(put.value),
    ]);
    const texts = (commit.records ?? []).map((record) => ({ record, text: JSON.stringify(record) }));
    const entries: JournalEntry[] = [];
    const bodies: EntryWrite[] = [];
    for (const { record, text } of texts) {
      this.#last = journalSeq(this.#last + 1);
      entries.push({ seq: this.#last, record });
      bodies.push([this.#last, text]);
    }
    return new Promise((done, refused) => {
      this.#waiting.push({ entries, bodies, documents, done, refused });
      const wait = urgency === 'now' ? 0 : this.#window.wait;
      if (wait === 0) this.#flushSoon();
      else this.#cancelWindow ??= this.#clock.after(milliseconds(wait), () => this.#flushSoon());
    });
  }

  async read(after: JournalSeq, limit: number): Promise<readonly JournalEntry[]> {
    const remembered = this.#tail.after(after, limit);
    if (remembered !== undefined) return remembered;
    const durable = this.#tail.newest;
    const { rows } = await this.#disk.ask({ type: 'read', after, limit });
    return (rows ?? [])
      .filter(([seq]) => Number(seq) <= durable)
      .map(([seq, body]) => ({ seq: journalSeq(Number(seq)), record: parsed(body) as JournalRecord }));
  }

  async load(collection: string): Promise<ReadonlyMap<string, unknown>> {
    const { rows } = await this.#disk.ask({ type: 'load', collection });
    return new Map((rows ?? []).map(([key, body]) => [String(key), parsed(body)]));
  }

  async trim(upTo: JournalSeq): Promise<void> {
    this.#tail.trimmed(upTo);
    let more = true;
    while (more) more = (await this.#disk.ask({ type: 'trim', upTo })).more === true;
  }

  onCommitted(listener: (seq: JournalSeq) => void): void {
    this.#listeners.push(listener);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#cancelWindow?.();
    while (this.#flushing !== undefined || this.#waiting.length > 0) await (this.#flushing ?? this.#flush());
    await this.#disk.close();
  }

  #flushSoon(): void {
    this.#cancelWindow?.();
    this.#cancelWindow = undefined;
    if (this.#scheduled || this.#flushing !== undefined) return;
    this.#scheduled = true;
    // Everything that arrives in this turn of the event loop shares the flush.
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#flushing === undefined && this.#waiting.length > 0) void this.#flush();
    });
  }

  /** One flush of everything that waits; never fails itself. */
  #flush(): Promise<void> {
    const batch = this.#waiting;
    this.#waiting = [];
    const flushing = this.#disk
      .ask({
        type: 'write',
        entries: batch.flatMap((commit) => commit.bodies),
        documents: batch.flatMap((commit) => commit.documents),
      })
      .then(
        ({ took }) => {
          // The worker's own measure: a busy event loop must not make the disk look slow.
          if (took !== undefined) this.#window.flushed(milliseconds(took));
          this.#flushed();
          this.#durable(batch);
        },
        (err: unknown) => {
          this.#flushed();
          this.#refused(batch, err instanceof JournalUnavailable ? err : unavailable({ error: String(err) }));
        },
      );
    this.#flushing = flushing;
    return flushing;
  }

  #flushed(): void {
    this.#flushing = undefined;
    if (this.#waiting.length > 0) this.#flushSoon();
  }

  #durable(batch: readonly WaitingCommit[]): void {
    if (this.#failing) this.#log.info({}, 'the journal can be written again');
    this.#failing = false;
    for (const { entries, bodies } of batch) {
      entries.forEach((entry, i) => this.#tail.push(entry, bodies[i]?.[1].length ?? 0));
    }
    for (const commit of batch) commit.done(commit.entries.map((entry) => entry.seq));
    for (const listener of this.#listeners) {
      try {
        listener(this.#tail.newest);
      } catch (err) {
        // One reader's defect must not keep the news from the others.
        this.#log.error({ err }, 'a reader of the journal failed');
      }
    }
  }

  #refused(batch: readonly WaitingCommit[], reason: JournalUnavailable): void {
    if (!this.#failing) this.#log.error({ err: reason, fault: reason.fault }, 'the journal cannot be written');
    this.#failing = true;
    for (const commit of batch) commit.refused(reason);
  }
}

/** @throws JournalUnavailable for a body that this program cannot have written */
function parsed(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch (cause) {
    throw new JournalUnavailable('the journal holds something unreadable', {
      cause,
      fault: FAULTS.journalDamaged.code,
    });
  }
}
