// The driver's phone: listens on the site's own broker for what happens to transactions.
import { mqttLink } from '../adapters/mqtt/client.js';
import type { Clock } from '../gateway/kernel/clock.js';
import type { Log } from '../gateway/kernel/log.js';

export interface SiteEvent {
  readonly topic: 'transaction' | 'cdr';
  /** `started`, `updated` or `ended`, for a transaction. */
  readonly event: string | undefined;
  readonly transaction: string;
  readonly evse: number;
}

export interface EventEar {
  readonly heard: readonly SiteEvent[];
  /** Resolves once it listens. */
  readonly listening: Promise<void>;
  stop(): Promise<void>;
}

export function listenToSite(brokerPort: number, topicRoot: string, clock: Clock, log: Log): EventEar {
  const heard: SiteEvent[] = [];
  let ready: () => void = () => undefined;
  const listening = new Promise<void>((resolve) => (ready = resolve));
  const link = mqttLink(
    {
      url: `mqtt://127.0.0.1:${brokerPort}`,
      clientId: 'simulated-driver',
      will: { topic: 'simulated-driver/online', payload: 'false' },
      commandTopics: [`${topicRoot}/event/#`],
    },
    clock,
    log,
  );
  link.start({
    connected: () => ready(),
    disconnected: (reason) => log.info({ reason }, 'the simulated driver no longer hears the site'),
    message(topic, payload) {
      const kind = topic.slice(topic.lastIndexOf('/') + 1);
      if (kind !== 'transaction' && kind !== 'cdr') return;
      const said = JSON.parse(payload) as Readonly<Record<string, unknown>>;
      heard.push({
        topic: kind,
        event: typeof said['event'] === 'string' ? said['event'] : undefined,
        transaction: String(said['transaction']),
        evse: Number(said['evse']),
      });
    },
  });
  return { heard, listening, stop: () => link.stop() };
}
