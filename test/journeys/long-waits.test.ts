// What takes a quarter of an hour or more: a charger that loses power, and an hour of charging while every cloud is away.
import t, { type Test } from 'tap';
import { minutes, seconds } from '../../gateway/kernel/units.js';
import { LeapingClock } from '../peers/inner-gateway.js';
import { hurry, setAt } from '../peers/link-settings.js';
import { checkEnergy, checkSound, openWorld, type World } from '../peers/world.js';

void t.test('chargers of both versions, an authority of 1.6 and an observer of 2.0.1', async (t) => {
  const clock = new LeapingClock();
  const world = await openWorld(t, {
    chargers: ['ocpp1.6', 'ocpp2.0.1'],
    authority: 'ocpp1.6',
    observer: 'ocpp2.0.1',
    yaml: 'authorization: { offline: accept-unknown }',
    clock,
  });
  await world.ready();
  for (const csms of world.csmss) {
    await hurry(csms);
    // In a leap an answer takes as long as a stride.
    await setAt(csms, 'messageTimeout', '30');
  }
  for (const number of [1, 2]) await world.powerUp(number);
  for (const number of [1, 2]) {
    const about = `a charger of ${world.charger(number).version}`;
    await t.test(`S10: power is lost without a car, ${about}`, (t) => idle(t, world, clock, number));
    await t.test(`S10: power is lost and the stop is replayed, ${about}`, (t) => replayed(t, world, clock, number));
    await t.test(`S10: power is lost and the stop comes too late, ${about}`, (t) => tooLate(t, world, clock, number));
    await t.test(`S23: an hour of charging offline, ${about}`, (t) => offline(t, world, clock, number));
  }
  await checkSound(t, world);
});

/** Every peer that is connected says something, as it would have done in that time. */
const leap = (world: World, clock: LeapingClock, ms: number): Promise<void> =>
  clock.stride(ms, async () => {
    for (const charger of world.chargers) if (charger.connected) await charger.act.heartbeat();
    for (const csms of world.csmss) if (csms.connected) await csms.settle();
  });

const all = (world: World, what: string, look: (csms: World['authority']) => boolean | undefined): Promise<unknown> =>
  Promise.all(world.csmss.map((csms) => world.changes.until(`${csms.record.peer}: ${what}`, () => look(csms))));

/** The charger falls silent, and the gateway has noticed. */
async function gone(world: World, number: number): Promise<void> {
  const { lines } = world.gateway;
  const before = lines.length;
  await world.charger(number).drop();
  await world.changes.until('the loss', () => lines.slice(before).some(({ msg }) => msg === 'station disconnected'));
}

async function idle(t: Test, world: World, clock: LeapingClock, number: number): Promise<void> {
  await gone(world, number);
  await leap(world, clock, seconds(20));
  for (const csms of world.csmss) t.equal(csms.book.status(number), 'Available', 'a short loss is nobody’s business');
  await leap(world, clock, seconds(20));
  await all(world, 'Unavailable', (csms) => csms.book.status(number) === 'Unavailable');
  await world.powerUp(number);
  await all(world, 'Available', (csms) => csms.book.status(number) === 'Available');
}

/** A visit up to 100 Wh, and then the power of the charger is gone for two minutes. */
async function losePower(t: Test, world: World, clock: LeapingClock, number: number): Promise<number> {
  const charger = world.charger(number);
  const { act } = charger;
  const from = act.register;
  await act.plug();
  await act.start({ idToken: 'CARD1' });
  await act.charge(100);
  await all(world, 'the start', (csms) => csms.book.latest(number)?.meterStart === from);
  const seen = world.csmss.map((csms) => csms.book.status(number));
  await gone(world, number);
  await leap(world, clock, minutes(2));
  for (const [index, csms] of world.csmss.entries()) {
    t.equal(csms.book.latest(number)?.ended, false, 'the transaction is kept');
    t.equal(csms.book.status(number), seen[index], 'and the connector with it');
  }
  await charger.powerUp();
  return from;
}

async function replayed(t: Test, world: World, clock: LeapingClock, number: number): Promise<void> {
  const { act } = world.charger(number);
  const from = await losePower(t, world, clock, number);
  await act.stop({ reason: 'PowerLoss', offline: true });
  await act.unplug();
  await all(world, 'the end', (csms) => csms.book.latest(number)?.meterStop === from + 100);
  for (const csms of world.csmss) t.equal(csms.book.latest(number)?.reason, 'PowerLoss');
  await leap(world, clock, minutes(16));
  await checkEnergy(t, world, number, { from, to: from + 100 });
}

async function tooLate(t: Test, world: World, clock: LeapingClock, number: number): Promise<void> {
  const { act } = world.charger(number);
  const from = await losePower(t, world, clock, number);
  await act.available();
  await leap(world, clock, minutes(14));
  for (const csms of world.csmss) t.equal(csms.book.latest(number)?.ended, false, 'it may still be replayed');
  await leap(world, clock, minutes(2));
  await all(world, 'the end', (csms) => csms.book.latest(number)?.meterStop === from + 100);
  const estimate = await world.changes.until(
    'the bill',
    () => world.bills.latest(number)?.meterStop_Wh === from + 100 && world.bills.latest(number),
  );
  t.match(estimate, { energy_Wh: 100, estimated: true });
  const bills = world.bills.bills.length;
  await act.stop({ reason: 'PowerLoss', offline: true });
  await world.changes.until('the correction', () => world.bills.bills.length > bills);
  t.match(world.bills.latest(number), { transaction: estimate.transaction, energy_Wh: 100, estimated: false });
  await act.unplug();
}

async function offline(t: Test, world: World, clock: LeapingClock, number: number): Promise<void> {
  const { act } = world.charger(number);
  const from = act.register;
  for (const csms of world.csmss) {
    await setAt(csms, 'sampleInterval', '600');
    await csms.settle();
    await csms.stop();
  }
  const marks = world.csmss.map(({ calls }) => calls.length);
  const times: number[] = [];
  const now = (): Date => {
    times.push(clock.now());
    return new Date(clock.now());
  };
  await act.plug();
  t.equal(await act.start({ idToken: 'CARD1', at: now() }), 'Accepted');
  for (let quarter = 0; quarter < 4; quarter++) {
    await leap(world, clock, minutes(15));
    await act.charge(2500, 6, now());
  }
  await act.stop({ at: now() });
  await act.unplug();
  for (const csms of world.csmss) await csms.start();
  // The next attempt to reach them is up to some minutes away by now.
  await clock.stride(minutes(10), async () => {
    for (const charger of world.chargers) await charger.act.heartbeat();
  });
  await all(world, 'the end', (csms) => csms.book.latest(number)?.meterStop === from + 10_000);
  for (const [index, csms] of world.csmss.entries()) {
    const told = csms.calls
      .slice(marks[index])
      .filter(({ action }) => /Transaction|MeterValues/.test(action))
      .filter(({ action, payload }) => action !== 'TransactionEvent' || payload['meterValue'] !== undefined);
    const word = ({ action, payload }: (typeof told)[number]): string =>
      action === 'TransactionEvent'
        ? String(payload['eventType'])
        : ({ StartTransaction: 'Started', StopTransaction: 'Ended', MeterValues: 'Updated' }[action] ?? action);
    t.same(told.map(word), ['Started', 'Updated', 'Updated', 'Updated', 'Updated', 'Ended'], 'in order');
    const stamp = ({ payload }: (typeof told)[number]): number =>
      Date.parse(
        (payload['timestamp'] as string | undefined) ??
          (payload['meterValue'] as { timestamp: string }[])[0]?.timestamp ??
          '',
      );
    t.same(told.map(stamp), times, 'at the times of the charger');
    if (csms.version === 'ocpp2.0.1') t.ok(told.every(({ payload }) => payload['offline'] === true));
    else {
      const ids = new Set(told.slice(1).map(({ payload }) => payload['transactionId']));
      t.same([...ids], [Number(csms.book.latest(number)?.id)], 'under the id that the start was given');
    }
  }
  await checkEnergy(t, world, number, { from, to: from + 10_000 });
}
