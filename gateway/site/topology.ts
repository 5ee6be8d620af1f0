// What a site is: stations, EVSEs, connectors, circuits and meters, as site.yaml describes them. A value: another site.yaml is another one.
import type { CircuitId, CsmsId, EvseNumber, MeterId, StationId } from '../kernel/ids.js';
import type { Ampere, Milliseconds, Volt, WattHour } from '../kernel/units.js';
import type { ChargingRateUnit } from './charging-profile.js';

export type Phase = 'L1' | 'L2' | 'L3';
export const PHASES: readonly Phase[] = ['L1', 'L2', 'L3'];

/** A value for each of the three grid phases. */
export type PerPhase<T> = Readonly<Record<Phase, T>>;
export const perPhase = <T>(of: (phase: Phase) => T): PerPhase<T> => ({ L1: of('L1'), L2: of('L2'), L3: of('L3') });

export interface Circuit {
  readonly id: CircuitId;
  /** The circuit that feeds this one; absent for the grid connection. */
  readonly fedBy?: CircuitId;
  /** Rating of the breaker, per phase. */
  readonly breaker: Ampere;
  /** Kept free below the breaker at every moment, on metered circuits for load that moves between samples. */
  readonly margin: Ampere;
  /** The meter that measures everything on this circuit, chargers and background load. */
  readonly meter?: MeterId;
  /** What all EVSEs of this circuit together may take per phase while its meter is lost. */
  readonly whenMeterLost?: Ampere;
  /**
   * Voltage between two phases, where this breaker stands on the primary side of a delta-wye transformer whose secondary
   * has the site's nominal voltage. Its meter, if it has one, names the phases such that its L1 carries the difference of L1 and
   * L2 of the secondary side (Dyn1).
   */
  readonly primaryVoltage?: Volt;
}

/** The circuits that no other feeds. */
export const gridConnections = (circuits: readonly Circuit[]): readonly CircuitId[] =>
  circuits.filter(({ fedBy }) => fedBy === undefined).map(({ id }) => id);

export interface Meter {
  readonly id: MeterId;
  readonly device: string;
  readonly connection: ModbusConnection;
  readonly unit?: number;
  /** The grid phases on its L1, L2 and L3, in this order; absent: as they are called. */
  readonly phases?: readonly Phase[];
}

/** `tcp` and `udp` carry Modbus TCP frames; the others what is on a serial line. */
export type ModbusConnection =
  | { readonly kind: 'tcp' | 'udp' | 'rtu-over-tcp' | 'rtu-over-udp'; readonly host: string; readonly port: number }
  | ({ readonly kind: 'serial'; readonly path: string } & SerialLine);

/** Eight data bits always. */
export interface SerialLine {
  /** Bits per second. */
  readonly baudRate: number;
  readonly parity: 'none' | 'even' | 'odd';
  readonly stopBits: 1 | 2;
}

export type ConnectorType = 'Type1' | 'Type2' | 'CCS1' | 'CCS2' | 'CHAdeMO' | 'NACS' | 'Schuko' | 'Other';

export interface Connector {
  /** From 1 inside its EVSE. */
  readonly number: number;
  readonly type: ConnectorType;
}

export interface Evse {
  readonly number: EvseNumber;
  readonly station: StationId;
  /** As its own station numbers it, from 1. */
  readonly stationEvse: number;
  readonly connectors: readonly Connector[];
  readonly circuit: CircuitId;
  /** Hardware limit per phase. */
  readonly maxCurrent: Ampere;
  /** Below this the EVSE gives nothing (IEC 61851-1: 6 A unless the car needs more). */
  readonly minCurrent: Ampere;
  /** What the EVSE may take when it has lost the gateway: its fail-safe profile or its watchdog's current. */
  readonly fallbackCurrent: Ampere;
  /** Its charger takes all it can get when the gateway is silent, or nobody knows what it takes: then it counts at its largest current. */
  readonly silentAtFullPower?: boolean;
  /** Entry i is the grid phase on the EVSE's own conductor L(i+1); one to three entries. */
  readonly phases: readonly Phase[];
  /** Connected between its two phases and not to neutral, as is the rule at 208 V in North America. */
  readonly lineToLine?: boolean;
  /** False where the electrician does not know the rotation: a one-phase car then counts on every wired phase. */
  readonly rotationKnown: boolean;
  /** It may be told to charge on one phase or on three: its charger can, and the cars of this place bear it. */
  readonly phaseSwitching?: boolean;
  /** Higher goes first; 0 unless configured. A token's own charging priority goes before it. */
  readonly chargingPriority?: number;
  /** Share of the current above the minimum, relative to others of its priority; 1 unless configured. */
  readonly weight?: number;
}

const DIRECT_CURRENT: readonly ConnectorType[] = ['CCS1', 'CCS2', 'CHAdeMO'];

/** Its current into the car says nothing about the grid's. */
export const isDirectCurrent = ({ connectors }: Evse): boolean =>
  connectors.length > 0 && connectors.every(({ type }) => DIRECT_CURRENT.includes(type));

/** Phases of its alternating current, in OCPP's words (numberPhases, SupplyPhases): a loop between two phases is one. */
export const numberOfPhases = ({ lineToLine, phases }: Pick<Evse, 'lineToLine' | 'phases'>): number =>
  lineToLine === true ? 1 : phases.length;

/**
 * Power of one ampere on each of its conductors, in W at the nominal voltage.
 * @param phases where it is told to use fewer than it is wired to; means nothing between two phases
 */
export const wattsPerAmpere = (
  { lineToLine, phases: wired }: Pick<Evse, 'lineToLine' | 'phases'>,
  nominal: Volt,
  phases: number = wired.length,
): number => nominal * (lineToLine === true ? Math.sqrt(3) : phases);

export interface OcppStationLink {
  readonly kind: 'ocpp';
  /** OCPP security profile: 0 no credentials, 1 Basic authentication, 2 the same over TLS. */
  readonly securityProfile: 0 | 1 | 2;
  /** Basic authentication password as configured: text, or hex of the raw bytes (1.6 AuthorizationKey). */
  readonly password?: string;
  /** Taken as negotiated when the charger sends no or a wrong Sec-WebSocket-Protocol. */
  readonly assumeProtocol?: 'ocpp1.6' | 'ocpp2.0.1';
  readonly smartCharging?: SmartChargingTraits;
}

export type LimitPurpose = 'TxProfile' | 'TxDefaultProfile' | 'ChargingStationMaxProfile';

/** How one charger wants to be limited, where it is not to be found out; each is tried first or alone. */
export interface SmartChargingTraits {
  /** The only ones that are tried, the preferred one first. */
  readonly units?: readonly ChargingRateUnit[];
  /** The only ones that are tried, in this order. */
  readonly purposes?: readonly LimitPurpose[];
  /** The only one that is tried. */
  readonly stackLevel?: number;
  /** Limits are rounded down to whole ampere. */
  readonly wholeAmperes?: boolean;
  /** Most setpoints in 24 hours for each EVSE, where each wears its memory out. */
  readonly setpointsPerDay?: number;
  /** zero: by a limit of 0 A and never otherwise. stop: its transaction is ended, since it charges on at 0 A. */
  readonly pause?: 'zero' | 'stop';
}

export interface ModbusStationLink {
  readonly kind: 'modbus';
  readonly device: string;
  readonly connection: ModbusConnection;
  readonly unit?: number;
}

export interface Station {
  readonly id: StationId;
  readonly link: OcppStationLink | ModbusStationLink;
  readonly evses: readonly Evse[];
  /** How a Modbus charger (no card reader) decides: `free` starts on plug-in with the fixed token, `remote` waits for a remote start. */
  readonly start: StartPolicy;
}

export type StartPolicy = { readonly kind: 'authorized' } | { readonly kind: 'free'; readonly idToken: string };

export type CsmsRole = 'authority' | 'observer' | 'limiter';

export interface Csms {
  readonly id: CsmsId;
  /** ws:// or wss:// without the identity, which is appended as the last path segment. */
  readonly url: string;
  readonly ocpp: '1.6' | '2.0.1';
  readonly role: CsmsRole;
  readonly securityProfile: 0 | 1 | 2 | 3;
  readonly password?: string;
  /** PEM of the certificate authority that signed the CSMS's certificate, where the system's list does not know it. */
  readonly certificateAuthority?: string;
  /** The identity this CSMS knows the site by; the site's id unless configured. */
  readonly identity: string;
  /** The EVSEs this CSMS sees; absent: all. */
  readonly evses?: readonly EvseNumber[];
  readonly present: 'site' | 'stations';
  readonly resetScope: 'gateway' | 'site';
  /** 1.6: what follows a start that was given up is sent under transactionId -1 (errata 3.18), or kept with that start. */
  readonly sendMinusOne: boolean;
  /** After this time without the CSMS, what it said of single EVSEs counts no more; absent: it holds until replaced. */
  readonly profileMaxAgeOffline?: Milliseconds;
}

export interface Tariff {
  /** ISO 4217 code, such as EUR. */
  readonly currency: string;
  /** Per kWh, in the currency's unit. */
  readonly energyPrice: number;
  /** Per hour connected, in the currency's unit. */
  readonly timePrice: number;
  /** Per transaction, in the currency's unit. */
  readonly startFee: number;
}

export interface AuthorizationPolicy {
  readonly offline: 'known-only' | 'accept-unknown' | 'free';
  readonly cacheEntries: number;
  readonly cacheLifetime: Milliseconds;
  /** Longest wait for the CSMS before the offline rules decide. */
  readonly timeout: Milliseconds;
  /** Cards of the site itself, always accepted. */
  readonly localTokens: readonly LocalToken[];
  readonly stopOnInvalidId: boolean;
  /** Chargers that can hold a list are told who may charge while the gateway itself is away. */
  readonly listsInChargers: boolean;
  readonly maxEnergyOnInvalidId?: WattHour;
}

export interface LocalToken {
  readonly idToken: string;
  readonly group?: string;
  readonly name?: string;
  /** Higher goes first; absent: as the EVSE's. */
  readonly chargingPriority?: number;
}

export interface BalancingPolicy {
  readonly strategy: 'fair' | 'first-come' | 'most-energy';
  readonly rotation: Milliseconds;
  /** Largest difference between two phases that one- and two-phase cars may make at the grid connection; absent: no such rule. */
  readonly unbalance?: Ampere;
  readonly gridOperatorLimit?: GridOperatorLimit;
}

export type GridOperatorSource = 'mqtt' | 'csms' | 'contact';

/** A limit that the grid operator may set (section 14a EnWG and its like). */
export interface GridOperatorLimit {
  /** Every one of them has to be heard; of what they say the lowest holds. */
  readonly from: readonly GridOperatorSource[];
  /** Per phase, for the whole of the circuit, while one of them is not heard. */
  readonly failsafe: Ampere;
  /** What the limit is meant for; absent: the grid connection. */
  readonly circuit?: CircuitId;
  readonly contacts: readonly Contact[];
}

/** A contact of the grid operator's box (ripple control receiver, control box) that means a limit. */
export interface Contact {
  /** From 1, in the order of site.yaml. */
  readonly number: number;
  /** Per phase, while it is active. */
  readonly limit: Ampere;
  /** Absent: the one that the limit is meant for. */
  readonly circuit?: CircuitId;
  readonly active: 'closed' | 'open';
  readonly input: ContactInput;
}

export type ContactInput =
  | {
      readonly kind: 'modbus';
      readonly connection: ModbusConnection;
      readonly unit: number;
      readonly table: 'coil' | 'discrete-input' | 'holding-register' | 'input-register';
      /** From 0, as on the wire. */
      readonly address: number;
      /** Of a register, 0 the lowest; absent: closed is any value but 0. */
      readonly bit?: number;
    }
  /** A file that holds 0 or 1, as Linux shows an input line. */
  | { readonly kind: 'file'; readonly path: string };

export interface Site {
  readonly id: string;
  readonly name: string;
  /** IANA name, such as Europe/Amsterdam. */
  readonly timeZone: string;
  readonly nominalVoltage: Volt;
  /** Feeders before what they feed. */
  readonly circuits: readonly Circuit[];
  readonly meters: readonly Meter[];
  readonly stations: readonly Station[];
  readonly csms: readonly Csms[];
  readonly authorization: AuthorizationPolicy;
  readonly balancing: BalancingPolicy;
  readonly tariff?: Tariff;
  readonly listen: Listen;
  readonly telemetry: Telemetry;
  /** Absent: it is switched off. */
  readonly console?: ConsoleSettings;
  /** Directory of the journal and of everything that must outlive a restart. */
  readonly dataDirectory: string;
  readonly journal: JournalPolicy;
}

export interface ConsoleSettings {
  /** Where it listens; beyond the box itself only once it knows users. */
  readonly host: string;
  readonly port: number;
  /** Host names that browsers may know it by, beside its addresses. */
  readonly names: readonly string[];
  /** What is charged under when somebody starts it from here without a card. */
  readonly startToken: string;
}

export interface JournalPolicy {
  /** Bytes that the journal may hold. */
  readonly sizeLimit: number;
  /** How long a charge detail record is kept, counted from the start of its transaction. */
  readonly keepBills: Milliseconds;
}

export interface Listen {
  readonly ocpp?: {
    readonly host: string;
    readonly port: number;
    readonly tls?: { readonly certificate: string; readonly key: string };
  };
}

export interface Telemetry {
  readonly broker?: {
    readonly url: string;
    readonly username?: string;
    readonly password?: string;
    readonly topicPrefix: string;
  };
  readonly localBroker?: {
    readonly host: string;
    readonly port: number;
    readonly username?: string;
    readonly password?: string;
  };
}
