// Rebuilds the book after a restart from the stored transactions and the journal behind them.
import { stationTransactionId } from '../kernel/ids.js';
import { wattHour } from '../kernel/units.js';
import type { Transaction, TransactionRecord } from '../site/transaction.js';
import { TransactionBook, type TransactionEntry } from './book.js';
import { present } from './present.js';
import { remember } from './repetition.js';

/**
 * @param stored the entries as they were last stored (`Decision.changes`), in any order
 * @param records of the journal, in order; those that an entry already contains are passed over, so more than needed is safe
 * @param rebuild entries may be missing that were stored: a transaction whose start is among the records comes back, without
 *   the id by which its station knows it
 * @returns the book; the entries that are further than what is stored, which still have to be stored; and the records that
 * belong to no entry: of transactions long forgotten, or lost from the store
 */
export function recover(
  stored: Iterable<TransactionEntry>,
  records: Iterable<TransactionRecord>,
  rebuild = false,
): {
  readonly book: TransactionBook;
  readonly replayed: readonly TransactionEntry[];
  readonly unexplained: readonly TransactionRecord[];
} {
  const book = new TransactionBook();
  const replayed = new Map<string, TransactionEntry>();
  const unexplained: TransactionRecord[] = [];
  // By age, so that the newest of several transactions with one id is the one found.
  for (const entry of [...stored].sort((a, b) => a.transaction.startedAt - b.transaction.startedAt)) book.put(entry);
  for (const record of records) {
    const entry = book.entry(record.uid);
    const further = entry === undefined ? (rebuild ? rebuilt(record) : undefined) : replay(entry, record);
    if (further !== undefined) {
      replayed.set(record.uid, further);
      book.put(further);
    } else if (entry === undefined) unexplained.push(record);
  }
  return { book, replayed: [...replayed.values()], unexplained };
}

/** The station's later events find it by circumstance, as those of a charger that was never told an id (errata 3.18). */
function rebuilt(record: TransactionRecord): TransactionEntry | undefined {
  if (record.kind !== 'started') return undefined;
  return {
    nextN: record.n + 1,
    placeKnown: true,
    transaction: {
      uid: record.uid,
      station: record.station,
      evse: record.evse,
      connector: record.connector,
      stationTransactionId: stationTransactionId(''),
      basis: 'none',
      startedAt: record.at,
      chargingState: record.chargingState,
      seen: [],
      ...present({
        idToken: record.idToken ?? record.startToken,
        reservationId: record.reservationId,
        remoteStartId: record.remoteStartId,
        meterStart: record.meterStart,
        register: record.register,
      }),
    },
  };
}

/** undefined: the entry contains the record. */
function replay(entry: TransactionEntry, record: TransactionRecord): TransactionEntry | undefined {
  if (record.n < entry.nextN) return undefined;
  const { transaction } = entry;
  const risen = record.register !== undefined && record.register > (transaction.register ?? -1);
  const register =
    record.register === undefined
      ? transaction.register
      : record.kind === 'ended'
        ? record.register
        : wattHour(Math.max(record.register, transaction.register ?? record.register));
  const next: Transaction = {
    ...transaction,
    evse: record.evse,
    connector: record.connector,
    chargingState: record.chargingState,
    ...(record.key !== undefined && { seen: remember(transaction.seen, record.key) }),
    ...present({
      idToken: transaction.idToken ?? record.startToken,
      meterStart: transaction.meterStart ?? record.meterStart,
      register,
      registerAt: risen ? record.at : transaction.registerAt,
    }),
    ...(record.kind === 'ended' &&
      present({ endedAt: record.at, meterStop: register, stoppedReason: record.stoppedReason ?? 'Local' })),
  };
  return { ...entry, nextN: record.n + 1, transaction: next };
}

/** Whether a stored document is an entry of this shape; anything else is left alone and reported. */
export function isTransactionEntry(value: unknown): value is TransactionEntry {
  if (typeof value !== 'object' || value === null) return false;
  const { transaction, nextN, placeKnown } = value as Partial<Record<keyof TransactionEntry, unknown>>;
  if (typeof transaction !== 'object' || transaction === null) return false;
  const { uid, station, evse, connector, stationTransactionId, startedAt, seen } = transaction as Partial<
    Record<keyof Transaction, unknown>
  >;
  return (
    Number.isInteger(nextN) &&
    typeof placeKnown === 'boolean' &&
    typeof uid === 'string' &&
    typeof station === 'string' &&
    typeof stationTransactionId === 'string' &&
    typeof evse === 'number' &&
    typeof connector === 'number' &&
    typeof startedAt === 'number' &&
    Array.isArray(seen)
  );
}
