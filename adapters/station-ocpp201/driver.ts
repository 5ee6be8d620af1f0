// The driver of one OCPP 2.0.1 station: lives as long as the site does, while its connections come and go.
import { AnnouncedCapabilities } from '../ocpp-j/announced-capabilities.js';
import { ChargerLink, COMMAND_TIME, type Attachment } from '../ocpp-j/charger-link.js';
import { LimitWriter } from '../ocpp-j/limit-writer.js';
import { stationDriver, type OcppStationDriver, type OcppStationSettings } from '../ocpp-j/station-driver.js';
import { StationReports } from '../ocpp-j/station-reports.js';
import type { EvseNumber } from '../../gateway/kernel/ids.js';
import type { AdapterContext, StationHost } from '../../gateway/ports/station.js';
import type { Capabilities } from '../../gateway/site/capabilities.js';
import type { Station } from '../../gateway/site/topology.js';
import type { Charger, Learned } from './charger.js';
import { Commands } from './commands.js';
import { messages } from './messages.js';
import { Places } from './places.js';
import { installFallback, SetUp } from './setup.js';

export type { OcppStationDriver } from '../ocpp-j/station-driver.js';

/** What every station can; the rest is learned from its variables. */
const BASIC: Capabilities = {
  protocol: 'ocpp2.0.1',
  currentLimit: true,
  fallback: false,
  reservation: false,
  remoteStart: true,
  unlock: true,
  localList: false,
  phaseSwitching: false,
  trigger: true,
  reader: true,
};

const learnedNothing = (station: Station): Learned => ({
  limits: new LimitWriter(station.evses.length === 1),
  statusSeen: false,
  booted: false,
  choosesPhase: false,
  listChunk: 20,
});

/**
 * One station that speaks OCPP 2.0.1, not connected yet.
 * @param settings voltage in V; intervals in seconds
 */
export function openOcpp201Station(
  station: Station,
  host: StationHost,
  context: AdapterContext,
  settings: OcppStationSettings,
): OcppStationDriver {
  const { clock, log } = context;
  const reports = new StationReports(host, log, station.id);
  const link = new ChargerLink(clock, (attachment) => new SetUp(charger, attachment).run());
  const charger: Charger = {
    station,
    clock,
    log,
    settings,
    link,
    reports,
    places: new Places(station),
    learned: learnedNothing(station),
    inventory: undefined,
    capabilities: new AnnouncedCapabilities(station, reports, BASIC),
  };
  const commands = new Commands(charger);

  /** A default that had to serve a transaction goes back to the fallback current when that transaction is over. */
  function lowerDefaults(numbers: readonly EvseNumber[]): void {
    const { attachment } = link;
    if (!attachment || numbers.length === 0) return;
    installFallbacks(attachment, numbers).then(
      () => charger.capabilities.announceChange(charger.learned.limits),
      (err: unknown) => log.error({ station: station.id, err }, 'fail-safe profile could not be put back'),
    );
  }

  async function installFallbacks(attachment: Attachment, numbers: readonly EvseNumber[]): Promise<void> {
    const options = { deadline: link.deadline(COMMAND_TIME), priority: 0 };
    const evses = station.evses.filter(({ number }) => numbers.includes(number));
    await Promise.all(evses.map((evse) => installFallback(charger, attachment, evse, options)));
  }

  return stationDriver({
    station,
    link,
    reports,
    capabilities: charger.capabilities,
    handlers: messages(charger, lowerDefaults),
    execute: (command) => commands.execute(command),
    installFallbacks,
    limits: () => charger.learned.limits,
    forget: () => {
      charger.learned = learnedNothing(station);
    },
  });
}
