// Decides whether a presented token may stop a transaction (OCPP 1.6 section 3.5, 2.0.1 C01, C09, C16).
import { tokenKey, type IdToken, type IdTokenInfo } from '../site/tokens.js';
import type { Transaction } from '../site/transaction.js';
import { isMasterPass, knownToken, sameGroup, type Knowledge } from './known-token.js';

export interface StopContext extends Knowledge {
  readonly idToken: IdToken;
  readonly transaction: Pick<Transaction, 'idToken' | 'group'>;
  /** The CSMS can be asked. */
  readonly online: boolean;
}

/** `stop-all`: a master pass ends every transaction of the station. `ask`: the CSMS, then `afterStopAnswer`. */
export type StopDecision = 'stop' | 'stop-all' | 'refuse' | 'ask';

export function decideStop(context: StopContext): StopDecision {
  const { idToken, transaction, online, settings } = context;
  // The token that started it, without any question.
  if (transaction.idToken && tokenKey(transaction.idToken) === tokenKey(idToken)) return 'stop';
  const known = knownToken(context, idToken);
  if (known?.validity === 'valid') {
    if (isMasterPass(known.info, settings)) return 'stop-all';
    // C01.FR.03, C09.FR.07: the group of each, never a group against a token.
    if (sameGroup(known.info.group, transaction.group)) return 'stop';
  }
  return online && !settings.disableRemoteAuthorization ? 'ask' : 'refuse';
}

/** After the CSMS's answer; no answer is no permission. A member of the group that is not Accepted never stops (C09.FR.11). */
export function afterStopAnswer(context: StopContext, info: IdTokenInfo | undefined): 'stop' | 'stop-all' | 'refuse' {
  if (info?.status !== 'Accepted') return 'refuse';
  if (isMasterPass(info, context.settings)) return 'stop-all';
  return sameGroup(info.group, context.transaction.group) ? 'stop' : 'refuse';
}
