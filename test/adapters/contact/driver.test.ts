// Contacts over a real socket and a real file: every table, what is neither 0 nor 1, and silence instead of guesses.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openContact, readLineFile, readModbus } from '../../../adapters/contact/driver.js';
import { openModbusLink } from '../../../adapters/modbus/open-links.js';
import { ampere } from '../../../gateway/kernel/units.js';
import type { Contact, ContactInput } from '../../../gateway/site/topology.js';
import { startModbusSlave } from '../../../simulation/modbus-slave.js';
import { FakeClock } from '../../fakes/fake-clock.js';
import { recordingLog } from '../../fakes/recording-log.js';
import { until } from '../modbus/pump.js';

type ModbusInput = Extract<ContactInput, { kind: 'modbus' }>;

const contact = (input: ContactInput): Contact => ({ number: 1, limit: ampere(6), active: 'closed', input });
const at = (table: ModbusInput['table'], address: number, bit?: number): ModbusInput => ({
  kind: 'modbus',
  connection: { kind: 'tcp', host: '127.0.0.1', port: 0 },
  unit: 3,
  table,
  address,
  ...(bit !== undefined && { bit }),
});

async function module(test: Test) {
  const clock = new FakeClock();
  const log = recordingLog();
  const bits = new Map([[0, 1], [1, 0]]); // prettier-ignore
  const holding = new Map([[12, 0b1000], [13, 0]]); // prettier-ignore
  const input = new Map([[12, 7]]); // prettier-ignore
  const slave = await startModbusSlave({ units: new Map([[3, { holding, input, bits }]]) });
  const link = openModbusLink({ kind: 'tcp', host: '127.0.0.1', port: slave.port }, { clock, log });
  test.teardown(async () => {
    await link.stop();
    await slave.stop();
  });
  return { clock, log, slave, link, bits };
}

void t.test('every table of an I/O module', async (t) => {
  const { link } = await module(t);
  const cases: readonly (readonly [ModbusInput, boolean])[] = [
    [at('coil', 0), true],
    [at('coil', 1), false],
    [at('discrete-input', 0), true],
    [at('discrete-input', 1), false],
    [at('holding-register', 12), true],
    [at('holding-register', 13), false],
    [at('holding-register', 12, 3), true],
    [at('holding-register', 12, 2), false],
    [at('input-register', 12, 2), true],
    [at('input-register', 12, 15), false],
  ];
  for (const [input, value] of cases)
    t.same(await readModbus(input, link)(), { ok: true, value }, `${input.table} ${input.address} ${input.bit ?? ''}`);
  t.same(await readModbus(at('coil', 7), link)(), { ok: false, error: 'exception 2' });
});

void t.test('it is read every second, and silence is no word', async (t) => {
  const { clock, log, slave, link, bits } = await module(t);
  const reads: boolean[] = [];
  const host = { read: (_: Contact, closed: boolean) => void reads.push(closed) };
  const input = at('discrete-input', 1);
  const driver = openContact(contact(input), readModbus(input, link), host, { clock, log });
  await until(clock, () => reads.length >= 3, 'three reads');
  t.notOk(reads.includes(true));
  bits.set(1, 1);
  await until(clock, () => reads.at(-1) === true, 'the contact closes');
  await slave.stop();
  await until(clock, () => log.lines.some(({ level }) => level === 'warn'), 'the loss is told');
  const { length } = reads;
  await until(clock, () => clock.monotonic() > 60_000, 'a minute', 120_000);
  t.equal(reads.length, length);
  t.equal(log.lines.filter(({ fields }) => fields.fault === 'FC-B07').length, 1, 'told once');
  await driver.stop();
});

void t.test('a line that Linux shows as a file', async (t) => {
  const path = join(t.testdir({}), 'value');
  const read = readLineFile(path);
  t.match(await read(), { ok: false, error: /ENOENT/ });
  for (const [text, value] of [
    ['0\n', false],
    ['1\n', true],
    ['1', true],
  ] as const) {
    writeFileSync(path, text);
    t.same(await read(), { ok: true, value });
  }
  for (const text of ['', '2', 'in', '10']) {
    writeFileSync(path, text);
    t.same(await read(), { ok: false, error: 'it holds neither 0 nor 1' }, text);
  }
  rmSync(path);
  t.match(await read(), { ok: false });
});
