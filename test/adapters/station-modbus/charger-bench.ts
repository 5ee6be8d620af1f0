// A charger of any profile as a slave on a real socket, the driver that talks to it, and a gateway that writes down what it is told.
import type { Test } from 'tap';
import type { ChargerProfile } from '../../../adapters/modbus/device-profile.js';
import { encode, wordsOf } from '../../../adapters/modbus/register-value.js';
import { openModbusLink } from '../../../adapters/modbus/open-links.js';
import { DEFAULT_STATION_SETTINGS, type OpenTransaction } from '../../../adapters/station-modbus/contract.js';
import { openModbusStation } from '../../../adapters/station-modbus/driver.js';
import { circuitId, evseNumber, stationId, stationTransactionId } from '../../../gateway/kernel/ids.js';
import { ampere } from '../../../gateway/kernel/units.js';
import type { CommandOutcome, StationCommand } from '../../../gateway/site/station-command.js';
import type { StationAnswer, StationEvent, TransactionReported } from '../../../gateway/site/station-event.js';
import type { AuthorizationStatus } from '../../../gateway/site/tokens.js';
import type { StartPolicy, Station } from '../../../gateway/site/topology.js';
import { startModbusSlave, type SlaveRequest, type SlaveUnit } from '../../../simulation/modbus-slave.js';
import { FakeClock } from '../../fakes/fake-clock.js';
import { recordingLog } from '../../fakes/recording-log.js';
import { until } from '../modbus/pump.js';

export interface BenchOptions {
  readonly start?: StartPolicy;
  readonly resume?: readonly OpenTransaction[];
  readonly evses?: number;
  /** How the charger reacts to a write, by register name. */
  readonly react?: (charger: SimulatedCharger, instance: number, register: string, value: number) => void;
  /** What happens at the charger between its answer and the next request; `register`: the first one that was asked for. */
  readonly between?: (charger: SimulatedCharger, register: string | undefined) => void;
}

/** The registers of one charger, set and read by name. */
export class SimulatedCharger {
  readonly units = new Map<number, SlaveUnit & { readonly holding: Map<number, number> }>();
  /** Every write that arrived, in order. */
  readonly writes: { readonly register: string; readonly value: number; readonly instance: number }[] = [];
  silent = false;
  /** Register names that answer a write with exception 3. */
  readonly refuses = new Set<string>();

  constructor(
    readonly profile: ChargerProfile,
    instances: number,
    react: NonNullable<BenchOptions['react']>,
  ) {
    for (let instance = 1; instance <= instances; instance++) {
      for (const [name, register] of Object.entries(profile.registers)) {
        const { unit, address } = this.place(name, instance);
        const memory = this.units.get(unit) ?? this.addUnit(unit, instances, react);
        for (let i = 0; i < wordsOf(register); i++) memory.holding.set(address + i, 0);
      }
    }
  }

  set(name: string, value: number | string, instance = 1): void {
    const register = this.profile.registers[name];
    if (register === undefined) throw new Error(`no register ${name}`);
    const { unit, address } = this.place(name, instance);
    const words =
      typeof value === 'string'
        ? Buffer.from(value.padEnd(wordsOf(register) * 2, '\0'), 'latin1')
        : encode(register, this.profile, value);
    for (let i = 0; i < wordsOf(register); i++)
      this.units.get(unit)?.holding.set(address + i, words.readUInt16BE(i * 2));
  }

  /** The values written to a register, oldest first. */
  written(name: string, instance = 1): readonly number[] {
    return this.writes
      .filter((write) => write.register === name && write.instance === instance)
      .map(({ value }) => value);
  }

  nameAt(request: SlaveRequest): string | undefined {
    const address = request.pdu.readUInt16BE(1);
    return Object.keys(this.profile.registers).find((name) => {
      const place = this.place(name, 1);
      return place.unit === request.unit && place.address === address;
    });
  }

  private addUnit(unit: number, instances: number, react: NonNullable<BenchOptions['react']>) {
    const onWrite = (address: number, values: readonly number[]): void => {
      for (const [name, register] of Object.entries(this.profile.registers)) {
        for (let instance = 1; instance <= instances; instance++) {
          const place = this.place(name, instance);
          if (place.unit !== unit || place.address !== address) continue;
          const view = new DataView(new ArrayBuffer(4));
          values.forEach((word, i) => view.setUint16(i * 2, word));
          const raw = register.type === 'float32' ? view.getFloat32(0) : view.getUint16(0);
          const value = Math.round(raw * (register.scale ?? 1) * 1000) / 1000;
          this.writes.push({ register: name, value, instance });
          react(this, instance, name, value);
        }
      }
    };
    const memory = { holding: new Map<number, number>(), onWrite };
    this.units.set(unit, memory);
    return memory;
  }

  private place(name: string, instance: number): { readonly unit: number; readonly address: number } {
    const { unit, addressing, registers } = this.profile;
    const register = registers[name];
    const ofStation = register?.of === 'station';
    const number = unit.kind === 'fixed' ? unit.unit : ofStation ? unit.station : unit.unit + instance - 1;
    const offset =
      addressing.kind === 'stride' && !ofStation ? addressing.first + addressing.stride * (instance - 1) : 0;
    return { unit: number, address: (register?.address ?? 0) + offset };
  }
}

export async function openBench(test: Test, profile: ChargerProfile, options: BenchOptions = {}) {
  const clock = new FakeClock();
  const log = recordingLog();
  const count = options.evses ?? 1;
  const charger = new SimulatedCharger(profile, count, options.react ?? (() => undefined));
  const slave = await startModbusSlave({
    units: charger.units,
    answer: (request, plain) => {
      if (charger.silent) return undefined;
      options.between?.(charger, charger.nameAt(request));
      const refused = request.fc > 4 && charger.refuses.has(charger.nameAt(request) ?? '');
      if (!refused || plain === undefined) return plain;
      return Buffer.concat([plain.subarray(0, 4), Buffer.from([0, 3, request.unit, request.fc | 0x80, 3])]);
    },
  });
  const station: Station = {
    id: stationId('WB01'),
    link: {
      kind: 'modbus',
      device: profile.id,
      connection: { kind: 'tcp', host: '127.0.0.1', port: slave.port },
    },
    start: options.start ?? { kind: 'authorized' },
    evses: Array.from({ length: count }, (_, i) => ({
      number: evseNumber(11 + i),
      station: stationId('WB01'),
      stationEvse: i + 1,
      connectors: [{ number: 1, type: 'Type2' as const }],
      circuit: circuitId('main'),
      maxCurrent: ampere(32),
      minCurrent: ampere(6),
      fallbackCurrent: ampere(8),
      phases: ['L1', 'L2', 'L3'] as const,
      rotationKnown: true,
    })),
  };
  const gateway = new RecordingGateway();
  const link = openModbusLink({ kind: 'tcp', host: '127.0.0.1', port: slave.port }, { clock, log });
  const driver = openModbusStation(station, profile, link, gateway, { clock, log });
  driver.resume(options.resume ?? []);
  test.teardown(async () => {
    await link.stop();
    await driver.stop();
    await slave.stop();
  });
  return {
    clock,
    log,
    charger,
    gateway,
    driver,
    /** Carries out a command while time passes. */
    async execute(command: StationCommand): Promise<CommandOutcome> {
      let outcome: CommandOutcome | undefined;
      const ended = driver.execute(command).then((result) => (outcome = result));
      await until(clock, () => outcome !== undefined, `the outcome of ${command.type}`);
      return ended;
    },
  };
}

export type Bench = Awaited<ReturnType<typeof openBench>>;

/** Answers as the gateway would; refuses to write anything down while `broken`. */
export class RecordingGateway {
  readonly events: StationEvent[] = [];
  /** Every attempt, the refused ones included. */
  readonly attempts: StationEvent[] = [];
  broken = false;
  verdict: AuthorizationStatus = 'Accepted';
  startVerdict: AuthorizationStatus = 'Accepted';
  private issued = 0;

  report<E extends StationEvent>(event: E): Promise<StationAnswer<E>> {
    this.attempts.push(event);
    if (this.broken) return Promise.reject(new Error('JournalUnavailable'));
    this.events.push(event);
    return Promise.resolve(this.answer(event) as StationAnswer<E>);
  }

  of<K extends StationEvent['type']>(type: K): readonly (StationEvent & { type: K })[] {
    return this.events.filter((event): event is StationEvent & { type: K } => event.type === type);
  }

  transactions(kind: TransactionReported['kind']): readonly TransactionReported[] {
    return this.of('transaction').filter((event) => event.kind === kind);
  }

  private answer(event: StationEvent): unknown {
    switch (event.type) {
      case 'authorize':
        return { status: this.verdict };
      case 'booted':
        return { status: 'Accepted', now: event.at, interval: 300 };
      case 'transaction': {
        const id = event.stationTransactionId ?? stationTransactionId(`tx${(this.issued += 1)}`);
        const info = event.idToken === undefined ? {} : { idTokenInfo: { status: this.startVerdict } };
        return { stationTransactionId: id, ...info };
      }
      default:
        return undefined;
    }
  }
}

/** Settings that the tests reckon with. */
export const { meterInterval, connectionTimeout, missedPolls } = DEFAULT_STATION_SETTINGS;
