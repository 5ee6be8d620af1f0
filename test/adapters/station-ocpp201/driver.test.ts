// One OCPP 2.0.1 station from connecting to leaving: set-up, transactions, events, commands, and stations that behave badly.
import t from 'tap';
import fc from 'fast-check';
import type { CallOutcome, Payload } from '../../../adapters/ocpp-j/contract.js';
import { openOcpp201Station } from '../../../adapters/station-ocpp201/driver.js';
import { idTokenInfoOf } from '../../../adapters/station-ocpp201/translate-token.js';
import { evseNumber, stationTransactionId } from '../../../gateway/kernel/ids.js';
import { ampere, timestamp, volt } from '../../../gateway/kernel/units.js';
import { JournalUnavailable } from '../../../gateway/ports/journal.js';
import type { SetLimit } from '../../../gateway/site/station-command.js';
import type { AuthorizationStatus } from '../../../gateway/site/tokens.js';
import type { Station } from '../../../gateway/site/topology.js';
import {
  ask,
  callError,
  evse,
  FakeConnection,
  FakeHost,
  FakeLog,
  HandClock,
  mustBeValid,
  NOON,
  result,
  settled,
  stationOf,
  type Script,
} from '../station-ocpp16/rig.js';

const BOOT = {
  reason: 'PowerUp',
  chargingStation: { vendorName: 'Acme', model: 'Two', serialNumber: 'S1', modem: { iccid: '89' } },
};
const AT = '2026-06-01T12:00:00Z';

type Named = { component: { name: string }; variable: { name: string }; attributeValue?: string };
const nameOf = (item: Named) => `${item.component.name}.${item.variable.name}`;
const echo = (item: Named) => ({ component: item.component, variable: item.variable });

const values: Record<string, string> = {
  'SmartChargingCtrlr.Available': 'true',
  'SmartChargingCtrlr.RateUnit': 'A,W',
  'SmartChargingCtrlr.ProfileStackLevel': '5',
  'SmartChargingCtrlr.Phases3to1': 'true',
  'ReservationCtrlr.Available': 'true',
  'LocalAuthListCtrlr.Available': 'true',
  'LocalAuthListCtrlr.ItemsPerMessage': '2',
};

const willing =
  (known: Record<string, string> = values): Script =>
  (action, payload) => {
    switch (action) {
      case 'GetVariables':
        return result({
          getVariableResult: (payload['getVariableData'] as Named[]).map((item) => {
            const value = known[nameOf(item)];
            return value === undefined
              ? { attributeStatus: 'UnknownVariable', ...echo(item) }
              : { attributeStatus: 'Accepted', attributeValue: value, ...echo(item) };
          }),
        });
      case 'SetVariables':
        return result({
          setVariableResult: (payload['setVariableData'] as Named[]).map((item) => ({
            attributeStatus: 'Accepted',
            ...echo(item),
          })),
        });
      case 'UnlockConnector':
        return result({ status: 'OngoingAuthorizedTransaction' });
      default:
        return result({ status: 'Accepted' });
    }
  };

/** Refuses each request in the way its schema provides for. */
const rejecting: Script = (action, payload) => {
  if (action === 'GetVariables' || action === 'SetVariables') {
    const items = (payload[action === 'GetVariables' ? 'getVariableData' : 'setVariableData'] ?? []) as Named[];
    const results = items.map((item) => ({ attributeStatus: 'Rejected', ...echo(item) }));
    return result(action === 'GetVariables' ? { getVariableResult: results } : { setVariableResult: results });
  }
  return result({ status: action === 'ClearChargingProfile' ? 'Unknown' : 'Rejected' });
};

function rig(script: Script = willing(), station: Station = stationOf(evse(3, 1), evse(4, 2))) {
  const clock = new HandClock();
  const host = new FakeHost();
  const log = new FakeLog();
  const settings = {
    nominalVoltage: volt(230),
    heartbeatInterval: 300,
    meterInterval: 10,
    offlineTxForUnknownId: false,
    localList: true,
  };
  const driver = openOcpp201Station(station, host, { clock, log }, settings);
  const connection = new FakeConnection('ocpp2.0.1', script);
  const from = (action: string, payload: Payload) => {
    return ask('ocpp2.0.1', driver.handler, action, payload);
  };
  const up = async () => {
    driver.attach(connection);
    await from('BootNotification', BOOT);
    await settled();
  };
  return { clock, host, log, driver, connection, from, up };
}

const setLimit = (current: number, transaction?: string): SetLimit => ({
  type: 'setLimit',
  evse: evseNumber(4),
  current: ampere(current),
  ...(transaction !== undefined && { stationTransactionId: stationTransactionId(transaction) }),
});

const written = (connection: FakeConnection) =>
  connection
    .of('SetVariables')
    .flatMap((payload) => payload['setVariableData'] as Named[])
    .map((item) => `${nameOf(item)}=${item.attributeValue}`);

t.test('set-up after an accepted boot', async (t) => {
  const { host, log, connection, up, clock } = rig();
  await up();
  t.same(connection.invalid, []);
  t.match(host.of('booted')[0]?.inventory, { vendor: 'Acme', model: 'Two', serialNumber: 'S1', iccid: '89' });
  t.match(connection.of('SetChargingProfile'), [
    {
      evseId: 1,
      chargingProfile: {
        stackLevel: 0,
        chargingProfilePurpose: 'TxDefaultProfile',
        chargingProfileKind: 'Absolute',
        chargingSchedule: [
          {
            startSchedule: '2026-06-01T11:59:00.000Z',
            chargingRateUnit: 'A',
            chargingSchedulePeriod: [{ startPeriod: 0, limit: 8 }],
          },
        ],
      },
    },
    { evseId: 2 },
  ]);
  t.equal(connection.of('ClearChargingProfile').length, 3);
  t.same(written(connection), [
    'AuthCtrlr.AuthorizeRemoteStart=false',
    'AuthCtrlr.LocalPreAuthorize=false',
    'AuthCtrlr.LocalAuthorizeOffline=true',
    'AuthCacheCtrlr.Enabled=false',
    'TxCtrlr.StopTxOnInvalidId=true',
    'TxCtrlr.TxStartPoint=PowerPathClosed',
    'TxCtrlr.TxStopPoint=EVConnected,Authorized',
    'AuthCtrlr.OfflineTxForUnknownIdEnabled=false',
    'LocalAuthListCtrlr.Enabled=true',
    'SampledDataCtrlr.TxUpdatedInterval=10',
    'SampledDataCtrlr.TxStartedMeasurands=Energy.Active.Import.Register',
    'SampledDataCtrlr.TxEndedMeasurands=Energy.Active.Import.Register',
    'SampledDataCtrlr.TxUpdatedMeasurands=Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,Current.Offered,SoC',
  ]);
  t.match(host.of('capabilities').at(-1)?.capabilities, {
    protocol: 'ocpp2.0.1',
    currentLimit: true,
    fallback: true,
    reservation: true,
    localList: true,
    phaseSwitching: true,
    trigger: true,
  });
  const asked = connection.sent.length;
  await clock.advance(600_000);
  t.equal(connection.sent.length, asked);
  t.same(log.errors, []);
});

t.test('after a quiet reconnect each connector is asked for its status', async (t) => {
  const { driver, connection, clock } = rig();
  driver.attach(connection);
  await clock.advance(20_000);
  t.same(connection.of('TriggerMessage'), [
    { requestedMessage: 'StatusNotification', evse: { id: 1, connectorId: 1 } },
    { requestedMessage: 'StatusNotification', evse: { id: 2, connectorId: 1 } },
  ]);
  t.ok(written(connection).includes('OCPPCommCtrlr.HeartbeatInterval=300'));
  t.same(connection.invalid, []);
});

t.test('a station that rejects everything, or knows nothing, still works', async (t) => {
  for (const script of [rejecting, () => callError('NotImplemented')] as Script[]) {
    const { host, connection, from, up, driver, clock, log } = rig(script);
    await up();
    const asked = connection.sent.length;
    await clock.advance(600_000);
    t.equal(connection.sent.length, asked, 'no step is repeated');
    t.equal(host.of('capabilities').at(-1)?.capabilities.fallback, false);
    const event = {
      eventType: 'Started',
      timestamp: AT,
      triggerReason: 'CablePluggedIn',
      seqNo: 0,
      transactionInfo: { transactionId: 'tx' },
    };
    t.match(await from('TransactionEvent', event), { kind: 'result', payload: {} });
    const outcome = await driver.execute(setLimit(10, 'tx'));
    t.ok(outcome.status === 'Rejected' || outcome.status === 'NotSupported');
    t.same(connection.invalid, []);
    t.same(log.errors, []);
  }
});

t.test('measurands are tried one by one where the list is refused; one bad setting spoils no other', async (t) => {
  const answers = willing();
  const { connection, up } = rig((action, payload) => {
    if (action !== 'SetVariables') return answers(action, payload);
    const items = payload['setVariableData'] as Named[];
    if (items.length > 1) return callError('GenericError');
    const bad = items.some(
      (item) => item.attributeValue?.includes('SoC') || item.variable.name === 'LocalPreAuthorize',
    );
    return result({
      setVariableResult: items.map((item) => ({ attributeStatus: bad ? 'Rejected' : 'Accepted', ...echo(item) })),
    });
  });
  await up();
  t.ok(
    connection
      .of('SetVariables')
      .some((payload) => (payload['setVariableData'] as Named[])[0]?.variable.name === 'TxStopPoint'),
  );
  const last = written(connection).filter((setting) => setting.startsWith('SampledDataCtrlr.TxUpdatedMeasurands='));
  t.equal(
    last.at(-2),
    'SampledDataCtrlr.TxUpdatedMeasurands=Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,Current.Offered',
  );
  t.same(connection.invalid, []);
});

t.test('watts for a station that takes nothing else', async (t) => {
  const { connection, up } = rig(
    willing({ ...values, 'SmartChargingCtrlr.RateUnit': 'W' }),
    stationOf(evse(3, 1, { phases: ['L2'] })),
  );
  await up();
  t.match(connection.of('SetChargingProfile'), [
    {
      chargingProfile: {
        chargingSchedule: [{ chargingRateUnit: 'W', chargingSchedulePeriod: [{ limit: 8 * 230, numberPhases: 1 }] }],
      },
    },
  ]);
  t.same(connection.invalid, []);
  const between = rig(
    willing({ ...values, 'SmartChargingCtrlr.RateUnit': 'W' }),
    stationOf(evse(3, 1, { phases: ['L2', 'L3'], lineToLine: true })),
  );
  await between.up();
  // The 398 V between two phases are one phase to a charger: with two it would halve the current.
  t.match(between.connection.of('SetChargingProfile'), [
    { chargingProfile: { chargingSchedule: [{ chargingSchedulePeriod: [{ limit: 3186, numberPhases: 1 }] }] } },
  ]);
});

t.test('transaction events carry everything over', async (t) => {
  const { from, up, host, log } = rig();
  await up();
  const customData = { vendorId: 'acme', lane: 7 };
  const started = await from('TransactionEvent', {
    eventType: 'Started',
    timestamp: AT,
    triggerReason: 'Authorized',
    seqNo: 0,
    offline: true,
    numberOfPhasesUsed: 3,
    cableMaxCurrent: 20,
    reservationId: 6,
    customData,
    evse: { id: 2, connectorId: 1 },
    idToken: { idToken: 'DEADBEEF', type: 'ISO15693' },
    transactionInfo: { transactionId: 'abc', chargingState: 'Charging', remoteStartId: 12 },
    meterValue: [
      { timestamp: AT, sampledValue: [{ value: 1.25, context: 'Transaction.Begin', unitOfMeasure: { unit: 'kWh' } }] },
    ],
  });
  t.match(started, { payload: { idTokenInfo: { status: 'Accepted' } } });
  t.same(host.of('transaction')[0], {
    type: 'transaction',
    station: 'CP1',
    kind: 'started',
    evse: 4,
    connector: 1,
    stationTransactionId: 'abc',
    seqNo: 0,
    at: NOON,
    trigger: 'Authorized',
    chargingState: 'Charging',
    idToken: { idToken: 'DEADBEEF', type: 'ISO15693' },
    meterValues: [{ at: NOON, sampled: [{ value: 1250, context: 'Transaction.Begin' }] }],
    offline: true,
    reservationId: 6,
    remoteStartId: 12,
    phasesUsed: 3,
    cableMaxCurrent: 20,
    customData,
  });
  const rows = [
    ['Updated', 'MeterValuePeriodic', undefined, 'updated', undefined],
    ['Updated', 'EVConnectionTimeout', undefined, 'updated', undefined],
    ['Ended', 'StopAuthorized', 'MasterPass', 'ended', 'MasterPass'],
    ['Ended', 'EVDeparted', undefined, 'ended', 'Local'],
    ['Ended', 'AbnormalCondition', 'Lunch', 'ended', 'Other'],
  ] as const;
  for (const [eventType, triggerReason, stoppedReason, kind, reason] of rows) {
    const info = { transactionId: 'abc', ...(stoppedReason && { stoppedReason }) };
    t.match(
      await from('TransactionEvent', { eventType, timestamp: AT, triggerReason, seqNo: 1, transactionInfo: info }),
      {
        payload: {},
      },
    );
    t.match(host.of('transaction').at(-1), { kind, stoppedReason: reason, evse: undefined });
  }
  t.equal(host.of('transaction')[2]?.trigger, 'EVConnectTimeout', 'the spelling of the text');
  const known = host.events.length;
  const stray = {
    eventType: 'Started',
    timestamp: AT,
    triggerReason: 'Authorized',
    seqNo: 0,
    evse: { id: 9 },
    idToken: { idToken: 'SECRETTAG', type: 'Central' },
  };
  t.match(await from('TransactionEvent', { ...stray, transactionInfo: { transactionId: 'z' } }), {
    payload: { idTokenInfo: { status: 'Invalid' } },
  });
  t.match(await from('TransactionEvent', { eventType: 'Started' }), { payload: {} });
  t.equal(host.events.length, known);
  t.notOk(JSON.stringify(log.lines).includes('SECRETTAG') || JSON.stringify(log.lines).includes('DEADBEEF'));
});

t.test('token answers, for every status', async (t) => {
  const station = stationOf(evse(3, 1), evse(4, 2));
  const statuses: readonly AuthorizationStatus[] = [
    'Accepted',
    'Blocked',
    'ConcurrentTx',
    'Expired',
    'Invalid',
    'NoCredit',
    'NotAllowedTypeEVSE',
    'NotAtThisLocation',
    'NotAtThisTime',
    'Unknown',
  ];
  for (const status of statuses) {
    const idTokenInfo = idTokenInfoOf(
      {
        status,
        cacheExpiry: NOON,
        chargingPriority: 3,
        group: { idToken: 'F', type: 'Central' },
        language1: 'de',
        evses: [evseNumber(4), evseNumber(9)],
        personalMessage: { format: 'UTF8', content: 'Hallo' },
      },
      station,
    );
    t.match(idTokenInfo, {
      status,
      evseId: [2],
      groupIdToken: { idToken: 'F' },
      personalMessage: { content: 'Hallo' },
    });
    mustBeValid('ocpp2.0.1', 'Authorize', 'Response', { idTokenInfo });
  }
  t.same(idTokenInfoOf({ status: 'Accepted', evses: [evseNumber(9)] }, station), { status: 'NotAtThisLocation' });
});

t.test('statuses and events that mean the same (G01.FR.03)', async (t) => {
  const { from, up, host } = rig();
  await up();
  const states = ['Available', 'Occupied', 'Reserved', 'Unavailable', 'Faulted'];
  for (const connectorStatus of states)
    await from('StatusNotification', { timestamp: AT, connectorStatus, evseId: 2, connectorId: 1 });
  t.same(
    host.of('status').map(({ status, evse, connector, at }) => [status, evse, connector, at]),
    states.map((status) => [status, 4, 1, NOON]),
  );
  const event = (name: string, variable: string, actualValue: string, more: Payload = {}) =>
    from('NotifyEvent', {
      generatedAt: AT,
      seqNo: 0,
      eventData: [
        {
          eventId: 1,
          timestamp: AT,
          trigger: 'Delta',
          actualValue,
          eventNotificationType: 'HardWiredNotification',
          component: { name, evse: { id: 1, connectorId: 1 } },
          variable: { name: variable },
          ...more,
        },
      ],
    });
  await event('Connector', 'AvailabilityState', 'Occupied');
  t.match(host.of('status').at(-1), { status: 'Occupied', evse: 3, connector: 1, error: undefined });
  const errors = [
    ['ConnectorPlugRetentionLock', 'Problem', 'ConnectorLockFailure'],
    ['CPPWMController', 'Problem', 'EVCommunicationError'],
    ['RCD', 'Tripped', 'GroundFailure'],
    ['GroundIsolationProtection', 'Problem', 'GroundFailure'],
    ['TemperatureSensor', 'Problem', 'HighTemperature'],
    ['Controller', 'Problem', 'InternalError'],
    ['LocalAuthListCtrlr', 'Problem', 'LocalListConflict'],
    ['OverCurrentProtection', 'Tripped', 'OverCurrentFailure'],
    ['FiscalMetering', 'Problem', 'PowerMeterFailure'],
    ['PowerContactor', 'Problem', 'PowerSwitchFailure'],
    ['TokenReader', 'Problem', 'ReaderFailure'],
    ['DataLink', 'Problem', 'WeakSignal'],
    ['CoffeeMachine', 'Problem', 'OtherError'],
  ] as const;
  for (const [component, variable, code] of errors) {
    await event(component, variable, 'true', { techCode: 'E1' });
    t.match(
      host.of('status').at(-1),
      { status: 'Occupied', evse: 3, error: { code, vendorErrorCode: 'E1' } },
      component,
    );
  }
  t.equal(host.of('status').at(-1)?.error?.info, 'CoffeeMachine.Problem=true');
  await event('RCD', 'Tripped', 'true', { cleared: true });
  t.equal(host.of('status').at(-1)?.error, undefined);
  const known = host.events.length;
  await event('ElectricalFeed', 'ACVoltage', '231.0');
  await event('EVSE', 'AvailabilityState', 'Available');
  await event('Connector', 'AvailabilityState', 'Sleepy');
  await event('Connector', 'AvailabilityState', 'Available', {
    component: { name: 'Connector', evse: { id: 7, connectorId: 1 } },
  });
  t.match(
    await from('StatusNotification', { timestamp: AT, connectorStatus: 'Available', evseId: 7, connectorId: 1 }),
    { payload: {} },
  );
  t.equal(host.events.length, known);
  await event('ChargingStation', 'AvailabilityState', 'Unavailable', { component: { name: 'ChargingStation' } });
  t.match(host.of('status').at(-1), { status: 'Unavailable', evse: undefined, connector: undefined });
});

t.test('limits', async (t) => {
  const { up, driver, connection, from, host } = rig();
  await up();
  connection.forget();
  t.match(await driver.execute(setLimit(16.19, 'abc')), { status: 'Accepted' });
  t.match(connection.of('SetChargingProfile'), [
    {
      evseId: 2,
      chargingProfile: {
        chargingProfilePurpose: 'TxProfile',
        stackLevel: 1,
        transactionId: 'abc',
        chargingSchedule: [{ chargingSchedulePeriod: [{ limit: 16.1 }] }],
      },
    },
  ]);
  t.match(await driver.execute({ ...setLimit(10, 'abc'), phases: 1 }), { status: 'Accepted' });
  t.match(connection.of('SetChargingProfile').at(-1), {
    chargingProfile: { chargingSchedule: [{ chargingSchedulePeriod: [{ limit: 10, numberPhases: 1 }] }] },
  });
  const chooses = rig(willing({ ...values, 'SmartChargingCtrlr.ACPhaseSwitchingSupported': 'true' }));
  await chooses.up();
  t.match(await chooses.driver.execute({ ...setLimit(10, 'abc'), phases: 1 }), { status: 'Accepted' });
  t.match(chooses.connection.of('SetChargingProfile').at(-1), {
    chargingProfile: { chargingSchedule: [{ chargingSchedulePeriod: [{ numberPhases: 1, phaseToUse: 1 }] }] },
  });
  t.same(chooses.connection.invalid, []);
  t.match(await driver.execute({ ...setLimit(10), evse: evseNumber(77) }), { status: 'Rejected' });
  connection.script = (action, payload) => {
    const profile = payload['chargingProfile'] as Record<string, unknown> | undefined;
    return result({
      status:
        action === 'SetChargingProfile' && profile?.['chargingProfilePurpose'] === 'TxProfile'
          ? 'Rejected'
          : 'Accepted',
    });
  };
  connection.forget();
  t.match(await driver.execute(setLimit(20, 'abc')), { status: 'Accepted' });
  t.equal(connection.of('ClearChargingProfile').length, 1, 'the TxProfile would outrank the default');
  t.equal(host.of('capabilities').at(-1)?.capabilities.fallback, false);
  connection.forget();
  await from('TransactionEvent', {
    eventType: 'Ended',
    timestamp: AT,
    triggerReason: 'EVDeparted',
    seqNo: 9,
    transactionInfo: { transactionId: 'abc' },
  });
  t.match(connection.of('SetChargingProfile'), [
    { evseId: 2, chargingProfile: { chargingSchedule: [{ chargingSchedulePeriod: [{ limit: 8 }] }] } },
  ]);
  t.equal(host.of('capabilities').at(-1)?.capabilities.fallback, true);
  t.same(connection.invalid, []);
});

t.test('other commands', async (t) => {
  const { up, driver, connection } = rig();
  await up();
  connection.forget();
  const four = evseNumber(4);
  const idToken = { idToken: 'AB', type: 'eMAID' as const };
  const group = { idToken: 'F', type: 'Central' as const };
  t.same(await driver.execute({ type: 'requestStart', evse: four, idToken, group, remoteStartId: 5 }), {
    status: 'Accepted',
  });
  await driver.execute({ type: 'requestStop', evse: four, stationTransactionId: stationTransactionId('abc') });
  t.same(await driver.execute({ type: 'unlock', evse: four, connector: 1 }), {
    status: 'OngoingAuthorizedTransaction',
  });
  await driver.execute({ type: 'changeAvailability', operative: false });
  await driver.execute({ type: 'changeAvailability', operative: true, evse: four, connector: 1 });
  await driver.execute({ type: 'reset', kind: 'soft', whenIdle: true });
  await driver.execute({ type: 'reset', kind: 'hard', whenIdle: false, evse: four });
  await driver.execute({
    type: 'reserve',
    reservationId: 9,
    evse: four,
    idToken,
    group,
    expiry: timestamp(NOON + 60_000),
  });
  await driver.execute({ type: 'cancelReservation', reservationId: 9 });
  await driver.execute({ type: 'trigger', message: 'StatusNotification' });
  await driver.execute({ type: 'trigger', message: 'TransactionEvent', evse: four });
  t.same(
    connection.sent.map(({ action, payload }) => [action, payload]),
    [
      ['RequestStartTransaction', { idToken, remoteStartId: 5, evseId: 2, groupIdToken: group }],
      ['RequestStopTransaction', { transactionId: 'abc' }],
      ['UnlockConnector', { evseId: 2, connectorId: 1 }],
      ['ChangeAvailability', { operationalStatus: 'Inoperative' }],
      ['ChangeAvailability', { operationalStatus: 'Operative', evse: { id: 2, connectorId: 1 } }],
      ['Reset', { type: 'OnIdle' }],
      ['Reset', { type: 'Immediate', evseId: 2 }],
      ['ReserveNow', { id: 9, expiryDateTime: '2026-06-01T12:01:00.000Z', idToken, evseId: 2, groupIdToken: group }],
      ['CancelReservation', { reservationId: 9 }],
      ['TriggerMessage', { requestedMessage: 'StatusNotification', evse: { id: 1, connectorId: 1 } }],
      ['TriggerMessage', { requestedMessage: 'StatusNotification', evse: { id: 2, connectorId: 1 } }],
      ['TriggerMessage', { requestedMessage: 'TransactionEvent', evse: { id: 2 } }],
    ],
  );
  connection.forget();
  const entry = (written: string) => ({
    idToken: { idToken: written, type: 'ISO14443' as const },
    info: { status: 'Accepted' as const },
  });
  await driver.execute({
    type: 'sendLocalList',
    version: 4,
    update: 'Full',
    entries: [entry('A'), entry('B'), entry('C'), entry('a')],
  });
  await driver.execute({ type: 'sendLocalList', version: 9, update: 'Full', entries: [] });
  const changes = [{ idToken: { idToken: 'A', type: 'ISO14443' } }, entry('D')] as const;
  await driver.execute({ type: 'sendLocalList', version: 11, update: 'Differential', entries: changes });
  t.match(connection.of('SendLocalList'), [
    { versionNumber: 3, updateType: 'Full' },
    { versionNumber: 4, updateType: 'Differential' },
    { versionNumber: 9, updateType: 'Full', localAuthorizationList: undefined },
    {
      versionNumber: 11,
      updateType: 'Differential',
      localAuthorizationList: [{ idTokenInfo: undefined }, { idTokenInfo: { status: 'Accepted' } }],
    },
  ]);
  await driver.execute({
    type: 'setVariable',
    component: 'OCPPCommCtrlr',
    variable: 'MessageAttempts',
    instance: 'TransactionEvent',
    value: '3',
  });
  t.match(connection.of('SetVariables').at(-1), {
    setVariableData: [
      {
        attributeValue: '3',
        component: { name: 'OCPPCommCtrlr' },
        variable: { name: 'MessageAttempts', instance: 'TransactionEvent' },
      },
    ],
  });
  await driver.execute({ type: 'dataTransfer', vendorId: 'v', data: { a: 1 } });
  t.same(connection.of('DataTransfer'), [{ vendorId: 'v', data: { a: 1 } }]);
  const long = { idToken: 'x'.repeat(37), type: 'Central' as const };
  t.match(await driver.execute({ type: 'requestStart', evse: four, idToken: long, remoteStartId: 1 }), {
    status: 'NotSupported',
  });
  connection.script = () => result({ status: 'NotImplemented' });
  t.match(await driver.execute({ type: 'trigger', message: 'Heartbeat' }), { status: 'NotSupported' });
  connection.script = () => ({ kind: 'timeout' });
  t.match(await driver.execute({ type: 'cancelReservation', reservationId: 9 }), { status: 'Uncertain' });
  driver.detach('gone');
  t.same(await driver.execute({ type: 'cancelReservation', reservationId: 9 }), { status: 'Offline' });
  t.same(connection.invalid, []);
});

t.test('the rest of what a station may say', async (t) => {
  const { up, from, host } = rig();
  await up();
  await from('ReservationStatusUpdate', { reservationId: 4, reservationUpdateStatus: 'Expired' });
  t.match(host.of('reservationEnded'), [{ reservationId: 4, why: 'Expired' }]);
  await from('SecurityEventNotification', { type: 'Tamper', timestamp: AT });
  await from('FirmwareStatusNotification', { status: 'InstallRebooting', requestId: 2 });
  await from('LogStatusNotification', { status: 'AcceptedCanceled', requestId: 3 });
  t.match(host.of('jobStatus'), [
    { job: 'firmware', status: 'InstallRebooting', requestId: 2 },
    { job: 'log', status: 'AcceptedCanceled', requestId: 3 },
  ]);
  await from('MeterValues', { evseId: 0, meterValue: [{ timestamp: AT, sampledValue: [{ value: 5 }] }] });
  await from('MeterValues', { evseId: 2, meterValue: [{ timestamp: AT, sampledValue: [{ value: 5 }] }] });
  await from('MeterValues', { evseId: 8, meterValue: [{ timestamp: AT, sampledValue: [{ value: 5 }] }] });
  t.same(
    host.of('meterValues').map(({ evse }) => evse),
    [undefined, 4],
  );
  host.answers = { dataTransfer: () => ({ status: 'Accepted', data: [1, { a: null }] }) };
  t.match(await from('DataTransfer', { vendorId: 'v', data: { x: 1 } }), {
    payload: { status: 'Accepted', data: [1, { a: null }] },
  });
  t.match(host.of('dataTransfer')[0], { vendorId: 'v', data: { x: 1 } });
  for (const action of [
    'NotifyReport',
    'NotifyChargingLimit',
    'ClearedChargingLimit',
    'ReportChargingProfiles',
    'NotifyMonitoringReport',
    'NotifyDisplayMessages',
    'NotifyCustomerInformation',
    'NotifyEVChargingNeeds',
    'NotifyEVChargingSchedule',
    'PublishFirmwareStatusNotification',
    'SignCertificate',
    'Get15118EVCertificate',
    'GetCertificateStatus',
  ])
    t.equal((await from(action, {})).kind, 'result', action);
  t.match(await from('RequestStartTransaction', {}), { kind: 'error', code: 'NotImplemented' });
  host.answers = {
    transaction: () => {
      throw new JournalUnavailable('disk full');
    },
  };
  const event = {
    eventType: 'Ended',
    timestamp: AT,
    triggerReason: 'EVDeparted',
    seqNo: 1,
    transactionInfo: { transactionId: 'a' },
  };
  t.match(await from('TransactionEvent', event), { kind: 'error', code: 'InternalError' });
});

t.test('a station that answers nothing is not asked for ever', async (t) => {
  const { connection, up, clock } = rig(() => new Promise<CallOutcome>(() => undefined));
  await up();
  await clock.advance(120_000);
  t.equal(connection.sent.length, 2);
  t.equal(clock.pending, 0);
});

t.test('what the car needs', async (t) => {
  const { host, from, up } = rig();
  await up();
  host.answers.chargingNeeds = () => 'Processing';
  const answered = await from('NotifyEVChargingNeeds', {
    evseId: 2,
    chargingNeeds: {
      requestedEnergyTransfer: 'AC_three_phase',
      departureTime: '2026-06-01T17:00:00Z',
      acChargingParameters: { energyAmount: 12_000, evMinCurrent: 6, evMaxCurrent: 16, evMaxVoltage: 230 },
    },
  });
  t.match(answered, { payload: { status: 'Processing' } });
  t.same(host.of('chargingNeeds'), [
    {
      type: 'chargingNeeds',
      station: 'CP1',
      evse: 4,
      departure: Date.UTC(2026, 5, 1, 17),
      energy: 12_000,
      maxCurrent: 16,
    },
  ]);
  const direct = { evMaxCurrent: 200, evMaxVoltage: 400, stateOfCharge: 40, evEnergyCapacity: 60_000, fullSoC: 90 };
  await from('NotifyEVChargingNeeds', {
    evseId: 1,
    chargingNeeds: { requestedEnergyTransfer: 'DC', dcChargingParameters: direct },
  });
  t.match(host.of('chargingNeeds').at(-1), { evse: 3, energy: 30_000, maxCurrent: undefined });
  const nowhere = { evseId: 9, chargingNeeds: { requestedEnergyTransfer: 'DC' } };
  t.match(await from('NotifyEVChargingNeeds', nowhere), { payload: { status: 'Rejected' } });
});

t.test('no payload breaks it, and every answer is valid', async (t) => {
  const { up, from, log } = rig();
  await up();
  const actions = [
    'BootNotification',
    'StatusNotification',
    'NotifyEvent',
    'Authorize',
    'TransactionEvent',
    'MeterValues',
    'DataTransfer',
    'ReservationStatusUpdate',
  ];
  const names = [
    'evseId',
    'connectorId',
    'evse',
    'id',
    'transactionInfo',
    'transactionId',
    'eventType',
    'meterValue',
    'sampledValue',
    'value',
    'timestamp',
    'connectorStatus',
    'idToken',
    'type',
    'eventData',
    'component',
    'variable',
    'name',
    'actualValue',
    'chargingStation',
    'unitOfMeasure',
    'multiplier',
    'customData',
    'vendorId',
    '__proto__',
  ];
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(
        0,
        1,
        -1,
        2,
        '1',
        'Started',
        'Ended',
        'Available',
        'Connector',
        'Problem',
        'AvailabilityState',
        '',
        null,
        true,
        1e308,
        NaN,
      ),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...names), tie('tree'), { maxKeys: 6 }),
    ),
  }));
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...actions),
      fc.dictionary(fc.constantFrom(...names), tree, { maxKeys: 6 }),
      async (action, payload) => {
        const given = await from(action, payload);
        return given.kind === 'result';
      },
    ),
    { numRuns: 300 },
  );
  t.same(log.errors, []);
});
