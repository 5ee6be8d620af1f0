// Puts the OCPP chargers of site.yaml behind one server: each in whichever version it speaks today, none that is not listed.
import type { OcppConnection, OcppVersion } from '../adapters/ocpp-j/contract.js';
import { credentialsMatch } from '../adapters/ocpp-j/credentials.js';
import { OcppServer, type Accepted, type Admission, type AdmissionRequest } from '../adapters/ocpp-j/server.js';
import type { OcppStationDriver } from '../adapters/station-ocpp16/driver.js';
import { FAULTS } from './kernel/faults.js';
import { stationId, type EvseNumber, type StationId } from './kernel/ids.js';
import type { AdapterContext, StationDriver } from './ports/station.js';
import type { CommandOutcome, StationCommand } from './site/station-command.js';
import type { Station } from './site/topology.js';

/** One OCPP station in whichever version its charger speaks today: a firmware update may change it. */
export class OcppStation implements StationDriver {
  readonly #drivers = new Map<OcppVersion, OcppStationDriver>();
  #active: OcppStationDriver | undefined;
  #connection: OcppConnection | undefined;

  constructor(
    readonly station: Station,
    readonly open: (version: OcppVersion) => OcppStationDriver,
  ) {}

  accept(version: OcppVersion, connection: OcppConnection): OcppStationDriver {
    const driver = this.#drivers.get(version) ?? this.open(version);
    this.#drivers.set(version, driver);
    if (this.#active !== driver) this.#active?.detach('speaks another version now');
    this.#active = driver;
    this.#connection = connection;
    driver.attach(connection);
    return driver;
  }

  /** The socket of an earlier connection must not take down the one that replaced it. */
  closed(connection: OcppConnection, reason: string): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.#active?.detach(reason);
  }

  execute(command: StationCommand): Promise<CommandOutcome> {
    return this.#active?.execute(command) ?? Promise.resolve({ status: 'Offline' });
  }

  /** Told on the connection that is there, or by the set-up of the next. */
  async fallbackChanged(evses: readonly EvseNumber[]): Promise<void> {
    await this.#active?.fallbackChanged(evses);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#drivers.values()].map((driver) => driver.stop()));
  }
}

/** Who hears of what goes on at the door. */
export interface DoorHost {
  securityEvent(event: string, station: string, detail: string): void;
  /** An OCPP charger that site.yaml does not list wanted in. */
  unknownStation(identity: string, remoteAddress: string): void;
  /** Sees every frame of a station, tokens and all. */
  traced(station: string, direction: 'in' | 'out', text: string): void;
}

/**
 * The door of the chargers.
 * @param stations as site.yaml lists them at the moment of each knock
 */
export function ocppServer(
  tls: { readonly certificate: string; readonly key: string } | undefined,
  stations: ReadonlyMap<StationId, OcppStation>,
  host: DoorHost,
  { clock, log }: AdapterContext,
): OcppServer<OcppStation> {
  return new OcppServer<OcppStation>({
    clock,
    log,
    admit: (request) => admit(request, stations, host, log),
    accepted: ({ station, version, connection, identity, remoteAddress }: Accepted<OcppStation>) => {
      log.info({ station: identity, version, remoteAddress }, 'station connected');
      const driver = station.accept(version, connection);
      return {
        handler: driver.handler,
        closed: (code, reason) => station.closed(connection, `${code} ${reason}`.trim()),
      };
    },
    trace: (identity) => (direction, text) => host.traced(identity, direction, text),
    securityEvent: (event) => host.securityEvent(event.type, event.identity, event.remoteAddress),
    ...(tls && { tls: { cert: tls.certificate, key: tls.key } }),
  });
}

/** The allow-list is site.yaml: an unknown identity is 404, a wrong password 401 (aggregation section 5). */
function admit(
  { identity, credentials, remoteAddress }: AdmissionRequest,
  stations: ReadonlyMap<StationId, OcppStation>,
  host: DoorHost,
  log: AdapterContext['log'],
): Admission<OcppStation> {
  const station = stations.get(stationId(identity));
  if (station === undefined || station.station.link.kind !== 'ocpp') {
    log.warn({ station: identity, remoteAddress, fault: FAULTS.unknownStation.code }, 'unknown station refused');
    host.unknownStation(identity, remoteAddress);
    return { ok: false, status: 404 };
  }
  const { link } = station.station;
  const proven = link.securityProfile > 0;
  if (proven && (link.password === undefined || !credentialsMatch(credentials, identity, link.password))) {
    log.warn({ station: identity, remoteAddress, fault: FAULTS.wrongPassword.code }, 'wrong password refused');
    return { ok: false, status: 401 };
  }
  return { ok: true, station, proven, ...(link.assumeProtocol && { assumeProtocol: link.assumeProtocol }) };
}
