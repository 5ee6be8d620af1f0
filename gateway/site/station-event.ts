// What a station tells the gateway, whatever it speaks: OCPP 2.0.1 words, translated once, by its adapter.
import type { EvseNumber, StationId, StationTransactionId } from '../kernel/ids.js';
import type { Timestamp } from '../kernel/units.js';
import type { Capabilities } from './capabilities.js';
import type { ChargingNeeds } from './charging-needs.js';
import type { MeterValue } from './metering.js';
import type { IdToken, IdTokenInfo } from './tokens.js';

export type ConnectorStatus = 'Available' | 'Occupied' | 'Reserved' | 'Unavailable' | 'Faulted';
export type ChargingState = 'Charging' | 'EVConnected' | 'SuspendedEV' | 'SuspendedEVSE' | 'Idle';

export type TriggerReason =
  | 'Authorized'
  | 'CablePluggedIn'
  | 'ChargingRateChanged'
  | 'ChargingStateChanged'
  | 'Deauthorized'
  | 'EnergyLimitReached'
  | 'EVCommunicationLost'
  | 'EVConnectTimeout'
  | 'MeterValueClock'
  | 'MeterValuePeriodic'
  | 'TimeLimitReached'
  | 'Trigger'
  | 'UnlockCommand'
  | 'StopAuthorized'
  | 'EVDeparted'
  | 'EVDetected'
  | 'RemoteStop'
  | 'RemoteStart'
  | 'AbnormalCondition'
  | 'SignedDataReceived'
  | 'ResetCommand';

export type StoppedReason =
  | 'DeAuthorized'
  | 'EmergencyStop'
  | 'EnergyLimitReached'
  | 'EVDisconnected'
  | 'GroundFault'
  | 'ImmediateReset'
  | 'Local'
  | 'LocalOutOfCredit'
  | 'MasterPass'
  | 'Other'
  | 'OvercurrentFault'
  | 'PowerLoss'
  | 'PowerQuality'
  | 'Reboot'
  | 'Remote'
  | 'SOCLimitReached'
  | 'StoppedByEV'
  | 'TimeLimitReached'
  | 'Timeout';

/** OCPP 1.6 ChargePointErrorCode, the richer of the two vocabularies; translated to a 2.0.1 component by the view. */
export type ErrorCode =
  | 'NoError'
  | 'ConnectorLockFailure'
  | 'EVCommunicationError'
  | 'GroundFailure'
  | 'HighTemperature'
  | 'InternalError'
  | 'LocalListConflict'
  | 'OtherError'
  | 'OverCurrentFailure'
  | 'OverVoltage'
  | 'PowerMeterFailure'
  | 'PowerSwitchFailure'
  | 'ReaderFailure'
  | 'ResetFailure'
  | 'UnderVoltage'
  | 'WeakSignal';

export interface ConnectorError {
  readonly code: ErrorCode;
  readonly info?: string;
  readonly vendorId?: string;
  readonly vendorErrorCode?: string;
}

export interface Inventory {
  readonly vendor: string;
  readonly model: string;
  readonly serialNumber?: string;
  readonly firmwareVersion?: string;
  readonly iccid?: string;
  readonly imsi?: string;
  readonly meterType?: string;
  readonly meterSerialNumber?: string;
}

/** The link is up and, for OCPP, the handshake is done; nothing is known of the charger's state yet. */
export interface StationConnected {
  readonly type: 'connected';
  readonly station: StationId;
  readonly capabilities: Capabilities;
}

export interface StationDisconnected {
  readonly type: 'disconnected';
  readonly station: StationId;
  readonly reason: string;
}

/** The adapter has learned more of what the station can do (configuration read, firmware known). */
export interface CapabilitiesLearned {
  readonly type: 'capabilities';
  readonly station: StationId;
  readonly capabilities: Capabilities;
  /** Set-up has just replaced what was in force, a running transaction's limit included, by the fallback of each EVSE. */
  readonly limitsReset?: true;
}

export interface StationBooted {
  readonly type: 'booted';
  readonly station: StationId;
  readonly inventory: Inventory;
  readonly at: Timestamp;
}

export interface StatusReported {
  readonly type: 'status';
  readonly station: StationId;
  /** Absent: the station as a whole (1.6 connector 0), which is never a connector's status. */
  readonly evse?: EvseNumber;
  readonly connector?: number;
  readonly status: ConnectorStatus;
  /** What the station says of charging beside the status (always for 1.6 and Modbus, in transaction events for 2.0.1). */
  readonly chargingState?: ChargingState;
  readonly error?: ConnectorError;
  readonly at: Timestamp;
  /** The station's own time, where `at` had to take its place. */
  readonly reportedAt?: Timestamp;
}

/** A card was presented, or the like; the answer decides whether a transaction may start or stop. */
export interface AuthorizeRequested {
  readonly type: 'authorize';
  readonly station: StationId;
  readonly idToken: IdToken;
}

export interface TransactionReported {
  readonly type: 'transaction';
  readonly station: StationId;
  readonly kind: 'started' | 'updated' | 'ended';
  /** Absent in a stop that does not say (1.6 StopTransaction) and where a later event will (E01.FR.16). */
  readonly evse?: EvseNumber;
  readonly connector?: number;
  /** Absent only in 1.6 StartTransaction, where the gateway's answer issues it. */
  readonly stationTransactionId?: StationTransactionId;
  /** The station's own sequence number (2.0.1): used to recognise a repeated event, never sent on. */
  readonly seqNo?: number;
  readonly at: Timestamp;
  /** The station's own time, where `at` had to take its place: it cannot be meant, or was told by a clock that was wrong. */
  readonly reportedAt?: Timestamp;
  readonly trigger: TriggerReason;
  readonly chargingState?: ChargingState;
  readonly idToken?: IdToken;
  /** Includes the register at begin (context Transaction.Begin) and end (Transaction.End). */
  readonly meterValues: readonly MeterValue[];
  /** The station said that this happened while it had no connection. */
  readonly offline: boolean;
  readonly reservationId?: number;
  readonly remoteStartId?: number;
  readonly stoppedReason?: StoppedReason;
  readonly phasesUsed?: number;
  /** In ampere, as the station measured the cable. */
  readonly cableMaxCurrent?: number;
  /** The station's customData (2.0.1), carried to 2.0.1 CSMSs unchanged. */
  readonly customData?: { readonly vendorId: string; readonly [key: string]: unknown };
}

/** Values that belong to no transaction. */
export interface MeterValuesReported {
  readonly type: 'meterValues';
  readonly station: StationId;
  /** Absent: the station's main meter (1.6 connector 0, 2.0.1 evseId 0). */
  readonly evse?: EvseNumber;
  readonly meterValues: readonly MeterValue[];
}

/** A car says what it needs (NotifyEVChargingNeeds): in one visit once, or again when that has changed. */
export interface ChargingNeedsReported extends ChargingNeeds {
  readonly type: 'chargingNeeds';
  readonly station: StationId;
  readonly evse: EvseNumber;
}

/** A station gave up a reservation by itself. */
export interface ReservationEndedReported {
  readonly type: 'reservationEnded';
  readonly station: StationId;
  readonly reservationId: number;
  readonly why: 'Expired' | 'Removed';
}

export interface SecurityEventReported {
  readonly type: 'securityEvent';
  readonly station: StationId;
  readonly event: string;
  readonly at: Timestamp;
  /** The station's own time, where `at` had to take its place. */
  readonly reportedAt?: Timestamp;
  readonly techInfo?: string;
}

export interface DataTransferReceived {
  readonly type: 'dataTransfer';
  readonly station: StationId;
  readonly vendorId: string;
  readonly messageId?: string;
  readonly data?: unknown;
}

/** Progress of firmware, logs and diagnostics on one station, in 2.0.1 words. */
export interface JobStatusReported {
  readonly type: 'jobStatus';
  readonly station: StationId;
  readonly job: 'firmware' | 'log';
  readonly status: string;
  readonly requestId?: number;
}

export type StationEvent =
  | StationConnected
  | StationDisconnected
  | CapabilitiesLearned
  | StationBooted
  | StatusReported
  | AuthorizeRequested
  | TransactionReported
  | MeterValuesReported
  | ChargingNeedsReported
  | ReservationEndedReported
  | SecurityEventReported
  | DataTransferReceived
  | JobStatusReported;

export interface BootAnswer {
  readonly status: 'Accepted' | 'Pending' | 'Rejected';
  readonly now: Timestamp;
  /** Heartbeat interval in seconds. */
  readonly interval: number;
}

export interface TransactionAnswer {
  readonly stationTransactionId: StationTransactionId;
  /** Present whenever the event carried a token (and always for a 1.6 start). */
  readonly idTokenInfo?: IdTokenInfo;
}

/** In the words of OCPP 2.0.1: a limit follows at once, later, or not. */
export type ChargingNeedsAnswer = 'Accepted' | 'Processing' | 'Rejected';

export interface DataTransferAnswer {
  readonly status: 'Accepted' | 'Rejected' | 'UnknownMessageId' | 'UnknownVendorId';
  readonly data?: unknown;
}

/** What the gateway answers to each kind of event. */
export type StationAnswer<E extends StationEvent> = E extends StationBooted
  ? BootAnswer
  : E extends AuthorizeRequested
    ? IdTokenInfo
    : E extends TransactionReported
      ? TransactionAnswer
      : E extends ChargingNeedsReported
        ? ChargingNeedsAnswer
        : E extends DataTransferReceived
          ? DataTransferAnswer
          : void;
