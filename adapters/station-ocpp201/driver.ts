// The driver of one OCPP 2.0.1 station: lives as long as the site does, while its connections come and go.
import { AnnouncedCapabilities } from '../ocpp-j/announced-capabilities.js';
import { ChargerLink } from '../ocpp-j/charger-link.js';
import { FallbackProfiles } from '../ocpp-j/fallback-profiles.js';
import { LimitWriter } from '../ocpp-j/limit-writer.js';
import { stationDriver, type OcppStationDriver, type OcppStationSettings } from '../ocpp-j/station-driver.js';
import { StationReports } from '../ocpp-j/station-reports.js';
import type { AdapterContext, StationHost } from '../../gateway/ports/station.js';
import type { Capabilities } from '../../gateway/site/capabilities.js';
import type { Station } from '../../gateway/site/topology.js';
import type { Charger, Learned } from './charger.js';
import { Commands } from './commands.js';
import { messages } from './messages.js';
import { Places } from './places.js';
import { profileCalls } from './profiles.js';
import { SetUp } from './setup.js';

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
  const link = new ChargerLink(clock, (attachment) => new SetUp(charger, fallbacks, attachment).run());
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
