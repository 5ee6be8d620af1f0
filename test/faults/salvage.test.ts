// What the gateway makes of a journal that was salvaged with gaps: no id twice, no transaction lost or left open, no storm of repetitions.
import t from 'tap';
import { evseNumber, csmsId } from '../../gateway/kernel/ids.js';
import { seconds } from '../../gateway/kernel/units.js';
import { SALVAGE } from '../../gateway/ports/journal.js';
import { InnerWorld } from '../crash/inner-world.js';

const VIEW = `view/${csmsId('operator')}`;

async function site(): Promise<InnerWorld> {
  const world = await InnerWorld.open({ chargers: 2, authorization: { offline: 'accept-unknown' } });
  await world.online();
  for (const charger of world.chargers.values()) await charger.connect();
  return world;
}

/** The process ends, and of its documents those that `lost` names are gone when the next one starts. */
async function salvaged(world: InnerWorld, lost: (collection: string, key: string) => boolean): Promise<void> {
  const collections = ['transaction', 'counter', 'cdr', VIEW, 'balancing'];
  const documents = (
    await Promise.all(
      collections.map(async (collection) =>
        [...(await world.journal.load(collection)).keys()].map((key) => ({ collection, key })),
      ),
    )
  ).flat();
  await world.journal.commit({
    documents: [...documents.filter(({ collection, key }) => lost(collection, key)), { ...SALVAGE, value: { at: 0 } }],
  });
  await world.crash();
}

const faults = (world: InnerWorld): readonly unknown[] =>
  world.log.lines.flatMap(({ fields }) => (fields.fault === 'FC-J10' ? [fields] : []));

void t.test('a transaction whose document is lost goes on and is ended under its own id', async (t) => {
  const world = await site();
  const charger = world.charger();
  await charger.status('Occupied');
  const { stationTransactionId } = await charger.start('DRIVER');
  await world.clock.advance(seconds(1));
  await salvaged(world, (collection) => collection === 'transaction' || collection === 'counter');
  await world.online();
  for (const each of world.chargers.values()) await each.connect(each === charger ? 'Occupied' : 'Available');
  t.equal(world.gateway.live.evse(evseNumber(1))?.transaction?.idToken?.idToken, 'DRIVER');
  await charger.sample(500);
  await charger.end();
  await world.clock.advance(seconds(1));
  const told = world.link().told();
  const uid = told[0]?.split(' ')[0] ?? '';
  t.same(
    told.filter((each) => !each.endsWith('updated')),
    [`${uid} started`, `${uid} ended`],
    'one start, and its end',
  );
  const next = await world.charger(2).start('OTHER');
  t.ok(
    Number(next.stationTransactionId) > Number(stationTransactionId) + 100_000,
    `${next.stationTransactionId}: far from ${stationTransactionId}`,
  );
  await world.crash();
  await charger.connect();
  t.equal(world.log.lines.filter(({ fields }) => fields.fault === 'FC-J04').length, 0);
  const later = await charger.start('LATER');
  t.equal(
    Number(later.stationTransactionId),
    Number(next.stationTransactionId) + 1,
    'and only once: from there they are counted again',
  );
});

void t.test('a lost cursor: from the last transaction that the CSMS is known to have', async (t) => {
  const world = await site();
  const [first, second] = [world.charger(1), world.charger(2)];
  await first.start('A');
  await first.end();
  await second.start('B');
  await world.clock.advance(seconds(1));
  await world.offline();
  await second.end();
  await first.start('C');
  await first.end();
  const before = world.link().told().length;
  await salvaged(world, (collection, key) => collection === VIEW && key === 'cursor');
  await world.online();
  await world.clock.advance(seconds(1));
  t.same(
    world
      .link()
      .told()
      .slice(before)
      .map((each) => each.split(' ')[1]),
    ['ended', 'started', 'ended'],
    'what waited, and nothing before it',
  );
  t.match(faults(world), [{ csms: 'operator', doubtful: 0 }], 'and it is said');
  t.equal(world.gateway.views[0]?.status().dead, 0);
});

void t.test('nothing is known of a CSMS any more: starts and ends wait for somebody to decide', async (t) => {
  const world = await site();
  const charger = world.charger();
  await charger.start('A');
  await charger.sample(100);
  await charger.end();
  await world.clock.advance(seconds(1));
  const before = world.link().told().length;
  await salvaged(world, (collection) => collection === VIEW);
  await world.online();
  await world.clock.advance(seconds(1));
  t.equal(world.link().told().length, before, 'nothing is repeated');
  t.match(faults(world), [{ csms: 'operator', doubtful: 2 }]);
  const [view] = world.gateway.views;
  t.same(
    view?.deadLetters().map(({ record }) => record.type === 'transaction' && record.kind),
    ['started', 'ended'],
  );
  await charger.connect();
  await charger.start('NEW');
  await world.clock.advance(seconds(1));
  t.ok(world.link().told().at(-1)?.endsWith('started'), 'what happens from now on is told');
  t.same(view?.redrive(), [1, 3]);
  await world.clock.advance(seconds(1));
  t.equal(view?.status().dead, 0);
});

void t.test('a cursor ahead of a journal that has lost its end holds nothing back', async (t) => {
  const world = await site();
  await world.journal.commit({ documents: [{ collection: VIEW, key: 'cursor', value: { seq: 5_000, attempts: 0 } }] });
  await world.crash();
  await world.online();
  await world.charger().connect();
  await world.charger().start('A');
  await world.clock.advance(seconds(1));
  t.match(world.link().told(), [/started$/]);
});

void t.test('a journal that cannot be written shows in the station, not in its connectors', async (t) => {
  const world = await site();
  const from = world.link().statuses().length;
  world.journal.standing({ writable: false, fault: 'FC-J01' });
  await world.clock.advance(seconds(1));
  t.match(world.link().sent.at(-1), {
    type: 'stationStatus',
    status: 'Faulted',
    error: { code: 'InternalError', vendorErrorCode: 'FC-J01' },
  });
  world.journal.standing({ writable: true });
  await world.clock.advance(seconds(1));
  t.same(world.link().statuses().slice(from), ['0 Faulted', '0 Available']);
});
