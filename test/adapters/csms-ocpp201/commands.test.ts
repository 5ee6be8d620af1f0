// What an OCPP 2.0.1 CSMS may ask, and the words in which it is answered (tables E, I, J and K of the translation).
import t from 'tap';
import { openOcpp201Csms } from '../../../adapters/csms-ocpp201/link.js';
import type { Payload } from '../../../adapters/ocpp-j/contract.js';
import { transactionUid } from '../../../gateway/kernel/ids.js';
import type { CsmsAnswer } from '../../../gateway/ports/csms.js';
import { AT, AT_TEXT, csmsOf, settle, TOKEN, wiring } from '../csms-ocpp16/rig.js';

async function open() {
  const wired = await wiring('ocpp2.0.1');
  const link = openOcpp201Csms(csmsOf('2.0.1'), wired.host, wired.context, wired.csms.dial);
  link.start();
  await settle();
  return { ...wired, link };
}

const uid = transactionUid('0190a5b0-0000-7000-8000-000000000001');
const schedule = {
  id: 1,
  duration: 600,
  startSchedule: AT_TEXT,
  chargingRateUnit: 'W',
  minChargingRate: 1000,
  chargingSchedulePeriod: [{ startPeriod: 0, limit: 7000, numberPhases: 1, phaseToUse: 3 }],
};
const profile201 = {
  id: 7,
  stackLevel: 0,
  chargingProfilePurpose: 'TxProfile',
  chargingProfileKind: 'Absolute',
  transactionId: uid,
  validTo: AT_TEXT,
  chargingSchedule: [schedule],
};
const profile = {
  id: 7,
  stackLevel: 0,
  purpose: 'TxProfile',
  kind: 'Absolute',
  validTo: AT,
  transaction: uid,
  schedules: [
    {
      id: 1,
      unit: 'W',
      duration: 600,
      startSchedule: AT,
      minChargingRate: 1000,
      periods: [{ startPeriod: 0, limit: 7000, numberPhases: 1, phaseToUse: 3 }],
    },
  ],
};
const A: CsmsAnswer = { status: 'Accepted' };
const said = (status: string) => ({ status });
const lost = (status: string, reasonCode: string) => ({ status, statusInfo: { reasonCode } });

/** action, request, command, answer of the view, response. */
const TABLE: readonly (readonly [string, Payload, object, CsmsAnswer, Payload])[] = [
  [
    'RequestStartTransaction',
    { idToken: TOKEN, remoteStartId: 5, evseId: 2, groupIdToken: TOKEN, chargingProfile: profile201 },
    { type: 'requestStart', idToken: TOKEN, remoteStartId: 5, group: TOKEN, slotEvse: 2, chargingProfile: profile },
    { ...A, transaction: uid },
    { status: 'Accepted', transactionId: uid },
  ],
  [
    'RequestStartTransaction',
    { idToken: TOKEN, remoteStartId: 5 },
    { type: 'requestStart', idToken: TOKEN, remoteStartId: 5 },
    { status: 'Rejected', reasonCode: 'x'.repeat(30), detail: 'why' },
    { status: 'Rejected', statusInfo: { reasonCode: 'x'.repeat(20), additionalInfo: 'why' } },
  ],
  [
    'RequestStopTransaction',
    { transactionId: uid },
    { type: 'requestStop', transaction: { uid } },
    A,
    said('Accepted'),
  ],
  [
    'GetTransactionStatus',
    { transactionId: uid },
    { type: 'getTransactionStatus', transaction: { uid } },
    { ...A, transactionStatus: { ongoing: true, messagesInQueue: true } },
    { ongoingIndicator: true, messagesInQueue: true },
  ],
  [
    'GetTransactionStatus',
    {},
    { type: 'getTransactionStatus' },
    { ...A, transactionStatus: { ongoing: true, messagesInQueue: false } },
    { messagesInQueue: false },
  ],
  [
    'ReserveNow',
    { id: 4, expiryDateTime: AT_TEXT, connectorType: 'cCCS2', idToken: TOKEN },
    { type: 'reserve', reservationId: 4, idToken: TOKEN, expiry: AT, connectorType: 'CCS2' },
    { status: 'Unavailable' },
    said('Unavailable'),
  ],
  [
    'ReserveNow',
    { id: 4, expiryDateTime: AT_TEXT, connectorType: 'Unknown', idToken: TOKEN, evseId: 1, groupIdToken: TOKEN },
    { type: 'reserve', reservationId: 4, idToken: TOKEN, expiry: AT, group: TOKEN, target: { evse: 1 } },
    A,
    said('Accepted'),
  ],
  [
    'CancelReservation',
    { reservationId: 4 },
    { type: 'cancelReservation', reservationId: 4 },
    { status: 'Rejected' },
    said('Rejected'),
  ],
  [
    'UnlockConnector',
    { evseId: 2, connectorId: 1 },
    { type: 'unlock', target: { evse: 2, connector: 1 } },
    { status: 'NotSupported' },
    lost('UnlockFailed', 'NotSupported'),
  ],
  [
    'UnlockConnector',
    { evseId: 2, connectorId: 1 },
    { type: 'unlock', target: { evse: 2, connector: 1 } },
    { status: 'OngoingAuthorizedTransaction' },
    said('OngoingAuthorizedTransaction'),
  ],
  [
    'ChangeAvailability',
    { operationalStatus: 'Operative' },
    { type: 'changeAvailability', operative: true },
    { status: 'Scheduled' },
    said('Scheduled'),
  ],
  [
    'ChangeAvailability',
    { operationalStatus: 'Inoperative', evse: { id: 1, connectorId: 2 } },
    { type: 'changeAvailability', operative: false, target: { evse: 1, connector: 2 } },
    A,
    said('Accepted'),
  ],
  [
    'TriggerMessage',
    { requestedMessage: 'TransactionEvent', evse: { id: 2 } },
    { type: 'trigger', message: 'TransactionEvent', target: { evse: 2 } },
    { status: 'NotSupported' },
    said('NotImplemented'),
  ],
  [
    'Reset',
    { type: 'OnIdle' },
    { type: 'reset', kind: 'soft', whenIdle: true },
    { status: 'Scheduled' },
    said('Scheduled'),
  ],
  [
    'Reset',
    { type: 'Immediate', evseId: 1 },
    { type: 'reset', kind: 'soft', whenIdle: false, slotEvse: 1 },
    { status: 'Failed' },
    lost('Rejected', 'Failed'),
  ],
  [
    'GetBaseReport',
    { requestId: 3, reportBase: 'SummaryInventory' },
    { type: 'getReport', requestId: 3, base: 'SummaryInventory' },
    { status: 'EmptyResultSet' },
    said('EmptyResultSet'),
  ],
  [
    'SendLocalList',
    {
      versionNumber: 2,
      updateType: 'Full',
      localAuthorizationList: [{ idToken: TOKEN, idTokenInfo: { status: 'Accepted', chargingPriority: 2 } }],
    },
    {
      type: 'sendLocalList',
      version: 2,
      update: 'Full',
      entries: [{ idToken: TOKEN, info: { status: 'Accepted', chargingPriority: 2 } }],
    },
    { status: 'Rejected' },
    lost('Failed', 'Rejected'),
  ],
  ['GetLocalListVersion', {}, { type: 'getLocalListVersion' }, { ...A, listVersion: -1 }, { versionNumber: 0 }],
  ['ClearCache', {}, { type: 'clearCache' }, A, said('Accepted')],
  [
    'SetChargingProfile',
    { evseId: 0, chargingProfile: profile201 },
    { type: 'setChargingProfile', target: undefined, profile },
    { status: 'Rejected', reasonCode: 'DuplicateProfile' },
    lost('Rejected', 'DuplicateProfile'),
  ],
  [
    'ClearChargingProfile',
    { chargingProfileId: 7 },
    { type: 'clearChargingProfile', id: 7 },
    { status: 'Unknown' },
    said('Unknown'),
  ],
  [
    'ClearChargingProfile',
    { chargingProfileCriteria: { evseId: 0, chargingProfilePurpose: 'TxDefaultProfile', stackLevel: 1 } },
    { type: 'clearChargingProfile', target: 'station', purpose: 'TxDefaultProfile', stackLevel: 1 },
    A,
    said('Accepted'),
  ],
  [
    'GetChargingProfiles',
    { requestId: 6, evseId: 0, chargingProfile: { chargingProfileId: [1, 2], stackLevel: 0 } },
    { type: 'getChargingProfiles', requestId: 6, slotEvse: 0, ids: [1, 2], stackLevel: 0 },
    { status: 'NoProfiles' },
    said('NoProfiles'),
  ],
  [
    'GetCompositeSchedule',
    { evseId: 1, duration: 900, chargingRateUnit: 'A' },
    { type: 'getCompositeSchedule', target: { evse: 1 }, duration: 900, unit: 'A' },
    {
      ...A,
      schedule: {
        slotEvse: 1,
        slotFlat: 1,
        start: AT,
        schedule: { unit: 'A', periods: [{ startPeriod: 0, limit: 16, numberPhases: 3 }] },
      },
    },
    {
      status: 'Accepted',
      schedule: {
        evseId: 1,
        duration: 900,
        scheduleStart: AT_TEXT,
        chargingRateUnit: 'A',
        chargingSchedulePeriod: [{ startPeriod: 0, limit: 16, numberPhases: 3 }],
      },
    },
  ],
  [
    'GetCompositeSchedule',
    { evseId: 9, duration: 900 },
    { type: 'getCompositeSchedule', target: { evse: 9 }, duration: 900 },
    { status: 'Rejected', reasonCode: 'UnknownEvse' },
    lost('Rejected', 'UnknownEvse'),
  ],
  [
    'DataTransfer',
    { vendorId: 'v', data: { a: 1 } },
    { type: 'dataTransfer', vendorId: 'v', data: { a: 1 } },
    { status: 'UnknownVendorId' },
    said('UnknownVendorId'),
  ],
];

t.test('every command: request, canonical command, answer, response', async (t) => {
  const { csms, host } = await open();
  for (const [action, request, command, answer, response] of TABLE) {
    host.answer = () => answer;
    t.strictSame(await csms.ask(action, request), response, `${action} response`);
    t.strictSame(host.commands.at(-1), command, `${action} command`);
  }
  t.equal(host.commands.length, TABLE.length);
});

t.test('K01.FR.29: unsupported smart charging and lists are CALLERRORs', async (t) => {
  const { csms, host } = await open();
  host.answer = () => ({ status: 'NotSupported' });
  t.equal(await csms.ask('SetChargingProfile', { evseId: 1, chargingProfile: profile201 }), 'NotSupported');
  t.equal(await csms.ask('SendLocalList', { versionNumber: 1, updateType: 'Full' }), 'NotSupported');
});

t.test('K09: profiles are asked for by who set them', async (t) => {
  const { csms, host } = await open();
  host.answer = () => ({ status: 'NoProfiles' });
  await csms.ask('GetChargingProfiles', { requestId: 1, chargingProfile: { chargingLimitSource: ['EMS', 'SO'] } });
  t.match(host.commands.at(-1), { type: 'getChargingProfiles', sources: ['EMS', 'SO'] });
});

t.test('variables: answers in the order of the question, with its component, or Rejected', async (t) => {
  const { csms, host } = await open();
  const component = { name: 'EVSE', instance: 'i', evse: { id: 2, connectorId: 1 } };
  const variable = { name: 'Power', instance: 'v' };
  const reference = {
    component: 'EVSE',
    componentInstance: 'i',
    evse: 2,
    connector: 1,
    variable: 'Power',
    instance: 'v',
  };
  host.answer = () => ({
    status: 'Accepted',
    variables: [{ component: 'x', variable: 'y', status: 'Accepted', value: 'ü'.repeat(3000) }],
  });
  const read = await csms.ask('GetVariables', {
    getVariableData: [
      { component, variable, attributeType: 'MaxSet' },
      { component: { name: 'A' }, variable: { name: 'B' } },
    ],
  });
  t.strictSame(read, {
    getVariableResult: [
      { attributeStatus: 'Accepted', attributeType: 'MaxSet', attributeValue: 'ü'.repeat(2500), component, variable },
      { attributeStatus: 'Rejected', component: { name: 'A' }, variable: { name: 'B' } },
    ],
  });
  t.strictSame(host.commands.at(-1), {
    type: 'getVariables',
    variables: [
      { ...reference, attribute: 'MaxSet' },
      { component: 'A', variable: 'B' },
    ],
  });
  host.answer = () => ({
    status: 'Accepted',
    variables: [{ component: 'x', variable: 'y', status: 'RebootRequired' }],
  });
  t.strictSame(
    await csms.ask('SetVariables', {
      setVariableData: [
        { component, variable, attributeValue: '5' },
        { component, variable, attributeType: 'Target', attributeValue: '6' },
      ],
    }),
    {
      setVariableResult: [
        { attributeStatus: 'RebootRequired', component, variable },
        { attributeStatus: 'Rejected', attributeType: 'Target', component, variable },
      ],
    },
  );
  t.strictSame(host.commands.at(-1), {
    type: 'setVariables',
    variables: [
      { ...reference, value: '5' },
      { ...reference, attribute: 'Target', value: '6' },
    ],
  });
});

t.test('every action that a CSMS can send has an answer within its schema', async (t) => {
  const { csms, host } = await open();
  const hash = { hashAlgorithm: 'SHA256', issuerNameHash: 'a', issuerKeyHash: 'b', serialNumber: '1' };
  const place = { component: { name: 'A' }, variable: { name: 'B' } };
  const rows: readonly (readonly [string, Payload, Payload])[] = [
    ['CertificateSigned', { certificateChain: 'c' }, said('Rejected')],
    ['ClearDisplayMessage', { id: 1 }, said('Unknown')],
    [
      'ClearVariableMonitoring',
      { id: [1, 2] },
      {
        clearMonitoringResult: [
          { id: 1, status: 'NotFound' },
          { id: 2, status: 'NotFound' },
        ],
      },
    ],
    ['CostUpdated', { totalCost: 1.5, transactionId: 'x' }, {}],
    ['CustomerInformation', { requestId: 1, report: true, clear: false }, said('Rejected')],
    ['DeleteCertificate', { certificateHashData: hash }, said('NotFound')],
    ['GetDisplayMessages', { requestId: 1 }, said('Unknown')],
    ['GetInstalledCertificateIds', {}, said('NotFound')],
    ['GetLog', { log: { remoteLocation: 'x' }, logType: 'SecurityLog', requestId: 1 }, said('Rejected')],
    ['GetMonitoringReport', { requestId: 1 }, said('NotSupported')],
    ['InstallCertificate', { certificateType: 'CSMSRootCertificate', certificate: 'c' }, said('Rejected')],
    ['PublishFirmware', { location: 'x', checksum: 'c', requestId: 1 }, said('Rejected')],
    [
      'SetDisplayMessage',
      { message: { id: 1, priority: 'InFront', message: { format: 'UTF8', content: 'x' } } },
      said('Rejected'),
    ],
    ['SetMonitoringBase', { monitoringBase: 'All' }, said('NotSupported')],
    ['SetMonitoringLevel', { severity: 3 }, said('Rejected')],
    [
      'SetNetworkProfile',
      {
        configurationSlot: 1,
        connectionData: {
          ocppVersion: 'OCPP20',
          ocppTransport: 'JSON',
          ocppCsmsUrl: 'wss://elsewhere',
          messageTimeout: 30,
          securityProfile: 2,
          ocppInterface: 'Wired0',
        },
      },
      said('Rejected'),
    ],
    [
      'SetVariableMonitoring',
      { setMonitoringData: [{ value: 1, type: 'Delta', severity: 3, ...place }] },
      { setMonitoringResult: [{ status: 'UnsupportedMonitorType', type: 'Delta', severity: 3, ...place }] },
    ],
    ['UnpublishFirmware', { checksum: 'c' }, said('NoFirmware')],
    ['UpdateFirmware', { requestId: 1, firmware: { location: 'x', retrieveDateTime: AT_TEXT } }, said('Rejected')],
  ];
  for (const [action, request, response] of rows) t.strictSame(await csms.ask(action, request), response, action);
  t.equal(host.commands.length, 0);
  // Those that only a station sends, and the two that a CSMS answers.
  const toCsms =
    /^(Authorize|BootNotification|Cleared|FirmwareStatus|Get15118|GetCertificateStatus|Heartbeat|LogStatus|MeterValues|Notify|PublishFirmwareStatus|Report|ReservationStatus|SecurityEvent|SignCertificate|StatusNotification|TransactionEvent)/;
  const fromCsms = [...csms.validators.actions].filter((action) => !toCsms.test(action)).sort();
  const tested = new Set([...rows, ...TABLE].map(([action]) => action))
    .add('GetVariables')
    .add('SetVariables')
    .add('GetReport');
  t.strictSame([...tested].sort(), fromCsms, 'none is forgotten');
});
