// A broker inside the gateway for the site's own network, by aedes: home automation and displays subscribe to it without an uplink.
import { createServer, type Server, type Socket } from 'node:net';
import { timingSafeEqual } from 'node:crypto';
import { Aedes } from 'aedes';
import { FAULTS } from '../../gateway/kernel/faults.js';
import type { Log } from '../../gateway/kernel/log.js';
import type { TelemetryLink, TelemetryListener } from '../../gateway/ports/telemetry.js';

export interface BrokerSettings {
  readonly host: string;
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
  readonly commandTopics: readonly string[];
}

export interface LocalBroker extends TelemetryLink {
  /** Resolves with the port once the broker listens. */
  readonly listening: Promise<number>;
}

/** Displays, home automation and a few phones; a site's network has no more that listen. */
const MOST_CLIENTS = 100;

const equal = (a: string, b: string): boolean => {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
};

/** Clients may read everything and publish on the command topics only: nobody on the LAN can forge the site's state. */
export function localBroker(settings: BrokerSettings, log: Log): LocalBroker {
  let aedes: Aedes | undefined;
  let server: Server | undefined;
  const sockets = new Set<Socket>();
  let announce: (port: number) => void = () => undefined;
  let refuse: (reason: Error) => void = () => undefined;
  const listening = new Promise<number>((resolve, reject) => {
    announce = resolve;
    refuse = reject;
  });
  // Whoever waits for the port is told; the log has it in any case.
  listening.catch(() => undefined);

  const open = async (listener: TelemetryListener): Promise<void> => {
    const broker = await Aedes.createBroker({
      authenticate: (client, username, password, done) => {
        // Whoever leaves and comes back finds the retained state; messages for those who never come back would fill the memory.
        client.clean = true;
        const expected = settings.password;
        const allowed =
          expected === undefined ||
          (equal(username ?? '', settings.username ?? '') && equal(password?.toString() ?? '', expected));
        done(null, allowed);
      },
      authorizePublish: (_client, packet, done) => {
        done(settings.commandTopics.includes(packet.topic) ? null : new Error('only the gateway publishes here'));
      },
    });
    aedes = broker;
    await new Promise<void>((resolve) => {
      broker.subscribe(
        '#',
        (packet, done) => {
          // The circuits of the site, and with them the topics, may have changed since.
          if (settings.commandTopics.includes(packet.topic)) listener.message(packet.topic, packet.payload.toString());
          done();
        },
        resolve,
      );
    });
    server = createServer((socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      broker.handle(socket);
    });
    server.maxConnections = MOST_CLIENTS;
    server.on('error', (err) => {
      log.error({ err, fault: FAULTS.brokerLost.code }, 'the local MQTT broker cannot listen');
      refuse(err);
    });
    server.listen(settings.port, settings.host, () => {
      const address = server?.address();
      announce(typeof address === 'object' && address !== null ? address.port : settings.port);
      listener.connected();
    });
  };

  return {
    listening,
    get connected() {
      return aedes !== undefined && server?.listening === true;
    },
    start(listener) {
      open(listener).catch((err: unknown) => {
        log.error({ err, fault: FAULTS.brokerLost.code }, 'the local MQTT broker cannot start');
        refuse(err instanceof Error ? err : new Error(String(err)));
      });
    },
    publish(topic, payload, { qos, retain }) {
      const broker = aedes;
      if (broker === undefined) return Promise.resolve(false);
      return new Promise((resolve) => {
        broker.publish({ cmd: 'publish', topic, payload, qos, retain, dup: false }, (err) =>
          resolve(err === undefined || err === null),
        );
      });
    },
    async stop() {
      const broker = aedes;
      aedes = undefined;
      if (broker !== undefined) await new Promise<void>((resolve) => broker.close(resolve));
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve())));
    },
  };
}
