// What becomes of an open transaction when the CSMS answers its start (OCPP 1.6 section 3.5.4, errata 3.17; 2.0.1 C15.FR.02-07).
import type { CsmsId } from '../kernel/ids.js';
import type { WattHour } from '../kernel/units.js';
import type { IdToken, IdTokenInfo } from '../site/tokens.js';
import type { Transaction } from '../site/transaction.js';
import { listedToken, type Knowledge } from './known-token.js';
import type { AuthorizationSettings } from './settings.js';

export interface Judgement {
  /** The CSMS whose answer it is. */
  readonly csms: CsmsId;
  /** An earlier transmission of the same start had no answer. */
  readonly retransmitted: boolean;
  /** Energy taken since the token was first refused; 0 at the first refusal. */
  readonly energySinceRefusal: WattHour;
}

/**
 * - `keep`: nothing changes, or not yet
 * - `stop`: end it, reason DeAuthorized, cable locked
 * - `suspend`: give no more energy, keep it open
 */
export function judge(
  info: IdTokenInfo,
  transaction: Transaction,
  { stopOnInvalidId, maxEnergyOnInvalidId }: AuthorizationSettings,
  { csms, retransmitted, energySinceRefusal }: Judgement,
): 'keep' | 'stop' | 'suspend' {
  if (transaction.endedAt !== undefined || info.status === 'Accepted') return 'keep';
  // Only the CSMS that let the driver in may put him out.
  if (transaction.owner !== undefined && transaction.owner !== csms) return 'keep';
  // The CSMS met its own record of the first transmission: the driver is the concurrent one.
  if (info.status === 'ConcurrentTx' && retransmitted) return 'keep';
  if (stopOnInvalidId) return 'stop';
  return maxEnergyOnInvalidId !== undefined && energySinceRefusal < maxEnergyOnInvalidId ? 'keep' : 'suspend';
}

/**
 * The CSMS refuses a token that is good on its own list: reported as LocalListConflict (1.6 section 3.5.4). ConcurrentTx is
 * about this moment and not about the token.
 */
export const contradictsList = (knowledge: Knowledge, token: IdToken, info: IdTokenInfo): boolean =>
  info.status !== 'Accepted' && info.status !== 'ConcurrentTx' && listedToken(knowledge, token)?.validity === 'valid';

/** An unknown driver has taken what may be taken before a CSMS has confirmed the token: no more until then. */
export const isUsedUp = ({ energyLimit, confirmed, refusedAt, register, meterStart }: Transaction): boolean =>
  energyLimit !== undefined &&
  confirmed !== true &&
  // A refusal has an allowance of its own.
  refusedAt === undefined &&
  (register ?? 0) - (meterStart ?? register ?? 0) >= energyLimit;
