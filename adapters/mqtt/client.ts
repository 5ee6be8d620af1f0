// The link to an MQTT broker elsewhere, by MQTT.js. What must last waits in the journal, never in the client's own queue.
import { connect, type MqttClient } from 'mqtt';
import type { CancelTimer, Clock } from '../../gateway/kernel/clock.js';
import { FAULTS } from '../../gateway/kernel/faults.js';
import type { Log } from '../../gateway/kernel/log.js';
import { milliseconds, seconds } from '../../gateway/kernel/units.js';
import type { TelemetryLink, TelemetryListener } from '../../gateway/ports/telemetry.js';

export interface MqttSettings {
  /** mqtt:// or mqtts:// */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  readonly clientId: string;
  /** Published by the broker when the gateway vanishes. */
  readonly will: { readonly topic: string; readonly payload: string };
  readonly commandTopics: readonly string[];
}

const FIRST_RETRY = seconds(1);
const LONGEST_RETRY = seconds(60);
/** Seconds between signs of life: half as much again and the broker publishes the last will. */
const KEEPALIVE = 30;

export function mqttLink(settings: MqttSettings, clock: Clock, log: Log): TelemetryLink {
  return new MqttLink(settings, clock, log);
}

/**
 * Every connection is a new client: MQTT.js repeats what an old one had under way, which the journal offers again anyhow,
 * and it never tries again after a refused sign-in.
 */
class MqttLink implements TelemetryLink {
  readonly #settings: MqttSettings;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #inFlight = new Set<(taken: boolean) => void>();
  #listener: TelemetryListener | undefined;
  #client: MqttClient | undefined;
  #up = false;
  #stopped = false;
  #retry = FIRST_RETRY;
  #cancelRetry: CancelTimer | undefined;
  #lastError: string | undefined;

  constructor(settings: MqttSettings, clock: Clock, log: Log) {
    this.#settings = settings;
    this.#clock = clock;
    this.#log = log;
  }

  get connected(): boolean {
    return this.#up;
  }

  start(listener: TelemetryListener): void {
    this.#listener = listener;
    this.#open();
  }

  publish(
    topic: string,
    payload: string,
    options: { readonly qos: 0 | 1; readonly retain: boolean },
  ): Promise<boolean> {
    const client = this.#client;
    if (client === undefined || !this.#up) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#inFlight.add(resolve);
      client.publish(topic, payload, options, (err) => {
        this.#inFlight.delete(resolve);
        resolve(err === undefined || err === null);
      });
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelRetry?.();
    // A broker that owes acknowledgements may owe them for ever: it is left without a goodbye, and publishes the will.
    const abruptly = !this.#up || this.#inFlight.size > 0;
    await this.#client?.endAsync(abruptly);
    this.#down('stopped');
  }

  #open(): void {
    const { url, clientId, username, password, will, commandTopics } = this.#settings;
    const client = connect(url, {
      clientId,
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      clean: true,
      keepalive: KEEPALIVE,
      connectTimeout: seconds(15),
      reconnectPeriod: 0,
      will: { topic: will.topic, payload: Buffer.from(will.payload), qos: 1, retain: true },
    });
    this.#client = client;
    client.on('connect', () => {
      if (client !== this.#client || this.#stopped) return;
      this.#up = true;
      this.#retry = FIRST_RETRY;
      this.#lastError = undefined;
      if (commandTopics.length > 0) {
        client.subscribe([...commandTopics], { qos: 1 }, (err) => {
          if (err) this.#complain(err, 'the broker refuses the subscription to commands');
        });
      }
      this.#listener?.connected();
    });
    client.on('message', (topic, payload, { retain }) => {
      if (client !== this.#client) return;
      // What the broker has kept was said at a time that nobody knows, perhaps by somebody who is silent since.
      if (retain)
        this.#log.warn(
          { topic },
          'a command that the broker has kept is not obeyed: send it without the retained flag',
        );
      else this.#listener?.message(topic, payload.toString('utf8'));
    });
    client.on('error', (err) => this.#complain(err, 'MQTT connection failed'));
    client.on('close', () => {
      if (client !== this.#client || this.#stopped) return;
      this.#client = undefined;
      // Nothing of this connection is repeated: its client is thrown away with all it holds.
      client.end(true);
      this.#down('connection closed');
      this.#cancelRetry = this.#clock.after(this.#retry, () => this.#open());
      this.#retry = milliseconds(Math.min(this.#retry * 2, LONGEST_RETRY));
    });
  }

  #down(reason: string): void {
    const wasUp = this.#up;
    this.#up = false;
    const owed = [...this.#inFlight];
    this.#inFlight.clear();
    for (const settle of owed) settle(false);
    if (wasUp && !this.#stopped) this.#listener?.disconnected(reason);
  }

  /** The same failure of every attempt is told once until a connection succeeds. */
  #complain(err: Error, message: string): void {
    if (err.message === this.#lastError) return;
    this.#lastError = err.message;
    this.#log.warn({ err, fault: FAULTS.brokerLost.code }, message);
  }
}
