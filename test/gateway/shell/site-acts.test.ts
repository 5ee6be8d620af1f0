// What somebody at the site does: by the same paths as a CSMS, on disk, and told to the CSMSs.
import t from 'tap';
import { EventRecorder } from '../../../gateway/console/event-recorder.js';
import { EventRing } from '../../../gateway/console/event-ring.js';
import type { EvseReport } from '../../../gateway/balancing/report.js';
import { evseNumber } from '../../../gateway/kernel/ids.js';
import { ampere, seconds, timestamp } from '../../../gateway/kernel/units.js';
import { InnerWorld, token } from '../../crash/inner-world.js';
import { FakeClock } from '../../fakes/fake-clock.js';
import { FakeLive } from '../views/fixture.js';

const BY = 'anna';

async function opened() {
  const world = await InnerWorld.open();
  const ring = new EventRing();
  const record = () =>
    world.gateway.recorders.push(new EventRecorder({ ring, live: world.gateway.live, clock: world.clock }));
  record();
  await world.online();
  for (const charger of world.chargers.values()) await charger.connect();
  return { world, ring, record, charger: world.charger(1), acts: () => world.gateway.acts };
}

const open = (world: InnerWorld) => world.gateway.live.evse(evseNumber(1))?.transaction;

void t.test(
  'a start without a card goes under the token of the site, and the CSMS in charge gets a transaction of its own',
  async (t) => {
    const { world, ring, charger, acts } = await opened();
    await charger.status('Occupied');
    t.same(await acts().start(1, undefined, BY), { status: 'Accepted' });
    t.match(charger.of('requestStart'), [{ evse: 1, idToken: { idToken: 'CONSOLE', type: 'Local' } }]);
    await charger.start('CONSOLE');
    t.match(open(world), { basis: 'free', owner: 'operator', idToken: { idToken: 'CONSOLE' } });
    await world.clock.settle();
    const told = world.link().sent.find(({ type }) => type === 'transaction');
    t.match(told, { record: { kind: 'started', idToken: { idToken: 'CONSOLE' } } });
    t.same(world.link().asked, [], 'nobody was asked for leave');
    t.match(await acts().start(1, undefined, BY), { status: 'Rejected', reason: 'transaction-open' });
    t.same(await acts().stop(1, BY), { status: 'Accepted' });
    t.match(charger.of('requestStop'), [{ evse: 1 }]);
    await charger.end();
    t.match(await acts().stop(1, BY), { status: 'Rejected', reason: 'no-transaction' });
    const words = ring.newest(20).map(({ text }) => text);
    for (const expected of [
      'anna: start (Accepted)',
      'a transaction has begun by card CO***(7)',
      'anna: stop (Accepted)',
    ])
      t.ok(words.includes(expected), expected);
    t.ok(words.some((text) => text.startsWith('a transaction has ended (Local), 0.00 kWh')));
  },
);

void t.test(
  'a start with a card is judged as if it were presented there, and the verdict holds for the start that follows',
  async (t) => {
    const { world, charger, acts } = await opened();
    await charger.status('Occupied');
    world.link().tokens.set('BLOCKED', { status: 'Blocked' });
    t.match(await acts().start(1, 'BLOCKED', BY), { status: 'Rejected', reason: 'not-authorized', detail: /Blocked/ });
    t.same(charger.of('requestStart'), []);
    t.same(await acts().start(1, 'DRIVER', BY), { status: 'Accepted' });
    t.same(world.link().asked, ['BLOCKED', 'DRIVER']);
    await charger.start('DRIVER');
    t.match(open(world), { basis: 'csms', owner: 'operator' });
    t.same(world.link().asked, ['BLOCKED', 'DRIVER'], 'asked once');
  },
);

void t.test('a driver who does not plug in leaves nothing behind', async (t) => {
  const { world, charger, acts } = await opened();
  world.link().tokens.set('CONSOLE', { status: 'Invalid' });
  t.same(await acts().start(1, undefined, BY), { status: 'Accepted' });
  await world.clock.advance(seconds(121));
  const late = await charger.start('CONSOLE');
  t.match(late.idTokenInfo, { status: 'Invalid' }, 'the token of the site opens nothing by itself');
});

void t.test('what cannot be done is said in words', async (t) => {
  const { world, charger, acts } = await opened();
  t.match(await acts().start(7, undefined, BY), { reason: 'no-such-evse' });
  t.match(await acts().reset('CP9', 'soft', BY), { reason: 'no-such-station' });
  charger.answers = ({ type }) => (type === 'requestStart' ? { status: 'Rejected' } : undefined);
  t.match(await acts().start(1, undefined, BY), { reason: 'charger' });
  charger.answers = () => ({ status: 'NotSupported' });
  t.match(await acts().unlock(1, BY), { reason: 'not-supported' });
  charger.manner = 'silent';
  const asked = acts().reset('CP1', 'hard', BY);
  await world.clock.advance(seconds(6));
  t.match(await asked, { reason: 'uncertain' });
  await charger.disconnect();
  t.match(await acts().start(1, undefined, BY), { reason: 'offline' });
  t.match(await acts().reset('CP1', 'soft', BY), { reason: 'offline' });
});

void t.test('unlocking ends the transaction', async (t) => {
  const { charger, acts } = await opened();
  charger.abilities = { protocol: 'ocpp2.0.1' };
  await charger.connect('Occupied');
  await charger.start('DRIVER');
  charger.answers = ({ type }) => (type === 'unlock' ? { status: 'Unlocked' } : undefined);
  t.same(await acts().unlock(1, BY), { status: 'Unlocked' });
  t.same(
    charger.commands.map(({ type }) => type).filter((type) => type === 'requestStop' || type === 'unlock'),
    ['requestStop', 'unlock'],
  );
});

void t.test('out of service and back, over a restart', async (t) => {
  const { world, record, acts } = await opened();
  t.same(await acts().changeAvailability(1, false, BY), { status: 'Accepted' });
  t.equal(world.status(1), 'Unavailable');
  await world.crash();
  record();
  await world.charger(1).connect();
  t.equal(world.status(1), 'Unavailable', 'kept');
  t.match(await acts().start(1, undefined, BY), { reason: 'out-of-service' });
  t.same(await acts().changeAvailability(1, true, BY), { status: 'Accepted' });
  t.equal(world.status(1), 'Available');
});

void t.test('a reservation of the site keeps others out, is replaced, used up, and released', async (t) => {
  const { world, charger, acts } = await opened();
  t.same(await acts().reserve(1, 'GUEST', 60, BY), { status: 'Accepted' });
  t.equal(world.status(1), 'Reserved');
  t.match(await acts().start(1, 'OTHER', BY), { reason: 'reserved' });
  t.match(await acts().start(1, undefined, BY), { reason: 'reserved' }, 'nor does the token of the site');
  t.same(await acts().reserve(1, 'GUEST2', 30, BY), { status: 'Accepted' }, 'another one replaces it');
  t.match(world.gateway.reservation(evseNumber(1)), { idToken: { idToken: 'GUEST2' } });
  await world.crash();
  t.match(world.gateway.reservation(evseNumber(1)), { idToken: { idToken: 'GUEST2' } }, 'over a restart');
  await world.online();
  await charger.connect();
  await charger.status('Occupied');
  t.same(await acts().start(1, 'GUEST2', BY), { status: 'Accepted' });
  await charger.start('GUEST2');
  t.equal(world.gateway.reservation(evseNumber(1)), undefined, 'used up');
  await charger.end();
  await charger.status('Available');
  await acts().reserve(1, 'GUEST', 60, BY);
  t.same(await acts().release(1, BY), { status: 'Accepted' });
  t.equal(world.status(1), 'Available');
  t.match(await acts().release(1, BY), { reason: 'no-reservation' });
});

void t.test("a CSMS's reservation is released from here, and it is told", async (t) => {
  const { world, acts } = await opened();
  const [csms] = world.site.csms;
  if (csms === undefined) throw new Error('there is no CSMS');
  await world.gateway.operations.reserve(csms.id, {
    reservationId: 5,
    target: { evse: evseNumber(1) },
    evses: [evseNumber(1)],
    idToken: token('DRIVER'),
    expiry: timestamp(world.clock.now() + 3_600_000),
  });
  t.match(await acts().reserve(1, 'GUEST', 60, BY), { reason: 'occupied' });
  t.same(await acts().release(1, BY), { status: 'Accepted' });
  await world.clock.settle();
  t.ok(
    world.link().sent.some((message) => message.type === 'reservationEnded'),
    'ReservationStatusUpdate',
  );
});

void t.test('what a car needs is said for it, until it leaves', async (t) => {
  const { world, record, charger, acts } = await opened();
  t.match(await acts().need(1, { energy_Wh: 20_000 }, BY), { reason: 'no-car' });
  await charger.status('Occupied');
  await charger.start('DRIVER');
  const departure = world.clock.now() + 7_200_000;
  t.match(await acts().need(1, { departure, energy_Wh: 20_000 }, BY), { status: 'Accepted', detail: /most-energy/ });
  await charger.sample(5000);
  t.same(world.gateway.needs(evseNumber(1)), { departure, energy: 15_000 }, 'less what it got');
  t.match(await acts().need(1, { departure: null }, BY), { status: 'Accepted' });
  t.same(world.gateway.needs(evseNumber(1)), { energy: 15_000 });
  await world.crash();
  record();
  t.match(world.gateway.needs(evseNumber(1)), { energy: 15_000 }, 'over a restart');
  await charger.connect('Occupied');
  await charger.end();
  t.equal(world.gateway.needs(evseNumber(1)), undefined);
});

void t.test('events: a transaction that goes on over a restart began before it', async (t) => {
  const { world, ring, record, charger } = await opened();
  await charger.status('Occupied');
  await charger.start('DRIVER');
  await world.crash();
  const before = ring.last;
  record();
  await charger.connect('Occupied');
  await charger.sample(5000);
  await world.report({
    type: 'transaction',
    kind: 'updated',
    station: charger.id,
    evse: charger.number,
    connector: 1,
    ...(charger.transaction && { stationTransactionId: charger.transaction }),
    at: world.clock.now(),
    trigger: 'ChargingStateChanged',
    chargingState: 'SuspendedEV',
    meterValues: [],
    offline: false,
  });
  await charger.end();
  const words = [...ring.since(before)].flatMap(({ entry }) => (entry.kind === 'transaction' ? [entry.text] : []));
  t.match(words, [/^a transaction has ended/]);
  t.equal(words.length, 1);
});

void t.test('events: a circuit that is full is told of now and then', (t) => {
  const ring = new EventRing();
  const clock = new FakeClock();
  const recorder = new EventRecorder({ ring, live: new FakeLive(), clock });
  const waits = (number: number, name: string): EvseReport => ({
    evse: evseNumber(number),
    standing: 'obeying',
    target: ampere(6),
    ceiling: ampere(6),
    phases: ['L1'],
    because: { kind: 'full', where: { kind: 'circuit', name, phase: 'L1' }, why: 'load' },
  });
  const report = {
    evses: [waits(1, 'deck two'), waits(2, 'deck two'), waits(3, 'main')],
    circuits: [],
    failsafe: false,
  };
  recorder.planned(report);
  recorder.planned(report);
  const [main, deck, ...more] = ring.newest(10);
  t.match(main, {
    subject: 'circuit/main',
    text: 'circuit main is full on L1: the other cars and the building take the rest',
  });
  t.match(deck, { subject: 'circuit/deck two', severity: 'info' });
  t.same(more, []);
  t.end();
});

void t.test('events: links, faults and their end, and CSMSs', async (t) => {
  const { world, ring, charger } = await opened();
  const words = (subject: string) =>
    ring
      .newest(50)
      .filter((event) => event.subject === subject)
      .map(({ text }) => text)
      .reverse();
  await world.report({
    type: 'status',
    station: charger.id,
    evse: charger.number,
    connector: 1,
    status: 'Faulted',
    error: { code: 'GroundFailure', vendorErrorCode: 'E7' },
    at: world.clock.now(),
  });
  await charger.status('Available');
  t.same(words('evse/1'), ['its charger reports a fault: GroundFailure, E7', 'the fault is gone']);
  await charger.disconnect();
  await world.clock.advance(seconds(31));
  t.same(words('station/CP1'), ['connected', 'the connection is lost']);
  await world.offline();
  await world.clock.advance(seconds(1));
  t.same(words('csms/operator'), ['connected, and accepts the site', 'is away; what it has to be told waits on disk']);
});
