// What an OCPP 1.6 CSMS is told: tables B, C, G and H of the translation, and the chain from StartTransaction to StopTransaction.
import fc from 'fast-check';
import t from 'tap';
import { openOcpp16Csms } from '../../../adapters/csms-ocpp16/link.js';
import { encodeMeterValue } from '../../../adapters/csms-ocpp16/encode-meter-values.js';
import { statusOf } from '../../../adapters/csms-ocpp16/encode-status.js';
import { reasonOf } from '../../../adapters/csms-ocpp16/encode-transaction.js';
import { aliasOf } from '../../../gateway/site/token-alias.js';
import type { Payload } from '../../../adapters/ocpp-j/contract.js';
import { timestamp, wattHour } from '../../../gateway/kernel/units.js';
import type { IdToken } from '../../../gateway/site/tokens.js';
import {
  aliasTable,
  AT,
  AT_TEXT,
  boot,
  callError,
  csmsOf,
  energy,
  type Responder,
  settle,
  SLOT_3,
  TOKEN,
  transaction,
  view,
  wiring,
} from './rig.js';

async function open(sendMinusOne = true) {
  const wired = await wiring('ocpp1.6');
  const aliases = aliasTable();
  const link = openOcpp16Csms({ ...csmsOf('1.6'), sendMinusOne }, wired.host, wired.context, wired.csms.dial, {
    aliases,
  });
  link.start();
  await settle();
  return { ...wired, link, aliases };
}

const start =
  (answer: Payload): Responder =>
  (action) =>
    action === 'StartTransaction' ? answer : action === 'BootNotification' ? boot('Accepted') : {};

t.test('table C: the nine states from status, transaction and charging state', (t) => {
  const rows = [
    ['Available', 'none', 'Idle', 'Available'],
    ['Reserved', 'none', 'Idle', 'Reserved'],
    ['Unavailable', 'none', 'Idle', 'Unavailable'],
    ['Faulted', 'open', 'Charging', 'Faulted'],
    ['Occupied', 'none', 'EVConnected', 'Preparing'],
    ['Occupied', 'open', 'Charging', 'Charging'],
    ['Occupied', 'open', 'SuspendedEV', 'SuspendedEV'],
    ['Occupied', 'open', 'SuspendedEVSE', 'SuspendedEVSE'],
    ['Occupied', 'open', 'EVConnected', 'Preparing'],
    ['Occupied', 'ended', 'EVConnected', 'Finishing'],
  ] as const;
  for (const [status, tx, chargingState, said] of rows)
    t.equal(statusOf(view({ status, transaction: tx, chargingState }), true), said);
  const paused = view({ status: 'Occupied', transaction: 'open', chargingState: 'EVConnected', energized: true });
  t.equal(statusOf(paused, true), 'SuspendedEV', 'it has charged before');
  for (const chargingState of ['Charging', 'EVConnected', 'Idle', 'SuspendedEV', 'SuspendedEVSE'] as const)
    t.equal(statusOf(view({ status: 'Occupied', transaction: 'open', chargingState }), false), 'Preparing');
  t.end();
});

t.test('status: errors travel as warnings, a fault always has a code, connector 0 knows three states', async (t) => {
  const { link, csms } = await open();
  const said = async (message: Parameters<typeof link.deliver>[0]) => {
    await link.deliver(message);
    return csms.last('StatusNotification');
  };
  t.strictSame(
    await said({
      type: 'status',
      connector: view({
        slot: SLOT_3,
        status: 'Occupied',
        transaction: 'open',
        chargingState: 'Charging',
        error: { code: 'HighTemperature', info: '71 C', vendorId: 'acme', vendorErrorCode: 'E7' },
      }),
    }),
    {
      connectorId: 3,
      status: 'Charging',
      errorCode: 'HighTemperature',
      info: '71 C',
      vendorId: 'acme',
      vendorErrorCode: 'E7',
      timestamp: AT_TEXT,
    },
  );
  t.match(await said({ type: 'status', connector: view({ status: 'Faulted' }) }), { errorCode: 'OtherError' });
  t.match(await said({ type: 'stationStatus', status: 'Occupied', at: AT }), {
    connectorId: 0,
    status: 'Available',
    errorCode: 'NoError',
  });
});

t.test('table G: reasons', (t) => {
  const rows = [
    ['Local', 'Local'],
    ['ImmediateReset', 'HardReset'],
    ['MasterPass', 'Local'],
    ['StoppedByEV', 'Other'],
    ['Timeout', 'Other'],
    ['GroundFault', 'Other'],
    ['DeAuthorized', 'DeAuthorized'],
    ['PowerLoss', 'PowerLoss'],
    ['Remote', 'Remote'],
  ] as const;
  for (const [stoppedReason, said] of rows) t.equal(reasonOf({ stoppedReason, trigger: 'StopAuthorized' }), said);
  t.equal(reasonOf({ trigger: 'StopAuthorized' }), 'Local', 'absent is Local');
  t.equal(reasonOf({ stoppedReason: 'Other', trigger: 'UnlockCommand' }), 'UnlockCommand');
  t.end();
});

t.test('table H: text values, units, signed data, what 1.6 does not have', (t) => {
  const [value] = encodeMeterValue([
    {
      at: AT,
      sampled: [
        { value: 1234.5 },
        { value: 0.0000001, measurand: 'Current.Import', phase: 'L1', context: 'Trigger', location: 'Cable' },
        { value: 50.01, measurand: 'Frequency' },
        { value: 21, measurand: 'Temperature' },
        { value: 1, measurand: 'Energy.Apparent.Net' },
        { value: Number.NaN, measurand: 'Voltage' },
        {
          value: 7,
          signed: {
            data: Buffer.from('OCMF|{"a":1}|{}').toString('base64'),
            signingMethod: 'ECDSA',
            encodingMethod: 'OCMF',
            publicKey: '',
          },
        },
        { value: 8, signed: { data: 'ab12CD', signingMethod: '', encodingMethod: '', publicKey: '' } },
      ],
    },
    { at: AT, sampled: [{ value: 1, measurand: 'Energy.Active.Net' }] },
  ]).concat();
  const register = { context: 'Sample.Periodic', measurand: 'Energy.Active.Import.Register', unit: 'Wh' } as const;
  t.strictSame(value, {
    timestamp: AT_TEXT,
    sampledValue: [
      { value: '1234.5', ...register },
      { value: '0', context: 'Trigger', measurand: 'Current.Import', phase: 'L1', location: 'Cable', unit: 'A' },
      { value: '50.01', context: 'Sample.Periodic', measurand: 'Frequency' },
      { value: '21', context: 'Sample.Periodic', measurand: 'Temperature', unit: 'Celsius' },
      { value: '7', ...register },
      { value: 'OCMF|{"a":1}|{}', format: 'SignedData', ...register },
      { value: '8', ...register },
      { value: 'ab12CD', format: 'SignedData', ...register },
    ],
  });
  fc.assert(
    fc.property(fc.double({ min: -1e9, max: 1e9, noNaN: true }), (number) => {
      const said = encodeMeterValue([{ at: AT, sampled: [{ value: number }] }])[0]?.sampledValue[0]?.value ?? '';
      return /^-?\d+(\.\d+)?$/.test(said) && Math.abs(Number(said) - number) <= 1e-6;
    }),
    { numRuns: 200 },
  );
  t.end();
});

t.test('the chain: start, values and stop under the id of the CSMS', async (t) => {
  const { link, csms } = await open();
  const started = await link.deliver(transaction({ idToken: TOKEN, reservationId: 9 }));
  t.strictSame(started, { kind: 'answered', state: { csmsTransactionId: 113 }, idTokenInfo: { status: 'Accepted' } });
  t.strictSame(csms.last('StartTransaction'), {
    connectorId: 1,
    idTag: '04A1B2C3',
    meterStart: 1000,
    timestamp: AT_TEXT,
    reservationId: 9,
  });
  const state = { csmsTransactionId: 113 };
  t.strictSame(await link.deliver(transaction({ kind: 'updated' }, state)), { kind: 'nothing', state });
  await link.deliver(transaction({ kind: 'updated', meterValues: [energy(1500)] }, state));
  t.match(csms.last('MeterValues'), { connectorId: 1, transactionId: 113 });
  await link.deliver(transaction({ kind: 'ended', register: wattHour(1999.9), meterValues: [energy(1999.9)] }, state));
  t.match(csms.last('StopTransaction'), { transactionId: 113, meterStop: 1999, reason: 'Local', timestamp: AT_TEXT });
  t.notOk('idTag' in (csms.last('StopTransaction') ?? {}), 'no card was shown to stop');
  await link.deliver(transaction({ kind: 'ended', idToken: TOKEN, register: wattHour(2000) }, state));
  t.match(csms.last('StopTransaction'), { idTag: '04A1B2C3' });
});

t.test(
  'S19: a start waits for token, register and car, and is sent once at the moment the last of them came',
  async (t) => {
    const { link, csms } = await open();
    const { startToken: _, ...bare } = transaction().record;
    const early = { ...transaction(), record: { ...bare, trigger: 'CablePluggedIn' as const } };
    const first = await link.deliver(early);
    t.strictSame(first, { kind: 'nothing', state: { pendingStart: { at: AT } } });
    const occupied = view({
      status: 'Occupied',
      transaction: 'open',
      chargingState: 'EVConnected',
      energized: true,
    });
    await link.deliver({ type: 'status', connector: occupied });
    t.match(csms.last('StatusNotification'), { status: 'Preparing' }, 'this CSMS knows of no transaction yet');
    const at = timestamp(AT + 5000);
    const second = await link.deliver(
      transaction({ kind: 'updated', at, idToken: TOKEN, meterValues: [energy(1001)] }, { pendingStart: { at: AT } }),
    );
    t.match(second, { kind: 'answered', state: { csmsTransactionId: 113 } });
    t.strictSame(csms.actions().slice(-2), ['StartTransaction', 'MeterValues'], 'and its values after it');
    t.match(csms.last('StartTransaction'), { meterStart: 1000, timestamp: '2026-03-01T12:00:05.000Z' });
    t.match(csms.last('MeterValues'), { transactionId: 113 });
    await link.deliver({ type: 'status', connector: occupied });
    t.match(csms.last('StatusNotification'), { status: 'SuspendedEV' });
  },
);

t.test('S14: a card without a car is no transaction in 1.6; energy without a start is never lost', async (t) => {
  const { link, csms } = await open();
  const state = { pendingStart: { at: AT } };
  t.match(await link.deliver(transaction({ chargingState: 'Idle' })), { kind: 'nothing', state });
  t.match(await link.deliver(transaction({ kind: 'ended', chargingState: 'Idle' }, state)), { kind: 'nothing' });
  t.strictSame(csms.actions(), ['BootNotification']);

  const ended = { kind: 'ended', at: timestamp(AT + 60_000), register: wattHour(2000) } as const;
  csms.responder = (action) =>
    action === 'StopTransaction' ? callError('InternalError') : { transactionId: 5, idTagInfo: { status: 'Accepted' } };
  const begun = { csmsTransactionId: 5 };
  t.match(await link.deliver(transaction(ended, state)), {
    kind: 'refused',
    partly: { state: begun, idTokenInfo: { status: 'Accepted' } },
  });
  csms.responder = undefined;
  t.match(await link.deliver(transaction(ended, begun)), { kind: 'answered', state: begun });
  t.strictSame(csms.actions().slice(1), ['StartTransaction', 'StopTransaction', 'StopTransaction'], 'one start only');
  t.match(csms.last('StartTransaction'), { timestamp: AT_TEXT });
  t.match(csms.last('StopTransaction'), { transactionId: 5, meterStop: 2000 });
});

t.test('S27, S28, S29: odd answers to a start', async (t) => {
  const { link, csms } = await open();
  csms.responder = start({ transactionId: 113, idTagInfo: { status: 'ConcurrentTx' } });
  t.match(
    await link.deliver(transaction()),
    { idTokenInfo: { status: 'ConcurrentTx' } },
    'a first try is taken at its word',
  );
  t.strictSame(await link.deliver(transaction({}, { repeated: true })), {
    kind: 'answered',
    state: { csmsTransactionId: 113 },
    idTokenInfo: { status: 'Accepted' },
  });
  csms.responder = start({ transactionId: -5, idTagInfo: { status: 'Blocked', parentIdTag: 'FLEET' } });
  t.match(await link.deliver(transaction()), {
    state: { csmsTransactionId: -5 },
    idTokenInfo: { status: 'Blocked', group: { idToken: 'FLEET' } },
  });

  csms.responder = start({ transactionId: 0, idTagInfo: { status: 'Invalid' } });
  const state = { csmsTransactionId: 0, rejected: true };
  t.match(await link.deliver(transaction()), { kind: 'answered', state, idTokenInfo: { status: 'Invalid' } });
  t.equal((await link.deliver(transaction({ kind: 'updated', meterValues: [energy(1)] }, state))).kind, 'nothing');
  csms.responder = () => callError('InternalError');
  t.equal((await link.deliver(transaction({ kind: 'ended' }, state))).kind, 'answered', 'the stop is said once');
  t.match(csms.last('StopTransaction'), { transactionId: 0 });

  csms.responder = undefined;
  const dead = { startDead: true };
  await link.deliver(transaction({ kind: 'updated', meterValues: [energy(1)] }, dead));
  t.match(csms.last('MeterValues'), { transactionId: -1 });
  await link.deliver(transaction({ kind: 'ended', register: wattHour(5000) }, dead));
  t.match(csms.last('StopTransaction'), { transactionId: -1, meterStop: 5000 }, 'errata 3.18');
  const starts = csms.actions().filter((action) => action === 'StartTransaction').length;
  t.match(await link.deliver(transaction({}, dead)), { kind: 'answered', state: { csmsTransactionId: 113 } });
  t.equal(csms.actions().filter((action) => action === 'StartTransaction').length, starts + 1, 'driven again by hand');
});

t.test(
  'S28: a CSMS that chokes on transactionId -1 is sent nothing under it; the end is kept with its start',
  async (t) => {
    const { link, csms } = await open(false);
    const dead = { startDead: true };
    t.equal((await link.deliver(transaction({ kind: 'updated', meterValues: [energy(1)] }, dead))).kind, 'nothing');
    const ended = { kind: 'ended', register: wattHour(5000) } as const;
    t.match(await link.deliver(transaction(ended, dead)), { kind: 'refused', final: true });
    t.strictSame(csms.actions(), ['BootNotification']);
    t.match(await link.deliver(transaction({}, dead)), { kind: 'answered', state: { csmsTransactionId: 113 } });
    t.match(await link.deliver(transaction(ended, { csmsTransactionId: 113 })), { kind: 'answered' });
    t.match(csms.last('StopTransaction'), { transactionId: 113, meterStop: 5000 }, 'sent again after its start');
  },
);

t.test('a repetition is identical', async (t) => {
  const { link, csms } = await open();
  csms.responder = () => callError('InternalError');
  for (let i = 0; i < 2; i++) t.equal((await link.deliver(transaction())).kind, 'refused');
  const [first, second] = csms.sent.slice(-2);
  t.strictSame(first, second);
});

t.test('S37: a token of 36 characters has a short name that leads back', async (t) => {
  const { link, csms, host, aliases } = await open();
  const long: IdToken = { idToken: 'DE-8AA-CA2B3C4D5-N-0123456789ABCDEF', type: 'eMAID' };
  await link.deliver({ type: 'authorize', idToken: long });
  const alias = String(csms.last('Authorize')?.['idTag']);
  t.match(alias, /^h:[a-z2-7]{18}$/);
  t.equal(alias, aliasOf({ ...long, idToken: long.idToken.toLowerCase() }), 'whatever its spelling');
  t.strictSame(aliases.table.get(alias), long);
  await csms.ask('RemoteStartTransaction', { idTag: alias.toUpperCase() });
  t.match(host.commands.at(-1), { idToken: long });
  await csms.ask('SendLocalList', {
    listVersion: 3,
    updateType: 'Full',
    localAuthorizationList: [{ idTag: alias, idTagInfo: { status: 'Accepted', parentIdTag: alias } }],
  });
  t.match(host.commands.at(-1), { entries: [{ idToken: long, info: { status: 'Accepted', group: long } }] });
  fc.assert(
    fc.property(fc.string({ minLength: 21, maxLength: 36 }), fc.string({ minLength: 21, maxLength: 36 }), (a, b) => {
      const same = a.toLowerCase() === b.toLowerCase();
      return (aliasOf({ idToken: a, type: 'Central' }) === aliasOf({ idToken: b, type: 'Central' })) === same;
    }),
    { numRuns: 200 },
  );
});

t.test('authorize, data transfer, security events, jobs', async (t) => {
  const { link, csms } = await open();
  csms.responder = (action) =>
    action === 'Authorize'
      ? { idTagInfo: { status: 'Expired', expiryDate: '2026-01-01T00:00:00Z' } }
      : action === 'DataTransfer'
        ? { status: 'UnknownVendorId', data: 'x' }
        : callError('NotImplemented');
  t.strictSame(await link.deliver({ type: 'authorize', idToken: TOKEN }), {
    kind: 'answered',
    idTokenInfo: { status: 'Expired', cacheExpiry: timestamp(Date.parse('2026-01-01T00:00:00Z')) },
  });
  t.strictSame(await link.deliver({ type: 'dataTransfer', vendorId: 'v', data: { a: 1 } }), {
    kind: 'answered',
    data: { status: 'UnknownVendorId', data: 'x' },
  });
  t.equal(csms.last('DataTransfer')?.['data'], '{"a":1}');
  const event = { type: 'securityEvent', event: 'TamperDetectionActivated', at: AT } as const;
  t.equal((await link.deliver(event)).kind, 'answered', 'a CSMS without the extension will never take it');
  csms.responder = () => callError('GenericError');
  t.equal((await link.deliver(event)).kind, 'answered', 'by whatever error');
  csms.responder = () => callError('InternalError');
  t.equal((await link.deliver(event)).kind, 'refused');
  csms.responder = undefined;
  const jobs = [
    ['firmware', 'DownloadPaused', 'FirmwareStatusNotification', 'Downloading'],
    ['firmware', 'SignatureVerified', 'FirmwareStatusNotification', 'Downloaded'],
    ['firmware', 'InvalidSignature', 'FirmwareStatusNotification', 'InstallationFailed'],
    ['log', 'UploadFailure', 'DiagnosticsStatusNotification', 'UploadFailed'],
    ['log', 'AcceptedCanceled', 'DiagnosticsStatusNotification', 'Idle'],
  ] as const;
  for (const [job, status, action, said] of jobs) {
    await link.deliver({ type: 'jobStatus', job, status });
    t.strictSame(csms.sent.at(-1), { action, payload: { status: said } });
  }
});
