// The driver of one OCPP 1.6 charger: lives as long as the site does, while its connections come and go.
import { AnnouncedCapabilities } from '../ocpp-j/announced-capabilities.js';
import { ChargerLink } from '../ocpp-j/charger-link.js';
import { FallbackProfiles } from '../ocpp-j/fallback-profiles.js';
import { LimitWriter } from '../ocpp-j/limit-writer.js';
import { stationDriver, type OcppStationDriver, type OcppStationSettings } from '../ocpp-j/station-driver.js';
import type { TokenAliases } from '../ocpp-j/token-alias.js';
import { StationReports } from '../ocpp-j/station-reports.js';
import type { AdapterContext, StationHost } from '../../gateway/ports/station.js';
import type { Capabilities } from '../../gateway/site/capabilities.js';
import type { Station } from '../../gateway/site/topology.js';
import type { Charger, Learned } from './charger.js';
import { Commands } from './commands.js';
import { ConnectorNumbers } from './connectors.js';
import { ChargerMemory } from './memory.js';
import { messages } from './messages.js';
import { profileCalls } from './profiles.js';
import { SetUp } from './setup.js';

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
  const link = new ChargerLink(clock, (attachment) => new SetUp(charger, fallbacks, attachment).run());
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
  const fallbacks = new FallbackProfiles(charger, (attachment, options) => profileCalls(attachment, options, charger));
  const commands = new Commands(charger);

  return stationDriver({
    station,
    link,
    reports,
    capabilities: charger.capabilities,
    handlers: messages(charger, (evses) => fallbacks.lower(evses)),
    execute: (command) => commands.execute(command),
    fallbacks,
    forget: () => {
      charger.learned = learnedNothing(station);
    },
  });
}
