// One OCPP 2.0.1 charging station as the parts of its driver share it.
import type { AnnouncedCapabilities } from '../ocpp-j/announced-capabilities.js';
import type { ChargerLink } from '../ocpp-j/charger-link.js';
import type { LimitWriter } from '../ocpp-j/limit-writer.js';
import type { OcppStationSettings } from '../ocpp-j/station-driver.js';
import type { StationReports } from '../ocpp-j/station-reports.js';
import type { Clock } from '../../gateway/kernel/clock.js';
import type { Log } from '../../gateway/kernel/log.js';
import type { Inventory } from '../../gateway/site/station-event.js';
import type { Station } from '../../gateway/site/topology.js';
import type { Places } from './places.js';

/** What the present connection has taught; begun anew with each. */
export interface Learned {
  readonly limits: LimitWriter;
  booted: boolean;
  /** A connector's status has come by itself. */
  statusSeen: boolean;
  /** It is told which phase, where it is to use only one. */
  choosesPhase: boolean;
  /** Entries that the station takes in one SendLocalList. */
  listChunk: number;
}

export interface Charger {
  readonly station: Station;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: OcppStationSettings;
  readonly link: ChargerLink;
  readonly reports: StationReports;
  readonly places: Places;
  readonly capabilities: AnnouncedCapabilities;
  learned: Learned;
  /** As it introduced itself last, on whichever connection. */
  inventory: Inventory | undefined;
}
