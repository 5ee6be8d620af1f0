// The driver's phone: listens on the site's own broker for what happens to transactions.
import { connect } from 'mqtt';
import type { Log } from '../gateway/kernel/log.js';

export interface SiteEvent {
  readonly topic: 'transaction' | 'cdr';
  /** `started`, `updated` or `ended`, for a transaction. */
  readonly event: string | undefined;
  readonly transaction: string;
  readonly evse: number;
  readonly idToken: string | undefined;
}

export interface EventEar {
  readonly heard: readonly SiteEvent[];
  /** Resolves once it listens. */
  readonly listening: Promise<void>;
  stop(): Promise<void>;
}

export function listenToSite(brokerPort: number, topicRoot: string, log: Log): EventEar {
  const heard: SiteEvent[] = [];
  let ready: () => void = () => undefined;
  const listening = new Promise<void>((resolve) => (ready = resolve));
  const client = connect(`mqtt://127.0.0.1:${brokerPort}`, { clientId: 'simulated-driver' });
  client.on('connect', () => {
    client.subscribe(`${topicRoot}/event/#`, { qos: 1 }, (err) => {
      if (err) log.error({ err }, 'the simulated driver cannot hear the site');
      else ready();
    });
  });
  client.on('close', () => log.debug({}, 'the simulated driver no longer hears the site'));
  client.on('error', (err) => log.error({ err }, 'the simulated driver cannot hear the site'));
  client.on('message', (topic, payload) => {
    const kind = topic.slice(topic.lastIndexOf('/') + 1);
    if (kind !== 'transaction' && kind !== 'cdr') return;
    const said = JSON.parse(payload.toString('utf8')) as Readonly<Record<string, unknown>>;
    heard.push({
      topic: kind,
      event: typeof said['event'] === 'string' ? said['event'] : undefined,
      transaction: String(said['transaction']),
      evse: Number(said['evse']),
      idToken: typeof said['idToken'] === 'string' ? said['idToken'] : undefined,
    });
  });
  return { heard, listening, stop: () => client.endAsync() };
}
