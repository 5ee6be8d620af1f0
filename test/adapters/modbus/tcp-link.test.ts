// The TCP link against slaves that behave and slaves that do not, on real sockets.
import t, { type Test } from 'tap';
import { openModbusLink } from '../../../adapters/modbus/open-links.js';
import type { ModbusFault } from '../../../adapters/modbus/link.js';
import type { Result } from '../../../gateway/kernel/result.js';
import { modbusFrame, startModbusSlave, type ModbusSlaveOptions } from '../../../simulation/modbus-slave.js';
import { FakeClock } from '../../fakes/fake-clock.js';
import { recordingLog } from '../../fakes/recording-log.js';
import { pass, until } from './pump.js';

type Answer = NonNullable<ModbusSlaveOptions['answer']>;

async function bench(test: Test, answer?: Answer) {
  const clock = new FakeClock();
  const holding = new Map(Array.from({ length: 20 }, (_, i) => [i, 100 + i]));
  const slave = await startModbusSlave({
    units: new Map([
      [1, { holding }],
      [2, { holding: new Map([[0, 7]]) }],
    ]),
    ...(answer === undefined ? {} : { answer }),
  });
  const link = openModbusLink({ kind: 'tcp', host: '127.0.0.1', port: slave.port }, { clock, log: recordingLog() });
  test.teardown(async () => {
    await link.stop();
    await slave.stop();
  });
  return { clock, slave, link, holding };
}

/** Answers wrongly the first time, then plainly. */
const once = (wrong: Answer): Answer => {
  let first = true;
  return (request, plain, socket) => {
    if (!first) return plain;
    first = false;
    return wrong(request, plain, socket);
  };
};

const words = (outcome: Result<Buffer, ModbusFault>): readonly number[] | string =>
  outcome.ok
    ? Array.from({ length: outcome.value.length / 2 }, (_, i) => outcome.value.readUInt16BE(i * 2))
    : outcome.error.kind;

t.test('reads, writes one and several registers, and units share one connection', async (test) => {
  const { link, slave, holding } = await bench(test);
  const [a, b, c] = await Promise.all([
    link.read(1, 3, 0, 3, {}),
    link.read(2, 4, 0, 1, {}),
    link.write(1, 16, 4, Buffer.from([0, 1, 0, 2]), {}),
  ]);
  test.same(words(a), [100, 101, 102]);
  test.same(words(b), [7]);
  test.ok(c.ok);
  test.ok((await link.write(1, 6, 6, Buffer.from([0x12, 0x34]), {})).ok);
  test.same([holding.get(4), holding.get(5), holding.get(6)], [1, 2, 0x1234]);
  test.equal(slave.connections, 1);
});

t.test('an exception is a value and keeps the connection', async (test) => {
  const { link, slave } = await bench(test);
  test.same(await link.read(1, 3, 500, 1, {}), { ok: false, error: { kind: 'exception', code: 2 } });
  test.same(words(await link.read(1, 3, 0, 1, {})), [100]);
  test.equal(slave.connections, 1);
});

const misbehaviour: Readonly<Record<string, { readonly answer: Answer; readonly kind: ModbusFault['kind'] }>> = {
  'another transaction': {
    kind: 'protocol',
    answer: (request) => modbusFrame(request.transaction + 1, request.unit, Buffer.from([3, 2, 0, 1])),
  },
  'another unit': {
    kind: 'protocol',
    answer: (request) => modbusFrame(request.transaction, 9, Buffer.from([3, 2, 0, 1])),
  },
  'another function': {
    kind: 'protocol',
    answer: (request) => modbusFrame(request.transaction, request.unit, Buffer.from([4, 2, 0, 1])),
  },
  'a function that does not exist': {
    kind: 'protocol',
    answer: (request) => modbusFrame(request.transaction, request.unit, Buffer.from([0x63, 2, 0, 1])),
  },
  'an exception to another function': {
    kind: 'protocol',
    answer: (request) => modbusFrame(request.transaction, request.unit, Buffer.from([0x90, 2])),
  },
  'fewer registers than asked for': {
    kind: 'protocol',
    answer: (request) => modbusFrame(request.transaction, request.unit, Buffer.from([3, 0])),
  },
  'a byte count that lies': {
    kind: 'protocol',
    answer: (request) => modbusFrame(request.transaction, request.unit, Buffer.from([3, 2, 0])),
  },
  'another protocol': { kind: 'protocol', answer: () => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n') },
  'a frame longer than any': { kind: 'protocol', answer: () => Buffer.from([0, 1, 0, 0, 0xff, 0xff, 1, 3, 2]) },
  'half a frame, then closes': {
    kind: 'unreachable',
    answer: (_request, plain, socket) => {
      socket.end(plain?.subarray(0, 8) ?? '');
      return undefined;
    },
  },
  'half a frame, then nothing': { kind: 'protocol', answer: (_request, plain) => plain?.subarray(0, 8) },
  nothing: { kind: 'timeout', answer: () => undefined },
};

for (const [name, { answer, kind }] of Object.entries(misbehaviour)) {
  t.test(`answers ${name}: the request fails, the next one is right over a fresh connection`, async (test) => {
    const { link, slave, clock } = await bench(test, once(answer));
    let outcome: string | readonly number[] | undefined;
    const asked = link.read(1, 3, 0, 1, {}).then((result) => (outcome = words(result)));
    await until(clock, () => outcome !== undefined, 'the outcome', 3000);
    await asked;
    test.equal(outcome, kind);
    test.same(words(await link.read(1, 3, 1, 1, {})), [101]);
    test.equal(slave.connections, 2);
  });
}

t.test('an answer that comes after its time-out never reaches the next request', async (test) => {
  let late: (() => void) | undefined;
  const { link, clock } = await bench(
    test,
    once((_request, plain, socket) => {
      late = () => socket.write(plain ?? '');
      return undefined;
    }),
  );
  let first: unknown;
  void link.read(1, 3, 0, 1, { timeoutMs: 1000 }).then((result) => (first = words(result)));
  await until(clock, () => late !== undefined, 'the request to arrive', 500);
  await clock.advance(1000);
  test.equal(first, 'timeout');
  const second = link.read(1, 3, 5, 1, {});
  late?.();
  test.same(words(await second), [105]);
});

t.test('two answers in one segment: the first counts, the connection does not', async (test) => {
  const { link, slave } = await bench(
    test,
    once((_request, plain) => (plain === undefined ? undefined : Buffer.concat([plain, plain]))),
  );
  test.same(words(await link.read(1, 3, 2, 1, {})), [102]);
  test.same(words(await link.read(1, 3, 3, 1, {})), [103]);
  test.equal(slave.connections, 2);
});

t.test(
  'two answers in one segment while another request waits: that one goes over a fresh connection',
  async (test) => {
    const { link, slave, clock } = await bench(
      test,
      once((_request, plain) => (plain === undefined ? undefined : Buffer.concat([plain, plain]))),
    );
    const seen: unknown[] = [];
    for (const address of [2, 3]) void link.read(1, 3, address, 1, {}).then((outcome) => seen.push(words(outcome)));
    await until(clock, () => seen.length === 2, 'both answers', 1000);
    test.same(seen, [[102], [103]]);
    test.equal(slave.connections, 2);
  },
);

t.test('an answer in single bytes is put together', async (test) => {
  const { link } = await bench(test, (_request, plain, socket) => {
    for (const byte of plain ?? []) socket.write(Buffer.from([byte]));
    return undefined;
  });
  test.same(words(await link.read(1, 3, 0, 4, {})), [100, 101, 102, 103]);
});

t.test('a write whose echo differs is not taken for done', async (test) => {
  const { link } = await bench(
    test,
    once((request) => modbusFrame(request.transaction, request.unit, Buffer.from([6, 0, 6, 0, 9]))),
  );
  const written = await link.write(1, 6, 6, Buffer.from([0, 1]), {});
  test.equal(written.ok ? 'ok' : written.error.kind, 'protocol');
});

t.test('nobody there: fails, backs off, and connects when the device is back', async (test) => {
  const clock = new FakeClock();
  const slave = await startModbusSlave({ units: new Map([[1, { holding: new Map([[0, 1]]) }]]) });
  const { port } = slave;
  await slave.stop();
  const link = openModbusLink({ kind: 'tcp', host: '127.0.0.1', port }, { clock, log: recordingLog() });
  test.teardown(() => link.stop());
  for (let attempt = 0; attempt < 4; attempt++) {
    test.equal(words(await link.read(1, 3, 0, 1, {})), 'unreachable', `attempt ${attempt}`);
  }
  const back = await startModbusSlave({ port, units: new Map([[1, { holding: new Map([[0, 1]]) }]]) });
  test.teardown(() => back.stop());
  test.equal(words(await link.read(1, 3, 0, 1, {})), 'unreachable', 'still backing off: no connection is tried');
  test.equal(back.connections, 0);
  await clock.advance(10_000);
  test.same(words(await link.read(1, 3, 0, 1, {})), [1]);
});

t.test('keeps the pauses a device asks for, and lets writes go first', async (test) => {
  const sent: { readonly fc: number; readonly at: number }[] = [];
  const { link, clock } = await bench(test, (request, plain) => {
    sent.push({ fc: request.fc, at: clock.monotonic() });
    return plain;
  });
  const io = { minReadIntervalMs: 500, minWriteIntervalMs: 5000 };
  let done = 0;
  const count = (): number => (done += 1);
  for (let i = 0; i < 3; i++) void link.read(1, 3, i, 1, io).then(count);
  for (let i = 0; i < 2; i++) void link.write(1, 6, i, Buffer.from([0, 1]), io).then(count);
  await until(clock, () => done === 5, 'all answers', 10_000);
  test.same(
    sent.map(({ fc }) => fc),
    [6, 3, 3, 3, 6],
    'the first write overtakes the reads, the second waits its five seconds',
  );
  const reads = sent.filter(({ fc }) => fc === 3).map(({ at }) => at);
  const writes = sent.filter(({ fc }) => fc === 6).map(({ at }) => at);
  test.ok(reads.every((at, i) => i === 0 || at - (reads[i - 1] ?? 0) >= 500));
  test.ok((writes[1] ?? 0) - (writes[0] ?? 0) >= 5000);
});

t.test('closes an idle connection before the device does, and opens another when needed', async (test) => {
  const { link, slave, clock } = await bench(test);
  const io = { idleCloseSeconds: 60 };
  test.same(words(await link.read(1, 3, 0, 1, io)), [100]);
  await pass(clock, 60_000, 5000);
  test.same(words(await link.read(1, 3, 0, 1, io)), [100]);
  test.equal(slave.connections, 2);
});

t.test('stopping fails what waits', async (test) => {
  const { link } = await bench(test, () => undefined);
  const waiting = [link.read(1, 3, 0, 1, {}), link.read(1, 3, 1, 1, {})];
  await link.stop();
  test.same((await Promise.all(waiting)).map(words), ['unreachable', 'unreachable']);
  test.equal(words(await link.read(1, 3, 0, 1, {})), 'unreachable');
});
