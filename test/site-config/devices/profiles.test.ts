// Visits every device profile: its registers decode, its states are complete, and a charger made of it charges, pauses and falls back.
import t, { type Test } from 'tap';
import { ModbusDevice } from '../../../adapters/modbus/device.js';
import type { Match } from '../../../adapters/modbus/charger-behaviour.js';
import type { ChargerProfile, DeviceProfile, Register } from '../../../adapters/modbus/device-profile.js';
import type { ModbusRequest } from '../../../adapters/modbus/pdu.js';
import { wordsOf } from '../../../adapters/modbus/register-value.js';
import { evseState, stateRegisters } from '../../../adapters/modbus/evse-state.js';
import { charger, chargerProfiles, meterProfiles, profiles } from '../../fakes/profiles.js';
import { energyRegisters } from '../../../adapters/station-modbus/energy-register.js';
import { stationTransactionId as stationTransaction } from '../../../gateway/kernel/ids.js';
import { ampere } from '../../../gateway/kernel/units.js';
import type { StationCommand } from '../../../gateway/site/station-command.js';
import type { SlaveRegisters } from '../../../simulation/modbus-slave.js';
import { fromWords } from '../../../simulation/register-words.js';
import { MemoryLink } from '../../fakes/memory-link.js';
import { EVSE, FALLBACK, simulatedStation } from '../../fakes/simulated-station.js';

const SUNSPEC_BASE = 40_002;
const POWER = -2;
const CARD = '04A2B3C4';
const START: StationCommand = {
  type: 'requestStart',
  evse: EVSE,
  idToken: { idToken: CARD, type: 'ISO14443' },
  remoteStartId: 1,
};
const limit = (current: number): StationCommand => ({ type: 'setLimit', evse: EVSE, current: ampere(current) });

const field = ({ mask, shift = 0 }: Register, raw: number): number =>
  mask === undefined ? raw : Math.floor((raw & mask) / 2 ** shift);

/** A raw value for the register, and what it should be read as; made here, not by the code under test. */
function known(name: string, register: Register): { readonly raw: DataView; readonly value: number | string } {
  const raw = new DataView(new ArrayBuffer(wordsOf(register) * 2));
  const scale = (register.scale ?? 1) * (register.factor === undefined ? 1 : 10 ** POWER);
  switch (register.type) {
    case 'string': {
      const wide = register.encoding === 'utf-16';
      const text = 'Xy9'.slice(0, wide ? raw.byteLength / 2 : raw.byteLength);
      const hex = register.encoding === 'hex';
      for (let i = 0; i < text.length; i++) {
        if (wide) raw.setUint16(i * 2, text.charCodeAt(i));
        else raw.setUint8(i, text.charCodeAt(i));
      }
      const whole = Buffer.from(raw.buffer).toString('hex').toUpperCase();
      return { raw, value: hex ? whole : text };
    }
    case 'bit':
      raw.setUint16(0, 1);
      return { raw, value: 1 };
    case 'uint16':
      raw.setUint16(0, 4321);
      return { raw, value: field(register, 4321) * scale };
    case 'int16': {
      const value = name.endsWith('_SF') ? POWER : -4321;
      raw.setInt16(0, value);
      return { raw, value: value * scale };
    }
    case 'uint32':
      raw.setUint32(0, 305_419_896);
      return { raw, value: field(register, 305_419_896) * scale };
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
    addressing.kind === 'stride' && !ofStation ? addressing.first : addressing.kind === 'sunspec' ? SUNSPEC_BASE : 0;
  return { unit, address: register.address + offset };
}

const visited: string[] = [];

for (const profile of profiles) {
  visited.push(profile.id);

  t.test(`${profile.id}: every register decodes what a device would hold there`, async (test) => {
    const inputs: SlaveRegisters = new Map();
    const bits: SlaveRegisters = new Map();
    const units = new Map<number, { holding: SlaveRegisters; input: SlaveRegisters; bits: SlaveRegisters }>();
    const around = new Set<number>();
    for (const [name, register] of Object.entries(profile.registers)) {
      const { unit, address } = place(profile, register);
      const memory = units.get(unit) ?? { holding: new Map<number, number>(), input: inputs, bits };
      units.set(unit, memory);
      const { raw } = known(name, register);
      const count = wordsOf(register);
      const { at = register.address, words = 0 } = register.block ?? {};
      for (let i = 0; i < words; i++) {
        const beside = address - register.address + at + i;
        if (!memory.holding.has(beside)) around.add(beside);
      }
      for (let i = 0; i < count; i++) {
        const from =
          (register.wordOrder ?? profile.wordOrder) === 'little' && register.type !== 'string' ? count - 1 - i : i;
        const lowByteFirst = (register.byteOrder ?? profile.byteOrder) === 'little';
        const word = raw.getUint16(from * 2, lowByteFirst);
        const table = register.type === 'bit' ? bits : register.read === 4 ? memory.input : memory.holding;
        // Fields of one register, and what is written to it beside a limit, share it.
        if (!table.has(address + i)) table.set(address + i, word);
      }
    }
    for (const { holding } of units.values())
      for (const beside of around) if (!holding.has(beside)) holding.set(beside, 0);
    const link = new MemoryLink(units);
    const device = new ModbusDevice(link, profile, { instance: 1, base: SUNSPEC_BASE });
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
        const key = `${unit} ${register.read ?? 'write'} ${address + i}`;
        if (register.mask === undefined && register.read !== undefined)
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

  t.test(`${profile.id}: charges, pauses, ends and falls back as its profile says`, async (test) => {
    const station = simulatedStation(test, profile);
    const { hardware, gateway, link, evse } = station;
    await station.run(8);
    test.match(gateway.of('status')[0], { status: 'Available' });
    test.equal(hardware.offered, 0, 'held while nobody charges');
    station.plug();
    if (profile.reader === undefined) {
      test.match(await station.execute(START), { status: 'Accepted' });
    } else {
      station.charger.present(CARD);
      await station.run(5);
      test.match(gateway.of('authorize'), [{ idToken: { idToken: CARD } }], 'its card is judged');
    }
    await station.run(5);
    test.match(gateway.transactions('started'), [{ idToken: { idToken: CARD } }]);

    test.match(await station.execute(limit(10)), { status: 'Accepted' });
    await station.run(40);
    const worst = Math.max(...hardware.currents);
    test.ok(worst <= 10.05 && worst > 10 - Math.max(profile.control.step, 0.5), `10 A: ${worst} A`);
    const sampled =
      gateway
        .transactions('updated')
        .at(-1)
        ?.meterValues.flatMap((value) => value.sampled) ?? [];
    const told = (measurand: string, phase?: string) =>
      sampled.find((value) => value.measurand === measurand && value.phase === phase)?.value;
    test.match(gateway.transactions('updated').at(-1), { chargingState: 'Charging' });
    const current = told('Current.Import', 'L2');
    if (current !== undefined) test.ok(Math.abs(current - worst) < 0.6, `${current} A of ${worst} A`);
    const power = told('Power.Active.Import');
    if (power !== undefined) test.ok(Math.abs(power - hardware.power) < 120, `${power} W of ${hardware.power} W`);

    test.match(await station.execute(limit(200)), { status: 'Accepted' });
    await station.run(20);
    const most = evse.maxCurrent;
    test.ok(hardware.offered <= most && hardware.offered > most - 1, `200 A: ${hardware.offered} A`);
    test.match(await station.execute(limit(5.9)), { status: 'Accepted' });
    test.equal(hardware.offered, 0, 'below the least it pauses');
    test.match(await station.execute(limit(16)), { status: 'Accepted' });
    const { watchdog } = profile;
    const validity = watchdog.kind === 'none' ? 0 : watchdog.seconds;
    await station.run(Math.min(20 + validity * 1.5, 110));
    test.ok(hardware.offered > 15 && !station.charger.fallen, 'its watchdog is fed');

    const energies = [...gateway.transactions('started'), ...gateway.transactions('updated')]
      .flatMap(({ meterValues }) => meterValues.flatMap((value) => value.sampled))
      .filter(({ measurand }) => measurand === 'Energy.Active.Import.Register')
      .map(({ value }) => value);
    test.equal(energies.length > 0, energyRegisters(profile).length > 0, 'tells its energy where it has one');
    const counted = (energies.at(-1) ?? 0) - (energies[0] ?? 0);
    if (energies.length > 0)
      test.ok(
        Math.abs(counted - (hardware.register - 123_456)) < 1001,
        `${counted} Wh of ${hardware.register - 123_456}`,
      );

    const { capabilities } = gateway.of('capabilities').at(-1) ?? gateway.of('connected')[0] ?? {};
    test.equal(capabilities?.fallback, proves(profile), 'counts on what it has read back, and on nothing else');
    link.silent = true;
    const silence = watchdog.kind === 'none' || watchdog.seconds > 1000 ? 60 : watchdog.seconds + 10;
    await station.run(silence);
    const falls = watchdog.kind !== 'none' && Number.isFinite(watchdog.seconds) && silence > watchdog.seconds;
    test.equal(station.charger.fallen, falls);
    if (capabilities?.fallback === true && falls) test.ok(hardware.offered <= FALLBACK, `${hardware.offered} A`);
    link.silent = false;
    await station.run(10);
    test.match(await station.execute(limit(8)), { status: 'Accepted' }, 'under control again');
    await station.run(10);
    test.ok(hardware.offered <= 8 && hardware.offered > 6, `8 A: ${hardware.offered} A`);
    const stationTransactionId = stationTransaction('tx1');
    test.match(await station.execute({ type: 'requestStop', evse: EVSE, stationTransactionId }), {
      status: 'Accepted',
    });
    test.equal(hardware.offered, 0);
    test.match(gateway.transactions('ended'), [{ stoppedReason: 'Remote' }]);
    examine(test, profile, link);
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
    for (const { register } of watchdog.enable) name(register, 'write');
    test.end();
  });
}

t.test('no profile was left out', (test) => {
  test.equal(new Set(visited).size, 83);
  test.equal(chargerProfiles.length, 43);
  test.end();
});

/** What it does without the gateway is read back from itself. */
function proves({ watchdog, registers }: ChargerProfile): boolean {
  if (watchdog.kind === 'none' || watchdog.fallsTo !== 'fallback-current') return false;
  const shown = watchdog.fallbackCurrentReadBack ?? watchdog.fallbackCurrent;
  return shown !== undefined && registers[shown]?.read !== undefined;
}

/** Every request that the charger has had: within its limits, at what it has, and nothing that it must never be told. */
function examine(test: Test, profile: ChargerProfile, link: MemoryLink): void {
  const seen = new Map(link.requests.map((request) => [JSON.stringify(request), request]));
  test.ok(seen.size > 2);
  test.same(
    [...seen.values()].flatMap((request) =>
      request.kind === 'identification'
        ? ['a charger in use is not asked who it is']
        : request.kind === 'write'
          ? wrongWrite(profile, request)
          : wrongRead(profile, request),
    ),
    [],
  );
}

type Sent<K extends ModbusRequest['kind']> = ModbusRequest & { readonly kind: K };

/** The registers that a request of this function reaches at this address. */
function registersAt(profile: ChargerProfile, address: number, fc: number, how: 'read' | 'write') {
  return Object.entries(profile.registers).filter(([, register]) => {
    const from = (how === 'read' ? register.block?.at : undefined) ?? place(profile, register).address;
    const words = (how === 'read' ? register.block?.words : undefined) ?? wordsOf(register);
    return register[how] === fc && from <= address && address < from + words;
  });
}

function wrongRead(profile: ChargerProfile, request: Sent<'read'> | Sent<'bit'>): readonly string[] {
  const { address, fc } = request;
  const count = request.kind === 'bit' ? 1 : request.count;
  const at = (i: number) => registersAt(profile, address + i, fc, 'read');
  const gaps = Array.from({ length: count }, (_, i) => i).filter((i) => at(i).length === 0);
  const exact = profile.io.exactReads !== true || at(0).some(([, register]) => wordsOf(register) === count);
  return [
    ...(count > (profile.io.maxRegistersPerRead ?? 125) ? [`${count} registers at once from ${address}`] : []),
    ...gaps.map((i) => `reads ${address + i}, which nobody knows`),
    ...(exact ? [] : [`reads ${count} registers from ${address}, which are not one value`]),
  ];
}

function wrongWrite(profile: ChargerProfile, { address, fc, words }: Sent<'write'>): readonly string[] {
  const written = registersAt(profile, address, fc, 'write');
  if (written.length === 0) return [`writes ${address}, which nobody knows`];
  return written.flatMap(([name, register]) => {
    if (register.type === 'bit') return [];
    if (words.length !== wordsOf(register) * 2) return [`${name} is not written whole`];
    const list = Array.from({ length: wordsOf(register) }, (_, i) => words.readUInt16BE(i * 2));
    const value = fromWords(register, profile, list);
    const isSetUp = profile.setup.some((each) => each.register === name);
    const stops = profile.control.pause.some((each) => each.register === name && each.value === value);
    // Two registers of one address: the other's value is none of this one's.
    const bounded = written.length === 1 && value !== 0 && !stops;
    const low = bounded && value < (register.min ?? -Infinity);
    const high = bounded && value > (register.max ?? Infinity);
    return [
      ...(register.wears === true && !isSetUp ? [`${name} wears`] : []),
      ...(register.never?.includes(value) === true ? [`${name} must never be ${value}`] : []),
      ...(low || high ? [`${name} is ${value}`] : []),
    ];
  });
}

t.test('a variant of a make is told by what it holds, before anything is written to it', async (test) => {
  const raw = async (id: string, held: ReadonlyMap<number, number>, write: string, value: number) => {
    const profile = charger(id);
    const holding = new Map(held);
    for (const register of Object.values(profile.registers))
      for (let i = 0; i < wordsOf(register); i++)
        if (!holding.has(register.address + i)) holding.set(register.address + i, 0);
    const device = new ModbusDevice(new MemoryLink(new Map([[profile.unit.unit, { holding }]])), profile, {
      instance: 1,
    });
    const recognised = await device.recognise();
    test.ok((await device.write(write, value)).ok);
    const { address } = profile.registers[write] ?? { address: 0 };
    return [recognised.ok ? recognised.value : undefined, holding.get(address)];
  };
  const PHOENIX = 'phoenix-ev-cc-ac1-m3-eth';
  test.same(await raw(PHOENIX, new Map([[528, 160]]), 'Setpoint.Current', 10), ['Wallbe', 100]);
  test.same(await raw(PHOENIX, new Map([[528, 16]]), 'Setpoint.Current', 10), [undefined, 10]);
  const evse = (firmware: number, config: number) =>
    new Map([
      [1005, firmware],
      [2005, config],
    ]);
  test.same(await raw('simpleevse', evse(17, 128), 'Setpoint.Current', 10), ['hundredths of an ampere', 1000]);
  test.same(await raw('simpleevse', evse(16, 128), 'Setpoint.Current', 10), [undefined, 10]);
  test.same(await raw('simpleevse', evse(17, 64), 'Setpoint.Current', 10), [undefined, 10]);
});

t.test('a charger whose variant cannot be read is not touched', async (test) => {
  const station = simulatedStation(test, charger('simpleevse'));
  const unit = station.units.get(1);
  unit?.holding.delete(2005);
  await station.run(20);
  test.same(
    station.link.requests.filter(({ kind }) => kind === 'write'),
    [],
  );
  test.same(station.gateway.of('connected'), []);
});

t.test('a charger does without the registers that it does not have', async (test) => {
  const station = simulatedStation(test, charger('peblar'));
  const show = station.charger.show.bind(station.charger);
  station.charger.show = () => {
    show();
    for (const address of [30018, 30020, 30024, 30026])
      for (const i of [0, 1]) station.units.get(255)?.input?.delete(address + i);
  };
  station.plug();
  await station.run(5);
  test.match(await station.execute(START), { status: 'Accepted' });
  await station.execute(limit(10));
  await station.run(60);
  const sampled =
    station.gateway
      .transactions('updated')
      .at(-1)
      ?.meterValues.flatMap((each) => each.sampled) ?? [];
  test.same(
    sampled.filter(({ measurand }) => measurand === 'Current.Import').map(({ phase }) => phase),
    ['L1'],
  );
});

t.test('a charger is helped out of a state that it does not leave by itself, and told its limit anew', async (test) => {
  const station = simulatedStation(test, charger('mennekes-amtron-compact-20s'));
  station.plug();
  await station.run(5);
  test.match(await station.execute(START), { status: 'Accepted' });
  test.match(await station.execute(limit(10)), { status: 'Accepted' });
  await station.run(10);
  const writes = (address: number): number =>
    station.link.requests.filter((request) => request.kind === 'write' && request.address === address).length;
  const [setpoints, releases] = [writes(770), writes(3333)];
  const show = station.charger.show.bind(station.charger);
  station.charger.show = () => {
    show();
    station.units.get(50)?.holding.set(256, 6);
  };
  await station.run(12);
  test.ok(writes(770) > setpoints && writes(3333) > releases, 'limit and release are written again');
  test.ok(station.log.lines.some(({ message }) => message.includes('helped out of its state')));
});

t.test('the card that has started a charge ends it, where the reader counts its cards', async (test) => {
  const station = simulatedStation(test, charger('amperfied-connect'));
  const { gateway, charger: box } = station;
  await station.run(5);
  box.present(CARD);
  await station.run(5);
  test.match(gateway.of('authorize'), [{ idToken: { idToken: CARD } }]);
  test.same(gateway.transactions('started'), [], 'no car yet');
  station.plug();
  await station.run(5);
  await station.execute(limit(10));
  await station.run(10);
  test.match(gateway.transactions('started'), [{ trigger: 'Authorized', idToken: { idToken: CARD } }]);
  box.present('DEADBEEF');
  await station.run(10);
  test.same(gateway.transactions('ended'), [], 'not by another card');
  box.present(CARD);
  await station.run(10);
  test.match(gateway.transactions('ended'), [{ trigger: 'StopAuthorized', stoppedReason: 'Local' }]);
});

t.test('an energy counter that begins anew with each car is counted on', async (test) => {
  const station = simulatedStation(test, charger('compleo-duo'));
  const { gateway, hardware } = station;
  station.plug();
  await station.run(5);
  await station.execute(START);
  await station.execute(limit(32));
  await station.run(600);
  const before = gateway.transactions('updated').at(-1)?.meterValues[0]?.sampled[0]?.value ?? 0;
  test.ok(before > 2000, `${before} Wh`);
  const show = station.charger.show.bind(station.charger);
  const reset = hardware.register;
  station.charger.show = () => {
    show();
    station.units.get(255)?.input?.set(264, Math.floor((hardware.register - reset) / 100));
  };
  await station.run(300);
  const after = gateway.transactions('updated').at(-1)?.meterValues[0]?.sampled[0]?.value ?? 0;
  test.ok(Math.abs(after - (hardware.register - 123_456)) <= 300, `${after} Wh of ${hardware.register - 123_456}`);
});

function* combinations(
  profile: ChargerProfile,
  [name, ...rest]: readonly string[],
): Generator<ReadonlyMap<string, number | string>, void> {
  if (name === undefined) {
    yield new Map();
    return;
  }
  for (const value of possible(profile, name)) {
    for (const others of combinations(profile, rest)) yield new Map([[name, value], ...others]);
  }
}

/** Every value that its source lists, or both sides of every bound that the table has for it. */
function possible({ registers, states }: ChargerProfile, name: string): readonly (number | string)[] {
  const listed = registers[name]?.values;
  if (listed !== undefined) return listed;
  return states.flatMap(({ when }) => {
    const match = when[name];
    return typeof match === 'object' && 'from' in match ? [match.from - 1, match.from, match.from + 1] : [];
  });
}

function named(match: Match): readonly (number | string)[] {
  if (typeof match !== 'object') return [match];
  return 'oneOf' in match ? match.oneOf : [];
}
