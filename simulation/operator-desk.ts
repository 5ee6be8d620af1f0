// What an operator does at a simulated cloud, in whichever version it speaks: reserve, start, stop, hand out cards.
import type { Payload } from '../adapters/ocpp-j/contract.js';
import { textOf } from '../adapters/ocpp-j/fields.js';
import { toRfc3339, type Timestamp } from '../gateway/kernel/units.js';
import type { SimulatedCsms } from './csms.js';

export interface Reservation {
  readonly id: number;
  readonly evse: number;
  readonly token: string;
  readonly expiry: Timestamp;
}

/** Each answers with the status word of the site; `none` where no answer came. */
export interface OperatorDesk {
  reserve(reservation: Reservation): Promise<string>;
  remoteStart(evse: number, token: string, remoteStartId: number): Promise<string>;
  /** Stops the transaction that this cloud has open for the token. */
  remoteStop(token: string): Promise<string>;
  /** Replaces the list of cards that are good offline. */
  sendCards(tokens: readonly string[], version: number): Promise<string>;
}

export function operatorDesk(csms: SimulatedCsms): OperatorDesk {
  const ask = async (action: string, payload: Payload): Promise<string> => {
    const answer = await csms.command(action, payload);
    return (answer && textOf(answer, 'status')) ?? 'none';
  };
  const open = (token: string): string | undefined =>
    [...csms.book.transactions.values()].find(
      (booked) => booked.endedAt === undefined && booked.idToken?.toLowerCase() === token.toLowerCase(),
    )?.id;
  return csms.settings.version === 'ocpp1.6' ? desk16(ask, open) : desk201(ask, open);
}

type Ask = (action: string, payload: Payload) => Promise<string>;
type OpenTransaction = (token: string) => string | undefined;

const desk16 = (ask: Ask, open: OpenTransaction): OperatorDesk => ({
  reserve: ({ id, evse, token, expiry }) =>
    ask('ReserveNow', { connectorId: evse, expiryDate: toRfc3339(expiry), idTag: token, reservationId: id }),
  remoteStart: (evse, token) => ask('RemoteStartTransaction', { connectorId: evse, idTag: token }),
  async remoteStop(token) {
    const id = open(token);
    return id === undefined ? 'none' : ask('RemoteStopTransaction', { transactionId: Number(id) });
  },
  sendCards: (tokens, version) =>
    ask('SendLocalList', {
      listVersion: version,
      updateType: 'Full',
      localAuthorizationList: tokens.map((idTag) => ({ idTag, idTagInfo: { status: 'Accepted' } })),
    }),
});

const card = (idToken: string): Payload => ({ idToken, type: 'ISO14443' });

const desk201 = (ask: Ask, open: OpenTransaction): OperatorDesk => ({
  reserve: ({ id, evse, token, expiry }) =>
    ask('ReserveNow', { id, expiryDateTime: toRfc3339(expiry), idToken: card(token), evseId: evse }),
  remoteStart: (evse, token, remoteStartId) =>
    ask('RequestStartTransaction', { remoteStartId, idToken: card(token), evseId: evse }),
  async remoteStop(token) {
    const transactionId = open(token);
    return transactionId === undefined ? 'none' : ask('RequestStopTransaction', { transactionId });
  },
  sendCards: (tokens, versionNumber) =>
    ask('SendLocalList', {
      versionNumber,
      updateType: 'Full',
      localAuthorizationList: tokens.map((token) => ({ idToken: card(token), idTokenInfo: { status: 'Accepted' } })),
    }),
});
