// What an OCPP 1.6 CSMS may ask, and the words in which it is answered (tables E, I, J and K of the translation).
import t from 'tap';
import {
  CONFIGURATION_KEYS,
  findKey,
  toKeyValue,
  toVariableValue,
  type VariableKey,
} from '../../../adapters/csms-ocpp16/configuration-keys.js';
import { getConfiguration } from '../../../adapters/csms-ocpp16/configuration.js';
import { openOcpp16Csms } from '../../../adapters/csms-ocpp16/link.js';
import type { Payload } from '../../../adapters/ocpp-j/contract.js';
import { answerBy, route, timeOf } from '../../../adapters/ocpp-j/csms-route.js';
import type { CsmsAnswer, CsmsCommand } from '../../../gateway/ports/csms.js';
import { aliasTable, AT, AT_TEXT, csmsOf, settle, wiring } from './rig.js';

async function open() {
  const wired = await wiring('ocpp1.6');
  const link = openOcpp16Csms(csmsOf('1.6'), wired.host, wired.context, wired.csms.dial, { aliases: aliasTable() });
  link.start();
  await settle();
  return { ...wired, link };
}

const central = (idToken: string) => ({ idToken, type: 'Central' }) as const;
const profile16 = {
  chargingProfileId: 7,
  transactionId: 113,
  stackLevel: 2,
  chargingProfilePurpose: 'ChargePointMaxProfile',
  chargingProfileKind: 'Absolute',
  validFrom: AT_TEXT,
  chargingSchedule: {
    duration: 600,
    startSchedule: AT_TEXT,
    chargingRateUnit: 'A',
    minChargingRate: 6.1,
    chargingSchedulePeriod: [{ startPeriod: 0, limit: 16.1, numberPhases: 1 }],
  },
};
const profile = {
  id: 7,
  stackLevel: 2,
  purpose: 'ChargingStationMaxProfile',
  kind: 'Absolute',
  validFrom: AT,
  schedules: [
    {
      id: 7,
      unit: 'A',
      duration: 600,
      startSchedule: AT,
      minChargingRate: 6.1,
      periods: [{ startPeriod: 0, limit: 16.1, numberPhases: 1 }],
    },
  ],
};

const A: CsmsAnswer = { status: 'Accepted' };
/** action, request, command, answer of the view, response. */
const TABLE: readonly (readonly [string, Payload, object, CsmsAnswer, Payload])[] = [
  [
    'RemoteStartTransaction',
    { idTag: 'X' },
    { type: 'requestStart', idToken: central('X') },
    A,
    { status: 'Accepted' },
  ],
  [
    'RemoteStartTransaction',
    { idTag: 'X', connectorId: 3, chargingProfile: profile16 },
    { type: 'requestStart', idToken: central('X'), slotFlat: 3, chargingProfile: profile },
    { status: 'Occupied' },
    { status: 'Rejected' },
  ],
  [
    'RemoteStopTransaction',
    { transactionId: -1 },
    { type: 'requestStop', transaction: { csmsTransactionId: -1 } },
    { status: 'Unknown' },
    { status: 'Rejected' },
  ],
  [
    'ReserveNow',
    { connectorId: 0, expiryDate: AT_TEXT, idTag: 'X', parentIdTag: 'P', reservationId: 5 },
    { type: 'reserve', reservationId: 5, idToken: central('X'), expiry: AT, group: central('P') },
    { status: 'Occupied' },
    { status: 'Occupied' },
  ],
  [
    'CancelReservation',
    { reservationId: 5 },
    { type: 'cancelReservation', reservationId: 5 },
    A,
    { status: 'Accepted' },
  ],
  [
    'UnlockConnector',
    { connectorId: 9 },
    { type: 'unlock', target: { flat: 9 } },
    { status: 'UnknownConnector' },
    { status: 'NotSupported' },
  ],
  [
    'UnlockConnector',
    { connectorId: 1 },
    { type: 'unlock', target: { flat: 1 } },
    { status: 'OngoingAuthorizedTransaction' },
    { status: 'UnlockFailed' },
  ],
  [
    'ChangeAvailability',
    { connectorId: 0, type: 'Inoperative' },
    { type: 'changeAvailability', operative: false },
    { status: 'Scheduled' },
    { status: 'Scheduled' },
  ],
  [
    'TriggerMessage',
    { requestedMessage: 'DiagnosticsStatusNotification' },
    { type: 'trigger', message: 'LogStatusNotification' },
    { status: 'NotImplemented' },
    { status: 'NotImplemented' },
  ],
  [
    'ExtendedTriggerMessage',
    { requestedMessage: 'SignChargePointCertificate', connectorId: 1 },
    { type: 'trigger', message: 'SignChargingStationCertificate', target: { flat: 1 } },
    { status: 'NotSupported' },
    { status: 'NotImplemented' },
  ],
  [
    'Reset',
    { type: 'Soft' },
    { type: 'reset', kind: 'soft', whenIdle: false },
    { status: 'Scheduled' },
    { status: 'Accepted' },
  ],
  ['Reset', { type: 'Hard' }, { type: 'reset', kind: 'hard', whenIdle: false }, A, { status: 'Accepted' }],
  [
    'SendLocalList',
    {
      listVersion: 4,
      updateType: 'Differential',
      localAuthorizationList: [{ idTag: 'X', idTagInfo: { status: 'Blocked', expiryDate: AT_TEXT } }, { idTag: 'Y' }],
    },
    {
      type: 'sendLocalList',
      version: 4,
      update: 'Differential',
      entries: [{ idToken: central('X'), info: { status: 'Blocked', cacheExpiry: AT } }, { idToken: central('Y') }],
    },
    { status: 'VersionMismatch' },
    { status: 'VersionMismatch' },
  ],
  [
    'SendLocalList',
    { listVersion: 1, updateType: 'Full' },
    { type: 'sendLocalList', version: 1, update: 'Full', entries: [] },
    { status: 'Rejected' },
    { status: 'Failed' },
  ],
  ['GetLocalListVersion', {}, { type: 'getLocalListVersion' }, { ...A, listVersion: 4 }, { listVersion: 4 }],
  ['GetLocalListVersion', {}, { type: 'getLocalListVersion' }, { status: 'NotSupported' }, { listVersion: -1 }],
  ['ClearCache', {}, { type: 'clearCache' }, { status: 'Rejected' }, { status: 'Rejected' }],
  [
    'SetChargingProfile',
    { connectorId: 1, csChargingProfiles: profile16 },
    { type: 'setChargingProfile', target: { flat: 1 }, profile, csmsTransactionId: 113 },
    { status: 'NotSupported' },
    { status: 'NotSupported' },
  ],
  ['ClearChargingProfile', {}, { type: 'clearChargingProfile' }, { status: 'Unknown' }, { status: 'Unknown' }],
  [
    'ClearChargingProfile',
    { connectorId: 0, chargingProfilePurpose: 'ChargePointMaxProfile', stackLevel: 0 },
    { type: 'clearChargingProfile', target: 'station', purpose: 'ChargingStationMaxProfile', stackLevel: 0 },
    A,
    { status: 'Accepted' },
  ],
  [
    'GetCompositeSchedule',
    { connectorId: 0, duration: 600, chargingRateUnit: 'W' },
    { type: 'getCompositeSchedule', target: undefined, duration: 600, unit: 'W' },
    {
      ...A,
      schedule: {
        slotEvse: 0,
        slotFlat: 0,
        start: AT,
        schedule: { unit: 'W', duration: 600, startSchedule: AT, periods: [{ startPeriod: 0, limit: 11040.678 }] },
      },
    },
    {
      status: 'Accepted',
      connectorId: 0,
      scheduleStart: AT_TEXT,
      chargingSchedule: {
        duration: 600,
        chargingRateUnit: 'W',
        chargingSchedulePeriod: [{ startPeriod: 0, limit: 11040.6 }],
      },
    },
  ],
  [
    'GetCompositeSchedule',
    { connectorId: 8, duration: 60 },
    { type: 'getCompositeSchedule', target: { flat: 8 }, duration: 60 },
    { status: 'Rejected' },
    { status: 'Rejected' },
  ],
  [
    'DataTransfer',
    { vendorId: 'v', messageId: 'm', data: '{}' },
    { type: 'dataTransfer', vendorId: 'v', messageId: 'm', data: '{}' },
    { status: 'UnknownMessageId', data: { a: 1 } },
    { status: 'UnknownMessageId', data: '{"a":1}' },
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

t.test('refusals that 1.6 says with a CALLERROR, and times that are none', async (t) => {
  const { csms, host } = await open();
  const set = { connectorId: 9, csChargingProfiles: profile16 };
  host.answer = () => ({ status: 'PropertyConstraintViolation' });
  t.equal(await csms.ask('SetChargingProfile', set), 'PropertyConstraintViolation', 'errata 3.39');
  host.answer = () => ({ status: 'UnknownConnector' });
  t.equal(await csms.ask('SetChargingProfile', set), 'PropertyConstraintViolation');
});

t.test('what is not built answers within its schema and asks nobody', async (t) => {
  const { csms, host } = await open();
  const hash = { hashAlgorithm: 'SHA256', issuerNameHash: 'a', issuerKeyHash: 'b', serialNumber: '1' };
  const log = { remoteLocation: 'ftp://x/y' };
  const rows: readonly (readonly [string, Payload, Payload | string])[] = [
    ['UpdateFirmware', { location: 'ftp://x/y', retrieveDate: AT_TEXT }, 'NotSupported'],
    ['GetDiagnostics', { location: 'ftp://x/y' }, {}],
    ['GetLog', { log, logType: 'DiagnosticsLog', requestId: 1 }, { status: 'Rejected' }],
    [
      'SignedUpdateFirmware',
      {
        requestId: 1,
        firmware: { location: 'x', retrieveDateTime: AT_TEXT, signingCertificate: 'c', signature: 's' },
      },
      { status: 'Rejected' },
    ],
    [
      'InstallCertificate',
      { certificateType: 'CentralSystemRootCertificate', certificate: 'c' },
      { status: 'Rejected' },
    ],
    ['DeleteCertificate', { certificateHashData: hash }, { status: 'NotFound' }],
    ['GetInstalledCertificateIds', { certificateType: 'CentralSystemRootCertificate' }, { status: 'NotFound' }],
    ['CertificateSigned', { certificateChain: 'c' }, { status: 'Rejected' }],
  ];
  for (const [action, request, said] of rows) t.strictSame(await csms.ask(action, request), said, action);
  t.equal(host.commands.length, 0);
});

t.test('what an answer entails runs after the answer', async (t) => {
  const { csms, host } = await open();
  const order: string[] = [];
  host.answer = () => ({ status: 'Accepted', afterwards: () => order.push('afterwards') });
  for (const [action, payload] of [
    ['TriggerMessage', { requestedMessage: 'StatusNotification' }],
    ['ChangeConfiguration', { key: 'HeartbeatInterval', value: '60' }],
    ['GetConfiguration', { key: ['HeartbeatInterval'] }],
  ] as const) {
    const asked = csms.ask(action, payload).then(() => order.push(action));
    await asked;
  }
  t.strictSame(order, [
    'afterwards',
    'TriggerMessage',
    'afterwards',
    'ChangeConfiguration',
    'afterwards',
    'GetConfiguration',
  ]);
});

t.test('table K: every key has one variable, and is found in any spelling', (t) => {
  const seen = new Set<string>();
  for (const [key, definition] of Object.entries<VariableKey>(CONFIGURATION_KEYS)) {
    t.match(findKey(key.toUpperCase()), { key, definition });
    t.ok(key.length <= 47, 'a connector suffix must fit into 50 characters');
    seen.add(JSON.stringify(definition.variable));
  }
  t.equal(seen.size, Object.keys(CONFIGURATION_KEYS).length);
  t.equal(findKey('NoSuchKey'), undefined);
  t.equal(findKey('NoSuchKey_7'), undefined);
  t.equal(findKey('HeartbeatInterval_0'), undefined);
  t.match(findKey('connectiontimeout_7'), { key: 'ConnectionTimeOut_7', flat: 7 });
  const values = [
    ['boolean', ' True', 'true', 'true'],
    ['boolean', 'yes', undefined, undefined],
    ['rateUnits', 'Current,Power', 'A,W', 'Current,Power'],
    ['rateUnits', 'W', 'W', 'Power'],
    ['rateUnits', 'Furlong', undefined, undefined],
    ['measurands', 'Voltage.L1, Voltage.L2,SoC,Energy.Active.Net', 'Voltage,SoC,Energy.Active.Net', undefined],
    ['text', ' 5', ' 5', ' 5'],
  ] as const;
  for (const [form, written, stored, read] of values) {
    t.equal(toVariableValue(form, written), stored, `${form} ${written}`);
    if (read !== undefined && stored !== undefined) t.equal(toKeyValue(form, stored), read);
  }
  t.end();
});

/** A view that has some variables, and answers reads and writes as the contract says: in the order of the question. */
function deviceModel(command: CsmsCommand): CsmsAnswer {
  const values = new Map([
    ['OCPPCommCtrlr.HeartbeatInterval', '300'],
    ['SmartChargingCtrlr.RateUnit', 'A,W'],
    ['AuthCtrlr.LocalPreAuthorize', 'True'],
    ['LocalAuthListCtrlr.Entries', '5000'],
    ['TxCtrlr.EVConnectionTimeOut', '60'],
  ]);
  if (command.type === 'getVariables')
    return {
      status: 'Accepted',
      variables: command.variables.map((reference) => {
        if (reference.component === 'SecurityCtrlr' && reference.variable === 'BasicAuthPassword')
          return { ...reference, status: 'Rejected' };
        if (reference.variable === 'PhaseRotation')
          return {
            ...reference,
            status: 'Accepted',
            value: reference.evse === 2 && reference.connector === 1 ? '' : 'RST',
          };
        const value = values.get(`${reference.component}.${reference.variable}`);
        return value === undefined
          ? { ...reference, status: 'UnknownVariable' }
          : { ...reference, status: 'Accepted', value, readOnly: reference.component === 'SmartChargingCtrlr' };
      }),
    };
  if (command.type === 'setVariables')
    return {
      status: 'Accepted',
      variables: command.variables.map(({ value, ...reference }) => ({
        ...reference,
        status:
          value === 'reboot'
            ? 'RebootRequired'
            : reference.variable === 'RateUnit'
              ? 'Rejected'
              : reference.component === 'SecurityCtrlr'
                ? 'UnknownVariable'
                : 'Accepted',
      })),
    };
  return { status: 'Rejected' };
}

t.test('GetConfiguration: some keys, all keys, unknown keys, one connector', async (t) => {
  const { csms, host } = await open();
  host.answer = deviceModel;
  t.strictSame(
    await csms.ask('GetConfiguration', {
      key: [
        'heartbeatinterval',
        'ChargingScheduleAllowedChargingRateUnit',
        'LocalPreAuthorize',
        'LocalAuthListMaxLength',
        'NumberOfConnectors',
        'connectorPhaseRotation',
        'AuthorizationKey',
        'ConnectionTimeOut_3',
        'ConnectionTimeOut_4',
        'CpoName',
        'Nonsense',
      ],
    }),
    {
      configurationKey: [
        { key: 'HeartbeatInterval', readonly: false, value: '300' },
        { key: 'ChargingScheduleAllowedChargingRateUnit', readonly: true, value: 'Current,Power' },
        { key: 'LocalPreAuthorize', readonly: false, value: 'true' },
        { key: 'LocalAuthListMaxLength', readonly: false, value: '5000' },
        { key: 'NumberOfConnectors', readonly: true, value: '3' },
        { key: 'ConnectorPhaseRotation', readonly: true, value: '1.RST,2.Unknown,3.RST' },
        { key: 'AuthorizationKey', readonly: false },
        { key: 'ConnectionTimeOut_3', readonly: false, value: '60' },
      ],
      unknownKey: ['ConnectionTimeOut_4', 'CpoName', 'Nonsense'],
    },
  );
  const asked = host.commands.at(-1);
  t.match(asked?.type === 'getVariables' ? asked.variables : [], [
    { component: 'OCPPCommCtrlr', variable: 'HeartbeatInterval' },
    { component: 'SmartChargingCtrlr', variable: 'RateUnit' },
    { component: 'AuthCtrlr' },
    { component: 'LocalAuthListCtrlr', variable: 'Entries', attribute: 'MaxSet' },
    { component: 'Connector', variable: 'PhaseRotation', evse: 1, connector: 1 },
    { component: 'Connector', variable: 'PhaseRotation', evse: 2, connector: 1 },
    { component: 'Connector', variable: 'PhaseRotation', evse: 2, connector: 2 },
    { component: 'SecurityCtrlr' },
    { component: 'TxCtrlr', variable: 'EVConnectionTimeOut', evse: 2, connector: 2 },
    { component: 'SecurityCtrlr' },
  ]);
  const all = await csms.ask('GetConfiguration');
  t.match(all, { configurationKey: { length: 9 } }, 'own keys, those the view has, and the hidden one');
  t.notOk(typeof all === 'string' || 'unknownKey' in all);
  t.match(await csms.ask('GetConfiguration', { key: ['Nonsense'] }), { unknownKey: ['Nonsense'] });
});

t.test('ChangeConfiguration: statuses, spellings, keys that are two variables', async (t) => {
  const { csms, host } = await open();
  host.answer = deviceModel;
  const rows = [
    ['HeartbeatInterval', '60', 'Accepted'],
    ['HeartbeatInterval', 'reboot', 'RebootRequired'],
    ['ChargingScheduleAllowedChargingRateUnit', 'Power', 'Rejected'],
    ['CpoName', 'x', 'NotSupported'],
    ['LocalPreAuthorize', 'maybe', 'Rejected'],
    ['NumberOfConnectors', '9', 'Rejected'],
    ['LocalAuthListMaxLength', '9', 'Rejected'],
    ['Nonsense', '9', 'NotSupported'],
    ['ConnectionTimeOut_9', '9', 'NotSupported'],
  ] as const;
  for (const [key, value, status] of rows)
    t.strictSame(await csms.ask('ChangeConfiguration', { key, value }), { status }, `${key}=${value}`);
  await csms.ask('ChangeConfiguration', { key: 'meterValuesSampledData', value: 'Voltage.L1,SoC' });
  t.strictSame(host.commands.at(-1), {
    type: 'setVariables',
    variables: [
      { component: 'SampledDataCtrlr', variable: 'TxUpdatedMeasurands', value: 'Voltage,SoC' },
      { component: 'SampledDataCtrlr', variable: 'TxStartedMeasurands', value: 'Voltage,SoC' },
    ],
  });
  host.answer = () => ({ status: 'Rejected' });
  t.strictSame(await csms.ask('ChangeConfiguration', { key: 'HeartbeatInterval', value: '60' }), {
    status: 'Rejected',
  });
});

t.test('a time that is none is refused, not guessed; one without a zone is UTC', async (t) => {
  const routes = new Map([
    [
      'Odd',
      route<{ at: string }, object>(
        ({ at }) => ({ type: 'clearCache', at: timeOf(at) }),
        () => ({}),
      ),
    ],
  ]);
  const odd = (at: string) => answerBy(routes, { action: 'Odd', payload: { at }, text: '' }, () => Promise.resolve(A));
  t.match(await odd('2026-12-31T23:59:60Z'), { kind: 'error', code: 'PropertyConstraintViolation' });
  t.match(await odd(AT_TEXT), { kind: 'result' });
  t.equal(timeOf('2026-03-01T12:00:00'), AT);
  t.equal(timeOf('2026-03-01T13:00:00+01:00'), AT);
});

t.test('values of a large site stay within the 500 characters that 1.6 allows', async (t) => {
  const slotOfFlat = (flat: number) => (flat <= 200 ? { evse: flat, connector: 1, flat } : undefined);
  const read = getConfiguration({ slotOfFlat });
  const answer = await read({ key: ['ConnectorPhaseRotation', 'NumberOfConnectors'] }, (command) =>
    Promise.resolve({
      status: 'Accepted',
      variables:
        command.type === 'getVariables'
          ? command.variables.map((variable) => ({ ...variable, status: 'Accepted' as const, value: 'RST' }))
          : [],
    }),
  );
  const { configurationKey } = (answer.kind === 'result' ? answer.payload : {}) as {
    configurationKey: { key: string; value: string }[];
  };
  const [rotation, number] = configurationKey.map(({ value }) => value);
  t.equal(number, '200');
  t.ok((rotation ?? '').length <= 500);
  t.match(rotation, /^1\.RST,2\.RST,.*\d\.RST$/, 'whole items');
});
