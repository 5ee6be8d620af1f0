// A box whose clock has no battery, through the whole shell: it starts in 1970, drivers charge, and the clouds are told true times.
import t, { type Test } from 'tap';
import { minutes, seconds, timestamp, toRfc3339, type Timestamp } from '../../gateway/kernel/units.js';
import type { ChargeDetailRecord } from '../../gateway/site/transaction.js';
import { Telemetry } from '../../gateway/telemetry/telemetry.js';
import { FakeBox } from '../fakes/fake-box.js';
import { FakeTelemetryLink } from '../fakes/fake-telemetry-link.js';
import { InnerWorld, type InnerOptions, type StringCharger } from './inner-world.js';

const BOTH = { csmss: [{}, { ocpp: '1.6', role: 'observer' }] } as const;
const RELEASED = timestamp(Date.parse('2025-01-01T00:00:00Z'));
const hours = (value: number): number => value * 3_600_000;
const DRIVERS = ['ONE', 'TWO', 'THREE'] as const;

interface BoxWorld {
  readonly world: InnerWorld;
  readonly box: FakeBox;
  /** What the CSMS says: the true time. */
  readonly truth: () => Timestamp;
}

/** A site that has known the time until now, with drivers in its cache; the box is its own and nobody has confirmed its clock. */
async function open(options: InnerOptions = BOTH): Promise<BoxWorld> {
  const made: { box?: FakeBox } = {};
  const world = await InnerWorld.open({
    chargers: 3,
    ...options,
    box: (clock) => {
      const box = (made.box = new FakeBox(clock, RELEASED));
      return { clock: box, machine: box.machine };
    },
  });
  if (made.box === undefined) throw new Error('the world has made no box');
  return { world, box: made.box, truth: () => world.clock.now() };
}

/** ... and then the power was cut for `off`, and the clock stands in 1970. */
async function fromYesterday(off = hours(20)): Promise<BoxWorld> {
  const all = await open();
  const { world, truth } = all;
  await world.online(0, true, truth);
  await world.online(1, true, truth);
  for (const [index, driver] of DRIVERS.entries()) {
    await world.charger(index + 1).connect();
    await world.charger(index + 1).authorize(driver);
  }
  await world.clock.advance(minutes(2));
  await powerCut(all, off);
  return all;
}

async function powerCut({ world, box }: BoxWorld, off: number, wall = 0): Promise<void> {
  world.die();
  await world.clock.advance(off);
  box.powerOn(wall);
  await world.clock.advance(seconds(20));
  await world.begin();
}

/** Has no clock of its own: goes by what the gateway tells it, and hears it when it connects and when it is asked to. */
function withoutBattery({ world }: BoxWorld, charger: StringCharger): () => void {
  let error = 0;
  const hear = (): void => {
    error = world.gateway.clock.now() - world.clock.now();
  };
  hear();
  charger.now = () => timestamp(world.clock.now() + error);
  const execute = charger.execute.bind(charger);
  charger.execute = (command) => {
    if (command.type === 'trigger' && command.message === 'Heartbeat') hear();
    return execute(command);
  };
  return hear;
}

/** Of every transaction: what each CSMS was told, and when. */
function told(world: InnerWorld, index: number): Map<string, { readonly kind: string; readonly at: Timestamp }[]> {
  const all = new Map<string, { kind: string; at: Timestamp }[]>();
  for (const { record } of world.link(index).transactions()) {
    const one = all.get(record.uid) ?? [];
    all.set(record.uid, [...one, { kind: record.kind, at: record.at }]);
  }
  return all;
}

async function bills(world: InnerWorld): Promise<ChargeDetailRecord[]> {
  return [...(await world.gateway.journal.load('cdr')).values()] as ChargeDetailRecord[];
}

function checkOrder(t: Test, world: InnerWorld): void {
  for (const index of world.links.keys())
    for (const [uid, records] of told(world, index)) {
      const times = records.map(({ at }) => at);
      t.same(
        times,
        [...times].sort((a, b) => a - b),
        `${uid} to CSMS ${index}: no negative duration`,
      );
      t.equal(records[0]?.kind, 'started');
    }
}

const faults = (world: InnerWorld): readonly unknown[] => world.log.lines.flatMap(({ fields }) => fields.fault ?? []);

for (const learned of ['from a CSMS', 'from a time server that says so', 'from one that does not'] as const) {
  void t.test(`1970, two drivers, a crash, and then the time ${learned}`, async (t) => {
    const all = await fromYesterday();
    const { world, box, truth } = all;
    t.ok(faults(world).includes('FC-W01'));
    t.ok(world.gateway.clock.now() > truth() - hours(21) && world.gateway.clock.now() < truth() - hours(19));
    const [one, two] = [world.charger(1), world.charger(2)];
    const hearing = [one, two].map((charger) => withoutBattery(all, charger));
    for (const charger of [one, two]) await charger.connect();
    const begun = [truth()];
    await one.start('ONE');
    await world.clock.advance(minutes(10));
    begun.push(truth());
    await two.start('TWO');
    await one.sample(500);
    await world.clock.advance(minutes(20));
    await one.end('ONE');
    const ended = [truth()];
    await world.clock.advance(minutes(5));
    await world.crash();
    hearing.forEach((hear) => hear());
    for (const charger of [one, two]) await charger.connect(charger === two ? 'Occupied' : 'Available');
    await world.clock.advance(minutes(30));
    await two.sample(700);
    const sampled = truth();
    const from = world.links.map((link) => link.sent.length);

    if (learned !== 'from a CSMS') {
      box.ntp(learned === 'from a time server that says so');
      await world.clock.advance(seconds(2));
      t.equal(world.gateway.clock.now(), truth(), 'learned');
    }
    for (const index of [0, 1]) await world.online(index, true, truth);
    t.equal(world.gateway.clock.now(), truth());
    await world.clock.advance(minutes(3));
    await two.end('TWO');
    ended.push(truth());
    await world.clock.advance(seconds(5));

    for (const index of [0, 1]) {
      const times = [...told(world, index).values()].map((records) => ({
        start: records.find(({ kind }) => kind === 'started')?.at,
        end: records.find(({ kind }) => kind === 'ended')?.at,
        updates: records.filter(({ kind }) => kind === 'updated').map(({ at }) => at),
      }));
      t.same(
        times.map(({ start }) => start),
        begun,
        `CSMS ${index}: starts`,
      );
      t.same(
        times.map(({ end }) => end),
        ended,
        `CSMS ${index}: ends`,
      );
      t.ok(times[1]?.updates.includes(sampled), `CSMS ${index}: samples`);
      const statuses = world
        .link(index)
        .sent.slice(from[index])
        .flatMap((message) => (message.type === 'status' ? [message.connector.at] : []));
      t.ok(statuses.length > 0 && statuses.every((at) => at > truth() - hours(2)), `CSMS ${index}: statuses`);
    }
    t.same(
      (await bills(world)).map(({ startedAt, endedAt }) => [startedAt, endedAt]),
      [
        [begun[0], ended[0]],
        [begun[1], ended[1]],
      ],
    );
    checkOrder(t, world);
    await world.crash();
    t.equal(world.gateway.clock.now(), truth(), 'and it is known in the next process of this boot');
    t.same(
      (await bills(world)).map(({ startedAt }) => startedAt),
      begun,
      'read from the disk',
    );
  });
}

void t.test(
  'several boots without the time: what is before the last is an estimate, in order, and said to be',
  async (t) => {
    const all = await fromYesterday();
    const { world, truth } = all;
    const one = world.charger(1);
    const hear = withoutBattery(all, one);
    await one.connect();
    await one.start('ONE');
    await world.clock.advance(minutes(30));
    await one.end('ONE');
    await world.clock.advance(minutes(1));
    await powerCut(all, hours(3));
    hear();
    await one.connect();
    const begun = truth();
    await one.start('ONE');
    await world.clock.advance(minutes(10));
    await one.end('ONE');
    const ended = truth();
    for (const index of [0, 1]) await world.online(index, true, truth);
    await world.clock.advance(seconds(5));
    t.ok(faults(world).includes('FC-W03'));
    for (const index of [0, 1]) {
      const [first, second] = [...told(world, index).values()];
      t.same(
        second?.map(({ at }) => at),
        [begun, ended],
        'the boot in which it was learned',
      );
      const [start, end] = [first?.at(0)?.at ?? 0, first?.at(-1)?.at ?? 0];
      t.equal(end - start, minutes(30), 'durations hold');
      t.ok(end < begun && end > begun - minutes(10), 'it ended before, as near as can be');
    }
    checkOrder(t, world);
  },
);

void t.test(
  'a transaction that began while the time was known keeps its start, and its bill the whole time',
  async (t) => {
    const all = await open({ ...BOTH, chargers: 1 });
    const { world, truth } = all;
    world.site = {
      ...world.site,
      tariff: { currency: 'EUR', energyPrice: 0.4, timePrice: 1, startFee: 0 },
    };
    await world.crash();
    await world.online(0, true, truth);
    const one = world.charger(1);
    await one.connect();
    const begun = truth();
    await one.start('ONE');
    await world.clock.advance(minutes(10));
    await powerCut(all, hours(2));
    withoutBattery(all, one);
    await one.connect('Occupied');
    await world.clock.advance(minutes(10));
    await one.end('ONE');
    const ended = truth();
    t.match(
      await bills(world),
      [{ startedAt: begun, cost: { time: 0.34 } }],
      '20 minutes and a start of the box are known',
    );
    await world.online(0, true, truth);
    await world.clock.advance(seconds(5));
    const [bill] = await bills(world);
    t.match(bill, { startedAt: begun, endedAt: ended });
    t.equal(bill?.cost?.time, Math.round((ended - begun) / 36_000) / 100);
    t.same(
      [...told(world, 0).values()][0]?.map(({ at }) => at),
      [begun, ended],
    );
  },
);

void t.test('a charger whose own clock is right while that of the box is not', async (t) => {
  const all = await fromYesterday();
  const { world, truth } = all;
  const one = world.charger(1);
  await one.connect();
  const begun = truth();
  await one.start('ONE');
  await world.clock.advance(minutes(30));
  await one.sample(400);
  await one.end('ONE');
  const ended = truth();
  // Held back by the charger since before the box was up: only its own clock knows.
  const two = world.charger(2);
  await two.connect();
  await two.start('TWO', timestamp(truth() - hours(2)));
  for (const index of [0, 1]) await world.online(index, true, truth);
  await world.clock.advance(seconds(5));
  for (const index of [0, 1]) {
    const [first, second] = [...told(world, index).values()];
    t.same([first?.at(0)?.at, first?.at(-1)?.at], [begun, ended]);
    t.equal(second?.[0]?.at, begun + minutes(30) - hours(2));
  }
  await two.end('TWO');
  t.same(
    (await bills(world)).map(({ startedAt }) => startedAt),
    [begun, ended - hours(2)],
  );
  checkOrder(t, world);
});

void t.test(
  'a charger that has not heard the new time yet, and one that sends again what it was not answered',
  async (t) => {
    const all = await fromYesterday();
    const { world, truth } = all;
    const one = world.charger(1);
    withoutBattery(all, one);
    const { now } = one;
    one.execute = () => Promise.resolve({ status: 'NotSupported' });
    await one.connect();
    const saidAtStart = now();
    const answer = await one.start('ONE');
    const begun = truth();
    await world.clock.advance(minutes(10));
    await world.online(0, true, truth);
    const again = await one.start('ONE', saidAtStart);
    t.equal(again.stationTransactionId, answer.stationTransactionId, 'recognised by what it said then');
    await world.clock.advance(minutes(1));
    await one.sample(300);
    const sampled = truth();
    one.now = truth;
    await world.clock.advance(minutes(1));
    await one.end('ONE');
    await world.clock.advance(seconds(5));
    const [records] = [...told(world, 0).values()];
    t.same(
      records?.map(({ at }) => at),
      [begun, sampled, truth() - seconds(5)],
    );
  },
);

void t.test(
  'a time that was assumed and wrong (fake-hwclock): the authority sets it, on its second word',
  async (t) => {
    const all = await open();
    const { world, box, truth } = all;
    await world.clock.advance(minutes(2));
    await powerCut(all, hours(5), truth() + minutes(1));
    const one = world.charger(1);
    withoutBattery(all, one);
    await one.connect();
    const begun = truth();
    await one.start('ONE');
    t.notOk(faults(world).includes('FC-W01'), 'nothing looks wrong');
    await world.online(1, true, truth);
    t.not(world.gateway.clock.now(), truth(), 'an observer does not set it');
    t.ok(faults(world).includes('FC-W04'));
    await world.offline(1);
    let answers = 0;
    await world.online(0, true, () => timestamp(truth() + (answers++ === 0 ? hours(1) : 0)));
    t.not(world.gateway.clock.now(), truth(), 'one odd answer does not either');
    const early = world.link().transactions().length;
    world.link().tellTime();
    t.equal(world.gateway.clock.now(), truth(), 'two that agree do');
    t.ok(early <= 1);
    await world.crash();
    await world.online(0, true, truth);
    await one.end('ONE');
    await world.clock.advance(seconds(2));
    t.match(await bills(world), [{ startedAt: begun }]);
    t.equal(box.machine.lastSynchronised(), undefined);
  },
);

void t.test('an authority that is asked again before anything is told', async (t) => {
  const all = await open();
  const { world, truth } = all;
  await world.clock.advance(minutes(2));
  await powerCut(all, hours(5), truth() + minutes(1));
  const one = world.charger(1);
  withoutBattery(all, one);
  await one.connect();
  const begun = truth();
  await one.start('ONE');
  await world.clock.advance(minutes(1));
  await world.online(0, true, truth);
  await world.clock.advance(seconds(2));
  t.same(
    world
      .link()
      .transactions()
      .map(({ record }) => record.at),
    [begun],
  );
});

void t.test('2026, 2036, and back', async (t) => {
  for (const confirmed of [true, false]) {
    const all = await open();
    const { world, box, truth } = all;
    if (confirmed) await world.online(0, true, truth);
    const one = world.charger(1);
    await one.connect();
    await one.authorize('ONE');
    const begun = truth();
    await one.start('ONE');
    await world.clock.advance(minutes(5));
    const before = box.fired;
    await world.clock.advance(minutes(1));
    const usual = box.fired - before;
    box.set(truth() + hours(87_660));
    const jumped = box.fired;
    await world.clock.advance(minutes(1));
    t.ok(box.fired - jumped <= usual + 5, 'no storm of timers');
    if (confirmed) t.equal(world.gateway.clock.now(), truth(), 'nobody speaks for it');
    else t.ok(world.gateway.clock.now() > truth() + hours(87_000), 'nobody speaks against it');
    await one.sample(300);
    box.set(truth());
    await world.clock.advance(minutes(1));
    await world.online(0, !confirmed, truth);
    await world.clock.advance(seconds(2));
    t.equal(world.gateway.clock.now(), truth());
    await one.sample(300);
    await one.end('ONE');
    await world.clock.advance(seconds(2));
    const [records] = [...told(world, 0).values()];
    if (confirmed) t.same([records?.at(0)?.at, records?.at(-1)?.at], [begun, truth() - seconds(2)]);
    t.match(await bills(world), [{ startedAt: begun, endedAt: truth() - seconds(2) }]);
    checkOrder(t, world);
  }
});

void t.test('reservations that are over by the time that is learned end once', async (t) => {
  const all = await open({ ...BOTH, chargers: 2 });
  const { world, box, truth } = all;
  for (const index of [0, 1]) await world.online(index, true, truth);
  for (const charger of world.chargers.values()) await charger.connect();
  for (const [index, evse] of world.site.stations.flatMap(({ evses }) => evses).entries())
    await world.gateway.operations.reserve(world.site.csms[0]?.id ?? (evse.station as never), {
      reservationId: index + 1,
      evses: [evse.number],
      target: { evse: evse.number },
      idToken: { idToken: 'ONE', type: 'ISO14443' },
      expiry: timestamp(truth() + hours(2)),
    });
  await powerCut(all, hours(5));
  for (const charger of world.chargers.values()) await charger.connect();
  await world.clock.advance(seconds(5));
  t.equal(world.status(1), 'Reserved', 'as far as is known');
  await world.clock.advance(minutes(1));
  const fired = box.fired;
  await world.online(0, true, truth);
  await world.clock.advance(minutes(1));
  t.ok(box.fired - fired < 200);
  t.same([world.status(1), world.status(2)], ['Available', 'Available']);
  const ends = world.link().sent.filter(({ type }) => type === 'reservationEnded');
  t.equal(ends.length, 2);
});

void t.test('a broker is shown anew when things happened', async (t) => {
  const all = await fromYesterday();
  const { world, truth } = all;
  const link = new FakeTelemetryLink();
  const { gateway, site, log, box } = world;
  const telemetry = await Telemetry.open({
    id: 'broker',
    root: 'site',
    tokens: 'full',
    stations: () => site.stations.map(({ id }) => id),
    live: gateway.live,
    journal: gateway.journal,
    link,
    clock: box,
    log,
    gridLimit: () => undefined,
    gridHeartbeat: () => undefined,
  });
  gateway.telemetry.push(telemetry);
  telemetry.start();
  link.up();
  withoutBattery(all, world.charger(1));
  await world.charger(1).connect('Occupied');
  const happened = truth();
  await world.clock.advance(minutes(5));
  t.not(link.of('site/evse/1/connector/1').at(-1), undefined);
  await world.online(0, true, truth);
  await world.clock.advance(seconds(2));
  t.match(link.of('site/evse/1/connector/1').at(-1), { status: 'Occupied', at: toRfc3339(happened) });
});

void t.test('the time is learned while an event waits for the cloud to answer', async (t) => {
  const all = await fromYesterday();
  const { world, truth } = all;
  const one = world.charger(1);
  withoutBattery(all, one);
  one.execute = () => Promise.resolve({ status: 'NotSupported' });
  await one.connect();
  await world.crash();
  await one.connect();
  const begun = truth();
  world.clock.after(seconds(2), () => void world.online(0, true, truth));
  t.match(await one.start('A CARD THAT ONLY THE CLOUD KNOWS'), { idTokenInfo: { status: 'Accepted' } });
  t.ok(truth() - begun >= 2000, 'it had to wait');
  await world.clock.advance(seconds(2));
  t.same(
    world
      .link()
      .transactions()
      .map(({ record }) => record.at),
    [begun],
  );
  await world.crash();
  t.match(world.gateway.openTransactions(one.id), [{ startedAt: begun }]);
});

void t.test('the disk refuses at the moment the time is learned, and the gateway is killed soon after', async (t) => {
  const all = await fromYesterday();
  const { world, truth } = all;
  const one = world.charger(1);
  withoutBattery(all, one);
  await one.connect();
  const begun = truth();
  await one.start('ONE');
  await world.clock.advance(minutes(5));
  world.journal.failNext(1);
  await world.online(0, true, truth);
  await one.sample(100);
  const sampled = truth();
  await world.crash();
  await one.connect('Occupied');
  t.equal(world.gateway.clock.now(), truth());
  t.match(world.gateway.openTransactions(one.id), [{ startedAt: begun }]);
  await world.online(0, true, truth);
  await world.online(1, true, truth);
  await world.clock.advance(seconds(5));
  for (const index of [0, 1])
    t.same(
      [...told(world, index).values()][0]?.map(({ at }) => at),
      [begun, sampled],
      `CSMS ${index}`,
    );
});
