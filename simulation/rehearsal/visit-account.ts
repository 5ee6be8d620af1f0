// What became of one car: where it parked, how long it waited, what it got, and what kept the rest from it.
import type { EvseNumber } from '../../gateway/kernel/ids.js';
import { ampere, milliseconds, type Milliseconds, type Volt } from '../../gateway/kernel/units.js';
import { Car, type CarModel } from '../car.js';
import type { EvseHardware } from '../evse.js';
import type { PlannedCar } from './planned-car.js';

/** What the gateway says of why an EVSE has no more current than it has. */
export interface Hindrance {
  /** Half a sentence for people. */
  readonly text: string;
  /** The circuit that is full, where it is one, and its phase. */
  readonly circuit?: string;
  readonly phase?: string;
  /** It is the grid operator's limit that is full, and not the breaker. */
  readonly gridOperator?: true;
}

/** A battery that is not the limit: what a car wants is part of it, and only the last of it tapers. */
const TAPER_FROM = 0.95;
const EFFICIENCY = 0.9;
const LARGEST_SHARE = 0.9;
const USUAL_BATTERY = 60_000;

/** Wh at least that count as not delivered; below is a rounding of the last minute. */
const MISSED = 100;

export class VisitAccount {
  readonly car: Car;
  /** The same car with all the current that its EVSE could give: what it would have got alone. */
  readonly #alone: Car;
  readonly #missing = new Map<string, { readonly hindrance: Hindrance; ampereSeconds: number }>();
  #evse: EvseNumber | undefined;
  #pluggedAt: Milliseconds | undefined;
  #firstCurrentAt: Milliseconds | undefined;
  #leftAt: Milliseconds | undefined;

  constructor(readonly plan: PlannedCar) {
    const model = modelOf(plan);
    const begins = 1 - (plan.energy * EFFICIENCY) / model.capacity;
    this.car = new Car(model, begins);
    this.#alone = new Car(model, begins);
    this.car.paused = plan.chargesFrom !== undefined;
    this.#alone.paused = plan.chargesFrom !== undefined;
  }

  get evse(): EvseNumber | undefined {
    return this.#evse;
  }
  get pluggedAt(): Milliseconds | undefined {
    return this.#pluggedAt;
  }
  get leftAt(): Milliseconds | undefined {
    return this.#leftAt;
  }

  plugged(evse: EvseNumber, now: Milliseconds): void {
    this.#evse = evse;
    this.#pluggedAt = now;
  }

  left(now: Milliseconds): void {
    this.#leftAt = now;
  }

  /** Carries the account on by one step of the world. */
  step(now: Milliseconds, elapsed: Milliseconds, hardware: EvseHardware, voltage: Volt): void {
    const { chargesFrom } = this.plan;
    if (chargesFrom !== undefined && now >= chargesFrom) {
      this.car.paused = false;
      this.#alone.paused = false;
    }
    this.#alone.step(elapsed, hardware.maxCurrent, hardware.conductors, voltage);
    if (hardware.charging) this.#firstCurrentAt ??= now;
  }

  /** @param elapsed since the last look */
  look(hindrance: Hindrance | undefined, hardware: EvseHardware, elapsed: Milliseconds): void {
    if (hindrance === undefined || !this.car.asks) return;
    const could = Math.min(this.plan.maxCurrent, hardware.maxCurrent);
    const missing = could - Math.max(...hardware.currents);
    if (missing < 1) return;
    const key = hindrance.text;
    const known = this.#missing.get(key) ?? { hindrance, ampereSeconds: 0 };
    known.ampereSeconds += (missing * elapsed) / 1000;
    this.#missing.set(key, known);
  }

  /** @param end of what is shown */
  report(end: Milliseconds): VisitReport {
    const { plan } = this;
    const delivered = Math.min(plan.energy, this.car.drawn);
    const possible = Math.min(plan.energy, Math.max(delivered, this.#alone.drawn));
    const until = Math.min(end, this.#leftAt ?? Infinity);
    const shares = [...this.#missing.values()].sort((a, b) => b.ampereSeconds - a.ampereSeconds);
    const all = shares.reduce((sum, { ampereSeconds }) => sum + ampereSeconds, 0);
    const refused = this.#pluggedAt === undefined || possible - delivered < MISSED ? 0 : possible - delivered;
    const asksFrom = Math.max(this.#pluggedAt ?? until, plan.chargesFrom ?? 0);
    return {
      name: plan.name,
      ...(this.#evse !== undefined && { evse: this.#evse }),
      arrival_min: minutes(plan.arrival),
      ...(this.#leftAt !== undefined && { left_min: minutes(this.#leftAt) }),
      wanted_Wh: Math.round(plan.energy),
      delivered_Wh: Math.round(delivered),
      refused_Wh: Math.round(refused),
      waitedForEvse_min: minutes(milliseconds((this.#pluggedAt ?? until) - plan.arrival)),
      ...(this.#pluggedAt !== undefined &&
        asksFrom < until && {
          waitedForCurrent_min: minutes(milliseconds(Math.max(0, (this.#firstCurrentAt ?? until) - asksFrom))),
        }),
      because:
        refused === 0
          ? []
          : shares.map(({ hindrance, ampereSeconds }) => ({
              ...hindrance,
              energy_Wh: Math.round((refused * ampereSeconds) / all),
            })),
    };
  }
}

export interface VisitReport {
  readonly name: string;
  /** Absent: it found no place. */
  readonly evse?: number;
  /** Minutes from the beginning. */
  readonly arrival_min: number;
  /** Absent: it is still there, or never found a place. */
  readonly left_min?: number;
  readonly wanted_Wh: number;
  readonly delivered_Wh: number;
  /** What it would have got in its time had it been alone on the site, and did not get. */
  readonly refused_Wh: number;
  readonly waitedForEvse_min: number;
  /** From when it was plugged in and awake to the first current; absent where it slept all the time. */
  readonly waitedForCurrent_min?: number;
  /** What kept the refused energy from it, the most first. */
  readonly because: readonly (Hindrance & { readonly energy_Wh: number })[];
}

const minutes = (time: Milliseconds): number => Math.round(time / 6_000) / 10;

function modelOf({ name, energy, phases, maxCurrent }: PlannedCar): CarModel {
  const capacity = Math.max(USUAL_BATTERY, (energy * EFFICIENCY) / LARGEST_SHARE) as CarModel['capacity'];
  return {
    name,
    capacity,
    phases,
    maxCurrent,
    minCurrent: ampere(6),
    taperFrom: TAPER_FROM,
    reaction: milliseconds(1500),
    efficiency: EFFICIENCY,
  };
}
