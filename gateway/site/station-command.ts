// What the gateway tells a station to do. EVSEs are the site's numbers; the adapter knows its own.
import type { EvseNumber, StationTransactionId } from '../kernel/ids.js';
import type { Ampere, Timestamp } from '../kernel/units.js';
import type { IdToken, IdTokenInfo } from './tokens.js';

/** Offer at most `current` per phase; 0 pauses. Accepted means that the station has confirmed it. */
export interface SetLimit {
  readonly type: 'setLimit';
  readonly evse: EvseNumber;
  readonly current: Ampere;
  /** Only where a switch of phases is meant. */
  readonly phases?: 1 | 3;
  /** The open transaction, where there is one: OCPP chargers get a TxProfile for it. */
  readonly stationTransactionId?: StationTransactionId;
}

export interface RequestStart {
  readonly type: 'requestStart';
  readonly evse: EvseNumber;
  readonly connector?: number;
  readonly idToken: IdToken;
  readonly group?: IdToken;
  readonly remoteStartId: number;
}

export interface RequestStop {
  readonly type: 'requestStop';
  readonly evse: EvseNumber;
  readonly stationTransactionId: StationTransactionId;
}

export interface Unlock {
  readonly type: 'unlock';
  readonly evse: EvseNumber;
  readonly connector: number;
}

export interface ChangeAvailability {
  readonly type: 'changeAvailability';
  /** Absent: the whole station. */
  readonly evse?: EvseNumber;
  readonly connector?: number;
  readonly operative: boolean;
}

/** Soft and Hard as 1.6 has them; 2.0.1 stations get Immediate or, with whenIdle, OnIdle. */
export interface ResetStation {
  readonly type: 'reset';
  readonly evse?: EvseNumber;
  readonly kind: 'soft' | 'hard';
  readonly whenIdle: boolean;
}

export interface ReserveStation {
  readonly type: 'reserve';
  readonly reservationId: number;
  readonly evse: EvseNumber;
  readonly connector?: number;
  readonly idToken: IdToken;
  readonly group?: IdToken;
  readonly expiry: Timestamp;
}

export interface CancelStationReservation {
  readonly type: 'cancelReservation';
  readonly reservationId: number;
}

export interface TriggerStation {
  readonly type: 'trigger';
  readonly message:
    | 'BootNotification'
    | 'Heartbeat'
    | 'StatusNotification'
    | 'MeterValues'
    | 'TransactionEvent'
    | 'FirmwareStatusNotification'
    | 'LogStatusNotification';
  readonly evse?: EvseNumber;
}

/**
 * The list a charger decides by while the gateway itself is away. A charger takes it in portions, each under a version of
 * its own: the last one is `version`, those before count up to it, so that it must be above the list's version before by one
 * for each entry at least.
 */
export interface SendStationList {
  readonly type: 'sendLocalList';
  readonly version: number;
  readonly update: 'Full' | 'Differential';
  /** An entry without info is removed; only in a differential update. */
  readonly entries: readonly { readonly idToken: IdToken; readonly info?: IdTokenInfo }[];
}

/** Accepted, with the version as `data`; 0 where the charger's list is empty. */
export interface GetStationListVersion {
  readonly type: 'getLocalListVersion';
}

/** Configuration in device-model words (translation table K); the 1.6 adapter knows the key of each. */
export interface SetStationVariable {
  readonly type: 'setVariable';
  readonly component: string;
  readonly variable: string;
  readonly instance?: string;
  readonly evse?: EvseNumber;
  readonly value: string;
}

export interface StationDataTransfer {
  readonly type: 'dataTransfer';
  readonly vendorId: string;
  readonly messageId?: string;
  readonly data?: unknown;
}

export type StationCommand =
  | SetLimit
  | RequestStart
  | RequestStop
  | Unlock
  | ChangeAvailability
  | ResetStation
  | ReserveStation
  | CancelStationReservation
  | TriggerStation
  | SendStationList
  | GetStationListVersion
  | SetStationVariable
  | StationDataTransfer;

/**
 * How a command ended. `Offline`: never sent. `Uncertain`: sent, no answer (time-out or lost link), so it may have been
 * carried out. `NotSupported`: the station cannot. All else is the station's own word.
 */
export interface CommandOutcome {
  readonly status:
    | 'Accepted'
    | 'Rejected'
    | 'Scheduled'
    | 'RebootRequired'
    | 'NotSupported'
    | 'Offline'
    | 'Uncertain'
    | 'Unlocked'
    | 'UnlockFailed'
    | 'OngoingAuthorizedTransaction'
    | 'Faulted'
    | 'Occupied'
    | 'Unavailable'
    | 'UnknownMessageId'
    | 'UnknownVendorId'
    | 'VersionMismatch';
  /** For people: what the station or the adapter said. */
  readonly detail?: string;
  readonly data?: unknown;
  /** With `Uncertain`: settles if the station answers after all; perhaps never. */
  readonly later?: Promise<CommandOutcome>;
}
