// Puts what was decided about transactions on disk before anyone is answered, and brings it back after a restart.
import { journalSeq, type JournalSeq } from '../kernel/ids.js';
import type { Clock } from '../kernel/clock.js';
import type { Log } from '../kernel/log.js';
import type { Timestamp } from '../kernel/units.js';
import { chargeDetailRecord } from '../billing/charge-detail-record.js';
import { SALVAGE, type DocumentPut, type Journal } from '../ports/journal.js';
import type { Site } from '../site/topology.js';
import type { JournalRecord, Transaction, TransactionRecord } from '../site/transaction.js';
import type { TimeShift } from '../site/time-shift.js';
import { apply, undo, type Decision, type TransactionBook, type TransactionEntry } from '../transactions/book.js';
import { isTransactionEntry, recover } from '../transactions/recovery.js';
import { shiftedEntry } from '../transactions/shift.js';

const TRANSACTIONS = 'transaction';
/** The collection of charge detail records, each under the uid of its transaction. */
export const BILLS = 'cdr';
const COUNTERS = 'counter';

export interface KeeperDependencies {
  readonly site: Site;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Log;
}

/** 1.6 transaction ids are 32 bit integers on most chargers. */
const MAX_ID = 2 ** 31 - 1;
/** Seconds count from here: a site starts less than one transaction a second, so they are ahead of any count from 1. */
const ID_EPOCH = Date.UTC(2020, 0, 1);
/** Where the box does not know the time: more transactions than were lost from the journal. */
const ID_JUMP = 1_000_000;

/** A number that was given to no transaction yet, although nobody knows the last one. */
function beyondAll(counted: number, stored: readonly TransactionEntry[], now: Timestamp): number {
  const ids = stored.map(({ transaction }) => Number(transaction.stationTransactionId));
  // What is larger was made by a 2.0.1 station, which chooses its ids itself.
  const known = Math.max(counted, ...ids.filter((id) => Number.isSafeInteger(id) && id < MAX_ID / 2));
  const elapsed = Math.floor((now - ID_EPOCH) / 1000);
  return Math.min(MAX_ID - ID_JUMP, Math.max(known + ID_JUMP, elapsed));
}

/** Reading a whole journal after a restart is done in pieces of this many entries. */
const RECOVERY_CHUNK = 1000;

export class TransactionKeeper {
  /** Transactions whose newest entry is in the journal but not yet in their own document. */
  readonly #dirty = new Map<string, TransactionEntry>();
  /** What is on its way to the disk and may have to be taken back. */
  readonly #entering = new Set<{ decision: Decision }>();
  #lastStationTransactionId: number;
  /** What a checkpoint last stored of it, or the last process; a salvaged journal may be behind what is safe. */
  #issuedOnDisk: number;
  #checkpoint: JournalSeq;
  /** The newest entry known to be on disk: numbers that a refused commit has used up may be given out again after a restart. */
  #durable: JournalSeq;

  /** @param replayed entries that are further than their documents: the next checkpoint must not leave them behind */
  private constructor(
    readonly book: TransactionBook,
    replayed: readonly TransactionEntry[],
    readonly deps: KeeperDependencies,
    lastId: number,
    checkpoint: JournalSeq,
  ) {
    for (const entry of replayed) this.#dirty.set(entry.transaction.uid, entry);
    this.#lastStationTransactionId = lastId;
    this.#issuedOnDisk = lastId;
    this.#checkpoint = checkpoint;
    this.#durable = deps.journal.lastSeq;
    deps.journal.onCommitted((seq) => {
      this.#durable = seq;
    });
  }

  /** Everything as it was when the last commit before the end of the process was on disk. */
  static async open(deps: KeeperDependencies): Promise<TransactionKeeper> {
    const { journal, log } = deps;
    const counters = await journal.load(COUNTERS);
    const salvaged = (await journal.load(SALVAGE.collection)).has(SALVAGE.key);
    // Of a damaged journal the documents may be missing that the entries before the checkpoint are contained in.
    const checkpoint = journalSeq(salvaged ? 0 : Number(counters.get('checkpoint') ?? 0));
    const stored = [...(await journal.load(TRANSACTIONS)).values()].filter(isTransactionEntry);
    const records: TransactionRecord[] = [];
    for (let after = checkpoint; ;) {
      const entries = await journal.read(after, RECOVERY_CHUNK);
      const last = entries.at(-1);
      if (last === undefined) break;
      for (const { record } of entries) if (record.type === 'transaction') records.push(record);
      after = last.seq;
    }
    const { book, replayed, unexplained } = recover(stored, records, salvaged);
    if (unexplained.length > 0) log.warn({ records: unexplained.length }, 'journal entries of forgotten transactions');
    const counted = Number(counters.get('stationTransactionId') ?? 0);
    const issued = Number.isSafeInteger(counted) ? counted : 0;
    const lastId = salvaged ? beyondAll(issued, stored, deps.clock.now()) : issued;
    const keeper = new TransactionKeeper(book, replayed, deps, lastId, checkpoint);
    keeper.#issuedOnDisk = issued;
    return keeper;
  }

  /** Drawn in memory, made durable with the transaction it is for: an id that was never on disk was never told. */
  nextStationTransactionId(): number {
    return ++this.#lastStationTransactionId;
  }

  /** Entries up to here are contained in the documents. */
  get checkpointSeq(): JournalSeq {
    return this.#checkpoint;
  }

  /**
   * Enters a decision in the book and makes it durable.
   * @param sample true for periodic values: the transaction's document follows at the next checkpoint
   * @throws JournalUnavailable after the decision has been taken back
   */
  async enter(decision: Decision, sample: boolean): Promise<void> {
    const entering = { decision };
    this.#entering.add(entering);
    apply(this.book, decision);
    const records: JournalRecord[] = [...decision.records];
    const documents: DocumentPut[] = [];
    for (const { before, after } of decision.changes) {
      const { transaction } = after;
      if (sample) {
        this.#dirty.set(transaction.uid, after);
        continue;
      }
      this.#dirty.delete(transaction.uid);
      documents.push({ collection: TRANSACTIONS, key: transaction.uid, value: after });
      const ended = transaction.endedAt !== undefined && before?.transaction.endedAt === undefined;
      if (ended || (decision.corrected === true && transaction.endedAt !== undefined)) {
        const bill = this.#bill(transaction);
        if (bill !== undefined) {
          records.push(bill);
          documents.push({ collection: BILLS, key: transaction.uid, value: bill });
        }
      }
      if (before === undefined) {
        documents.push({ collection: COUNTERS, key: 'stationTransactionId', value: this.#lastStationTransactionId });
      }
    }
    for (const { transaction } of decision.forgotten) {
      documents.push({ collection: TRANSACTIONS, key: transaction.uid });
    }
    try {
      if (records.length > 0 || documents.length > 0)
        await this.deps.journal.commit({ records, documents }, sample ? 'batch' : 'now');
    } catch (error) {
      undo(this.book, entering.decision);
      // Earlier values that were only in the journal still have to reach the documents.
      for (const { before } of entering.decision.changes) if (before) this.#dirty.set(before.transaction.uid, before);
      throw error;
    } finally {
      this.#entering.delete(entering);
    }
  }

  /** The site has learned the time. What is on disk bears the mark of its era, and needs no writing. */
  shift(shift: TimeShift): void {
    const moved = new Map<TransactionEntry, TransactionEntry>();
    const move = (entry: TransactionEntry): TransactionEntry => {
      const known = moved.get(entry) ?? shiftedEntry(entry, shift);
      moved.set(entry, known);
      return known;
    };
    for (const entry of this.book.entries()) this.book.put(move(entry));
    for (const [uid, entry] of this.#dirty) this.#dirty.set(uid, move(entry));
    for (const entering of this.#entering) {
      const { changes, forgotten } = entering.decision;
      entering.decision = {
        ...entering.decision,
        changes: changes.map(({ before, after }) => ({ before: before && move(before), after: move(after) })),
        forgotten: forgotten.map(move),
      };
    }
  }

  /** Writes what periodic values have changed, so that a restart reads little of the journal. */
  async checkpoint(): Promise<void> {
    const seq = this.#durable;
    const issued = this.#lastStationTransactionId;
    if (seq === this.#checkpoint && issued === this.#issuedOnDisk) return;
    const dirty = new Map(this.#dirty);
    const documents: DocumentPut[] = [];
    for (const { transaction } of dirty.values()) {
      const entry = this.book.entry(transaction.uid);
      if (entry) documents.push({ collection: TRANSACTIONS, key: transaction.uid, value: entry });
    }
    documents.push(
      { collection: COUNTERS, key: 'checkpoint', value: seq },
      { collection: COUNTERS, key: 'stationTransactionId', value: issued },
    );
    await this.deps.journal.commit({ documents });
    // What has changed meanwhile, or could not be written, stays for the next time.
    for (const [uid, entry] of dirty) if (this.#dirty.get(uid) === entry) this.#dirty.delete(uid);
    this.#checkpoint = seq;
    this.#issuedOnDisk = issued;
  }

  /** What a station that cannot remember has to be told of its open transactions (Modbus). */
  openOf(station: Transaction['station']): readonly Transaction[] {
    return this.book.open().filter((transaction) => transaction.station === station);
  }

  #bill(transaction: Transaction): JournalRecord | undefined {
    return chargeDetailRecord(transaction, this.deps.site.id, this.deps.site.tariff);
  }
}
