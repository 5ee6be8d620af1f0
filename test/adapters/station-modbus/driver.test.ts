// Modbus chargers over real sockets: transactions made from states and registers, limits confirmed, watchdogs fed, nothing lost.
import t from 'tap';
import { evseNumber, stationTransactionId } from '../../../gateway/kernel/ids.js';
import { ampere, wattHour } from '../../../gateway/kernel/units.js';
import type { StationCommand } from '../../../gateway/site/station-command.js';
import type { MeterValue } from '../../../gateway/site/metering.js';
import { pass, until } from '../modbus/pump.js';
import { connectionTimeout, openBench, type Bench, type BenchOptions } from './charger-bench.js';
import { ModbusDevice } from '../../../adapters/modbus/device.js';
import { charger } from '../../fakes/profiles.js';

const alfenEveNg9xx = charger('alfen-eve-ng9xx');
const kebaP30 = charger('keba-p30');
const phoenixCharxSec = charger('phoenix-charx-sec');

const EVSE = evseNumber(11);
const FREE = { kind: 'free', idToken: 'FREE' } as const;
const TOKEN = { idToken: 'CAFE01', type: 'ISO14443' } as const;

const never = (): Promise<never> => Promise.reject(new Error('nothing is to be sent'));

const setLimit = (current: number, evse = EVSE): StationCommand => ({
  type: 'setLimit',
  evse,
  current: ampere(current),
});
const requestStart: StationCommand = { type: 'requestStart', evse: EVSE, idToken: TOKEN, remoteStartId: 42 };
const stop = (id: string): StationCommand => ({
  type: 'requestStop',
  evse: EVSE,
  stationTransactionId: stationTransactionId(id),
});

/** An Alfen that applies what it is told, as far as its station limit of 32 A goes. */
const obedient: NonNullable<BenchOptions['react']> = (charger, instance, register, value) => {
  if (register === 'Setpoint.Current') {
    charger.set('Current.Offered', Math.min(value, 32), instance);
    charger.set('Setpoint.RemainingValid', 60, instance);
  }
};

async function openAlfen(test: Parameters<typeof openBench>[0], options: BenchOptions = {}): Promise<Bench> {
  const bench = await openBench(test, alfenEveNg9xx, { react: obedient, ...options });
  bench.charger.set('Device.Vendor', 'Alfen NV');
  bench.charger.set('Device.Serial', 'ACE0001');
  for (let instance = 1; instance <= (options.evses ?? 1); instance++) {
    bench.charger.set('EVSE.State', 'A', instance);
    bench.charger.set('Failsafe.Current', 8, instance);
    bench.charger.set('Energy.Active.Import.Register', 50_000, instance);
  }
  await until(bench.clock, () => bench.gateway.of('status').length > 0, 'the first status', 5000);
  return bench;
}

const register = (values: readonly MeterValue[], context: string): number | undefined =>
  values
    .flatMap(({ sampled }) => sampled)
    .find((value) => value.measurand === 'Energy.Active.Import.Register' && value.context === context)?.value;

t.test('phases are switched while the car is paused, once, and never where it refuses', async (test) => {
  const bench = await openAlfen(test, { start: FREE });
  const { clock, charger, gateway } = bench;
  const orders = (): readonly string[] => charger.writes.map(({ register, value }) => `${register} ${value}`);
  const onPhases = (current: number, phases: 1 | 3): StationCommand =>
    ({ ...setLimit(current), phases }) as StationCommand;
  charger.set('Phases.Set', 3);
  test.equal(gateway.of('connected')[0]?.capabilities.phaseSwitching, true);
  test.match(await bench.execute(onPhases(16, 3)), { status: 'Accepted' });
  charger.set('EVSE.State', 'B2');
  await until(clock, () => charger.written('Setpoint.Current').at(-1) === 16, 'the limit to be applied', 5000);
  test.same(charger.written('Phases.Set'), [], 'it is on three already');
  const from = orders().length;
  test.match(await bench.execute(onPhases(20, 1)), { status: 'Accepted' });
  test.same(orders().slice(from), ['Setpoint.Current 0', 'Phases.Set 1', 'Setpoint.Current 20']);
  test.match(await bench.execute(onPhases(12, 1)), { status: 'Accepted' });
  test.same(charger.written('Phases.Set'), [1]);
  charger.refuses.add('Phases.Set');
  test.match(await bench.execute(onPhases(12, 3)), { status: 'Rejected' });
  test.equal(
    gateway.of('capabilities').at(-1)?.capabilities.phaseSwitching,
    false,
    'told, so that nobody waits for it',
  );
  test.match(await bench.execute(onPhases(12, 3)), { status: 'NotSupported' });
  test.match(await bench.execute(setLimit(10)), { status: 'Accepted' });
  test.equal(charger.written('Setpoint.Current').at(-1), 10, 'the car goes on as it was');
});

t.test('free to use: from plug to bill', async (test) => {
  const bench = await openAlfen(test, { start: FREE });
  const { clock, charger, gateway } = bench;
  test.same(
    gateway.events.slice(0, 2).map(({ type }) => type),
    ['connected', 'booted'],
  );
  test.match(gateway.of('booted')[0]?.inventory, { vendor: 'Alfen NV', serialNumber: 'ACE0001' });
  test.match(gateway.of('status')[0], { evse: 11, connector: 1, status: 'Available', chargingState: 'Idle' });
  test.equal(charger.written('Setpoint.Current').at(-1), 0, 'held while nobody charges');
  test.match(await bench.execute(setLimit(16)), { status: 'Accepted' });
  test.equal(charger.written('Setpoint.Current').at(-1), 0, 'a limit alone lets no energy flow');

  charger.set('EVSE.State', 'B2');
  await until(clock, () => charger.written('Setpoint.Current').at(-1) === 16, 'the limit to be applied', 5000);
  test.match(gateway.of('authorize'), [{ idToken: { idToken: 'FREE' } }]);
  const started = gateway.transactions('started');
  test.equal(started.length, 1);
  test.match(started[0], { evse: 11, connector: 1, trigger: 'Authorized', idToken: { idToken: 'FREE' } });
  test.equal(started[0]?.stationTransactionId, undefined, 'the gateway issues the id');
  test.equal(register(started[0]?.meterValues ?? [], 'Transaction.Begin'), 50_000);

  charger.set('EVSE.State', 'C2');
  charger.set('Power.Active.Import', 11_000);
  for (const phase of ['L1', 'L2', 'L3']) charger.set(`Current.Import.${phase}`, 15.9);
  charger.set('Energy.Active.Import.Register', 50_100);
  await pass(clock, 31_000);
  const updates = gateway.transactions('updated');
  const periodic = updates.filter((event) => event.trigger === 'MeterValuePeriodic');
  test.ok(periodic.length >= 2 && periodic.length <= 4, `${periodic.length} periodic values in 31 s`);
  test.ok(updates.some((event) => event.trigger === 'ChargingStateChanged' && event.chargingState === 'Charging'));
  const sampled = periodic.at(-1)?.meterValues.flatMap((value) => value.sampled) ?? [];
  test.same(
    sampled.map(({ measurand, phase }) => [measurand, phase].filter(Boolean).join(' ')),
    [
      'Energy.Active.Import.Register',
      'Power.Active.Import',
      'Current.Import L1',
      'Current.Import L2',
      'Current.Import L3',
      'Voltage L1-N',
      'Voltage L2-N',
      'Voltage L3-N',
      'Current.Offered',
    ],
  );
  test.equal(sampled.at(-1)?.value, 16);

  charger.set('EVSE.State', 'A');
  charger.set('Energy.Active.Import.Register', 50_140);
  await until(clock, () => gateway.transactions('ended').length > 0, 'the end', 5000);
  const ended = gateway.transactions('ended')[0];
  test.match(ended, { trigger: 'EVDeparted', stoppedReason: 'EVDisconnected', stationTransactionId: 'tx1' });
  test.equal(register(ended?.meterValues ?? [], 'Transaction.End'), 50_140);
  await until(clock, () => charger.written('Setpoint.Current').at(-1) === 0, 'the pause', 5000);
  await until(clock, () => gateway.of('status').at(-1)?.status === 'Available', 'available', 5000);
  test.ok(
    gateway.events.every(
      (event) => event.type !== 'transaction' || event.stationTransactionId !== undefined || event.kind === 'started',
    ),
  );
});

t.test('a refused token gets no energy, and is not asked again until the car has left', async (test) => {
  const bench = await openAlfen(test, { start: FREE });
  bench.gateway.verdict = 'Blocked';
  await bench.execute(setLimit(16));
  bench.charger.set('EVSE.State', 'B1');
  await pass(bench.clock, 10_000);
  test.equal(bench.gateway.of('authorize').length, 1);
  test.equal(bench.gateway.transactions('started').length, 0);
  test.ok(bench.charger.written('Setpoint.Current').every((value) => value === 0));
  bench.charger.set('EVSE.State', 'A');
  await pass(bench.clock, 2000);
  bench.gateway.verdict = 'Accepted';
  bench.charger.set('EVSE.State', 'B1');
  await until(bench.clock, () => bench.gateway.transactions('started').length === 1, 'the next car', 5000);
});

t.test('a token refused in the answer to the start ends the transaction at once', async (test) => {
  const bench = await openAlfen(test, { start: FREE });
  bench.gateway.startVerdict = 'ConcurrentTx';
  await bench.execute(setLimit(16));
  bench.charger.set('EVSE.State', 'C2');
  await until(bench.clock, () => bench.gateway.transactions('ended').length === 1, 'the end', 5000);
  test.match(bench.gateway.transactions('ended')[0], { stoppedReason: 'DeAuthorized', stationTransactionId: 'tx1' });
  test.ok(bench.charger.written('Setpoint.Current').every((value) => value === 0));
});

t.test('authorized: nothing starts by itself; a remote start and stop do', async (test) => {
  const bench = await openAlfen(test);
  const { clock, charger, gateway } = bench;
  charger.set('EVSE.State', 'B2');
  await bench.execute(setLimit(10));
  await pass(clock, 5000);
  test.equal(gateway.of('transaction').length, 0);
  test.match(gateway.of('status').at(-1), { status: 'Occupied', chargingState: 'EVConnected' });

  test.match(await bench.execute(requestStart), { status: 'Accepted' });
  await until(clock, () => charger.written('Setpoint.Current').at(-1) === 10, 'energy', 5000);
  test.match(gateway.transactions('started'), [{ trigger: 'RemoteStart', remoteStartId: 42, idToken: TOKEN }]);
  test.match(await bench.execute(requestStart), { status: 'Rejected' }, 'one transaction at a time');
  test.match(await bench.execute(stop('tx9')), { status: 'Rejected' }, 'not this transaction');

  charger.set('Energy.Active.Import.Register', 50_900);
  test.match(await bench.execute(stop('tx1')), { status: 'Accepted' });
  await clock.settle();
  test.match(gateway.transactions('ended'), [
    { trigger: 'RemoteStop', stoppedReason: 'Remote', stationTransactionId: 'tx1' },
  ]);
  test.equal(
    register(gateway.transactions('ended')[0]?.meterValues ?? [], 'Transaction.End'),
    50_900,
    'read after the stop',
  );
  test.equal(charger.written('Setpoint.Current').at(-1), 0);
  await pass(clock, 5000);
  test.equal(gateway.transactions('started').length, 1, 'the cable is still in, nothing begins');
  test.match(await bench.execute(stop('tx1')), { status: 'Rejected' }, 'already ended');
});

t.test('a remote start waits for the car, for as long as the connection time-out', async (test) => {
  const bench = await openAlfen(test);
  const { clock, charger, gateway } = bench;
  test.match(await bench.execute(requestStart), { status: 'Accepted' });
  await pass(clock, connectionTimeout / 2, 500);
  charger.set('EVSE.State', 'B1');
  await until(clock, () => gateway.transactions('started').length === 1, 'the start', 5000);
  charger.set('EVSE.State', 'A');
  await until(clock, () => gateway.transactions('ended').length === 1, 'the end', 5000);

  test.match(await bench.execute(requestStart), { status: 'Accepted' });
  await pass(clock, connectionTimeout + 2000, 500);
  charger.set('EVSE.State', 'B1');
  await pass(clock, 5000);
  test.equal(gateway.transactions('started').length, 1, 'too late');
});

t.test('limits: rounded down, paused below the minimum, accepted only when the charger took them', async (test) => {
  const bench = await openAlfen(test, { start: FREE });
  const { clock, charger, gateway } = bench;
  await bench.execute(setLimit(20));
  charger.set('EVSE.State', 'C2');
  await until(clock, () => charger.written('Setpoint.Current').at(-1) === 20, 'energy', 5000);

  test.match(await bench.execute(setLimit(13.37)), { status: 'Accepted' });
  test.equal(charger.written('Setpoint.Current').at(-1), 13.3);
  test.match(await bench.execute(setLimit(99)), { status: 'Accepted' });
  test.equal(charger.written('Setpoint.Current').at(-1), 32, 'never above the EVSE');
  test.match(await bench.execute(setLimit(5.9)), { status: 'Accepted' });
  test.equal(charger.written('Setpoint.Current').at(-1), 0);
  await pass(clock, 2000);
  charger.set('EVSE.State', 'B2');
  await until(
    clock,
    () => gateway.transactions('updated').at(-1)?.chargingState === 'SuspendedEVSE',
    'suspended by us',
    5000,
  );

  charger.refuses.add('Setpoint.Current');
  test.match(await bench.execute(setLimit(10)), { status: 'Rejected', detail: 'exception 3' });
  charger.refuses.clear();
  charger.silent = true;
  test.match(await bench.execute(setLimit(12)), { status: 'Uncertain' });
  charger.silent = false;
  await until(clock, () => charger.written('Setpoint.Current').at(-1) === 12, 'the limit to be repaired', 30_000);
});

t.test('a limit that its register has no room for is answered, and the next one is written', async (test) => {
  const { registers } = alfenEveNg9xx;
  const small = { address: 1210, type: 'uint16', scale: 0.0002, read: 3, write: 16 } as const;
  const profile = { ...alfenEveNg9xx, registers: { ...registers, 'Setpoint.Current': small } };
  const bench = await openBench(test, profile, { react: obedient, start: FREE });
  bench.charger.set('EVSE.State', 'C2');
  await until(bench.clock, () => bench.gateway.transactions('started').length === 1, 'the start', 5000);
  test.match(await bench.execute(setLimit(20)), { detail: 'Setpoint.Current cannot hold 20' });
  test.match(await bench.execute(setLimit(10)), { status: 'Accepted' });
  test.equal(bench.charger.written('Setpoint.Current').at(-1), 10);
});

t.test('a charger that forgot its limit is told again; one odd poll changes nothing', async (test) => {
  const bench = await openAlfen(test, { start: FREE });
  const { clock, charger } = bench;
  await bench.execute(setLimit(16));
  charger.set('EVSE.State', 'C2');
  await until(clock, () => charger.written('Setpoint.Current').at(-1) === 16, 'energy', 5000);
  await pass(clock, 2000);
  charger.set('Current.Offered', 32);
  await pass(clock, 1000);
  charger.set('Current.Offered', 16);
  await pass(clock, 5000);
  const line = 'charger has left its limit, telling it again';
  test.notOk(bench.log.lines.some(({ message }) => message === line));
  const before = charger.writes.length;
  charger.set('Setpoint.Current', 0);
  charger.set('Current.Offered', 32);
  await until(clock, () => bench.log.lines.some(({ message }) => message === line), 'noticed', 6000);
  await until(clock, () => charger.writes.length > before, 'told again', 2000);
  test.equal(charger.written('Setpoint.Current').at(-1), 16);
});

t.test('a charger that goes on with its own maximum has not accepted', async (test) => {
  const stubborn: BenchOptions['react'] = (charger, _instance, name) => {
    if (name === 'Setpoint.Current') charger.set('Current.Offered', 32);
  };
  const bench = await openAlfen(test, { react: stubborn });
  bench.charger.set('EVSE.State', 'B1');
  const outcome = await bench.execute(setLimit(10));
  test.equal(outcome.status, 'Rejected');
  test.match(outcome.detail, 'Current.Offered is 32');
});

t.test(
  'reports are repeated unchanged until the journal takes them: no end is lost, no energy flows unrecorded',
  async (test) => {
    const bench = await openAlfen(test, { start: FREE });
    const { clock, charger, gateway } = bench;
    await bench.execute(setLimit(16));
    gateway.broken = true;
    charger.set('EVSE.State', 'B1');
    await pass(clock, 5000);
    gateway.broken = false;
    await until(clock, () => gateway.transactions('started').length === 1, 'the start', 5000);

    gateway.broken = true;
    charger.set('Energy.Active.Import.Register', 51_000);
    charger.set('EVSE.State', 'A');
    await pass(clock, 10_000);
    test.equal(gateway.transactions('ended').length, 0);
    gateway.broken = false;
    await until(clock, () => gateway.transactions('ended').length === 1, 'the end', 5000);
    const tried = gateway.attempts.filter((event) => event.type === 'transaction' && event.kind === 'ended');
    test.ok(tried.length > 1);
    for (const event of tried) test.same(event, gateway.transactions('ended')[0]);
  },
);

t.test('no energy before the start is on disk', async (test) => {
  const bench = await openAlfen(test);
  const { clock, charger, gateway } = bench;
  await bench.execute(setLimit(16));
  charger.set('EVSE.State', 'B1');
  await pass(clock, 2000);
  gateway.broken = true;
  await bench.execute(requestStart);
  await pass(clock, 5000);
  test.ok(charger.written('Setpoint.Current').every((value) => value === 0));
  gateway.broken = false;
  await until(clock, () => charger.written('Setpoint.Current').at(-1) === 16, 'energy', 5000);
});

t.test(
  'after a restart of the gateway a transaction goes on with its id, and the charger is left as it is',
  async (test) => {
    const open = {
      evse: EVSE,
      stationTransactionId: stationTransactionId('old'),
      idToken: TOKEN,
      meterStart: wattHour(40_000),
    };
    const bench = await openBench(test, alfenEveNg9xx, { react: obedient, resume: [open] });
    bench.charger.set('EVSE.State', 'C2');
    bench.charger.set('Energy.Active.Import.Register', 50_000);
    await pass(bench.clock, 15_000);
    test.equal(bench.gateway.transactions('started').length, 0);
    test.ok(bench.gateway.transactions('updated').length >= 1);
    test.ok(bench.gateway.of('transaction').every((event) => event.stationTransactionId === 'old'));
    test.same(bench.charger.written('Setpoint.Current'), [], 'nothing written before the first limit');
    await bench.execute(setLimit(9));
    test.same(bench.charger.written('Setpoint.Current'), [9]);
    test.match(await bench.execute(stop('old')), { status: 'Accepted' });
    await bench.clock.settle();
    test.match(bench.gateway.transactions('ended'), [{ stationTransactionId: 'old', stoppedReason: 'Remote' }]);
  },
);

t.test('a car that left while the gateway was down ends its transaction', async (test) => {
  const open = {
    evse: EVSE,
    stationTransactionId: stationTransactionId('old'),
    idToken: TOKEN,
    meterStart: wattHour(40_000),
  };
  const bench = await openBench(test, alfenEveNg9xx, { resume: [open] });
  bench.charger.set('EVSE.State', 'A');
  bench.charger.set('Energy.Active.Import.Register', 47_500);
  await until(bench.clock, () => bench.gateway.transactions('ended').length === 1, 'the end', 5000);
  const ended = bench.gateway.transactions('ended')[0];
  test.match(ended, { stationTransactionId: 'old', stoppedReason: 'EVDisconnected' });
  test.equal(register(ended?.meterValues ?? [], 'Transaction.End'), 47_500);
});

t.test('a car that leaves between two requests of a poll is billed to its last watt-hour', async (test) => {
  let leaving = false;
  const bench = await openAlfen(test, {
    start: FREE,
    between: (charger, register) => {
      if (!leaving || register !== 'Energy.Active.Import.Register') return;
      leaving = false;
      charger.set('Energy.Active.Import.Register', 50_140);
      charger.set('EVSE.State', 'A');
    },
  });
  const { clock, charger, gateway } = bench;
  await bench.execute(setLimit(16));
  charger.set('EVSE.State', 'C2');
  await until(clock, () => charger.written('Setpoint.Current').at(-1) === 16, 'energy', 5000);
  charger.set('Energy.Active.Import.Register', 50_100);
  await pass(clock, 3000);
  leaving = true;
  await until(clock, () => gateway.transactions('ended').length === 1, 'the end', 5000);
  test.equal(register(gateway.transactions('ended')[0]?.meterValues ?? [], 'Transaction.End'), 50_140);
});

t.test(
  'silence: disconnected after three polls, a transaction stays open, the way back begins at the fallback current',
  async (test) => {
    const bench = await openAlfen(test, { start: FREE });
    const { clock, charger, gateway } = bench;
    await bench.execute(setLimit(20));
    charger.set('EVSE.State', 'C2');
    await until(clock, () => charger.written('Setpoint.Current').at(-1) === 20, 'energy', 5000);
    charger.silent = true;
    await until(clock, () => gateway.of('disconnected').length === 1, 'disconnected', 30_000);
    test.match(await bench.execute(setLimit(10)), { status: 'Offline' });
    await pass(clock, 30_000, 200);
    test.equal(gateway.of('disconnected').length, 1);
    test.equal(gateway.transactions('ended').length, 0);
    charger.silent = false;
    const statuses = gateway.of('status').length;
    await until(clock, () => gateway.of('connected').length === 2, 'connected again', 30_000);
    await until(clock, () => charger.written('Setpoint.Current').at(-1) === 8, 'the fallback current', 5000);
    await until(clock, () => gateway.of('status').length > statuses, 'the status told anew', 5000);
    await bench.execute(setLimit(20));
    test.equal(charger.written('Setpoint.Current').at(-1), 20);
    charger.set('EVSE.State', 'A');
    await until(clock, () => gateway.transactions('ended').length === 1, 'the end', 5000);
    test.equal(gateway.transactions('ended')[0]?.stationTransactionId, 'tx1');
  },
);

t.test('an energy register never falls inside a transaction, and a spike is read again', async (test) => {
  const bench = await openAlfen(test, { start: FREE });
  const { clock, charger, gateway } = bench;
  await bench.execute(setLimit(20));
  charger.set('EVSE.State', 'C2');
  await until(clock, () => gateway.transactions('started').length === 1, 'the start', 5000);
  charger.set('Energy.Active.Import.Register', 50_300);
  await pass(clock, 12_000);
  charger.set('Energy.Active.Import.Register', 3);
  await pass(clock, 12_000);
  charger.set('Energy.Active.Import.Register', 50_500);
  charger.set('EVSE.State', 'A');
  await until(clock, () => gateway.transactions('ended').length === 1, 'the end', 5000);
  const registers = gateway
    .of('transaction')
    .flatMap(({ meterValues }) => meterValues)
    .flatMap(({ sampled }) => sampled)
    .filter(({ measurand }) => measurand === 'Energy.Active.Import.Register')
    .map(({ value }) => value);
  test.same(
    registers,
    [...registers].sort((a, b) => a - b),
  );
  test.ok(registers.length >= 4);
  test.equal(registers.at(-1), 50_500);
});

t.test('availability is kept by the gateway: paused, no new start, told as Unavailable', async (test) => {
  const bench = await openAlfen(test, { start: FREE });
  const { clock, charger, gateway } = bench;
  const change = (operative: boolean): StationCommand => ({ type: 'changeAvailability', evse: EVSE, operative });
  test.match(await bench.execute(change(false)), { status: 'Accepted' });
  charger.set('EVSE.State', 'B1');
  await pass(clock, 3000);
  test.equal(gateway.of('status').at(-1)?.status, 'Unavailable');
  test.equal(gateway.of('authorize').length, 0);
  test.match(await bench.execute(requestStart), { status: 'Rejected' });
  test.match(await bench.execute(change(true)), { status: 'Accepted' });
  await until(clock, () => gateway.transactions('started').length === 1, 'the start', 5000);
  test.match(await bench.execute(change(false)), { status: 'Scheduled' }, 'a running transaction goes on');
  await pass(clock, 3000);
  test.equal(gateway.transactions('ended').length, 0);
  charger.set('EVSE.State', 'A');
  await until(clock, () => gateway.of('status').at(-1)?.status === 'Unavailable', 'unavailable', 5000);
});

t.test('a fault is told, and does not end a transaction', async (test) => {
  const bench = await openAlfen(test, { start: FREE });
  const { clock, charger, gateway } = bench;
  charger.set('EVSE.State', 'C2');
  await until(clock, () => gateway.transactions('started').length === 1, 'the start', 5000);
  charger.set('EVSE.State', 'F');
  await until(clock, () => gateway.of('status').at(-1)?.status === 'Faulted', 'faulted', 5000);
  test.match(gateway.of('status').at(-1)?.error, { code: 'OtherError' });
  test.equal(gateway.transactions('ended').length, 0);
  charger.set('EVSE.State', 'Z9');
  const before = gateway.of('status').length;
  await pass(clock, 3000);
  test.equal(gateway.of('status').length, before, 'a state that nobody knows changes nothing');
});

t.test('what a Modbus charger cannot do is answered, not tried', async (test) => {
  const bench = await openAlfen(test);
  const writes = bench.charger.writes.length;
  const commands: readonly StationCommand[] = [
    { type: 'unlock', evse: EVSE, connector: 1 },
    { type: 'reset', kind: 'soft', whenIdle: false },
    { type: 'cancelReservation', reservationId: 1 },
    { type: 'sendLocalList', version: 1, update: 'Full', entries: [] },
    { type: 'trigger', message: 'MeterValues' },
    { type: 'setVariable', component: 'X', variable: 'Y', value: '1' },
    { type: 'dataTransfer', vendorId: 'x' },
  ];
  for (const command of commands) test.match(await bench.execute(command), { status: 'NotSupported' }, command.type);
  test.match(await bench.execute(setLimit(10, evseNumber(99))), { status: 'Rejected' });
  test.equal(bench.charger.writes.length, writes);
});

t.test('two sockets of one charger are two EVSEs on two units', async (test) => {
  const bench = await openAlfen(test, { start: FREE, evses: 2 });
  const second = evseNumber(12);
  await bench.execute(setLimit(16, second));
  bench.charger.set('EVSE.State', 'C2', 2);
  await until(
    bench.clock,
    () => bench.charger.written('Setpoint.Current', 2).at(-1) === 16,
    'energy on socket 2',
    5000,
  );
  test.ok(bench.charger.written('Setpoint.Current', 1).every((value) => value === 0));
  test.match(bench.gateway.transactions('started'), [{ evse: 12 }]);
});

t.test('a socket that falls silent while its neighbour answers is Faulted, the station stays', async (test) => {
  const bench = await openAlfen(test, { start: FREE, evses: 2 });
  const { clock, charger, gateway } = bench;
  await until(clock, () => gateway.of('status').length === 2, 'both statuses', 5000);
  const second = charger.units.get(2);
  if (second === undefined) throw new Error('two units');
  charger.units.delete(2);
  await until(clock, () => gateway.of('status').at(-1)?.status === 'Faulted', 'faulted', 30_000);
  test.match(gateway.of('status').at(-1), { evse: 12, error: { info: 'the EVSE does not answer' } });
  test.equal(gateway.of('disconnected').length, 0);
  charger.units.set(2, second);
  await until(clock, () => gateway.of('status').at(-1)?.status === 'Available', 'available', 30_000);
});

t.test('a stop whose pause is not certain ends the transaction as soon as the charger has paused', async (test) => {
  const bench = await openAlfen(test, { start: FREE });
  const { clock, charger, gateway } = bench;
  await bench.execute(setLimit(16));
  charger.set('EVSE.State', 'C2');
  await until(clock, () => charger.written('Setpoint.Current').at(-1) === 16, 'energy', 5000);
  charger.refuses.add('Setpoint.Current');
  test.match(await bench.execute(stop('tx1')), { status: 'Rejected' });
  await pass(clock, 3000);
  test.equal(gateway.transactions('ended').length, 0, 'refused: it goes on');
  charger.refuses.clear();
  charger.silent = true;
  test.match(await bench.execute(stop('tx1')), { status: 'Uncertain' });
  test.equal(gateway.transactions('ended').length, 0, 'nobody knows yet');
  charger.silent = false;
  await until(clock, () => gateway.transactions('ended').length === 1, 'the end', 30_000);
  test.equal(charger.written('Setpoint.Current').at(-1), 0);
  test.match(gateway.transactions('ended'), [{ stoppedReason: 'Remote' }]);
});

t.test(
  'Alfen: the setpoint is written again well within its validity; the fallback is announced once it is proven',
  async (test) => {
    const bench = await openAlfen(test);
    await pass(bench.clock, 2000);
    test.match(bench.gateway.of('connected')[0]?.capabilities, { protocol: 'modbus', fallback: false });
    test.match(bench.gateway.of('capabilities').at(-1)?.capabilities, { fallback: true, fallbackAfter: 65_000 });
    const before = bench.charger.written('Setpoint.Current').length;
    await pass(bench.clock, 60_000, 500);
    test.ok(bench.charger.written('Setpoint.Current').length - before >= 2);
    await bench.driver.stop();
    const stopped = bench.charger.writes.length;
    await pass(bench.clock, 60_000, 500);
    test.equal(bench.charger.writes.length, stopped, 'a gateway that is gone feeds nothing');
  },
);

t.test('Alfen: a safe current above the fallback current is no fallback', async (test) => {
  const bench = await openBench(test, alfenEveNg9xx, { react: obedient });
  bench.charger.set('EVSE.State', 'A');
  bench.charger.set('Failsafe.Current', 16);
  await pass(bench.clock, 60_000, 500);
  test.same(bench.gateway.of('capabilities'), []);
  test.equal(bench.log.lines.filter((line) => line.message.includes('does not fall back')).length, 1);
});

/** A KEBA that enables, offers, and keeps its fail-safe where it shows it. */
const keba: NonNullable<BenchOptions['react']> = (charger, _instance, name, value) => {
  const shown = { 'Failsafe.Current': 'Failsafe.Current.Read', 'Failsafe.Timeout': 'Failsafe.Timeout.Read' }[name];
  if (shown !== undefined) charger.set(shown, value);
  if (name === 'Setpoint.Current') charger.set('Current.Offered', value);
};

t.test('KEBA: fail-safe programmed and fed, the limit and the enabling in five-second steps', async (test) => {
  const bench = await openBench(test, kebaP30, { react: keba, start: FREE });
  const { clock, charger, gateway } = bench;
  charger.set('EVSE.State', 2);
  charger.set('EVSE.Cable', 1);
  charger.set('Device.Model', 312_304);
  await until(clock, () => gateway.of('capabilities').length > 0, 'the fallback to be proven', 60_000);
  test.match(gateway.of('capabilities')[0]?.capabilities, { fallback: true, fallbackAfter: 65_000 });
  test.match(gateway.of('booted')[0]?.inventory, { vendor: 'KEBA', model: '312304' });
  test.same(charger.written('Enable'), [0]);
  test.same(charger.written('Failsafe.Current'), [8]);
  test.same(charger.written('Failsafe.Persist'), [], 'the flash is spared');

  await bench.execute(setLimit(13.37));
  charger.set('EVSE.Cable', 7);
  await until(clock, () => charger.written('Enable').at(-1) === 1, 'energy', 60_000);
  test.equal(charger.written('Setpoint.Current').at(-1), 13.3);
  charger.set('EVSE.State', 3);
  const fed = charger.written('Failsafe.Timeout').length;
  await pass(clock, 60_000, 100);
  test.ok(charger.written('Failsafe.Timeout').length - fed >= 2);
  test.ok(gateway.transactions('updated').some((event) => event.chargingState === 'Charging'));

  test.match(await bench.execute(setLimit(0)), { status: 'Accepted' });
  test.equal(charger.written('Enable').at(-1), 0);
  charger.set('EVSE.Cable', 1);
  await until(clock, () => gateway.transactions('ended').length === 1, 'the end', 30_000);
});

t.test('CHARX: every point at its own thousand, released again after a pause, and no watchdog', async (test) => {
  const bench = await openBench(test, phoenixCharxSec, { start: FREE, evses: 2 });
  const { clock, charger, gateway } = bench;
  charger.set('EVSE.State', 'A1', 1);
  charger.set('EVSE.State', 'A1', 2);
  await until(clock, () => gateway.of('status').length === 2, 'both statuses', 5000);
  await bench.execute(setLimit(10.9, evseNumber(12)));
  charger.set('EVSE.State', 'B2', 2);
  await until(clock, () => charger.written('Enable', 2).at(-1) === 1, 'the release', 5000);
  test.equal(charger.written('Setpoint.Current', 2).at(-1), 10);
  test.equal(charger.units.get(255)?.holding.get(2301), 10);
  await bench.execute(setLimit(0, evseNumber(12)));
  test.equal(charger.written('Enable', 2).at(-1), 0);
  await bench.execute(setLimit(7, evseNumber(12)));
  test.equal(charger.written('Enable', 2).at(-1), 1);
  test.match(gateway.of('connected')[0]?.capabilities, { fallback: false });
  await pass(clock, 5000);
  test.same(gateway.of('capabilities'), []);
  test.ok(bench.log.lines.some((line) => line.message.includes('write function not verified')));
});

t.test('Vestel: its fail-safe is programmed, and the heartbeat written in time', async (test) => {
  const bench = await openBench(test, charger('vestel-evc04'));
  const { clock, charger: box, gateway } = bench;
  box.set('EVSE.Cable', 1);
  box.set('Failsafe.Current', 32);
  await until(clock, () => gateway.of('capabilities').length > 0, 'the fallback to be proven', 30_000);
  test.match(gateway.of('capabilities')[0]?.capabilities, { fallback: true, fallbackAfter: 25_000 });
  test.same([box.written('Failsafe.Current'), box.written('Failsafe.Timeout')], [[8], [20]]);
  const beats = box.written('Heartbeat').length;
  await pass(clock, 60_000, 100);
  test.ok(box.written('Heartbeat').length - beats >= 11, 'at least every five seconds');
  test.ok(box.written('Heartbeat').every((value) => value === 1));
});

t.test('Amperfied: any traffic feeds it, and its fail-safe is written once', async (test) => {
  const bench = await openBench(test, charger('amperfied-connect'));
  const { clock, charger: box, gateway } = bench;
  box.set('EVSE.State', 2);
  await until(clock, () => gateway.of('capabilities').length > 0, 'the fallback to be proven', 30_000);
  test.match(gateway.of('capabilities')[0]?.capabilities, { fallback: true, fallbackAfter: 20_000 });
  await pass(clock, 60_000, 100);
  test.same([box.written('Failsafe.Current'), box.written('Failsafe.Timeout')], [[8], [15]]);
});

t.test('a charger that falls back to full power has no fallback, whatever it shows', async (test) => {
  const amperfied = charger('amperfied-connect');
  if (amperfied.watchdog.kind === 'none') throw new Error('it has a watchdog');
  const bench = await openBench(test, { ...amperfied, watchdog: { ...amperfied.watchdog, fallsTo: 'full-power' } });
  bench.charger.set('EVSE.State', 2);
  await pass(bench.clock, 60_000, 500);
  test.same(bench.gateway.of('capabilities'), []);
  test.equal(bench.log.lines.filter((line) => line.message.includes('does not fall back')).length, 1);
});

t.test('when a charger falls back that no source tells of is not known', async (test) => {
  const bench = await openBench(test, charger('sungrow-ac011e'));
  test.equal(bench.driver.watchdog?.after, 'unknown');
});

t.test('a power limit is reckoned for the phases that the car takes too much on', async (test) => {
  const bench = await openBench(test, charger('compleo-duo'), { start: FREE });
  const { clock, charger: box, gateway } = bench;
  await until(clock, () => gateway.of('status').length > 0, 'the first status', 5000);
  box.set('EVSE.State', 1);
  await until(clock, () => gateway.transactions('started').length === 1, 'the start', 5000);
  test.match(await bench.execute(setLimit(10)), { status: 'Accepted' });
  const last = (): number | undefined => box.written('Setpoint.Power').at(-1);
  await until(clock, () => last() === 6900, 'the power of three phases', 5000);
  box.set('EVSE.State', 3);
  box.set('Current.Import.L1', 10.4);
  await pass(clock, 10_000);
  test.equal(last(), 6900, 'a car on one phase that keeps to its current is left alone');
  box.set('Current.Import.L1', 29.8);
  await until(clock, () => last() === 2300, 'the power of one phase', 10_000);
  box.set('EVSE.State', 0);
  await until(clock, () => gateway.transactions('ended').length === 1, 'the end', 5000);
  box.set('Current.Import.L1', 0);
  box.set('EVSE.State', 1);
  await until(clock, () => last() === 6900, 'nothing is known of the next car', 10_000);
});

t.test('innogy: each phase has its own limit, and all are written and confirmed', async (test) => {
  const bench = await openBench(test, charger('innogy-ebox'), { start: FREE });
  const { clock, charger: box, gateway } = bench;
  box.set('EVSE.State', 'A');
  await until(clock, () => gateway.of('status').length > 0, 'the first status', 5000);
  await bench.execute(setLimit(12.34));
  box.set('EVSE.State', 'B');
  const written = (phase: string): number | undefined => box.written(`Setpoint.Current.${phase}`).at(-1);
  await until(clock, () => Math.abs((written('L3') ?? 0) - 12.3) < 0.01, 'the limit of the last phase', 5000);
  for (const phase of ['L1', 'L2', 'L3']) test.ok(Math.abs((written(phase) ?? 0) - 12.3) < 0.01, phase);
  test.match(await bench.execute(setLimit(0)), { status: 'Accepted' });
  test.same(['L1', 'L2', 'L3'].map(written), [0, 0, 0]);
});

t.test('Kathrein: control is taken before the limit, and a value that must never be written is not', async (test) => {
  const profile = charger('kathrein-kwb');
  const bench = await openBench(test, profile, { start: FREE });
  const { clock, charger: box, gateway } = bench;
  box.set('EVSE.State', 0);
  await until(clock, () => gateway.of('status').length > 0, 'the first status', 5000);
  await bench.execute(setLimit(10));
  box.set('EVSE.State', 1);
  await until(clock, () => box.written('Setpoint.Current').at(-1) === 10, 'the limit', 5000);
  const order = box.writes.map(({ register }) => register);
  test.ok(order.lastIndexOf('Control.Enable') < order.lastIndexOf('Setpoint.Current'));
  test.equal(box.written('Control.Enable').at(-1), 32_768);
  const nobody = { read: never, readBit: never, write: never, stop: () => Promise.resolve() };
  const device = new ModbusDevice(nobody, profile, { instance: 1 });
  test.match(await device.write('Failsafe.Timeout', 0), { ok: false, error: { detail: /must never be 0/ } });
});
