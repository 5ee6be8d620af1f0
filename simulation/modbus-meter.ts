// A simulated meter of any profile: shows the true current of its circuit.
import type { MeterProfile } from '../adapters/modbus/device-profile.js';
import type { Ampere, Milliseconds, Volt } from '../gateway/kernel/units.js';
import { PHASES, type Meter, type PerPhase, type Phase } from '../gateway/site/topology.js';
import { RegisterMap, type Units } from './register-map.js';

export class ModbusMeter {
  readonly #profile: MeterProfile;
  readonly #registers: RegisterMap;
  readonly #voltage: Volt;
  /** The grid phase on each of its conductors. */
  readonly #wiring: readonly Phase[];
  readonly #energy: { readonly import: Totals; readonly export: Totals };

  /** @param energy imported Wh that it begins with */
  constructor(
    profile: MeterProfile,
    units: Units,
    meter: Pick<Meter, 'unit' | 'phases'>,
    voltage: Volt,
    energy: number,
  ) {
    this.#profile = profile;
    this.#registers = new RegisterMap(profile, units, 1, meter.unit);
    this.#voltage = voltage;
    this.#wiring = (meter.phases ?? PHASES).slice(0, profile.phases);
    this.#energy = { import: new Totals(this.#wiring.length, energy), export: new Totals(this.#wiring.length, 0) };
    for (const { register, value } of profile.setup) this.#registers.show(register, value);
    const expected = profile.detection.expect;
    if (Array.isArray(expected)) this.#identify(expected as readonly number[]);
  }

  show(current: PerPhase<Ampere>, elapsed: Milliseconds): void {
    const powers = this.#wiring.map((phase) => current[phase] * this.#voltage);
    for (const [conductor, phase] of this.#wiring.entries()) {
      const name = PHASES[conductor] ?? 'L1';
      const size = this.#profile.currentSign === 'own' ? current[phase] : Math.abs(current[phase]);
      this.#registers.show(`Current.Import.${name}`, size);
      this.#registers.show(`Voltage.${name}`, this.#voltage);
      this.#showPower(powers[conductor] ?? 0, `.${name}`);
    }
    this.#showPower(
      powers.reduce((sum, power) => sum + power, 0),
      '',
    );
    this.#count(powers, elapsed);
    this.#registers.show('Frequency', 50);
  }

  /** One register with a sign, or one for each direction. */
  #showPower(power: number, of: string): void {
    const both = this.#registers.has(`Power.Active.Export${of}`);
    this.#registers.show(`Power.Active.Import${of}`, both ? Math.max(0, power) : power);
    this.#registers.show(`Power.Active.Export${of}`, Math.max(0, -power));
  }

  #count(powers: readonly number[], elapsed: Milliseconds): void {
    const hours = elapsed / 3_600_000;
    for (const [direction, name] of [
      ['import', 'Energy.Active.Import.Register'],
      ['export', 'Energy.Active.Export.Register'],
    ] as const) {
      const totals = this.#energy[direction];
      totals.add(powers.map((power) => Math.max(0, direction === 'import' ? power : -power) * hours));
      this.#registers.show(name, totals.sum);
      totals.each.forEach((energy, conductor) => this.#registers.show(`${name}.${PHASES[conductor] ?? 'L1'}`, energy));
    }
  }

  #identify(expected: readonly number[]): void {
    const [first] = expected;
    // A SunSpec device is known by the model it lists, which the layout of its registers has already written.
    if (first !== undefined && this.#profile.addressing.kind !== 'sunspec')
      this.#registers.show(this.#profile.detection.register, first);
  }
}

/** Energy of one direction by conductor, in Wh. */
class Totals {
  each: readonly number[];

  /** @param energy that all of them together begin with */
  constructor(conductors: number, energy: number) {
    this.each = Array.from({ length: conductors }, () => energy / conductors);
  }

  get sum(): number {
    return this.each.reduce((sum, energy) => sum + energy, 0);
  }

  add(more: readonly number[]): void {
    this.each = this.each.map((energy, i) => energy + (more[i] ?? 0));
  }
}
