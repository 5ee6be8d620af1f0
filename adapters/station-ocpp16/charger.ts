// One OCPP 1.6 charger as the parts of its driver share it.
import type { AnnouncedCapabilities } from '../ocpp-j/announced-capabilities.js';
import type { ChargerLink } from '../ocpp-j/charger-link.js';
import type { Payload } from '../ocpp-j/contract.js';
import type { LimitWriter } from '../ocpp-j/limit-writer.js';
import type { OcppStationSettings } from '../ocpp-j/station-driver.js';
import type { StationReports } from '../ocpp-j/station-reports.js';
import type { Clock } from '../../gateway/kernel/clock.js';
import type { Log } from '../../gateway/kernel/log.js';
import type { CommandOutcome } from '../../gateway/site/station-command.js';
import type { Inventory } from '../../gateway/site/station-event.js';
import type { Station } from '../../gateway/site/topology.js';
import type { ConnectorNumbers } from './connectors.js';
import type { ChargerMemory } from './memory.js';

/** One call whose answer has a status. */
export type Ask = (action: string, payload: Payload) => Promise<CommandOutcome>;

/** What the present connection has taught; begun anew with each. */
export interface Learned {
  readonly limits: LimitWriter;
  /** connectorIds whose status has come by itself. */
  readonly statusSeen: Set<number>;
  booted: boolean;
  /** Entries that the charger takes in one SendLocalList. */
  listChunk: number;
}

export interface Charger {
  readonly station: Station;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: OcppStationSettings;
  readonly link: ChargerLink;
  readonly reports: StationReports;
  readonly connectors: ConnectorNumbers;
  readonly memory: ChargerMemory;
  learned: Learned;
  /** As it introduced itself last, on whichever connection. */
  inventory: Inventory | undefined;
  readonly capabilities: AnnouncedCapabilities;
}
