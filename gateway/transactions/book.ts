// The book of transactions: every open one, and the last ended ones of each station for what arrives late or twice.
import type { EvseNumber, StationId, StationTransactionId, TransactionUid } from '../kernel/ids.js';
import type { ReadingLocation } from '../site/metering.js';
import type { Transaction, TransactionRecord } from '../site/transaction.js';
import { present } from './present.js';

/** Ended transactions kept for each station: more than a station can hold back and send again. */
export const ENDED_KEPT = 64;

/** A transaction with what the book has to know beside it. Plain JSON: this is what is stored under the uid. */
export interface TransactionEntry {
  readonly transaction: Transaction;
  /** The `n` of its next record. */
  readonly nextN: number;
  /** Identity of a 1.6 start (repetition.ts). */
  readonly startKey?: string;
  /** False while the station has not said which EVSE it is on (E01.FR.16). */
  readonly placeKnown: boolean;
  /** Where its energy is measured. */
  readonly registerLocation?: ReadingLocation;
}

/** Something about an event that a person may want to look into; never a reason to refuse it. */
export type Anomaly =
  /** Its start was never seen. */
  | 'orphan'
  /** The start came after other events of the same transaction. */
  | 'late-start'
  /** A transaction was open on the EVSE and was ended by the next start. */
  | 'closed-by-start'
  /** It began before the one that is open on the EVSE: the station is sending what it held back. */
  | 'replay'
  /** It belongs to a transaction whose end is already recorded; answered, not recorded. */
  | 'after-end'
  /** The real stop of a transaction whose stop had been estimated. */
  | 'stop-corrected'
  /** The event named no transaction the gateway knows, and was given to the one it fits. */
  | 'bound-by-circumstance'
  /** The energy register was lower than before; the higher value is kept. */
  | 'register-fell'
  /** The station's clock is more than five minutes off. */
  | 'clock-suspect'
  /** A later event named another EVSE; the first is kept. */
  | 'evse-changed'
  /** The connector is reported free while its transaction is open. */
  | 'available-while-open';

export interface Change {
  readonly before: TransactionEntry | undefined;
  readonly after: TransactionEntry;
}

/** What one event does to the book, and what has to be on disk for it. */
export interface Decision {
  /** The transaction as it is after the event; absent where the event changes none. */
  readonly transaction?: Transaction;
  /** What each CSMS will be told, in order. */
  readonly records: readonly TransactionRecord[];
  /** A transaction that this event ended by inference. */
  readonly closed?: Transaction;
  /** The end of `transaction` had been estimated, was told to every CSMS, and is now known: the bill may be corrected. */
  readonly corrected?: boolean;
  readonly anomalies: readonly Anomaly[];
  /** To be stored, each under its uid, in the same commit as the records. */
  readonly changes: readonly Change[];
  /** To be deleted from the store in the same commit: ended long ago. */
  readonly forgotten: readonly TransactionEntry[];
}

export class TransactionBook {
  readonly #entries = new Map<TransactionUid, TransactionEntry>();
  readonly #byStation = new Map<StationId, Set<TransactionUid>>();
  readonly #openByEvse = new Map<EvseNumber, Set<TransactionUid>>();

  get(uid: TransactionUid): Transaction | undefined {
    return this.#entries.get(uid)?.transaction;
  }

  entry(uid: TransactionUid): TransactionEntry | undefined {
    return this.#entries.get(uid);
  }

  /** The open transaction on an EVSE; the one begun last, while a station is still replaying an earlier one. */
  openOn(evse: EvseNumber): TransactionEntry | undefined {
    let latest: TransactionEntry | undefined;
    for (const uid of this.#openByEvse.get(evse) ?? []) {
      const entry = this.#entries.get(uid);
      if (entry && (!latest || entry.transaction.startedAt >= latest.transaction.startedAt)) latest = entry;
    }
    return latest;
  }

  open(): readonly Transaction[] {
    return [...this.#openByEvse.values()].flatMap((uids) =>
      [...uids].flatMap((uid) => {
        const transaction = this.get(uid);
        return transaction ? [transaction] : [];
      }),
    );
  }

  /** Everything that is kept, as it is at the call. */
  entries(): readonly TransactionEntry[] {
    return [...this.#entries.values()];
  }

  /** Everything kept of a station, in the order in which it was taken in. */
  ofStation(station: StationId): readonly TransactionEntry[] {
    return [...(this.#byStation.get(station) ?? [])].flatMap((uid) => {
      const entry = this.#entries.get(uid);
      return entry ? [entry] : [];
    });
  }

  /** The newest transaction that a station knows by this id: stations that were reset use their ids again. */
  byStationTransaction(station: StationId, id: StationTransactionId): TransactionEntry | undefined {
    let newest: TransactionEntry | undefined;
    for (const uid of this.#byStation.get(station) ?? []) {
      const entry = this.#entries.get(uid);
      if (
        entry?.transaction.stationTransactionId === id &&
        (!newest || entry.transaction.startedAt >= newest.transaction.startedAt)
      )
        newest = entry;
    }
    return newest;
  }

  put(entry: TransactionEntry): void {
    const { uid, station, evse, endedAt } = entry.transaction;
    const before = this.#entries.get(uid);
    if (before) this.#openByEvse.get(before.transaction.evse)?.delete(uid);
    this.#entries.set(uid, entry);
    bucket(this.#byStation, station).add(uid);
    if (endedAt === undefined) bucket(this.#openByEvse, evse).add(uid);
  }

  remove(uid: TransactionUid): void {
    const entry = this.#entries.get(uid);
    if (!entry) return;
    this.#entries.delete(uid);
    this.#byStation.get(entry.transaction.station)?.delete(uid);
    this.#openByEvse.get(entry.transaction.evse)?.delete(uid);
  }
}

function bucket<K, V>(map: Map<K, Set<V>>, key: K): Set<V> {
  const found = map.get(key) ?? new Set<V>();
  map.set(key, found);
  return found;
}

/** Completes a decision with the ended transactions that it pushes out of the book. */
export function decision(
  book: TransactionBook,
  of: Omit<Decision, 'forgotten' | 'transaction'> & { readonly transaction?: Transaction | undefined },
): Decision {
  const forgotten = of.changes.some(ends) ? pushedOut(book, of.changes) : [];
  return present({ forgotten, ...of });
}

const ends = ({ before, after }: Change): boolean =>
  after.transaction.endedAt !== undefined && before?.transaction.endedAt === undefined;

function pushedOut(book: TransactionBook, changes: readonly Change[]): readonly TransactionEntry[] {
  const forgotten: TransactionEntry[] = [];
  const changed = new Set(changes.map(({ after }) => after.transaction.uid));
  for (const station of new Set(changes.map(({ after }) => after.transaction.station))) {
    const newlyEnded = changes.filter((change) => change.after.transaction.station === station && ends(change)).length;
    if (newlyEnded === 0) continue;
    const ended = book
      .ofStation(station)
      .filter((entry) => entry.transaction.endedAt !== undefined && !changed.has(entry.transaction.uid))
      .sort((a, b) => (a.transaction.endedAt ?? 0) - (b.transaction.endedAt ?? 0));
    forgotten.push(...ended.slice(0, Math.max(0, ended.length + newlyEnded - ENDED_KEPT)));
  }
  return forgotten;
}

/** Enters a decision in the book. Do it before the disk is asked, so that the next event finds it. */
export function apply(book: TransactionBook, { changes, forgotten }: Decision): void {
  for (const { after } of changes) book.put(after);
  for (const { transaction } of forgotten) book.remove(transaction.uid);
}

/**
 * Takes a decision back because the disk refused it. The shell decides the events of one station one after the other, so
 * nothing can stand on a decision that is not on disk; where something does, that transaction is left as it is.
 * @returns whether everything was taken back
 */
export function undo(book: TransactionBook, { changes, forgotten }: Decision): boolean {
  let complete = true;
  for (const entry of forgotten) book.put(entry);
  for (const { before, after } of changes.toReversed()) {
    if (book.entry(after.transaction.uid) !== after) complete = false;
    else if (before) book.put(before);
    else book.remove(after.transaction.uid);
  }
  return complete;
}
