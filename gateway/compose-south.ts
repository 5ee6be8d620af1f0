// Puts the stations and meters of site.yaml behind their adapters: one OCPP server, one Modbus link an address.
import { openContact, readLineFile, readModbus } from '../adapters/contact/driver.js';
import { openModbusMeter } from '../adapters/meter-modbus/driver.js';
import { openModbusLinks } from '../adapters/modbus/open-links.js';
import type { OcppConnection, OcppVersion } from '../adapters/ocpp-j/contract.js';
import type { TokenAliases } from '../adapters/ocpp-j/token-alias.js';
import { credentialsMatch } from '../adapters/ocpp-j/credentials.js';
import { OcppServer, type Accepted, type Admission, type AdmissionRequest } from '../adapters/ocpp-j/server.js';
import { openOcpp16Station, type OcppStationDriver } from '../adapters/station-ocpp16/driver.js';
import { openOcpp201Station } from '../adapters/station-ocpp201/driver.js';
import { DEFAULT_STATION_SETTINGS } from '../adapters/station-modbus/contract.js';
import { openModbusStation } from '../adapters/station-modbus/driver.js';
import { chargerProfile, meterProfile, type DeviceShelf } from '../site-config/devices/shelf.js';
import { FAULTS } from './kernel/faults.js';
import { stationId, type StationId } from './kernel/ids.js';
import type { ContactDriver, ContactHost } from './ports/contact.js';
import type { AdapterContext, MeterDriver, MeterHost, StationDriver, StationHost } from './ports/station.js';
import type { CommandOutcome, StationCommand } from './site/station-command.js';
import type { ContactInput, ModbusStationLink, Site, Station } from './site/topology.js';
import type { Transaction } from './site/transaction.js';

/** Seconds between two samples of a charger: the balancing lives on them, CSMSs get what their own settings ask for. */
const METER_INTERVAL = 10;
/** Seconds; the link itself is watched by pings. */
const HEARTBEAT_INTERVAL = 300;

/** One OCPP station in whichever version its charger speaks today: a firmware update may change it. */
class OcppStation implements StationDriver {
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

  async stop(): Promise<void> {
    await Promise.all([...this.#drivers.values()].map((driver) => driver.stop()));
  }
}

export interface SouthHost {
  readonly stations: StationHost;
  readonly meters: MeterHost;
  readonly contacts: ContactHost;
  /** What a station that cannot remember has to be told of its open transactions. */
  openTransactions(station: StationId): readonly Transaction[];
  securityEvent(event: string, station: string, detail: string): void;
  /** Sees every frame of a station, tokens and all. */
  traced(station: string, direction: 'in' | 'out', text: string): void;
}

export interface South {
  /** Opens the doors: nothing is reported before. @returns the port chargers connect to, where the site has an OCPP listener */
  start(): Promise<number | undefined>;
  stop(): Promise<void>;
}

/**
 * @param drivers filled with one driver a station: OCPP ones at once, Modbus ones at the start
 * @param aliases of the tokens that are too long for 1.6 chargers
 */
export function composeSouth(
  site: Site,
  devices: DeviceShelf,
  host: SouthHost,
  context: AdapterContext,
  drivers: Map<StationId, StationDriver>,
  aliases: TokenAliases,
): South {
  const ocpp = new Map<string, OcppStation>();
  const meters: MeterDriver[] = [];
  const contacts: ContactDriver[] = [];
  const links = openModbusLinks(context);

  for (const station of site.stations) {
    if (station.link.kind === 'modbus') continue;
    const driver = new OcppStation(station, (version) => {
      const settings = {
        nominalVoltage: site.nominalVoltage,
        heartbeatInterval: HEARTBEAT_INTERVAL,
        meterInterval: METER_INTERVAL,
        offlineTxForUnknownId: site.authorization.offline !== 'known-only',
        localList: site.authorization.listsInChargers,
      };
      return version === 'ocpp1.6'
        ? openOcpp16Station(station, host.stations, context, { ...settings, aliases })
        : openOcpp201Station(station, host.stations, context, settings);
    });
    ocpp.set(station.id, driver);
    drivers.set(station.id, driver);
  }

  const openStation = (station: Station, { device, connection }: ModbusStationLink): StationDriver => {
    const profile = chargerProfile(devices, device);
    const settings = { ...DEFAULT_STATION_SETTINGS, nominalVoltage: site.nominalVoltage };
    const link = links.to(connection, profile);
    const driver = openModbusStation(station, profile, link, host.stations, context, settings);
    driver.resume(
      host.openTransactions(station.id).map(({ evse, stationTransactionId, idToken, meterStart, register }) => ({
        evse,
        stationTransactionId,
        idToken: idToken ?? { idToken: '', type: 'NoAuthorization' },
        ...((register ?? meterStart) !== undefined && { meterStart: register ?? meterStart }),
      })),
    );
    return driver;
  };

  const readerOf = (input: ContactInput) => {
    if (input.kind === 'file') return readLineFile(input.path);
    return readModbus(input, links.to(input.connection));
  };

  const server = site.listen.ocpp === undefined ? undefined : ocppServer(site, ocpp, host, context);

  return {
    async start() {
      for (const station of site.stations) {
        if (station.link.kind === 'modbus') drivers.set(station.id, openStation(station, station.link));
      }
      for (const meter of site.meters) {
        const profile = meterProfile(devices, meter.device);
        meters.push(openModbusMeter(meter, profile, links.to(meter.connection, profile), host.meters, context));
      }
      for (const contact of site.balancing.gridOperatorLimit?.contacts ?? []) {
        const read = readerOf(contact.input);
        contacts.push(openContact(contact, read, host.contacts, context));
      }
      if (server === undefined || site.listen.ocpp === undefined) return undefined;
      return (await server.listen(site.listen.ocpp.port, site.listen.ocpp.host)).port;
    },
    async stop() {
      // The door first: a charger that is let go dials again at once, and nobody would be there to serve it.
      const closed = server?.close();
      await Promise.all([...meters, ...contacts].map((each) => each.stop()));
      await Promise.all([...drivers.values()].map((driver) => driver.stop()));
      await closed;
      await links.stop();
    },
  };
}

function ocppServer(
  site: Site,
  stations: ReadonlyMap<string, OcppStation>,
  host: SouthHost,
  { clock, log }: AdapterContext,
): OcppServer<OcppStation> {
  const tls = site.listen.ocpp?.tls;
  return new OcppServer<OcppStation>({
    clock,
    log,
    admit: (request) => admit(request, stations, log),
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
  stations: ReadonlyMap<string, OcppStation>,
  log: AdapterContext['log'],
): Admission<OcppStation> {
  const station = stations.get(stationId(identity));
  if (station === undefined || station.station.link.kind !== 'ocpp') {
    log.warn({ station: identity, remoteAddress, fault: FAULTS.unknownStation.code }, 'unknown station refused');
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
