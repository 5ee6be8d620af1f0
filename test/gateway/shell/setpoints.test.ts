// How setpoints reach chargers: one at a time and the newest next, late answers count, and the disk knows before a raise.
import t from 'tap';
import { milliseconds, seconds } from '../../../gateway/kernel/units.js';
import type { CommandOutcome, StationCommand } from '../../../gateway/site/station-command.js';
import { InnerWorld, type StringCharger } from '../../crash/inner-world.js';

async function oneCar(chargers = 1): Promise<{ world: InnerWorld; charger: StringCharger }> {
  const world = await InnerWorld.open({ chargers, authorization: { offline: 'accept-unknown' } });
  await world.online();
  for (const charger of world.chargers.values()) await charger.connect();
  const charger = world.charger();
  await visit(charger);
  return { world, charger };
}

async function visit(charger: StringCharger): Promise<void> {
  await charger.status('Occupied');
  charger.wants = 32;
  await charger.start('DRIVER');
}

/** What each setLimit of the charger was answered with, and when; by default at once. */
function answering(charger: StringCharger, answer: (current: number) => Promise<CommandOutcome>) {
  const seen = { underWay: 0, most: 0, sent: [] as number[] };
  charger.execute = async (command: StationCommand) => {
    if (command.type !== 'setLimit') return { status: 'Accepted' };
    seen.sent.push(command.current);
    seen.most = Math.max(seen.most, ++seen.underWay);
    const outcome = await answer(command.current);
    seen.underWay--;
    return outcome;
  };
  return seen;
}

const after = <T>(world: InnerWorld, s: number, value: T): Promise<T> =>
  new Promise((resolve) => world.clock.after(seconds(s), () => resolve(value)));

const ceilingOf = (world: InnerWorld): number | undefined => world.gateway.balancing?.evses[0]?.ceiling;

t.test('a charger that answers after 20 s has one setpoint on its way, and the newest is the next', async (t) => {
  const { world, charger } = await oneCar();
  await world.clock.advance(seconds(30));
  const seen = answering(charger, () => after(world, 20, { status: 'Accepted' as const }));
  for (const limit of [30, 25, 20, 15, 10]) {
    world.gateway.gridLimit(String(limit));
    await world.clock.advance(milliseconds(800));
  }
  t.same(seen.sent, [30], 'the others wait');
  await world.clock.advance(seconds(17));
  t.same(seen.sent, [30, 10], 'what was overtaken is never said');
  t.equal(seen.most, 1);
  t.ok((ceilingOf(world) ?? 0) >= 30, 'counted at what it had');
  await world.clock.advance(seconds(35));
  t.equal(ceilingOf(world), 10);
  t.equal(world.gateway.live.evse(charger.number)?.offered, 10);
  t.equal(seen.most, 1);
});

t.test('an answer that comes after its time-out counts all the same', async (t) => {
  const { world, charger } = await oneCar();
  await world.clock.advance(seconds(30));
  const seen = answering(charger, async () => {
    const later = after(world, 20, { status: 'Accepted' as const });
    await after(world, 15, undefined);
    return { status: 'Uncertain', later };
  });
  world.gateway.gridLimit('10');
  await world.clock.advance(seconds(19));
  t.equal(world.gateway.balancing?.evses[0]?.standing, 'unconfirmed');
  t.equal(ceilingOf(world), 32);
  await world.clock.advance(seconds(2));
  t.equal(world.gateway.balancing?.evses[0]?.standing, 'obeying');
  await world.clock.advance(seconds(15));
  t.equal(ceilingOf(world), 10);
  t.same(seen.sent, [10], 'and nothing has to be said again');
});

t.test('the next car is raised at once, however short ago the last one was', async (t) => {
  const { world, charger } = await oneCar();
  world.gateway.gridLimit('20');
  await world.clock.advance(seconds(30));
  t.equal(charger.limit, 20);
  world.gateway.gridLimit('none');
  await world.clock.advance(seconds(1));
  t.equal(charger.limit, 32, 'a setpoint of the last moment');
  await charger.end();
  charger.limit = 6;
  await world.clock.advance(seconds(1));
  await visit(charger);
  await world.clock.advance(milliseconds(200));
  t.equal(charger.limit, 32);
});

t.test('a raise waits until the disk knows of it, in a later visit as in the first', async (t) => {
  const { world, charger } = await oneCar(2);
  await world.clock.advance(seconds(30));
  t.equal(charger.limit, 32);
  await charger.end();
  charger.limit = 6;
  await world.clock.advance(seconds(30));
  await visit(world.charger(2));
  await world.clock.advance(seconds(30));
  t.equal(world.charger(2).limit, 32, 'with its raise it went on disk that the first one is at its fall-back current');
  await visit(charger);
  world.journal.hold();
  const told = charger.of('setLimit').length;
  await world.clock.advance(seconds(2));
  t.same(charger.of('setLimit').slice(told), []);
  world.journal.release();
  await world.clock.advance(seconds(1));
  t.equal(charger.limit, 32);
});
