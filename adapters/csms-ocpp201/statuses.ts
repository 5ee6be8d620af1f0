// The shape that most answers of OCPP 2.0.1 share: a status and why.
import type { CsmsAnswer } from '../../gateway/ports/csms.js';
import { oneOf } from '../ocpp-j/csms-route.js';
import { truncate } from '../ocpp-j/truncate.js';

export interface StatusAnswer<Status extends string> {
  status: Status;
  statusInfo?: { reasonCode: string; additionalInfo?: string };
}

/** Every refusal that this message has no word for is `otherwise`. */
export function statusOf<Status extends string>(
  answer: CsmsAnswer,
  known: readonly Status[],
  otherwise: NoInfer<Status>,
): StatusAnswer<Status> {
  const status = oneOf(answer.status, known, otherwise);
  // A word that was lost in translation is still worth telling.
  const reasonCode = answer.reasonCode ?? (status === answer.status ? undefined : answer.status);
  return {
    status,
    ...(reasonCode !== undefined && {
      statusInfo: {
        reasonCode: truncate(reasonCode, 20),
        ...(answer.detail !== undefined && { additionalInfo: truncate(answer.detail, 512) }),
      },
    }),
  };
}
