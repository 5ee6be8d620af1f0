// One bus on a channel without a wire: the breaker of each unit, late answers, pauses, repeats, broadcasts, and what the log is told.
import t, { type Test } from 'tap';
import { Bus } from '../../../adapters/modbus/bus.js';
import type { IoPolicy } from '../../../adapters/modbus/device-profile.js';
import type { ModbusFault } from '../../../adapters/modbus/link.js';
import { rtuShape } from '../../../adapters/modbus/rtu-shape.js';
import { WireFraming } from '../../../adapters/modbus/wire-framing.js';
import type { Result } from '../../../gateway/kernel/result.js';
import { milliseconds } from '../../../gateway/kernel/units.js';
import { rtuFrame } from '../../../simulation/rtu-slave.js';
import { FakeClock } from '../../fakes/fake-clock.js';
import { recordingLog } from '../../fakes/recording-log.js';
import { FakeChannel } from './fake-channel.js';

const TIMEOUT = 1000;

/** What a unit answers that holds its own number and the address in every register. */
const plain = (frame: Buffer): Buffer => {
  const unit = frame.readUInt8(0);
  const fc = frame.readUInt8(1);
  if (fc === 6 || fc === 16) return rtuFrame(unit, frame.subarray(1, 6));
  const count = frame.readUInt16BE(4);
  const words = Array.from({ length: count }, (_, i) => [unit, (frame.readUInt16BE(2) + i) & 0xff]).flat();
  return rtuFrame(unit, Buffer.from([fc, count * 2, ...words]));
};

function bench(test: Test, dead: readonly number[] = [], byteTime = 0) {
  const clock = new FakeClock();
  const log = recordingLog();
  const channel = new FakeChannel();
  const silent = new Set(dead);
  channel.answer = (frame) => (silent.has(frame.readUInt8(0)) ? undefined : plain(frame));
  const bus = new Bus(
    {
      peer: 'serial:/dev/bus',
      open: channel.open,
      framing: new WireFraming(rtuShape),
      silence: 2,
      answerTimeout: TIMEOUT,
      byteTime,
    },
    { clock, log },
  );
  test.teardown(() => bus.stop());
  /** Reads, and tells how it ended and when. */
  const read = async (unit: number, address = 0, io: IoPolicy = {}, count = 1): Promise<string> =>
    `${shown(await bus.read(unit, 3, address, count, io))}`;
  /** The outcome of what was begun before, after `ms`. */
  const settled = async (ms: number, asked: Promise<string>): Promise<string> => {
    let outcome = 'waits';
    void asked.then((value) => (outcome = value));
    await clock.advance(ms);
    return outcome;
  };
  const faults = (): readonly string[] =>
    log.lines.flatMap(({ fields, level }) => (level === 'warn' && fields.fault !== undefined ? [fields.fault] : []));
  return { clock, log, channel, bus, silent, read, settled, faults };
}

const shown = (outcome: Result<Buffer | void, ModbusFault>): string =>
  outcome.ok ? (outcome.value?.toString('hex') ?? 'done') : outcome.error.kind;

t.test('a dead unit costs one time-out, then little and rarely, and is back soon after it lives', async (test) => {
  const { clock, channel, silent, read, settled, faults, log } = bench(test, [9]);
  for (let i = 0; i < 3; i++) test.equal(await settled(10, read(1)), '0100');
  test.equal(await settled(TIMEOUT - 1, read(9)), 'waits');
  await clock.advance(1);
  let asked = channel.sent.length;
  let spent = 0;
  for (let second = 0; second < 60; second++) {
    const before = clock.monotonic();
    const probe = read(9, 1, {}, 2);
    test.equal(await settled(1000, Promise.all([read(1), read(2)]).then(String)), '0100,0200', `second ${second}`);
    await probe;
    spent += clock.monotonic() - before - 1000;
  }
  asked = channel.sent.slice(asked).filter((frame) => frame.readUInt8(0) === 9).length;
  test.ok(asked <= 12, `asked ${asked} times in a minute`);
  test.equal(spent, 0, 'no probe took more than its second');
  test.same(faults(), ['FC-M01']);
  silent.delete(9);
  let back = -1;
  for (let second = 0; second < 12 && back < 0; second++) {
    if ((await settled(1000, read(9, 1, {}, 2))) === '09010902') back = second;
  }
  test.ok(back >= 0 && back <= 11, `back after ${back} s`);
  test.match(log.lines.at(-1), { level: 'info', fields: { unit: 9 } });
});

t.test('a unit that became slow is given its whole time now and then', async (test) => {
  const { channel, read, settled, clock } = bench(test);
  test.equal(await settled(10, read(2)), '0200');
  test.equal(await settled(10, read(1)), '0100');
  let late: Buffer | undefined;
  channel.answer = (frame) => {
    late = plain(frame);
    clock.after(milliseconds(800), () => channel.say(late ?? Buffer.alloc(0)));
    return undefined;
  };
  let seen = '';
  for (let second = 0; second < 150 && seen !== '0100'; second++) seen = await settled(1000, read(1));
  test.equal(seen, '0100');
});

t.test('on a slow line the time of the frames on the wire comes on top', async (test) => {
  // 1200 baud: 8 bytes of question and 255 of answer take 2.4 s.
  const { channel, read, settled, clock } = bench(test, [], 11 / 1.2);
  channel.answer = (frame) => {
    clock.after(milliseconds(3000), () => channel.say(plain(frame)));
    return undefined;
  };
  test.equal((await settled(3300, read(1, 0, {}, 125))).length, 500);
  test.equal(await settled(3300, read(1, 0, {}, 1)), 'timeout');
});

t.test('a late answer is never taken for that of a later request of the same unit and length', async (test) => {
  const { clock, channel, read, settled } = bench(test, [1]);
  test.equal(await settled(TIMEOUT, read(1, 0x10)), 'timeout');
  const next = read(1, 0x20);
  await clock.advance(300);
  channel.say(rtuFrame(1, Buffer.from([3, 2, 1, 0x10])));
  channel.answer = plain;
  test.equal(await settled(TIMEOUT, next), '0120');
});

t.test('meanwhile others are asked, and a late answer in the midst of theirs is passed over', async (test) => {
  const { channel, read, settled } = bench(test, [1]);
  test.equal(await settled(TIMEOUT, read(1, 0x10)), 'timeout');
  const late = rtuFrame(1, Buffer.from([3, 2, 1, 0x10]));
  channel.answer = (frame) => Buffer.concat([late, plain(frame)]);
  test.equal(await settled(50, read(2)), '0200');
});

t.test('a short or foreign answer is a fault with its reason, garbage too', async (test) => {
  const { channel, bus, settled } = bench(test);
  const why = async (answer: Buffer, unit: number): Promise<string> => {
    channel.answer = () => answer;
    const outcome = bus
      .read(unit, 3, 0, 2, {})
      .then((result) =>
        result.ok ? 'ok' : result.error.kind === 'protocol' ? result.error.detail : result.error.kind,
      );
    return settled(TIMEOUT + 10, outcome);
  };
  test.equal(await why(rtuFrame(1, Buffer.from([3, 2, 0, 1])), 1), 'answer is not 2 registers');
  test.equal(await why(rtuFrame(9, Buffer.from([3, 4, 0, 1, 0, 2])), 2), 'frame of unit 9, not 2');
  test.equal(await why(Buffer.from([0xff, 0, 0x55]), 3), '3 bytes that are no frame');
});

t.test('the longest pause that a device asks for holds for the whole bus', async (test) => {
  const { clock, channel, read } = bench(test);
  const at: number[] = [];
  channel.answer = (frame) => {
    at.push(clock.monotonic());
    return plain(frame);
  };
  const all = [read(1, 0, { requestDelayMs: 100 }), read(2), read(3), read(1)];
  await clock.advance(400);
  await Promise.all(all);
  test.same(
    at.slice(1).map((time, i) => time - (at[i] ?? 0)),
    [100, 100, 100],
  );
});

t.test('a request is sent again at once where the first only wakes the device', async (test) => {
  const { clock, channel, read, faults } = bench(test);
  let awake = false;
  channel.answer = (frame) => {
    const answer = awake ? plain(frame) : undefined;
    awake = !awake;
    return answer;
  };
  const io = { attempts: 2, timeoutMs: 200 };
  for (let i = 0; i < 5; i++) {
    const asked = read(1, i, io);
    await clock.advance(600);
    test.equal(await asked, `010${i}`);
  }
  test.equal(channel.sent.length, 10);
  test.same(faults(), [], 'which is no fault');
});

t.test('unit 0 is everybody: a write waits for nobody, a read is refused', async (test) => {
  const { bus, channel, read, settled } = bench(test, [0]);
  test.equal(await settled(0, read(0)), 'protocol');
  const written = bus.write(0, 6, 1, Buffer.from([0, 1]), {}).then(shown);
  test.equal(await settled(149, written), 'waits');
  test.equal(await settled(1, written), 'done');
  test.equal(channel.sent.length, 1);
});

t.test('an adapter that is unplugged is looked for again, and named once', async (test) => {
  const { clock, channel, read, settled, faults, log } = bench(test);
  test.equal(await settled(10, read(1)), '0100');
  channel.trouble = 'No such file or directory, cannot open /dev/bus';
  channel.breakOff('the port has gone');
  for (let i = 0; i < 20; i++) test.equal(await settled(1000, read(1)), 'unreachable');
  test.same(faults(), ['FC-M03']);
  test.match(log.lines.find(({ fields }) => fields.fault === 'FC-M03')?.fields, { reason: /No such file/ });
  channel.trouble = undefined;
  await clock.advance(10_000);
  test.equal(await settled(10, read(1)), '0100');
  test.match(log.lines.at(-1), { level: 'info', fields: { fault: 'FC-M03' } });
});

t.test('a connection whose other end forgot it is renewed', async (test) => {
  const { channel, read, settled } = bench(test, [1, 2, 3]);
  const opened = (): number => channel.opened;
  for (const unit of [1, 2]) await settled(TIMEOUT, read(unit));
  test.equal(opened(), 1);
  await settled(TIMEOUT, read(3));
  channel.answer = plain;
  test.equal(await settled(100, read(4)), '0400');
  test.equal(opened(), 2);
});

const named: Readonly<
  Record<string, { readonly answer: (frame: Buffer) => Buffer | undefined; readonly fault: string }>
> = {
  'nothing comes back from anybody': { answer: () => undefined, fault: 'FC-M04' },
  'what comes is no frame': { answer: () => Buffer.from([0x00, 0x80, 0xff]), fault: 'FC-M05' },
  'another unit answers': { answer: (frame) => rtuFrame(77, plain(frame).subarray(1, -2)), fault: 'FC-M06' },
};

for (const [name, { answer, fault }] of Object.entries(named)) {
  t.test(`${name}: ${fault}, once, and once more when it is over`, async (test) => {
    const { channel, read, settled, faults, log } = bench(test);
    channel.answer = answer;
    for (let i = 0; i < 30; i++) await settled(2000, Promise.all([read(1), read(2)]).then(String));
    test.same(
      faults().filter((code) => code !== 'FC-M01'),
      [fault],
    );
    channel.answer = plain;
    for (let i = 0; i < 100; i++) await settled(1000, read(1));
    test.ok(log.lines.some(({ level, fields }) => level === 'info' && fields.fault === fault));
  });
}

t.test('somebody who talks unasked, and answers that come late, are named', async (test) => {
  const { channel, read, settled, faults, clock } = bench(test, [5]);
  await settled(10, read(1));
  for (let i = 0; i < 3; i++) channel.say(rtuFrame(40, Buffer.from([3, 0, 0, 0, 1])));
  test.same(faults(), ['FC-M07']);
  for (let i = 0; i < 4; i++) {
    await settled(10, read(1));
    await settled(TIMEOUT, read(5, i));
    channel.say(rtuFrame(5, Buffer.from([3, 2, 0, 1])));
    await clock.advance(20_000);
  }
  test.ok(faults().includes('FC-M08'));
});

t.test('what waits for a unit that rests is told at once; a queue that is too long refuses', async (test) => {
  const { bus, read, settled, clock } = bench(test, [9]);
  const all = Array.from({ length: 100 }, () => read(9));
  await clock.advance(3100);
  const outcomes = await Promise.all(all);
  test.equal(outcomes.filter((kind) => kind === 'protocol').length, 36, '64 may wait');
  test.equal(outcomes.filter((kind) => kind === 'timeout').length, 64);
  test.equal(await settled(0, bus.read(9, 3, 0, 1, {}).then(shown)), 'timeout');
});

t.test('an exception 11 of a gateway is its device being silent, not the gateway', async (test) => {
  const { channel, read, settled } = bench(test);
  channel.answer = (frame) => (frame.readUInt8(0) === 9 ? rtuFrame(9, Buffer.from([0x83, 11])) : plain(frame));
  for (let i = 0; i < 3; i++) test.equal(await settled(10, read(9)), i < 2 ? 'exception' : 'timeout');
  test.equal(await settled(10, read(1)), '0100');
});

t.test('a line that is never silent is used all the same', async (test) => {
  const { channel, read, settled, clock } = bench(test);
  await settled(10, read(1));
  const stop = clock.every(milliseconds(1), () => channel.say(Buffer.from([0x55])));
  test.equal(await settled(600, read(2)), '0200');
  stop();
});
