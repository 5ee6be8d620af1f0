// What a CSMS's view may ask of the site: the commands of every CSMS, in the site's own numbers, after the view has translated them.
// The gateway decides (roles, owners, reservations, offline chargers) and answers at once or within the station's time-out.
import type { CsmsId, EvseNumber, TransactionUid } from '../kernel/ids.js';
import type { Timestamp } from '../kernel/units.js';
import type {
  ChargingProfile,
  ChargingProfilePurpose,
  ChargingRateUnit,
  ChargingSchedule,
} from '../site/charging-profile.js';
import type { DataTransferAnswer } from '../site/station-event.js';
import type { IdToken, IdTokenInfo } from '../site/tokens.js';
import type { ConnectorType } from '../site/topology.js';
import type { Transaction } from '../site/transaction.js';

export interface ConnectorTarget {
  readonly evse: EvseNumber;
  /** Absent: all connectors of the EVSE. */
  readonly connector?: number;
}

export interface OperationAnswer<Status extends string> {
  readonly status: Status;
  /** At most 20 characters, for 2.0.1 statusInfo.reasonCode. */
  readonly reasonCode?: string;
  readonly detail?: string;
}

export interface Operations {
  /** Without `evse`: the only EVSE where a driver has plugged in and not yet identified, else Rejected. */
  requestStart(
    csms: CsmsId,
    request: {
      readonly idToken: IdToken;
      readonly group?: IdToken;
      readonly target?: ConnectorTarget;
      readonly remoteStartId?: number;
      readonly chargingProfile?: ChargingProfile;
      /** The EVSEs that this CSMS sees. */
      readonly evses: readonly EvseNumber[];
    },
  ): Promise<OperationAnswer<'Accepted' | 'Rejected'> & { readonly transaction?: TransactionUid }>;
  requestStop(csms: CsmsId, transaction: TransactionUid): Promise<OperationAnswer<'Accepted' | 'Rejected'>>;
  unlock(
    csms: CsmsId,
    target: ConnectorTarget,
  ): Promise<
    OperationAnswer<'Unlocked' | 'UnlockFailed' | 'OngoingAuthorizedTransaction' | 'UnknownConnector' | 'NotSupported'>
  >;
  /** Without a target: all EVSEs of the view. Persisted, and applied to stations that are away when they return. */
  changeAvailability(
    csms: CsmsId,
    evses: readonly EvseNumber[],
    target: ConnectorTarget | undefined,
    operative: boolean,
  ): Promise<OperationAnswer<'Accepted' | 'Rejected' | 'Scheduled'>>;
  /** Resets the stations behind these EVSEs (resetScope `site`, or one EVSE). */
  reset(
    csms: CsmsId,
    evses: readonly EvseNumber[],
    kind: 'soft' | 'hard',
    whenIdle: boolean,
  ): Promise<OperationAnswer<'Accepted' | 'Rejected' | 'Scheduled'>>;
  reserve(
    csms: CsmsId,
    request: {
      readonly reservationId: number;
      readonly target?: ConnectorTarget;
      readonly connectorType?: ConnectorType;
      readonly evses: readonly EvseNumber[];
      readonly idToken: IdToken;
      readonly group?: IdToken;
      readonly expiry: Timestamp;
    },
  ): Promise<OperationAnswer<'Accepted' | 'Faulted' | 'Occupied' | 'Rejected' | 'Unavailable'>>;
  cancelReservation(csms: CsmsId, reservationId: number): Promise<OperationAnswer<'Accepted' | 'Rejected'>>;
  sendLocalList(
    csms: CsmsId,
    version: number,
    update: 'Full' | 'Differential',
    entries: readonly { readonly idToken: IdToken; readonly info?: IdTokenInfo }[],
  ): Promise<OperationAnswer<'Accepted' | 'Failed' | 'VersionMismatch'>>;
  localListVersion(csms: CsmsId): number;
  /** How many tokens the CSMS's own list holds. */
  localListEntries(csms: CsmsId): number;
  clearCache(csms: CsmsId): Promise<OperationAnswer<'Accepted' | 'Rejected'>>;
  /** Without an EVSE: the station as a whole. */
  setChargingProfile(
    csms: CsmsId,
    evses: readonly EvseNumber[],
    evse: EvseNumber | undefined,
    profile: ChargingProfile,
  ): Promise<OperationAnswer<'Accepted' | 'Rejected'>>;
  clearChargingProfiles(csms: CsmsId, criteria: ProfileCriteria): Promise<OperationAnswer<'Accepted' | 'Unknown'>>;
  chargingProfiles(
    csms: CsmsId,
    criteria: ProfileCriteria,
  ): readonly { readonly evse: EvseNumber | undefined; readonly profile: ChargingProfile }[];
  /** Without an EVSE: the expected import of the view's EVSEs together. */
  compositeSchedule(
    csms: CsmsId,
    evses: readonly EvseNumber[],
    evse: EvseNumber | undefined,
    duration: number,
    unit: ChargingRateUnit,
  ): { readonly start: Timestamp; readonly schedule: ChargingSchedule };
  /** To the station of this EVSE. */
  dataTransfer(
    csms: CsmsId,
    evse: EvseNumber,
    vendorId: string,
    messageId: string | undefined,
    data: unknown,
  ): Promise<DataTransferAnswer>;
  /** A setting that every station has to follow (class F of the configuration table), or that the gateway keeps (class L). */
  setSiteVariable(
    component: string,
    variable: string,
    instance: string | undefined,
    value: string,
  ): Promise<OperationAnswer<'Accepted' | 'Rejected' | 'RebootRequired'>>;
  siteVariable(component: string, variable: string, instance: string | undefined): string | undefined;
  /** A CSMS's verdict on a token of a transaction, from the answer to its start, to a card in the middle, or to its end. */
  transactionJudged(csms: CsmsId, transaction: TransactionUid, idToken: IdToken, info: IdTokenInfo): void;
  transaction(uid: TransactionUid): Transaction | undefined;
  openTransactions(): readonly Transaction[];
}

export interface ProfileCriteria {
  readonly id?: number;
  readonly evse?: EvseNumber | 'station';
  readonly purpose?: ChargingProfilePurpose;
  readonly stackLevel?: number;
  readonly ids?: readonly number[];
}
