// A transaction as the gateway keeps it, and the record of each thing that happened in it: what the journal holds and every CSMS is told.
import type { CsmsId, EvseNumber, StationId, StationTransactionId, TransactionUid } from '../kernel/ids.js';
import type { Timestamp, WattHour } from '../kernel/units.js';
import type { MeterValue } from './metering.js';
import type { ChargingState, StoppedReason, TriggerReason } from './station-event.js';
import type { IdToken } from './tokens.js';

/** Why the driver was let in. */
export type AuthorizationBasis =
  | 'csms'
  | 'local-list'
  | 'cache'
  | 'site-token'
  | 'offline-unknown'
  | 'remote'
  | 'free'
  | 'none';

export interface Transaction {
  readonly uid: TransactionUid;
  readonly station: StationId;
  readonly evse: EvseNumber;
  readonly connector: number;
  readonly stationTransactionId: StationTransactionId;
  readonly idToken?: IdToken;
  readonly group?: IdToken;
  readonly basis: AuthorizationBasis;
  /** The CSMS that authorized or remotely started it: the only one that may stop it. */
  readonly owner?: CsmsId;
  readonly reservationId?: number;
  readonly remoteStartId?: number;
  readonly startedAt: Timestamp;
  /** What the station said of its start and of its end, where that could not be meant. */
  readonly startReportedAt?: Timestamp;
  readonly endReportedAt?: Timestamp;
  /** The energy register when it began; absent until the station has told it. */
  readonly meterStart?: WattHour;
  /** The last register seen; never falls, but for the one by which the station ends the transaction. */
  readonly register?: WattHour;
  readonly registerAt?: Timestamp;
  readonly chargingState: ChargingState;
  /** When the car was first offered energy: where relative charging profiles begin (K01.FR.42). */
  readonly energyOfferedAt?: Timestamp;
  /** What the cable carries, in ampere per phase, as the station measured it. */
  readonly cableMaxCurrent?: number;
  readonly endedAt?: Timestamp;
  readonly meterStop?: WattHour;
  readonly stoppedReason?: StoppedReason;
  /** The token that began it is refused: by the gateway at the start, or by the CSMS afterwards. It gets no more energy. */
  readonly deauthorized?: boolean;
  /** The register when the CSMS first refused the token, while MaxEnergyOnInvalidId still lets the car go on. */
  readonly refusedAt?: WattHour;
  /** The token was unknown while no CSMS answered: what it may take until one has confirmed it. */
  readonly energyLimit?: WattHour;
  /** A CSMS has accepted the token since the transaction began. */
  readonly confirmed?: boolean;
  /** The stop was inferred by the gateway, not reported by the station. */
  readonly estimatedStop?: boolean;
  /** Its start was never seen. */
  readonly orphan?: boolean;
  /** Keys of station events already taken in, the newest last: a repeated one is answered but not recorded. */
  readonly seen: readonly string[];
}

/** One thing that happened in a transaction; everything a CSMS of either version has to be told. */
export interface TransactionRecord {
  readonly type: 'transaction';
  readonly uid: TransactionUid;
  /** Position in its transaction, from 0. */
  readonly n: number;
  readonly kind: 'started' | 'updated' | 'ended';
  readonly station: StationId;
  readonly evse: EvseNumber;
  readonly connector: number;
  readonly at: Timestamp;
  /** The station's own time, where it could not be meant. */
  readonly reportedAt?: Timestamp;
  readonly trigger: TriggerReason;
  readonly chargingState: ChargingState;
  /** The token as presented in this event (of the start, or of the stop). */
  readonly idToken?: IdToken;
  readonly meterValues: readonly MeterValue[];
  /** The station said that it was offline when this happened. */
  readonly offline: boolean;
  readonly reservationId?: number;
  readonly remoteStartId?: number;
  readonly stoppedReason?: StoppedReason;
  readonly phasesUsed?: number;
  readonly cableMaxCurrent?: number;
  readonly customData?: { readonly vendorId: string; readonly [key: string]: unknown };
  /** The transaction's register at its begin and now, in Wh: what 1.6 sends as meterStart and meterStop. */
  readonly meterStart?: WattHour;
  readonly register?: WattHour;
  /** By which a repetition of an update is known: until the next checkpoint this record alone keeps it. */
  readonly key?: string;
  /** The token that began the transaction, repeated on every record so that a late 1.6 start has it. */
  readonly startToken?: IdToken;
}

/** Values outside any transaction. */
export interface MeterRecord {
  readonly type: 'meter';
  readonly station: StationId;
  readonly evse?: EvseNumber;
  readonly meterValues: readonly MeterValue[];
}

export interface SecurityRecord {
  readonly type: 'security';
  readonly station?: StationId;
  readonly event: string;
  readonly at: Timestamp;
  /** The station's own time, where it could not be meant. */
  readonly reportedAt?: Timestamp;
  readonly techInfo?: string;
}

/** What the journal holds, in the order in which it happened. */
export type JournalRecord = TransactionRecord | MeterRecord | SecurityRecord | ChargeDetailRecord;

/** The bill of one transaction (step 8 of a driver's visit). */
export interface ChargeDetailRecord {
  readonly type: 'cdr';
  readonly uid: TransactionUid;
  readonly site: string;
  readonly station: StationId;
  readonly evse: EvseNumber;
  readonly connector: number;
  /** Masked nowhere: it is the billing record, kept in the journal and sent to the operator's broker only. */
  readonly idToken?: IdToken;
  readonly basis: AuthorizationBasis;
  readonly startedAt: Timestamp;
  readonly endedAt: Timestamp;
  readonly startReportedAt?: Timestamp;
  readonly endReportedAt?: Timestamp;
  readonly meterStart: WattHour;
  readonly meterStop: WattHour;
  readonly energy: WattHour;
  readonly stoppedReason: StoppedReason;
  /** True where the stop or a register was inferred. */
  readonly estimated: boolean;
  readonly cost?: {
    readonly currency: string;
    /** Each in the currency's unit, rounded to a hundredth. */
    readonly energy: number;
    readonly time: number;
    readonly start: number;
    readonly total: number;
  };
}
