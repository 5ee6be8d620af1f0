// Reads the charge detail records that the gateway publishes on its local broker.
import { connect, type MqttClient } from 'mqtt';
import type { Changes } from './changes.js';

export interface Bill {
  readonly transaction: string;
  readonly evse: number;
  readonly idToken?: string;
  readonly meterStart_Wh: number;
  readonly meterStop_Wh: number;
  readonly energy_Wh: number;
  readonly stoppedReason: string;
  readonly estimated: boolean;
}

const TOPIC = 'forecourt/+/event/cdr';

export class BillReader {
  readonly bills: Bill[] = [];
  readonly #client: MqttClient;
  readonly #changes: Changes;
  #subscribed = false;

  private constructor(port: number, changes: Changes) {
    this.#changes = changes;
    this.#client = connect(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 200, resubscribe: false });
    this.#client.on('connect', () => {
      this.#client.subscribe(TOPIC, { qos: 1 }, (err) => {
        this.#subscribed = err === null;
        changes.happened();
      });
    });
    this.#client.on('close', () => {
      this.#subscribed = false;
    });
    // While the gateway is away there is nobody to connect to.
    this.#client.on('error', () => changes.happened());
    this.#client.on('message', (_topic, payload) => {
      this.bills.push(JSON.parse(payload.toString()) as Bill);
      changes.happened();
    });
  }

  static async connect(port: number, changes: Changes): Promise<BillReader> {
    const reader = new BillReader(port, changes);
    await reader.listening();
    return reader;
  }

  /** Resolves when it is connected: what is published before that, it misses. */
  async listening(): Promise<void> {
    await this.#changes.until('the broker', () => this.#subscribed);
  }

  /** The newest of an EVSE. */
  latest(evse: number): Bill | undefined {
    return this.bills.filter((bill) => bill.evse === evse).at(-1);
  }

  async close(): Promise<void> {
    await this.#client.endAsync(true);
  }
}
