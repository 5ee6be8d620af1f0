// Tells a change of charging state inside a transaction for stations that only report it with their status (1.6, Modbus).
import type { StatusReported } from '../site/station-event.js';
import { decision, type Decision, type TransactionBook } from './book.js';
import type { Protocol } from './binding.js';
import { append } from './record.js';

export interface StatusContext {
  readonly protocol: Protocol;
  /** The pause is ours: the gateway's own limit stopped the car, so the trigger is ChargingRateChanged. */
  readonly limited?: boolean;
}

/**
 * Decides a status. 2.0.1 stations tell the charging state in transaction events of their own, so theirs changes nothing.
 * Available closes nothing: the real stop may still come (translation table C).
 * @returns undefined where no transaction is concerned
 */
export function decideStatus(
  book: TransactionBook,
  event: StatusReported,
  { protocol, limited = false }: StatusContext,
): Decision | undefined {
  if (event.evse === undefined) return undefined;
  const before = book.openOn(event.evse);
  if (!before) return undefined;
  const { transaction } = before;
  if (event.connector !== undefined && event.connector !== transaction.connector) return undefined;
  if (event.at < transaction.startedAt) return undefined;
  if (event.status === 'Available')
    return decision(book, { transaction, records: [], anomalies: ['available-while-open'], changes: [] });
  if (protocol === 'ocpp2.0.1' || event.status !== 'Occupied') return undefined;
  const { chargingState } = event;
  if (chargingState === undefined || chargingState === transaction.chargingState) return undefined;
  const { entry: after, record } = append(
    { ...before, transaction: { ...transaction, chargingState } },
    {
      kind: 'updated',
      at: event.at,
      trigger: limited && chargingState === 'SuspendedEVSE' ? 'ChargingRateChanged' : 'ChargingStateChanged',
    },
  );
  return decision(book, {
    transaction: after.transaction,
    records: [record],
    anomalies: [],
    changes: [{ before, after }],
  });
}
