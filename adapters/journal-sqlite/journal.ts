// The journal on SQLite: group commit in a worker thread, so that a slow disk delays answers but never the event loop.
import { join } from 'node:path';
import type { CancelTimer, Clock } from '../../gateway/kernel/clock.js';
import { FAULTS } from '../../gateway/kernel/faults.js';
import { journalSeq, type JournalSeq } from '../../gateway/kernel/ids.js';
import type { Log } from '../../gateway/kernel/log.js';
import { milliseconds, type Milliseconds } from '../../gateway/kernel/units.js';
import {
  JournalUnavailable,
  type Amendment,
  type Commit,
  type DocumentPut,
  type Journal,
  type JournalEntry,
  type JournalStatus,
} from '../../gateway/ports/journal.js';
import type { JournalRecord } from '../../gateway/site/transaction.js';
import { BatchWindow } from './batch-window.js';
import { startDisk, unavailable, type Disk } from './disk.js';
import { Health, NO_ROOM } from './health.js';
import type { Space } from './protocol.js';
import { Tail } from './tail.js';

/** Newest entries kept in memory for the views, which read everything at least once each. */
const TAIL_ENTRIES = 4_000;
/** The same in characters of JSON: signed meter values and long transactions must not fill a small box. */
const TAIL_SIZE = 8_000_000;

interface WaitingCommit {
  readonly entries: readonly JournalEntry[];
  /** The entries in JSON. */
  readonly texts: readonly string[];
  readonly documents: readonly (string | null)[];
  /** On the monotonic clock: the call, of one that waits for nothing. */
  readonly calledAt?: Milliseconds;
  readonly done: (seqs: readonly JournalSeq[]) => void;
  readonly refused: (reason: JournalUnavailable) => void;
}

/**
 * Opens `journal.db` in `directory`, creating both. A damaged one is put aside, and what can be read of it is taken over.
 * @param sizeLimit bytes that entries and documents may take together
 * @throws JournalUnavailable when that cannot be: locked by another gateway, a directory that cannot be used, disk full
 */
export async function openJournal(directory: string, sizeLimit: number, clock: Clock, log: Log): Promise<Journal> {
  const file = join(directory, 'journal.db');
  const { disk, ready } = await startDisk({ file, sizeLimit, now: clock.now() });
  if (ready.salvage)
    log.error(
      { fault: FAULTS.journalDamaged.code, ...ready.salvage },
      'the journal was damaged: it was put aside, and what could be read of it is taken over',
    );
  return new SqliteJournal(disk, journalSeq(ready.lastSeq), ready.space, clock, log);
}

class SqliteJournal implements Journal {
  #last: JournalSeq;
  #waiting: WaitingCommit[] = [];
  #flushing: Promise<void> | undefined;
  #scheduled = false;
  #cancelWindow: CancelTimer | undefined;
  #closing: Promise<void> | undefined;
  readonly #listeners: ((seq: JournalSeq) => void)[] = [];
  readonly #window = new BatchWindow();
  readonly #tail: Tail;
  readonly #health: Health;
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #log: Log;

  constructor(disk: Disk, last: JournalSeq, space: Space, clock: Clock, log: Log) {
    this.#disk = disk;
    this.#last = last;
    this.#tail = new Tail(TAIL_ENTRIES, TAIL_SIZE, last);
    this.#clock = clock;
    this.#log = log;
    this.#health = new Health({ clock, log, probe: () => this.#probe() }, space);
    disk.onDeath((cause) =>
      this.#health.refused(
        new JournalUnavailable('the journal thread has died', { cause, fault: FAULTS.journalDied.code }),
      ),
    );
  }

  get status(): JournalStatus {
    return this.#health.status;
  }

  onHealth(listener: (status: JournalStatus) => void): void {
    this.#health.listen(listener);
  }

  get lastSeq(): JournalSeq {
    return this.#last;
  }

  // Async for one reason: a value that JSON cannot hold is a rejection, as every other refusal.
  async commit(commit: Commit, urgency: 'now' | 'batch' = 'now'): Promise<readonly JournalSeq[]> {
    if (this.#closing !== undefined) throw new JournalUnavailable('the journal is closed');
    const records = commit.records ?? [];
    if (records.length > 0 && this.#health.full) {
      this.#health.refusedCommits(1);
      throw new JournalUnavailable(NO_ROOM, { fault: FAULTS.journalFull.code });
    }
    const documents = flat(commit.documents ?? []);
    const texts = records.map((record) => JSON.stringify(record));
    const entries = records.map((record): JournalEntry => {
      this.#last = journalSeq(this.#last + 1);
      return { seq: this.#last, record };
    });
    return new Promise((done, refused) => {
      const calledAt = urgency === 'now' ? { calledAt: this.#clock.monotonic() } : {};
      this.#waiting.push({ entries, texts, documents, ...calledAt, done, refused });
      const wait = urgency === 'now' ? 0 : this.#window.wait;
      if (wait === 0) this.#flushSoon();
      else this.#cancelWindow ??= this.#clock.after(milliseconds(wait), () => this.#flushSoon());
    });
  }

  async read(after: JournalSeq, limit: number): Promise<readonly JournalEntry[]> {
    const remembered = this.#tail.after(after, limit);
    if (remembered !== undefined) return remembered;
    const durable = this.#tail.newest;
    for (let from = after; ;) {
      const { rows = [] } = await this.#ask({ type: 'read', after: from, limit });
      const entries = rows.flatMap(([seq, body]): JournalEntry[] => {
        const record = Number(seq) <= durable ? this.#parsed(body, { entry: seq }) : null;
        return record === null ? [] : [{ seq: journalSeq(Number(seq)), record: record as JournalRecord }];
      });
      const last = rows.at(-1);
      // Entries that cannot be read must not look like the end.
      if (entries.length > 0 || last === undefined || rows.length < limit) return entries;
      from = journalSeq(Number(last[0]));
    }
  }

  async load(collection: string): Promise<ReadonlyMap<string, unknown>> {
    const { rows = [] } = await this.#ask({ type: 'load', collection });
    return this.#documents(collection, rows);
  }

  async newest(collection: string, before: string, limit: number): Promise<ReadonlyMap<string, unknown>> {
    const { rows = [] } = await this.#ask({ type: 'newest', collection, before, limit });
    return this.#documents(collection, rows);
  }

  #documents(collection: string, rows: readonly (readonly [number | string, string])[]): ReadonlyMap<string, unknown> {
    return new Map(
      rows.flatMap(([key, body]): [string, unknown][] => {
        const value = this.#parsed(body, { collection, key });
        return value === null ? [] : [[String(key), value]];
      }),
    );
  }

  async trim(upTo: JournalSeq): Promise<void> {
    this.#tail.trimmed(upTo);
    let more = true;
    while (more) more = (await this.#ask({ type: 'trim', upTo })).more === true;
  }

  async amend(amendments: readonly Amendment[], documents: readonly DocumentPut[] = []): Promise<void> {
    const entries = amendments.map(({ seq, record }) => [seq, record ? JSON.stringify(record) : null] as const);
    await this.#ask({ type: 'amend', entries, documents: flat(documents) });
    this.#tail.changed(journalSeq(Math.max(0, ...amendments.map(({ seq }) => seq))));
  }

  async expire(collection: string, from: string, before: string): Promise<number> {
    let count = 0;
    for (;;) {
      const { deleted = 0, more } = await this.#ask({ type: 'expire', collection, from, before });
      count += deleted;
      if (more !== true) return count;
    }
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
    this.#health.stop();
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
    const flushing = this.#ask({
      type: 'write',
      first: batch.find(({ entries }) => entries.length > 0)?.entries[0]?.seq ?? 0,
      entries: batch.flatMap(({ texts }) => texts),
      documents: batch.flatMap(({ documents }) => documents),
    }).then(
      ({ took }) => {
        // The worker's own measure: a busy event loop must not make the disk look slow.
        if (took !== undefined) this.#window.flushed(milliseconds(took));
        this.#flushed();
        const calledAt = batch.findLast((commit) => commit.calledAt !== undefined)?.calledAt;
        const flush = calledAt === undefined ? undefined : milliseconds(this.#clock.monotonic() - calledAt);
        this.#health.written(batch.length, flush);
        this.#durable(batch);
      },
      (err: unknown) => {
        this.#flushed();
        const reason = err instanceof JournalUnavailable ? err : unavailable({ error: String(err) });
        this.#health.refusedCommits(batch.length);
        for (const commit of batch) commit.refused(reason);
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
    for (const { entries, texts } of batch)
      entries.forEach((entry, i) => this.#tail.push(entry, texts[i]?.length ?? 0));
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

  /** Everything the disk says passes here: what it refuses, and how much room there is. */
  async #ask(request: Parameters<Disk['ask']>[0]): ReturnType<Disk['ask']> {
    try {
      const reply = await this.#disk.ask(request);
      if (reply.space) this.#health.measured(reply.space);
      return reply;
    } catch (err) {
      // After `close` the disk refuses in order.
      if (err instanceof JournalUnavailable && this.#closing === undefined) this.#health.refused(err);
      throw err;
    }
  }

  async #probe(): Promise<Space> {
    const { space } = await this.#ask({ type: 'probe' });
    if (space === undefined) throw new JournalUnavailable('the journal thread did not say how much room there is');
    return space;
  }

  /** Null for what this program cannot have written: it is left out, for everything behind it is still to be told. */
  #parsed(body: string, about: Readonly<Record<string, unknown>>): unknown {
    try {
      return JSON.parse(body) as unknown;
    } catch (err) {
      this.#log.error({ err, fault: FAULTS.journalDamaged.code, ...about }, 'the journal holds something unreadable');
      return null;
    }
  }
}

/** As the disk is told of documents. @throws TypeError for something that JSON cannot hold */
const flat = (documents: readonly DocumentPut[]): readonly (string | null)[] =>
  documents.flatMap(({ collection, key, value }) => [
    collection,
    key,
    value === undefined ? null : JSON.stringify(value),
  ]);
