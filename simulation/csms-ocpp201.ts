// How the simulated cloud books an OCPP 2.0.1 station.
import type { Payload } from '../adapters/ocpp-j/contract.js';
import { textOf } from '../adapters/ocpp-j/fields.js';
import type { Clock } from '../gateway/kernel/clock.js';
import { toRfc3339 } from '../gateway/kernel/units.js';
import type { Answerer, BookedTransaction, CsmsBook } from './csms-book.js';

const object = (value: unknown): Payload => (typeof value === 'object' && value !== null ? (value as Payload) : {});

function registers(payload: Payload): number[] {
  const values = Array.isArray(payload['meterValue']) ? (payload['meterValue'] as Payload[]) : [];
  return values.flatMap((value) =>
    (value['sampledValue'] as Payload[])
      .filter((sample) => (sample['measurand'] ?? 'Energy.Active.Import.Register') === 'Energy.Active.Import.Register')
      .map((sample) => Number(sample['value']) * 10 ** Number(object(sample['unitOfMeasure'])['multiplier'] ?? 0)),
  );
}

export function csms201(book: CsmsBook, clock: Clock, accepts: (token: string) => boolean): Answerer {
  const info = (token: unknown): Payload => ({
    idTokenInfo: { status: accepts(String(object(token)['idToken'])) ? 'Accepted' : 'Invalid' },
  });

  const record = (payload: Payload): void => {
    const id = String(object(payload['transactionInfo'])['transactionId']);
    const seqNo = Number(payload['seqNo']);
    const [first] = registers(payload);
    let transaction = book.transactions.get(id);
    if (payload['eventType'] === 'Started' && transaction === undefined) {
      transaction = started(id, payload, first);
      if (seqNo !== 0) transaction.faults.push(`Started with seqNo ${seqNo}`);
      book.transactions.set(id, transaction);
      return;
    }
    if (transaction === undefined) {
      book.strays.push(`${String(payload['eventType'])} ${id}`);
      return;
    }
    if (seqNo <= transaction.seqNo) {
      transaction.repeated++;
      return;
    }
    if (seqNo !== transaction.seqNo + 1) transaction.faults.push(`seqNo ${seqNo} after ${transaction.seqNo}`);
    if (transaction.endedAt !== undefined) transaction.faults.push(`${String(payload['eventType'])} after Ended`);
    transaction.seqNo = seqNo;
    transaction.idToken ??=
      payload['idToken'] === undefined ? undefined : String(object(payload['idToken'])['idToken']);
    const values = registers(payload);
    if (payload['eventType'] === 'Ended') {
      transaction.endedAt = String(payload['timestamp']);
      transaction.meterStop = values.at(-1);
      transaction.reason = textOf(object(payload['transactionInfo']), 'stoppedReason') ?? 'Local';
    } else transaction.samples.push(...values);
  };

  return (action, payload) => {
    switch (action) {
      case 'BootNotification':
        book.boots++;
        return { status: 'Accepted', currentTime: toRfc3339(clock.now()), interval: 300 };
      case 'Heartbeat':
        return { currentTime: toRfc3339(clock.now()) };
      case 'StatusNotification':
        book.statuses.set(
          `${String(payload['evseId'])}/${String(payload['connectorId'])}`,
          String(payload['connectorStatus']),
        );
        return {};
      case 'Authorize':
        return info(payload['idToken']);
      case 'TransactionEvent':
        record(payload);
        return payload['idToken'] === undefined ? {} : info(payload['idToken']);
      case 'DataTransfer':
        return { status: 'Accepted' };
      default:
        return {};
    }
  };
}

function started(id: string, payload: Payload, register: number | undefined): BookedTransaction {
  return {
    id,
    slot: Number(object(payload['evse'])['id']),
    idToken: payload['idToken'] === undefined ? undefined : String(object(payload['idToken'])['idToken']),
    startedAt: String(payload['timestamp']),
    meterStart: register,
    endedAt: undefined,
    meterStop: undefined,
    reason: undefined,
    samples: [],
    repeated: 0,
    faults: [],
    seqNo: Number(payload['seqNo']),
  };
}
