// S40: the building takes 30 A more while one charger is out of reach and one says yes and goes on; the fuse holds.
import t from 'tap';
import { ampere } from '../../gateway/kernel/units.js';
import { csmsId, meterId } from '../../gateway/kernel/ids.js';
import { InnerWorld, type StringCharger } from './inner-world.js';

const BREAKER = 63;
/** From an overload to a measured drop (design: meter 1 s, command 1 s, car and pilot 5 s each). */
const REACTION = 12;

async function busySite(): Promise<InnerWorld> {
  const world = await InnerWorld.open({
    chargers: 4,
    main: { breaker: ampere(BREAKER), meter: meterId('grid'), whenMeterLost: ampere(26) },
    authorization: { offline: 'accept-unknown' },
  });
  await world.online();
  for (const charger of world.chargers.values()) {
    await charger.connect();
    await charger.status('Occupied');
    charger.wants = 16;
    await charger.start(`DRIVER-${charger.id}`);
  }
  return world;
}

/** What the chargers may let their cars take, whatever these take at the moment. */
const allowed = (world: InnerWorld): number =>
  [...world.chargers.values()].reduce(
    (sum, charger) => sum + (charger.transaction === undefined ? 0 : charger.limit),
    0,
  );

async function run(
  world: InnerWorld,
  spent: number,
  building: number | undefined,
  each: (second: number) => void = () => undefined,
): Promise<void> {
  for (let second = 1; second <= spent; second++) {
    await world.second(building);
    if (second % 10 === 0) {
      for (const charger of world.chargers.values()) {
        const reachable = world.gateway.live.station(charger.id)?.connected === true;
        if (reachable && charger.transaction !== undefined) await charger.sample(10);
      }
    }
    each(second);
  }
}

const limitsOf = (charger: StringCharger, from: number): readonly number[] =>
  charger.commands.slice(from).flatMap((command) => (command.type === 'setLimit' ? [command.current] : []));

void t.test('S40: building load +30 A', async (t) => {
  const world = await busySite();
  const worst: number[] = [];
  await run(world, 240, 5, () => worst.push(allowed(world) + 5));
  t.ok(
    worst.every((sum) => sum <= BREAKER + 0.001),
    `never above ${BREAKER} A: ${Math.max(...worst)}`,
  );
  t.ok(allowed(world) > 45, `and nearly all of it is used: ${allowed(world)}`);

  const [lost, deaf] = [world.charger(3), world.charger(4)];
  await lost.disconnect();
  const kept = lost.limit;
  deaf.manner = 'ignores';
  const before = deaf.commands.length;
  const after: number[] = [];
  await run(world, 40, 35, (second) => {
    if (second > REACTION) after.push([1, 2].reduce((sum, number) => sum + world.charger(number).limit, 0));
  });
  t.equal(lost.limit, kept, 'it was not told: it keeps what it had, and is counted at that');
  const rest = BREAKER - 35 - kept - deaf.draws;
  t.ok(
    after.every((sum) => sum <= Math.max(0, rest) + 0.001),
    `the two that obey make room for the others (${Math.max(...after)} of ${rest} A)`,
  );
  await run(world, 90, 35);
  const told = deaf.commands.slice(before).map(({ type }) => type);
  t.ok(limitsOf(deaf, before).length >= 2, 'told again');
  t.ok(limitsOf(deaf, before).includes(0), '0 A');
  t.ok(told.includes('requestStop'), 'remote stop');
  t.ok(told.includes('changeAvailability'), 'out of service');
  t.ok(told.indexOf('requestStop') < told.indexOf('changeAvailability'), 'in this order');
  t.equal(world.charger(1).of('requestStop').length, 0, 'nobody else is put out');
});

void t.test('S40: current that is freed goes to others only when its release is confirmed', async (t) => {
  const world = await busySite();
  await run(world, 120, 5);
  const [first, second] = [world.charger(1), world.charger(2)];
  const before = second.limit;
  first.manner = 'silent';
  // A profile of the CSMS cuts the first one; it does not confirm.
  await world.gateway.operations.setChargingProfile(csmsId('operator'), [first.number], first.number, {
    id: 1,
    stackLevel: 1,
    purpose: 'TxDefaultProfile',
    kind: 'Absolute',
    schedules: [{ id: 1, unit: 'A', startSchedule: world.clock.now(), periods: [{ startPeriod: 0, limit: 6 }] }],
  });
  const sums: number[] = [];
  await run(world, 60, 5, () => sums.push(allowed(world) + 5));
  t.ok(
    sums.every((sum) => sum <= BREAKER + 0.001),
    `never above ${BREAKER} A: ${Math.max(...sums)}`,
  );
  t.ok(second.limit <= before + 0.001, 'nothing was given away');
  first.manner = 'obeys';
  await run(world, 90, 5, () => sums.push(allowed(world) + 5));
  t.equal(first.limit, 6);
  t.ok(second.limit > before, `now it is: ${before} -> ${second.limit}`);
  t.ok(
    sums.every((sum) => sum <= BREAKER + 0.001),
    `never above ${BREAKER} A: ${Math.max(...sums)}`,
  );
});

void t.test(
  'far above a breaker every EVSE of the phase is interrupted, not dimmed; a little above, only what is too much',
  async (t) => {
    const world = await busySite();
    await run(world, 120, 5);
    const before = allowed(world);
    // 1.2 of the rating: dimmed to what fits beside the building.
    await run(world, 2, BREAKER * 1.2 - before);
    t.ok(allowed(world) > 0, `${allowed(world)} A go on`);
    await run(world, 60, 5);
    const from = [...world.chargers.values()].map((charger) => charger.commands.length);
    // 1.5 of the rating and half of it the building's: dimming would do, and takes too long.
    await run(world, 1, BREAKER * 1.5 - allowed(world));
    const told = [...world.chargers.values()].map((charger, index) => limitsOf(charger, from[index] ?? 0)[0]);
    t.ok(
      told.every((limit) => limit === 0 || limit === undefined),
      `0 A at once: ${told.join(', ')}`,
    );
    t.equal(allowed(world), 0);
    await run(world, 180, 5);
    t.ok(allowed(world) > 45, 'and everything again when it is over');
  },
);

void t.test('a meter that is lost leaves what site.yaml says', async (t) => {
  const world = await busySite();
  await run(world, 120, 5);
  await run(world, 12, undefined);
  await run(world, 60, undefined);
  t.ok(allowed(world) <= 26.001, `${allowed(world)} A of 26 A`);
  await run(world, 120, 5);
  t.ok(allowed(world) > 45, 'and everything again when it is back');
});

void t.test('a clock that is set neither blinds nor blocks the balancing', async (t) => {
  for (const jump of [-3_600_000, 3_600_000]) {
    const world = await busySite();
    await run(world, 120, 5);
    world.clock.setNow(world.clock.now() + jump);
    const sums: number[] = [];
    await run(world, REACTION, 35);
    await run(world, 60, 35, () => sums.push(allowed(world) + 35));
    t.ok(
      sums.every((sum) => sum <= BREAKER + 0.001),
      `${jump / 3_600_000} h: ${Math.max(...sums)} A`,
    );
    await run(world, 15, undefined);
    await run(world, 60, undefined);
    t.ok(allowed(world) <= 26.001, `${jump / 3_600_000} h: a meter that falls silent is noticed`);
  }
});

void t.test('a gateway that comes back counts its chargers at what they may still take', async (t) => {
  const world = await busySite();
  await run(world, 240, 5);
  await world.crash();
  const sums: number[] = [];
  await run(world, 5, 5, () => sums.push(allowed(world) + 5));
  for (const charger of world.chargers.values()) {
    await charger.connect('Occupied');
    await run(world, 3, 5, () => sums.push(allowed(world) + 5));
  }
  await run(world, 120, 5, () => sums.push(allowed(world) + 5));
  t.ok(
    sums.every((sum) => sum <= BREAKER + 0.001),
    `never above ${BREAKER} A: ${Math.max(...sums)}`,
  );
  t.ok(allowed(world) > 45, `${allowed(world)}`);
});

void t.test('the last sample of a finished transaction is no current any more, and no disobedience', async (t) => {
  const world = await busySite();
  await run(world, 120, 5);
  const charger = [...world.chargers.values()].find(({ draws }) => draws > 10);
  if (charger === undefined) throw new Error('nobody charges');
  await charger.sample(10);
  await charger.end();
  const standings = new Set<string | undefined>();
  await run(world, 120, 5, () =>
    standings.add(world.gateway.balancing?.evses.find(({ evse }) => evse === charger.number)?.standing),
  );
  t.same([...standings], ['obeying']);
  t.equal(charger.of('changeAvailability').length, 0, 'it is not put out of service');
});
