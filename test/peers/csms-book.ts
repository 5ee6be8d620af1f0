// What one CSMS knows after what it was told: connectors and transactions, in words that do not depend on its version.
import type { OCPP16, OCPP20 } from 'typed-ocpp';
import type { OcppVersion, Payload } from './wire-record.js';

export interface BookedTransaction {
  /** The integer it was given (1.6) or the gateway's own id (2.0.1). */
  readonly id: string;
  /** connectorId in 1.6, evseId in 2.0.1. */
  slot: number;
  idToken: string | undefined;
  /** Wh. */
  meterStart: number | undefined;
  meterStop: number | undefined;
  ended: boolean;
  reason: string | undefined;
  /** 2.0.1 only. */
  readonly seqNos: number[];
  readonly chargingStates: string[];
  readonly triggers: string[];
  /** Wh, as they came. */
  readonly registers: number[];
  offline: boolean;
  /** Events that came more than once (2.0.1). */
  repeated: number;
  remoteStartId: number | undefined;
  reservationId: number | undefined;
}

const REGISTER = 'Energy.Active.Import.Register';

export class CsmsBook {
  readonly transactions = new Map<string, BookedTransaction>();
  /** What was said of each connector, in order; 0: the station (1.6). */
  readonly statuses = new Map<number, string[]>();
  /** Statuses and transactions as one story a connector: `Preparing`, `start`, `Charging`, `stop`, `Finishing` ... */
  readonly stories = new Map<number, string[]>();
  readonly #version: OcppVersion;
  #lastId: number;

  /** @param firstId of the transactions that a 1.6 CSMS numbers; two CSMSs should not number alike */
  constructor(version: OcppVersion, firstId: number) {
    this.#version = version;
    this.#lastId = firstId - 1;
  }

  status(slot: number): string | undefined {
    return this.statuses.get(slot)?.at(-1);
  }

  story(slot: number): readonly string[] {
    return this.stories.get(slot) ?? [];
  }

  open(): readonly BookedTransaction[] {
    return [...this.transactions.values()].filter(({ ended }) => !ended);
  }

  /** The newest transaction of a connector. */
  latest(slot: number): BookedTransaction | undefined {
    return [...this.transactions.values()].filter((transaction) => transaction.slot === slot).at(-1);
  }

  /** Takes in a CALL that is going to be accepted; the answer is the id of a 1.6 transaction that it begins. */
  take(action: string, payload: Payload): number | undefined {
    switch (`${this.#version} ${action}`) {
      case 'ocpp1.6 StatusNotification': {
        const { connectorId, status } = payload as unknown as OCPP16.StatusNotificationRequest;
        this.#status(connectorId, status);
        return undefined;
      }
      case 'ocpp1.6 StartTransaction':
        return this.#start(payload as unknown as OCPP16.StartTransactionRequest);
      case 'ocpp1.6 MeterValues':
        this.#meterValues(payload as unknown as OCPP16.MeterValuesRequest);
        return undefined;
      case 'ocpp1.6 StopTransaction':
        this.#stop(payload as unknown as OCPP16.StopTransactionRequest);
        return undefined;
      case 'ocpp2.0.1 StatusNotification': {
        const { evseId, connectorStatus } = payload as unknown as OCPP20.StatusNotificationRequest;
        this.#status(evseId, connectorStatus);
        return undefined;
      }
      case 'ocpp2.0.1 TransactionEvent':
        this.#event(payload as unknown as OCPP20.TransactionEventRequest);
        return undefined;
      default:
        return undefined;
    }
  }

  /** What is wrong with the book as such; more only at the end of a journey. */
  faults(): string[] {
    return [...this.transactions.values()].flatMap((transaction) => {
      const { id, registers, meterStart, meterStop } = transaction;
      const found: string[] = [];
      if (registers.some((register, index) => index > 0 && register < (registers[index - 1] ?? 0)))
        found.push(`transaction ${id}: the register runs backwards: ${registers.join(' ')}`);
      if (meterStart !== undefined && meterStop !== undefined && meterStop < meterStart)
        found.push(`transaction ${id}: stops at ${meterStop} below its start ${meterStart}`);
      return found;
    });
  }

  #status(slot: number, status: string): void {
    this.statuses.set(slot, [...(this.statuses.get(slot) ?? []), status]);
    this.#tell(slot, status);
  }

  #tell(slot: number, what: string): void {
    this.stories.set(slot, [...(this.stories.get(slot) ?? []), what]);
  }

  #start({ connectorId, idTag, meterStart, reservationId }: OCPP16.StartTransactionRequest): number {
    const id = ++this.#lastId;
    const transaction = blank(String(id), connectorId);
    transaction.idToken = idTag;
    transaction.meterStart = meterStart;
    transaction.reservationId = reservationId;
    this.transactions.set(transaction.id, transaction);
    this.#tell(connectorId, 'start');
    return id;
  }

  #meterValues({ transactionId, meterValue }: OCPP16.MeterValuesRequest): void {
    const transaction = transactionId === undefined ? undefined : this.transactions.get(String(transactionId));
    if (transaction === undefined) return;
    for (const { sampledValue } of meterValue)
      for (const { measurand, value, unit, phase } of sampledValue)
        if ((measurand ?? REGISTER) === REGISTER && phase === undefined)
          transaction.registers.push(Number(value) * (unit === 'kWh' ? 1000 : 1));
  }

  #stop({ transactionId, meterStop, reason }: OCPP16.StopTransactionRequest): void {
    const transaction = this.transactions.get(String(transactionId)) ?? blank(String(transactionId), -1);
    this.transactions.set(transaction.id, transaction);
    transaction.meterStop = meterStop;
    transaction.ended = true;
    transaction.reason = reason ?? 'Local';
    this.#tell(transaction.slot, 'stop');
  }

  #event(event: OCPP20.TransactionEventRequest): void {
    const { transactionId, chargingState, stoppedReason, remoteStartId } = event.transactionInfo;
    const transaction = this.transactions.get(transactionId) ?? blank(transactionId, event.evse?.id ?? -1);
    this.transactions.set(transactionId, transaction);
    if (event.evse !== undefined) transaction.slot = event.evse.id;
    if (event.idToken !== undefined) transaction.idToken ??= event.idToken.idToken;
    // What comes twice, because the first answer was lost, is known by its number.
    if (transaction.seqNos.includes(event.seqNo)) {
      transaction.repeated++;
      return;
    }
    transaction.seqNos.push(event.seqNo);
    transaction.triggers.push(event.triggerReason);
    transaction.offline ||= event.offline === true;
    transaction.remoteStartId ??= remoteStartId;
    transaction.reservationId ??= event.reservationId;
    if (chargingState !== undefined && transaction.chargingStates.at(-1) !== chargingState) {
      transaction.chargingStates.push(chargingState);
    }
    for (const { sampledValue } of event.meterValue ?? [])
      for (const sample of sampledValue) {
        if ((sample.measurand ?? REGISTER) !== REGISTER || sample.phase !== undefined) continue;
        const factor =
          (sample.unitOfMeasure?.unit === 'kWh' ? 1000 : 1) * 10 ** (sample.unitOfMeasure?.multiplier ?? 0);
        const register = sample.value * factor;
        transaction.registers.push(register);
        if (event.eventType === 'Started' && sample.context === 'Transaction.Begin') transaction.meterStart = register;
        if (event.eventType === 'Ended' && sample.context === 'Transaction.End') transaction.meterStop = register;
      }
    if (event.eventType === 'Started') this.#tell(transaction.slot, 'start');
    if (event.eventType === 'Ended') {
      transaction.ended = true;
      transaction.reason = stoppedReason ?? 'Local';
      this.#tell(transaction.slot, 'stop');
    }
  }
}

const blank = (id: string, slot: number): BookedTransaction => ({
  id,
  slot,
  idToken: undefined,
  meterStart: undefined,
  meterStop: undefined,
  ended: false,
  reason: undefined,
  seqNos: [],
  chargingStates: [],
  triggers: [],
  registers: [],
  offline: false,
  repeated: 0,
  remoteStartId: undefined,
  reservationId: undefined,
});
