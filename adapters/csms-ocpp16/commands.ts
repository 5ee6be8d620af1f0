// Calls of an OCPP 1.6 CSMS -> canonical commands, and the answers back into its words.
import type { OCPP16 } from 'typed-ocpp';
import type { CsmsHost, SlotReference } from '../../gateway/ports/csms.js';
import { fixed, oneOf, refused, route, type Route, timeOf } from '../ocpp-j/csms-route.js';
import { decodeProfile, encodeComposite, purposeOf } from './charging-profiles.js';
import { changeConfiguration, getConfiguration } from './configuration.js';
import { tokenInfoOf } from './decode-token-info.js';
import { groupOf, type TokenAliases, tokenOf } from '../ocpp-j/token-alias.js';

/** Connector 0 is the station as a whole. */
const connector = (connectorId: number | undefined): SlotReference | undefined =>
  connectorId === undefined || connectorId === 0 ? undefined : { flat: connectorId };

const ACCEPTED_OR_NOT = ['Accepted', 'Rejected'] as const;
const TRIGGER_STATUS = ['Accepted', 'Rejected', 'NotImplemented'] as const;

/** The 2.0.1 names of what 1.6 calls otherwise. */
const TRIGGERS: Readonly<Record<string, string>> = {
  DiagnosticsStatusNotification: 'LogStatusNotification',
  SignChargePointCertificate: 'SignChargingStationCertificate',
};

/** Both kinds of trigger share the canonical command; only their lists of messages differ. */
const trigger = route<
  OCPP16.TriggerMessageRequest | OCPP16.ExtendedTriggerMessageRequest,
  OCPP16.TriggerMessageResponse
>(
  ({ requestedMessage, connectorId }) => {
    const target = connector(connectorId);
    return { type: 'trigger', message: TRIGGERS[requestedMessage] ?? requestedMessage, ...(target && { target }) };
  },
  ({ status }) => ({
    status: status === 'NotSupported' ? 'NotImplemented' : oneOf(status, TRIGGER_STATUS, 'Rejected'),
  }),
);

/** Sends text as it is and everything else as JSON: 1.6 data is a string. */
const dataText = (data: unknown): string | undefined => (typeof data === 'string' ? data : JSON.stringify(data));

export const routes16 = (host: CsmsHost, aliases: TokenAliases): ReadonlyMap<string, Route> =>
  new Map<string, Route>([
    [
      'RemoteStartTransaction',
      route<OCPP16.RemoteStartTransactionRequest, OCPP16.RemoteStartTransactionResponse>(
        ({ idTag, connectorId, chargingProfile }) => ({
          type: 'requestStart',
          idToken: tokenOf(idTag, aliases),
          ...(connectorId !== undefined && { slotFlat: connectorId }),
          ...(chargingProfile && { chargingProfile: decodeProfile(chargingProfile) }),
        }),
        ({ status }) => ({ status: oneOf(status, ACCEPTED_OR_NOT, 'Rejected') }),
      ),
    ],
    [
      'RemoteStopTransaction',
      route<OCPP16.RemoteStopTransactionRequest, OCPP16.RemoteStopTransactionResponse>(
        ({ transactionId }) => ({ type: 'requestStop', transaction: { csmsTransactionId: transactionId } }),
        ({ status }) => ({ status: oneOf(status, ACCEPTED_OR_NOT, 'Rejected') }),
      ),
    ],
    [
      'ReserveNow',
      route<OCPP16.ReserveNowRequest, OCPP16.ReserveNowResponse>(
        ({ connectorId, expiryDate, idTag, parentIdTag, reservationId }) => {
          const target = connector(connectorId);
          return {
            type: 'reserve',
            reservationId,
            idToken: tokenOf(idTag, aliases),
            expiry: timeOf(expiryDate),
            ...groupOf(parentIdTag, aliases),
            ...(target && { target }),
          };
        },
        ({ status }) => ({
          status: oneOf(status, ['Accepted', 'Faulted', 'Occupied', 'Rejected', 'Unavailable'], 'Rejected'),
        }),
      ),
    ],
    [
      'CancelReservation',
      route<OCPP16.CancelReservationRequest, OCPP16.CancelReservationResponse>(
        ({ reservationId }) => ({ type: 'cancelReservation', reservationId }),
        ({ status }) => ({ status: oneOf(status, ACCEPTED_OR_NOT, 'Rejected') }),
      ),
    ],
    [
      'UnlockConnector',
      route<OCPP16.UnlockConnectorRequest, OCPP16.UnlockConnectorResponse>(
        ({ connectorId }) => ({ type: 'unlock', target: { flat: connectorId } }),
        ({ status }) => ({
          // An unknown connector is NotSupported (errata 3.85).
          status:
            status === 'UnknownConnector'
              ? 'NotSupported'
              : oneOf(status, ['Unlocked', 'UnlockFailed', 'NotSupported'], 'UnlockFailed'),
        }),
      ),
    ],
    [
      'ChangeAvailability',
      route<OCPP16.ChangeAvailabilityRequest, OCPP16.ChangeAvailabilityResponse>(
        ({ connectorId, type }) => {
          const target = connector(connectorId);
          return { type: 'changeAvailability', operative: type === 'Operative', ...(target && { target }) };
        },
        ({ status }) => ({ status: oneOf(status, ['Accepted', 'Rejected', 'Scheduled'], 'Rejected') }),
      ),
    ],
    ['TriggerMessage', trigger],
    ['ExtendedTriggerMessage', trigger],
    [
      'Reset',
      route<OCPP16.ResetRequest, OCPP16.ResetResponse>(
        // Soft stops transactions and goes; only 2.0.1 can ask to wait for idle.
        ({ type }) => ({ type: 'reset', kind: type === 'Hard' ? 'hard' : 'soft', whenIdle: false }),
        ({ status }) => ({ status: status === 'Scheduled' ? 'Accepted' : oneOf(status, ACCEPTED_OR_NOT, 'Rejected') }),
      ),
    ],
    ['GetConfiguration', getConfiguration(host)],
    ['ChangeConfiguration', changeConfiguration(host)],
    [
      'SendLocalList',
      route<OCPP16.SendLocalListRequest, OCPP16.SendLocalListResponse>(
        ({ listVersion, localAuthorizationList, updateType }) => ({
          type: 'sendLocalList',
          version: listVersion,
          update: updateType,
          entries: (localAuthorizationList ?? []).map(({ idTag, idTagInfo }) => ({
            idToken: tokenOf(idTag, aliases),
            ...(idTagInfo && { info: tokenInfoOf(idTagInfo, aliases) }),
          })),
        }),
        ({ status }) => ({
          status: oneOf(status, ['Accepted', 'Failed', 'NotSupported', 'VersionMismatch'], 'Failed'),
        }),
      ),
    ],
    [
      'GetLocalListVersion',
      route<OCPP16.GetLocalListVersionRequest, OCPP16.GetLocalListVersionResponse>(
        () => ({ type: 'getLocalListVersion' }),
        // -1: there is no list at all; 0: it is empty (OCPP 1.6 section 5.10).
        ({ status, listVersion }) => ({ listVersion: status === 'NotSupported' ? -1 : (listVersion ?? 0) }),
      ),
    ],
    [
      'ClearCache',
      route<OCPP16.ClearCacheRequest, OCPP16.ClearCacheResponse>(
        () => ({ type: 'clearCache' }),
        ({ status }) => ({ status: oneOf(status, ACCEPTED_OR_NOT, 'Rejected') }),
      ),
    ],
    [
      'SetChargingProfile',
      route<OCPP16.SetChargingProfileRequest, OCPP16.SetChargingProfileResponse>(
        ({ connectorId, csChargingProfiles }) => ({
          type: 'setChargingProfile',
          target: connector(connectorId),
          profile: decodeProfile(csChargingProfiles),
          ...(csChargingProfiles.transactionId !== undefined && {
            csmsTransactionId: csChargingProfiles.transactionId,
          }),
        }),
        ({ status }) => ({ status: oneOf(status, ['Accepted', 'Rejected', 'NotSupported'], 'Rejected') }),
        // An unknown connector (errata 3.39).
        { PropertyConstraintViolation: 'PropertyConstraintViolation', UnknownConnector: 'PropertyConstraintViolation' },
      ),
    ],
    [
      'ClearChargingProfile',
      route<OCPP16.ClearChargingProfileRequest, OCPP16.ClearChargingProfileResponse>(
        ({ id, connectorId, chargingProfilePurpose, stackLevel }) => ({
          type: 'clearChargingProfile',
          ...(id !== undefined && { id }),
          ...(connectorId !== undefined && { target: connector(connectorId) ?? 'station' }),
          ...(chargingProfilePurpose !== undefined && { purpose: purposeOf(chargingProfilePurpose) }),
          ...(stackLevel !== undefined && { stackLevel }),
        }),
        ({ status }) => ({ status: oneOf(status, ['Accepted', 'Unknown'], 'Unknown') }),
      ),
    ],
    [
      'GetCompositeSchedule',
      route<OCPP16.GetCompositeScheduleRequest, OCPP16.GetCompositeScheduleResponse>(
        ({ connectorId, duration, chargingRateUnit }) => ({
          type: 'getCompositeSchedule',
          target: connector(connectorId),
          duration,
          ...(chargingRateUnit !== undefined && { unit: chargingRateUnit }),
        }),
        ({ status, schedule }, { connectorId }) =>
          status === 'Accepted' && schedule ? encodeComposite(schedule, connectorId) : { status: 'Rejected' },
      ),
    ],
    [
      'DataTransfer',
      route<OCPP16.DataTransferRequest, OCPP16.DataTransferResponse>(
        ({ vendorId, messageId, data }) => ({
          type: 'dataTransfer',
          vendorId,
          ...(messageId !== undefined && { messageId }),
          ...(data !== undefined && { data }),
        }),
        ({ status, data }) => {
          const said = dataText(data);
          return {
            status: oneOf(status, ['Accepted', 'Rejected', 'UnknownMessageId', 'UnknownVendorId'], 'Rejected'),
            ...(said !== undefined && { data: said }),
          };
        },
      ),
    ],
    // Firmware, logs and certificates are not carried over this link.
    ['UpdateFirmware', refused('NotSupported', 'Firmware is not updated over this link')],
    ['SignedUpdateFirmware', fixed({ status: 'Rejected' } satisfies OCPP16.SignedUpdateFirmwareResponse)],
    ['GetDiagnostics', fixed({} satisfies OCPP16.GetDiagnosticsResponse)],
    ['GetLog', fixed({ status: 'Rejected' } satisfies OCPP16.GetLogResponse)],
    ['InstallCertificate', fixed({ status: 'Rejected' } satisfies OCPP16.InstallCertificateResponse)],
    ['DeleteCertificate', fixed({ status: 'NotFound' } satisfies OCPP16.DeleteCertificateResponse)],
    ['GetInstalledCertificateIds', fixed({ status: 'NotFound' } satisfies OCPP16.GetInstalledCertificateIdsResponse)],
    ['CertificateSigned', fixed({ status: 'Rejected' } satisfies OCPP16.CertificateSignedResponse)],
  ]);
