// The driver's phone: listens on the site's own broker for what happens to transactions.
import { connectAsync } from 'mqtt';

export interface SiteEvent {
  readonly topic: 'transaction' | 'cdr';
  /** `started`, `updated` or `ended`, for a transaction. */
  readonly event: string | undefined;
  readonly transaction: string;
  readonly evse: number;
}

export interface EventEar {
  readonly heard: readonly SiteEvent[];
  stop(): Promise<void>;
}

/**
 * Resolves once it hears.
 * @throws Error where the broker cannot be reached or refuses the subscription
 */
export async function listenToSite(brokerPort: number, topicRoot: string): Promise<EventEar> {
  const heard: SiteEvent[] = [];
  const client = await connectAsync(`mqtt://127.0.0.1:${brokerPort}`, { clientId: 'simulated-driver' });
  client.on('message', (topic, payload) => {
    const kind = topic.slice(topic.lastIndexOf('/') + 1);
    if (kind !== 'transaction' && kind !== 'cdr') return;
    const said = JSON.parse(payload.toString('utf8')) as Readonly<Record<string, unknown>>;
    heard.push({
      topic: kind,
      event: typeof said['event'] === 'string' ? said['event'] : undefined,
      transaction: String(said['transaction']),
      evse: Number(said['evse']),
    });
  });
  await client.subscribeAsync(`${topicRoot}/event/#`, { qos: 1 });
  return { heard, stop: () => client.endAsync() };
}
