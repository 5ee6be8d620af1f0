// A serial port with slaves on it that somebody else wrote, and everything that happens to a line in a car park. Skipped without socat.
import t, { type Test } from 'tap';
import { openModbusLink } from '../../../adapters/modbus/open-links.js';
import type { ModbusFault, ModbusLink } from '../../../adapters/modbus/link.js';
import type { Result } from '../../../gateway/kernel/result.js';
import { systemClock } from '../../../gateway/system-clock.js';
import { startModbusSlave } from '../../../simulation/modbus-slave.js';
import { rtuFrame, startRtuSlave, type RtuSlaveOptions } from '../../../simulation/rtu-slave.js';
import { recordingLog } from '../../fakes/recording-log.js';
import { folder, libmodbus, mbpoll, noLibmodbus, noMbpoll, noPymodbus, noSocat, plug, pymodbus } from './peers.js';

const LINE = { baudRate: 115_200, parity: 'none', stopBits: 1 } as const;

const shown = (outcome: Result<Buffer | void, ModbusFault>): string => {
  if (outcome.ok) return outcome.value?.toString('hex') ?? 'done';
  return outcome.error.kind === 'exception' ? `exception ${outcome.error.code}` : outcome.error.kind;
};

const holding = (unit: number): Map<number, number> =>
  new Map(Array.from({ length: 50 }, (_, i) => [i, unit * 256 + i]));

/** Slaves 1, 2 and 3 behind a serial port at the end of which the link is. */
async function bench(test: Test, answer?: RtuSlaveOptions['answer']) {
  const units = new Map([1, 2, 3].map((unit) => [unit, { holding: holding(unit) }]));
  const slave = await startRtuSlave({ units, ...(answer && { answer }) });
  test.teardown(() => slave.stop());
  const path = `${folder(test)}/bus`;
  const { unplug } = await plug(test, path, { port: slave.port });
  const log = recordingLog();
  const link = openModbusLink({ kind: 'serial', path, ...LINE }, { clock: systemClock, log });
  test.teardown(() => link.stop());
  return { slave, link, path, unplug, log };
}

const read = async (link: ModbusLink, unit: number, address = 0): Promise<string> =>
  shown(await link.read(unit, 3, address, 1, { timeoutMs: 300 }));

/** Asks until the answer is as expected; the test's own time-out ends it otherwise. */
async function until(wanted: string, ask: () => Promise<string>): Promise<void> {
  for (let seen = await ask(); seen !== wanted; seen = await ask()) {
    // A refusal comes at once: the line gets its turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

t.test('libmodbus on a serial port, even parity', { skip: noSocat || noLibmodbus }, async (test) => {
  const here = folder(test);
  await plug(test, `${here}/a`, { path: `${here}/b` });
  await libmodbus(test, `${here}/b`, 19_200, 'E', 1);
  const connection = { kind: 'serial', path: `${here}/a`, baudRate: 19_200, parity: 'even', stopBits: 1 } as const;
  const link = openModbusLink(connection, { clock: systemClock, log: recordingLog() });
  test.teardown(() => link.stop());
  test.equal(shown(await link.read(7, 3, 0, 2, {})), '00000000');
  test.equal(shown(await link.write(7, 6, 1, Buffer.from([0x12, 0x34]), {})), 'done');
  test.equal(shown(await link.write(7, 16, 2, Buffer.from([0, 1, 0, 2]), {})), 'done');
  test.equal(shown(await link.read(7, 3, 0, 4, {})), '0000123400010002');
  test.equal(shown(await link.read(7, 4, 199, 1, {})), '0000');
  test.equal(shown(await link.read(7, 3, 200, 1, {})), 'exception 2');
});

t.test('pymodbus on a serial port', { skip: noSocat || noPymodbus }, async (test) => {
  const path = `${folder(test)}/bus`;
  await plug(test, path, { port: await pymodbus(test, 'rtu') });
  const link = openModbusLink({ kind: 'serial', path, ...LINE }, { clock: systemClock, log: recordingLog() });
  test.teardown(() => link.stop());
  test.equal(shown(await link.read(2, 4, 0, 1, {})), '004d');
  test.equal(shown(await link.write(2, 6, 5, Buffer.from([0x12, 0x34]), {})), 'done');
  test.equal(shown(await link.read(2, 3, 5, 1, {})), '1234');
  test.equal(shown(await link.read(2, 3, 5000, 1, {})), 'exception 2');
});

t.test('mbpoll reads and writes the simulated slaves, serial and TCP', { skip: noSocat || noMbpoll }, async (test) => {
  const { path, link } = await bench(test);
  await link.stop();
  const line = ['-m', 'rtu', '-a', '2', '-b', '115200', '-P', 'none'];
  test.match(await mbpoll(...line, '-r', '3', '-c', '2', path), /\[3\]:\s+515\s+\[4\]:\s+516/);
  test.match(await mbpoll(...line, '-r', '3', path, '77'), /Written 1 references/);
  test.match(await mbpoll(...line, '-r', '3', path), /\[3\]:\s+77/);
  test.match(await mbpoll(...line, '-r', '500', path), /Illegal data address/);
  const tcp = await startModbusSlave({ units: new Map([[1, { holding: holding(1) }]]) });
  test.teardown(() => tcp.stop());
  test.match(await mbpoll('-m', 'tcp', '-p', `${tcp.port}`, '-r', '5', '127.0.0.1'), /\[5\]:\s+261/);
});

t.test('two units interleaved, on one opened port', { skip: noSocat }, async (test) => {
  const { link, slave } = await bench(test);
  const asked = Array.from({ length: 40 }, (_, i) => read(link, 1 + (i % 2), i));
  const expected = Array.from({ length: 40 }, (_, i) => `0${1 + (i % 2)}${i.toString(16).padStart(2, '0')}`);
  test.same(await Promise.all(asked), expected);
  test.equal(slave.connections, 1);
});

const oddities: Readonly<
  Record<string, { readonly answer: NonNullable<RtuSlaveOptions['answer']>; readonly seen: string }>
> = {
  'an exception': { answer: () => rtuFrame(1, Buffer.from([0x83, 6])), seen: 'exception 6' },
  garbage: { answer: () => Buffer.from('c0ffee00ff', 'hex'), seen: 'protocol' },
  'half a frame': { answer: (_, plain) => plain?.subarray(0, 4), seen: 'protocol' },
  'a short reply': { answer: () => rtuFrame(1, Buffer.from([3, 0])), seen: 'protocol' },
  'another unit': { answer: (_, plain) => rtuFrame(2, plain?.subarray(1, -2) ?? Buffer.alloc(0)), seen: 'protocol' },
  nothing: { answer: () => undefined, seen: 'timeout' },
  'with its echo': { answer: ({ frame }, plain) => Buffer.concat([frame, plain ?? Buffer.alloc(0)]), seen: '0100' },
  'in a heap of noise': {
    answer: (_, plain) => Buffer.concat([Buffer.from([0, 0xff]), plain ?? Buffer.alloc(0), Buffer.from([0])]),
    seen: '0100',
  },
};

for (const [name, { answer, seen }] of Object.entries(oddities)) {
  t.test(`unit 1 answers ${name}: ${seen}; unit 2 and the next answer are right`, { skip: noSocat }, async (test) => {
    let odd = true;
    const { link } = await bench(test, (request, plain, line) =>
      odd && request.unit === 1 ? answer(request, plain, line) : plain,
    );
    const both = await Promise.all([read(link, 1), read(link, 2)]);
    test.same(both, [seen, '0200']);
    odd = false;
    await until('0101', () => read(link, 1, 1));
    test.equal(await read(link, 2, 7), '0207');
  });
}

t.test('an answer that comes after its time reaches nobody', { skip: noSocat }, async (test) => {
  const held: Buffer[] = [];
  const { link, slave } = await bench(test, ({ unit }, plain) => {
    if (unit !== 1 || held.length > 0 || plain === undefined) return plain;
    held.push(plain);
    return undefined;
  });
  test.equal(await read(link, 1, 0x10), 'timeout');
  const next = Promise.all([read(link, 1, 0x20), read(link, 2, 0x21)]);
  slave.say(held[0] ?? Buffer.alloc(0));
  test.same(await next, ['0120', '0221']);
});

t.test('the adapter is pulled out and plugged in again', { skip: noSocat }, async (test) => {
  const { link, slave, path, unplug, log } = await bench(test);
  test.equal(await read(link, 1), '0100');
  await unplug();
  const named = (): boolean => log.lines.some(({ fields }) => fields.fault === 'FC-M03');
  await until('named', async () => (await read(link, 1), named() ? 'named' : 'not yet'));
  await plug(test, path, { port: slave.port });
  await until('0102', () => read(link, 1, 2));
  test.equal(slave.connections, 2);
});

t.test('a port that is not there', { skip: false }, async (test) => {
  const log = recordingLog();
  const path = `${folder(test)}/nothing`;
  const link = openModbusLink({ kind: 'serial', path, ...LINE }, { clock: systemClock, log });
  test.teardown(() => link.stop());
  test.equal(await read(link, 1), 'unreachable');
  test.match(
    log.lines.find(({ fields }) => fields.fault === 'FC-M03'),
    { level: 'warn', fields: { peer: `serial:${path}`, reason: /No such file/ } },
  );
});

t.test('a serial server on TCP: the slaves restart, the server restarts', async (test) => {
  const units = new Map([[1, { holding: holding(1) }]]);
  const first = await startRtuSlave({ units });
  const connection = { kind: 'rtu-over-tcp', host: '127.0.0.1', port: first.port } as const;
  const link = openModbusLink(connection, { clock: systemClock, log: recordingLog() });
  test.teardown(() => link.stop());
  test.equal(await read(link, 1), '0100');
  await first.stop();
  await until('unreachable', () => read(link, 1));
  const second = await startRtuSlave({ units, port: first.port });
  test.teardown(() => second.stop());
  await until('0105', () => read(link, 1, 5));
});
