// Puts a whole gateway together: the only place, with compose-south and compose-north, that names concrete adapters.
import { randomBytes } from 'node:crypto';
import type { LocalBroker } from '../adapters/broker/broker.js';
import type { ConsoleServer } from '../adapters/console/server.js';
import { openJournal } from '../adapters/journal-sqlite/journal.js';
import type { DeviceShelf } from '../site-config/devices/shelf.js';
import { storedAliases } from './compose-aliases.js';
import { composeConsole } from './compose-console.js';
import { composeCsms } from './compose-north.js';
import { composeSouth } from './compose-south.js';
import { EventRecorder } from './console/event-recorder.js';
import { EventRing } from './console/event-ring.js';
import { STEP_s } from './console/history.js';
import { OperatorConsole } from './console/operator-console.js';
import { WireTrace } from './console/wire-trace.js';
import { Gateway } from './gateway.js';
import type { CancelTimer, Clock } from './kernel/clock.js';
import { stationId, type StationId } from './kernel/ids.js';
import type { Log } from './kernel/log.js';
import { seconds, type Milliseconds } from './kernel/units.js';
import type { SiteConsole } from './ports/console.js';
import type { CsmsLink } from './ports/csms.js';
import type { Journal } from './ports/journal.js';
import type { Machine } from './ports/machine.js';
import type { StationDriver } from './ports/station.js';
import type { TelemetryLink } from './ports/telemetry.js';
import type { Site } from './site/topology.js';
import { Telemetry } from './telemetry/telemetry.js';
import { defaultRoot, gridOperatorTopics, onlineTopic } from './telemetry/topics.js';

/** Longest wait for CSMSs to close their connections in order. */
const FAREWELL = seconds(3);

export interface RunningGateway {
  readonly gateway: Gateway;
  readonly journal: Journal;
  /** Where chargers connect; absent where the site has no OCPP chargers. */
  readonly ocppPort?: number;
  /** Where LAN clients subscribe; absent without a local broker. */
  readonly brokerPort?: number;
  /** Resolves with a code of the catalogue when the journal can only be gone on with by a new process. */
  readonly lost: Promise<string>;
  /** Where the operator asks; absent where it is switched off or the port is taken. */
  readonly consolePort?: number;
  /** What the operator may ask. */
  readonly console: SiteConsole;
  /** Closes everything in order: doors first, the journal last. */
  stop(): Promise<void>;
}

/**
 * Starts the gateway of a site. Listeners open only when the store is ready.
 * @param devices the profiles of its Modbus devices
 * @param system the clock of the box, which need not be right
 * @throws JournalUnavailable when the data directory cannot be used
 * @throws Error when a port is taken or a device of site.yaml cannot be opened
 */
export async function composeGateway(
  site: Site,
  devices: DeviceShelf,
  system: Clock,
  machine: Machine,
  log: Log,
  firmwareVersion: string,
): Promise<RunningGateway> {
  const disk = await openJournal(site.dataDirectory, site.journal.sizeLimit, system, log);
  const drivers = new Map<StationId, StationDriver>();
  const gateway = await Gateway.open({
    site,
    journal: disk,
    drivers,
    clock: system,
    machine,
    log,
    randomBytes,
    firmwareVersion,
  });
  const { clock, journal } = gateway;
  const context = { clock, log };
  const trace = new WireTrace(clock);
  const south = composeSouth(
    site,
    devices,
    {
      stations: gateway.stations,
      meters: gateway.meters,
      contacts: gateway.contacts,
      traced: (station, direction, text) => trace.saw(`station/${station}`, direction, text),
      openTransactions: (station) => gateway.openTransactions(station),
      securityEvent: (event, station, remoteAddress) => {
        // Single failures are in the log; a flood of them is one event.
        if (event === 'attemptFailed') return;
        const known = site.stations.some(({ id }) => id === station);
        gateway.securityEvent(
          event,
          known ? stationId(station) : undefined,
          `${station.slice(0, 48)} from ${remoteAddress}`,
        );
      },
    },
    context,
    drivers,
    // Not the id of a CSMS, which has no colon.
    await storedAliases('stations:', journal, context),
  );
  const broker = await composeTelemetry(site, gateway, journal, context);
  const links: CsmsLink[] = [];
  for (const csms of site.csms) {
    const view = gateway.views.find((each) => each.csms === csms.id);
    if (view !== undefined) links.push(await composeCsms(csms, view, journal, context, trace));
  }
  const events = new EventRing();
  const recorder = new EventRecorder({ ring: events, live: gateway.live, clock });
  gateway.recorders.push(recorder);
  const console = new OperatorConsole({ site, version: firmwareVersion, gateway, journal, clock, events });
  let consoleServer: ConsoleServer | undefined;

  const remembering = clock.every(seconds(STEP_s), () => console.remember());

  const lost = new Promise<string>((resolve) => {
    journal.onHealth(({ lost, fault }) => {
      if (lost && fault !== undefined) resolve(fault);
    });
  });
  const stop = async (): Promise<void> => {
    remembering();
    await consoleServer?.close();
    await south.stop();
    // A CSMS that does not answer the farewell must not keep the journal from being closed.
    await within(FAREWELL, clock, Promise.all(links.map((link) => link.stop())));
    await gateway.stop();
    await journal.close().catch((err: unknown) => log.warn({ err }, 'the journal could not be closed in order'));
  };
  try {
    gateway.start();
    const ocppPort = await south.start();
    const brokerPort = await broker?.listening;
    consoleServer =
      site.console && (await composeConsole(site.console, { site, console, gateway, recorder, trace }, context));
    for (const link of links) link.start();
    return {
      gateway,
      journal,
      lost,
      console,
      stop,
      ...(ocppPort !== undefined && { ocppPort }),
      ...(brokerPort !== undefined && { brokerPort }),
      ...(consoleServer?.port !== undefined && { consolePort: consoleServer.port }),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

const within = (limit: Milliseconds, clock: Clock, work: Promise<unknown>): Promise<unknown> => {
  let cancel: CancelTimer = () => undefined;
  const late = new Promise<void>((resolve) => (cancel = clock.after(limit, resolve)));
  return Promise.race([work, late]).finally(() => cancel());
};

async function composeTelemetry(
  site: Site,
  gateway: Gateway,
  journal: Journal,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<LocalBroker | undefined> {
  const { broker, localBroker: local } = site.telemetry;
  const root = broker?.topicPrefix ?? defaultRoot(site.id);
  const overMqtt = site.balancing.gridOperatorLimit?.from.includes('mqtt') === true;
  const circuits = site.circuits.map(({ id }) => id);
  const commands = overMqtt ? gridOperatorTopics(root, circuits) : [];
  const add = async (id: string, tokens: 'full' | 'masked', link: TelemetryLink): Promise<void> => {
    gateway.telemetry.push(
      await Telemetry.open({
        id,
        root,
        tokens,
        stations: site.stations.map((station) => station.id),
        live: gateway.live,
        journal,
        link,
        clock,
        log,
        gridLimit: (payload, circuit) => gateway.gridLimit(payload, circuit),
        gridHeartbeat: () => gateway.gridHeartbeat(),
      }),
    );
  };
  // Loaded only where they are wanted: an MQTT client and a broker are a quarter of what a start reads.
  if (broker !== undefined) {
    const { mqttLink } = await import('../adapters/mqtt/client.js');
    const { url, username, password } = broker;
    const link = mqttLink(
      {
        url,
        clientId: `forecourt-${site.id}`,
        will: { topic: onlineTopic(root), payload: 'false' },
        commandTopics: commands,
        ...(username !== undefined && { username }),
        ...(password !== undefined && { password }),
      },
      clock,
      log,
    );
    await add('broker', 'full', link);
  }
  if (local === undefined) return undefined;
  const { localBroker } = await import('../adapters/broker/broker.js');
  // Who knows the password may set the limit here: a control box on the site's own network needs no broker elsewhere.
  const link = localBroker({ ...local, commandTopics: local.password === undefined ? [] : commands }, log);
  // Anybody on the site's network may read here: no driver's card is shown in full.
  await add('local-broker', 'masked', link);
  return link;
}
