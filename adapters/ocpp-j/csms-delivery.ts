// Calls of ours to a CSMS: what leaves, in which order, and what their outcome means for the view.
import type { DeliveryOutcome, Priority } from '../../gateway/ports/csms.js';
import type { CallOutcome, Payload } from './contract.js';
import { payloadOf } from './csms-route.js';

/** One CALL, ready to leave. */
export interface Frame {
  readonly action: string;
  readonly payload: Payload;
  readonly priority: Priority;
}

export const frame = (action: string, payload: object, priority: Priority): Frame => ({
  action,
  payload: payloadOf(payload),
  priority,
});

/** The connection's own scale: 0 leaves first (aggregation section 5). */
export const PRIORITIES = { authorize: 0, transaction: 1, status: 2, values: 3 } as const satisfies Record<
  Priority,
  number
>;

/**
 * What the view learns when the answer to a call that was given up comes after all.
 * @param understand as for an answer in time
 */
export function withLate(
  outcome: CallOutcome,
  failure: ReturnType<typeof failureOf>,
  understand: (payload: Payload) => DeliveryOutcome,
): ReturnType<typeof failureOf> {
  if (outcome.kind !== 'timeout' || outcome.late === undefined || failure.kind !== 'refused') return failure;
  return { ...failure, late: outcome.late.then(understand) };
}

/** A call that brought no usable answer. Only what the CSMS had a chance to take counts as an attempt (E13). */
export function failureOf(
  outcome: Exclude<CallOutcome, { kind: 'result' }>,
): Extract<DeliveryOutcome, { kind: 'refused' | 'unsent' }> {
  switch (outcome.kind) {
    case 'error':
      return { kind: 'refused', reason: `${outcome.code}: ${outcome.description}` };
    case 'invalid':
      return { kind: 'refused', reason: `answer is not valid: ${outcome.reason}` };
    case 'timeout':
      return { kind: 'refused', reason: 'no answer in time', unanswered: true };
    case 'closed':
      return { kind: 'unsent', ...(outcome.sent && { underWay: true }) };
  }
}
