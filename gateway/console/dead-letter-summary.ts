// A dead letter as an operator reads it: what, of which transaction, when and why; no driver's token in it.
import { toRfc3339 } from '../kernel/units.js';
import type { DeadLetterSummary } from '../ports/console.js';
import { withoutTokens } from '../site/without-tokens.js';
import type { DeadLetter } from '../views/dead-letters.js';
import { timeOf } from '../views/queue.js';

/** Characters: a CSMS may put a whole stack trace into its refusal. */
const LONGEST_REASON = 500;

export function deadLetterSummary({ seq, record, reason, attempts, at }: DeadLetter): DeadLetterSummary {
  const happened = timeOf(record);
  return {
    seq,
    message: record.type === 'transaction' ? record.kind : record.type,
    ...(record.type === 'transaction' && { transaction: record.uid }),
    ...((record.type === 'transaction' || record.type === 'meter') &&
      record.evse !== undefined && { evse: record.evse }),
    ...(happened !== undefined && { at: toRfc3339(happened) }),
    refusedAt: toRfc3339(at),
    attempts,
    reason: withoutTokens(reason, record).slice(0, LONGEST_REASON),
  };
}
