// Tells an OCPP 1.6 CSMS of one transaction record: the start first, then what follows under the id that the CSMS gave.
import type { OCPP16 } from 'typed-ocpp';
import type { CsmsMessage, DeliveryOutcome } from '../../gateway/ports/csms.js';
import type { IdTokenInfo } from '../../gateway/site/tokens.js';
import type { CallOutcome, Payload } from '../ocpp-j/contract.js';
import { failureOf, type Frame, frame, withLate } from '../ocpp-j/csms-delivery.js';
import { requestOf } from '../ocpp-j/csms-route.js';
import { tokenInfoOf } from './decode-token-info.js';
import { type Chain, chainOf, encodeFollower, encodeStart, stateOf } from './encode-transaction.js';
import type { TokenAliases } from '../ocpp-j/token-alias.js';

export type TransactionMessage = Extract<CsmsMessage, { type: 'transaction' }>;

interface Begun {
  readonly id: number;
  readonly rejected: boolean;
  readonly info: IdTokenInfo;
}

export interface TransactionDelivery {
  deliver(message: TransactionMessage): Promise<DeliveryOutcome>;
  /** False while the transaction on this connector is open for the site and not yet begun for this CSMS. */
  startReported(flat: number): boolean;
}

/** What StartTransaction.conf means (journal section 4). */
export function readStart(chain: Chain, conf: OCPP16.StartTransactionResponse, aliases: TokenAliases): Begun {
  const info = tokenInfoOf(conf.idTagInfo, aliases);
  // A CSMS that stored an earlier try and lost its answer sees the driver twice: the session is good.
  if (chain.repeated && info.status === 'ConcurrentTx')
    return { id: conf.transactionId, rejected: false, info: { ...info, status: 'Accepted' } };
  return { id: conf.transactionId, rejected: conf.transactionId === 0 && info.status !== 'Accepted', info };
}

export function transactionDelivery(
  send: (frame: Frame) => Promise<CallOutcome>,
  aliases: TokenAliases,
  sendMinusOne: boolean,
): TransactionDelivery {
  const waiting = new Set<number>();

  async function deliver({ record, slot, state }: TransactionMessage): Promise<DeliveryOutcome> {
    const chain = chainOf(state);
    const { csmsTransactionId } = chain;
    // A dead start that is driven again by hand is a start, not a follower.
    const orphaned = csmsTransactionId === undefined && chain.startDead === true && record.kind !== 'started';
    if (orphaned && !sendMinusOne) return kept(record, chain);
    if (csmsTransactionId !== undefined || orphaned) return follow(record, slot, chain, csmsTransactionId ?? -1);

    const start = encodeStart(record, slot, chain, aliases);
    if (!start) {
      if (record.kind === 'ended') waiting.delete(slot.flat);
      else waiting.add(slot.flat);
      return { kind: 'nothing', state: stateOf({ ...chain, pendingStart: chain.pendingStart ?? { at: record.at } }) };
    }
    const outcome = await send(frame('StartTransaction', start, 'transaction'));
    if (outcome.kind !== 'result')
      return withLate(outcome, failureOf(outcome), (payload) => {
        const { taken } = begun(chain, slot, payload);
        // What follows the start in the same record has not been sent.
        return record.kind === 'started' ? { kind: 'answered', ...taken } : { kind: 'unsent', partly: taken };
      });
    const { began, taken } = begun(chain, slot, outcome.payload);
    const followed = await follow(record, slot, began, began.csmsTransactionId);
    // The start is not sent again, also not by the next process, whatever becomes of what follows it.
    if (followed.kind === 'refused' || followed.kind === 'unsent') return { ...followed, partly: taken };
    return { kind: 'answered', ...taken };
  }

  function begun(chain: Chain, slot: TransactionMessage['slot'], payload: Payload) {
    const { id, rejected, info } = readStart(chain, requestOf<OCPP16.StartTransactionResponse>(payload), aliases);
    waiting.delete(slot.flat);
    const began = { csmsTransactionId: id, ...(rejected && { rejected }) };
    return { began, taken: { state: stateOf(began), idTokenInfo: info } };
  }

  /** The end stays with its start: sent again after it, it has the start's id. The values on the way are in the end too. */
  const kept = (record: TransactionMessage['record'], chain: Chain): DeliveryOutcome =>
    record.kind === 'ended'
      ? { kind: 'refused', reason: 'its start is a dead letter', final: true }
      : { kind: 'nothing', state: stateOf(chain) };

  async function follow(
    record: TransactionMessage['record'],
    slot: TransactionMessage['slot'],
    chain: Chain,
    transactionId: number,
  ): Promise<DeliveryOutcome> {
    const state = stateOf(chain);
    const next = encodeFollower(record, slot, chain, transactionId, aliases);
    if (!next) return { kind: 'nothing', state };
    const understand = (payload: Payload): DeliveryOutcome => {
      const info = requestOf<OCPP16.StopTransactionResponse>(payload).idTagInfo;
      return { kind: 'answered', state, ...(info && { idTokenInfo: tokenInfoOf(info, aliases) }) };
    };
    const outcome = await send(next);
    if (outcome.kind === 'result') return understand(outcome.payload);
    const failure = withLate(outcome, failureOf(outcome), understand);
    // The CSMS has no such transaction and is told of its end as a courtesy: once.
    return chain.rejected && failure.kind === 'refused' ? { kind: 'answered', state } : failure;
  }

  return { deliver, startReported: (flat) => !waiting.has(flat) };
}
