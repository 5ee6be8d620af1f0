// Which statuses a CSMS is sent: all after a boot, only what it can tell apart afterwards, nothing shorter than it wants.
import t from 'tap';
import { evseNumber } from '../../../gateway/kernel/ids.js';
import { evse, record, scene } from './fixture.js';

t.test('S01: after a boot the station and every connector are told before the queue', async (t) => {
  const s = await scene({ evses: [evse(1), evse(2), evse(3, 'CP3', 2)] });
  await s.happens(record('a', 0, 'started'));
  t.strictSame(s.link.sent, [], 'nothing before Boot is accepted');
  t.equal(s.view.online, false);
  await s.up();
  t.strictSame(
    s.link.sent.map(({ type }) => type),
    ['stationStatus', 'status', 'status', 'status', 'status', 'transaction'],
  );
  t.strictSame(s.link.statuses(), ['0 Available', '1 Available', '2 Available', '3 Available', '4 Available']);
  t.match(s.view.status(), { connected: true, accepted: true, queued: 0, dead: 0 });
});

t.test('S04: a short absence tells the changed connector; a long one tells a 2.0.1 CSMS everything', async (t) => {
  for (const ocpp of ['1.6', '2.0.1'] as const) {
    const s = await scene({ csms: { ocpp } });
    await s.up();
    const told = s.link.statuses().length;
    await s.down();
    await s.clock.advance(5_000);
    s.live.set(2, { status: 'Faulted' });
    s.view.connectorChanged(evseNumber(2));
    await s.up(false);
    t.strictSame(s.link.statuses().slice(told), ['2 Faulted']);
    await s.down();
    await s.clock.advance(400_000);
    s.live.set(2, { status: 'Available' });
    await s.up(false);
    const expected = ocpp === '1.6' ? ['2 Available'] : ['0 Available', '1 Available', '2 Available', '3 Available'];
    t.strictSame(s.link.statuses().slice(told + 1), expected, ocpp);
  }
});

t.test('S09: one message for each change that this version can tell apart', async (t) => {
  const states = [
    { status: 'Occupied', transaction: 'none', chargingState: 'EVConnected' },
    { status: 'Occupied', transaction: 'open', chargingState: 'Charging' },
    { status: 'Occupied', transaction: 'open', chargingState: 'SuspendedEV' },
    { status: 'Occupied', transaction: 'open', chargingState: 'SuspendedEVSE' },
    { status: 'Occupied', transaction: 'ended', chargingState: 'EVConnected' },
    { status: 'Available', transaction: 'none', chargingState: 'Idle' },
  ] as const;
  for (const [ocpp, messages] of [
    ['1.6', 6],
    ['2.0.1', 2],
  ] as const) {
    const s = await scene({ csms: { ocpp } });
    await s.up();
    const told = s.link.statuses().length;
    for (const state of states) {
      s.live.set(1, state);
      s.view.connectorChanged(evseNumber(1));
      await s.clock.advance(2_000);
      s.view.connectorChanged(evseNumber(1));
      await s.clock.advance(2_000);
    }
    t.equal(s.link.statuses().length - told, messages, ocpp);
  }
});

t.test('a status shorter than MinimumStatusDuration is never told', async (t) => {
  const s = await scene();
  await s.up();
  const second = { component: 'ChargingStation', variable: 'MinimumStatusDuration', value: '1' };
  await s.view.command({ type: 'setVariables', variables: [second] });
  const told = s.link.statuses().length;
  s.live.set(1, { status: 'Occupied' });
  s.view.connectorChanged(evseNumber(1));
  await s.clock.advance(900);
  s.live.set(1, { status: 'Available' });
  s.view.connectorChanged(evseNumber(1));
  await s.clock.advance(5_000);
  t.equal(s.link.statuses().length, told);
  s.live.set(1, { status: 'Occupied' });
  s.view.connectorChanged(evseNumber(1));
  await s.clock.advance(999);
  t.equal(s.link.statuses().length, told);
  await s.clock.advance(1);
  t.strictSame(s.link.statuses().slice(told), ['1 Occupied']);
});

t.test('the free sibling of a busy connector is Unavailable to 1.6 and Available to 2.0.1 (G01.FR.08)', async (t) => {
  for (const [ocpp, expected] of [
    ['1.6', ['1 Occupied', '2 Unavailable']],
    ['2.0.1', ['1 Occupied']],
  ] as const) {
    const s = await scene({ csms: { ocpp }, evses: [evse(1, 'CP1', 2)] });
    await s.up();
    const told = s.link.statuses().length;
    s.live.set(1, { status: 'Occupied' }, 1);
    s.view.connectorChanged(evseNumber(1));
    await s.clock.advance(2_000);
    t.strictSame(s.link.statuses().slice(told), expected, ocpp);
  }
});

t.test('a burst goes out one at a time; what the lost link swallowed is told by the next', async (t) => {
  const s = await scene();
  await s.up();
  const told = s.link.statuses().length;
  s.link.behave = () => 'silent';
  for (const number of [1, 2, 3]) {
    s.live.set(number, { status: 'Unavailable' });
    s.view.connectorChanged(evseNumber(number));
  }
  await s.clock.advance(2_000);
  t.strictSame(s.link.statuses().slice(told), ['1 Unavailable']);
  s.link.behave = () => undefined;
  await s.down();
  await s.up(false);
  t.strictSame(
    s.link
      .statuses()
      .slice(told + 1)
      .sort(),
    ['1 Unavailable', '2 Unavailable', '3 Unavailable'],
  );
});

t.test('a refused status is not repeated', async (t) => {
  const s = await scene();
  s.link.behave = (message) => (message.type === 'status' ? { kind: 'refused', reason: 'NotSupported' } : undefined);
  await s.up();
  await s.clock.advance(600_000);
  t.equal(s.link.statuses().length, 4);
});

t.test('S19: when a deferred 1.6 start has been told at last, the status is told again', async (t) => {
  const s = await scene({ csms: { ocpp: '1.6' } });
  await s.up();
  s.link.behave = (message) =>
    message.type === 'transaction' && message.record.idToken === undefined ? { kind: 'nothing', state: {} } : undefined;
  const { idToken, ...start } = record('a', 0, 'started');
  await s.happens(start);
  s.live.set(1, { status: 'Occupied', transaction: 'open', chargingState: 'Charging' });
  s.view.connectorChanged(evseNumber(1));
  await s.clock.advance(2_000);
  const told = s.link.statuses().length;
  await s.happens(record('a', 1, 'updated'));
  await s.clock.advance(2_000);
  t.equal(s.link.statuses().length, told, 'not yet');
  await s.happens(record('a', 2, 'updated', idToken === undefined ? {} : { idToken }));
  await s.clock.advance(2_000);
  t.strictSame(s.link.statuses().slice(told), ['1 Occupied']);
});

t.test('S12: a warning beside an unchanged status is told once, and so is its end', async (t) => {
  for (const ocpp of ['1.6', '2.0.1'] as const) {
    const s = await scene({ csms: { ocpp } });
    await s.up();
    const told = s.link.sent.length;
    for (const error of [
      { code: 'HighTemperature', info: '80 C' },
      { code: 'HighTemperature', info: '81 C' },
      { code: 'NoError' },
    ] as const) {
      s.live.set(1, { error });
      s.view.connectorChanged(evseNumber(1));
      await s.clock.advance(2_000);
    }
    t.match(
      s.link.sent.slice(told),
      [
        { type: 'status', connector: { status: 'Available', error: { code: 'HighTemperature', info: '80 C' } } },
        { type: 'status', connector: { status: 'Available', error: { code: 'NoError' } } },
      ],
      ocpp,
    );
    t.equal(s.link.sent.length - told, 2);
  }
});
