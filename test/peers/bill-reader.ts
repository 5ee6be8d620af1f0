// Reads the charge detail records that the gateway publishes on its local broker.
import { connectAsync, type MqttClient } from 'mqtt';
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

export class BillReader {
  readonly bills: Bill[] = [];
  readonly #client: MqttClient;

  private constructor(client: MqttClient) {
    this.#client = client;
  }

  /** Reconnects by itself when the gateway was away. */
  static async connect(port: number, changes: Changes): Promise<BillReader> {
    const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 200 });
    const reader = new BillReader(client);
    client.on('message', (_topic, payload) => {
      reader.bills.push(JSON.parse(payload.toString()) as Bill);
      changes.happened();
    });
    await client.subscribeAsync('forecourt/+/event/cdr', { qos: 1 });
    return reader;
  }

  /** The newest of an EVSE. */
  latest(evse: number): Bill | undefined {
    return this.bills.filter((bill) => bill.evse === evse).at(-1);
  }

  async close(): Promise<void> {
    await this.#client.endAsync(true);
  }
}
