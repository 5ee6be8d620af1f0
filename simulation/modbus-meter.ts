// A simulated meter of any profile: shows the true current of its circuit.
import type { MeterProfile } from '../adapters/modbus/device-profile.js';
import type { Ampere, Milliseconds, Volt } from '../gateway/kernel/units.js';
import { PHASES, type PerPhase } from '../gateway/site/topology.js';
import { RegisterMap, type Units } from './register-map.js';

export class ModbusMeter {
  readonly #registers: RegisterMap;
  readonly #voltage: Volt;
  #energy: number;

  /** @param energy Wh that it begins with */
  constructor(profile: MeterProfile, units: Units, unit: number | undefined, voltage: Volt, energy: number) {
    this.#registers = new RegisterMap(profile, units, 1, unit);
    this.#voltage = voltage;
    this.#energy = energy;
    for (const { register, value } of profile.setup) this.#registers.show(register, value);
    const expected = profile.detection.expect;
    if (Array.isArray(expected)) this.#identify(profile, expected as readonly number[]);
  }

  show(current: PerPhase<Ampere>, elapsed: Milliseconds): void {
    let total = 0;
    for (const phase of PHASES) {
      const power = current[phase] * this.#voltage;
      total += power;
      this.#registers.show(`Current.Import.${phase}`, current[phase]);
      this.#registers.show(`Power.Active.Import.${phase}`, power);
      this.#registers.show(`Voltage.${phase}`, this.#voltage);
    }
    this.#energy += (total * elapsed) / 3_600_000;
    this.#registers.show('Power.Active.Import', total);
    this.#registers.show('Energy.Active.Import.Register', this.#energy);
    this.#registers.show('Frequency', 50);
  }

  #identify(profile: MeterProfile, expected: readonly number[]): void {
    const [first] = expected;
    // A SunSpec device is known by the model it lists, which the layout of its registers has already written.
    if (first !== undefined && profile.addressing.kind !== 'sunspec')
      this.#registers.show(profile.detection.register, first);
  }
}
