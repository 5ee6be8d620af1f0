// What one event changes in its transaction: place, token, charging state, register, and the key that recognises it.
import type { CsmsId, EvseNumber, TransactionUid } from '../kernel/ids.js';
import { amended } from '../kernel/amended.js';
import { minutes, timestamp, wattHour, type Timestamp, type WattHour } from '../kernel/units.js';
import type { TransactionReported } from '../site/station-event.js';
import type { IdToken } from '../site/tokens.js';
import type { AuthorizationBasis, Transaction } from '../site/transaction.js';
import { isRealId, type Protocol } from './binding.js';
import type { Anomaly, TransactionEntry } from './book.js';
import { present } from './present.js';
import { registersIn } from './register.js';
import { remember, startKey } from './repetition.js';

/** A clock further off than this is reported (the gateway's own is taken to be right). */
const CLOCK_TOLERANCE = minutes(5);

/** How the driver was let in, as the authorization decided it. */
export interface Admission {
  readonly basis: AuthorizationBasis;
  readonly group?: IdToken;
  readonly owner?: CsmsId;
  readonly reservationId?: number;
  readonly remoteStartId?: number;
  /** What the driver may take until a CSMS has confirmed the token. */
  readonly energyLimit?: WattHour;
}

export interface IngestContext {
  readonly now: Timestamp;
  readonly protocol: Protocol;
  /** Draws a fresh uid, for an event that opens a transaction. */
  readonly uid: () => TransactionUid;
  /** The next id for a station that cannot make its own: from 1, rising over the whole site, never used again, below 2^31. */
  readonly nextStationTransactionId: () => number;
  /** The likeliest place of a transaction whose station has not said it (E01.FR.16). */
  readonly resolveEvse: () => { readonly evse: EvseNumber; readonly connector: number };
  /** Taken over once, at the start or with the token that comes later; absent while nobody has been let in. */
  readonly admission?: Admission;
  /** The event's token was judged and is not let in. */
  readonly refused?: boolean;
}

/** How it ended, as the station says. */
export const stop = (event: TransactionReported): { readonly stoppedReason: Transaction['stoppedReason'] } => ({
  // An absent reason means Local in both versions.
  stoppedReason: event.stoppedReason ?? 'Local',
});

/** With the key by which the event at hand is recognised, reckoned once. */
export interface KeyedContext extends IngestContext {
  readonly key: string;
}

/** The start of a transaction that was an orphan until now. */
export function completed(entry: TransactionEntry, event: TransactionReported): TransactionEntry {
  const { orphan: _orphan, ...rest } = entry.transaction;
  const registers = registersIn(event.meterValues, entry.registerLocation);
  const meterStart = registers?.begin ?? registers?.first;
  return {
    ...entry,
    ...(!isRealId(event.stationTransactionId) && { startKey: startKey(event) }),
    transaction: {
      ...rest,
      startedAt: timestamp(Math.min(rest.startedAt, event.at)),
      ...(event.at <= rest.startedAt && present({ startReportedAt: event.reportedAt })),
      ...(meterStart &&
        meterStart.value <= (rest.meterStart ?? Infinity) && { meterStart: wattHour(meterStart.value) }),
      ...present({ reservationId: event.reservationId ?? rest.reservationId }),
      ...present({ remoteStartId: event.remoteStartId ?? rest.remoteStartId }),
    },
  };
}

/** A transaction that its station has ended, with the register already read. */
export function ended(entry: TransactionEntry, event: TransactionReported): TransactionEntry {
  const { transaction } = entry;
  const { stoppedReason } = stop(event);
  return {
    ...entry,
    transaction: {
      ...transaction,
      endedAt: timestamp(Math.max(event.at, transaction.startedAt)),
      chargingState: event.chargingState ?? (stoppedReason === 'EVDisconnected' ? 'Idle' : 'EVConnected'),
      ...present({ meterStop: transaction.register, stoppedReason, endReportedAt: event.reportedAt }),
    },
  };
}

/** What every event may bring: a place, a token, a charging state, a register; and its key, to know it again. */
export function takeIn(
  before: TransactionEntry,
  event: TransactionReported,
  context: KeyedContext,
): { readonly entry: TransactionEntry; readonly anomalies: readonly Anomaly[] } {
  const { entry, anomalies } = meter(before, event);
  const { transaction } = entry;
  const found: Anomaly[] = [...anomalies];
  const moves = event.evse !== undefined && event.evse !== transaction.evse;
  if (moves && entry.placeKnown) found.push('evse-changed');
  if (clockSuspect(event, context)) found.push('clock-suspect');
  const here = event.evse !== undefined && !(moves && entry.placeKnown);
  return {
    anomalies: found,
    entry: amended(entry, {
      placeKnown: entry.placeKnown || event.evse !== undefined,
      transaction: amended(transaction, {
        chargingState: event.chargingState ?? transaction.chargingState,
        seen: remember(transaction.seen, context.key),
        ...present({
          evse: here && event.evse !== undefined ? event.evse : transaction.evse,
          connector: here ? (event.connector ?? transaction.connector) : transaction.connector,
          remoteStartId: transaction.remoteStartId ?? event.remoteStartId,
          reservationId: transaction.reservationId ?? event.reservationId,
        }),
        ...identified(transaction, event, context),
      }),
    }),
  };
}

/**
 * Reads the register: its first value is meterStart unless the station says better. It never falls, but for the one by which
 * the station ends the transaction: that one is billed, and a sample that stood above it was a spike.
 */
export function meter(
  entry: TransactionEntry,
  event: TransactionReported,
): { readonly entry: TransactionEntry; readonly anomalies: readonly Anomaly[] } {
  const registers = registersIn(event.meterValues, entry.registerLocation);
  if (!registers) return { entry, anomalies: [] };
  const { transaction } = entry;
  const meterStart = transaction.meterStart ?? (registers.begin ?? registers.first).value;
  const known = transaction.register ?? meterStart;
  const lower = registers.latest.value < known;
  const settles = event.kind === 'ended' && registers.latest.value >= meterStart;
  const late = registers.latest.at < (transaction.registerAt ?? registers.latest.at);
  return {
    // A lower value from before the last one is a message that comes late, not a fault of the meter.
    anomalies: lower && !late ? ['register-fell'] : [],
    entry: amended(entry, {
      registerLocation: registers.location,
      transaction: amended(transaction, {
        meterStart,
        register: lower && !settles ? known : registers.latest.value,
        registerAt: (lower && !settles) || late ? (transaction.registerAt ?? registers.latest.at) : registers.latest.at,
      }),
    }),
  };
}

/** The part of an event that goes into its record as it is. */
export const told = (event: TransactionReported) => ({
  at: event.at,
  trigger: event.trigger,
  offline: event.offline,
  meterValues: event.meterValues,
  ...present({
    reportedAt: event.reportedAt,
    idToken: event.idToken,
    phasesUsed: event.phasesUsed,
    cableMaxCurrent: event.cableMaxCurrent,
    customData: event.customData,
  }),
});

/**
 * Whose transaction it is, as far as this event says. A refused card that merely was held against a running transaction
 * leaves no trace in it; one that began it stays its token, until a card that is let in takes its place.
 */
export function identified(
  transaction: Transaction,
  event: TransactionReported,
  { admission, refused = false }: IngestContext,
): Partial<Transaction> {
  const first = transaction.idToken ?? (refused && event.kind !== 'started' ? undefined : event.idToken);
  if (transaction.basis !== 'none') return present({ idToken: first });
  if (admission !== undefined)
    return {
      ...present({ idToken: event.idToken ?? first }),
      ...present(admission),
      ...(transaction.deauthorized === true && { deauthorized: false }),
    };
  return { ...present({ idToken: first }), ...(refused && event.kind === 'started' && { deauthorized: true }) };
}

/** In the future, or in the past without the station having said that it was offline (1.6 cannot say it). */
const clockSuspect = (event: TransactionReported, { now, protocol }: IngestContext): boolean =>
  event.reportedAt !== undefined ||
  event.at > now + CLOCK_TOLERANCE ||
  (protocol === 'ocpp2.0.1' && !event.offline && event.at < now - CLOCK_TOLERANCE);
