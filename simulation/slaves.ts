// All Modbus devices of a site as TCP slaves, whatever they are reached by: those that share an address in site.yaml share a port here.
import { chargerProfile, meterProfile, openShelf, type DeviceShelf } from '../site-config/devices/shelf.js';
import type { Clock } from '../gateway/kernel/clock.js';
import type { MeterId, StationId } from '../gateway/kernel/ids.js';
import { milliseconds } from '../gateway/kernel/units.js';
import type { Meter, ModbusConnection, Site, Station } from '../gateway/site/topology.js';
import { ModbusCharger } from './modbus-charger.js';
import { ModbusMeter } from './modbus-meter.js';
import { startModbusSlave, type ModbusSlave } from './modbus-slave.js';
import type { Units } from './register-map.js';
import type { World } from './world.js';

export interface Slaves {
  /** The same site with every Modbus device at its simulated address. */
  relocated(site: Site): Site;
  /** The port behind which a station or meter answers, to break its connection. */
  slaveOf(device: StationId | MeterId): ModbusSlave | undefined;
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';
/** Meters are not new when a site is looked at. */
const METER_BEGINS = 4_200_000;

/** Serial buses are simulated as a TCP port each. */
const busOf = (connection: ModbusConnection): string =>
  connection.kind === 'serial' ? connection.path : `${connection.host}:${connection.port}`;

/**
 * @param asWritten every network device at the address and port of site.yaml, which then are loopback ones
 * @throws Error where site.yaml names a device without a profile
 */
export async function startSlaves(world: World, clock: Clock, asWritten = false): Promise<Slaves> {
  const { site } = world;
  const shelf = openShelf();
  const buses = new Map<string, Units>();
  const unitsOf = (connection: ModbusConnection): Units => {
    const key = busOf(connection);
    const units = buses.get(key) ?? (new Map() as Units);
    buses.set(key, units);
    return units;
  };
  for (const station of site.stations) putStation(station, shelf, world, unitsOf, clock);
  for (const meter of site.meters) putMeter(meter, shelf, world, unitsOf(meter.connection));

  const slaves = new Map<string, ModbusSlave>();
  for (const [key, units] of buses) {
    const [host = HOST, port] = key.split(':');
    const where = asWritten && port !== undefined ? { host, port: Number(port) } : { host: HOST };
    slaves.set(key, await startModbusSlave({ units, ...where }));
  }
  const slaveAt = (connection: ModbusConnection): ModbusSlave | undefined => slaves.get(busOf(connection));
  const moved = (connection: ModbusConnection): ModbusConnection => ({
    kind: 'tcp',
    host: HOST,
    port: slaveAt(connection)?.port ?? 0,
  });

  return {
    relocated: (from) => ({
      ...from,
      meters: from.meters.map((meter) => ({ ...meter, connection: moved(meter.connection) })),
      stations: from.stations.map((station) =>
        station.link.kind === 'modbus'
          ? { ...station, link: { ...station.link, connection: moved(station.link.connection) } }
          : station,
      ),
    }),
    slaveOf(device) {
      const meter = site.meters.find(({ id }) => id === device);
      const link = site.stations.find(({ id }) => id === device)?.link;
      const connection = meter?.connection ?? (link?.kind === 'modbus' ? link.connection : undefined);
      return connection && slaveAt(connection);
    },
    stop: async () => void (await Promise.all([...slaves.values()].map((slave) => slave.stop()))),
  };
}

function putStation(
  station: Station,
  shelf: DeviceShelf,
  world: World,
  unitsOf: (connection: ModbusConnection) => Units,
  clock: Clock,
): void {
  const { link } = station;
  if (link.kind !== 'modbus') return;
  const profile = chargerProfile(shelf, link.device);
  for (const evse of station.evses) {
    const { hardware } = world.evse(evse.number);
    const charger = new ModbusCharger(profile, evse, hardware, unitsOf(link.connection), link.unit, clock);
    hardware.onChange(() => charger.show());
    world.onStep(() => charger.show());
  }
}

function putMeter(meter: Meter, shelf: DeviceShelf, world: World, units: Units): void {
  const profile = meterProfile(shelf, meter.device);
  const simulated = new ModbusMeter(profile, units, meter, world.site.nominalVoltage, METER_BEGINS);
  const show = (elapsed: number): void => {
    const state = world.circuits().find(({ circuit }) => circuit.meter === meter.id);
    if (state !== undefined) simulated.show(state.current, milliseconds(elapsed));
  };
  show(0);
  world.onStep(show);
}
