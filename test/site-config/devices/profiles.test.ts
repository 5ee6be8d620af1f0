// Visits every device profile: its registers decode over a real socket, its states are complete, its setpoint makes the round trip.
import t, { type Test } from 'tap';
import { ModbusDevice } from '../../../adapters/modbus/device.js';
import type { ChargerProfile, DeviceProfile, Match, Register } from '../../../adapters/modbus/device-profile.js';
import type { ModbusLink } from '../../../adapters/modbus/link.js';
import { wordsOf } from '../../../adapters/modbus/register-value.js';
import { openModbusLink } from '../../../adapters/modbus/open-links.js';
import { evseState, stateRegisters } from '../../../adapters/station-modbus/evse-state.js';
import { chargerProfiles, meterProfiles, profiles } from '../../fakes/profiles.js';
import { startModbusSlave, type ModbusSlaveOptions, type SlaveRegisters } from '../../../simulation/modbus-slave.js';
import { systemClock } from '../../../gateway/system-clock.js';
import { recordingLog } from '../../fakes/recording-log.js';

const SUNSPEC_BASE = 40_002;
const POWER = -2;

/** A raw value for the register, and what it should be read as; made here, not by the code under test. */
function known(name: string, register: Register): { readonly raw: DataView; readonly value: number | string } {
  const raw = new DataView(new ArrayBuffer(wordsOf(register) * 2));
  const scale = (register.scale ?? 1) * (register.factor === undefined ? 1 : 10 ** POWER);
  switch (register.type) {
    case 'string': {
      const wide = register.encoding === 'utf-16';
      const text = 'Xy9'.slice(0, wide ? raw.byteLength / 2 : raw.byteLength);
      for (let i = 0; i < text.length; i++) {
        if (wide) raw.setUint16(i * 2, text.charCodeAt(i));
        else raw.setUint8(i, text.charCodeAt(i));
      }
      return { raw, value: text };
    }
    case 'uint16':
      raw.setUint16(0, 4321);
      return { raw, value: 4321 * scale };
    case 'int16': {
      const value = name.endsWith('_SF') ? POWER : -4321;
      raw.setInt16(0, value);
      return { raw, value: value * scale };
    }
    case 'uint32':
      raw.setUint32(0, 305_419_896);
      return { raw, value: 305_419_896 * scale };
    case 'int32':
      raw.setInt32(0, -305_419_896);
      return { raw, value: -305_419_896 * scale };
    case 'uint64':
      raw.setBigUint64(0, 305_419_896_000n);
      return { raw, value: 305_419_896_000 * scale };
    case 'int64':
      raw.setBigInt64(0, -305_419_896_000n);
      return { raw, value: -305_419_896_000 * scale };
    case 'float32':
      raw.setFloat32(0, -12.5);
      return { raw, value: -12.5 * scale };
    case 'float64':
      raw.setFloat64(0, 1_234_567.5);
      return { raw, value: 1_234_567.5 * scale };
  }
}

function place(profile: DeviceProfile, register: Register): { readonly unit: number; readonly address: number } {
  const ofStation = register.of === 'station';
  const unit = profile.unit.kind === 'per-evse' && ofStation ? profile.unit.station : profile.unit.unit;
  const { addressing } = profile;
  const offset =
    addressing.kind === 'stride' && !ofStation ? addressing.stride : addressing.kind === 'sunspec' ? SUNSPEC_BASE : 0;
  return { unit, address: register.address + offset };
}

async function linkTo(test: Test, units: ModbusSlaveOptions['units']): Promise<ModbusLink> {
  const slave = await startModbusSlave({ units });
  const link = openModbusLink(
    { kind: 'tcp', host: '127.0.0.1', port: slave.port },
    { clock: systemClock, log: recordingLog() },
  );
  test.teardown(async () => {
    await link.stop();
    await slave.stop();
  });
  return link;
}

const visited: string[] = [];

for (const profile of profiles) {
  visited.push(profile.id);

  t.test(`${profile.id}: every register decodes what a device would hold there`, async (test) => {
    const inputs: SlaveRegisters = new Map();
    const units = new Map<number, { holding: SlaveRegisters; input: SlaveRegisters }>();
    for (const [name, register] of Object.entries(profile.registers)) {
      const { unit, address } = place(profile, register);
      const memory = units.get(unit) ?? { holding: new Map<number, number>(), input: inputs };
      units.set(unit, memory);
      const { raw } = known(name, register);
      const count = wordsOf(register);
      for (let i = 0; i < count; i++) {
        const from = profile.wordOrder === 'little' && register.type !== 'string' ? count - 1 - i : i;
        const lowByteFirst = (register.byteOrder ?? profile.byteOrder) === 'little';
        const word = raw.getUint16(from * 2, lowByteFirst);
        (register.read === 4 ? memory.input : memory.holding).set(address + i, word);
      }
    }
    const link = await linkTo(test, units);
    const unhurried = { ...profile, io: { ...profile.io, minReadIntervalMs: 0, requestDelayMs: 0 } };
    const device = new ModbusDevice(link, unhurried, { instance: 1, base: SUNSPEC_BASE });
    const readable = Object.entries(profile.registers).filter(([, register]) => register.read !== undefined);
    const values = await device.read(readable.map(([name]) => name));
    if (!values.ok) throw new Error(JSON.stringify(values.error));
    for (const [name, register] of readable) {
      const expected = known(name, register).value;
      const value = values.value.get(name);
      if (typeof expected === 'string') test.equal(value, expected, name);
      else
        test.ok(
          typeof value === 'number' && Math.abs(value - expected) < Math.abs(expected) * 1e-9,
          `${name} ${String(value)}`,
        );
    }
    test.equal(values.value.size, readable.length);
  });

  t.test(`${profile.id}: addresses do not overlap and everything it refers to is there`, (test) => {
    const names = Object.keys(profile.registers);
    const taken = new Map<string, string>();
    for (const [name, register] of Object.entries(profile.registers)) {
      test.ok(register.read !== undefined || register.write !== undefined, `${name} can be read or written`);
      const { unit, address } = place(profile, register);
      for (let i = 0; i < wordsOf(register); i++) {
        const key = `${unit} ${register.read ?? 3} ${address + i}`;
        test.equal(taken.get(key), undefined, `${name} at ${key}`);
        taken.set(key, name);
      }
      if (register.factor !== undefined) test.ok(names.includes(register.factor), register.factor);
    }
    test.ok(names.includes(profile.detection.register), 'detection');
    test.end();
  });
}

for (const profile of meterProfiles) {
  t.test(`${profile.id}: measures current and power of every phase that it has`, (test) => {
    const { registers, phases } = profile;
    const measured = ['L1', 'L2', 'L3'].slice(0, phases);
    for (const phase of measured) test.ok(`Current.Import.${phase}` in registers, phase);
    for (const name of Object.keys(registers))
      test.ok(measured.includes(/\.(L\d)$/.exec(name)?.[1] ?? 'L1'), `${name} is a phase that it measures`);
    const total = 'Power.Active.Import' in registers;
    test.ok(total || measured.every((phase) => `Power.Active.Import.${phase}` in registers), 'power in total');
    for (const name of Object.keys(registers)) {
      // Read every second, and of no use beside the total.
      const [, energy] = /^(Energy\.Active\.\w+\.Register)\.L\d$/.exec(name) ?? [];
      if (energy !== undefined) test.notOk(energy in registers, `${name} beside ${energy}`);
    }
    for (const { register, value } of profile.setup) {
      const target = profile.registers[register];
      test.ok(target?.read !== undefined && target.write !== undefined && Number.isInteger(value), register);
    }
    test.end();
  });
}

for (const profile of chargerProfiles) {
  t.test(`${profile.id}: every combination of the values its sources list is a state`, (test) => {
    const deciding = stateRegisters(profile.states);
    for (const values of combinations(profile, deciding)) {
      test.ok(evseState(profile.states, values), JSON.stringify([...values]));
    }
    const states = new Set(profile.states.map((rule) => rule.is));
    for (const state of ['A', 'B', 'C'] as const) test.ok(states.has(state), `can be ${state}`);
    for (const rule of profile.states) {
      for (const [register, match] of Object.entries(rule.when)) {
        const listed = profile.registers[register]?.values ?? [];
        for (const value of named(match)) test.ok(listed.includes(value), `${register} ${value} is a listed value`);
      }
    }
    test.equal(evseState(profile.states, new Map()), undefined, 'no values: no state');
    test.end();
  });

  t.test(`${profile.id}: a setpoint makes the round trip, and what is written can be written`, async (test) => {
    const { control } = profile;
    const setpoint = profile.registers[control.setpoint];
    if (setpoint?.write === undefined) throw new Error('a setpoint is written');
    const { unit, address } = place(profile, setpoint);
    const holding: SlaveRegisters = new Map();
    for (let i = 0; i < wordsOf(setpoint); i++) holding.set(address + i, 0);
    const link = await linkTo(test, new Map([[unit, { holding }]]));
    const registers = { ...profile.registers, [control.setpoint]: { ...setpoint, read: 3 as const } };
    const device = new ModbusDevice(link, { ...profile, registers, io: {} }, { instance: 1 });
    for (const current of [0, control.min, 16, control.max]) {
      test.ok((await device.write(control.setpoint, current)).ok, `${current} A`);
      const back = await device.read([control.setpoint]);
      const value = back.ok ? back.value.get(control.setpoint) : undefined;
      test.ok(
        typeof value === 'number' && Math.abs(value - current) < 0.05,
        `${current} A reads back as ${String(value)}`,
      );
    }
    const written = [...control.pause, ...control.resume].map(({ register }) => register);
    for (const name of written) {
      test.ok(profile.registers[name]?.write !== undefined, `${name} can be written`);
      test.notOk(profile.registers[name]?.wears, `${name} does not wear the flash`);
    }
    for (const { register } of [...control.confirmLimit, ...control.confirmPause]) {
      test.ok(profile.registers[register]?.read !== undefined, `${register} can be read`);
    }
    test.ok(control.pause.length > 0, 'can pause');
    test.ok(control.min >= 6 && control.min < control.max && control.step > 0 && control.step <= 1);
  });

  t.test(`${profile.id}: its watchdog is fed in time, through registers that exist`, (test) => {
    const { watchdog } = profile;
    const name = (register: string, how: 'read' | 'write') =>
      test.ok(profile.registers[register]?.[how] !== undefined, `${register}: ${how}`);
    if (watchdog.kind === 'none') {
      test.ok(watchdog.note);
      test.end();
      return;
    }
    test.ok(watchdog.refreshSeconds * 2 <= watchdog.seconds);
    if (watchdog.kind === 'rewrite-timeout') name(watchdog.timeout, 'write');
    if (watchdog.kind === 'write-token') name(watchdog.register, 'write');
    for (const register of [watchdog.timeoutReadBack, watchdog.fallbackCurrentReadBack])
      if (register !== undefined) name(register, 'read');
    test.end();
  });
}

t.test('no profile was left out', (test) => {
  test.equal(new Set(visited).size, 47);
  test.end();
});

function* combinations(
  profile: ChargerProfile,
  [name, ...rest]: readonly string[],
): Generator<ReadonlyMap<string, number | string>, void> {
  if (name === undefined) {
    yield new Map();
    return;
  }
  for (const value of profile.registers[name]?.values ?? []) {
    for (const others of combinations(profile, rest)) yield new Map([[name, value], ...others]);
  }
}

function named(match: Match): readonly (number | string)[] {
  if (typeof match !== 'object') return [match];
  return 'oneOf' in match ? match.oneOf : [];
}
