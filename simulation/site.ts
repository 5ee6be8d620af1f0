// A whole site, simulated around a gateway: chargers, cars, meters and clouds on real sockets, for any site.yaml.
import type { OcppVersion } from '../adapters/ocpp-j/contract.js';
import type { Clock } from '../gateway/kernel/clock.js';
import type { CircuitId, CsmsId, EvseNumber, StationId } from '../gateway/kernel/ids.js';
import type { Log } from '../gateway/kernel/log.js';
import type { Csms, Evse, OcppStationLink, Site, Station } from '../gateway/site/topology.js';
import type { Load } from './building-load.js';
import { speakOcpp16 } from './charger-ocpp16.js';
import { speakOcpp201 } from './charger-ocpp201.js';
import { connectCharger, type ChargerLine } from './charger-connection.js';
import { SimulatedCharger } from './charger.js';
import { startCsmsServer, type CsmsServer } from './csms-server.js';
import { startSlaves, type Slaves } from './slaves.js';
import { World } from './world.js';

export interface SimulationOptions {
  /** Building load by circuit. */
  readonly loads?: ReadonlyMap<CircuitId, Load>;
  /** What an OCPP charger speaks; absent: 1.6, or what the site assumes of it. */
  readonly version?: (station: Station) => OcppVersion | undefined;
  /** Tokens that a cloud accepts; absent: all. */
  readonly knownTokens?: (csms: Csms) => readonly string[] | undefined;
}

export interface SimulatedOcppStation {
  readonly station: Station;
  readonly version: OcppVersion;
  readonly charger: SimulatedCharger;
}

/** Between two samples of a charger, in seconds, until the gateway says otherwise. */
const SAMPLE_INTERVAL = 10;
/** Seconds in which an identified driver has to plug in. */
const CONNECTION_TIMEOUT = 60;

export class SimulatedSite {
  readonly ocppStations: ReadonlyMap<StationId, SimulatedOcppStation>;
  readonly #lines = new Map<StationId, ChargerLine>();

  private constructor(
    /** The site as the gateway is to be started with: the same one, with every address in this process. */
    readonly site: Site,
    readonly world: World,
    readonly slaves: Slaves,
    readonly csms: ReadonlyMap<CsmsId, CsmsServer>,
    private readonly clock: Clock,
    private readonly log: Log,
    versionOf: (station: Station) => OcppVersion | undefined,
  ) {
    this.ocppStations = new Map(
      site.stations.flatMap((station): [StationId, SimulatedOcppStation][] => {
        if (station.link.kind !== 'ocpp') return [];
        const version = versionOf(station) ?? station.link.assumeProtocol ?? 'ocpp1.6';
        return [[station.id, { station, version, charger: newCharger(station, version, world, clock) }]];
      }),
    );
  }

  /** Opens clouds and slaves; chargers dial in with `connect`. */
  static async start(site: Site, clock: Clock, log: Log, options: SimulationOptions = {}): Promise<SimulatedSite> {
    // Registers of used chargers, none like another: a mixed-up register shows.
    const begins = (evse: Evse): number => 100_000 + evse.number * 11_111;
    const world = new World(site, clock, options.loads ?? new Map(), begins);
    const slaves = await startSlaves(world, clock);
    const csms = new Map<CsmsId, CsmsServer>();
    for (const each of site.csms) {
      const version = each.ocpp === '1.6' ? 'ocpp1.6' : 'ocpp2.0.1';
      const knownTokens = options.knownTokens?.(each);
      csms.set(
        each.id,
        await startCsmsServer({ name: each.id, version, clock, log, ...(knownTokens && { knownTokens }) }),
      );
    }
    const moved: Site = {
      ...slaves.relocated(site),
      csms: site.csms.map((each) => ({ ...each, securityProfile: 0, url: csms.get(each.id)?.url ?? each.url })),
    };
    world.start();
    return new SimulatedSite(moved, world, slaves, csms, clock, log, options.version ?? (() => undefined));
  }

  /** Chargers dial the gateway on this port. */
  connect(ocppPort: number): void {
    for (const [id, { station, version, charger }] of this.ocppStations) {
      const { password } = station.link as OcppStationLink;
      this.#lines.set(
        id,
        connectCharger(charger, {
          url: `ws://127.0.0.1:${ocppPort}`,
          version,
          clock: this.clock,
          log: this.log,
          ...(password !== undefined && { password }),
        }),
      );
    }
  }

  /** The OCPP charger that an EVSE belongs to; undefined where it speaks Modbus. */
  chargerOf(number: EvseNumber): SimulatedCharger | undefined {
    return this.ocppStations.get(this.world.evse(number).evse.station)?.charger;
  }

  protocolOf(number: EvseNumber): OcppVersion | 'modbus' {
    return this.ocppStations.get(this.world.evse(number).evse.station)?.version ?? 'modbus';
  }

  /** Breaks a charger's connection; an OCPP charger dials again, a Modbus one is asked again. */
  cut(station: StationId): void {
    this.#lines.get(station)?.cut();
    this.slaves.slaveOf(station)?.disconnect();
  }

  /** An OCPP charger hangs up and does not dial again; its cars go on with what it last let them have. */
  silence(station: StationId): void {
    this.#lines.get(station)?.stop();
  }

  async stop(): Promise<void> {
    this.world.stop();
    for (const line of this.#lines.values()) line.stop();
    await Promise.all([...this.csms.values()].map((server) => server.stop()));
    await this.slaves.stop();
  }
}

function newCharger(station: Station, version: OcppVersion, world: World, clock: Clock): SimulatedCharger {
  const charger = new SimulatedCharger({
    id: station.id,
    evses: station.evses.map((evse) => world.evse(evse.number).hardware),
    clock,
    sampleInterval: SAMPLE_INTERVAL,
    connectionTimeout: CONNECTION_TIMEOUT,
  });
  charger.speak(version === 'ocpp1.6' ? speakOcpp16(charger) : speakOcpp201(charger));
  return charger;
}
