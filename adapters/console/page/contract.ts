// What the gateway answers the page where its ports have no word for it: units in the names, times RFC 3339, tokens masked.
import type { CommissioningOverview } from '../../../gateway/ports/commissioning.js';
import type { SiteConfiguration, TextFinding } from '../../../gateway/ports/configuration.js';
import type { CircuitHistory, EvseHistory, SiteDrawing } from '../../../gateway/ports/console.js';
import type { Role } from '../../../gateway/ports/console-users.js';

export interface Session {
  readonly name: string;
  readonly role: Role;
  /** No user was made yet: whoever is on the gateway itself may do everything. */
  readonly setup: boolean;
}

export type DrawnCircuit = SiteDrawing['circuits'][number];
export type DrawnEvse = SiteDrawing['evses'][number];

/** Of an EVSE, which has a power, or of a circuit, which has a breaker. */
export type History = Omit<EvseHistory, 'evse' | 'power_W'> &
  Partial<Pick<EvseHistory, 'power_W'>> &
  Partial<Pick<CircuitHistory, 'breaker_A'>>;

export interface CheckedConfiguration {
  /** The warnings of the electrical review among them. */
  readonly faults: readonly TextFinding[];
}

export type ConfigurationDifference = ReturnType<SiteConfiguration['difference']>;
export type ConfigurationEffect = ConfigurationDifference['effects'][number];

export type CommissionedStation = CommissioningOverview['stations'][number];
