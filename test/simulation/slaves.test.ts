// Simulated Modbus devices of every profile, read and written over real sockets by the code that will talk to the real ones.
import t, { type Test } from 'tap';
import { ModbusDevice } from '../../adapters/modbus/device.js';
import type { ChargerProfile, MeterProfile } from '../../adapters/modbus/device-profile.js';
import type { ModbusLink } from '../../adapters/modbus/link.js';
import { openModbusLink } from '../../adapters/modbus/open-links.js';
import { evseState } from '../../adapters/modbus/evse-state.js';
import { openModbusMeter } from '../../adapters/meter-modbus/driver.js';
import { circuitId, evseNumber, meterId, stationId } from '../../gateway/kernel/ids.js';
import { ampere, milliseconds, seconds } from '../../gateway/kernel/units.js';
import { systemClock } from '../../gateway/system-clock.js';
import type { MeterReading } from '../../gateway/site/metering.js';
import { PHASES, perPhase, type Phase, type Site } from '../../gateway/site/topology.js';
import { CAR_MODELS, Car, type CarModel } from '../../simulation/car.js';
import { demoSite } from '../../simulation/demo-site.js';
import { startSlaves, type Slaves } from '../../simulation/slaves.js';
import { World } from '../../simulation/world.js';
import { charger, meterProfiles } from '../fakes/profiles.js';
import { FakeClock } from '../fakes/fake-clock.js';
import { recordingLog } from '../fakes/recording-log.js';

const EVSE = evseNumber(1);
const STATION = stationId('WB');
const METER = meterId('grid');
/** Three phases, 32 A. */
const VAN = CAR_MODELS.filter(({ phases, maxCurrent }) => phases === 3 && maxCurrent === 32)[0] as CarModel;

/** The demo's feeder with one charger and one meter of the given profiles. */
function siteOf(charger: string, meter: string, phases?: readonly Phase[]): Site {
  const site = demoSite({ dataDirectory: '/nowhere', authority: '2.0.1' });
  const [template] = site.stations;
  const [evse] = template?.evses ?? [];
  const [circuit] = site.circuits;
  if (template === undefined || evse === undefined || circuit === undefined) throw new Error('the demo has stations');
  const connection = { kind: 'tcp', host: '10.0.0.9', port: 502 } as const;
  return {
    ...site,
    circuits: [{ ...circuit, meter: METER }],
    meters: [
      {
        id: METER,
        device: meter,
        connection: { ...connection, host: '10.0.0.8' },
        ...(phases !== undefined && { phases }),
      },
    ],
    stations: [
      {
        ...template,
        id: STATION,
        link: { kind: 'modbus', device: charger, connection },
        evses: [{ ...evse, station: STATION, circuit: circuit.id, maxCurrent: ampere(32), phases: ['L1', 'L2', 'L3'] }],
      },
    ],
  };
}

interface Rig {
  readonly clock: FakeClock;
  readonly world: World;
  readonly slaves: Slaves;
  readonly link: (device: typeof STATION | typeof METER) => ModbusLink;
}

async function rig(test: Test, device: string, meter: string, phases?: readonly Phase[]): Promise<Rig> {
  const clock = new FakeClock();
  const loads = new Map([[circuitId('main'), () => perPhase((phase) => ampere(phase === 'L2' ? 12.5 : 3))]]);
  const world = new World(siteOf(device, meter, phases), clock, loads, () => 123_456);
  const slaves = await startSlaves(world, clock);
  const links: ModbusLink[] = [];
  test.teardown(async () => {
    await Promise.all(links.map((link) => link.stop()));
    await slaves.stop();
  });
  return {
    clock,
    world,
    slaves,
    link(device) {
      const port = slaves.slaveOf(device)?.port ?? 0;
      // It keeps the pauses that devices ask for, and nobody here moves the other clock meanwhile.
      const context = { clock: systemClock, log: recordingLog() };
      const link = openModbusLink({ kind: 'tcp', host: '127.0.0.1', port }, context);
      links.push(link);
      return link;
    },
  };
}

const unhurried = (profile: ChargerProfile): ChargerProfile => {
  const { minReadIntervalMs: _, minWriteIntervalMs: __, ...io } = profile.io;
  return { ...profile, io };
};

/** One of each kind of watchdog and of addressing; test/site-config/devices visits all of them. */
const CHARGERS = [
  'alfen-eve-ng9xx',
  'amperfied-connect',
  'innogy-ebox',
  'kathrein-kwb',
  'keba-p30',
  'phoenix-charx-sec',
  'phoenix-em-cp-pp-eth',
  'vestel-evc04',
];

for (const profile of CHARGERS.map(charger)) {
  t.test(`${profile.id}: shows its car and its energy, and obeys what is written`, async (test) => {
    const { clock, world, link } = await rig(test, profile.id, 'janitza-umg604');
    const device = new ModbusDevice(link(STATION), unhurried(profile), { instance: 1 });
    const { hardware } = world.evse(EVSE);
    const run = (time: number): void => {
      for (let i = 0; i < time; i++) world.step(milliseconds(1000));
    };
    const state = async (): Promise<string | undefined> => {
      const names = Object.keys(profile.registers).filter((name) => profile.registers[name]?.read !== undefined);
      const values = await device.read(names);
      return values.ok ? evseState(profile.states, values.value) : JSON.stringify(values.error);
    };
    const write = async (name: string, value: number): Promise<void> => {
      test.same(await device.write(name, value), { ok: true, value: undefined }, `${name} = ${value}`);
    };
    const limit = async (current: number): Promise<void> => {
      for (const { register, value } of profile.control.before) await write(register, value);
      for (const register of [profile.control.setpoint, ...profile.control.alsoSet]) await write(register, current);
      for (const { register, value } of profile.control.resume) await write(register, value);
    };

    for (const { register, value } of profile.control.pause) await write(register, value);
    test.equal(await state(), 'A');
    hardware.plug(new Car(VAN, 0.2));
    run(10);
    test.equal(await state(), 'B', 'paused');
    await limit(10);
    run(30);
    test.equal(await state(), 'C');
    test.ok(Math.abs(hardware.currents[1] - 10) < 0.05, 'follows the setpoint');
    const values = await device.read(['Current.Import.L2', 'Energy.Active.Import.Register', 'Power.Active.Import']);
    if (!values.ok) throw new Error(JSON.stringify(values.error));
    test.ok(Math.abs(Number(values.value.get('Current.Import.L2')) - 10) < 0.05);
    const shown = Number(values.value.get('Energy.Active.Import.Register'));
    const step = profile.registers['Energy.Active.Import.Register']?.scale ?? 1;
    test.ok(Math.abs(shown - hardware.register) < step, `${shown} Wh, and has taken ${hardware.register}`);
    if (device.has('Power.Active.Import'))
      test.ok(Math.abs(Number(values.value.get('Power.Active.Import')) - 6900) < 35);
    for (const { register, value } of profile.control.pause) await write(register, value);
    run(1);
    test.equal(await state(), 'B');
    test.notOk(hardware.charging);
    test.notOk(hardware.locked, 'a paused charger lets the plug go');

    const { watchdog } = profile;
    if (watchdog.kind !== 'none') {
      for (const [name, value] of [
        [watchdog.fallbackCurrent, 6],
        [watchdog.timeout, 60],
      ] as const)
        if (name !== undefined && profile.registers[name]?.write !== undefined) await write(name, value);
    }
    const feed = async (): Promise<void> => {
      if (watchdog.kind === 'rewrite-timeout') await write(watchdog.timeout, 60);
      if (watchdog.kind === 'write-token') await write(watchdog.register, watchdog.token);
    };
    await feed();
    await limit(16);
    run(30);
    test.ok(Math.abs(hardware.currents[0] - 16) < 0.05);
    await clock.advance(seconds(61));
    run(30);
    const expected = watchdog.kind === 'none' ? 16 : 6;
    test.ok(Math.abs(hardware.currents[0] - expected) < 0.05, `silent gateway: ${hardware.currents[0]} A`);
    await feed();
    await limit(12);
    run(30);
    test.ok(Math.abs(hardware.currents[0] - 12) < 0.05, 'back under control');
  });
}

const read = async (test: Test, { world, clock, link }: Rig, profile: MeterProfile): Promise<MeterReading> => {
  const [meter] = world.site.meters;
  if (meter === undefined) throw new Error('the site has a meter');
  return new Promise<MeterReading>((resolve) => {
    const log = recordingLog();
    const prompt = { ...profile, io: { ...profile.io, requestDelayMs: 0 } };
    const driver = openModbusMeter(meter, prompt, link(METER), { reading: resolve }, { clock, log });
    test.teardown(() => driver.stop());
  });
};

for (const profile of meterProfiles) {
  t.test(`${profile.id}: measures the chargers and the building`, async (test) => {
    // A meter of one phase sits on L2, another is connected in rotation.
    const wiring: readonly Phase[] = profile.phases === 1 ? ['L2'] : ['L2', 'L3', 'L1'];
    const bench = await rig(test, 'phoenix-charx-sec', profile.id, wiring);
    const { hardware } = bench.world.evse(EVSE);
    hardware.plug(new Car(VAN, 0.2));
    for (let i = 0; i < 60; i++) bench.world.step(milliseconds(1000));
    const reading = await read(test, bench, profile);
    const drawn = hardware.currents[0];
    test.ok(drawn > 25);
    const steps = Object.fromEntries(Object.entries(profile.registers).map(([name, { scale }]) => [name, scale ?? 1]));
    const near = (value: number, expected: number, register: string, least: number): void => {
      const slack = Math.max(least, Math.abs(steps[register] ?? 0) / 2 + 1e-6);
      test.ok(Math.abs(value - expected) <= slack, `${register}: ${value}, is ${expected}`);
    };
    const onPhase = (phase: Phase): number => drawn + (phase === 'L2' ? 12.5 : 3);
    for (const phase of PHASES) {
      const expected = wiring.includes(phase) ? onPhase(phase) : 0;
      near(reading.current[phase], expected, 'Current.Import.L1', 0.02);
    }
    const power = wiring.reduce((sum, phase) => sum + 230 * onPhase(phase), 0);
    near(reading.power ?? 0, power, 'Power.Active.Import', 10);
    if (Object.keys(profile.registers).some((name) => name.startsWith('Energy.Active.Import')))
      test.ok((reading.energyImport ?? 0) >= 4_200_000 - 10, `${reading.energyImport} Wh`);
  });
}
