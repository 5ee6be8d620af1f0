// Takes in what a station reports of its transactions: recognises repetitions, opens, updates and ends (OCPP 1.6 section 3.7, 2.0.1 E).
import { stationTransactionId, type StationTransactionId } from '../kernel/ids.js';
import { timestamp } from '../kernel/units.js';
import type { TransactionReported } from '../site/station-event.js';
import type { Transaction, TransactionRecord } from '../site/transaction.js';
import { bind, isRealId } from './binding.js';
import {
  decision,
  type Anomaly,
  type Change,
  type Decision,
  type TransactionBook,
  type TransactionEntry,
} from './book.js';
import { endByInference } from './estimate.js';
import {
  completed,
  ended,
  identified,
  meter,
  stop,
  takeIn,
  told,
  type IngestContext,
  type KeyedContext,
} from './intake.js';
import { present } from './present.js';
import { append } from './record.js';
import { registersIn } from './register.js';
import { eventKey, remember, startKey } from './repetition.js';

export interface TransactionDecision extends Decision {
  readonly answer: {
    readonly stationTransactionId: StationTransactionId;
    /** Nothing is recorded: the event was taken in before, or came after the end. */
    readonly duplicate: boolean;
  };
}

/** Decides one event of a transaction. Pure but for the id it may draw; enter it with `apply`. */
export function decideTransaction(
  book: TransactionBook,
  event: TransactionReported,
  given: IngestContext,
): TransactionDecision {
  const context: KeyedContext = { key: eventKey(event), ...given };
  const binding = bind(book, event, context.protocol, context.key);
  switch (binding.kind) {
    case 'repeated':
      return answerOnly(book, binding.entry, []);
    case 'ended':
      return afterEnd(book, binding.entry, event, context);
    case 'open':
      return goOn(book, binding.entry, event, context, binding.byCircumstance ? ['bound-by-circumstance'] : []);
    case 'new':
      return begin(book, event, context);
  }
}

function answerOnly(
  book: TransactionBook,
  entry: TransactionEntry,
  anomalies: readonly Anomaly[],
): TransactionDecision {
  return {
    ...decision(book, { records: [], anomalies, changes: [] }),
    answer: { stationTransactionId: entry.transaction.stationTransactionId, duplicate: true },
  };
}

/**
 * An event of a transaction that has ended. Every CSMS has its end, after which nothing may follow (E 1.3), so nothing is
 * recorded. The real stop of one that was ended by inference corrects the gateway's own account of it, once.
 */
function afterEnd(
  book: TransactionBook,
  before: TransactionEntry,
  event: TransactionReported,
  { key }: KeyedContext,
): TransactionDecision {
  if (event.kind !== 'ended' || before.transaction.estimatedStop !== true)
    return answerOnly(book, before, event.kind === 'updated' ? ['after-end'] : []);
  const metered = meter(before, event);
  const { estimatedStop: _inferred, ...rest } = metered.entry.transaction;
  const transaction: Transaction = {
    ...rest,
    endedAt: timestamp(Math.max(event.at, rest.startedAt)),
    ...present({
      meterStop: rest.register,
      stoppedReason: event.stoppedReason ?? 'Local',
      endReportedAt: event.reportedAt,
    }),
    seen: remember(rest.seen, key),
  };
  const after = { ...metered.entry, transaction };
  return {
    ...decision(book, {
      transaction,
      corrected: true,
      records: [],
      anomalies: ['stop-corrected', ...metered.anomalies],
      changes: [{ before, after }],
    }),
    answer: { stationTransactionId: transaction.stationTransactionId, duplicate: true },
  };
}

/** A start, or an event whose start was never seen: then the start is recorded first, so that every CSMS sees one. */
function begin(book: TransactionBook, event: TransactionReported, context: KeyedContext): TransactionDecision {
  const orphan = event.kind !== 'started';
  const changes: Change[] = [];
  const records: TransactionRecord[] = [];
  const anomalies: Anomaly[] = orphan ? ['orphan'] : [];
  let closed: Transaction | undefined;

  const occupant = event.evse === undefined ? undefined : book.openOn(event.evse);
  if (occupant && event.at < occupant.transaction.startedAt) anomalies.push('replay');
  else if (occupant && event.kind !== 'ended') {
    const ended = endByInference(occupant, event.at, 'Other');
    changes.push({ before: occupant, after: ended.entry });
    records.push(ended.record);
    anomalies.push('closed-by-start');
    closed = ended.entry.transaction;
  }

  const fresh = freshEntry(event, context, orphan);
  if (!orphan) {
    const taken = takeIn(fresh, event, context);
    const started = append(taken.entry, { ...told(event), kind: 'started' });
    changes.push({ before: undefined, after: started.entry });
    records.push(started.record);
    anomalies.push(...taken.anomalies);
  } else {
    const metered = meter(fresh, event).entry.transaction;
    const opening: TransactionEntry = {
      ...fresh,
      transaction: {
        ...fresh.transaction,
        ...present({ meterStart: metered.meterStart, register: metered.meterStart }),
      },
    };
    const start = append(opening, {
      kind: 'started',
      at: fresh.transaction.startedAt,
      trigger: 'AbnormalCondition',
      offline: event.offline,
      idToken: event.idToken,
    });
    const next = continued(start.entry, event, context);
    changes.push({ before: undefined, after: next.entry });
    records.push(start.record, next.record);
    anomalies.push(...next.anomalies);
  }
  const transaction = changes.at(-1)?.after.transaction;
  return {
    ...decision(book, { transaction, records, changes, anomalies, ...(closed && { closed }) }),
    answer: {
      stationTransactionId: transaction?.stationTransactionId ?? fresh.transaction.stationTransactionId,
      duplicate: false,
    },
  };
}

function freshEntry(event: TransactionReported, context: KeyedContext, orphan: boolean): TransactionEntry {
  const place =
    event.evse === undefined ? context.resolveEvse() : { evse: event.evse, connector: event.connector ?? 1 };
  const registers = registersIn(event.meterValues);
  const known = isRealId(event.stationTransactionId);
  const transaction: Transaction = {
    uid: context.uid(),
    station: event.station,
    ...place,
    stationTransactionId: known
      ? event.stationTransactionId
      : stationTransactionId(String(context.nextStationTransactionId())),
    basis: 'none',
    startedAt: timestamp(Math.min(event.at, (orphan && registers?.begin?.at) || event.at)),
    chargingState: event.chargingState ?? 'EVConnected',
    seen: [],
    ...present({
      startReportedAt: event.reportedAt,
      reservationId: event.reservationId,
      remoteStartId: event.remoteStartId,
      orphan: orphan ? true : undefined,
    }),
  };
  return {
    transaction: { ...transaction, ...identified(transaction, event, context) },
    nextN: 0,
    placeKnown: event.evse !== undefined,
    ...(!known && !orphan && { startKey: startKey(event) }),
  };
}

/** The next event of an open transaction. */
function goOn(
  book: TransactionBook,
  before: TransactionEntry,
  event: TransactionReported,
  context: KeyedContext,
  bound: readonly Anomaly[],
): TransactionDecision {
  const { entry: after, record, anomalies } = continued(before, event, context);
  return {
    answer: { stationTransactionId: after.transaction.stationTransactionId, duplicate: false },
    ...decision(book, {
      transaction: after.transaction,
      records: [record],
      anomalies: [...bound, ...anomalies],
      changes: [{ before, after }],
    }),
  };
}

function continued(
  before: TransactionEntry,
  event: TransactionReported,
  context: KeyedContext,
): { readonly entry: TransactionEntry; readonly record: TransactionRecord; readonly anomalies: readonly Anomaly[] } {
  const taken = takeIn(before, event, context);
  let { entry } = taken;
  const anomalies = [...taken.anomalies];
  if (event.kind === 'started') {
    entry = completed(entry, event);
    anomalies.push('late-start');
  } else if (event.kind === 'ended') entry = ended(entry, event);
  // A start that comes late is told as an update: every CSMS has been told of a start already.
  const kind = event.kind === 'started' ? 'updated' : event.kind;
  const more = kind === 'ended' ? stop(event) : { key: context.key };
  return { anomalies, ...append(entry, { kind, ...told(event), ...more }) };
}
