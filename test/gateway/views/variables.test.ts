// The device model a CSMS sees: complete, validated, its own where it should be, and silent about secrets.
import t from 'tap';
import { csmsId, stationId } from '../../../gateway/kernel/ids.js';
import { timestamp } from '../../../gateway/kernel/units.js';
import type { ReportedVariable, VariableReference } from '../../../gateway/ports/csms.js';
import { checkValue } from '../../../gateway/views/variable-value.js';
import { VARIABLES } from '../../../gateway/views/variable-table.js';
import { scene, type Scene } from './fixture.js';

const named = (name: string): VariableReference => {
  const [, component = '', variable = '', instance] = /^(\w+)\.(\w+)(?:\[(\w+)\])?$/.exec(name) ?? [];
  return { component, variable, ...(instance === undefined ? {} : { instance }) };
};
const get = async (s: Scene, ...references: VariableReference[]) =>
  (await s.view.command({ type: 'getVariables', variables: references })).variables ?? [];
const set = async (s: Scene, name: string, value: string) =>
  (await s.view.command({ type: 'setVariables', variables: [{ ...named(name), value }] })).variables?.[0]?.status;

/** Every variable that stands for a key of OCPP 1.6 (section 9 and the security whitepaper). */
const OF_KEYS = [
  'AuthCtrlr.OfflineTxForUnknownIdEnabled',
  'AuthCacheCtrlr.Enabled',
  'AuthCtrlr.AuthorizeRemoteStart',
  'AlignedDataCtrlr.Interval',
  'AlignedDataCtrlr.TxEndedInterval',
  'TxCtrlr.EVConnectionTimeOut',
  'DeviceDataCtrlr.ItemsPerMessage[GetVariables]',
  'OCPPCommCtrlr.HeartbeatInterval',
  'AuthCtrlr.LocalAuthorizeOffline',
  'AuthCtrlr.LocalPreAuthorize',
  'TxCtrlr.MaxEnergyOnInvalidId',
  'OCPPCommCtrlr.MessageTimeout[Default]',
  'AlignedDataCtrlr.Measurands',
  'SampledDataCtrlr.TxUpdatedMeasurands',
  'SampledDataCtrlr.TxStartedMeasurands',
  'SampledDataCtrlr.TxUpdatedInterval',
  'SampledDataCtrlr.TxEndedInterval',
  'ChargingStation.MinimumStatusDuration',
  'OCPPCommCtrlr.ResetRetries',
  'TxCtrlr.StopTxOnEVSideDisconnect',
  'TxCtrlr.StopTxOnInvalidId',
  'AlignedDataCtrlr.TxEndedMeasurands',
  'SampledDataCtrlr.TxEndedMeasurands',
  'OCPPCommCtrlr.FileTransferProtocols',
  'OCPPCommCtrlr.MessageAttempts[TransactionEvent]',
  'OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]',
  'OCPPCommCtrlr.UnlockOnEVSideDisconnect',
  'OCPPCommCtrlr.WebSocketPingInterval',
  'LocalAuthListCtrlr.Enabled',
  'LocalAuthListCtrlr.ItemsPerMessage',
  'ReservationCtrlr.NonEvseSpecific',
  'SmartChargingCtrlr.ProfileStackLevel',
  'SmartChargingCtrlr.RateUnit',
  'SmartChargingCtrlr.PeriodsPerSchedule',
  'SmartChargingCtrlr.Phases3to1',
  'SecurityCtrlr.SecurityProfile',
  'SecurityCtrlr.OrganizationName',
  'SecurityCtrlr.AdditionalRootCertificateCheck',
  'SecurityCtrlr.MaxCertificateChainSize',
];
const LIMITS_OF_KEYS = [
  'LocalAuthListCtrlr.Entries',
  'SmartChargingCtrlr.Entries[ChargingProfiles]',
  'SecurityCtrlr.CertificateEntries',
];

t.test('every 1.6 key has its variable', async (t) => {
  const s = await scene({ csms: { ocpp: '1.6' } });
  const results = await get(s, ...OF_KEYS.map(named));
  t.strictSame(
    results.filter(({ status, value }) => status !== 'Accepted' || value === undefined),
    [],
  );
  const limits = await get(s, ...LIMITS_OF_KEYS.map((name) => ({ ...named(name), attribute: 'MaxSet' as const })));
  t.equal(limits.length, 3);
  t.ok(limits.every(({ status, value }) => status === 'Accepted' && Number(value) > 0));
});

t.test('every default is a value that the variable may have', (t) => {
  const wrong = VARIABLES.filter((each) => each.mutability !== 'WriteOnly' && !checkValue(each, each.default).ok);
  t.strictSame(wrong, []);
  t.ok(VARIABLES.length > 90, `${VARIABLES.length} variables were looked at`);
  const names = VARIABLES.map(({ component, variable, instance }) => `${component}.${variable}[${instance}]`);
  t.equal(new Set(names).size, names.length, 'no variable is there twice');
  t.end();
});

t.test('reading: what is unknown is said to be, and names are compared without regard to case', async (t) => {
  const s = await scene();
  const statuses = async (...references: VariableReference[]) =>
    (await get(s, ...references)).map(({ status }) => status);
  t.strictSame(
    await statuses(
      { component: 'ocppcommctrlr', variable: 'heartbeatINTERVAL' },
      { component: 'NoSuchCtrlr', variable: 'Enabled' },
      { component: 'TxCtrlr', variable: 'NoSuch' },
      { component: 'OCPPCommCtrlr', variable: 'MessageAttempts', instance: 'Other' },
      { component: 'TxCtrlr', variable: 'TxStartPoint', attribute: 'Target' },
      { component: 'EVSE', evse: 9, variable: 'Power' },
      { component: 'EVSE', evse: 1, variable: 'Color' },
      { component: 'Connector', evse: 3, connector: 1, variable: 'ConnectorType' },
      { component: 'TxCtrlr', evse: 1, variable: 'TxStartPoint' },
    ),
    [
      'Accepted',
      'UnknownComponent',
      'UnknownVariable',
      'UnknownVariable',
      'NotSupportedAttributeType',
      'UnknownComponent',
      'UnknownVariable',
      'Accepted',
      'UnknownComponent',
    ],
  );
});

t.test('the hardware of each slot is there: state, power, wiring, make', async (t) => {
  const s = await scene();
  s.live.set(2, { status: 'Occupied' });
  s.live.stations.set('CP2', {
    id: stationId('CP2'),
    connected: true,
    since: timestamp(0),
    booted: true,
    inventory: { vendor: 'ACME', model: 'One', serialNumber: '42' },
  });
  const results = await get(
    s,
    { component: 'EVSE', evse: 2, variable: 'AvailabilityState' },
    { component: 'EVSE', evse: 2, variable: 'Power', attribute: 'MaxSet' },
    { component: 'EVSE', evse: 2, variable: 'PhaseRotation' },
    { component: 'EVSE', evse: 2, variable: 'Manufacturer' },
    { component: 'Connector', evse: 2, connector: 1, variable: 'ConnectorType' },
    { component: 'ClockCtrlr', variable: 'DateTime' },
    { component: 'ChargingStation', variable: 'AvailabilityState' },
  );
  t.strictSame(
    results.map(({ value }) => value),
    ['Occupied', '22080', 'STR', 'ACME', 'sType2', '2025-03-01T08:00:00.000Z', 'Available'],
  );
});

t.test('writing: by type, by range, by list, never what is read-only', async (t) => {
  const s = await scene();
  for (const [name, value, status] of [
    ['OCPPCommCtrlr.HeartbeatInterval', '120', 'Accepted'],
    ['OCPPCommCtrlr.HeartbeatInterval', '1.5', 'Rejected'],
    ['OCPPCommCtrlr.HeartbeatInterval', '-1', 'Rejected'],
    ['OCPPCommCtrlr.HeartbeatInterval', '', 'Rejected'],
    ['OCPPCommCtrlr.HeartbeatInterval', '9e99', 'Rejected'],
    ['AuthCtrlr.LocalPreAuthorize', 'TRUE', 'Accepted'],
    ['AuthCtrlr.LocalPreAuthorize', 'yes', 'Rejected'],
    ['SampledDataCtrlr.TxUpdatedMeasurands', 'Voltage, SoC', 'Accepted'],
    ['SampledDataCtrlr.TxUpdatedMeasurands', 'Voltage.L1,Current.Import', 'Accepted'],
    ['SampledDataCtrlr.TxUpdatedMeasurands', 'Voltage,Colour', 'Rejected'],
    ['TxCtrlr.TxStartPoint', 'EVConnected', 'Rejected'],
    ['OCPPCommCtrlr.NetworkConfigurationPriority', '2', 'Rejected'],
    ['SecurityCtrlr.BasicAuthPassword', 'short', 'Rejected'],
    ['SecurityCtrlr.BasicAuthPassword', 'long enough to be one', 'Accepted'],
    ['EVSE.Power', '1', 'UnknownComponent'],
  ] as const)
    t.equal(await set(s, name, value), status, `${name}=${value}`);
  t.equal(s.view.setting('HeartbeatInterval'), 120);
  t.equal(s.operations.site.get('AuthCtrlr.LocalPreAuthorize'), 'true');
  t.match(s.operations.calls.at(-1)?.args, ['SecurityCtrlr', 'BasicAuthPassword', 'operator']);
});

t.test('a secret is never read back', async (t) => {
  const s = await scene();
  await set(s, 'SecurityCtrlr.BasicAuthPassword', 'long enough to be one');
  t.match(await get(s, named('SecurityCtrlr.BasicAuthPassword')), [{ status: 'Rejected', value: undefined }]);
  t.notMatch(JSON.stringify(await fullReport(s)), 'long enough');
});

t.test("own values outlive a restart and are no other CSMS's; what is shared is the authority's", async (t) => {
  const s = await scene();
  await set(s, 'SampledDataCtrlr.TxUpdatedInterval', '15');
  s.view.heartbeatInterval(900);
  t.equal(s.view.setting('HeartbeatInterval'), 900, 'at once');
  await s.clock.settle();
  const share = { journal: s.journal, operations: s.operations };
  const other = await scene({ ...share, csms: { id: csmsId('landlord'), role: 'observer' } });
  t.match(await get(other, named('SampledDataCtrlr.TxUpdatedInterval')), [{ value: '60' }]);
  t.equal(await set(other, 'SampledDataCtrlr.TxUpdatedInterval', '300'), 'Accepted');
  t.equal(await set(other, 'AuthCtrlr.LocalPreAuthorize', 'false'), 'Rejected');
  t.equal(await set(s, 'AuthCtrlr.LocalPreAuthorize', 'false'), 'Accepted');
  t.match(await get(other, named('AuthCtrlr.LocalPreAuthorize')), [{ value: 'false' }]);
  const again = await scene({ journal: s.journal.afterCrash() });
  t.match(await get(again, named('SampledDataCtrlr.TxUpdatedInterval')), [{ value: '15' }]);
  t.equal(again.view.setting('HeartbeatInterval'), 900);
});

t.test('reports: all, what can be written, what is available', async (t) => {
  const s = await scene();
  const full = await fullReport(s);
  t.ok(full.length > 120);
  t.ok(full.some(({ component, evse, connector }) => component === 'Connector' && evse === 3 && connector === 1));
  const writable = await report(s, 'ConfigurationInventory');
  t.ok(writable.length > 20 && writable.every(({ mutability }) => mutability !== 'ReadOnly'));
  const summary = await report(s, 'SummaryInventory');
  t.equal(summary.filter(({ variable }) => variable === 'AvailabilityState').length, 7);
});

const fullReport = (s: Scene) => report(s, 'FullInventory');

async function report(
  s: Scene,
  base: 'FullInventory' | 'ConfigurationInventory' | 'SummaryInventory',
): Promise<readonly ReportedVariable[]> {
  const answer = await s.view.command({ type: 'getReport', requestId: 5, base });
  answer.afterwards?.();
  const message = s.link.sent.at(-1);
  return message?.type === 'report' ? message.variables : [];
}
