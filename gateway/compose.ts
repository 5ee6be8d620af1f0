// Puts a whole gateway together: the only place, with compose-south and compose-north, that names concrete adapters.
import { randomBytes } from 'node:crypto';
import { commissioningRoutes } from '../adapters/console/commissioning-routes.js';
import type { ConsoleServer } from '../adapters/console/server.js';
import { openJournal } from '../adapters/journal-sqlite/journal.js';
import type { DeviceShelf } from '../site-config/devices/shelf.js';
import { storedAliases } from './compose-aliases.js';
import { composeConsole } from './compose-console.js';
import { composeSouth } from './compose-south.js';
import { CommissioningConsole } from './console/commissioning-console.js';
import { EventRecorder } from './console/event-recorder.js';
import { EventRing } from './console/event-ring.js';
import { STEP_s } from './console/history.js';
import { composeConfiguration, type SiteSource } from './compose-configuration.js';
import { composeNorth } from './compose-north.js';
import { composeTelemetry } from './compose-telemetry.js';
import { OperatorConsole } from './console/operator-console.js';
import { WireTrace } from './console/wire-trace.js';
import { Gateway } from './gateway.js';
import type { Clock } from './kernel/clock.js';
import { FAULTS } from './kernel/faults.js';
import { stationId, type StationId } from './kernel/ids.js';
import type { Log } from './kernel/log.js';
import { seconds } from './kernel/units.js';
import type { SiteConsole } from './ports/console.js';
import type { Journal } from './ports/journal.js';
import type { Machine } from './ports/machine.js';
import type { StationDriver } from './ports/station.js';
import type { Configuration, ConfigurationDependencies } from './shell/configuration.js';
import { inForce } from './site/in-force.js';
import { withoutRestart } from './site/site-change.js';
import { KnockingStations } from './shell/knocking-stations.js';
import type { Site } from './site/topology.js';

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
  /** Absent where the site is from no file. */
  readonly configuration?: Configuration;
  /** Closes everything in order: doors first, the journal last. */
  stop(): Promise<void>;
}

/**
 * Starts the gateway of a site. Listeners open only when the store is ready.
 * @param devices the profiles of its Modbus devices
 * @param system the clock of the box, which need not be right
 * @param source the file that the site is from, where it may be changed while the gateway runs
 * @throws JournalUnavailable when the data directory cannot be used
 * @throws Error when a port is taken or a device of site.yaml cannot be opened
 */
export async function composeGateway(
  first: Site,
  shelf: DeviceShelf,
  system: Clock,
  machine: Machine,
  log: Log,
  firmwareVersion: string,
  source?: SiteSource,
): Promise<RunningGateway> {
  const disk = await openJournal(first.dataDirectory, first.journal.sizeLimit, system, log);
  const drivers = new Map<StationId, StationDriver>();
  const gateway = await Gateway.open({
    site: first,
    journal: disk,
    drivers,
    clock: system,
    machine,
    log,
    randomBytes,
    firmwareVersion,
  });
  const { clock, journal, site } = gateway;
  let devices = shelf;
  const context = { clock, log };
  const trace = new WireTrace(clock);
  const knocking = new KnockingStations(clock);
  const south = composeSouth(
    site,
    inForce(() => devices),
    {
      stations: gateway.stations,
      meters: gateway.meters,
      contacts: gateway.contacts,
      traced: (station, direction, text) => trace.saw(`station/${station}`, direction, text),
      openTransactions: (station) => gateway.openTransactions(station),
      unknownStation: (identity, remoteAddress) => knocking.knocked(identity, remoteAddress),
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
  const brokers = await composeTelemetry(site, gateway, context);
  const north = await composeNorth(site, gateway, context, trace);
  const events = new EventRing();
  const recorder = new EventRecorder({ ring: events, live: gateway.live, clock });
  gateway.recorders.push(recorder);
  const console = new OperatorConsole({ site, version: firmwareVersion, gateway, journal, clock, events });
  const desk = new CommissioningConsole(site, gateway.commissioning, knocking, () => clock.now());
  let consoleServer: ConsoleServer | undefined;
  let configuration: Configuration | undefined;

  const remembering = clock.every(seconds(STEP_s), () => console.remember());

  const lost = new Promise<string>((resolve) => {
    journal.onHealth(({ lost, fault }) => {
      if (lost && fault !== undefined) resolve(fault);
    });
  });
  const stop = async (): Promise<void> => {
    remembering();
    await configuration?.stop().catch((err: unknown) => {
      log.error({ err, fault: FAULTS.siteFileUnwritable.code }, 'a change on trial could not be suspended');
    });
    await consoleServer?.close();
    await edge;
    await south.stop();
    await north.stop();
    await gateway.stop();
    await journal.close().catch((err: unknown) => log.warn({ err }, 'the journal could not be closed in order'));
  };
  /** What is being closed and opened for the last change. */
  let edge: Promise<void> = Promise.resolve();
  /** As far as it needs no restart. */
  const putInForce = async (next: Site, shelf: DeviceShelf): Promise<void> => {
    await edge;
    const change = await gateway.prepareSite(withoutRestart(site, next));
    devices = shelf;
    change();
    // Nobody who asked for the change waits for a charger that is slow to let go.
    edge = connectAnew();
  };
  const connectAnew = async (): Promise<void> => {
    for (const { status, reason } of (
      await Promise.allSettled([south.reconfigured(), north.reconfigured(), brokers.reconfigured()])
    ).filter((outcome) => outcome.status === 'rejected'))
      log.error({ err: reason, status }, 'a connection that the new site.yaml asks for could not be opened: restart');
    await gateway.endRemoved().catch((err: unknown) => {
      const fault = FAULTS.journalUnavailable.code;
      log.error({ err, fault }, 'transactions of removed hardware could not be ended: the next start ends them');
    });
  };
  try {
    gateway.start();
    const ocppPort = await south.start();
    const brokerPort = await brokers.local?.listening;
    const told: ConfigurationDependencies['told'] = (event) =>
      recorder.tell({ kind: 'configuration', subject: 'gateway', ...event });
    configuration = source && (await composeConfiguration(source, { site, told, clock, log, putInForce }));
    consoleServer =
      site.console &&
      (await composeConsole(
        site.console,
        {
          site,
          console,
          gateway,
          recorder,
          trace,
          routes: commissioningRoutes(desk),
          ...(configuration && { configuration }),
        },
        context,
      ));
    north.start();
    return {
      gateway,
      journal,
      lost,
      console,
      ...(configuration && { configuration }),
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
