// How the simulated cloud books an OCPP 1.6 station.
import type { Payload } from '../adapters/ocpp-j/contract.js';
import { textOf } from '../adapters/ocpp-j/fields.js';
import type { Clock } from '../gateway/kernel/clock.js';
import { toRfc3339 } from '../gateway/kernel/units.js';
import type { Answerer, BookedTransaction, CsmsBook } from './csms-book.js';

export function csms16(book: CsmsBook, clock: Clock, accepts: (token: string) => boolean): Answerer {
  let lastId = 1000;
  const info = (token: unknown): Payload => ({
    idTagInfo: { status: accepts(String(token)) ? 'Accepted' : 'Invalid' },
  });

  /** The key by which real clouds recognise a repeated start (SteVe). */
  const sameStart = (payload: Payload): BookedTransaction | undefined =>
    [...book.transactions.values()].find(
      (known) =>
        known.slot === payload['connectorId'] &&
        known.idToken === payload['idTag'] &&
        known.startedAt === payload['timestamp'] &&
        known.meterStart === payload['meterStart'],
    );

  return (action, payload) => {
    switch (action) {
      case 'BootNotification':
        book.boots++;
        return { status: 'Accepted', currentTime: toRfc3339(clock.now()), interval: 300 };
      case 'Heartbeat':
        return { currentTime: toRfc3339(clock.now()) };
      case 'StatusNotification':
        book.statuses.set(String(payload['connectorId']), String(payload['status']));
        return {};
      case 'Authorize':
        return info(payload['idTag']);
      case 'StartTransaction': {
        let transaction = sameStart(payload);
        if (transaction !== undefined) transaction.repeated++;
        else {
          transaction = {
            id: String(++lastId),
            slot: Number(payload['connectorId']),
            idToken: String(payload['idTag']),
            startedAt: String(payload['timestamp']),
            meterStart: Number(payload['meterStart']),
            endedAt: undefined,
            meterStop: undefined,
            reason: undefined,
            samples: [],
            repeated: 0,
            faults: [],
            seqNo: 0,
          };
          book.transactions.set(transaction.id, transaction);
        }
        return { transactionId: Number(transaction.id), ...info(payload['idTag']) };
      }
      case 'MeterValues': {
        if (payload['transactionId'] === undefined) return {};
        const transaction = book.transactions.get(String(Number(payload['transactionId'])));
        if (transaction === undefined) book.strays.push(`MeterValues ${String(Number(payload['transactionId']))}`);
        else {
          if (transaction.endedAt !== undefined) transaction.faults.push('MeterValues after StopTransaction');
          for (const value of payload['meterValue'] as Payload[]) {
            for (const sample of value['sampledValue'] as Payload[]) {
              if ((sample['measurand'] ?? 'Energy.Active.Import.Register') === 'Energy.Active.Import.Register') {
                transaction.samples.push(Number(sample['value']));
              }
            }
          }
        }
        return {};
      }
      case 'StopTransaction': {
        const transaction = book.transactions.get(String(Number(payload['transactionId'])));
        if (transaction === undefined) book.strays.push(`StopTransaction ${String(Number(payload['transactionId']))}`);
        else if (transaction.endedAt !== undefined) transaction.repeated++;
        else {
          transaction.endedAt = String(payload['timestamp']);
          transaction.meterStop = Number(payload['meterStop']);
          transaction.reason = textOf(payload, 'reason') ?? 'Local';
        }
        return payload['idTag'] === undefined ? {} : info(payload['idTag']);
      }
      case 'DataTransfer':
        return { status: 'Accepted' };
      default:
        return {};
    }
  };
}
