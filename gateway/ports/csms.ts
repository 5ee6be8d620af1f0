// What a CSMS adapter is given and what it must offer: one connection to one CSMS, in that CSMS's version of OCPP.
// The view decides what is sent and when; the adapter frames it, keeps the link and understands the answer.
import type { CsmsId, TransactionUid } from '../kernel/ids.js';
import type { Timestamp } from '../kernel/units.js';
import type { MeterValue } from '../site/metering.js';
import type { ChargingState, ConnectorError, ConnectorStatus, DataTransferAnswer } from '../site/station-event.js';
import type { IdToken, IdTokenInfo } from '../site/tokens.js';
import type { ConnectorType } from '../site/topology.js';
import type { TransactionRecord } from '../site/transaction.js';
import type {
  ChargingProfile,
  ChargingProfilePurpose,
  ChargingRateUnit,
  ChargingSchedule,
} from '../site/charging-profile.js';

/** Where a connector stands in one CSMS's numbering: stable for ever, from 1, without gaps. */
export interface Slot {
  /** evseId in 2.0.1. */
  readonly evse: number;
  /** connectorId inside the EVSE in 2.0.1, from 1. */
  readonly connector: number;
  /** connectorId in 1.6: counts (evse, connector) pairs. */
  readonly flat: number;
}

/** The status of one connector with all that either version needs to say it. */
export interface ConnectorView {
  readonly slot: Slot;
  readonly status: ConnectorStatus;
  /** `ended`: the transaction is over and the cable still in (1.6 Finishing). */
  readonly transaction: 'none' | 'open' | 'ended';
  readonly chargingState: ChargingState;
  /** The open transaction has charged, or could have: before that 1.6 says Preparing. */
  readonly energized?: boolean;
  readonly error?: ConnectorError;
  readonly at: Timestamp;
}

/** What remains to be known to send a record to one CSMS; opaque to the view, kept durably by it with its cursor. */
export type ProjectionState = Readonly<Record<string, unknown>>;

export interface StationIdentity {
  readonly vendor: string;
  readonly model: string;
  readonly serialNumber: string;
  readonly firmwareVersion: string;
}

export type BootReason =
  | 'ApplicationReset'
  | 'FirmwareUpdate'
  | 'LocalReset'
  | 'PowerUp'
  | 'RemoteReset'
  | 'ScheduledReset'
  | 'Triggered'
  | 'Unknown'
  | 'Watchdog';

/** CSO: a CSMS. EMS: the site's own balancing. SO: the grid operator. Other: another CSMS of this site. */
export type ChargingLimitSource = 'CSO' | 'EMS' | 'SO' | 'Other';

/** What the view wants a CSMS to be told. Times and values are final: a repetition is identical but for its message id. */
export type CsmsMessage =
  | { readonly type: 'status'; readonly connector: ConnectorView }
  /** The station as a whole (1.6 connector 0). */
  | {
      readonly type: 'stationStatus';
      readonly status: ConnectorStatus;
      readonly error?: ConnectorError;
      readonly at: Timestamp;
    }
  | { readonly type: 'authorize'; readonly idToken: IdToken }
  | {
      readonly type: 'transaction';
      readonly record: TransactionRecord;
      readonly slot: Slot;
      readonly offline: boolean;
      readonly state: ProjectionState;
    }
  /** evse 0: the site's meter. */
  | { readonly type: 'meterValues'; readonly slot: Slot | undefined; readonly meterValues: readonly MeterValue[] }
  | { readonly type: 'reservationEnded'; readonly reservationId: number; readonly why: 'Expired' | 'Removed' }
  | { readonly type: 'securityEvent'; readonly event: string; readonly at: Timestamp; readonly techInfo?: string }
  | { readonly type: 'dataTransfer'; readonly vendorId: string; readonly messageId?: string; readonly data?: unknown }
  | { readonly type: 'report'; readonly requestId: number; readonly variables: readonly ReportedVariable[] }
  | {
      readonly type: 'reportChargingProfiles';
      readonly requestId: number;
      readonly slotEvse: number;
      readonly source: ChargingLimitSource;
      readonly profiles: readonly ChargingProfile[];
      readonly more: boolean;
    }
  | {
      readonly type: 'chargingLimit';
      readonly slotEvse: number | undefined;
      readonly source: Exclude<ChargingLimitSource, 'CSO'>;
      readonly cleared: boolean;
    }
  | {
      readonly type: 'jobStatus';
      readonly job: 'firmware' | 'log';
      readonly status: string;
      readonly requestId?: number;
    };

/**
 * How a delivery ended.
 * - `answered`: the CSMS took it; `state` replaces the projection state.
 * - `nothing`: this version has no message for it (yet); `state` replaces the projection state.
 * - `refused`: CALLERROR, an answer that is not valid, or no answer in time (`unanswered`): one attempt is used up;
 *   `final`: the last one. `late` settles when the answer comes after all, and perhaps never; it does not reject.
 * - `unsent`: the link was lost before an answer: no attempt, unless it is lost each time that the message is `underWay`.
 *
 * `abandoned` replaces the projection state when the last attempt is used up, and the message keeps the state it was sent
 * with.
 */
export type DeliveryOutcome =
  | {
      readonly kind: 'answered';
      readonly state?: ProjectionState;
      readonly idTokenInfo?: IdTokenInfo;
      readonly totalCost?: number;
      readonly data?: DataTransferAnswer;
    }
  | { readonly kind: 'nothing'; readonly state?: ProjectionState }
  | {
      readonly kind: 'refused';
      readonly reason: string;
      readonly unanswered?: true;
      readonly final?: true;
      readonly late?: Promise<DeliveryOutcome>;
      readonly abandoned?: ProjectionState;
      readonly partly?: PartlyTaken;
    }
  | {
      readonly kind: 'unsent';
      readonly underWay?: true;
      readonly abandoned?: ProjectionState;
      readonly partly?: PartlyTaken;
    };

/** A record that takes two calls failed after the first: what the CSMS knows all the same, and said of the token. */
export interface PartlyTaken {
  readonly state: ProjectionState;
  readonly idTokenInfo?: IdTokenInfo;
}

/** Order in which waiting messages leave; inside one class first come, first served. */
export type Priority = 'authorize' | 'transaction' | 'status' | 'values';

export interface CsmsLink {
  /** True while the socket is up, whatever the CSMS thinks of the boot. */
  readonly connected: boolean;
  /** True while Boot is accepted and the socket is up. */
  readonly accepted: boolean;
  start(): void;
  deliver(message: CsmsMessage): Promise<DeliveryOutcome>;
  /** Whether the CSMS answers something harmless just now. */
  probe(): Promise<boolean>;
  /** Sends BootNotification again (Reset, changed identity). */
  reboot(reason: BootReason): void;
  /** Sends a Heartbeat now; what the answer says of the time has been handed in when it resolves. Never rejects. */
  askTime(): Promise<void>;
  stop(): Promise<void>;
}

/** A command from a CSMS in canonical words; slots are still that CSMS's own. */
export type CsmsCommand =
  | {
      readonly type: 'requestStart';
      readonly idToken: IdToken;
      readonly group?: IdToken;
      readonly slotEvse?: number;
      readonly slotFlat?: number;
      readonly remoteStartId?: number;
      readonly chargingProfile?: ChargingProfile;
    }
  | { readonly type: 'requestStop'; readonly transaction: CsmsTransactionReference }
  | { readonly type: 'unlock'; readonly target: SlotReference }
  | { readonly type: 'changeAvailability'; readonly target?: SlotReference; readonly operative: boolean }
  | { readonly type: 'reset'; readonly kind: 'soft' | 'hard'; readonly whenIdle: boolean; readonly slotEvse?: number }
  | {
      readonly type: 'reserve';
      readonly reservationId: number;
      readonly target?: SlotReference;
      readonly connectorType?: ConnectorType;
      readonly idToken: IdToken;
      readonly group?: IdToken;
      readonly expiry: Timestamp;
    }
  | { readonly type: 'cancelReservation'; readonly reservationId: number }
  | {
      readonly type: 'sendLocalList';
      readonly version: number;
      readonly update: 'Full' | 'Differential';
      readonly entries: readonly { readonly idToken: IdToken; readonly info?: IdTokenInfo }[];
    }
  | { readonly type: 'getLocalListVersion' }
  | { readonly type: 'clearCache' }
  | {
      readonly type: 'setChargingProfile';
      readonly target: SlotReference | undefined;
      readonly profile: ChargingProfile;
      /** The transaction that a 1.6 CSMS means, by its own number; 2.0.1 names it in the profile. */
      readonly csmsTransactionId?: number;
    }
  | {
      readonly type: 'clearChargingProfile';
      readonly id?: number;
      readonly target?: SlotReference | 'station';
      readonly purpose?: ChargingProfilePurpose;
      readonly stackLevel?: number;
    }
  | {
      readonly type: 'getCompositeSchedule';
      readonly target: SlotReference | undefined;
      readonly duration: number;
      readonly unit?: ChargingRateUnit;
    }
  | {
      readonly type: 'getChargingProfiles';
      readonly requestId: number;
      readonly slotEvse?: number;
      readonly ids?: readonly number[];
      readonly purpose?: ChargingProfilePurpose;
      readonly stackLevel?: number;
      /** All unless given. */
      readonly sources?: readonly ChargingLimitSource[];
    }
  | { readonly type: 'trigger'; readonly message: string; readonly target?: SlotReference }
  | { readonly type: 'getVariables'; readonly variables: readonly VariableReference[] }
  | { readonly type: 'setVariables'; readonly variables: readonly (VariableReference & { readonly value: string })[] }
  | {
      readonly type: 'getReport';
      readonly requestId: number;
      readonly base: 'ConfigurationInventory' | 'FullInventory' | 'SummaryInventory';
      /** Only the variables for which it holds; all unless given. */
      readonly only?: (variable: VariableReference) => boolean;
    }
  | { readonly type: 'getTransactionStatus'; readonly transaction?: CsmsTransactionReference }
  | { readonly type: 'dataTransfer'; readonly vendorId: string; readonly messageId?: string; readonly data?: unknown };

/** A CSMS's own id of a transaction: the UUID in 2.0.1, the integer it issued in 1.6. */
export type CsmsTransactionReference = { readonly uid: TransactionUid } | { readonly csmsTransactionId: number };

/** 1.6 says one flat number; 2.0.1 an EVSE and perhaps a connector. */
export type SlotReference = { readonly flat: number } | { readonly evse: number; readonly connector?: number };

export interface VariableReference {
  readonly component: string;
  readonly componentInstance?: string;
  readonly evse?: number;
  readonly connector?: number;
  readonly variable: string;
  readonly instance?: string;
  readonly attribute?: 'Actual' | 'Target' | 'MinSet' | 'MaxSet';
}

export interface ReportedVariable extends VariableReference {
  readonly value?: string;
  readonly mutability: 'ReadOnly' | 'WriteOnly' | 'ReadWrite';
  readonly dataType:
    | 'string'
    | 'decimal'
    | 'integer'
    | 'dateTime'
    | 'boolean'
    | 'OptionList'
    | 'SequenceList'
    | 'MemberList';
  readonly unit?: string;
  readonly values?: string;
  readonly min?: number;
  readonly max?: number;
}

/** Status words of every answer; the adapter sends the one its version and message know. */
export interface CsmsAnswer {
  readonly status:
    | 'Accepted'
    | 'Rejected'
    | 'Scheduled'
    | 'RebootRequired'
    | 'NotSupported'
    | 'NotImplemented'
    | 'Unlocked'
    | 'UnlockFailed'
    | 'OngoingAuthorizedTransaction'
    | 'UnknownConnector'
    | 'Faulted'
    | 'Occupied'
    | 'Unavailable'
    | 'Failed'
    | 'VersionMismatch'
    | 'Unknown'
    | 'NoProfiles'
    | 'UnknownMessageId'
    | 'UnknownVendorId'
    | 'EmptyResultSet'
    | 'PropertyConstraintViolation';
  /** At most 20 characters: 2.0.1 statusInfo.reasonCode. */
  readonly reasonCode?: string;
  readonly detail?: string;
  readonly listVersion?: number;
  readonly transaction?: TransactionUid;
  readonly schedule?: CompositeSchedule;
  readonly variables?: readonly VariableResult[];
  readonly transactionStatus?: { readonly ongoing?: boolean; readonly messagesInQueue: boolean };
  readonly data?: unknown;
  /** Runs after the answer has gone out: what a trigger or a report asked for. */
  readonly afterwards?: () => void;
}

export interface VariableResult extends VariableReference {
  readonly status:
    | 'Accepted'
    | 'Rejected'
    | 'UnknownComponent'
    | 'UnknownVariable'
    | 'NotSupportedAttributeType'
    | 'RebootRequired';
  readonly value?: string;
  readonly readOnly?: boolean;
}

export interface CompositeSchedule {
  readonly slotEvse: number;
  readonly slotFlat: number;
  readonly start: Timestamp;
  readonly schedule: ChargingSchedule;
}

/** The view, as a CSMS adapter sees it. */
export interface CsmsHost {
  readonly csms: CsmsId;
  readonly identity: StationIdentity;
  readonly bootReason: BootReason;
  /** Link settings that the CSMS can change: in seconds, and counts. */
  setting(
    name:
      | 'HeartbeatInterval'
      | 'WebSocketPingInterval'
      | 'RetryBackOffWaitMinimum'
      | 'RetryBackOffRandomRange'
      | 'RetryBackOffRepeatTimes'
      | 'MessageTimeout',
  ): number;
  /** Boot accepted (again): the view sends statuses, then the queue. `interval` in seconds, from the CSMS. */
  linkUp(booted: boolean): void;
  linkDown(reason: string): void;
  /** Time according to the CSMS, from Boot or Heartbeat. */
  timeFromCsms(at: Timestamp): void;
  heartbeatInterval(seconds: number): void;
  command(command: CsmsCommand): Promise<CsmsAnswer>;
  /** The flat number of a 1.6 connector and back; undefined: no such slot. */
  slotOf(evse: number, connector?: number): Slot | undefined;
  slotOfFlat(flat: number): Slot | undefined;
}
