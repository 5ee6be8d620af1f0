// A dead letter as an operator reads it: what, of which transaction, when and why; no driver's token in it.
import { maskToken } from '../kernel/log.js';
import { toRfc3339 } from '../kernel/units.js';
import type { DeadLetterSummary } from '../ports/console.js';
import type { JournalRecord } from '../site/transaction.js';
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

/** A CSMS that refuses a token likes to repeat it in its answer. */
function withoutTokens(reason: string, record: JournalRecord): string {
  if (record.type !== 'transaction') return reason;
  return [record.idToken, record.startToken].reduce((text, token) => {
    if (token === undefined || token.idToken.length === 0) return text;
    const pattern = new RegExp(token.idToken.replaceAll(/[^A-Za-z0-9]/g, String.raw`\$&`), 'gi');
    return text.replaceAll(pattern, () => maskToken(token.idToken));
  }, reason);
}
