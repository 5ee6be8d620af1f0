// One minimal valid request for every action that a CSMS may send, in both versions.
import type { Payload } from './wire-record.js';

const TOKEN = { idToken: 'NOBODYS', type: 'ISO14443' };
const SOON = new Date(Date.UTC(2035, 0, 1)).toISOString();
const PEM = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----';
const HASH = { hashAlgorithm: 'SHA256', issuerNameHash: 'aa', issuerKeyHash: 'bb', serialNumber: '1' };
const PROFILE_16 = {
  chargingProfileId: 900,
  stackLevel: 0,
  chargingProfilePurpose: 'TxDefaultProfile',
  chargingProfileKind: 'Relative',
  chargingSchedule: { chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit: 32 }] },
};
const PROFILE_201 = {
  id: 900,
  stackLevel: 0,
  chargingProfilePurpose: 'TxDefaultProfile',
  chargingProfileKind: 'Relative',
  chargingSchedule: [{ id: 1, chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit: 32 }] }],
};
const NOTHING_16 = { connectorId: 99 };

/** Aimed where they change as little as possible: unknown tokens, connectors and ids. */
export const REQUESTS_16: Readonly<Record<string, Payload>> = {
  CancelReservation: { reservationId: 4242 },
  CertificateSigned: { certificateChain: PEM },
  ChangeAvailability: { connectorId: 1, type: 'Operative' },
  ChangeConfiguration: { key: 'NoSuchKey', value: '1' },
  ClearCache: {},
  ClearChargingProfile: { id: 900 },
  DataTransfer: { vendorId: 'com.example', data: 'x' },
  DeleteCertificate: { certificateHashData: HASH },
  ExtendedTriggerMessage: { requestedMessage: 'Heartbeat' },
  GetCompositeSchedule: { connectorId: 0, duration: 3600 },
  GetConfiguration: {},
  GetDiagnostics: { location: 'ftp://127.0.0.1/none' },
  GetInstalledCertificateIds: { certificateType: 'CentralSystemRootCertificate' },
  GetLocalListVersion: {},
  GetLog: { logType: 'SecurityLog', requestId: 1, log: { remoteLocation: 'http://127.0.0.1/none' } },
  InstallCertificate: { certificateType: 'CentralSystemRootCertificate', certificate: PEM },
  RemoteStartTransaction: { idTag: 'NOBODYS', ...NOTHING_16 },
  RemoteStopTransaction: { transactionId: 424242 },
  ReserveNow: { ...NOTHING_16, expiryDate: SOON, idTag: 'NOBODYS', reservationId: 4242 },
  SendLocalList: { listVersion: 1, updateType: 'Full', localAuthorizationList: [] },
  SetChargingProfile: { connectorId: 1, csChargingProfiles: PROFILE_16 },
  SignedUpdateFirmware: {
    requestId: 1,
    firmware: { location: 'http://127.0.0.1/none', retrieveDateTime: SOON, signingCertificate: PEM, signature: 'x' },
  },
  TriggerMessage: { requestedMessage: 'StatusNotification' },
  UnlockConnector: NOTHING_16,
  UpdateFirmware: { location: 'ftp://127.0.0.1/none', retrieveDate: SOON },
};

export const REQUESTS_201: Readonly<Record<string, Payload>> = {
  CancelReservation: { reservationId: 4242 },
  CertificateSigned: { certificateChain: PEM },
  ChangeAvailability: { operationalStatus: 'Operative', evse: { id: 1 } },
  ClearCache: {},
  ClearChargingProfile: { chargingProfileId: 900 },
  ClearDisplayMessage: { id: 1 },
  ClearVariableMonitoring: { id: [1] },
  CostUpdated: { totalCost: 1.5, transactionId: 'none' },
  CustomerInformation: { requestId: 1, report: true, clear: false, customerIdentifier: 'x' },
  DataTransfer: { vendorId: 'com.example', data: { any: [1, 'x'] } },
  DeleteCertificate: { certificateHashData: HASH },
  GetBaseReport: { requestId: 2, reportBase: 'SummaryInventory' },
  GetChargingProfiles: { requestId: 3, chargingProfile: {} },
  GetCompositeSchedule: { duration: 3600, evseId: 0 },
  GetDisplayMessages: { requestId: 4 },
  GetInstalledCertificateIds: {},
  GetLocalListVersion: {},
  GetLog: { logType: 'DiagnosticsLog', requestId: 5, log: { remoteLocation: 'http://127.0.0.1/none' } },
  GetMonitoringReport: { requestId: 6 },
  GetReport: { requestId: 7, componentCriteria: ['Active'] },
  GetTransactionStatus: {},
  GetVariables: { getVariableData: [{ component: { name: 'No' }, variable: { name: 'Such' } }] },
  InstallCertificate: { certificateType: 'CSMSRootCertificate', certificate: PEM },
  PublishFirmware: { location: 'http://127.0.0.1/none', checksum: '0'.repeat(32), requestId: 8 },
  RequestStartTransaction: { idToken: TOKEN, remoteStartId: 1, evseId: 99 },
  RequestStopTransaction: { transactionId: 'none' },
  ReserveNow: { id: 4242, expiryDateTime: SOON, idToken: TOKEN, evseId: 99 },
  SendLocalList: {
    versionNumber: 1,
    updateType: 'Full',
    localAuthorizationList: [{ idToken: TOKEN, idTokenInfo: { status: 'Invalid' } }],
  },
  SetChargingProfile: { evseId: 1, chargingProfile: PROFILE_201 },
  SetDisplayMessage: { message: { id: 1, priority: 'NormalCycle', message: { format: 'UTF8', content: 'x' } } },
  SetMonitoringBase: { monitoringBase: 'All' },
  SetMonitoringLevel: { severity: 5 },
  SetNetworkProfile: {
    configurationSlot: 2,
    connectionData: {
      ocppVersion: 'OCPP20',
      ocppTransport: 'JSON',
      ocppCsmsUrl: 'wss://elsewhere.example',
      messageTimeout: 30,
      securityProfile: 2,
      ocppInterface: 'Wired0',
    },
  },
  SetVariableMonitoring: {
    setMonitoringData: [
      { value: 1, type: 'Periodic', severity: 5, component: { name: 'EVSE' }, variable: { name: 'Power' } },
    ],
  },
  SetVariables: {
    setVariableData: [{ attributeValue: '1', component: { name: 'No' }, variable: { name: 'Such' } }],
  },
  TriggerMessage: { requestedMessage: 'StatusNotification', evse: { id: 1, connectorId: 1 } },
  UnlockConnector: { evseId: 99, connectorId: 1 },
  UnpublishFirmware: { checksum: '0'.repeat(32) },
  UpdateFirmware: { requestId: 9, firmware: { location: 'http://127.0.0.1/none', retrieveDateTime: SOON } },
};
