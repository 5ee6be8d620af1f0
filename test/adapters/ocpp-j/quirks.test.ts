// The generated validators and the repairs: each quirk that a real charger is known for, before and after.
import { OCPP16, OCPP20 } from 'typed-ocpp';
import fc from 'fast-check';
import t from 'tap';
import type { OcppVersion } from '../../../adapters/ocpp-j/contract.js';
import { decimal } from '../../../adapters/ocpp-j/decimal.js';
import { repairPayload } from '../../../adapters/ocpp-j/quirks.js';
import { errorCodeOf, loadValidators, type Validators } from '../../../adapters/ocpp-j/validation.js';

const loaded: Readonly<Record<OcppVersion, Validators>> = {
  'ocpp1.6': await loadValidators('ocpp1.6'),
  'ocpp2.0.1': await loadValidators('ocpp2.0.1'),
};

const at = '2026-01-01T12:00:00Z';

interface Case {
  readonly name: string;
  readonly version?: OcppVersion;
  readonly action: string;
  readonly given: unknown;
  /** Undefined: it stays refused. */
  readonly repaired?: unknown;
  readonly quirks?: readonly string[];
  readonly code?: string;
}

const meterValues = (sample: unknown): unknown => ({
  connectorId: 1,
  meterValue: [{ timestamp: at, sampledValue: [sample, { value: '7' }] }],
});
const status = (more: object): unknown => ({ connectorId: 1, errorCode: 'NoError', status: 'Available', ...more });
const start = (more: object): unknown => ({ connectorId: 1, idTag: 'A', meterStart: 0, timestamp: at, ...more });
const transactionEvent = (more: object): unknown => ({
  eventType: 'Updated',
  timestamp: at,
  triggerReason: 'MeterValuePeriodic',
  seqNo: 1,
  transactionInfo: { transactionId: 'x' },
  ...more,
});

const cases: readonly Case[] = [
  {
    name: 'meterValue as an object (Huawei)',
    action: 'MeterValues',
    given: { connectorId: 1, meterValue: { timestamp: at, sampledValue: [{ value: '1' }] } },
    repaired: { connectorId: 1, meterValue: [{ timestamp: at, sampledValue: [{ value: '1' }] }] },
    quirks: ['object instead of array'],
  },
  {
    name: 'unit Hz (ChargeAmps Halo)',
    action: 'MeterValues',
    given: meterValues({ value: '50', measurand: 'Frequency', unit: 'Hz' }),
    repaired: meterValues({ value: '50', measurand: 'Frequency' }),
    quirks: ['unit of frequency'],
  },
  {
    name: 'unit Hertz',
    action: 'MeterValues',
    given: meterValues({ value: '50', measurand: 'Frequency', unit: 'Hertz' }),
    repaired: meterValues({ value: '50', measurand: 'Frequency' }),
  },
  {
    name: 'unit %',
    action: 'MeterValues',
    given: meterValues({ value: '50', measurand: 'SoC', unit: '%' }),
    repaired: meterValues({ value: '50', measurand: 'SoC', unit: 'Percent' }),
  },
  {
    name: 'letter case of a unit',
    action: 'MeterValues',
    given: meterValues({ value: '50', unit: 'kwh' }),
    repaired: meterValues({ value: '50', unit: 'kWh' }),
    quirks: ['letter case of a constant'],
  },
  {
    name: 'an unknown measurand must not become the energy register',
    action: 'MeterValues',
    given: meterValues({ value: '50', measurand: 'Vendor.Thing' }),
    repaired: { connectorId: 1, meterValue: [{ timestamp: at, sampledValue: [{ value: '7' }] }] },
  },
  {
    name: 'an unknown phase must not become the total',
    action: 'MeterValues',
    given: meterValues({ value: '50', phase: 'L4' }),
    repaired: { connectorId: 1, meterValue: [{ timestamp: at, sampledValue: [{ value: '7' }] }] },
  },
  {
    name: 'illegal context (Alfen)',
    action: 'MeterValues',
    given: meterValues({ value: '50', context: 'Replay' }),
    repaired: meterValues({ value: '50', context: 'Other' }),
  },
  {
    name: 'value as a number, transactionId as text and null members',
    action: 'MeterValues',
    given: { ...(meterValues({ value: 50.5, unit: null }) as object), transactionId: '12' },
    repaired: { ...(meterValues({ value: '50.5' }) as object), transactionId: 12 },
    quirks: ['text as number', 'number as text', 'null member'],
  },
  {
    name: 'errorCode Error (Legrand)',
    action: 'StatusNotification',
    given: status({ errorCode: 'Error' }),
    repaired: status({ errorCode: 'OtherError', vendorErrorCode: 'Error' }),
    quirks: ['unknown error code'],
  },
  {
    name: 'an unknown status cannot be guessed',
    action: 'StatusNotification',
    given: status({ status: 'Sleeping' }),
    code: 'PropertyConstraintViolation',
  },
  ...(
    [
      ['2026-01-01T12:00:00', '2026-01-01T12:00:00Z'],
      ['2026-01-01T12:00:00.5', '2026-01-01T12:00:00.5Z'],
      ['2026-01-01T12:00:00+03', '2026-01-01T12:00:00+03:00'],
      ['2026-01-01T12:00:00+0330', '2026-01-01T12:00:00+03:30'],
      ['2026-01-01 12:00:00,25Z', '2026-01-01T12:00:00.25Z'],
    ] as const
  ).map(([given, repaired]) => ({
    name: `timestamp ${given}`,
    action: 'StartTransaction',
    given: start({ timestamp: given }),
    repaired: start({ timestamp: repaired }),
    quirks: ['form of a time'],
  })),
  {
    name: 'a time that is none',
    action: 'StartTransaction',
    given: start({ timestamp: 'yesterday' }),
    repaired: start({ timestamp: '1970-01-01T00:00:00.000Z' }),
    quirks: ['form of a time'],
  },
  {
    name: 'an expiry that is none has no moment of arrival to stand for it',
    action: 'ReserveNow',
    given: { connectorId: 1, expiryDate: 'yesterday', idTag: 'A', reservationId: 1 },
    code: 'PropertyConstraintViolation',
  },
  {
    name: 'no time at all',
    action: 'StartTransaction',
    given: { connectorId: 1, idTag: 'A', meterStart: 0 },
    repaired: { connectorId: 1, idTag: 'A', meterStart: 0, timestamp: '1970-01-01T00:00:00.000Z' },
    quirks: ['member left out that is understood'],
  },
  {
    name: 'no error code is no error',
    action: 'StatusNotification',
    given: { connectorId: 1, status: 'Available' },
    repaired: { connectorId: 1, status: 'Available', errorCode: 'NoError' },
    quirks: ['member left out that is understood'],
  },
  {
    name: 'a trigger and a charging state of its own',
    version: 'ocpp2.0.1',
    action: 'TransactionEvent',
    given: transactionEvent({ triggerReason: 'Odd', transactionInfo: { transactionId: 'x', chargingState: 'Odd' } }),
    repaired: transactionEvent({ triggerReason: 'ChargingStateChanged' }),
    quirks: ['unknown trigger of an event', 'unknown charging state'],
  },
  {
    name: 'meterStart with a fraction and as text with a comma',
    action: 'StartTransaction',
    given: start({ meterStart: '100,7' }),
    repaired: start({ meterStart: 101 }),
    quirks: ['number as text', 'fraction of a watt hour'],
  },
  {
    name: 'a token is never cut',
    action: 'StartTransaction',
    given: start({ idTag: 'x'.repeat(21) }),
    code: 'PropertyConstraintViolation',
  },
  {
    name: 'unknown stop reason',
    action: 'StopTransaction',
    given: { transactionId: 1, meterStop: 1, timestamp: at, reason: 'Suspended' },
    repaired: { transactionId: 1, meterStop: 1, timestamp: at, reason: 'Other' },
  },
  {
    name: 'texts too long and members too many',
    action: 'BootNotification',
    given: { chargePointVendor: 'v'.repeat(25), chargePointModel: 'm', extra: { a: 1 }, __proto: 1 },
    repaired: { chargePointVendor: 'v'.repeat(20), chargePointModel: 'm' },
    quirks: ['text too long', 'member that the schema does not have'],
  },
  {
    name: 'a register that is left out',
    action: 'StartTransaction',
    given: { connectorId: 1, idTag: 'A', timestamp: at },
    repaired: start({ meterStart: -1 }),
    quirks: ['member left out that is understood'],
  },
  {
    name: 'a member that is missing',
    action: 'StartTransaction',
    given: { connectorId: 1, meterStart: 0, timestamp: at },
    code: 'OccurrenceConstraintViolation',
  },
  { name: 'a payload that is no object', action: 'Heartbeat', given: [], code: 'FormatViolation' },
  {
    name: 'a type beyond repair',
    action: 'StopTransaction',
    given: { transactionId: {}, meterStop: 1, timestamp: at },
    code: 'TypeConstraintViolation',
  },
  { name: 'an unknown action', action: 'Brew', given: {}, code: 'NotImplemented' },
  { name: 'an action of Object', action: 'constructor', given: {}, code: 'NotImplemented' },
  {
    name: '2.0.1 value as text with a comma',
    version: 'ocpp2.0.1',
    action: 'TransactionEvent',
    given: transactionEvent({ meterValue: [{ timestamp: at, sampledValue: [{ value: '12,5' }] }] }),
    repaired: transactionEvent({ meterValue: [{ timestamp: at, sampledValue: [{ value: 12.5 }] }] }),
    quirks: ['number as text'],
  },
  {
    name: '2.0.1 empty sampledValue',
    version: 'ocpp2.0.1',
    action: 'TransactionEvent',
    given: transactionEvent({ meterValue: [{ timestamp: at, sampledValue: [] }] }),
    repaired: transactionEvent({}),
    quirks: ['empty list of values'],
  },
  {
    name: '2.0.1 customData keeps its own members',
    version: 'ocpp2.0.1',
    action: 'Heartbeat',
    given: { customData: { vendorId: 'x', more: { a: [1] } }, stray: true },
    repaired: { customData: { vendorId: 'x', more: { a: [1] } } },
  },
];

for (const { name, version = 'ocpp1.6', action, given, repaired, quirks, code } of cases) {
  void t.test(name, (t) => {
    const validators = loaded[version];
    const payload: unknown = structuredClone(given);
    const found = validators.validate(action, 'request', payload);
    if (found === undefined) throw new Error('strict validation let it pass');
    const used = new Set<string>();
    const left = repairPayload(validators, action, 'request', payload, found, (quirk) => used.add(quirk));
    if (left === undefined) {
      t.same(payload, repaired);
      t.equal(validators.validate(action, 'request', payload), undefined);
    } else t.equal(errorCodeOf(left), code);
    t.equal(left === undefined, code === undefined);
    if (quirks !== undefined) t.same([...used].sort(), [...quirks].sort());
    t.end();
  });
}

void t.test('every message of both versions has a validator, and they are strict', (t) => {
  for (const [version, schemas] of [
    ['ocpp1.6', OCPP16.schemas],
    ['ocpp2.0.1', OCPP20.schemas],
  ] as const) {
    const validators = loaded[version];
    const actions = [...validators.actions];
    t.equal(actions.length * 2, Object.keys(schemas).length, version);
    for (const action of actions) {
      for (const kind of ['request', 'response'] as const) {
        t.ok(validators.validate(action, kind, 5), `${action} ${kind} refuses a number`);
        t.ok(validators.validate(action, kind, { stray: 1 }), `${action} ${kind} refuses a stray member`);
      }
    }
  }
  const limit = (value: number): unknown => ({
    connectorId: 1,
    csChargingProfiles: {
      chargingProfileId: 1,
      stackLevel: 0,
      chargingProfilePurpose: 'TxDefaultProfile',
      chargingProfileKind: 'Relative',
      chargingSchedule: { chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit: value }] },
    },
  });
  for (let tenths = 1; tenths <= 1000; tenths++) {
    const violation = loaded['ocpp1.6'].validate('SetChargingProfile', 'request', limit(tenths / 10));
    if (violation !== undefined) t.fail(`${tenths / 10} A refused`);
  }
  t.match(loaded['ocpp1.6'].validate('SetChargingProfile', 'request', limit(0.15)), { keyword: 'multipleOf' });
  t.match(loaded['ocpp1.6'].validate('MeterValues', 'request', meterValues({ value: '1', x: 1 })), {
    path: '/meterValue/0/sampledValue/0',
    keyword: 'additionalProperties',
  });
  t.end();
});

void t.test('whatever comes, repair ends: valid, or with a reason', (t) => {
  const names = [
    'meterValue',
    'sampledValue',
    'value',
    'unit',
    'errorCode',
    'timestamp',
    'reason',
    '__proto__',
    'idTag',
  ];
  const payload = fc.letrec((tie) => ({
    node: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(null, '', 'Error', 'Hz', '1,5', '2026-01-01T00:00:00', 1.5, -1, true),
      fc.array(tie('node'), { maxLength: 3 }),
      fc.array(fc.tuple(fc.constantFrom(...names), tie('node')), { maxLength: 4 }).map((members) =>
        // As JSON.parse makes them: __proto__ is an ordinary member.
        members.reduce<object>((all, [name, value]) => Object.defineProperty(all, name, { value, ...plain }), {}),
      ),
    ),
  })).node;
  const plain = { enumerable: true, writable: true, configurable: true };
  const action = fc.constantFrom('MeterValues', 'StatusNotification', 'StopTransaction', 'BootNotification');
  fc.assert(
    fc.property(payload, action, fc.constantFrom<OcppVersion>('ocpp1.6', 'ocpp2.0.1'), (payload, action, version) => {
      const validators = loaded[version];
      const found = validators.validate(action, 'request', payload);
      if (found === undefined) return true;
      const left = repairPayload(validators, action, 'request', payload, found, () => undefined);
      return (left === undefined) === (validators.validate(action, 'request', payload) === undefined);
    }),
    { numRuns: 500 },
  );
  t.end();
});

void t.test('decimals with a comma', (t) => {
  t.equal(decimal('12,5'), 12.5);
  t.equal(decimal(' -3.25 '), -3.25);
  for (const text of ['', '1,2,3', '1e9', 'NaN', '0x10', '12 kW']) t.equal(decimal(text), undefined, text);
  t.end();
});
