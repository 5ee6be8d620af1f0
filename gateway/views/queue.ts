// What waits for one CSMS: the journal from its cursor on, and what was asked for between two entries.
import { journalSeq, type JournalSeq } from '../kernel/ids.js';
import type { Timestamp } from '../kernel/units.js';
import type { DocumentPut, Journal, JournalEntry } from '../ports/journal.js';
import { shiftedTransaction, type TimeShift } from '../site/time-shift.js';
import type { JournalRecord } from '../site/transaction.js';
import type { Outgoing } from './outgoing.js';

/** What leaves next: an entry of the journal, a dead letter that is tried again, or an answer to a trigger. */
export interface Head {
  readonly record: JournalRecord;
  readonly outgoing: Outgoing;
  readonly origin: { readonly seq: JournalSeq } | { readonly redrive: JournalSeq } | { readonly asked: true };
}

export interface QueueDependencies {
  readonly journal: Journal;
  readonly collection: string;
  /** Asked once for a run of entries; undefined: this CSMS is not told of the record. */
  readonly outgoing: () => (record: JournalRecord, seq: JournalSeq) => Outgoing | undefined;
}

const PAGE = 100;

export class Queue {
  readonly #is: QueueDependencies;
  /** True on a CSMS's first start: its beginning has not been written down yet. */
  readonly fresh: boolean;
  /** Everything up to here is done with. */
  #cursor: JournalSeq;
  #savedCursor: JournalSeq;
  #head: Head | undefined;
  #page: JournalEntry[] = [];
  #between: Head[] = [];
  /** How often what was read had to be given up. */
  #shifts = 0;
  /** Transmissions of the journal's head that the CSMS refused or left unanswered. */
  attempts: number;

  constructor(dependencies: QueueDependencies, stored: unknown) {
    const cursor = parseCursor(stored);
    this.#is = dependencies;
    this.fresh = cursor === undefined;
    // Never ahead of the journal, which may have lost its newest entries: what comes now has to be told.
    this.#cursor = journalSeq(Math.min(cursor?.seq ?? Infinity, dependencies.journal.lastSeq));
    this.#savedCursor = this.#cursor;
    this.attempts = cursor?.attempts ?? 0;
  }

  /** Everything up to here is done with on disk too. */
  get saved(): JournalSeq {
    return this.#savedCursor;
  }

  /** Entries done with since the cursor was last saved. */
  get unsaved(): number {
    return this.#cursor - this.#savedCursor;
  }

  /** Entries not yet looked at, some of which may turn out not to concern this CSMS, and what goes between them. */
  get length(): number {
    return this.#is.journal.lastSeq - this.#cursor + this.#between.length;
  }

  /** When the oldest waiting entry happened, as far as it has been read. */
  get oldest(): Timestamp | undefined {
    return this.#head && timeOf(this.#head.record);
  }

  /** What leaves next, where that is known without reading. */
  get known(): Head | undefined {
    return this.#between[0] ?? this.#head;
  }

  /** Reads on until something concerns this CSMS, or `mayPass` entries have been passed over. */
  async read(mayPass: number): Promise<'found' | 'passed' | 'empty'> {
    let passed = 0;
    const toOutgoing = this.#is.outgoing();
    while (this.known === undefined) {
      if (this.#page.length === 0) {
        const shifts = this.#shifts;
        const page = await this.#is.journal.read(this.#cursor, PAGE);
        if (shifts !== this.#shifts) continue;
        this.#page = [...page];
      }
      const entry = this.#page.shift();
      if (entry === undefined) return 'empty';
      if (entry.seq <= this.#cursor) continue;
      const outgoing = toOutgoing(entry.record, entry.seq);
      if (outgoing !== undefined) this.#head = { record: entry.record, outgoing, origin: { seq: entry.seq } };
      else {
        this.#cursor = entry.seq;
        if (++passed >= mayPass) return 'passed';
      }
    }
    return 'found';
  }

  /** The site has learned the time: what was read of the journal is to be read again. */
  reread(shift: TimeShift): void {
    this.#shifts++;
    this.#head = undefined;
    this.#page = [];
    this.#between = this.#between.map((head) => {
      const { message } = head.outgoing;
      if (message.type !== 'transaction' || !('asked' in head.origin)) return head;
      const record = shiftedTransaction(message.record, shift);
      return { ...head, record, outgoing: { ...head.outgoing, message: { ...message, record } } };
    });
  }

  /** Everything up to there is done with, as far as anybody knows. Before anything is read. */
  goTo(cursor: JournalSeq): void {
    this.#cursor = cursor;
    this.#savedCursor = cursor;
  }

  /** Leaves before the journal's next entry, after others that were inserted. */
  insert(head: Head): void {
    this.#between.push(head);
  }

  isInserted(redrive: JournalSeq): boolean {
    return this.#between.some(({ origin }) => 'redrive' in origin && origin.redrive === redrive);
  }

  /** Answers to triggers are worth nothing on a later link. */
  forgetAsked(): void {
    this.#between = this.#between.filter(({ origin }) => !('asked' in origin));
  }

  /** The head is done with, for better or worse. */
  done(head: Head): void {
    if ('seq' in head.origin) {
      this.#cursor = head.origin.seq;
      this.#head = undefined;
      this.attempts = 0;
    } else this.#between = this.#between.filter((each) => each !== head);
  }

  /** Whether any entry that satisfies the question still waits. */
  async some(question: (record: JournalRecord) => boolean): Promise<boolean> {
    for (let after = this.#cursor; ;) {
      const page = await this.#is.journal.read(after, PAGE);
      if (page.some(({ record }) => question(record))) return true;
      const last = page.at(-1);
      if (last === undefined) return false;
      after = last.seq;
    }
  }

  /** The cursor as a document, and what to call once it is on disk. */
  save(): { readonly document: DocumentPut; readonly saved: () => void } {
    const seq = this.#cursor;
    return {
      document: { collection: this.#is.collection, key: 'cursor', value: { seq, attempts: this.attempts } },
      saved: () => {
        this.#savedCursor = seq;
      },
    };
  }
}

/** When it happened; undefined: it does not say. */
export function timeOf(record: JournalRecord): Timestamp | undefined {
  if (record.type === 'meter') return record.meterValues[0]?.at;
  return record.type === 'cdr' ? record.endedAt : record.at;
}

/** Where a CSMS stands, from its document. */
export function parseCursor(value: unknown): { seq: JournalSeq; attempts: number } | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { seq, attempts } = value as Record<string, unknown>;
  if (typeof seq !== 'number') return undefined;
  return { seq: journalSeq(seq), attempts: typeof attempts === 'number' ? attempts : 0 };
}
