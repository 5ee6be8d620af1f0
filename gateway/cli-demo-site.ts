// The gateway on the simulated demo site, for as long as somebody uses it.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { destination, pino } from 'pino';
import { demoLoads, demoSite, demoVersion } from '../simulation/demo-site.js';
import type { Load } from '../simulation/building-load.js';
import type { GatewayUnderTest } from '../simulation/evening.js';
import { SimulatedSite } from '../simulation/site.js';
import { openShelf } from '../site-config/devices/shelf.js';
import { composeGateway, type RunningGateway } from './compose.js';
import type { Clock } from './kernel/clock.js';
import type { CircuitId } from './kernel/ids.js';
import type { Log } from './kernel/log.js';
import { timestamp } from './kernel/units.js';
import type { Machine } from './ports/machine.js';
import type { ChargeDetailRecord } from './site/transaction.js';
import { defaultRoot } from './telemetry/topics.js';

export type Version = '1.6' | '2.0.1';

export interface DemoSetting {
  readonly dataDirectory: string;
  /** Which version of OCPP the authorizing cloud speaks. */
  readonly authority: Version;
  readonly clock: Clock;
  /** What the circuits carry beside the chargers; the demo's own lift and lights unless given. */
  readonly loads?: ReadonlyMap<CircuitId, Load>;
  /** Hears what goes into the demo's log as well. */
  readonly hear?: (log: Log) => Log;
}

/** Starts the demo site and a gateway on it, hands both over, and ends both in order whatever happens. */
export async function withGateway<T>(
  { dataDirectory, authority, clock, loads = demoLoads, hear = (log) => log }: DemoSetting,
  use: (simulated: SimulatedSite, running: RunningGateway, log: Log) => Promise<T>,
): Promise<T> {
  await mkdir(dataDirectory, { recursive: true });
  const file = destination({ dest: join(dataDirectory, 'demo.log'), sync: true });
  const log = hear(pino({ level: 'info', base: null }, file));
  const simulated = await SimulatedSite.start(demoSite({ dataDirectory, authority }), clock, log, {
    loads,
    version: demoVersion,
  });
  try {
    const running = await composeGateway(simulated.site, openShelf(), clock, demoMachine(clock), log, '0.0.0-demo');
    try {
      return await use(simulated, running, log);
    } finally {
      await running.stop();
    }
  } finally {
    await simulated.stop();
    file.end();
  }
}

/** The demo's time is right by definition, however fast it runs. */
const demoMachine = (clock: Clock): Machine => ({
  boot: `demo ${clock.now()}`,
  released: timestamp(0),
  lastSynchronised: () => clock.now(),
});

export function underTest(
  { gateway, journal, ocppPort, brokerPort }: RunningGateway,
  { site }: SimulatedSite,
): GatewayUnderTest {
  if (ocppPort === undefined || brokerPort === undefined) throw new Error('the demo site has chargers and a broker');
  return {
    async bills() {
      const records = [...(await journal.load('cdr')).values()] as ChargeDetailRecord[];
      return records.map(({ idToken, ...bill }) => ({ ...bill, idToken: idToken?.idToken }));
    },
    ocppPort,
    brokerPort,
    topicRoot: defaultRoot(site.id),
    views: () => gateway.views.map((view) => view.status()),
    settled: () =>
      gateway.views.every((view) => view.status().accepted) &&
      site.stations.every(({ id }) => gateway.live.station(id)?.booted === true) &&
      [...gateway.live.connectors()].every(({ status }) => status === 'Available'),
  };
}
