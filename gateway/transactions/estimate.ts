// Ends a transaction whose stop will not come: the charger vanished, or has begun another one (aggregation: orphan grace).
import type { TransactionUid } from '../kernel/ids.js';
import { timestamp, type Timestamp, type WattHour } from '../kernel/units.js';
import type { MeterValue } from '../site/metering.js';
import type { StoppedReason } from '../site/station-event.js';
import type { TransactionRecord } from '../site/transaction.js';
import { decision, type Decision, type TransactionBook, type TransactionEntry } from './book.js';
import { present } from './present.js';
import { append } from './record.js';

/** The end at the last register seen; never before the last thing known to have happened in it. */
export function endByInference(
  entry: TransactionEntry,
  at: Timestamp,
  stoppedReason: StoppedReason,
): { readonly entry: TransactionEntry; readonly record: TransactionRecord } {
  const { transaction } = entry;
  const { register, registerAt } = transaction;
  const endedAt = timestamp(Math.max(at, transaction.startedAt, registerAt ?? transaction.startedAt));
  return append(
    {
      ...entry,
      transaction: {
        ...transaction,
        endedAt,
        stoppedReason,
        estimatedStop: true,
        chargingState: 'Idle',
        ...present({ meterStop: register }),
      },
    },
    {
      kind: 'ended',
      at: endedAt,
      trigger: 'AbnormalCondition',
      stoppedReason,
      // A 2.0.1 CSMS learns of the final register only from the values.
      meterValues: register === undefined ? [] : [lastRegister(register, registerAt ?? endedAt)],
    },
  );
}

const lastRegister = (value: WattHour, at: Timestamp): MeterValue => ({
  at,
  sampled: [{ value, measurand: 'Energy.Active.Import.Register', context: 'Transaction.End' }],
});

/**
 * Ends an open transaction in the station's place.
 * @param at when it is taken to have ended, such as the moment its charger was reported free
 * @returns undefined where it is not open
 */
export function estimateStop(
  book: TransactionBook,
  uid: TransactionUid,
  at: Timestamp,
  reason: StoppedReason,
): Decision | undefined {
  const before = book.entry(uid);
  if (!before || before.transaction.endedAt !== undefined) return undefined;
  const { entry: after, record } = endByInference(before, at, reason);
  return decision(book, {
    transaction: after.transaction,
    closed: after.transaction,
    records: [record],
    anomalies: [],
    changes: [{ before, after }],
  });
}
