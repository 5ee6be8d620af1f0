// Writes down what the gateway itself decides about a transaction: nothing that a CSMS is told, only what is kept.
import type { TransactionUid } from '../kernel/ids.js';
import type { Transaction } from '../site/transaction.js';
import { decision, type Decision, type TransactionBook } from './book.js';

export type Amendment = Partial<
  Pick<
    Transaction,
    'basis' | 'owner' | 'group' | 'reservationId' | 'remoteStartId' | 'deauthorized' | 'refusedAt' | 'confirmed'
  >
>;

/**
 * A transaction with some of the gateway's own facts changed: the CSMS's group, its refusal, the owner.
 * @returns undefined where the book does not hold it
 */
export function amend(book: TransactionBook, uid: TransactionUid, amendment: Amendment): Decision | undefined {
  const before = book.entry(uid);
  if (!before) return undefined;
  const transaction = { ...before.transaction, ...amendment };
  return decision(book, {
    transaction,
    records: [],
    anomalies: [],
    changes: [{ before, after: { ...before, transaction } }],
  });
}
