// Meters over a real socket: direction of currents, the SunSpec walk, set-up, and silence instead of guesses.
import t, { type Test } from 'tap';
import { openModbusMeter } from '../../../adapters/meter-modbus/driver.js';
import type { MeterProfile } from '../../../adapters/modbus/device-profile.js';
import { openModbusLink } from '../../../adapters/modbus/open-links.js';
import { meterId } from '../../../gateway/kernel/ids.js';
import type { MeterReading } from '../../../gateway/site/metering.js';
import type { Phase } from '../../../gateway/site/topology.js';
import { startModbusSlave, type SlaveUnit } from '../../../simulation/modbus-slave.js';
import { FakeClock } from '../../fakes/fake-clock.js';
import { recordingLog } from '../../fakes/recording-log.js';
import { pass, until } from '../modbus/pump.js';
import { meter } from '../../fakes/profiles.js';

const carloGavazziEm24Ethernet = meter('carlo-gavazzi-em24-ethernet');
const janitzaUmg604 = meter('janitza-umg604');
const sunspecMeter = meter('sunspec-meter-201-204');

async function bench(
  test: Test,
  profile: MeterProfile,
  units: ReadonlyMap<number, SlaveUnit>,
  unit?: number,
  phases?: readonly Phase[],
) {
  const clock = new FakeClock();
  const log = recordingLog();
  const slave = await startModbusSlave({ units });
  const link = openModbusLink({ kind: 'tcp', host: '127.0.0.1', port: slave.port }, { clock, log });
  const readings: MeterReading[] = [];
  const meter = {
    id: meterId('grid'),
    device: profile.id,
    connection: { kind: 'tcp' as const, host: '127.0.0.1', port: slave.port },
    ...(unit === undefined ? {} : { unit }),
    ...(phases === undefined ? {} : { phases }),
  };
  const driver = openModbusMeter(
    meter,
    profile,
    link,
    { reading: (reading) => readings.push(reading) },
    { clock, log },
  );
  test.teardown(async () => {
    await link.stop();
    await driver.stop();
    await slave.stop();
  });
  return { clock, log, slave, readings };
}

function float(into: Map<number, number>, address: number, value: number): void {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  into.set(address, view.getUint16(0)).set(address + 1, view.getUint16(2));
}

function lowWordFirst(into: Map<number, number>, address: number, value: number): void {
  into.set(address, value & 0xffff).set(address + 1, (value >> 16) & 0xffff);
}

function janitza(): Map<number, number> {
  const holding = new Map<number, number>();
  [10, 20, 30].forEach((value, i) => float(holding, 1325 + i * 2, value));
  [2300, -4600, 6900].forEach((value, i) => float(holding, 1333 + i * 2, value));
  float(holding, 1369, 4600);
  float(holding, 9851, 123_456);
  float(holding, 9863, 1024);
  return holding;
}

t.test('a phase that exports has a negative current, though the meter gives its size only', async (test) => {
  const { clock, readings } = await bench(test, janitzaUmg604, new Map([[1, { holding: janitza() }]]));
  await until(clock, () => readings.length > 0, 'a reading', 2000);
  test.match(readings[0], {
    meter: 'grid',
    current: { L1: 10, L2: -20, L3: 30 },
    power: 4600,
    energyImport: 123_456,
    energyExport: 1024,
  });
});

t.test('is read every second; while it is silent there are no readings, and one line in the log', async (test) => {
  const units = new Map([[1, { holding: janitza() }]]);
  const { clock, log, slave, readings } = await bench(test, janitzaUmg604, units);
  await until(clock, () => readings.length > 0, 'a reading', 2000);
  const before = readings.length;
  await pass(clock, 10_000);
  test.ok(
    readings.length - before >= 9 && readings.length - before <= 11,
    `${readings.length - before} in ten seconds`,
  );

  units.delete(1);
  await pass(clock, 3000);
  const silent = readings.length;
  await pass(clock, 10_000);
  test.equal(readings.length, silent);
  const warnings = log.lines.filter((line) => line.message === 'meter cannot be read');
  test.ok(warnings.length >= 1 && warnings.length <= 2, `${warnings.length} warnings for many failed reads`);

  units.set(1, { holding: janitza() });
  slave.disconnect();
  await until(clock, () => readings.length > silent, 'a reading after the meter is back', 30_000);
});

t.test('a phase without a value is not taken for 0 A', async (test) => {
  const holding = janitza();
  float(holding, 1327, NaN);
  const { clock, log, readings } = await bench(test, janitzaUmg604, new Map([[1, { holding }]]));
  await pass(clock, 3000);
  test.equal(readings.length, 0);
  test.ok(log.lines.some((line) => line.fields['reason'] === 'the meter does not tell the current of every phase'));
});

t.test('EM24: low word first, kWh to Wh, and the application is set once', async (test) => {
  const input = new Map<number, number>();
  [16_000, 5000, 0].forEach((value, i) => lowWordFirst(input, 12 + i * 2, value));
  [-36_800, 11_500, 0].forEach((value, i) => lowWordFirst(input, 18 + i * 2, value));
  lowWordFirst(input, 40, -25_300);
  lowWordFirst(input, 52, 700_001);
  lowWordFirst(input, 78, 12);
  const holding = new Map([[0xa000, 1]]);
  const writes: (readonly number[])[] = [];
  const unit = { holding, input, onWrite: (_address: number, values: readonly number[]) => writes.push(values) };
  const { clock, readings } = await bench(test, carloGavazziEm24Ethernet, new Map([[1, unit]]));
  await until(clock, () => readings.length > 2, 'readings', 5000);
  test.same(writes, [[7]]);
  test.match(readings[0], {
    current: { L1: -16, L2: 5, L3: 0 },
    power: -2530,
    energyImport: 70_000_100,
    energyExport: 1200,
  });
});

/** A SunSpec device: marker, common model, then the meter model at the end of the list. */
function sunspec(base: number, model: number): Map<number, number> {
  const holding = new Map<number, number>();
  const put = (at: number, ...words: number[]) => words.forEach((word, i) => holding.set(at + i, word & 0xffff));
  put(base, 0x5375, 0x6e53);
  put(base + 2, 1, 66, ...Array.from({ length: 66 }, () => 0));
  const block = base + 70;
  put(block, model, 105, ...Array.from({ length: 105 }, () => 0x8000));
  put(block + 3, 1234, model === 201 ? 0x8000 : -567, model === 201 ? 0x8000 : 89, -2);
  put(block + 18, 40, 28, -13, 2, 2);
  put(block + 38, 0, 0);
  put(block + 46, 1, 0);
  put(block + 54, 1);
  put(block + 107, 0xffff, 0);
  return holding;
}

for (const [base, unit] of [
  [40_000, 1],
  [50_000, 71],
] as const) {
  t.test(`SunSpec model 203 behind another model at ${base}, unit ${unit}`, async (test) => {
    const units = new Map([[unit, { holding: sunspec(base, 203) }]]);
    const { clock, readings } = await bench(test, sunspecMeter, units, unit);
    await until(clock, () => readings.length > 0, 'a reading', 2000);
    test.match(readings[0], { current: { L1: 12.34, L2: -5.67, L3: 0.89 }, power: 4000, energyImport: 655_360 });
    test.equal(readings[0]?.energyExport, undefined, 'an accumulator of 0 is "not available"');
  });
}

t.test('SunSpec model 201 measures one phase: the others are 0, on 203 they would be missing', async (test) => {
  const one = await bench(test, sunspecMeter, new Map([[1, { holding: sunspec(0, 201) }]]));
  await until(one.clock, () => one.readings.length > 0, 'a reading', 2000);
  test.match(one.readings[0]?.current, { L1: 12.34, L2: 0, L3: 0 });

  const holding = sunspec(40_000, 203);
  holding.set(40_070 + 5, 0x8000);
  const three = await bench(test, sunspecMeter, new Map([[1, { holding }]]));
  await pass(three.clock, 2000);
  test.equal(three.readings.length, 0);
});

t.test('a list of SunSpec models that never ends is given up', async (test) => {
  const holding = new Map<number, number>([
    [40_000, 0x5375],
    [40_001, 0x6e53],
  ]);
  for (let at = 40_002; at < 41_000; at++) holding.set(at, at % 2 === 0 ? 5 : 0);
  const { clock, log, readings } = await bench(test, sunspecMeter, new Map([[1, { holding }]]));
  await pass(clock, 3000);
  test.equal(readings.length, 0);
  test.ok(log.lines.some((line) => line.fields['reason'] === 'no SunSpec meter model found'));
});

/** A map of `uint32` and `int32` values, the high register first. */
function integers(values: Readonly<Record<number, number>>): Map<number, number> {
  const words = new Map<number, number>();
  for (const [address, value] of Object.entries(values))
    words.set(Number(address), Math.floor(value / 65_536) & 0xffff).set(Number(address) + 1, value & 0xffff);
  return words;
}

async function firstReading(test: Test, name: string, unit: number, memory: SlaveUnit, phases?: readonly Phase[]) {
  const { clock, readings } = await bench(test, meter(name), new Map([[unit, memory]]), unit, phases);
  await until(clock, () => readings.length > 0, 'a reading', 3000);
  return readings[0];
}

t.test('KSEM: import and export have a register each, without a sign, for every phase', async (test) => {
  const holding = integers({ 0: 0, 2: 46_000, 40: 11_500, 42: 0, 80: 0, 82: 46_000, 120: 0, 122: 11_500 });
  for (const [address, value] of integers({ 60: 5000, 100: 20_000, 140: 5000, 512: 0, 514: 20, 516: 0, 518: 30 }))
    holding.set(address, value);
  test.match(await firstReading(test, 'kostal-ksem-g2', 71, { holding }), {
    current: { L1: 5, L2: -20, L3: -5 },
    power: -4600,
    energyImport: 2,
    energyExport: 3,
  });
});

t.test(
  'a total of export says nothing of one phase: without power per phase, currents count as import',
  async (test) => {
    const holding = integers({ 0: 0, 2: 46_000, 10: 5000, 12: 20_000, 14: 5000, 0x4000: 7, 0x4100: 9 });
    test.match(await firstReading(test, 'dzg-dvh4013', 1, { holding }), {
      current: { L1: 5, L2: 20, L3: 5 },
      power: -4600,
      energyImport: 7,
      energyExport: 9,
    });
  },
);

t.test('a meter of one phase: its total is that of the phase, which is the one of site.yaml', async (test) => {
  const input = new Map<number, number>();
  lowWordFirst(input, 2, 16_000);
  lowWordFirst(input, 4, -36_800);
  lowWordFirst(input, 16, 1);
  lowWordFirst(input, 32, 2);
  const em111 = 'carlo-gavazzi-em111-em112-et112';
  test.match(await firstReading(test, em111, 1, { holding: new Map(), input }, ['L2']), {
    current: { L1: 0, L2: -16, L3: 0 },
    power: -3680,
    energyImport: 100,
    energyExport: 200,
  });
  test.match(await firstReading(test, em111, 1, { holding: new Map(), input }), { current: { L1: -16, L2: 0, L3: 0 } });
});

t.test('a meter that is connected in rotation', async (test) => {
  const reading = await firstReading(test, 'janitza-umg604', 1, { holding: janitza() }, ['L3', 'L1', 'L2']);
  test.match(reading, { current: { L3: 10, L1: -20, L2: 30 }, power: 4600 });
});

t.test('power and energy are the sums of the phases where a meter has no total', async (test) => {
  const input = new Map<number, number>();
  const low = (address: number, value: number): void => {
    const words = new Map<number, number>();
    float(words, 0, value);
    input.set(address, words.get(1) ?? 0).set(address + 1, words.get(0) ?? 0);
  };
  [10, 20, 30].forEach((value, i) => low(2005 + 20 * i, value));
  [2300, -4600, 6900].forEach((value, i) => low(2007 + 20 * i, value));
  [100, 200, 400].forEach((value, i) => low(2310 + 20 * i, value));
  [1, 2, NaN].forEach((value, i) => low(2312 + 20 * i, value));
  const reading = await firstReading(test, 'shelly-pro-3em-monophase', 1, { holding: new Map(), input });
  test.match(reading, { current: { L1: 10, L2: -20, L3: 30 }, power: 4600, energyImport: 700 });
  test.equal(reading?.energyExport, undefined, 'a sum that lacks a phase is no sum');
});

t.test('SolarEdge counts export as positive', async (test) => {
  const reading = await firstReading(test, 'solaredge-inverter-meter', 1, { holding: sunspec(40_000, 203) });
  test.match(reading, { current: { L1: -12.34, L2: 5.67, L3: -0.89 }, power: -4000 });
});

t.test('SunSpec model 213 tells floats', async (test) => {
  const holding = new Map([0x5375, 0x6e53, 213, 124].map((word, i) => [40_000 + i, word]));
  for (let at = 40_004; at < 40_128; at++) holding.set(at, at % 2 === 0 ? 0x7fc0 : 0);
  for (const [offset, value] of [
    [4, 12.5],
    [6, 5.25],
    [8, 1],
    [28, 4000],
    [30, 2875],
    [32, -1207.5],
    [34, 230],
    [68, 1024],
  ] as const)
    float(holding, 40_002 + offset, value);
  const reading = await firstReading(test, 'sunspec-meter-211-214', 1, { holding });
  test.match(reading, { current: { L1: 12.5, L2: -5.25, L3: 1 }, power: 4000, energyImport: 1024 });
  test.equal(reading?.energyExport, undefined, 'what is not a number is not there');
});

t.test('a counter that a version of the meter refuses is done without, and asked for no more', async (test) => {
  const holding = janitza();
  holding.delete(9863);
  let requests = 0;
  const unit = { holding, onRequest: () => void requests++ };
  const { clock, log, readings } = await bench(test, janitzaUmg604, new Map([[1, unit]]));
  await until(clock, () => readings.length > 2, 'readings', 6000);
  test.match(readings[0], { current: { L1: 10, L2: -20, L3: 30 }, power: 4600 });
  test.match(readings[2], { current: { L1: 10, L2: -20, L3: 30 }, power: 4600, energyImport: 123_456 });
  test.equal(readings[2]?.energyExport, undefined);
  const told = log.lines.filter(({ message }) => message === 'meter does not count this direction of energy');
  test.same(
    told.map(({ fields }) => fields['direction']),
    ['export'],
  );
  const before = requests;
  const seen = readings.length;
  await until(clock, () => readings.length > seen + 3, 'readings', 6000);
  // Import of energy, currents, power of the phases, power in total.
  test.ok((requests - before) / (readings.length - seen) < 5, `${requests - before} requests`);
});

t.test('without its currents there is no reading, whatever else it tells', async (test) => {
  const holding = janitza();
  holding.delete(1329);
  const { clock, log, readings } = await bench(test, janitzaUmg604, new Map([[1, { holding }]]));
  await pass(clock, 3000);
  test.equal(readings.length, 0);
  test.ok(log.lines.some((line) => line.fields['reason'] === 'exception 2'));
});
