// One OCPP 1.6 charger from connecting to leaving: set-up, a driver's visit, commands, and chargers that behave badly.
import t from 'tap';
import fc from 'fast-check';
import type { CallOutcome, Payload } from '../../../adapters/ocpp-j/contract.js';
import { openOcpp16Station } from '../../../adapters/station-ocpp16/driver.js';
import { evseNumber, stationTransactionId } from '../../../gateway/kernel/ids.js';
import { ampere, timestamp, volt } from '../../../gateway/kernel/units.js';
import { JournalUnavailable } from '../../../gateway/ports/journal.js';
import type { SetLimit } from '../../../gateway/site/station-command.js';
import { aliasOf } from '../../../gateway/site/token-alias.js';
import type { IdToken } from '../../../gateway/site/tokens.js';
import type { Station } from '../../../gateway/site/topology.js';
import type { TokenAliases } from '../../../adapters/ocpp-j/token-alias.js';
import { StationReports } from '../../../adapters/ocpp-j/station-reports.js';
import { memoryAliases } from '../../fakes/memory-aliases.js';
import {
  ask,
  callError,
  evse,
  FakeConnection,
  FakeHost,
  FakeLog,
  HandClock,
  NOON,
  result,
  settled,
  stationOf,
  type Script,
} from './rig.js';

const BOOT = { chargePointVendor: 'Acme', chargePointModel: 'One', firmwareVersion: '1.2' };

const configured: Record<string, string> = {
  NumberOfConnectors: '2',
  SupportedFeatureProfiles: 'Core,SmartCharging,Reservation,RemoteTrigger,LocalAuthListManagement',
  ChargingScheduleAllowedChargingRateUnit: 'Current,Power',
  ChargeProfileMaxStackLevel: '3',
  SendLocalListMaxLength: '2',
  AuthorizationCacheEnabled: 'true',
  LocalAuthorizeOffline: 'TRUE',
};

/** A charger that says yes to everything, with the given configuration. */
const willing =
  (keys: Record<string, string> = configured): Script =>
  (action) => {
    if (action === 'GetConfiguration')
      return result({
        configurationKey: Object.entries(keys).map(([key, value]) => ({ key, readonly: false, value })),
      });
    if (action === 'GetLocalListVersion') return result({ listVersion: 14 });
    return result({ status: action === 'UnlockConnector' ? 'Unlocked' : 'Accepted' });
  };

const rejecting: Script = (action) => {
  switch (action) {
    case 'ClearChargingProfile':
      return result({ status: 'Unknown' });
    case 'GetConfiguration':
      return callError('InternalError');
    default:
      return result({ status: 'Rejected' });
  }
};
const token = (idToken: string) => ({ idToken, type: 'ISO14443' as const });
const LONG = { idToken: 'a group with a long name', type: 'Central' } as const;

function rig(
  script: Script = willing(),
  station: Station = stationOf(evse(3, 1), evse(4, 2)),
  aliases: TokenAliases = memoryAliases(),
) {
  const clock = new HandClock();
  const host = new FakeHost();
  const log = new FakeLog();
  const driver = openOcpp16Station(
    station,
    host,
    { clock, log },
    {
      nominalVoltage: volt(230),
      heartbeatInterval: 300,
      meterInterval: 10,
      offlineTxForUnknownId: false,
      localList: true,
      aliases,
    },
  );
  const connection = new FakeConnection('ocpp1.6', script);
  const from = (action: string, payload: Payload) => ask('ocpp1.6', driver.handler, action, payload);
  const up = async () => {
    driver.attach(connection);
    await from('BootNotification', BOOT);
    await settled();
  };
  return { clock, host, log, driver, connection, from, up, station };
}

const setLimit = (current: number, transaction?: string, number = 3): SetLimit => ({
  type: 'setLimit',
  evse: evseNumber(number),
  current: ampere(current),
  ...(transaction !== undefined && { stationTransactionId: stationTransactionId(transaction) }),
});

const profileIn = (payload: Payload | undefined) =>
  payload?.['csChargingProfiles'] as Record<string, unknown> | undefined;
const periodIn = (payload: Payload | undefined) =>
  (profileIn(payload)?.['chargingSchedule'] as { chargingSchedulePeriod: unknown[]; chargingRateUnit: string }) ?? {};

t.test('set-up after an accepted boot', async (t) => {
  const { host, log, connection, up } = rig();
  await up();
  t.same(connection.invalid, []);
  t.match(host.events[0], { type: 'connected', capabilities: { fallback: false, protocol: 'ocpp1.6' } });
  t.match(host.of('booted')[0], { inventory: { vendor: 'Acme', model: 'One', firmwareVersion: '1.2' }, at: NOON });
  t.same(
    connection.sent.slice(0, 4).map(({ action }) => action),
    ['GetConfiguration', 'ClearChargingProfile', 'SetChargingProfile', 'SetChargingProfile'],
  );
  const [first, second] = connection.of('SetChargingProfile');
  t.match(first, {
    connectorId: 1,
    csChargingProfiles: {
      stackLevel: 0,
      chargingProfilePurpose: 'TxDefaultProfile',
      chargingProfileKind: 'Absolute',
      chargingSchedule: { startSchedule: '2026-06-01T11:59:00.000Z', chargingRateUnit: 'A' },
    },
  });
  t.same(periodIn(first).chargingSchedulePeriod, [{ startPeriod: 0, limit: 8 }], 'no phases in ampere');
  t.equal(second?.['connectorId'], 2);
  t.not(profileIn(first)?.['chargingProfileId'], profileIn(second)?.['chargingProfileId']);
  t.same(
    connection.of('ChangeConfiguration').map(({ key, value }) => `${String(key)}=${String(value)}`),
    [
      'AuthorizeRemoteTxRequests=false',
      'LocalPreAuthorize=false',
      'AuthorizationCacheEnabled=false',
      'StopTransactionOnInvalidId=true',
      'LocalAuthListEnabled=true',
      'MeterValueSampleInterval=10',
      'MeterValuesSampledData=Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,Current.Offered,SoC',
    ],
    'what is already so is left alone',
  );
  t.match(host.of('capabilities').at(-1)?.capabilities, {
    currentLimit: true,
    fallback: true,
    reservation: true,
    localList: true,
    trigger: true,
    phaseSwitching: false,
  });
  t.same(log.errors, []);
  t.equal(connection.sent.at(-1)?.action, 'TriggerMessage', 'its states have not come by themselves');
});

t.test('set-up waits for the boot, the first other message or 20 s, and runs once', async (t) => {
  const quiet = rig();
  quiet.driver.attach(quiet.connection);
  await quiet.clock.advance(19_999);
  t.equal(quiet.connection.sent.length, 0, 'called earlier, some chargers boot for ever');
  await quiet.clock.advance(1);
  t.same(quiet.connection.of('TriggerMessage'), [{ requestedMessage: 'StatusNotification' }]);
  t.match(quiet.connection.of('ChangeConfiguration'), [{}, {}, {}, {}, {}, { key: 'HeartbeatInterval', value: '300' }]);
  const before = quiet.connection.sent.length;
  await quiet.from('BootNotification', BOOT);
  await quiet.from('Heartbeat', {});
  await quiet.clock.advance(60_000);
  t.equal(quiet.connection.sent.length, before);

  const talking = rig();
  talking.driver.attach(talking.connection);
  await talking.from('StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Available' });
  t.equal(talking.connection.sent[0]?.action, 'GetConfiguration');
  t.equal(talking.connection.of('TriggerMessage').length, 0, 'a status has come already');

  const refused = rig();
  refused.host.answers = { booted: () => ({ status: 'Pending', now: NOON, interval: 30 }) };
  refused.driver.attach(refused.connection);
  await refused.from('BootNotification', BOOT);
  await refused.from('Heartbeat', {});
  await refused.clock.advance(60_000);
  t.equal(refused.connection.sent.length, 0, 'not before it is accepted');
  refused.host.answers = {};
  await refused.from('BootNotification', BOOT);
  t.equal(refused.connection.sent[0]?.action, 'GetConfiguration');
});

t.test('a charger that rejects everything still works', async (t) => {
  const { host, log, connection, from, up, driver, clock } = rig(rejecting);
  await up();
  t.equal(host.of('capabilities').at(-1)?.capabilities.fallback, false);
  const asked = connection.sent.length;
  await clock.advance(600_000);
  t.equal(connection.sent.length, asked, 'no step is repeated');
  t.ok(log.lines.some(({ message }) => message.includes('fail-safe profile not accepted')));
  const started = await from('StartTransaction', {
    connectorId: 1,
    idTag: 'CAFE',
    meterStart: 100,
    timestamp: '2026-06-01T12:00:00Z',
  });
  t.match(started, { kind: 'result', payload: { transactionId: 41, idTagInfo: { status: 'Accepted' } } });
  t.match(await driver.execute(setLimit(10, '41')), { status: 'Rejected' });
  t.same(connection.invalid, []);
});

t.test('a charger that answers nothing is not asked for ever', async (t) => {
  const { connection, up, clock, driver, host } = rig(() => new Promise<CallOutcome>(() => undefined));
  await up();
  const early = driver.execute(setLimit(10));
  await clock.advance(120_000);
  t.equal(connection.sent.length, 2, 'two silent steps end the set-up');
  t.match(await early, { status: 'Offline' }, 'a limit that was never sent');
  t.equal(host.of('capabilities').at(-1)?.capabilities.fallback, false);
  const limit = driver.execute(setLimit(10));
  await settled();
  await clock.advance(15_000);
  t.match(await limit, { status: 'Uncertain' });
  t.ok(connection.sent.every(({ timeout }) => timeout <= 15_000));
  t.equal(clock.pending, 0);
});

t.test('a charger that drops its connection at one message is spared it from the third time on', async (t) => {
  const { driver, from, connection } = rig();
  const yes = connection.script;
  const falls: Script = (action, payload) => {
    if (action !== 'GetConfiguration') return yes(action, payload);
    driver.detach('1006');
    return { kind: 'closed', sent: true };
  };
  const asked: number[] = [];
  for (let round = 0; round < 3; round++) {
    const next = new FakeConnection('ocpp1.6', falls);
    driver.attach(next);
    await from('BootNotification', BOOT);
    await settled();
    asked.push(next.of('GetConfiguration').length);
    if (round === 2) t.equal(next.of('SetChargingProfile').length, 2, 'the rest of the set-up is done at last');
  }
  t.same(asked, [1, 1, 0]);
});

t.test('measurands are tried one by one where the list is refused', async (t) => {
  const known = ['Energy.Active.Import.Register', 'Current.Import', 'SoC'];
  const answers = willing();
  const { connection, up } = rig((action, payload) => {
    const isList = action === 'ChangeConfiguration' && payload['key'] === 'MeterValuesSampledData';
    if (!isList) return answers(action, payload);
    const fits = String(payload['value'])
      .split(',')
      .every((item) => known.includes(item));
    return result({ status: fits ? 'Accepted' : 'Rejected' });
  });
  await up();
  const lists = connection.of('ChangeConfiguration').filter(({ key }) => key === 'MeterValuesSampledData');
  t.equal(lists.length, 7);
  t.equal(lists.at(-1)?.['value'], known.join(','));
});

t.test('watts for a charger that takes nothing else, told or found out', async (t) => {
  const told = rig(willing({ ...configured, ChargingScheduleAllowedChargingRateUnit: 'W' }));
  await told.up();
  t.equal(periodIn(told.connection.of('SetChargingProfile')[0]).chargingRateUnit, 'W');
  t.same(periodIn(told.connection.of('SetChargingProfile')[0]).chargingSchedulePeriod, [
    { startPeriod: 0, limit: 8 * 230 * 3, numberPhases: 3 },
  ]);
  const between = rig(
    willing({ ...configured, ChargingScheduleAllowedChargingRateUnit: 'W' }),
    stationOf(evse(3, 1, { phases: ['L1', 'L2'], lineToLine: true })),
  );
  await between.up();
  t.same(periodIn(between.connection.of('SetChargingProfile')[0]).chargingSchedulePeriod, [
    { startPeriod: 0, limit: 3186, numberPhases: 1 },
  ]);
  const found = rig((action, payload) =>
    action === 'SetChargingProfile'
      ? result({ status: periodIn(payload).chargingRateUnit === 'W' ? 'Accepted' : 'Rejected' })
      : action === 'GetConfiguration'
        ? result({})
        : result({ status: 'Accepted' }),
  );
  await found.up();
  t.same(
    found.connection.of('SetChargingProfile').map((payload) => periodIn(payload).chargingRateUnit),
    ['A', 'W', 'W'],
  );
  t.equal(found.host.of('capabilities').at(-1)?.capabilities.fallback, true);
  t.same([...told.connection.invalid, ...found.connection.invalid], []);
});

t.test('plug first (S13)', async (t) => {
  const { host, from, up, log } = rig();
  await up();
  const status = (status: string) =>
    from('StatusNotification', { connectorId: 2, errorCode: 'NoError', status, timestamp: '2026-06-01T12:00:00Z' });
  await status('Preparing');
  t.match(await from('Authorize', { idTag: 'CAFE1234' }), { payload: { idTagInfo: { status: 'Accepted' } } });
  const started = await from('StartTransaction', {
    connectorId: 2,
    idTag: 'CAFE1234',
    meterStart: 1000,
    timestamp: '2026-06-01T12:00:01Z',
    reservationId: 5,
  });
  t.match(started, { payload: { transactionId: 41, idTagInfo: { status: 'Accepted' } } });
  await status('Charging');
  await from('MeterValues', {
    connectorId: 2,
    transactionId: 41,
    meterValue: [
      { timestamp: '2026-06-01T12:00:10Z', sampledValue: [{ value: '1,5', unit: 'kWh', context: 'Sample.Periodic' }] },
      { timestamp: '2026-06-01T12:00:20Z', sampledValue: [{ value: '1600', context: 'Sample.Clock' }] },
      { timestamp: '2026-06-01T12:00:30Z', sampledValue: [] },
    ],
  });
  const stopped = await from('StopTransaction', {
    transactionId: 41,
    idTag: 'CAFE1234',
    meterStop: 2000,
    timestamp: '2026-06-01T13:00:00Z',
    transactionData: [
      { timestamp: '2026-06-01T13:00:00Z', sampledValue: [{ value: '2000', context: 'Transaction.End' }] },
    ],
  });
  t.match(stopped, { payload: { idTagInfo: { status: 'Accepted' } } });
  await status('Finishing');
  await status('Available');
  const token = { idToken: 'CAFE1234', type: 'ISO14443' };
  t.match(host.of('transaction'), [
    {
      kind: 'started',
      evse: 4,
      connector: 1,
      trigger: 'Authorized',
      chargingState: 'EVConnected',
      idToken: token,
      reservationId: 5,
      at: NOON + 1000,
      meterValues: [
        {
          at: NOON + 1000,
          sampled: [{ value: 1000, context: 'Transaction.Begin', measurand: 'Energy.Active.Import.Register' }],
        },
      ],
    },
    {
      kind: 'updated',
      evse: 4,
      stationTransactionId: '41',
      trigger: 'MeterValuePeriodic',
      meterValues: [{ sampled: [{ value: 1500 }] }],
    },
    { kind: 'updated', trigger: 'MeterValueClock', at: NOON + 20_000, meterValues: [{ sampled: [{ value: 1600 }] }] },
    {
      kind: 'ended',
      evse: 4,
      stationTransactionId: '41',
      trigger: 'StopAuthorized',
      stoppedReason: 'Local',
      idToken: token,
      meterValues: [{ sampled: [{ value: 2000, context: 'Transaction.End' }] }, { sampled: [{ value: 2000 }] }],
    },
  ]);
  t.equal(host.of('transaction').length, 4);
  t.same(
    host.of('status').map(({ status, chargingState, evse }) => [evse, status, chargingState]),
    [
      [4, 'Occupied', 'EVConnected'],
      [4, 'Occupied', 'Charging'],
      [4, 'Occupied', 'EVConnected'],
      [4, 'Available', 'Idle'],
    ],
  );
  t.notOk(JSON.stringify(log.lines).includes('CAFE1234'));
});

t.test('tag first (S14) is a start by the cable', async (t) => {
  const { host, from, up, clock } = rig();
  await up();
  await from('Authorize', { idTag: 'cafe' });
  await clock.advance(3000);
  await from('StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Preparing' });
  await from('StartTransaction', { connectorId: 1, idTag: 'CAFE', meterStart: 0, timestamp: '2026-06-01T12:00:05Z' });
  t.equal(host.of('transaction')[0]?.trigger, 'CablePluggedIn');
});

t.test('remote start and stop', async (t) => {
  const { host, from, up, driver, connection } = rig();
  await up();
  connection.forget();
  const idToken = { idToken: 'Remote01', type: 'Central' as const };
  const start = { type: 'requestStart' as const, evse: evseNumber(4), idToken, remoteStartId: 77 };
  t.same(await driver.execute(start), { status: 'Accepted' });
  t.same(connection.of('RemoteStartTransaction'), [{ connectorId: 2, idTag: 'Remote01' }]);
  await from('StartTransaction', {
    connectorId: 2,
    idTag: 'REMOTE01',
    meterStart: 5,
    timestamp: '2026-06-01T12:00:05Z',
  });
  t.match(host.of('transaction')[0], { trigger: 'RemoteStart', remoteStartId: 77, idToken });
  await from('StartTransaction', {
    connectorId: 1,
    idTag: 'REMOTE01',
    meterStart: 5,
    timestamp: '2026-06-01T12:00:06Z',
  });
  t.equal(host.of('transaction')[1]?.remoteStartId, undefined, 'one request starts one transaction');
  const stop = { type: 'requestStop' as const, evse: evseNumber(4), stationTransactionId: stationTransactionId('41') };
  t.same(await driver.execute(stop), { status: 'Accepted' });
  t.same(connection.of('RemoteStopTransaction'), [{ transactionId: 41 }]);
  t.match(await driver.execute({ ...stop, stationTransactionId: stationTransactionId('not-mine') }), {
    status: 'Rejected',
  });
  t.match(await driver.execute({ ...start, evse: evseNumber(99) }), { status: 'Rejected' });
  connection.script = () => result({ status: 'Rejected' });
  await driver.execute(start);
  await from('StartTransaction', {
    connectorId: 2,
    idTag: 'Remote01',
    meterStart: 5,
    timestamp: '2026-06-01T12:00:07Z',
  });
  t.equal(host.of('transaction')[2]?.trigger, 'Authorized', 'a refused request is not waited for');
  t.same(connection.invalid, []);
});

t.test('a token that is longer than an idTag goes under an alias and comes back as itself', async (t) => {
  const { host, from, up, driver, connection } = rig();
  await up();
  const idToken = { idToken: 'DE-8AA-CA2B3C4D5-L-and-more-of-it', type: 'eMAID' as const };
  const start = { type: 'requestStart' as const, evse: evseNumber(4), idToken, remoteStartId: 78 };
  t.same(await driver.execute(start), { status: 'Accepted' });
  const idTag = String(connection.of('RemoteStartTransaction')[0]?.['idTag']);
  t.equal(idTag.length, 20);
  await from('Authorize', { idTag });
  t.match(host.of('authorize')[0], { idToken });
  await from('StartTransaction', { connectorId: 2, idTag, meterStart: 5, timestamp: '2026-06-01T12:00:05Z' });
  t.match(host.of('transaction')[0], { trigger: 'RemoteStart', remoteStartId: 78, idToken });
  await from('StopTransaction', { transactionId: 41, idTag, meterStop: 9, timestamp: '2026-06-01T12:30:00Z' });
  t.match(host.of('transaction').at(-1), { kind: 'ended', idToken });
  const reserve = { type: 'reserve' as const, reservationId: 3, evse: evseNumber(4), idToken, expiry: timestamp(0) };
  await driver.execute({ ...reserve, group: idToken });
  t.match(connection.of('ReserveNow')[0], { idTag, parentIdTag: idTag });
  t.same(connection.invalid, []);
});

t.test('an alias outlives the process that gave it', async (t) => {
  const kept = new Map<string, IdToken>();
  const before = rig(willing(), undefined, memoryAliases(kept));
  await before.up();
  const idToken = { idToken: 'DE-8AA-CA2B3C4D5-L-and-more-of-it', type: 'eMAID' as const };
  await before.driver.execute({ type: 'requestStart', evse: evseNumber(4), idToken, remoteStartId: 78 });
  const { host, from, up } = rig(willing(), undefined, memoryAliases(kept));
  await up();
  const idTag = before.connection.of('RemoteStartTransaction')[0]?.['idTag'];
  await from('StartTransaction', { connectorId: 2, idTag, meterStart: 5, timestamp: '2026-06-01T12:00:05Z' });
  t.match(host.of('transaction')[0], { idToken });
});

t.test('a remote start survives a start that could not be stored', async (t) => {
  const { host, from, up, driver } = rig();
  await up();
  const idToken = { idToken: 'R1', type: 'Central' as const };
  await driver.execute({ type: 'requestStart', evse: evseNumber(3), idToken, remoteStartId: 8 });
  host.answers = {
    transaction: () => {
      throw new JournalUnavailable('disk full');
    },
  };
  const start = { connectorId: 1, idTag: 'R1', meterStart: 0, timestamp: '2026-06-01T12:00:00Z' };
  t.match(await from('StartTransaction', start), { kind: 'error' });
  host.answers = {};
  await from('StartTransaction', start);
  t.equal(host.of('transaction').at(-1)?.remoteStartId, 8);
});

t.test('an EVSE with two connectors: both protected, the limit where the transaction is', async (t) => {
  const two = [
    { number: 1, type: 'CCS2' as const },
    { number: 2, type: 'CHAdeMO' as const },
  ];
  const { connection, up, from, driver, host } = rig(willing(), stationOf(evse(7, 1, { connectors: two }), evse(8, 2)));
  await up();
  t.same(
    connection.of('SetChargingProfile').map(({ connectorId }) => connectorId),
    [1, 2, 3],
  );
  const ids = connection.of('SetChargingProfile').map((payload) => profileIn(payload)?.['chargingProfileId']);
  t.equal(new Set(ids).size, 3);
  await from('StartTransaction', { connectorId: 2, idTag: 'A', meterStart: 0, timestamp: '2026-06-01T12:00:00Z' });
  t.match(host.of('transaction')[0], { evse: 7, connector: 2 });
  connection.forget();
  await driver.execute({ ...setLimit(10, '41'), evse: evseNumber(7) });
  t.same(
    connection.of('SetChargingProfile').map(({ connectorId }) => connectorId),
    [2],
  );
  await driver.execute({ type: 'changeAvailability', operative: false, evse: evseNumber(7) });
  t.same(
    connection.of('ChangeAvailability').map(({ connectorId }) => connectorId),
    [1, 2],
  );
  t.same(connection.invalid, []);
});

t.test('limits: TxProfile above a fail-safe default', async (t) => {
  const { up, driver, connection } = rig();
  await up();
  connection.forget();
  t.match(await driver.execute(setLimit(16.19, '41')), { status: 'Accepted' });
  const [raised] = connection.of('SetChargingProfile');
  t.match(raised, {
    connectorId: 1,
    csChargingProfiles: { chargingProfilePurpose: 'TxProfile', stackLevel: 1, transactionId: 41 },
  });
  t.same(periodIn(raised).chargingSchedulePeriod, [{ startPeriod: 0, limit: 16.1 }]);
  t.match(await driver.execute(setLimit(0, '41')), { status: 'Accepted' });
  const paused = connection.of('SetChargingProfile').at(-1);
  t.same(periodIn(paused).chargingSchedulePeriod, [{ startPeriod: 0, limit: 0 }], '0 pauses');
  t.equal(profileIn(paused)?.['chargingProfileId'], profileIn(raised)?.['chargingProfileId'], 'it replaces');
  t.match(await driver.execute(setLimit(20)), { status: 'Accepted' });
  const idle = connection.of('SetChargingProfile').at(-1);
  t.match(idle, { csChargingProfiles: { chargingProfilePurpose: 'TxDefaultProfile' } });
  t.same(periodIn(idle).chargingSchedulePeriod, [{ startPeriod: 0, limit: 8 }], 'the default stays fail-safe');
  t.equal(connection.sent[0]?.priority, 0, 'limits overtake');
  t.match(await driver.execute({ ...setLimit(10, '41'), phases: 1 }), { status: 'NotSupported' });
  t.match(await driver.execute(setLimit(10, 'x')), { status: 'Rejected' });
  t.same(connection.invalid, []);
});

t.test('limits: what a charger refuses is not tried again, and a raised default goes back', async (t) => {
  const answers = willing();
  const { up, driver, connection, from, host } = rig((action, payload) => {
    if (action !== 'SetChargingProfile') return answers(action, payload);
    return result({
      status: profileIn(payload)?.['chargingProfilePurpose'] === 'TxDefaultProfile' ? 'Accepted' : 'Rejected',
    });
  });
  await up();
  await from('StartTransaction', { connectorId: 1, idTag: 'A1', meterStart: 0, timestamp: '2026-06-01T12:00:00Z' });
  connection.forget();
  const purposes = () =>
    connection.of('SetChargingProfile').map((payload) => {
      const profile = profileIn(payload);
      return `${String(profile?.['chargingProfilePurpose'])}@${String(profile?.['stackLevel'])}`;
    });
  t.match(await driver.execute(setLimit(16, '41')), { status: 'Accepted' });
  t.same(purposes(), ['TxProfile@1', 'TxProfile@0', 'TxDefaultProfile@0']);
  t.equal(host.of('capabilities').at(-1)?.capabilities.fallback, false, 'it would stay above its fallback');
  connection.forget();
  t.match(await driver.execute(setLimit(10, '41')), { status: 'Accepted' });
  t.same(purposes(), ['TxDefaultProfile@0']);
  connection.forget();
  await from('StopTransaction', { transactionId: 41, meterStop: 10, timestamp: '2026-06-01T13:00:00Z' });
  await settled();
  t.same(purposes(), ['TxDefaultProfile@0']);
  t.match(periodIn(connection.of('SetChargingProfile')[0]).chargingSchedulePeriod, [{ limit: 8 }]);
  t.equal(host.of('capabilities').at(-1)?.capabilities.fallback, true);
});

t.test('limits: a TxProfile in force is removed before a default may count', async (t) => {
  let takesTx = true;
  const answers = willing();
  const { up, driver, connection } = rig((action, payload) => {
    const isTx = profileIn(payload)?.['chargingProfilePurpose'] === 'TxProfile';
    return isTx && !takesTx ? result({ status: 'Rejected' }) : answers(action, payload);
  });
  await up();
  t.match(await driver.execute(setLimit(16, '41')), { status: 'Accepted' });
  takesTx = false;
  connection.forget();
  t.match(await driver.execute(setLimit(10, '41')), { status: 'Accepted' });
  t.match(connection.of('ClearChargingProfile'), [{ id: Number }]);
});

t.test('limits: a charger that says it switches phases and never does is not asked for ever', async (t) => {
  const keys = [{ key: 'ConnectorSwitch3to1PhaseSupported', readonly: true, value: 'true' }];
  const features = { key: 'SupportedFeatureProfiles', readonly: true, value: 'Core,SmartCharging' };
  const can = (): Script => (action, payload) =>
    action === 'GetConfiguration' ? result({ configurationKey: [...keys, features] }) : willing()(action, payload);
  const { driver, connection, host, up } = rig(can());
  await up();
  t.equal(host.of('capabilities').at(-1)?.capabilities.phaseSwitching, true);
  const onOne = { ...setLimit(16, '41'), phases: 1 as const };
  connection.forget();
  t.match(await driver.execute(onOne), { status: 'Accepted' });
  t.match(periodIn(connection.of('SetChargingProfile')[0]).chargingSchedulePeriod[0], { limit: 16, numberPhases: 1 });
  t.same(connection.invalid, []);
  await driver.stop();

  const never = rig((action, payload) => {
    const [period] = periodIn(payload).chargingSchedulePeriod ?? [];
    const numbered = (period as { numberPhases?: number } | undefined)?.numberPhases !== undefined;
    return action === 'SetChargingProfile' && numbered ? result({ status: 'Rejected' }) : can()(action, payload);
  });
  await never.up();
  for (let attempt = 1; attempt <= 3; attempt++) {
    t.equal(never.host.of('capabilities').at(-1)?.capabilities.phaseSwitching, true, `attempt ${attempt}`);
    t.match(await never.driver.execute(onOne), { status: 'Rejected' });
  }
  t.equal(never.host.of('capabilities').at(-1)?.capabilities.phaseSwitching, false);
  t.match(await never.driver.execute(setLimit(16, '41')), { status: 'Accepted' });
});

t.test('limits: an answer after the time-out is told all the same', async (t) => {
  let answer: (payload: Payload) => void = () => undefined;
  const late = new Promise<Payload>((resolve) => (answer = resolve));
  const { driver, connection, up } = rig();
  await up();
  connection.forget();
  connection.script = () => ({ kind: 'timeout', late });
  const { later, ...outcome } = await driver.execute(setLimit(16, '41'));
  t.same(outcome, { status: 'Uncertain', detail: 'no answer in time' });
  t.equal(connection.sent.length, 1, 'nothing else is tried: it may be in force');
  answer({ status: 'Accepted' });
  t.same(await later, { status: 'Accepted' });
});

t.test('limits: single-EVSE charger as a last resort by its maximum; none at all is told', async (t) => {
  const single = rig(
    (action, payload) =>
      action === 'SetChargingProfile'
        ? result({ status: payload['connectorId'] === 0 ? 'Accepted' : 'NotSupported' })
        : willing()(action, payload),
    stationOf(evse(3, 1)),
  );
  await single.up();
  t.match(await single.driver.execute(setLimit(16, '41')), { status: 'Accepted' });
  t.match(profileIn(single.connection.of('SetChargingProfile').at(-1)), {
    chargingProfilePurpose: 'ChargePointMaxProfile',
  });
  const nothing = rig((action, payload) =>
    action === 'SetChargingProfile' ? callError('NotImplemented') : willing()(action, payload),
  );
  await nothing.up();
  t.match(await nothing.driver.execute(setLimit(10)), { status: 'NotSupported' });
  const asked = nothing.connection.of('SetChargingProfile').length;
  t.match(await nothing.driver.execute(setLimit(10)), { status: 'NotSupported' });
  t.equal(nothing.connection.of('SetChargingProfile').length, asked, 'asked once, then known');
  t.equal(nothing.host.of('capabilities').at(-1)?.capabilities.currentLimit, false);
});

t.test('other commands', async (t) => {
  const { up, driver, connection, from } = rig();
  await up();
  connection.forget();
  const three = evseNumber(3);
  t.same(await driver.execute({ type: 'unlock', evse: three, connector: 1 }), { status: 'Unlocked' });
  await driver.execute({ type: 'changeAvailability', operative: false });
  await driver.execute({ type: 'changeAvailability', operative: true, evse: evseNumber(4) });
  t.same(connection.of('ChangeAvailability'), [
    { connectorId: 0, type: 'Inoperative' },
    { connectorId: 2, type: 'Operative' },
  ]);
  await driver.execute({ type: 'reset', kind: 'soft', whenIdle: false });
  await driver.execute({ type: 'reset', kind: 'hard', whenIdle: true });
  t.same(connection.of('Reset'), [{ type: 'Soft' }, { type: 'Hard' }]);
  t.match(await driver.execute({ type: 'reset', kind: 'soft', whenIdle: false, evse: three }), {
    status: 'NotSupported',
  });
  const idToken = { idToken: 'AB', type: 'ISO14443' as const };
  const expiry = timestamp(NOON + 60_000);
  await driver.execute({
    type: 'reserve',
    reservationId: 9,
    evse: three,
    idToken,
    group: { idToken: 'F', type: 'Central' },
    expiry,
  });
  t.same(connection.of('ReserveNow'), [
    { connectorId: 1, expiryDate: '2026-06-01T12:01:00.000Z', idTag: 'AB', parentIdTag: 'F', reservationId: 9 },
  ]);
  t.same(await driver.execute({ type: 'cancelReservation', reservationId: 9 }), { status: 'Accepted' });
  await driver.execute({ type: 'trigger', message: 'LogStatusNotification' });
  await driver.execute({ type: 'trigger', message: 'MeterValues', evse: evseNumber(4) });
  t.same(connection.of('TriggerMessage'), [
    { requestedMessage: 'DiagnosticsStatusNotification' },
    { requestedMessage: 'MeterValues', connectorId: 2 },
  ]);
  t.match(await driver.execute({ type: 'trigger', message: 'TransactionEvent' }), { status: 'NotSupported' });
  const entry = (idToken: string) => ({
    idToken: { idToken, type: 'ISO14443' as const },
    info: { status: 'Accepted' as const },
  });
  const entries = [entry('A'), entry('B'), entry('a'), entry('C'), entry('x'.repeat(30))];
  t.same(await driver.execute({ type: 'sendLocalList', version: 10, update: 'Full', entries }), { status: 'Accepted' });
  const lists = connection.of('SendLocalList');
  t.match(lists, [
    { listVersion: 9, updateType: 'Full' },
    { listVersion: 10, updateType: 'Differential' },
  ]);
  t.same(
    lists.map(({ localAuthorizationList }) => (localAuthorizationList as unknown[]).length),
    [2, 1],
  );
  t.same(await driver.execute({ type: 'sendLocalList', version: 12, update: 'Full', entries: [] }), {
    status: 'Accepted',
  });
  const changes = [
    { idToken: token('A') },
    { idToken: token('D'), info: { status: 'Accepted', group: LONG } } as const,
  ];
  await driver.execute({ type: 'sendLocalList', version: 14, update: 'Differential', entries: changes });
  t.same(connection.of('SendLocalList').at(-1), {
    listVersion: 14,
    updateType: 'Differential',
    localAuthorizationList: [
      { idTag: 'A' },
      { idTag: 'D', idTagInfo: { status: 'Accepted', parentIdTag: aliasOf(LONG) } },
    ],
  });
  t.same(await driver.execute({ type: 'getLocalListVersion' }), { status: 'Accepted', data: 14 });
  t.same(
    await driver.execute({ type: 'setVariable', component: 'TxCtrlr', variable: 'EVConnectionTimeOut', value: '60' }),
    { status: 'Accepted' },
  );
  t.match(await driver.execute({ type: 'setVariable', component: 'X', variable: 'Y', value: '1' }), {
    status: 'NotSupported',
  });
  connection.script = () => result({ status: 'UnknownMessageId', data: 'why' });
  t.same(await driver.execute({ type: 'dataTransfer', vendorId: 'v', messageId: 'm', data: { a: 1 } }), {
    status: 'UnknownMessageId',
    data: 'why',
  });
  t.same(connection.of('DataTransfer'), [{ vendorId: 'v', messageId: 'm', data: '{"a":1}' }]);
  connection.script = () => callError('NotSupported');
  t.match(await driver.execute({ type: 'cancelReservation', reservationId: 9 }), { status: 'NotSupported' });
  connection.script = () => ({ kind: 'closed', sent: true });
  t.match(await driver.execute({ type: 'cancelReservation', reservationId: 9 }), { status: 'Uncertain' });
  connection.script = () => ({ kind: 'closed', sent: false });
  t.match(await driver.execute({ type: 'cancelReservation', reservationId: 9 }), { status: 'Offline' });
  await from('StartTransaction', { connectorId: 1, idTag: 'A1', meterStart: 0, timestamp: '2026-06-01T12:00:00Z' });
  t.match(await driver.execute({ type: 'reset', kind: 'soft', whenIdle: true }), { status: 'NotSupported' });
  t.same(connection.invalid, []);
});

t.test('offline: commands end at once, the link is reported, a new socket is set up anew', async (t) => {
  const { up, driver, connection, host } = rig();
  t.same(await driver.execute(setLimit(10)), { status: 'Offline' });
  driver.detach('never there');
  t.equal(host.events.length, 0);
  await up();
  driver.detach('socket closed');
  await settled();
  t.match(host.events.at(-1), { type: 'disconnected', reason: 'socket closed' });
  t.same(await driver.execute(setLimit(10)), { status: 'Offline' });
  const second = new FakeConnection('ocpp1.6', willing());
  driver.attach(second);
  const waiting = driver.execute({ type: 'cancelReservation', reservationId: 1 });
  const third = new FakeConnection('ocpp1.6', willing());
  driver.attach(third);
  t.match(await waiting, { status: 'Offline' });
  t.equal(host.of('connected').length, 3);
  t.match(host.of('disconnected').at(-1), { reason: 'replaced by a newer connection' });
  await driver.stop();
  t.equal(third.open, false);
  t.equal(connection.of('GetConfiguration').length, 1);
  const told = host.events.length;
  t.match(await driver.handler({ action: 'Authorize', payload: { idTag: 'A' }, text: '' }), {
    kind: 'error',
    code: 'InternalError',
  });
  t.equal(host.events.length, told, 'nothing is reported after the stop');
});

t.test('what a command learns after the stop is of no use any more', async (t) => {
  const host = new FakeHost();
  const log = new FakeLog();
  const reports = new StationReports(host, log, 'CP1');
  await reports.stop();
  reports.tell({ type: 'disconnected', station: stationOf(evse(3, 1)).id, reason: 'late' });
  await settled();
  t.same(host.events, []);
  t.same(log.errors, []);
});

t.test('a full disk leaves the message with the charger', async (t) => {
  const { up, from, host } = rig();
  await up();
  host.answers = {
    transaction: () => {
      throw new JournalUnavailable('disk full');
    },
  };
  const start = { connectorId: 1, idTag: 'A1', meterStart: 0, timestamp: '2026-06-01T12:00:00Z' };
  t.match(await from('StartTransaction', start), { kind: 'error', code: 'InternalError' });
  const values = [{ timestamp: '2026-06-01T12:00:00Z', sampledValue: [{ value: '1' }] }];
  t.match(await from('MeterValues', { connectorId: 1, transactionId: 5, meterValue: [...values, ...values] }), {
    kind: 'error',
    code: 'InternalError',
  });
});

t.test('meter values wait for the journal', async (t) => {
  const { up, driver, host } = rig();
  await up();
  let stored = (): void => undefined;
  host.answers = { meterValues: () => new Promise<void>((resolve) => (stored = resolve)) };
  let answered = false;
  const payload = { connectorId: 0, meterValue: [{ timestamp: 'noon', sampledValue: [{ value: '1' }] }] };
  const answer = driver.handler({ action: 'MeterValues', payload, text: '' }).then((given) => {
    answered = true;
    return given;
  });
  await settled();
  t.equal(answered, false);
  stored();
  t.match(await answer, { kind: 'result', payload: {} });
  t.equal(host.of('meterValues')[0]?.evse, undefined);
});

t.test('the rest of what a charger may say', async (t) => {
  const { up, from, host, log } = rig();
  await up();
  host.answers = { dataTransfer: () => ({ status: 'Accepted', data: { ok: true } }) };
  t.same(
    await from('DataTransfer', { vendorId: 'v', messageId: 'm', data: 'd' }).then(
      (a) => a.kind === 'result' && a.payload,
    ),
    {
      status: 'Accepted',
      data: '{"ok":true}',
    },
  );
  await from('FirmwareStatusNotification', { status: 'Downloading' });
  await from('DiagnosticsStatusNotification', { status: 'UploadFailed' });
  await from('LogStatusNotification', { status: 'Uploaded', requestId: 4 });
  await from('SignedFirmwareStatusNotification', { status: 'InvalidSignature', requestId: 5 });
  t.match(host.of('jobStatus'), [
    { job: 'firmware', status: 'Downloading' },
    { job: 'log', status: 'UploadFailure' },
    { job: 'log', status: 'Uploaded', requestId: 4 },
    { job: 'firmware', status: 'InvalidSignature', requestId: 5 },
  ]);
  await from('SecurityEventNotification', {
    type: 'TamperDetectionActivated',
    timestamp: '2026-06-01T12:00:00Z',
    techInfo: 'lid',
  });
  t.match(host.of('securityEvent'), [{ event: 'TamperDetectionActivated', techInfo: 'lid', at: NOON }]);
  t.match(await from('SignCertificate', { csr: 'x' }), { payload: { status: 'Rejected' } });
  t.match(await from('SetChargingProfile', {}), { kind: 'error', code: 'NotImplemented' });
  await from('StatusNotification', { connectorId: 0, errorCode: 'NoError', status: 'Faulted' });
  t.match(host.of('status').at(-1), { status: 'Faulted', evse: undefined });
  await from('StatusNotification', { connectorId: 1, errorCode: 'WeakSignal', status: 'Charging' });
  t.match(host.of('status').at(-1), { status: 'Occupied', error: { code: 'WeakSignal' } }, 'a warning is no fault');
  const known = host.events.length;
  t.match(await from('StatusNotification', { connectorId: 9, errorCode: 'NoError', status: 'Charging' }), {
    payload: {},
  });
  t.match(await from('StartTransaction', { connectorId: 9, idTag: 'SECRETTAG', meterStart: 0, timestamp: 'x' }), {
    payload: { transactionId: 0, idTagInfo: { status: 'Invalid' } },
  });
  t.match(await from('MeterValues', { connectorId: 9, meterValue: [] }), { payload: {} });
  t.equal(host.events.length, known, 'unknown connectors are answered, not reported');
  t.notOk(JSON.stringify(log.lines).includes('SECRETTAG'));
  await from('StopTransaction', { transactionId: -1, meterStop: 7, timestamp: '2026-06-01T12:00:00Z' });
  t.match(host.of('transaction').at(-1), { kind: 'ended', stationTransactionId: '-1', evse: undefined });
});

t.test('no payload breaks it, and every answer is valid', async (t) => {
  const { up, from, log } = rig();
  await up();
  const actions = [
    'BootNotification',
    'StatusNotification',
    'Authorize',
    'StartTransaction',
    'StopTransaction',
    'MeterValues',
    'DataTransfer',
    'SecurityEventNotification',
    'LogStatusNotification',
  ];
  const names = [
    'connectorId',
    'transactionId',
    'meterValue',
    'sampledValue',
    'timestamp',
    'status',
    'idTag',
    'meterStart',
    'meterStop',
    'transactionData',
    'value',
    'errorCode',
    'reason',
    'type',
    'vendorId',
    '__proto__',
    'constructor',
  ];
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom(0, 1, -1, 2, 41, '1', 'Charging', '', null, true, 1e308, NaN),
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
        return given.kind === 'result' || given.code === 'InternalError';
      },
    ),
    { numRuns: 300 },
  );
  t.same(log.errors, []);
});
