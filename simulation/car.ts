// A car as the grid sees it: a battery behind an on-board charger that follows the pilot with a lag and tapers when nearly full.
import { ampere, wattHour, type Ampere, type Milliseconds, type Volt, type WattHour } from '../gateway/kernel/units.js';

export interface CarModel {
  readonly name: string;
  readonly capacity: WattHour;
  /** Conductors its on-board charger uses: L1, L1+L2 or all three. */
  readonly phases: 1 | 2 | 3;
  readonly maxCurrent: Ampere;
  /** Below this offer the car does not charge at all (IEC 61851-1: 6 A). */
  readonly minCurrent: Ampere;
  /** State of charge (0..1) above which the current falls linearly to a tenth at full. */
  readonly taperFrom: number;
  /** Time constant with which the current follows the pilot. */
  readonly reaction: Milliseconds;
  /** Losses of the on-board charger: battery energy per grid energy (0..1). */
  readonly efficiency: number;
}

/** One to three conductors of the EVSE, L1 first. */
export type ConductorCurrents = readonly [Ampere, Ampere, Ampere];

const NO_CURRENT: ConductorCurrents = [ampere(0), ampere(0), ampere(0)];

export class Car {
  #stored: WattHour;
  #current = 0;
  #drawn = 0;
  #paused = false;

  /** @param stateOfCharge 0..1 at the start */
  constructor(
    readonly model: CarModel,
    stateOfCharge: number,
  ) {
    this.#stored = wattHour(model.capacity * stateOfCharge);
  }

  /** 0..1 */
  get stateOfCharge(): number {
    return this.#stored / this.model.capacity;
  }

  /** Grid energy taken since the car was made: the driver's own book. */
  get drawn(): WattHour {
    return wattHour(this.#drawn);
  }

  get full(): boolean {
    return this.#stored >= this.model.capacity;
  }

  /** The driver (or a departure timer) wants no energy for now: the EVSE sees SuspendedEV. */
  set paused(value: boolean) {
    this.#paused = value;
  }

  /** True while the car asks for energy (IEC 61851 state C). */
  get asks(): boolean {
    return !this.full && !this.#paused;
  }

  /**
   * Lets `elapsed` pass.
   * @param offered what the pilot allows now; 0: none
   * @param conductors how many conductors the EVSE has switched through
   * @returns the current on each conductor during that time
   */
  step(elapsed: Milliseconds, offered: Ampere, conductors: 1 | 2 | 3, voltage: Volt): ConductorCurrents {
    const phases = Math.min(this.model.phases, conductors);
    const target =
      this.asks && offered >= this.model.minCurrent ? Math.min(offered, this.model.maxCurrent, this.#taper()) : 0;
    // Towards zero the car opens its contactor; upwards and downwards it ramps.
    this.#current =
      target === 0 ? 0 : target + (this.#current - target) * Math.exp((-1 * elapsed) / this.model.reaction);
    if (this.#current <= 0) return NO_CURRENT;
    const energy = (this.#current * voltage * phases * elapsed) / 3_600_000;
    this.#drawn += energy;
    this.#stored = wattHour(Math.min(this.model.capacity, this.#stored + energy * this.model.efficiency));
    const on = (conductor: number): Ampere => ampere(conductor < phases ? this.#current : 0);
    return [on(0), on(1), on(2)];
  }

  /** The battery's own limit near full, in ampere. */
  #taper(): number {
    const { taperFrom, maxCurrent, minCurrent } = this.model;
    if (this.stateOfCharge <= taperFrom) return maxCurrent;
    const rest = (1 - this.stateOfCharge) / (1 - taperFrom);
    return Math.max(minCurrent, maxCurrent * (0.1 + 0.9 * rest));
  }
}

const model = (
  name: string,
  kiloWattHours: number,
  phases: 1 | 2 | 3,
  amperes: number,
  reactionSeconds: number,
): CarModel => ({
  name,
  capacity: wattHour(kiloWattHours * 1000),
  phases,
  maxCurrent: ampere(amperes),
  minCurrent: ampere(6),
  taperFrom: 0.9,
  reaction: (reactionSeconds * 1000) as Milliseconds,
  efficiency: 0.9,
});

/** A car park's mix: one-, two- and three-phase on-board chargers of several sizes. */
export const CAR_MODELS: readonly CarModel[] = [
  model('city 1p', 36, 1, 32, 1.5),
  model('hatchback 3p', 58, 3, 16, 1),
  model('saloon 3p', 77, 3, 16, 2),
  model('plug-in 1p', 12, 1, 16, 1),
  model('compact 2p', 36, 2, 16, 1.5),
  model('van 3p', 90, 3, 32, 2.5),
];
