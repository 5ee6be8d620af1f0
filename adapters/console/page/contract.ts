// What the gateway answers the page, beyond what every reader of the console is told: units in the names, times RFC 3339, tokens masked.
import type { CircuitSummary, CsmsSummary, EvseSummary, SiteStatus } from '../../../gateway/ports/console.js';

export type Role = 'viewer' | 'electrician' | 'operator';

export interface Session {
  readonly name: string;
  readonly role: Role;
  /** No user was made yet: whoever is on the gateway itself may do everything. */
  readonly setup: boolean;
}

export interface User {
  readonly name: string;
  readonly role: Role;
  readonly createdAt: string;
  readonly lastSeenAt?: string;
}

/** The site as site.yaml draws it. */
export interface SiteDrawing {
  readonly site: string;
  readonly name: string;
  readonly timeZone: string;
  readonly nominalVoltage_V: number;
  readonly revision?: string;
  readonly circuits: readonly DrawnCircuit[];
  readonly meters: readonly { readonly meter: string; readonly device: string; readonly circuit?: string }[];
  readonly stations: readonly {
    readonly station: string;
    readonly protocol: 'ocpp' | 'modbus';
    readonly device?: string;
    readonly evses: readonly number[];
  }[];
  readonly evses: readonly DrawnEvse[];
  readonly csms: readonly { readonly csms: string; readonly role: string; readonly version: string }[];
}

export interface DrawnCircuit {
  readonly circuit: string;
  readonly fedBy?: string;
  readonly breaker_A: number;
  readonly meter?: string;
  readonly evses: readonly number[];
}

export interface DrawnEvse {
  readonly evse: number;
  readonly station: string;
  readonly circuit: string;
  readonly connectors: readonly { readonly connector: number; readonly type: string }[];
  readonly max_A: number;
  readonly phases: readonly string[];
  readonly fallback_A: number;
}

export type LiveStatus = Omit<SiteStatus, 'evses'> & { readonly evses: readonly LiveEvse[] };
export type LiveCircuit = CircuitSummary;
export type LiveCsms = CsmsSummary;

export type LiveEvse = Omit<EvseSummary, 'transaction'> & {
  /** One sentence: why it has the current it has. */
  readonly explanation?: string;
  readonly limit_A?: number;
  readonly power_W?: number;
  readonly reservation?: { readonly until: string; readonly idToken?: string };
  readonly needs?: { readonly departure?: string; readonly energy_Wh?: number };
  readonly transaction?: NonNullable<EvseSummary['transaction']> & { readonly cost?: Cost };
};

export interface Cost {
  readonly amount: number;
  readonly currency: string;
}

export type Severity = 'info' | 'warning' | 'fault';

export interface SiteEvent {
  readonly at: string;
  readonly kind: string;
  readonly severity: Severity;
  /** `evse/3`, `station/CP01`, `circuit/main`, `csms/operator` or `gateway`. */
  readonly subject: string;
  readonly text: string;
  readonly fault?: string;
}

type Samples = readonly (number | null)[];

/** `from` is the time of the first sample; the next ones follow each `step_s`. */
export interface History {
  readonly step_s: number;
  readonly from: string;
  readonly current_A: readonly [Samples, Samples, Samples];
  readonly limit_A: Samples;
  readonly power_W?: Samples;
  readonly breaker_A?: number;
}

export interface ListedTransaction {
  readonly transaction: string;
  readonly evse: number;
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly idToken?: string;
  readonly energy_Wh?: number;
  readonly cost?: Cost;
  readonly reason?: string;
  readonly open: boolean;
}

/** One message on the wire to a charger or a CSMS, with its tokens masked. */
export interface TracedFrame {
  readonly at: string;
  readonly peer: string;
  readonly direction: 'in' | 'out';
  readonly frame: string;
}

export interface ConfigurationText {
  readonly revision: string;
  readonly text: string;
  readonly path: string;
  readonly pending?: { readonly revision: string; readonly by: string; readonly until: string };
}

export interface ConfigurationFault {
  readonly severity: 'error' | 'warning';
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly action?: string;
}

export interface ConfigurationEffect {
  readonly what: string;
  readonly effect: 'live' | 'reconnects' | 'restart';
  readonly subject: string;
}

export interface CheckedConfiguration {
  readonly faults: readonly ConfigurationFault[];
  readonly review?: readonly string[];
}

export interface ConfigurationDifference {
  readonly diff: string;
  readonly effects: readonly ConfigurationEffect[];
}

export interface ConfigurationChange {
  readonly revision: string;
  readonly at: string;
  readonly by: string;
  readonly comment?: string;
  readonly state: 'kept' | 'reverted' | 'pending';
  readonly diff: string;
}

export type StepState = 'open' | 'running' | 'passed' | 'failed' | 'skipped' | 'needs-car';

export interface CommissionedStation {
  readonly station: string;
  readonly steps: readonly {
    readonly step: string;
    /** Absent where the step is of the whole station. */
    readonly evse?: number;
    readonly state: StepState;
    readonly detail?: string;
    readonly at?: string;
  }[];
}
