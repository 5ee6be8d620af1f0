// The physics that everything simulated rests on: cars, EVSE hardware, and the sum of a circuit.
import t from 'tap';
import { ampere, milliseconds, timestamp, volt, wattHour } from '../../gateway/kernel/units.js';
import { circuitId, evseNumber } from '../../gateway/kernel/ids.js';
import { perPhase } from '../../gateway/site/topology.js';
import { buildingLoad } from '../../simulation/building-load.js';
import { Car, type CarModel } from '../../simulation/car.js';
import { demoSite } from '../../simulation/demo-site.js';
import { EvseHardware } from '../../simulation/evse.js';
import { World } from '../../simulation/world.js';
import { FakeClock } from '../fakes/fake-clock.js';

const MODEL: CarModel = {
  name: 'test',
  capacity: wattHour(10_000),
  phases: 3,
  maxCurrent: ampere(16),
  minCurrent: ampere(6),
  taperFrom: 0.9,
  reaction: milliseconds(1000),
  efficiency: 0.9,
};
const SECOND = milliseconds(1000);
const VOLTAGE = volt(230);

/** Lets a car stand at an offer for so many seconds; the current of its last second. */
function settle(car: Car, offered: number, seconds: number, conductors: 1 | 2 | 3 = 3): readonly number[] {
  let currents: readonly number[] = [0, 0, 0];
  for (let i = 0; i < seconds; i++) currents = car.step(SECOND, ampere(offered), conductors, VOLTAGE);
  return currents;
}

t.test('a car follows the pilot with a lag, never above its own charger', (test) => {
  const car = new Car(MODEL, 0.2);
  const [first] = settle(car, 10, 1);
  test.ok(first !== undefined && first > 5 && first < 8, `after one time constant: ${first}`);
  test.ok(settle(car, 10, 20).every((current) => Math.abs(current - 10) < 0.01));
  test.ok(
    settle(car, 32, 20).every((current) => Math.abs(current - 16) < 0.01),
    'the on-board charger is the limit',
  );
  test.same(settle(car, 5.9, 1), [0, 0, 0], 'below 6 A it opens at once');
  test.same(settle(car, 10, 20, 1).slice(1), [0, 0], 'one conductor');
  car.paused = true;
  test.same(settle(car, 16, 1), [0, 0, 0]);
  test.notOk(car.asks);
  test.end();
});

t.test('a nearly full battery takes less and less, and a full one nothing', (test) => {
  const car = new Car(MODEL, 0.9);
  const before = settle(car, 16, 60)[0] ?? 0;
  const after = settle(car, 16, 300)[0] ?? 0;
  test.ok(after < before && after >= 6, `${before} then ${after}`);
  settle(car, 16, 3600);
  test.ok(car.full);
  test.same(settle(car, 16, 1), [0, 0, 0]);
  const stored = MODEL.capacity * 0.1;
  test.ok(Math.abs(car.drawn - stored / MODEL.efficiency) < 5, 'losses are drawn from the grid too');
  test.end();
});

t.test('the EVSE meters what the car draws, to the watt hour', (test) => {
  const hardware = new EvseHardware(1, ampere(32), 3, VOLTAGE, wattHour(1000));
  const car = new Car(MODEL, 0.2);
  let changes = 0;
  hardware.onChange(() => changes++);
  hardware.plug(car);
  hardware.step(SECOND);
  test.equal(hardware.register, 1000, 'nothing flows before it is enabled');
  hardware.enable(true);
  hardware.limit(ampere(10));
  for (let i = 0; i < 360; i++) hardware.step(SECOND);
  test.ok(hardware.charging && hardware.locked);
  test.notOk(hardware.unplug(), 'locked');
  test.ok(Math.abs(hardware.register - 1000 - car.drawn) < 1);
  test.ok(Math.abs(car.drawn - 3 * 10 * 230 * 0.1) < 5);
  hardware.enable(false);
  test.same(hardware.currents, [0, 0, 0]);
  test.ok(hardware.unplug());
  test.equal(changes, 5, 'plug, enable, energy, disable, unplug');
  test.end();
});

t.test('a circuit carries its EVSEs by their rotation, and its feeder carries the circuit', (test) => {
  const site = demoSite({ dataDirectory: '/nowhere', authority: '2.0.1' });
  const clock = new FakeClock();
  const loads = new Map([[circuitId('main'), () => perPhase((phase) => ampere(phase === 'L1' ? 100 : 10))]]);
  const world = new World(site, clock, loads, () => 0);
  const { evse, hardware } = world.evse(evseNumber(4));
  test.same(evse.phases, ['L2', 'L3', 'L1']);
  hardware.plug(new Car({ ...MODEL, phases: 1, maxCurrent: ampere(32) }, 0.1));
  hardware.limit(ampere(32));
  hardware.enable(true);
  for (let i = 0; i < 60; i++) world.step(SECOND);
  test.ok(Math.abs(world.currentOf(evseNumber(4)).L2 - 32) < 0.01);
  const [main, deck1, deck2] = world.circuits();
  test.ok(Math.abs((deck2?.current.L2 ?? 0) - 32) < 0.01);
  test.same(deck1?.current, { L1: 0, L2: 0, L3: 0 });
  test.ok(Math.abs((main?.current.L2 ?? 0) - 42) < 0.01);
  test.ok(Math.abs((main?.charging.L2 ?? 0) - 32) < 0.01);
  test.equal(main?.current.L1, 100);
  test.equal(main?.worstOverload, 0);
  test.end();
});

t.test('an overload is booked in ampere seconds, the worst one in a row', (test) => {
  const site = demoSite({ dataDirectory: '/nowhere', authority: '2.0.1' });
  let load = 135;
  const loads = new Map([[circuitId('main'), () => perPhase((phase) => ampere(phase === 'L3' ? load : 0))]]);
  const world = new World(site, new FakeClock(), loads, () => 0);
  const worst = (): number => Math.round(world.circuits()[0]?.worstOverload ?? 0);
  for (let i = 0; i < 3; i++) world.step(SECOND);
  test.equal(worst(), 30);
  load = 125;
  world.step(SECOND);
  load = 130;
  for (let i = 0; i < 4; i++) world.step(SECOND);
  test.equal(worst(), 30, 'a later, smaller one changes nothing');
  world.step(SECOND);
  world.step(SECOND);
  world.step(SECOND);
  test.equal(worst(), 35);
  test.equal(world.circuits()[0]?.highest.L3, 135);
  test.end();
});

t.test('the lift starts hard, rides and stands still', (test) => {
  const load = buildingLoad({ base: ampere(20), lift: ampere(10), rideEvery: 45 });
  const values = Array.from({ length: 4500 }, (_, i) => load(timestamp(1_700_000_000_000 + i * 100)).L2);
  const above = (amount: number): number => values.filter((value) => value > amount).length / values.length;
  test.ok(above(45) > 0.005 && above(45) < 0.05, 'a second in forty-five');
  test.ok(above(22) > 0.2 && above(22) < 0.9, 'part of the time');
  test.ok(Math.min(...values) > 10);
  test.end();
});
