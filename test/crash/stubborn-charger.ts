// A charger that keeps what was not answered and sends the very same again, as OCPP 1.6 section 3.7 and 2.0.1 E13 ask.
import { randomUUID } from 'node:crypto';
import type { Changes } from '../peers/changes.js';
import { RpcCharger } from '../peers/rpc-charger.js';
import type { OcppVersion, Payload } from '../peers/wire-record.js';

export interface StubbornOptions {
  readonly identity: string;
  readonly version: OcppVersion;
  readonly port: number;
  readonly changes: Changes;
  /** Resolves when the gateway may be there (again). */
  readonly gatewayUp: () => Promise<void>;
  /** Told just before a message leaves. */
  readonly sending: (step: string) => void;
}

/** Milliseconds between two attempts to connect. */
const PAUSE = 50;
const ATTEMPTS = 100;

export class StubbornCharger {
  readonly peer: RpcCharger;
  /** Wh. */
  register = 10_000;
  /** What the gateway has answered to starts: every one of a visit must be the same. */
  readonly ids: string[] = [];
  readonly verdicts: string[] = [];
  #transaction = '';
  #seqNo = 0;

  constructor(readonly options: StubbornOptions) {
    this.peer = new RpcCharger(options);
  }

  /** Sends until it is answered; the payload stays what it was. */
  async send(step: string, action: string, payload: Payload): Promise<Payload> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      await this.options.gatewayUp();
      try {
        if (!this.peer.connected) await this.peer.connect();
        this.options.sending(step);
        return await this.peer.call(action, payload);
      } catch (err) {
        // A CALLERROR asks for the message again; a dead socket for a new one.
        if (!this.peer.connected) await this.peer.drop();
        if (attempt === ATTEMPTS - 1) throw err;
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
      }
    }
    throw new Error('unreachable');
  }

  get is16(): boolean {
    return this.options.version === 'ocpp1.6';
  }

  async boot(): Promise<void> {
    await this.options.gatewayUp();
    await this.peer.connect();
    await this.peer.act.boot();
    await this.peer.act.available();
  }

  /** A whole one, of 700 Wh in two samples. */
  async visit(token: string): Promise<void> {
    await this.status(false);
    await this.start(token);
    await this.charge(300);
    await this.charge(400);
    await this.stop(token);
    await this.status(true);
  }

  async status(free: boolean): Promise<void> {
    const timestamp = new Date().toISOString();
    await this.send(
      'status',
      'StatusNotification',
      this.is16
        ? { connectorId: 1, errorCode: 'NoError', status: free ? 'Available' : 'Preparing', timestamp }
        : { evseId: 1, connectorId: 1, connectorStatus: free ? 'Available' : 'Occupied', timestamp },
    );
  }

  async start(token: string): Promise<void> {
    const timestamp = new Date().toISOString();
    this.#seqNo = 0;
    if (this.is16) {
      const payload = { connectorId: 1, idTag: token, meterStart: this.register, timestamp };
      const { transactionId, idTagInfo } = await this.send('start', 'StartTransaction', payload);
      this.#transaction = String(transactionId);
      this.verdicts.push((idTagInfo as { readonly status: string }).status);
      this.ids.push(this.#transaction);
      return;
    }
    this.#transaction = randomUUID();
    this.ids.push(this.#transaction);
    const { idTokenInfo } = await this.#event('start', 'Started', 'Authorized', 'Transaction.Begin', {
      idToken: { idToken: token, type: 'ISO14443' },
    });
    this.verdicts.push((idTokenInfo as { readonly status: string }).status);
  }

  async charge(wattHours: number): Promise<void> {
    this.register += wattHours;
    if (!this.is16) {
      await this.#event('values', 'Updated', 'MeterValuePeriodic', 'Sample.Periodic', {});
      return;
    }
    await this.send('values', 'MeterValues', {
      connectorId: 1,
      transactionId: Number(this.#transaction),
      meterValue: [
        {
          timestamp: new Date().toISOString(),
          sampledValue: [
            { value: String(this.register), measurand: 'Energy.Active.Import.Register', unit: 'Wh' },
            { value: '6.0', measurand: 'Current.Import', phase: 'L1', unit: 'A' },
          ],
        },
      ],
    });
  }

  async stop(token: string): Promise<void> {
    const timestamp = new Date().toISOString();
    if (!this.is16) {
      await this.#event('stop', 'Ended', 'StopAuthorized', 'Transaction.End', {}, { stoppedReason: 'Local' });
      return;
    }
    await this.send('stop', 'StopTransaction', {
      transactionId: Number(this.#transaction),
      idTag: token,
      meterStop: this.register,
      timestamp,
      reason: 'Local',
    });
  }

  async #event(
    step: string,
    eventType: string,
    triggerReason: string,
    context: string,
    rest: Payload,
    info: Payload = {},
  ): Promise<Payload> {
    const timestamp = new Date().toISOString();
    return this.send(step, 'TransactionEvent', {
      eventType,
      timestamp,
      triggerReason,
      seqNo: this.#seqNo++,
      evse: { id: 1, connectorId: 1 },
      transactionInfo: { transactionId: this.#transaction, chargingState: 'Charging', ...info },
      meterValue: [
        {
          timestamp,
          sampledValue: [
            {
              value: this.register,
              context,
              measurand: 'Energy.Active.Import.Register',
              unitOfMeasure: { unit: 'Wh' },
            },
          ],
        },
      ],
      ...rest,
    });
  }
}
