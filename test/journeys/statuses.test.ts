// What the clouds see of a connector: every state of one version in the words of the other, in order, and over a crash.
import t, { type Test } from 'tap';
import type { RpcCharger } from '../peers/rpc-charger.js';
import { checkEnergy, checkSound, openWorld, type World } from '../peers/world.js';
import type { OcppVersion } from '../peers/wire-record.js';

const VERSIONS: readonly OcppVersion[] = ['ocpp1.6', 'ocpp2.0.1'];

const tell16 = (charger: RpcCharger, connectorId: number, status: string, errorCode = 'NoError'): Promise<unknown> =>
  charger.call('StatusNotification', { connectorId, status, errorCode, timestamp: new Date().toISOString() });

/** Waits until every CSMS sees the connector so; each in its own word. */
const seen = (world: World, slot: number, old: string, modern: string): Promise<unknown> =>
  Promise.all(
    world.csmss.map((csms) => {
      const word = csms.version === 'ocpp1.6' ? old : modern;
      return world.changes.until(`${csms.record.peer} to see ${word}`, () => csms.book.status(slot) === word);
    }),
  );

/** The charging state that the 2.0.1 CSMS was told last. */
const charging = (world: World, slot: number, state: string): Promise<unknown> =>
  Promise.all(
    world.csmss
      .filter((csms) => csms.version === 'ocpp2.0.1')
      .map((csms) =>
        world.changes.until(`the state ${state}`, () => csms.book.latest(slot)?.chargingStates.at(-1) === state),
      ),
  );

for (const authority of VERSIONS)
  void t.test(`the authority speaks ${authority}`, async (t) => {
    const observer = authority === 'ocpp1.6' ? 'ocpp2.0.1' : 'ocpp1.6';
    const world = await openWorld(t, { chargers: VERSIONS, authority, observer });
    await world.ready();
    for (const number of [1, 2]) {
      await world.powerUp(number);
      await seen(world, number, 'Available', 'Available');
    }
    await t.test('S09: the nine states of a 1.6 charger', (t) => nineStates(t, world));
    await t.test('S09: the charging states of a 2.0.1 charger', (t) => chargingStates(t, world));
    for (const number of [1, 2]) {
      const about = `a charger of ${world.charger(number).version}`;
      await t.test(`S14: tag first, ${about}`, (t) => tagFirst(t, world, number));
      await t.test(`S22: who may stop, ${about}`, (t) => stoppers(t, world, number));
      await t.test(`S30: the gateway is killed in a transaction, ${about}`, (t) => killed(t, world, number));
    }
    await checkSound(t, world);
  });

async function nineStates(t: Test, world: World): Promise<void> {
  const charger = world.charger(1);
  const zeros = world.csmss.map((csms) => csms.book.statuses.get(0)?.length);
  const from = charger.act.register;
  await tell16(charger, 1, 'Preparing');
  await seen(world, 1, 'Preparing', 'Occupied');
  await charger.act.authorize('CARD1');
  await charger.act.start({ idToken: 'CARD1' });
  await seen(world, 1, 'Charging', 'Occupied');
  await charging(world, 1, 'Charging');
  for (const state of ['SuspendedEV', 'SuspendedEVSE', 'Charging']) {
    await tell16(charger, 1, state);
    await seen(world, 1, state, 'Occupied');
    await charging(world, 1, state);
  }
  await tell16(charger, 1, 'Charging', 'HighTemperature');
  await tell16(charger, 1, 'Charging');
  await charger.act.stop();
  await seen(world, 1, 'Finishing', 'Occupied');
  await tell16(charger, 1, 'Available');
  await seen(world, 1, 'Available', 'Available');
  for (const [status, error] of [
    ['Reserved', 'NoError'],
    ['Unavailable', 'NoError'],
    ['Faulted', 'GroundFailure'],
    ['Available', 'NoError'],
  ] as const) {
    await tell16(charger, 1, status, error);
    await seen(world, 1, status, status);
  }
  for (const csms of world.csmss) {
    const warned = csms.calls.filter(
      ({ payload }) => JSON.stringify(payload).includes('GroundFailure') || payload['eventData'] !== undefined,
    );
    t.ok(warned.length > 0, 'the fault is named');
    t.notOk(csms.book.story(1).join(' ').includes('Charging Faulted'), 'a warning is no fault');
  }
  await tell16(charger, 0, 'Faulted', 'OtherError');
  await seen(world, 1, 'Faulted', 'Faulted');
  await tell16(charger, 0, 'Available');
  await seen(world, 1, 'Available', 'Available');
  t.same(
    world.csmss.map((csms) => csms.book.statuses.get(0)?.length),
    zeros,
    'the station of the clouds is the gateway, not the charger',
  );
  t.same(
    world.csmss.map((csms) => csms.book.status(2)),
    ['Available', 'Available'],
    'the neighbour is not concerned',
  );
  await checkEnergy(t, world, 1, { from, to: from });
}

async function chargingStates(t: Test, world: World): Promise<void> {
  const { act } = world.charger(2);
  const stories = world.csmss.map((csms) => csms.book.story(2).length);
  const from = act.register;
  await act.plug();
  await seen(world, 2, 'Preparing', 'Occupied');
  await act.authorize('CARD1');
  await act.start({ idToken: 'CARD1' });
  await seen(world, 2, 'Charging', 'Occupied');
  await act.suspendedByCar();
  await seen(world, 2, 'SuspendedEV', 'Occupied');
  await act.suspendedBySite();
  await seen(world, 2, 'SuspendedEVSE', 'Occupied');
  await act.resume();
  await seen(world, 2, 'Charging', 'Occupied');
  await act.charge(120);
  await act.stop();
  await seen(world, 2, 'Finishing', 'Occupied');
  await act.unplug();
  await seen(world, 2, 'Available', 'Available');
  for (const [index, csms] of world.csmss.entries()) {
    const story = csms.book.story(2).slice(stories[index]);
    if (csms.version === 'ocpp1.6')
      t.same(story, [
        'Preparing',
        'start',
        'Charging',
        'SuspendedEV',
        'SuspendedEVSE',
        'Charging',
        'stop',
        'Finishing',
        'Available',
      ]);
    else {
      t.same(story, ['Occupied', 'start', 'stop', 'Available']);
      const states = csms.book.latest(2)?.chargingStates.slice(0, 4);
      t.same(states, ['Charging', 'SuspendedEV', 'SuspendedEVSE', 'Charging']);
    }
  }
  await checkEnergy(t, world, 2, { from, to: from + 120 });
}

async function tagFirst(t: Test, world: World, number: number): Promise<void> {
  const { authority } = world;
  const { act } = world.charger(number);
  const known = world.csmss.map((csms) => csms.book.transactions.size);
  const asked = authority.record.of('Authorize').length;
  const token = `EARLY${number}`;
  t.equal(await act.authorize(token), 'Accepted');
  t.equal(authority.record.of('Authorize').length, asked + 1);
  for (const csms of world.csmss) await csms.settle();
  t.same(
    world.csmss.map((csms) => csms.book.transactions.size),
    known,
    'a card alone is no transaction',
  );
  t.equal(await act.authorize(token), 'Accepted', 'the same card once more');
  const from = act.register;
  await act.plug();
  await act.start({ idToken: token });
  await act.charge(50);
  await act.stop();
  await act.unplug();
  await seen(world, number, 'Available', 'Available');
  await checkEnergy(t, world, number, { from, to: from + 50 });
  t.equal(authority.book.latest(number)?.idToken, token);
  t.equal(authority.record.of('Authorize').length, asked + 1, 'what was accepted is remembered');
}

async function stoppers(t: Test, world: World, number: number): Promise<void> {
  const { authority, changes } = world;
  const { act } = world.charger(number);
  for (const token of ['FAMILY-A', 'FAMILY-B']) authority.groups.set(token, 'FAMILY');
  authority.tokens.set('STRANGER', 'Blocked');
  const from = act.register;
  await act.plug();
  await act.authorize('FAMILY-A');
  await act.start({ idToken: 'FAMILY-A' });
  for (const csms of world.csmss) await changes.until('the start', () => csms.book.latest(number)?.ended === false);
  t.not(await act.authorize('STRANGER'), 'Accepted', 'not somebody else');
  t.equal(await act.authorize('FAMILY-B'), 'Accepted', 'one of the group');
  await act.stop({ idToken: 'FAMILY-B' });
  await act.unplug();
  await seen(world, number, 'Available', 'Available');
  await checkEnergy(t, world, number, { from, to: from });
  t.equal(authority.book.latest(number)?.idToken, 'FAMILY-A');
}

async function killed(t: Test, world: World, number: number): Promise<void> {
  const { changes, gateway } = world;
  const charger = world.charger(number);
  const { act } = charger;
  const from = act.register;
  await act.plug();
  await act.authorize('CARD1');
  await act.start({ idToken: 'CARD1' });
  await act.charge(100);
  for (const csms of world.csmss) await changes.until('the start', () => csms.book.latest(number)?.ended === false);
  const ids = world.csmss.map((csms) => csms.book.latest(number)?.id);
  const boots = world.csmss.map(({ boots: count }) => count);
  await gateway.kill();
  await changes.until('the charger to see it', () => !charger.connected);
  await gateway.start();
  await world.bills.listening();
  for (const [index, csms] of world.csmss.entries())
    await changes.until('the Boot', () => csms.boots === (boots[index] ?? 0) + 1);
  // The other one comes back too; neither boots, as the standard has it (OCPP-J 1.6 section 5.4).
  for (const each of world.chargers) {
    await each.connect();
    await each.act.heartbeat();
  }
  await act.charge(100);
  await seen(world, number, 'Charging', 'Occupied');
  await act.stop();
  await act.unplug();
  await seen(world, number, 'Available', 'Available');
  await seen(world, number === 1 ? 2 : 1, 'Available', 'Available');
  await checkEnergy(t, world, number, { from, to: from + 200 });
  t.same(
    world.csmss.map((csms) => csms.book.latest(number)?.id),
    ids,
    'it is the same transaction to everyone',
  );
}
