// One OCPP 1.6 charger as the parts of its driver share it.
import type { ChargerLink } from '../ocpp-j/charger-link.js';
import type { Payload } from '../ocpp-j/contract.js';
import type { LimitWriter } from '../ocpp-j/limit-writer.js';
import type { StationReports } from '../ocpp-j/station-reports.js';
import type { Clock } from '../../gateway/kernel/clock.js';
import type { Log } from '../../gateway/kernel/log.js';
import type { Volt } from '../../gateway/kernel/units.js';
import type { Capabilities } from '../../gateway/site/capabilities.js';
import type { CommandOutcome } from '../../gateway/site/station-command.js';
import type { Station } from '../../gateway/site/topology.js';
import type { ConnectorNumbers } from './connectors.js';
import type { ChargerMemory } from './memory.js';

export interface Ocpp16Settings {
  /** Phase to neutral, for chargers that take watts only. */
  readonly nominalVoltage: Volt;
  /** Seconds. */
  readonly heartbeatInterval: number;
  /** Seconds between two samples while charging. */
  readonly meterInterval: number;
}

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
  /** EVSEs whose fail-safe profile was accepted. */
  readonly protectedEvses: Set<number>;
}

export interface Charger {
  readonly station: Station;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: Ocpp16Settings;
  readonly link: ChargerLink;
  readonly reports: StationReports;
  readonly connectors: ConnectorNumbers;
  readonly memory: ChargerMemory;
  learned: Learned;
  capabilities: Capabilities;
}

/** The capabilities with what is known by now; `fallback` follows from the profiles that are in force. */
const capabilitiesNow = (charger: Charger, change: Partial<Capabilities>): Capabilities => ({
  ...charger.capabilities,
  ...change,
  ...(charger.learned.limits.unsupported && { currentLimit: false }),
  fallback: charger.station.evses.every(
    (evse) => charger.learned.protectedEvses.has(evse.number) && !charger.learned.limits.isRaised(evse),
  ),
});

/** Reports what the charger can do, after set-up in any case: from then on a limit that is set stays. */
export function announce(charger: Charger, change: Partial<Capabilities> = {}): void {
  charger.capabilities = capabilitiesNow(charger, change);
  charger.reports.tell({ type: 'capabilities', station: charger.station.id, capabilities: charger.capabilities });
}

/** Reports the capabilities where a command has changed them. */
export function announceChange(charger: Charger): void {
  const now = capabilitiesNow(charger, {});
  if (now.fallback !== charger.capabilities.fallback || now.currentLimit !== charger.capabilities.currentLimit)
    announce(charger);
}
