// A transaction of the book whose times are moved, because the site has learned what they were.
import { amended } from '../kernel/amended.js';
import { judgedAgain, shifted, shiftedSpan, type TimeShift } from '../site/time-shift.js';
import type { TransactionEntry } from './book.js';

/** The same object where nothing moves. The keys in `seen` stay: they are made of what the station says. */
export function shiftedEntry(entry: TransactionEntry, shift: TimeShift): TransactionEntry {
  const { transaction } = entry;
  const { startedAt, registerAt, endedAt } = transaction;
  if (Math.max(startedAt, registerAt ?? startedAt, endedAt ?? startedAt) < shift.from) return entry;
  const times =
    endedAt === undefined
      ? { startedAt: judgedAgain(startedAt, transaction.startReportedAt, shift) }
      : shiftedSpan({ ...transaction, endedAt }, shift);
  return amended(entry, {
    transaction: amended(transaction, {
      ...times,
      ...(registerAt !== undefined && { registerAt: shifted(registerAt, shift) }),
    }),
  });
}
