// Chargers of all three protocols go down to one phase for each other and back, and cars say when they leave: on real sockets, by a clock that leaps.
import t, { type Test } from 'tap';
import { CAR_MODELS, Car } from '../../simulation/car.js';
import { EvseHardware } from '../../simulation/evse.js';
import { ModbusCharger } from '../../simulation/modbus-charger.js';
import { startModbusSlave } from '../../simulation/modbus-slave.js';
import type { Units } from '../../simulation/register-map.js';
import { ampere, minutes, seconds, volt, wattHour, type Milliseconds } from '../../gateway/kernel/units.js';
import { evseNumber, stationId } from '../../gateway/kernel/ids.js';
import { PHASES, type Evse } from '../../gateway/site/topology.js';
import { charger as chargerProfile } from '../fakes/profiles.js';
import { present } from '../peers/changes.js';
import { phasesOf } from '../peers/charger-dialect.js';
import { LeapingClock } from '../peers/inner-gateway.js';
import type { RpcCharger } from '../peers/rpc-charger.js';
import type { Payload } from '../peers/wire-record.js';
import { checkEnergy, checkSound, openWorld, type World } from '../peers/world.js';

t.setTimeout(120_000);

/** What cars here take at most, in A. */
const CAR_TAKES = 16;
const lastLimit = (charger: RpcCharger) => charger.act.limits.at(-1);
const currentOf = (charger: RpcCharger): number => Math.min(CAR_TAKES, lastLimit(charger)?.current ?? 0);

/** Everybody who charges takes what the limit allows and says so. */
const leap = (world: World, clock: LeapingClock, ms: Milliseconds): Promise<void> =>
  clock.stride(ms, async () => {
    for (const charger of world.chargers)
      if (charger.act.transaction === undefined) await charger.act.heartbeat();
      else await charger.act.charge(10, currentOf(charger), new Date(clock.now()));
    for (const csms of world.csmss) await csms.settle();
  });

/** Leaps until it is so. @throws Error when it is not so within `most` */
async function leapUntil(world: World, clock: LeapingClock, what: string, most: Milliseconds, look: () => boolean) {
  const begun = clock.monotonic();
  while (!look()) {
    if (clock.monotonic() - begun > most) throw new Error(`${what}: not within ${most / 1000} s`);
    await leap(world, clock, seconds(9));
  }
}

const begin = async (charger: RpcCharger, clock: LeapingClock, idToken: string): Promise<void> => {
  await charger.act.plug();
  await charger.act.start({ idToken, at: new Date(clock.now()) });
};

/** A wallbox that speaks Modbus, with its car, on a socket of its own. */
async function wallbox(t: Test, clock: LeapingClock, number: number) {
  const units: Units = new Map();
  const evse: Evse = {
    number: evseNumber(number),
    station: stationId('WB'),
    stationEvse: 1,
    connectors: [{ number: 1, type: 'Type2' }],
    circuit: 'main' as Evse['circuit'],
    maxCurrent: ampere(16),
    minCurrent: ampere(6),
    fallbackCurrent: ampere(6),
    phases: PHASES,
    rotationKnown: true,
  };
  const hardware = new EvseHardware(1, evse.maxCurrent, 3, volt(230), wattHour(50_000));
  const charger = new ModbusCharger(chargerProfile('amperfied-connect'), evse, hardware, units, undefined, clock);
  hardware.onChange(() => charger.show());
  clock.every(seconds(1), () => {
    hardware.step(seconds(1));
    charger.show();
  });
  const slave = await startModbusSlave({ units });
  t.teardown(() => slave.stop());
  const yaml = `  WB:
    device: amperfied-connect
    connection: tcp://127.0.0.1:${slave.port}
    circuit: main
    start: { free: CARD4 }
    evses:
      - { number: ${number}, max-current: 16 A, phases: L1 L2 L3, phase-switching: true, fallback-current: 6 A }`;
  const model = present(
    CAR_MODELS.find(({ name }) => name === 'saloon 3p'),
    'the saloon',
  );
  return { hardware, yaml, plug: () => hardware.plug(new Car(model, 0.1)) };
}

void t.test('one phase for each where three do not fit, and three again ten minutes later', async (t) => {
  const clock = new LeapingClock();
  const box = await wallbox(t, clock, 4);
  const world = await openWorld(t, {
    chargers: ['ocpp1.6', 'ocpp2.0.1', 'ocpp1.6'],
    phaseSwitching: true,
    evseKeys: [
      'phases: L1 L2 L3, phase-switching: true',
      'phases: L3 L1 L2, phase-switching: true',
      // A car that needs more than others, on a phase that all of them would use.
      'phases: L2, min-current: 8 A, priority: 1',
    ],
    stations: box.yaml,
    authority: 'ocpp2.0.1',
    observer: 'ocpp1.6',
    clock,
  });
  const { authority, changes } = world;
  await world.ready();
  for (const number of [1, 2, 3]) await begin(await world.powerUp(number), clock, `CARD${number}`);
  box.plug();
  const [first, second] = [world.charger(1), world.charger(2)];
  await leapUntil(world, clock, 'all to charge', minutes(3), () =>
    [...world.chargers.map(currentOf), box.hardware.currents[0]].every((current) => current > 15),
  );
  t.same([lastLimit(first)?.phases, lastLimit(second)?.phases, box.hardware.conductors], [3, 3, 3]);

  await cap(t, world, clock, 13);
  /** What cars may take on each grid phase; conductors of EVSE 2 are turned. */
  const onPhases = (): readonly number[] => {
    const grid = { L1: 0, L2: 0, L3: 0 };
    for (const phase of phasesOf(lastLimit(first))) grid[phase] += currentOf(first);
    for (const phase of phasesOf(lastLimit(second)))
      grid[({ L1: 'L3', L2: 'L1', L3: 'L2' } as const)[phase]] += currentOf(second);
    grid.L2 += currentOf(world.charger(3));
    PHASES.forEach((phase, conductor) => (grid[phase] += box.hardware.currents[conductor as 0 | 1 | 2]));
    return [grid.L1, grid.L2, grid.L3];
  };
  await leapUntil(
    world,
    clock,
    'one phase for each',
    minutes(5),
    () =>
      [currentOf(first), currentOf(second), currentOf(world.charger(3)), box.hardware.currents[0]].every(
        (current) => current >= 5.9,
      ) && onPhases().every((current) => current <= 13.01),
  );
  const switchedAt = clock.monotonic();
  t.match(lastLimit(first), { phases: 1 });
  t.match(lastLimit(second), { phases: 1, phaseToUse: 1 }, 'a charger that can choose is told which');
  t.equal(box.hardware.conductors, 1, 'by its register');
  t.equal(lastLimit(world.charger(3))?.phases, undefined, 'who cannot switch is not told of phases');

  t.match(await authority.ask('ClearChargingProfile', { chargingProfileId: 1 }), { status: 'Accepted' });
  await leapUntil(world, clock, 'the room to be used', minutes(3), () =>
    [currentOf(first), currentOf(second)].every((current) => current === CAR_TAKES),
  );
  t.same([lastLimit(first)?.phases, lastLimit(second)?.phases, box.hardware.conductors], [1, 1, 1], 'not at once');
  await leapUntil(world, clock, 'three phases again', minutes(12), () =>
    [lastLimit(first)?.phases, lastLimit(second)?.phases, box.hardware.conductors].every((phases) => phases === 3),
  );
  t.ok(clock.monotonic() - switchedAt > minutes(8), 'a contactor is not worn out');
  await leapUntil(world, clock, 'current on all three', minutes(2), () => box.hardware.currents[2] > 15);
  for (const charger of world.chargers) t.equal(charger.act.starts, 1, 'nobody lost the transaction');

  const at = new Date(clock.now());
  for (const charger of world.chargers) await charger.act.stop({ at });
  box.hardware.unplugAtCar();
  await changes.until('the ends', () => [1, 2, 3, 4].every((slot) => world.csmss.every(endedAt(slot))), 20_000);
  for (const number of [1, 2, 3])
    await checkEnergy(t, world, number, { from: 1000 * number, to: world.charger(number).act.register });
  await checkEnergy(t, world, 4, { from: 50_000, to: box.hardware.register });
  await checkSound(t, world);
});

/** The authority caps the whole site. @param limit A */
async function cap(t: Test, { authority }: World, clock: LeapingClock, limit: number): Promise<void> {
  const chargingProfile: Payload = {
    id: 1,
    stackLevel: 0,
    chargingProfilePurpose: 'ChargingStationMaxProfile',
    chargingProfileKind: 'Absolute',
    chargingSchedule: [
      {
        id: 1,
        startSchedule: new Date(clock.now() - 60_000).toISOString(),
        chargingRateUnit: 'A',
        chargingSchedulePeriod: [{ startPeriod: 0, limit }],
      },
    ],
  };
  t.match(await authority.ask('SetChargingProfile', { evseId: 0, chargingProfile }), { status: 'Accepted' });
}

const endedAt =
  (slot: number) =>
  ({ book }: World['authority']): boolean =>
    book.latest(slot)?.ended === true;

void t.test('the car that leaves first is served first, and every car is answered', async (t) => {
  const clock = new LeapingClock();
  const world = await openWorld(t, {
    chargers: ['ocpp2.0.1', 'ocpp2.0.1'],
    authority: 'ocpp2.0.1',
    observer: 'ocpp1.6',
    yaml: 'balancing: { strategy: most-energy }',
    clock,
  });
  await world.ready();
  const [stays, leaves] = [await world.powerUp(1), await world.powerUp(2)];
  const needs = (inHours: number, energyAmount: number): Payload => ({
    evseId: 1,
    chargingNeeds: {
      requestedEnergyTransfer: 'AC_three_phase',
      departureTime: new Date(clock.now() + minutes(60 * inHours)).toISOString(),
      acChargingParameters: { energyAmount, evMinCurrent: 6, evMaxCurrent: CAR_TAKES, evMaxVoltage: 400 },
    },
  });
  await begin(stays, clock, 'CARD1');
  await leaves.act.plug();
  const before = { status: 'Processing' };
  t.match(await leaves.call('NotifyEVChargingNeeds', needs(1, 9000)), before, 'no transaction yet that a limit is for');
  await leaves.act.start({ idToken: 'CARD2', at: new Date(clock.now()) });
  await cap(t, world, clock, 20);
  const served = (one: RpcCharger, other: RpcCharger) => (): boolean => currentOf(one) > 13 && currentOf(other) < 7;
  await leapUntil(world, clock, 'the second to be served first', minutes(5), served(leaves, stays));

  // It changes its mind, and the other one is in a hurry now.
  await leap(world, clock, seconds(30));
  const sent = leaves.act.limits.length;
  t.match(await leaves.call('NotifyEVChargingNeeds', needs(12, 3000)), { status: 'Accepted' });
  await leapUntil(world, clock, 'a limit to follow (K15.FR.07)', seconds(30), () => leaves.act.limits.length > sent);
  t.match(await stays.call('NotifyEVChargingNeeds', needs(0.5, 6000)), { status: 'Accepted' });
  await leapUntil(world, clock, 'the first to be served first', minutes(5), served(stays, leaves));
  t.match(
    await stays.call('NotifyEVChargingSchedule', {
      timeBase: new Date(clock.now()).toISOString(),
      evseId: 1,
      chargingSchedule: {
        id: 1,
        chargingRateUnit: 'A',
        chargingSchedulePeriod: [{ startPeriod: 0, limit: CAR_TAKES }],
      },
    }),
    { status: 'Accepted' },
    'what the car means to take is noted',
  );
  t.match(await stays.call('NotifyEVChargingNeeds', needs(0.5, 6000)), { status: /Accepted|Processing/ });

  for (const charger of world.chargers) await charger.act.stop({ at: new Date(clock.now()) });
  await world.changes.until('the ends', () => [1, 2].every((slot) => world.csmss.every(endedAt(slot))), 20_000);
  for (const number of [1, 2])
    await checkEnergy(t, world, number, { from: 1000 * number, to: world.charger(number).act.register });
  await checkSound(t, world);
});
