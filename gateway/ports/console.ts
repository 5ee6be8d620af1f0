// What the operator's console may ask of the gateway, in the form in which it is shown: plain JSON, units in the names, tokens masked.
import type { PerPhase } from '../site/topology.js';

export interface SiteConsole {
  /** The id of the site: whoever asks can tell whether this is the gateway that he means. */
  readonly site: string;
  /** The site as site.yaml draws it. */
  drawing(): SiteDrawing;
  readonly events: EventLog;
  /** Of the last six hours at most; undefined: there is no such EVSE. */
  evseHistory(evse: number, minutes: number): EvseHistory | undefined;
  circuitHistory(circuit: string, minutes: number): CircuitHistory | undefined;
  /** Open ones and charge detail records, the newest first. */
  transactions(selection: TransactionSelection): AsyncIterable<ListedTransaction>;
  status(): SiteStatus;
  /** Why an EVSE has the current it has; undefined: there is no such EVSE. */
  explain(evse: number): EvseExplanation | undefined;
  health(): Health;
  journal(): Promise<JournalOverview>;
  /** What a CSMS refused for good, in the order in which it happened; undefined: there is no such CSMS. */
  deadLetters(csms: string): readonly DeadLetterSummary[] | undefined;
  /** Sends dead letters once more: all of them, or those named; undefined: there is no such CSMS. */
  redrive(csms: string, seqs: readonly number[] | undefined): Redrive | undefined;
  /**
   * Entries of the journal in order.
   * @throws JournalUnavailable, between two entries, when it cannot be read
   */
  export(selection: ExportSelection): AsyncIterable<ExportedEntry>;
}

/** The newest that happened; what is older is in the log. */
export interface EventLog {
  /** The number of the newest; they are counted from 1. */
  readonly last: number;
  /** Those after `number` that are still kept, the oldest first. */
  since(number: number): Iterable<{ readonly number: number; readonly entry: ConsoleEvent }>;
  /** The newest first. */
  newest(limit: number): readonly ConsoleEvent[];
}

export interface ConsoleEvent {
  readonly at: string;
  readonly kind:
    | 'station'
    | 'status'
    | 'transaction'
    | 'limit'
    | 'csms'
    | 'grid-operator'
    | 'security'
    | 'configuration'
    | 'journal'
    | 'act'
    | 'user';
  readonly severity: 'info' | 'warning' | 'fault';
  /** `evse/3`, `station/CP01`, `circuit/main`, `csms/operator`, `user/anna` or `gateway`. */
  readonly subject: string;
  readonly text: string;
  /** A code of the error catalogue. */
  readonly fault?: string;
}

/** Columns of equal length, `step_s` apart; null where nothing was measured. */
export interface EvseHistory {
  readonly evse: number;
  readonly step_s: number;
  /** Of the first sample. */
  readonly from: string;
  /** L1, L2, L3. */
  readonly current_A: readonly (readonly (number | null)[])[];
  readonly limit_A: readonly (number | null)[];
  readonly power_W: readonly (number | null)[];
}

export interface CircuitHistory extends Omit<EvseHistory, 'evse' | 'power_W'> {
  readonly circuit: string;
  readonly breaker_A: number;
}

/** By the start, in ms since 1970; `to` excluded. */
export interface TransactionSelection {
  readonly from?: number;
  readonly to?: number;
  readonly evse?: number;
  readonly tokens: 'masked' | 'full';
}

export interface ListedTransaction {
  readonly transaction: string;
  readonly station: string;
  readonly evse: number;
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly idToken?: string;
  readonly energy_Wh?: number;
  readonly cost?: Cost;
  /** OCPP 2.0.1 ReasonEnumType. */
  readonly reason?: string;
  /** The end or a register was inferred. */
  readonly estimated?: boolean;
  readonly open: boolean;
}

/** What goes over the wires, masked. */
export interface Traces {
  /** @returns what ends it */
  listen(filter: TraceFilter, heard: (frame: TracedFrame) => void): () => void;
  /** What is still known of the last minutes, the oldest first. */
  recent(filter: TraceFilter, minutes: number): Iterable<TracedFrame>;
}

/** Neither: everything. */
export interface TraceFilter {
  readonly station?: string;
  readonly csms?: string;
}

export interface TracedFrame {
  readonly at: string;
  /** `station/CP01` or `csms/operator`. */
  readonly peer: string;
  /** As the gateway sees it. */
  readonly direction: 'in' | 'out';
  readonly frame: string;
}

/** What does not change while the configuration does not. */
export interface SiteDrawing {
  readonly site: string;
  readonly name: string;
  /** IANA name. */
  readonly timeZone: string;
  readonly nominalVoltage_V: number;
  /** Feeders before what they feed. */
  readonly circuits: readonly {
    readonly circuit: string;
    readonly fedBy?: string;
    readonly breaker_A: number;
    readonly meter?: string;
    /** By number, of this circuit itself and not of those that it feeds. */
    readonly evses: readonly number[];
  }[];
  readonly meters: readonly {
    readonly meter: string;
    readonly device: string;
    /** The one that it measures. */
    readonly circuit?: string;
  }[];
  readonly stations: readonly {
    readonly station: string;
    readonly protocol: 'ocpp' | 'modbus';
    readonly device?: string;
    readonly evses: readonly number[];
  }[];
  readonly evses: readonly {
    readonly evse: number;
    readonly station: string;
    readonly circuit: string;
    readonly connectors: readonly { readonly connector: number; readonly type: string }[];
    readonly max_A: number;
    readonly phases: readonly string[];
    /** What it takes at most when it has lost the gateway. */
    readonly fallback_A: number;
  }[];
  readonly csms: readonly { readonly csms: string; readonly role: string; readonly version: string }[];
  readonly tariff?: {
    readonly currency: string;
    readonly energyPrice_perKWh: number;
    readonly timePrice_perHour: number;
    readonly startFee: number;
  };
}

export interface SiteStatus {
  readonly site: string;
  readonly name: string;
  readonly version: string;
  /** RFC 3339, as every time here. */
  readonly at: string;
  readonly startedAt: string;
  readonly stations: readonly StationSummary[];
  readonly evses: readonly EvseSummary[];
  readonly circuits: readonly CircuitSummary[];
  /** How long ago load balancing planned last; absent: not yet. */
  readonly planAge_s?: number;
  readonly csms: readonly CsmsSummary[];
  /** Absent where no grid operator limits the site. */
  readonly gridOperator?: GridOperatorSummary;
}

export interface GridOperatorSummary {
  /** Per phase, by circuit; one that is not limited is not in it. */
  readonly limits_A: Readonly<Record<string, number>>;
  /** He is not heard, and the limit for that case is among them. */
  readonly failsafe: boolean;
  readonly sources: readonly { readonly source: string; readonly failsafeSince?: string }[];
}

export interface StationSummary {
  readonly station: string;
  readonly connected: boolean;
  readonly booted: boolean;
  /** When the link was last seen to come or go. */
  readonly since: string;
  readonly protocol?: string;
  readonly vendor?: string;
  readonly model?: string;
  readonly firmwareVersion?: string;
}

export interface EvseSummary {
  readonly evse: number;
  readonly station: string;
  readonly connectors: readonly {
    readonly connector: number;
    readonly status: string;
    readonly chargingState: string;
    readonly error?: string;
  }[];
  /** What it has confirmed it offers, per phase. */
  readonly offered_A?: number;
  /** What load balancing told it last, per phase; absent: nothing yet. */
  readonly limit_A?: number;
  /** Why, in one sentence. */
  readonly explanation: string;
  readonly current_A?: PerPhase<number>;
  readonly power_W?: number;
  readonly transaction?: TransactionSummary;
  /** Who it is kept for by name, the token masked. */
  readonly reservation?: { readonly until: string; readonly idToken: string };
  /** What its car, or somebody for it, has said that it needs; the energy is what is left of it. */
  readonly needs?: { readonly departure?: string; readonly energy_Wh?: number };
}

export interface TransactionSummary {
  readonly transaction: string;
  readonly startedAt: string;
  /** Masked. */
  readonly idToken?: string;
  readonly energy_Wh?: number;
  /** By the tariff of the site, up to now. */
  readonly cost?: Cost;
}

export interface Cost {
  /** In the currency's unit. */
  readonly amount: number;
  /** ISO 4217. */
  readonly currency: string;
}

export interface CircuitSummary {
  readonly circuit: string;
  readonly fedBy?: string;
  /** The rating, per phase. */
  readonly breaker_A: number;
  /** Without a plan yet, only what site.yaml says is known. */
  readonly standing?: {
    readonly limit_A: number;
    readonly limitedBy: string;
    readonly meter: string;
    /** What flows and what the EVSEs may take, as load balancing counts it. */
    readonly current_A: PerPhase<number>;
    readonly background_A: PerPhase<number>;
    readonly granted_A: PerPhase<number>;
    readonly reserved_A: PerPhase<number>;
  };
}

export interface CsmsSummary {
  readonly csms: string;
  readonly connected: boolean;
  readonly accepted: boolean;
  /** Journal entries not yet looked at; some may turn out not to concern this CSMS. */
  readonly queued: number;
  /** When the oldest waiting one happened. */
  readonly oldest?: string;
  readonly oldestAge_s?: number;
  readonly inFlight: boolean;
  readonly deadLetters: number;
  /** Since the gateway began; absent where none runs. */
  readonly delivered?: number;
  readonly refused?: number;
  /** Entries that were given up for it because the journal had no room, by kind; absent where no gateway runs. */
  readonly shed?: Readonly<Partial<Record<string, number>>>;
  readonly lastError?: string;
}

export interface EvseExplanation {
  readonly evse: number;
  /** One sentence. */
  readonly explanation: string;
  /** Absent before the first plan. */
  readonly plan?: {
    readonly standing: string;
    readonly target_A: number;
    /** What it was told last. */
    readonly sent_A?: number;
    /** What it may take at most, and is counted with on each of its phases. */
    readonly ceiling_A: number;
    readonly phases: readonly string[];
    readonly because: { readonly kind: string };
  };
  readonly measured_A?: PerPhase<number>;
}

/**
 * - `ok`: everything is as it should be.
 * - `degraded`: the gateway does its work, and something around it is missing: a CSMS, stations.
 * - `failing`: the gateway itself cannot do its work.
 */
export type HealthStatus = 'ok' | 'degraded' | 'failing';

export interface Health {
  readonly status: HealthStatus;
  readonly site: string;
  readonly checks: readonly HealthCheck[];
}

export interface HealthCheck {
  /** `journal`, `balancing`, `stations`, `grid-operator`, or `csms/<id>`. */
  readonly check: string;
  readonly status: HealthStatus;
  /** Absent where the status is `ok`. */
  readonly reason?: string;
  /** A code of the error catalogue. */
  readonly fault?: string;
}

export interface JournalOverview {
  readonly site: string;
  readonly gateway: 'running' | 'stopped';
  /** The last sequence number. */
  readonly lastSeq: number;
  readonly size_bytes?: number;
  /** What of the size holds something, and what that may come to. */
  readonly used_bytes?: number;
  readonly limit_bytes?: number;
  /** On the file system. */
  readonly free_bytes?: number;
  /** Whether commits are taken in; absent where no gateway runs. */
  readonly writable?: boolean;
  readonly fault?: string;
  readonly commits?: number;
  readonly refusedCommits?: number;
  /** From the call to the disk's answer, of the last commit that waits for nothing. */
  readonly lastFlush_s?: number;
  readonly csms: readonly CsmsSummary[];
}

export interface DeadLetterSummary {
  readonly seq: number;
  /** `started`, `updated` or `ended` of a transaction, `meter` or `security`. */
  readonly message: string;
  readonly transaction?: string;
  readonly evse?: number;
  /** When it happened. */
  readonly at?: string;
  /** When it was given up, after so many attempts. */
  readonly refusedAt: string;
  readonly attempts: number;
  readonly reason: string;
}

export interface Redrive {
  readonly csms: string;
  readonly accepted: boolean;
  readonly redriven: readonly number[];
  /** On their way already, or from an EVSE that this CSMS no longer sees. */
  readonly left: readonly number[];
  /** No dead letters of this CSMS. */
  readonly unknown: readonly number[];
}

export type ExportedType = 'transaction' | 'cdr';

/** From and to by sequence number, both inclusive, or by time (ms since 1970), the end exclusive. */
export interface ExportSelection {
  readonly types: readonly ExportedType[];
  readonly from?: Bound;
  readonly to?: Bound;
  /** `full` only for whoever bills by it. */
  readonly tokens: 'masked' | 'full';
}

export type Bound = { readonly seq: number } | { readonly at: number };

export interface ExportedEntry {
  readonly seq: number;
  readonly type: ExportedType;
  readonly [field: string]: unknown;
}
