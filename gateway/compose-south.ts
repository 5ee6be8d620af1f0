// Puts the stations and meters of site.yaml behind their adapters: one OCPP server, one Modbus link an address.
import { openContact, readLineFile, readModbus } from '../adapters/contact/driver.js';
import { openModbusMeter } from '../adapters/meter-modbus/driver.js';
import { openModbusLinks } from '../adapters/modbus/open-links.js';
import type { TokenAliases } from '../adapters/ocpp-j/token-alias.js';
import { openOcpp16Station } from '../adapters/station-ocpp16/driver.js';
import { openOcpp201Station } from '../adapters/station-ocpp201/driver.js';
import { DEFAULT_STATION_SETTINGS } from '../adapters/station-modbus/contract.js';
import { openModbusStation } from '../adapters/station-modbus/driver.js';
import { chargerProfile, meterProfile, type DeviceShelf } from '../site-config/devices/shelf.js';
import { OcppStation, ocppServer, type DoorHost } from './compose-chargers.js';
import type { MeterId, StationId } from './kernel/ids.js';
import type { ContactDriver, ContactHost } from './ports/contact.js';
import type { AdapterContext, MeterDriver, MeterHost, StationDriver, StationHost } from './ports/station.js';
import { entryInForce } from './site/in-force.js';
import type { MeterReading } from './site/metering.js';
import { reconnects } from './site/site-change.js';
import type {
  Contact,
  ContactInput,
  Meter,
  ModbusConnection,
  ModbusStationLink,
  Site,
  Station,
} from './site/topology.js';
import type { Transaction } from './site/transaction.js';

/** Seconds between two samples of a charger: the balancing lives on them, CSMSs get what their own settings ask for. */
const METER_INTERVAL = 10;
/** Seconds; the link itself is watched by pings. */
const HEARTBEAT_INTERVAL = 300;

export interface SouthHost extends DoorHost {
  readonly stations: StationHost;
  readonly meters: MeterHost;
  readonly contacts: ContactHost;
  /** What a station that cannot remember has to be told of its open transactions. */
  openTransactions(station: StationId): readonly Transaction[];
}

export interface South {
  /** Opens the doors: nothing is reported before. @returns the port chargers connect to, where the site has an OCPP listener */
  start(): Promise<number | undefined>;
  /**
   * The site is another one: closes what it no longer has, opens what it has new, and leaves everything else as it is.
   * Devices that cannot be reached are no error: they are tried again, as after a start.
   */
  reconfigured(): Promise<void>;
  stop(): Promise<void>;
}

/** Something that is open for one entry of site.yaml. */
interface Open<Entry, Driver> {
  readonly entry: Entry;
  readonly driver: Driver;
}

/**
 * @param site as it is in force
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
  const ocpp = new Map<StationId, OcppStation>();
  /** As site.yaml describes each that is open. */
  const stations = new Map<StationId, Station>();
  const meters = new Map<MeterId, Open<Meter, MeterDriver>>();
  const contacts = new Map<string, Open<Contact, ContactDriver>>();
  const links = openModbusLinks(context);
  const settings = {
    nominalVoltage: site.nominalVoltage,
    heartbeatInterval: HEARTBEAT_INTERVAL,
    meterInterval: METER_INTERVAL,
    aliases,
    get offlineTxForUnknownId() {
      return site.authorization.offline !== 'known-only';
    },
    get localList() {
      return site.authorization.listsInChargers;
    },
  };

  const openOcpp = (described: Station): void => {
    const station = entryInForce(described, () => site.stations);
    const driver = new OcppStation(station, (version) =>
      version === 'ocpp1.6'
        ? openOcpp16Station(station, host.stations, context, settings)
        : openOcpp201Station(station, host.stations, context, settings),
    );
    stations.set(station.id, described);
    ocpp.set(station.id, driver);
    drivers.set(station.id, driver);
  };
  for (const station of site.stations) if (station.link.kind === 'ocpp') openOcpp(station);

  const openModbus = (station: Station, { device, connection }: ModbusStationLink): void => {
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
    stations.set(station.id, station);
    drivers.set(station.id, driver);
  };

  const openStations = (): void => {
    for (const station of site.stations) {
      if (stations.has(station.id)) continue;
      if (station.link.kind === 'ocpp') openOcpp(station);
      else openModbus(station, station.link);
    }
  };

  /** What has changed is told on the connection that is there, or is of no interest to the charger. */
  const tell = (before: Station, after: Station): void => {
    stations.set(after.id, after);
    const current = new Map(before.evses.map(({ number, fallbackCurrent }) => [number, fallbackCurrent]));
    const changed = after.evses.filter(({ number, fallbackCurrent }) => current.get(number) !== fallbackCurrent);
    if (changed.length === 0) return;
    ocpp
      .get(after.id)
      ?.fallbackChanged(changed.map(({ number }) => number))
      .catch((err: unknown) => context.log.error({ err, station: after.id }, 'the fallback current could not be told'));
  };

  /** @param after what takes its place at once: a charger that is let go calls again, and must not find itself unknown */
  const closeStation = async (id: StationId, after?: Station): Promise<void> => {
    const driver = drivers.get(id);
    for (const map of [stations, ocpp, drivers]) map.delete(id);
    if (after?.link.kind === 'ocpp') openOcpp(after);
    await driver?.stop();
  };

  const meterOf = (id: MeterId): Meter | undefined => site.meters.find((each) => each.id === id);
  const openMeters = (): void => {
    for (const meter of site.meters) {
      if (meters.has(meter.id)) continue;
      const profile = meterProfile(devices, meter.device);
      // The last reading of a meter that has just been replaced is none of the new one.
      const reading = (read: MeterReading): void => {
        if (meterOf(meter.id) === meter) host.meters.reading(read);
      };
      const driver = openModbusMeter(meter, profile, links.to(meter.connection, profile), { reading }, context);
      meters.set(meter.id, { entry: meter, driver });
    }
  };

  const readerOf = (input: ContactInput) => {
    if (input.kind === 'file') return readLineFile(input.path);
    return readModbus(input, links.to(input.connection));
  };
  const openContacts = (): void => {
    for (const contact of contactsOf(site)) {
      const key = JSON.stringify(contact);
      if (!contacts.has(key))
        contacts.set(key, {
          entry: contact,
          driver: openContact(contact, readerOf(contact.input), host.contacts, context),
        });
    }
  };

  /** The Modbus addresses of everything that is open. */
  const inUse = (): readonly ModbusConnection[] => [
    ...[...stations.values()].flatMap(({ link }) => (link.kind === 'modbus' ? [link.connection] : [])),
    ...[...meters.values()].map(({ entry }) => entry.connection),
    ...[...contacts.values()].flatMap(({ entry: { input } }) => (input.kind === 'modbus' ? [input.connection] : [])),
  ];

  const server = site.listen.ocpp === undefined ? undefined : ocppServer(site.listen.ocpp.tls, ocpp, host, context);

  return {
    async start() {
      openStations();
      openMeters();
      openContacts();
      if (server === undefined || site.listen.ocpp === undefined) return undefined;
      return (await server.listen(site.listen.ocpp.port, site.listen.ocpp.host)).port;
    },
    async reconfigured() {
      const closing: Promise<void>[] = [];
      for (const [id, before] of stations) {
        const after = site.stations.find((each) => each.id === id);
        if (after === before) continue;
        if (after !== undefined && !reconnects(before, after)) tell(before, after);
        else closing.push(closeStation(id, after));
      }
      for (const [id, { entry, driver }] of meters) {
        if (meterOf(id) === entry) continue;
        meters.delete(id);
        closing.push(driver.stop());
      }
      const wanted = new Set(contactsOf(site).map((each) => JSON.stringify(each)));
      for (const [key, { driver }] of contacts) {
        if (wanted.has(key)) continue;
        contacts.delete(key);
        closing.push(driver.stop());
      }
      // Two drivers would speak to one device, and a line would keep its former settings.
      await Promise.all(closing);
      await links.keepOnly(inUse());
      openStations();
      openMeters();
      openContacts();
    },
    async stop() {
      // The door first: a charger that is let go dials again at once, and nobody would be there to serve it.
      const closed = server?.close();
      await Promise.all([...meters.values(), ...contacts.values()].map(({ driver }) => driver.stop()));
      await Promise.all([...drivers.values()].map((driver) => driver.stop()));
      await closed;
      await links.stop();
    },
  };
}

const contactsOf = ({ balancing }: Site): readonly Contact[] => balancing.gridOperatorLimit?.contacts ?? [];
