// The link to an MQTT broker elsewhere, by MQTT.js. What must last waits in the journal, never in the client's own queue.
import { connect, type MqttClient } from 'mqtt';
import type { Log } from '../../gateway/kernel/log.js';
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

export function mqttLink(settings: MqttSettings, log: Log): TelemetryLink {
  let client: MqttClient | undefined;
  // MQTT.js would hold a message for the next connection; ours is offered again from the journal instead.
  const inFlight = new Set<(taken: boolean) => void>();
  return {
    get connected() {
      return client?.connected ?? false;
    },
    start(listener: TelemetryListener) {
      client = connect(settings.url, {
        clientId: settings.clientId,
        ...(settings.username !== undefined && { username: settings.username }),
        ...(settings.password !== undefined && { password: settings.password }),
        clean: true,
        // Nothing is queued while the broker is away: the journal offers it again.
        queueQoSZero: false,
        reconnectPeriod: 5_000,
        will: { topic: settings.will.topic, payload: Buffer.from(settings.will.payload), qos: 1, retain: true },
      });
      client.on('connect', () => {
        if (settings.commandTopics.length > 0) {
          client?.subscribe([...settings.commandTopics], { qos: 1 }, (err) => {
            if (err) log.warn({ err, fault: 'FC-Q01' }, 'the broker refuses the subscription to commands');
          });
        }
        listener.connected();
      });
      client.on('message', (topic, payload) => listener.message(topic, payload.toString('utf8')));
      client.on('close', () => {
        for (const settle of inFlight) settle(false);
        inFlight.clear();
        listener.disconnected('connection closed');
      });
      client.on('error', (err) => log.warn({ err, fault: 'FC-Q01' }, 'MQTT connection failed'));
    },
    publish(topic, payload, { qos, retain }) {
      const up = client;
      if (up === undefined || !up.connected) return Promise.resolve(false);
      return new Promise((resolve) => {
        inFlight.add(resolve);
        up.publish(topic, payload, { qos, retain }, (err) => {
          inFlight.delete(resolve);
          resolve(err === undefined || err === null);
        });
      });
    },
    async stop() {
      await client?.endAsync();
    },
  };
}
