// Which transaction a station's event belongs to: known by id, recognised as a repetition, or found by circumstance.
import type { StationTransactionId } from '../kernel/ids.js';
import type { Capabilities } from '../site/capabilities.js';
import type { TransactionReported } from '../site/station-event.js';
import { tokenKey } from '../site/tokens.js';
import type { Transaction } from '../site/transaction.js';
import type { TransactionBook, TransactionEntry } from './book.js';
import { registersIn } from './register.js';
import { eventKey, startKey } from './repetition.js';

export type Protocol = Capabilities['protocol'];

export type Binding =
  /** Sent before: the same answer, nothing else. */
  | { readonly kind: 'repeated'; readonly entry: TransactionEntry }
  /** Of a transaction whose end is recorded. */
  | { readonly kind: 'ended'; readonly entry: TransactionEntry }
  | { readonly kind: 'open'; readonly entry: TransactionEntry; readonly byCircumstance: boolean }
  /** Of no transaction in the book. */
  | { readonly kind: 'new' };

const isOpen = (entry: TransactionEntry): boolean => entry.transaction.endedAt === undefined;

/** -1 and 0 are what 1.6 chargers say when they were never told an id (errata 3.18, 3.54). */
export const isRealId = (id: StationTransactionId | undefined): id is StationTransactionId =>
  id !== undefined && id !== '' && id !== '0' && id !== '-1';

/** @param key the event's `eventKey` */
export function bind(book: TransactionBook, event: TransactionReported, protocol: Protocol, key: string): Binding {
  return event.kind === 'started' ? bindStart(book, event, key) : bindLater(book, event, protocol, key);
}

/** Whether an event is a repetition, and of which transaction: lets the shell skip the question to a CSMS. */
export function recognise(
  book: TransactionBook,
  event: TransactionReported,
  protocol: Protocol,
): { readonly transaction?: Transaction; readonly repeated: boolean } {
  const binding = bind(book, event, protocol, eventKey(event));
  if (binding.kind === 'new') return { repeated: false };
  return { transaction: binding.entry.transaction, repeated: binding.kind === 'repeated' };
}

function bindStart(book: TransactionBook, event: TransactionReported, key: string): Binding {
  if (!isRealId(event.stationTransactionId)) {
    const start = startKey(event);
    const same = book.ofStation(event.station).findLast((entry) => entry.startKey === start);
    // A clock that stands still says the same of every start: only one that is still open is the same.
    if (same && (event.reportedAt === undefined || isOpen(same))) return { kind: 'repeated', entry: same };
    // Values with id -1 came ahead of the start they belong to: the start completes what they opened.
    const ahead = event.evse === undefined ? undefined : book.openOn(event.evse);
    if (
      ahead?.transaction.station === event.station &&
      ahead.transaction.orphan === true &&
      event.at <= ahead.transaction.startedAt
    )
      return { kind: 'open', entry: ahead, byCircumstance: true };
    return { kind: 'new' };
  }
  const entry = book.byStationTransaction(event.station, event.stationTransactionId);
  if (!entry) return { kind: 'new' };
  const { transaction } = entry;
  if (transaction.seen.includes(key)) return { kind: 'repeated', entry };
  if (transaction.endedAt !== undefined)
    return event.at > transaction.endedAt ? { kind: 'new' } : { kind: 'repeated', entry };
  if (transaction.orphan === true) return { kind: 'open', entry, byCircumstance: false };
  return event.at > transaction.startedAt ? { kind: 'new' } : { kind: 'repeated', entry };
}

function bindLater(book: TransactionBook, event: TransactionReported, protocol: Protocol, key: string): Binding {
  if (isRealId(event.stationTransactionId)) {
    const entry = book.byStationTransaction(event.station, event.stationTransactionId);
    if (entry) return known(entry, key);
    // A 2.0.1 station makes its ids itself: one that is unknown is another transaction, whatever else is open.
    if (protocol === 'ocpp2.0.1') return { kind: 'new' };
  }
  const kept = book.ofStation(event.station);
  const repeated = kept.findLast((entry) => entry.transaction.seen.includes(key));
  if (repeated) return { kind: 'repeated', entry: repeated };
  const entry = fitting(kept.filter(isOpen), event);
  if (entry) return { kind: 'open', entry, byCircumstance: event.stationTransactionId !== undefined };
  const late = event.kind === 'ended' ? awaited(kept, event) : undefined;
  return late ? { kind: 'ended', entry: late } : { kind: 'new' };
}

function known(entry: TransactionEntry, key: string): Binding {
  if (entry.transaction.seen.includes(key)) return { kind: 'repeated', entry };
  return isOpen(entry) ? { kind: 'open', entry, byCircumstance: false } : { kind: 'ended', entry };
}

/** The transaction ended by inference whose real stop this is: begun with the same token, and nothing else is open. */
function awaited(kept: readonly TransactionEntry[], event: TransactionReported): TransactionEntry | undefined {
  const { idToken } = event;
  const inferred = kept.filter(
    ({ transaction }) =>
      transaction.estimatedStop === true &&
      transaction.startedAt <= event.at &&
      idToken !== undefined &&
      transaction.idToken !== undefined &&
      tokenKey(transaction.idToken) === tokenKey(idToken),
  );
  return fitting(inferred, event);
}

/**
 * The open transaction that an event without a usable id is meant for (1.6 errata 3.18): the only one of the station, else
 * the one begun with the same token; never one whose register already stood higher than the stop says.
 */
function fitting(open: readonly TransactionEntry[], event: TransactionReported): TransactionEntry | undefined {
  const stop = event.kind === 'ended' ? registersIn(event.meterValues)?.latest.value : undefined;
  const possible = open.filter(
    ({ transaction, placeKnown }) =>
      (event.evse === undefined || !placeKnown || transaction.evse === event.evse) &&
      (stop === undefined || transaction.meterStart === undefined || stop >= transaction.meterStart),
  );
  if (possible.length <= 1) return possible[0];
  const { idToken } = event;
  const sameToken =
    idToken === undefined
      ? []
      : possible.filter(
          ({ transaction }) => transaction.idToken && tokenKey(transaction.idToken) === tokenKey(idToken),
        );
  const ranked = (sameToken.length > 0 ? sameToken : event.evse === undefined ? [] : possible).toSorted(
    (a, b) => a.transaction.startedAt - b.transaction.startedAt,
  );
  return ranked.findLast(({ transaction }) => transaction.startedAt <= event.at) ?? ranked.at(-1);
}
