// The driver of one OCPP 1.6 charger: lives as long as the site does, while its connections come and go.
import { AnnouncedCapabilities } from '../ocpp-j/announced-capabilities.js';
import { ChargerLink, COMMAND_TIME, type Attachment } from '../ocpp-j/charger-link.js';
import { LimitWriter } from '../ocpp-j/limit-writer.js';
import { stationDriver, type OcppStationDriver, type OcppStationSettings } from '../ocpp-j/station-driver.js';
import type { TokenAliases } from '../ocpp-j/token-alias.js';
import { StationReports } from '../ocpp-j/station-reports.js';
import type { EvseNumber } from '../../gateway/kernel/ids.js';
import type { AdapterContext, StationHost } from '../../gateway/ports/station.js';
import type { Capabilities } from '../../gateway/site/capabilities.js';
import type { Station } from '../../gateway/site/topology.js';
import type { Charger, Learned } from './charger.js';
import { Commands } from './commands.js';
import { ConnectorNumbers } from './connectors.js';
import { ChargerMemory } from './memory.js';
import { messages } from './messages.js';
import { installFallback, SetUp } from './setup.js';

export type { OcppStationDriver } from '../ocpp-j/station-driver.js';

/** What the Core profile promises; the rest is learned from the charger's configuration. */
const CORE: Capabilities = {
  protocol: 'ocpp1.6',
  currentLimit: true,
  fallback: false,
  reservation: false,
  remoteStart: true,
  unlock: true,
  localList: false,
  phaseSwitching: false,
  trigger: false,
  reader: true,
};

const learnedNothing = (station: Station): Learned => ({
  limits: new LimitWriter(station.evses.length === 1),
  statusSeen: new Set(),
  booted: false,
  listChunk: 20,
});

/**
 * One charger that speaks OCPP 1.6, not connected yet.
 * @param settings voltage in V; intervals in seconds; where the aliases of long tokens are kept
 */
export function openOcpp16Station(
  station: Station,
  host: StationHost,
  context: AdapterContext,
  settings: OcppStationSettings & { readonly aliases: TokenAliases },
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
    connectors: new ConnectorNumbers(station),
    memory: new ChargerMemory(clock, settings.aliases),
    learned: learnedNothing(station),
    inventory: undefined,
    capabilities: new AnnouncedCapabilities(station, reports, CORE),
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
