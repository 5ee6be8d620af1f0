// Puts the brokers of site.yaml behind their adapters: one elsewhere, and one inside this process for the site's own network.
import type { LocalBroker } from '../adapters/broker/broker.js';
import type { Gateway } from './gateway.js';
import type { AdapterContext } from './ports/station.js';
import type { TelemetryLink } from './ports/telemetry.js';
import { inForce } from './site/in-force.js';
import type { Site } from './site/topology.js';
import { Telemetry } from './telemetry/telemetry.js';
import { defaultRoot, gridOperatorTopics, onlineTopic } from './telemetry/topics.js';

const REMOTE = 'broker';

export interface Brokers {
  readonly local?: LocalBroker;
  /** The site is another one: the broker elsewhere is called anew where that is another one, or has other topics. */
  reconfigured(): Promise<void>;
}

/** @param site as it is in force */
export async function composeTelemetry(site: Site, gateway: Gateway, context: AdapterContext): Promise<Brokers> {
  const { clock, log } = context;
  const root = (): string => site.telemetry.broker?.topicPrefix ?? defaultRoot(site.id);
  const commands = (): readonly string[] => {
    const overMqtt = site.balancing.gridOperatorLimit?.from.includes('mqtt') === true;
    const circuits = site.circuits.map(({ id }) => id);
    return overMqtt ? gridOperatorTopics(root(), circuits) : [];
  };
  const open = (id: string, tokens: 'full' | 'masked', link: TelemetryLink): Promise<Telemetry> =>
    Telemetry.open({
      id,
      root: root(),
      tokens,
      stations: () => site.stations.map((station) => station.id),
      live: gateway.live,
      journal: gateway.journal,
      link,
      clock,
      log,
      gridLimit: (payload, circuit) => gateway.gridLimit(payload, circuit),
      gridHeartbeat: () => gateway.gridHeartbeat(),
    });
  /** Loaded only where it is wanted: an MQTT client and a broker are a quarter of what a start reads. */
  const openRemote = async (): Promise<Telemetry | undefined> => {
    const { broker } = site.telemetry;
    if (broker === undefined) return undefined;
    const { mqttLink } = await import('../adapters/mqtt/client.js');
    const { url, username, password } = broker;
    const link = mqttLink(
      {
        url,
        clientId: `forecourt-${site.id}`,
        will: { topic: onlineTopic(root()), payload: 'false' },
        commandTopics: commands(),
        ...(username !== undefined && { username }),
        ...(password !== undefined && { password }),
      },
      clock,
      log,
    );
    return open(REMOTE, 'full', link);
  };
  /** What the connection to the broker elsewhere was made with. */
  const terms = (): string => JSON.stringify([site.telemetry.broker, commands()]);
  let openedWith = terms();
  const remote = await openRemote();
  if (remote !== undefined) gateway.telemetry.push(remote);

  const { localBroker: settings } = site.telemetry;
  let local: LocalBroker | undefined;
  if (settings !== undefined) {
    const { localBroker } = await import('../adapters/broker/broker.js');
    // Who knows the password may set the limit here: a control box on the site's own network needs no broker elsewhere.
    const commandTopics = inForce(() => (settings.password === undefined ? [] : commands()));
    local = localBroker({ ...settings, commandTopics }, log);
    // Anybody on the site's network may read here: no driver's card is shown in full.
    gateway.telemetry.push(await open('local-broker', 'masked', local));
  }
  return {
    ...(local && { local }),
    async reconfigured() {
      const news = terms();
      if (news !== openedWith) {
        openedWith = news;
        const { telemetry } = gateway;
        const before = telemetry.find(({ id }) => id === REMOTE);
        // It stays in the list until the next one is there: the journal keeps what has not been delivered.
        await before?.stop();
        const next = await openRemote();
        const kept = telemetry.filter((each) => each !== before);
        telemetry.splice(0, telemetry.length, ...kept, ...(next === undefined ? [] : [next]));
        next?.start();
      }
      for (const each of gateway.telemetry) each.showAll();
    },
  };
}
