// One EVSE or meter behind a link: its registers by name, placed on the right unit and address, read in blocks.
import { failed, ok, type Result } from '../../gateway/kernel/result.js';
import { holds } from './condition.js';
import type { DeviceProfile, Register } from './device-profile.js';
import type { ModbusFault, ModbusLink } from './link.js';
import { planReads, type PlacedRegister, type ReadBlock } from './read-plan.js';
import { decode, encode, wordsOf, type RegisterValue } from './register-value.js';

/** Values by register name; a register that the device calls unavailable is absent. */
export type RegisterValues = ReadonlyMap<string, RegisterValue>;

export interface Placement {
  /** Number of the EVSE inside its station, from 1; 1 for a meter. */
  readonly instance: number;
  /** The unit of site.yaml. */
  readonly unit?: number;
  /** Start of the SunSpec model. */
  readonly base?: number;
}

/** What this very device has been found to be. */
interface Known {
  /** Registers that it does not have. */
  readonly missing: ReadonlySet<string>;
  /** Scales of its variant. */
  readonly scales: Readonly<Record<string, number>>;
}

const UNKNOWN: Known = { missing: new Set(), scales: {} };

/** What was read of one register, the register as this very device counts it. */
interface Told {
  readonly register: Register;
  readonly words: Buffer;
}

export class ModbusDevice {
  private readonly plans = new Map<string, readonly ReadBlock[]>();
  private known = UNKNOWN;

  constructor(
    private readonly link: ModbusLink,
    readonly profile: DeviceProfile,
    private readonly placement: Placement,
  ) {}

  /**
   * Finds out which optional registers the device has and which variant of its profile it is: to be called whenever it comes
   * (back), before anything is written to it. Fails where it does not answer.
   * @returns the name of the variant, where it is one
   */
  async recognise(): Promise<Result<string | undefined, ModbusFault>> {
    const { registers, variants } = this.profile;
    const missing = new Set<string>();
    for (const [name, { optional }] of Object.entries(registers)) {
      if (optional !== true) continue;
      const probe = await this.readPlanned(this.plan([name], UNKNOWN));
      if (!probe.ok && probe.error.kind !== 'exception') return failed(probe.error);
      if (!probe.ok) missing.add(name);
    }
    const deciding = variants.flatMap(({ when }) => Object.keys(when));
    const values = await this.readPlanned(this.plan([...new Set(deciding)], { ...UNKNOWN, missing }));
    if (!values.ok) return failed(values.error);
    const variant = variants.find(({ when }) => holds(when, values.value));
    this.plans.clear();
    this.known = { missing, scales: variant?.scales ?? {} };
    return ok(variant?.name);
  }

  /** Reads the named registers and the factors they need; fails as a whole, so that values never mix two moments of failure. */
  read(names: readonly string[]): Promise<Result<RegisterValues, ModbusFault>> {
    const key = names.join();
    const blocks = this.plans.get(key) ?? this.plan(names, this.known);
    this.plans.set(key, blocks);
    return this.readPlanned(blocks);
  }

  /** Writes one register; `value` in its base unit. A fault says nothing of whether the device took it, save an exception. */
  async write(name: string, value: number): Promise<Result<void, ModbusFault>> {
    const placed = this.place(name, this.known);
    if (placed?.register.write === undefined) return failed({ kind: 'protocol', detail: `${name} cannot be written` });
    const { unit, address, register } = placed;
    const words = this.wordsFor(register, value);
    if (words === undefined) return failed({ kind: 'protocol', detail: `${name} cannot hold ${value}` });
    // As it would stand in the register: what is rounded to a forbidden value is one.
    if (register.never?.some((forbidden) => this.wordsFor(register, forbidden)?.equals(words) === true))
      return failed({ kind: 'protocol', detail: `${name} must never be ${value}` });
    return this.link.write(unit, placed.register.write, address, words, this.profile.io);
  }

  has(name: string): boolean {
    return this.profile.registers[name] !== undefined && !this.known.missing.has(name);
  }

  /** Undefined for a value that the register has no room for. */
  private wordsFor(register: Register, value: number): Buffer | undefined {
    try {
      return encode(register, this.profile, value);
    } catch (err) {
      if (err instanceof RangeError) return undefined;
      throw err;
    }
  }

  private async readPlanned(blocks: readonly ReadBlock[]): Promise<Result<RegisterValues, ModbusFault>> {
    const told = new Map<string, Told>();
    for (const block of blocks) {
      const answer = await this.readBlock(block);
      if (!answer.ok) return failed(answer.error);
      for (const { name, address, register } of block.registers) {
        const at = (address - block.address) * 2;
        told.set(name, { register, words: answer.value.subarray(at, at + wordsOf(register) * 2) });
      }
    }
    return ok(this.decodeAll(told));
  }

  private async readBlock({ unit, fc, address, count }: ReadBlock): Promise<Result<Buffer, ModbusFault>> {
    const { io } = this.profile;
    if (fc !== 1 && fc !== 2) return this.link.read(unit, fc, address, count, io);
    const bit = await this.link.readBit(unit, fc, address, io);
    return bit.ok ? ok(Buffer.from([0, bit.value ? 1 : 0])) : bit;
  }

  private decodeAll(told: ReadonlyMap<string, Told>): RegisterValues {
    const values = new Map<string, RegisterValue>();
    for (const [name, { register, words }] of told) {
      const power = register.factor === undefined ? 0 : this.power(told.get(register.factor));
      const value = power === undefined ? undefined : decode(register, this.profile, words, power);
      if (value !== undefined) values.set(name, value);
    }
    return values;
  }

  private power(factor: Told | undefined): number | undefined {
    const value = factor === undefined ? undefined : decode(factor.register, this.profile, factor.words);
    // SunSpec allows -10 to 10; anything else is a register that holds something else.
    return typeof value === 'number' && Math.abs(value) <= 10 ? value : undefined;
  }

  private plan(names: readonly string[], known: Known): readonly ReadBlock[] {
    const wanted = new Set(names.flatMap((name) => [name, this.profile.registers[name]?.factor ?? name]));
    const placed = [...wanted].flatMap((name) => this.place(name, known) ?? []);
    return planReads(placed, this.profile.io);
  }

  private register(name: string, { missing, scales }: Known): Register | undefined {
    const register = missing.has(name) ? undefined : this.profile.registers[name];
    const scale = scales[name];
    return register === undefined || scale === undefined ? register : { ...register, scale };
  }

  private place(name: string, known: Known): PlacedRegister | undefined {
    const register = this.register(name, known);
    if (register === undefined) return undefined;
    const ofStation = register.of === 'station';
    return { name, register, unit: this.unit(ofStation), address: register.address + this.offset(ofStation) };
  }

  private unit(ofStation: boolean): number {
    const rule = this.profile.unit;
    if (rule.kind === 'fixed') return rule.only === true ? rule.unit : (this.placement.unit ?? rule.unit);
    return ofStation ? rule.station : (this.placement.unit ?? rule.unit) + this.placement.instance - 1;
  }

  private offset(ofStation: boolean): number {
    const { addressing } = this.profile;
    switch (addressing.kind) {
      case 'absolute':
        return 0;
      case 'stride':
        return ofStation ? 0 : addressing.first + (this.placement.instance - 1) * addressing.stride;
      case 'sunspec':
        return this.placement.base ?? 0;
    }
  }
}
