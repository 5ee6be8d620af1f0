// Calls of an OCPP 2.0.1 CSMS -> canonical commands, and the answers back into its words.
import type { OCPP20 } from 'typed-ocpp';
import type { SlotReference } from '../../gateway/ports/csms.js';
import { transactionUid } from '../../gateway/kernel/ids.js';
import type { ConnectorType } from '../../gateway/site/topology.js';
import { oneOf, route, type Route, timeOf } from '../ocpp-j/csms-route.js';
import { decodeProfile, encodeComposite } from './charging-profiles.js';
import { statusOf } from './statuses.js';
import { tokenInfoOf, tokenOf } from './tokens.js';
import { UNSUPPORTED } from './unsupported.js';
import { getBaseReport, getReport, getVariables, setVariables } from './variables.js';

/** The schema takes any JSON; its generated type only objects. */
type AnyData = NonNullable<OCPP20.DataTransferResponse['data']>;

const ACCEPTED_OR_NOT = ['Accepted', 'Rejected'] as const;

/** EVSE 0 is the station as a whole. */
const evseTarget = (evseId: number | undefined): SlotReference | undefined =>
  evseId === undefined || evseId === 0 ? undefined : { evse: evseId };

const evseReference = (evse: { id: number; connectorId?: number } | undefined): SlotReference | undefined =>
  evse === undefined || evse.id === 0
    ? undefined
    : { evse: evse.id, ...(evse.connectorId !== undefined && { connector: evse.connectorId }) };

/** Plugs that a site knows; every other one is `Other`, and "Unknown" asks for none in particular. */
const PLUGS: Readonly<Record<string, ConnectorType | undefined>> = {
  cCCS1: 'CCS1',
  cCCS2: 'CCS2',
  cG105: 'CHAdeMO',
  cTesla: 'NACS',
  cType1: 'Type1',
  cType2: 'Type2',
  sType2: 'Type2',
  'sCEE-7-7': 'Schuko',
};
const ANY_PLUG: ReadonlySet<string> = new Set(['Undetermined', 'Unknown']);

const getChargingProfiles = route<OCPP20.GetChargingProfilesRequest, OCPP20.GetChargingProfilesResponse>(
  ({ requestId, evseId, chargingProfile: asked }) => ({
    type: 'getChargingProfiles',
    requestId,
    ...(evseId !== undefined && { slotEvse: evseId }),
    ...(asked.chargingProfileId && { ids: asked.chargingProfileId }),
    ...(asked.chargingProfilePurpose !== undefined && { purpose: asked.chargingProfilePurpose }),
    ...(asked.stackLevel !== undefined && { stackLevel: asked.stackLevel }),
    ...(asked.chargingLimitSource && { sources: asked.chargingLimitSource }),
  }),
  (answer) => statusOf(answer, ['Accepted', 'NoProfiles'], 'NoProfiles'),
);

export const ROUTES_201: ReadonlyMap<string, Route> = new Map<string, Route>([
  ...UNSUPPORTED,
  [
    'RequestStartTransaction',
    route<OCPP20.RequestStartTransactionRequest, OCPP20.RequestStartTransactionResponse>(
      ({ idToken, groupIdToken, evseId, remoteStartId, chargingProfile }) => ({
        type: 'requestStart',
        idToken: tokenOf(idToken),
        remoteStartId,
        ...(groupIdToken && { group: tokenOf(groupIdToken) }),
        ...(evseId !== undefined && { slotEvse: evseId }),
        ...(chargingProfile && { chargingProfile: decodeProfile(chargingProfile) }),
      }),
      (answer) => ({
        ...statusOf(answer, ACCEPTED_OR_NOT, 'Rejected'),
        ...(answer.transaction !== undefined && { transactionId: answer.transaction }),
      }),
    ),
  ],
  [
    'RequestStopTransaction',
    route<OCPP20.RequestStopTransactionRequest, OCPP20.RequestStopTransactionResponse>(
      ({ transactionId }) => ({ type: 'requestStop', transaction: { uid: transactionUid(transactionId) } }),
      (answer) => statusOf(answer, ACCEPTED_OR_NOT, 'Rejected'),
    ),
  ],
  [
    'GetTransactionStatus',
    route<OCPP20.GetTransactionStatusRequest, OCPP20.GetTransactionStatusResponse>(
      ({ transactionId }) => ({
        type: 'getTransactionStatus',
        ...(transactionId !== undefined && { transaction: { uid: transactionUid(transactionId) } }),
      }),
      ({ transactionStatus }, { transactionId }) => ({
        messagesInQueue: transactionStatus?.messagesInQueue ?? false,
        // Without an id the question is about the queue only (E14.FR.06).
        ...(transactionId !== undefined &&
          transactionStatus?.ongoing !== undefined && { ongoingIndicator: transactionStatus.ongoing }),
      }),
    ),
  ],
  [
    'ReserveNow',
    route<OCPP20.ReserveNowRequest, OCPP20.ReserveNowResponse>(
      ({ id, expiryDateTime, connectorType, idToken, evseId, groupIdToken }) => {
        const target = evseTarget(evseId);
        return {
          type: 'reserve',
          reservationId: id,
          idToken: tokenOf(idToken),
          expiry: timeOf(expiryDateTime),
          ...(groupIdToken && { group: tokenOf(groupIdToken) }),
          ...(connectorType !== undefined &&
            !ANY_PLUG.has(connectorType) && { connectorType: PLUGS[connectorType] ?? 'Other' }),
          ...(target && { target }),
        };
      },
      (answer) => statusOf(answer, ['Accepted', 'Faulted', 'Occupied', 'Rejected', 'Unavailable'], 'Rejected'),
    ),
  ],
  [
    'CancelReservation',
    route<OCPP20.CancelReservationRequest, OCPP20.CancelReservationResponse>(
      ({ reservationId }) => ({ type: 'cancelReservation', reservationId }),
      (answer) => statusOf(answer, ACCEPTED_OR_NOT, 'Rejected'),
    ),
  ],
  [
    'UnlockConnector',
    route<OCPP20.UnlockConnectorRequest, OCPP20.UnlockConnectorResponse>(
      ({ evseId, connectorId }) => ({ type: 'unlock', target: { evse: evseId, connector: connectorId } }),
      (answer) =>
        statusOf(
          answer,
          ['Unlocked', 'UnlockFailed', 'OngoingAuthorizedTransaction', 'UnknownConnector'],
          'UnlockFailed',
        ),
    ),
  ],
  [
    'ChangeAvailability',
    route<OCPP20.ChangeAvailabilityRequest, OCPP20.ChangeAvailabilityResponse>(
      ({ evse, operationalStatus }) => {
        const target = evseReference(evse);
        return {
          type: 'changeAvailability',
          operative: operationalStatus === 'Operative',
          ...(target && { target }),
        };
      },
      (answer) => statusOf(answer, ['Accepted', 'Rejected', 'Scheduled'], 'Rejected'),
    ),
  ],
  [
    'TriggerMessage',
    route<OCPP20.TriggerMessageRequest, OCPP20.TriggerMessageResponse>(
      ({ requestedMessage, evse }) => {
        const target = evseReference(evse);
        return { type: 'trigger', message: requestedMessage, ...(target && { target }) };
      },
      (answer) =>
        statusOf(
          answer.status === 'NotSupported' ? { ...answer, status: 'NotImplemented' } : answer,
          ['Accepted', 'Rejected', 'NotImplemented'],
          'Rejected',
        ),
    ),
  ],
  [
    'Reset',
    route<OCPP20.ResetRequest, OCPP20.ResetResponse>(
      // Immediate stops transactions and goes, as Soft does in 1.6; Hard is for stations that do not obey.
      ({ type, evseId }) => ({
        type: 'reset',
        kind: 'soft',
        whenIdle: type === 'OnIdle',
        ...(evseId !== undefined && { slotEvse: evseId }),
      }),
      (answer) => statusOf(answer, ['Accepted', 'Rejected', 'Scheduled'], 'Rejected'),
    ),
  ],
  ['GetVariables', getVariables],
  ['SetVariables', setVariables],
  ['GetBaseReport', getBaseReport],
  ['GetReport', getReport],
  [
    'SendLocalList',
    route<OCPP20.SendLocalListRequest, OCPP20.SendLocalListResponse>(
      ({ versionNumber, updateType, localAuthorizationList }) => ({
        type: 'sendLocalList',
        version: versionNumber,
        update: updateType,
        entries: (localAuthorizationList ?? []).map(({ idToken, idTokenInfo }) => ({
          idToken: tokenOf(idToken),
          ...(idTokenInfo && { info: tokenInfoOf(idTokenInfo) }),
        })),
      }),
      (answer) => statusOf(answer, ['Accepted', 'Failed', 'VersionMismatch'], 'Failed'),
      { NotSupported: 'NotSupported' },
    ),
  ],
  [
    'GetLocalListVersion',
    route<OCPP20.GetLocalListVersionRequest, OCPP20.GetLocalListVersionResponse>(
      () => ({ type: 'getLocalListVersion' }),
      ({ listVersion }) => ({ versionNumber: Math.max(0, listVersion ?? 0) }),
    ),
  ],
  [
    'ClearCache',
    route<OCPP20.ClearCacheRequest, OCPP20.ClearCacheResponse>(
      () => ({ type: 'clearCache' }),
      (answer) => statusOf(answer, ACCEPTED_OR_NOT, 'Rejected'),
    ),
  ],
  [
    'SetChargingProfile',
    route<OCPP20.SetChargingProfileRequest, OCPP20.SetChargingProfileResponse>(
      ({ evseId, chargingProfile }) => ({
        type: 'setChargingProfile',
        target: evseTarget(evseId),
        profile: decodeProfile(chargingProfile),
      }),
      (answer) => statusOf(answer, ACCEPTED_OR_NOT, 'Rejected'),
      // K01.FR.29
      { NotSupported: 'NotSupported' },
    ),
  ],
  [
    'ClearChargingProfile',
    route<OCPP20.ClearChargingProfileRequest, OCPP20.ClearChargingProfileResponse>(
      ({ chargingProfileId, chargingProfileCriteria: criteria }) => ({
        type: 'clearChargingProfile',
        ...(chargingProfileId !== undefined && { id: chargingProfileId }),
        ...(criteria?.evseId !== undefined && { target: evseTarget(criteria.evseId) ?? 'station' }),
        ...(criteria?.chargingProfilePurpose !== undefined && { purpose: criteria.chargingProfilePurpose }),
        ...(criteria?.stackLevel !== undefined && { stackLevel: criteria.stackLevel }),
      }),
      (answer) => statusOf(answer, ['Accepted', 'Unknown'], 'Unknown'),
    ),
  ],
  ['GetChargingProfiles', getChargingProfiles],
  [
    'GetCompositeSchedule',
    route<OCPP20.GetCompositeScheduleRequest, OCPP20.GetCompositeScheduleResponse>(
      ({ evseId, duration, chargingRateUnit }) => ({
        type: 'getCompositeSchedule',
        target: evseTarget(evseId),
        duration,
        ...(chargingRateUnit !== undefined && { unit: chargingRateUnit }),
      }),
      (answer, { evseId, duration }) => {
        const { schedule } = answer;
        if (answer.status === 'Accepted' && schedule && schedule.schedule.periods.length > 0)
          return { status: 'Accepted', schedule: encodeComposite(schedule, evseId, duration) };
        return { ...statusOf(answer, ACCEPTED_OR_NOT, 'Rejected'), status: 'Rejected' };
      },
    ),
  ],
  [
    'DataTransfer',
    route<OCPP20.DataTransferRequest, OCPP20.DataTransferResponse>(
      ({ vendorId, messageId, data }) => ({
        type: 'dataTransfer',
        vendorId,
        ...(messageId !== undefined && { messageId }),
        ...(data !== undefined && { data }),
      }),
      ({ status, data }) => ({
        status: oneOf(status, ['Accepted', 'Rejected', 'UnknownMessageId', 'UnknownVendorId'], 'Rejected'),
        ...(data !== undefined && { data: data as AnyData }),
      }),
    ),
  ],
]);
