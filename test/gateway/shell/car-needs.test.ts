// What cars say of their departure and energy, and what cards and EVSEs say of who comes first: as far as the balancing.
import fc from 'fast-check';
import t from 'tap';
import { ampere, seconds, timestamp, wattHour } from '../../../gateway/kernel/units.js';
import { plausibleNeeds, type ChargingNeeds } from '../../../gateway/site/charging-needs.js';
import type { Site } from '../../../gateway/site/topology.js';
import { InnerWorld, type StringCharger } from '../../crash/inner-world.js';

const HOUR = 3_600_000;

/** Two chargers on a breaker that carries one of them. */
async function narrow(change: (site: Site) => Site, chargers = 2): Promise<InnerWorld> {
  const world = new InnerWorld({
    chargers,
    main: { breaker: ampere(16) },
    authorization: { offline: 'accept-unknown' },
  });
  world.site = change(world.site);
  const open = await InnerWorld.start(world);
  await open.online();
  for (const charger of open.chargers.values()) await charger.connect();
  return open;
}

async function charge(charger: StringCharger, token = 'DRIVER'): Promise<void> {
  await charger.status('Occupied');
  charger.wants = 32;
  await charger.start(token);
}

const needs = (charger: StringCharger, said: ChargingNeeds) =>
  charger.world().report({ type: 'chargingNeeds', station: charger.id, evse: charger.number, ...said });

t.test('the car that leaves first is served first by most-energy, until it leaves', async (t) => {
  const world = await narrow((site) => ({ ...site, balancing: { ...site.balancing, strategy: 'most-energy' } }));
  const [first, second] = [world.charger(1), world.charger(2)];
  await charge(first);
  await charge(second);
  await world.clock.advance(seconds(60));
  const leaves = timestamp(world.clock.now() + HOUR);
  const told = second.of('setLimit').length;
  t.equal(await needs(second, { departure: leaves, energy: wattHour(9000) }), 'Accepted');
  await world.clock.advance(seconds(1));
  t.ok(second.of('setLimit').length > told, 'and a limit follows (K15.FR.07)');
  t.equal(await needs(second, { departure: leaves, energy: wattHour(9000) }), 'Processing', 'not at every repetition');
  await world.clock.advance(seconds(120));
  t.ok(second.limit > first.limit, `${second.limit} A against ${first.limit} A`);
  await world.crash();
  for (const charger of world.chargers.values()) await charger.connect('Occupied');
  await world.clock.advance(seconds(120));
  t.ok(second.limit > first.limit, 'a restart forgets nothing');
  await second.end();
  await second.status('Available');
  await charge(second);
  await world.clock.advance(seconds(180));
  t.ok(second.limit <= first.limit, 'the next car has said nothing');
});

t.test('what is said before the transaction waits for it; a charger without limits is told no', async (t) => {
  const world = await narrow((site) => site);
  const [first, second] = [world.charger(1), world.charger(2)];
  await first.status('Occupied');
  t.equal(await needs(first, { maxCurrent: ampere(8) }), 'Processing');
  await charge(first);
  await world.clock.advance(seconds(60));
  t.equal(first.limit, 8, 'no more than the car takes');
  second.abilities = { currentLimit: false };
  await second.connect();
  t.equal(await needs(second, {}), 'Rejected');
});

t.test('nothing that a car says can be absurd', async (t) => {
  const now = timestamp(1_800_000_000_000);
  fc.assert(
    fc.property(fc.double(), fc.double(), fc.double(), (departure, energy, maxCurrent) => {
      const kept = plausibleNeeds(
        { departure: timestamp(departure), energy: wattHour(energy), maxCurrent: ampere(maxCurrent) },
        now,
      );
      return (
        (kept.departure === undefined || (kept.departure > now && kept.departure - now <= 14 * 24 * HOUR)) &&
        (kept.energy === undefined || (kept.energy >= 0 && kept.energy <= 1e6)) &&
        (kept.maxCurrent === undefined || kept.maxCurrent > 0)
      );
    }),
  );
  const world = await narrow((site) => site, 1);
  const [charger] = [world.charger()];
  await charge(charger);
  await needs(charger, { maxCurrent: ampere(0.1), energy: wattHour(-5), departure: timestamp(0) });
  await world.clock.advance(seconds(60));
  t.equal(charger.limit, 6, 'a car is never starved by its own words');
});

t.test('a priority of the EVSE, and before it that of the card', async (t) => {
  const world = await narrow((site) => ({
    ...site,
    stations: site.stations.map((station) => ({
      ...station,
      evses: station.evses.map((evse) => ({ ...evse, ...(evse.number === 1 && { chargingPriority: 2 }) })),
    })),
    authorization: { ...site.authorization, localTokens: [{ idToken: 'BOSS', chargingPriority: 3 }] },
  }));
  const [first, second] = [world.charger(1), world.charger(2)];
  await charge(first);
  await charge(second);
  await world.clock.advance(seconds(120));
  t.same([first.limit, second.limit], [10, 6], 'the higher class has all but the least of the other');
  await second.end();
  await second.status('Available');
  await charge(second, 'BOSS');
  await world.clock.advance(seconds(120));
  t.same([first.limit, second.limit], [6, 10]);
});
