// The hardware of one simulated EVSE: cable, lock, contactor, pilot and a true energy meter. Protocols are put on top of it.
import { ampere, wattHour, type Ampere, type Milliseconds, type Volt, type WattHour } from '../gateway/kernel/units.js';
import type { Car, ConductorCurrents } from './car.js';

const NONE: ConductorCurrents = [ampere(0), ampere(0), ampere(0)];

/** Steps are driven from outside, so the same hardware runs in real time and faster. */
export class EvseHardware {
  #car: Car | undefined;
  #limit: Ampere;
  #enabled = false;
  #register: number;
  #currents = NONE;
  readonly #listeners: (() => void)[] = [];
  /** It hears limits, says yes to them and goes on as before. */
  deaf = false;
  #conductors: 1 | 2 | 3;

  constructor(
    readonly number: number,
    readonly maxCurrent: Ampere,
    /** To which it is connected. */
    readonly wired: 1 | 2 | 3,
    readonly voltage: Volt,
    register: WattHour,
  ) {
    this.#conductors = wired;
    this.#limit = maxCurrent;
    this.#register = register;
  }

  get car(): Car | undefined {
    return this.#car;
  }
  /** How many it has switched through. */
  get conductors(): 1 | 2 | 3 {
    return this.#conductors;
  }
  get locked(): boolean {
    return this.#car !== undefined && this.#enabled;
  }
  get enabled(): boolean {
    return this.#enabled;
  }
  get offered(): Ampere {
    return this.#enabled ? ampere(Math.min(this.#limit, this.maxCurrent)) : ampere(0);
  }
  get currents(): ConductorCurrents {
    return this.#currents;
  }
  get register(): WattHour {
    return wattHour(Math.floor(this.#register));
  }
  get power(): number {
    return (this.#currents[0] + this.#currents[1] + this.#currents[2]) * this.voltage;
  }
  /** True while energy flows. */
  get charging(): boolean {
    return this.#currents[0] > 0;
  }

  /** Called whenever car, enable or the flow of energy has changed. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  plug(car: Car): void {
    this.#car = car;
    this.#changed();
  }

  /** @returns false where the plug is locked in */
  unplug(): boolean {
    if (this.locked) return false;
    this.#car = undefined;
    this.#currents = NONE;
    this.#changed();
    return true;
  }

  /** Forces the cable out, as a driver with a strong arm or an EV-side unlock does. */
  unplugAtCar(): void {
    this.#car = undefined;
    this.#currents = NONE;
    this.#changed();
  }

  enable(enabled: boolean): void {
    if (this.#enabled === enabled) return;
    this.#enabled = enabled;
    if (!enabled) this.#currents = NONE;
    this.#changed();
  }

  /** A charger that can switch phases does so with its contactor open: the car begins anew. */
  usePhases(phases: 1 | 3): void {
    const conductors = phases === 1 ? 1 : this.wired;
    if (this.deaf || conductors === this.#conductors) return;
    this.#conductors = conductors;
    this.#currents = NONE;
    this.#changed();
  }

  limit(current: Ampere): void {
    if (!this.deaf) this.#limit = current;
  }

  step(elapsed: Milliseconds): void {
    const before = this.charging;
    this.#currents =
      this.#car !== undefined && this.#enabled
        ? this.#car.step(elapsed, this.offered, this.conductors, this.voltage)
        : NONE;
    this.#register += (this.power * elapsed) / 3_600_000;
    if (before !== this.charging) this.#changed();
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
