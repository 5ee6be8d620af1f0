// S45: reservations through the whole shell, as both versions of CSMS see them, over faults, lost links and restarts.
import t from 'tap';
import { evseNumber, csmsId } from '../../gateway/kernel/ids.js';
import { minutes, seconds, timestamp } from '../../gateway/kernel/units.js';
import type { ConnectorType } from '../../gateway/site/topology.js';
import { InnerWorld, token } from './inner-world.js';

const BOTH = { csmss: [{}, { ocpp: '1.6', role: 'observer' }] } as const;

async function openSite(chargers: number): Promise<InnerWorld> {
  const world = await InnerWorld.open({ chargers, ...BOTH });
  await world.online(0);
  await world.online(1);
  for (const charger of world.chargers.values()) await charger.connect();
  await world.clock.advance(seconds(1));
  return world;
}

const reserve = (
  world: InnerWorld,
  reservationId: number,
  evse?: number,
  group?: string,
  forMinutes = 30,
  connectorType?: ConnectorType,
) =>
  world.gateway.operations.reserve(csmsId('operator'), {
    reservationId,
    evses: world.site.stations.flatMap((station) => station.evses.map(({ number }) => number)),
    idToken: token('DRIVER'),
    expiry: timestamp(world.clock.now() + minutes(forMinutes)),
    ...(evse !== undefined && { target: { evse: evseNumber(evse) } }),
    ...(group !== undefined && { group: { idToken: group, type: 'Central' } }),
    ...(connectorType && { connectorType }),
  });

const lastStatus = (world: InnerWorld, csms: number, slot: number): string | undefined =>
  world
    .link(csms)
    .statuses()
    .findLast((status) => status.startsWith(`${slot} `));

void t.test('a named EVSE: shown to both, kept from others, used up by its driver', async (t) => {
  const world = await openSite(1);
  const charger = world.charger();
  t.match(await reserve(world, 7, 1), { status: 'Accepted' });
  await world.clock.advance(seconds(1));
  for (const csms of [0, 1]) t.equal(lastStatus(world, csms, 1), '1 Reserved');
  t.equal(charger.of('reserve').length, 0, 'a charger without the profile is told nothing');
  t.match((await charger.start('STRANGER')).idTokenInfo, { status: 'Blocked' });
  await charger.end();
  await charger.status('Available');
  t.match(await charger.authorize('DRIVER'), { status: 'Accepted' });
  t.match((await charger.start('DRIVER')).idTokenInfo, { status: 'Accepted' });
  await world.clock.advance(seconds(1));
  for (const csms of [0, 1])
    t.match(world.link(csms).transactions().at(-1)?.record, { kind: 'started', reservationId: 7 });
  await charger.end();
  await charger.status('Available');
  await world.clock.advance(seconds(1));
  t.equal(lastStatus(world, 0, 1), '1 Available', 'it is used up');
});

void t.test('a member of the group may use it', async (t) => {
  const world = await openSite(1);
  world.link().tokens.set('COLLEAGUE', { status: 'Accepted', group: { idToken: 'FLEET', type: 'Central' } });
  await reserve(world, 8, 1, 'FLEET');
  t.match((await world.charger().start('COLLEAGUE')).idTokenInfo, { status: 'Accepted' });
  await world.clock.advance(seconds(1));
  t.match(world.link().transactions().at(-1)?.record, { reservationId: 8 });
});

void t.test('any EVSE: the last free one is kept', async (t) => {
  const world = await openSite(2);
  t.match(await reserve(world, 9), { status: 'Accepted' });
  await world.clock.advance(seconds(1));
  t.same([world.status(1), world.status(2)], ['Available', 'Available'], 'one of two is enough');
  t.match((await world.charger(1).start('STRANGER')).idTokenInfo, { status: 'Accepted' });
  await world.clock.advance(seconds(1));
  t.equal(world.status(2), 'Reserved', 'the other one is all that is left');
  for (const csms of [0, 1]) t.equal(lastStatus(world, csms, 2), '2 Reserved');
  t.match((await world.charger(2).start('OTHER')).idTokenInfo, { status: 'Blocked' });
  await world.charger(2).end();
  await world.charger(2).status('Available');
  await world.charger(1).end();
  await world.charger(1).status('Available');
  await world.clock.advance(seconds(1));
  t.equal(world.status(2), 'Available', 'not when there is a choice again');
});

void t.test('any EVSE with a certain plug', async (t) => {
  const world = await openSite(1);
  t.match(await reserve(world, 9, undefined, undefined, 30, 'CCS2'), { status: 'Rejected' });
  t.match(await reserve(world, 10, undefined, undefined, 30, 'Type2'), { status: 'Accepted' });
});

void t.test('over a restart and a lost link it stays; a fault ends it, and so does time', async (t) => {
  const world = await openSite(2);
  await world.charger(2).connect('Available', true);
  await reserve(world, 10, 1);
  await reserve(world, 11, 2);
  t.match(world.charger(2).of('reserve'), [{ reservationId: 11 }], 'a charger with the profile shows it');
  await world.crash();
  await world.clock.advance(seconds(5));
  await world.online(0);
  for (const number of [1, 2]) await world.charger(number).connect('Available', number === 2);
  await world.clock.advance(seconds(2));
  t.same([world.status(1), world.status(2)], ['Reserved', 'Reserved'], 'after the restart');
  await world.charger(1).disconnect();
  await world.clock.advance(minutes(2));
  t.equal(world.status(1), 'Unavailable');
  await world.charger(1).connect();
  await world.clock.advance(seconds(1));
  t.equal(world.status(1), 'Reserved', 'after the lost link');

  const from = world.link().sent.length;
  await world.charger(1).status('Faulted');
  await world.clock.advance(seconds(2));
  await world.charger(1).status('Available');
  await world.clock.advance(minutes(31));
  t.same(
    world
      .link()
      .sent.slice(from)
      .filter(({ type }) => type === 'reservationEnded'),
    [
      { type: 'reservationEnded', reservationId: 10, why: 'Removed' },
      { type: 'reservationEnded', reservationId: 11, why: 'Expired' },
    ],
  );
  t.same([world.status(1), world.status(2)], ['Available', 'Available']);
  t.match(world.charger(2).of('cancelReservation'), [{ reservationId: 11 }]);
});

void t.test('what the disk refuses is not promised', async (t) => {
  const world = await openSite(1);
  world.journal.failNext(1);
  await t.rejects(reserve(world, 12, 1), { name: 'JournalUnavailable' });
  t.equal(world.status(1), 'Available');
  t.match((await world.charger().start('STRANGER')).idTokenInfo, { status: 'Accepted' });
});
