// What an OCPP 2.0.1 CSMS is told: events with their numbers, statuses with their errors, signed values, reports in pieces.
import fc from 'fast-check';
import t from 'tap';
import { encodeMeterValue, signedData } from '../../../adapters/csms-ocpp201/encode-meter-values.js';
import { encodeReport } from '../../../adapters/csms-ocpp201/encode-report.js';
import { ERROR_PLACES } from '../../../adapters/csms-ocpp201/error-components.js';
import { openOcpp201Csms } from '../../../adapters/csms-ocpp201/link.js';
import { timestamp, wattHour } from '../../../gateway/kernel/units.js';
import type { ReportedVariable } from '../../../gateway/ports/csms.js';
import type { ChargingProfile } from '../../../gateway/site/charging-profile.js';
import {
  AT,
  AT_TEXT,
  boot,
  callError,
  csmsOf,
  energy,
  settle,
  SLOT_3,
  TOKEN,
  transaction,
  view,
  wiring,
} from '../csms-ocpp16/rig.js';

async function open() {
  const wired = await wiring('ocpp2.0.1');
  const link = openOcpp201Csms(csmsOf('2.0.1'), wired.host, wired.context, wired.csms.dial);
  link.start();
  await settle();
  return { ...wired, link };
}

t.test('the boot names the gateway and its reason', async (t) => {
  const { csms } = await open();
  t.strictSame(csms.last('BootNotification'), {
    reason: 'PowerUp',
    chargingStation: { vendorName: 'Forecourt', model: 'Gateway', serialNumber: 'GW-1', firmwareVersion: '0.1.0' },
  });
});

t.test('a transaction: numbers without gaps, identical when repeated, everything the record knows', async (t) => {
  const { link, csms } = await open();
  const first = transaction(
    {
      idToken: TOKEN,
      reservationId: 4,
      remoteStartId: 77,
      phasesUsed: 3,
      cableMaxCurrent: 32,
      customData: { vendorId: 'acme', extra: 1 },
    },
    {},
    SLOT_3,
  );
  csms.responder = () => callError('InternalError');
  t.equal((await link.deliver(first)).kind, 'refused');
  csms.responder = undefined;
  t.strictSame(await link.deliver(first), { kind: 'answered', state: { seqNo: 1 } });
  const [once, again] = csms.sent.slice(-2);
  t.strictSame(once, again);
  t.strictSame(again?.payload, {
    eventType: 'Started',
    timestamp: AT_TEXT,
    triggerReason: 'Authorized',
    seqNo: 0,
    numberOfPhasesUsed: 3,
    cableMaxCurrent: 32,
    reservationId: 4,
    transactionInfo: {
      transactionId: '0190a5b0-0000-7000-8000-000000000001',
      chargingState: 'EVConnected',
      remoteStartId: 77,
    },
    evse: { id: 2, connectorId: 2 },
    idToken: TOKEN,
    customData: { vendorId: 'acme', extra: 1 },
  });
  await link.deliver({
    ...transaction({ kind: 'updated', trigger: 'MeterValuePeriodic', meterValues: [energy(5)] }, { seqNo: 1 }),
    offline: true,
  });
  t.match(csms.last('TransactionEvent'), { eventType: 'Updated', seqNo: 1, offline: true, meterValue: [{}] });
  csms.responder = () => ({
    totalCost: 12.5,
    chargingPriority: 3,
    idTokenInfo: {
      status: 'NoCredit',
      cacheExpiryDateTime: AT_TEXT,
      groupIdToken: { idToken: 'G', type: 'Central' },
      personalMessage: { format: 'UTF8', content: 'pay' },
    },
  });
  t.strictSame(
    await link.deliver(
      transaction({ kind: 'ended', stoppedReason: 'SOCLimitReached', register: wattHour(9) }, { seqNo: 2 }),
    ),
    {
      kind: 'answered',
      state: { seqNo: 3 },
      totalCost: 12.5,
      idTokenInfo: {
        status: 'NoCredit',
        cacheExpiry: AT,
        chargingPriority: 3,
        group: { idToken: 'G', type: 'Central' },
        personalMessage: { format: 'UTF8', content: 'pay' },
      },
    },
  );
  t.match(csms.last('TransactionEvent'), { eventType: 'Ended', transactionInfo: { stoppedReason: 'SOCLimitReached' } });
  for (const seqNo of ['x', -1, 1.5, null]) {
    await link.deliver(transaction({}, { seqNo }));
    t.match(csms.last('TransactionEvent'), { seqNo: 0 }, 'a state that is none starts at 0');
  }
});

t.test('table H: units, what 2.0.1 does not have, signed data in base64 once', (t) => {
  const [value] = encodeMeterValue([
    {
      at: AT,
      sampled: [
        { value: 1234.5 },
        { value: 6, measurand: 'Current.Import', phase: 'L1', context: 'Sample.Clock', location: 'Outlet' },
        { value: 50, measurand: 'Frequency' },
        { value: 21, measurand: 'Temperature' },
        { value: Number.POSITIVE_INFINITY, measurand: 'Voltage' },
        { value: 3, measurand: 'Energy.Reactive.Net' },
      ],
    },
    { at: AT, sampled: [{ value: 900, measurand: 'RPM' }] },
  ]);
  t.strictSame(value, {
    timestamp: AT_TEXT,
    sampledValue: [
      { value: 1234.5, measurand: 'Energy.Active.Import.Register' },
      {
        value: 6,
        measurand: 'Current.Import',
        context: 'Sample.Clock',
        phase: 'L1',
        location: 'Outlet',
        unitOfMeasure: { unit: 'A' },
      },
      { value: 50, measurand: 'Frequency', unitOfMeasure: { unit: 'Hz' } },
      { value: 3, measurand: 'Energy.Reactive.Net', unitOfMeasure: { unit: 'varh' } },
    ],
  });
  const signed = (data: string, signingMethod = '') => ({ data, signingMethod, encodingMethod: 'OCMF', publicKey: '' });
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const ocmf = 'OCMF|{"FV":"1.0"}|{"SD":"30"}';
  t.equal(signedData(signed(ocmf)), base64(ocmf));
  t.equal(signedData(signed(base64(ocmf))), base64(ocmf), 'wrapped already');
  t.equal(signedData(signed('abcdef12')), base64('abcdef12'), 'hex of a 1.6 charger is text');
  t.equal(signedData(signed('abcdef12', 'ECDSA')), 'abcdef12', 'a 2.0.1 charger always sends base64');
  t.match(encodeMeterValue([{ at: AT, sampled: [{ value: 1, signed: signed(ocmf) }] }]), [
    { sampledValue: [{ value: 1, signedMeterValue: { signedMeterData: base64(ocmf), signingMethod: '' } }] },
  ]);
  const tooLong = encodeMeterValue([{ at: AT, sampled: [{ value: 1, signed: signed('{'.repeat(2000)) }] }]);
  t.notOk('signedMeterValue' in (tooLong[0]?.sampledValue[0] ?? {}), 'cut short it would prove nothing');
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (text) => {
      const wrapped = base64(text);
      return signedData(signed(wrapped, 'ECDSA')) === wrapped;
    }),
    { numRuns: 100 },
  );
  t.end();
});

t.test('table D: every error is raised once, in its component, and cleared once', async (t) => {
  const { link, csms } = await open();
  for (const [code, place] of Object.entries(ERROR_PLACES)) {
    const before = csms.sent.length;
    const error = { code: code as keyof typeof ERROR_PLACES, info: 'why', vendorErrorCode: 'E1' };
    await link.deliver({ type: 'status', connector: view({ error, slot: SLOT_3 }) });
    await link.deliver({ type: 'status', connector: view({ error, slot: SLOT_3 }) });
    await link.deliver({ type: 'status', connector: view({ slot: SLOT_3 }) });
    await link.deliver({ type: 'status', connector: view({ slot: SLOT_3, error: { code: 'NoError' } }) });
    const events = csms.sent.slice(before).filter(({ action }) => action === 'NotifyEvent');
    const component = { name: place.component, evse: { id: 2, connectorId: 2 } };
    const common = { component, variable: { name: place.variable }, trigger: 'Alerting' };
    t.equal(events.length, 2, code);
    t.match(events[0]?.payload, { eventData: [{ ...common, actualValue: 'true', techCode: 'E1', techInfo: 'why' }] });
    t.match(events[1]?.payload, { eventData: [{ ...common, actualValue: 'false', cleared: true }] });
  }
  const ids = csms.sent.flatMap(({ payload }) =>
    Array.isArray(payload['eventData']) ? payload['eventData'].map(({ eventId }: { eventId: number }) => eventId) : [],
  );
  t.equal(new Set(ids).size, ids.length, 'no event number twice');
  t.equal(ids.length, 2 * Object.keys(ERROR_PLACES).length);
});

t.test(
  'one error in place of another is one message; a refused event is not repeated; a boot tells all again',
  async (t) => {
    const { link, csms } = await open();
    const told = (code: 'GroundFailure' | 'OtherError') =>
      link.deliver({ type: 'status', connector: view({ status: 'Faulted', error: { code } }) });
    await told('GroundFailure');
    await told('OtherError');
    t.match(csms.last('NotifyEvent'), {
      eventData: [
        { component: { name: 'RCD' }, cleared: true },
        { component: { name: 'EVSE' }, actualValue: 'true' },
      ],
    });
    csms.responder = (action) =>
      action === 'NotifyEvent' ? callError('InternalError') : action === 'BootNotification' ? boot('Accepted') : {};
    t.equal((await told('GroundFailure')).kind, 'answered');
    const events = () => csms.actions().filter((action) => action === 'NotifyEvent').length;
    t.equal(events(), 3);
    await told('GroundFailure');
    t.equal(events(), 3);
    link.reboot('RemoteReset');
    await settle();
    await told('GroundFailure');
    t.equal(events(), 4);
  },
);

t.test('the station as a whole: availability when it changes, problems as events', async (t) => {
  const { link, csms } = await open();
  const station = (status: 'Available' | 'Unavailable' | 'Faulted', error?: { code: 'OtherError' }) =>
    link.deliver({ type: 'stationStatus', status, at: AT, ...(error && { error }) });
  t.equal((await station('Available')).kind, 'nothing');
  t.equal((await station('Unavailable')).kind, 'answered');
  t.match(csms.last('NotifyEvent'), {
    eventData: [
      { actualValue: 'Unavailable', component: { name: 'ChargingStation' }, variable: { name: 'AvailabilityState' } },
    ],
  });
  t.equal((await station('Unavailable')).kind, 'nothing');
  await station('Faulted', { code: 'OtherError' });
  t.match(csms.last('NotifyEvent'), {
    eventData: [{ actualValue: 'true', component: { name: 'ChargingStation' }, variable: { name: 'Problem' } }],
  });
  t.equal((await station('Available')).kind, 'answered');
  t.match(csms.last('NotifyEvent'), { eventData: [{ cleared: true }] });
});

t.test(
  'NotifyReport in pieces: numbered, all but the last to be continued, attributes of a variable together',
  async (t) => {
    const { link, csms, host } = await open();
    const one: ReportedVariable = {
      component: 'EVSE',
      evse: 1,
      variable: 'Power',
      value: '11000',
      mutability: 'ReadOnly',
      dataType: 'decimal',
      unit: 'W',
      max: 22000,
    };
    await link.deliver({
      type: 'report',
      requestId: 5,
      variables: [one, { ...one, attribute: 'MaxSet', value: '22000' }],
    });
    t.strictSame(csms.last('NotifyReport'), {
      requestId: 5,
      generatedAt: AT_TEXT,
      seqNo: 0,
      tbc: false,
      reportData: [
        {
          component: { name: 'EVSE', evse: { id: 1 } },
          variable: { name: 'Power' },
          variableAttribute: [
            { value: '11000', mutability: 'ReadOnly' },
            { type: 'MaxSet', value: '22000', mutability: 'ReadOnly' },
          ],
          variableCharacteristics: { dataType: 'decimal', supportsMonitoring: false, unit: 'W', maxLimit: 22000 },
        },
      ],
    });
    const before = csms.sent.length;
    const many = Array.from({ length: 120 }, (_, index) => ({ ...one, evse: index + 1, value: 'v'.repeat(400) }));
    await link.deliver({ type: 'report', requestId: 6, variables: many });
    const pieces = csms.sent.slice(before).map(({ payload }) => payload);
    t.ok(pieces.length > 2);
    t.strictSame(
      pieces.map(({ seqNo }) => seqNo),
      pieces.map((_, index) => index),
    );
    t.strictSame(
      pieces.map(({ tbc }) => tbc),
      pieces.map((_, index) => index < pieces.length - 1),
    );
    t.ok(pieces.every((piece) => JSON.stringify(piece).length < 17_000));

    await csms.ask('GetReport', {
      requestId: 7,
      componentVariable: [{ component: { name: 'evse', evse: { id: 3 } }, variable: { name: 'Power' } }],
    });
    const asked = host.commands.at(-1);
    t.match(asked, { type: 'getReport', requestId: 7, base: 'FullInventory' });
    t.equal(asked?.type === 'getReport' && asked.only && many.filter(asked.only).length, 1);
    t.strictSame(await csms.ask('GetReport', { requestId: 8, componentCriteria: ['Problem'] }), {
      status: 'NotSupported',
    });

    fc.assert(
      fc.property(fc.array(fc.nat(3000), { maxLength: 80 }), (lengths) => {
        const variables = lengths.map((length, evse) => ({ ...one, evse, value: 'x'.repeat(length) }));
        const reports = encodeReport(1, variables, AT);
        const said = reports.flatMap(({ reportData }) => reportData ?? []);
        return (
          said.length === variables.length &&
          said.every(({ component }, index) => component.evse?.id === index) &&
          reports.every(({ seqNo, tbc }, index) => seqNo === index && tbc === index < reports.length - 1)
        );
      }),
      { numRuns: 50 },
    );
  },
);

t.test('the smaller notices', async (t) => {
  const { link, csms } = await open();
  const profile: ChargingProfile = {
    id: 3,
    stackLevel: 1,
    purpose: 'TxProfile',
    kind: 'Recurring',
    recurrency: 'Daily',
    validFrom: AT,
    validTo: timestamp(AT + 1000),
    transaction: transaction().record.uid,
    schedules: [
      {
        unit: 'A',
        duration: 60.5,
        startSchedule: AT,
        minChargingRate: 6,
        periods: [{ startPeriod: 0, limit: 10, numberPhases: 1, phaseToUse: 2 }],
      },
    ],
  };
  await link.deliver({
    type: 'reportChargingProfiles',
    requestId: 2,
    slotEvse: 1,
    source: 'CSO',
    profiles: [profile],
    more: true,
  });
  await link.deliver({ type: 'reservationEnded', reservationId: 8, why: 'Removed' });
  await link.deliver({ type: 'chargingLimit', slotEvse: 2, source: 'EMS', cleared: false });
  await link.deliver({ type: 'chargingLimit', slotEvse: undefined, source: 'SO', cleared: true });
  await link.deliver({ type: 'jobStatus', job: 'log', status: 'Uploaded', requestId: 4 });
  await link.deliver({ type: 'meterValues', slot: undefined, meterValues: [energy(5)] });
  t.match(csms.sent.slice(1), [
    {
      action: 'ReportChargingProfiles',
      payload: {
        evseId: 1,
        tbc: true,
        chargingProfile: [
          {
            id: 3,
            recurrencyKind: 'Daily',
            transactionId: profile.transaction,
            chargingSchedule: [{ id: 0, duration: 60, chargingSchedulePeriod: [{ phaseToUse: 2 }] }],
          },
        ],
      },
    },
    { action: 'ReservationStatusUpdate', payload: { reservationId: 8, reservationUpdateStatus: 'Removed' } },
    { action: 'NotifyChargingLimit', payload: { evseId: 2, chargingLimit: { chargingLimitSource: 'EMS' } } },
    { action: 'ClearedChargingLimit', payload: { chargingLimitSource: 'SO' } },
    { action: 'LogStatusNotification', payload: { status: 'Uploaded', requestId: 4 } },
    { action: 'MeterValues', payload: { evseId: 0 } },
  ]);
  csms.responder = () => ({
    idTokenInfo: { status: 'Accepted', evseId: [2], language1: 'nl' },
  });
  t.strictSame(await link.deliver({ type: 'authorize', idToken: TOKEN }), {
    kind: 'answered',
    idTokenInfo: { status: 'Accepted', evses: [2], language1: 'nl' },
  });
  csms.responder = () => ({ status: 'Accepted', data: { x: 1 } });
  t.strictSame(await link.deliver({ type: 'dataTransfer', vendorId: 'v', data: 'text' }), {
    kind: 'answered',
    data: { status: 'Accepted', data: { x: 1 } },
  });
});
