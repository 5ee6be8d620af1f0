// Translation of OCPP 1.6 into canonical words: statuses, reasons, tokens, keys and meter values, row by row.
import t from 'tap';
import { aliasOf } from '../../../gateway/site/token-alias.js';
import fc from 'fast-check';
import { limitIn } from '../../../adapters/ocpp-j/charging-limit.js';
import { momentFrom } from '../../../adapters/ocpp-j/fields.js';
import { numberFrom, sampledValue16, sampledValue201 } from '../../../adapters/ocpp-j/sampled-value.js';
import { Configuration } from '../../../adapters/station-ocpp16/configuration.js';
import { keyOf } from '../../../adapters/station-ocpp16/translate-key.js';
import { meterValuesOf } from '../../../adapters/station-ocpp16/translate-meter-values.js';
import { stopOf, triggerOf } from '../../../adapters/station-ocpp16/translate-reason.js';
import { canonicalStatus, connectorErrorOf, status16Of } from '../../../adapters/station-ocpp16/translate-status.js';
import { idTagInfoOf, idTokenOf } from '../../../adapters/station-ocpp16/translate-token.js';
import { evseNumber } from '../../../gateway/kernel/ids.js';
import { ampere } from '../../../gateway/kernel/units.js';
import type { AuthorizationStatus } from '../../../gateway/site/tokens.js';
import { evse, mustBeValid, NOON, stationOf } from './rig.js';

t.test('status, table C', async (t) => {
  const rows = [
    ['Available', 'Available', 'Idle'],
    ['Preparing', 'Occupied', 'EVConnected'],
    ['Charging', 'Occupied', 'Charging'],
    ['SuspendedEV', 'Occupied', 'SuspendedEV'],
    ['SuspendedEVSE', 'Occupied', 'SuspendedEVSE'],
    ['Finishing', 'Occupied', 'EVConnected'],
    ['Reserved', 'Reserved', 'Idle'],
    ['Unavailable', 'Unavailable', undefined],
    ['Faulted', 'Faulted', undefined],
  ] as const;
  for (const [written, status, chargingState] of rows) {
    const read = status16Of({ status: written });
    t.equal(read, written);
    t.match(read && canonicalStatus(read), { status, chargingState }, written);
  }
  t.equal(status16Of({ status: 'charging ' }), 'Charging');
  for (const status of ['Occupied', '', 7, null, undefined, {}]) t.equal(status16Of({ status }), undefined);
});

t.test('error codes are kept, unknown ones as words', async (t) => {
  t.equal(connectorErrorOf({ errorCode: 'NoError' }), undefined);
  t.same(connectorErrorOf({ errorCode: 'GroundFailure', info: 'RCD' }), { code: 'GroundFailure', info: 'RCD' });
  t.same(connectorErrorOf({ errorCode: 'Error', info: 'x' }), { code: 'OtherError', info: 'Error: x' }, 'Legrand');
  t.same(connectorErrorOf({ errorCode: 'NoError', vendorErrorCode: '17', vendorId: 'v' }), {
    code: 'NoError',
    vendorId: 'v',
    vendorErrorCode: '17',
  });
});

t.test('stop reasons, tables F and G', async (t) => {
  const rows = [
    [undefined, 'Local', 'StopAuthorized'],
    ['Local', 'Local', 'StopAuthorized'],
    ['Remote', 'Remote', 'RemoteStop'],
    ['DeAuthorized', 'DeAuthorized', 'Deauthorized'],
    ['EVDisconnected', 'EVDisconnected', 'EVCommunicationLost'],
    ['UnlockCommand', 'Other', 'UnlockCommand'],
    ['HardReset', 'ImmediateReset', 'ResetCommand'],
    ['SoftReset', 'ImmediateReset', 'ResetCommand'],
    ['EmergencyStop', 'EmergencyStop', 'AbnormalCondition'],
    ['PowerLoss', 'PowerLoss', 'AbnormalCondition'],
    ['Reboot', 'Reboot', 'AbnormalCondition'],
    ['Other', 'Other', 'AbnormalCondition'],
    ['Lunch', 'Other', 'AbnormalCondition'],
  ] as const;
  for (const [reason, stoppedReason, trigger] of rows)
    t.same(stopOf({ reason }), { stoppedReason, trigger }, String(reason));
});

t.test('meter value contexts, table F', async (t) => {
  const rows = [
    ['Sample.Periodic', 'MeterValuePeriodic'],
    ['Sample.Clock', 'MeterValueClock'],
    ['Trigger', 'Trigger'],
    ['Interruption.Begin', 'AbnormalCondition'],
    ['Interruption.End', 'AbnormalCondition'],
    ['Other', 'MeterValuePeriodic'],
    [undefined, 'MeterValuePeriodic'],
  ] as const;
  for (const [context, trigger] of rows)
    t.equal(triggerOf({ at: NOON, sampled: [{ value: 1, ...(context && { context }) }] }), trigger, String(context));
});

t.test('authorization statuses, table A', async (t) => {
  const rows: readonly (readonly [AuthorizationStatus, string])[] = [
    ['Accepted', 'Accepted'],
    ['Blocked', 'Blocked'],
    ['ConcurrentTx', 'ConcurrentTx'],
    ['Expired', 'Expired'],
    ['Invalid', 'Invalid'],
    ['NoCredit', 'Blocked'],
    ['NotAllowedTypeEVSE', 'Blocked'],
    ['NotAtThisLocation', 'Blocked'],
    ['NotAtThisTime', 'Blocked'],
    ['Unknown', 'Invalid'],
  ];
  const station = stationOf(evse(3, 1));
  for (const [status, written] of rows) {
    const idTagInfo = idTagInfoOf({ status, cacheExpiry: NOON, group: { idToken: 'FLEET', type: 'Central' } }, station);
    t.same(idTagInfo, { status: written, expiryDate: '2026-06-01T12:00:00.000Z', parentIdTag: 'FLEET' });
    mustBeValid('ocpp1.6', 'Authorize', 'Response', { idTagInfo });
  }
  t.equal(idTagInfoOf({ status: 'Accepted', evses: [evseNumber(9)] }, station)['status'], 'Invalid');
  t.equal(idTagInfoOf({ status: 'Accepted', evses: [evseNumber(3)] }, station)['status'], 'Accepted');
  const group = { idToken: 'g'.repeat(21), type: 'Central' } as const;
  t.same(idTagInfoOf({ status: 'Accepted', group }, station), { status: 'Accepted', parentIdTag: aliasOf(group) });
  t.same(idTagInfoOf({ status: 'Accepted', group: { ...group, idToken: '' } }, station), { status: 'Accepted' });
  t.same(idTokenOf('', { resolve: () => undefined }), { idToken: '', type: 'NoAuthorization' });
});

t.test('configuration keys, table K', async (t) => {
  const key = (component: string, variable: string, instance?: string) =>
    keyOf({ type: 'setVariable', component, variable, value: '', ...(instance !== undefined && { instance }) });
  t.equal(key('TxCtrlr', 'EVConnectionTimeOut'), 'ConnectionTimeOut');
  t.equal(key('SampledDataCtrlr', 'TxUpdatedInterval'), 'MeterValueSampleInterval');
  t.equal(key('OCPPCommCtrlr', 'MessageAttempts', 'TransactionEvent'), 'TransactionMessageAttempts');
  t.equal(key('OCPPCommCtrlr', 'NetworkConfigurationPriority'), undefined, 'would move the charger off the gateway');
  t.equal(key('SecurityCtrlr', 'BasicAuthPassword'), undefined);
});

t.test('meter values, table H', async (t) => {
  const rows = [
    [{ value: '1234.5' }, { value: 1234.5 }],
    [{ value: '12,5', unit: 'kWh' }, { value: 12500 }],
    [
      { value: '11.04', unit: 'kW', measurand: 'Power.Active.Import' },
      { value: 11040, measurand: 'Power.Active.Import' },
    ],
    [
      { value: '50', unit: 'Hz', measurand: 'Frequency' },
      { value: 50, measurand: 'Frequency' },
    ],
    [
      { value: '50', unit: 'Hertz', measurand: 'Frequency' },
      { value: 50, measurand: 'Frequency' },
    ],
    [
      { value: '30', unit: 'Celcius', measurand: 'Temperature' },
      { value: 30, measurand: 'Temperature', unit: 'Celsius' },
    ],
    [
      { value: '300', unit: 'K', measurand: 'Temperature' },
      { value: 26.85, measurand: 'Temperature', unit: 'Celsius' },
    ],
    [
      { value: '6', unit: 'A', measurand: 'Current.Import', phase: 'l2' },
      { value: 6, measurand: 'Current.Import', phase: 'L2' },
    ],
    [
      { value: '1', unit: 'kvarh', measurand: 'Energy.Reactive.Import.Register' },
      { value: 1000, measurand: 'Energy.Reactive.Import.Register', unit: 'varh' },
    ],
    [
      { value: '80', measurand: 'SoC', unit: 'Percent', location: 'EV', context: 'Sample.Clock' },
      { value: 80, measurand: 'SoC', location: 'EV', context: 'Sample.Clock' },
    ],
  ] as const;
  for (const [sample, value] of rows) t.same(sampledValue16(sample, undefined), value, JSON.stringify(sample));
  for (const value of ['', ' ', 'NaN', 'Infinity', '1.2.3', '0x10', null, {}, [], true, '1e999'])
    t.equal(sampledValue16({ value }, undefined), undefined, JSON.stringify(value));
  t.equal(sampledValue16({ value: '5', measurand: 'Vendor.Thing' }, undefined), undefined, 'must not pass for energy');
});

t.test('signed data stays as it came and takes its number from the register beside it', async (t) => {
  const blob = 'OCMF|{"FV":"1.0"}|{"SA":"ECDSA"}';
  const payload = {
    meterValue: [
      {
        timestamp: '2026-06-01T12:00:00Z',
        sampledValue: [{ value: blob, format: 'SignedData', context: 'Transaction.Begin' }, { value: '42' }],
      },
    ],
  };
  const signed = { data: blob, signingMethod: '', encodingMethod: 'OCMF', publicKey: '' };
  t.same(meterValuesOf(payload, 'meterValue', undefined, NOON), [
    { at: NOON, sampled: [{ value: 42, context: 'Transaction.Begin', signed }, { value: 42 }] },
  ]);
  const alone = { meterValue: [{ timestamp: 'x', sampledValue: { value: 'AB12', format: 'SignedData' } }] };
  t.same(meterValuesOf(alone, 'meterValue', 7, NOON), [
    { at: NOON, sampled: [{ value: 7, signed: { ...signed, data: 'AB12', encodingMethod: '' } }] },
  ]);
  t.same(meterValuesOf(alone, 'meterValue', undefined, NOON), [], 'no number, no value');
});

t.test('2.0.1 samples: multiplier, unit and signed value', async (t) => {
  t.same(sampledValue201({ value: 1.5, unitOfMeasure: { unit: 'Wh', multiplier: 3 } }), { value: 1500 });
  t.same(sampledValue201({ value: 7.4, measurand: 'Power.Active.Import', unitOfMeasure: { unit: 'kW' } }), {
    value: 7400,
    measurand: 'Power.Active.Import',
  });
  t.equal(sampledValue201({ value: 1, unitOfMeasure: { multiplier: 400 } }), undefined);
  const signed = { signedMeterData: 'YWJj', signingMethod: 'm', encodingMethod: 'OCMF', publicKey: 'k' };
  t.same(sampledValue201({ value: 1, signedMeterValue: signed })?.signed, {
    data: 'YWJj',
    signingMethod: 'm',
    encodingMethod: 'OCMF',
    publicKey: 'k',
  });
});

t.test('numbers and moments never throw, whatever comes', async (t) => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      const number = numberFrom(value);
      const moment = momentFrom(value);
      return (number === undefined || Number.isFinite(number)) && (moment === undefined || Number.isFinite(moment));
    }),
    { numRuns: 300 },
  );
  for (const written of [
    '2026-06-01T12:00:00Z',
    '2026-06-01T12:00:00',
    '2026-06-01T15:00:00+03',
    '2026-06-01 14:00:00.000+02:00',
    '2026-06-01T12:00:00.0000000Z',
  ])
    t.equal(momentFrom(written), NOON, written);
});

t.test('limits are floored, never rounded up, and have one decimal', async (t) => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1000, noNaN: true }), fc.constantFrom(1, 3), (current, phases) => {
      const amps = limitIn('A', ampere(current), 230 * phases);
      const watts = limitIn('W', ampere(current), 230 * phases);
      return (
        amps <= current &&
        current - amps < 0.1001 &&
        /^\d+(\.\d)?$/.test(String(amps)) &&
        Number.isInteger(watts) &&
        watts <= current * 230 * phases
      );
    }),
    { numRuns: 500 },
  );
  t.equal(limitIn('A', ampere(16.19), 690), 16.1);
  t.equal(limitIn('A', ampere(-3), 690), 0);
  t.equal(limitIn('W', ampere(6), 690), 4140);
});

t.test('rate units in every spelling', async (t) => {
  const units = (value: string) =>
    new Configuration({ configurationKey: [{ key: 'chargingScheduleAllowedChargingRateUnit', readonly: true, value }] })
      .rateUnits;
  t.same(units('Current,Power'), ['A', 'W']);
  t.same(units('W, A'), ['A', 'W']);
  t.same(units('Power'), ['W']);
  t.same(units('A'), ['A']);
  t.same(units('banana'), []);
});
