// The journal as everybody inside sees it: what was stamped while the time was in doubt is marked, and read as it is known now.
import { shiftedUse, type CacheEntry } from '../authorization/token-cache.js';
import { billedAnew } from '../billing/charge-detail-record.js';
import { shiftedProfiles, type ProfileStore } from '../charging-profiles/store.js';
import type { JournalSeq } from '../kernel/ids.js';
import type { Amendment, Commit, DocumentPut, Journal, JournalEntry, JournalStatus } from '../ports/journal.js';
import { shiftedRecord, shiftedSpan, type TimeShift } from '../site/time-shift.js';
import type { Tariff } from '../site/topology.js';
import type { ChargeDetailRecord, JournalRecord } from '../site/transaction.js';
import type { TransactionEntry } from '../transactions/book.js';
import { shiftedEntry } from '../transactions/shift.js';
import { shiftsOf, type Eras } from './eras.js';

/** On disk beside a record's or a document's own members. */
interface Marked {
  readonly era?: number;
}

export interface EraJournalDependencies {
  readonly journal: Journal;
  readonly eras: () => Eras;
  /** As it is now. */
  readonly tariff: () => Tariff | undefined;
}

export class EraJournal implements Journal {
  readonly #deps: EraJournalDependencies;
  /** What the site knows of the time and could not write yet: it must be on disk before anything that is stamped by it. */
  #owed: readonly DocumentPut[] = [];

  constructor(deps: EraJournalDependencies) {
    this.#deps = deps;
  }

  /** Goes with the next commit that succeeds, whoever makes it. */
  owe(documents: readonly DocumentPut[]): void {
    this.#owed = documents;
  }

  get owes(): boolean {
    return this.#owed.length > 0;
  }

  async commit({ records, documents }: Commit, urgency: 'now' | 'batch' = 'now'): Promise<readonly JournalSeq[]> {
    const { journal, eras } = this.#deps;
    const era = eras().open?.id;
    const owed = this.#owed;
    const marked =
      era === undefined ? records : records?.map((record): JournalRecord => Object.assign({}, record, { era }));
    const puts = era === undefined ? documents : documents?.map((put) => markedPut(put, era));
    const seqs = await journal.commit(
      {
        ...(marked && { records: marked }),
        ...((puts || owed.length > 0) && { documents: owed.length > 0 ? [...owed, ...(puts ?? [])] : (puts ?? []) }),
      },
      urgency,
    );
    if (this.#owed === owed) this.#owed = [];
    return seqs;
  }

  get lastSeq(): JournalSeq {
    return this.#deps.journal.lastSeq;
  }

  async read(after: JournalSeq, limit: number): Promise<readonly JournalEntry[]> {
    const entries = await this.#deps.journal.read(after, limit);
    return entries.some(({ record }) => (record as Marked).era !== undefined)
      ? entries.map(({ seq, record }) => ({ seq, record: this.#known(record) }))
      : entries;
  }

  async load(collection: string): Promise<ReadonlyMap<string, unknown>> {
    return this.#asKnown(collection, await this.#deps.journal.load(collection));
  }

  async newest(collection: string, before: string, limit: number): Promise<ReadonlyMap<string, unknown>> {
    return this.#asKnown(collection, await this.#deps.journal.newest(collection, before, limit));
  }

  #asKnown(collection: string, documents: ReadonlyMap<string, unknown>): ReadonlyMap<string, unknown> {
    const move = TIMED.get(collection);
    if (move === undefined) return documents;
    const tariff = this.#deps.tariff();
    return new Map([...documents].map(([key, value]) => [key, this.#moved(value, (v, by) => move(v, by, tariff))]));
  }

  trim(upTo: JournalSeq): Promise<void> {
    return this.#deps.journal.trim(upTo);
  }

  /** Records are written as they are given: whoever makes less of entries reads them where they keep the mark of their era. */
  amend(amendments: readonly Amendment[], documents?: readonly DocumentPut[]): Promise<void> {
    return this.#deps.journal.amend(amendments, documents);
  }

  expire(collection: string, from: string, before: string): Promise<number> {
    return this.#deps.journal.expire(collection, from, before);
  }

  get status(): JournalStatus {
    return this.#deps.journal.status;
  }

  onHealth(listener: (status: JournalStatus) => void): void {
    this.#deps.journal.onHealth(listener);
  }

  onCommitted(listener: (seq: JournalSeq) => void): void {
    this.#deps.journal.onCommitted(listener);
  }

  close(): Promise<void> {
    return this.#deps.journal.close();
  }

  #known(record: JournalRecord): JournalRecord {
    const tariff = this.#deps.tariff();
    return this.#moved(record, (each, shift) =>
      each.type === 'cdr' ? billedAnew(each, shiftedSpan(each, shift), tariff) : shiftedRecord(each, shift),
    );
  }

  #moved<T>(value: T, move: (value: T, shift: TimeShift) => T): T {
    if (typeof value !== 'object' || value === null) return value;
    const { era, ...plain } = value as T & Marked;
    return era === undefined ? value : shiftsOf(this.#deps.eras(), era).reduce(move, plain as T);
  }
}

const markedPut = (put: DocumentPut, era: number): DocumentPut =>
  TIMED.has(put.collection) && typeof put.value === 'object' && put.value !== null
    ? { ...put, value: { ...put.value, era } }
    : put;

type Move = (value: unknown, shift: TimeShift, tariff: Tariff | undefined) => unknown;

/** Collections whose documents hold times of the past. What is still to come (reservations, expiries) is absolute and stays. */
const TIMED: ReadonlyMap<string, Move> = new Map<string, Move>([
  ['transaction', (value, shift) => shiftedEntry(value as TransactionEntry, shift)],
  [
    'cdr',
    (value, shift, tariff) =>
      billedAnew(value as ChargeDetailRecord, shiftedSpan(value as ChargeDetailRecord, shift), tariff),
  ],
  ['token-cache', (value, shift) => shiftedUse(value as CacheEntry, shift)],
  ['charging-profiles', (value, shift) => shiftedProfiles(value as ProfileStore, shift)],
]);
