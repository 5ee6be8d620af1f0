// The last sample of every measurand of an EVSE: a charger may spread them over several messages.
import { minutes, type Timestamp } from '../kernel/units.js';
import type { MeterValue, SampledValue } from './metering.js';
import { shifted, type TimeShift } from './time-shift.js';

/** A measurand that has not been sampled for this long is no longer part of the picture (the SoC of a car that has left). */
const LIFETIME = minutes(15);

interface Sample {
  readonly at: Timestamp;
  readonly takenAt: Timestamp;
  readonly value: SampledValue;
}

const keyOf = ({ measurand, phase, location }: SampledValue): string =>
  `${measurand ?? 'Energy.Active.Import.Register'} ${phase ?? ''} ${location ?? 'Outlet'}`;

export class LastValues {
  readonly #samples = new Map<string, Sample>();

  /** Answers with the newest sample of each measurand, phase and location, under the time of the newest of all. */
  take(values: MeterValue, now: Timestamp): MeterValue {
    for (const [key, { takenAt }] of this.#samples) if (now - takenAt > LIFETIME) this.#samples.delete(key);
    for (const value of values.sampled) {
      const key = keyOf(value);
      const before = this.#samples.get(key);
      if (before === undefined || before.at <= values.at || before.at > now + minutes(1)) {
        this.#samples.set(key, { at: values.at, takenAt: now, value });
      }
    }
    return this.#all() ?? { at: values.at, sampled: [] };
  }

  /** The site has learned the time. @returns the values under their new time; undefined: there are none */
  shift(shift: TimeShift): MeterValue | undefined {
    for (const [key, { at, takenAt, value }] of this.#samples)
      this.#samples.set(key, { at: shifted(at, shift), takenAt: shifted(takenAt, shift), value });
    return this.#all();
  }

  #all(): MeterValue | undefined {
    const [first, ...others] = this.#samples.values();
    if (first === undefined) return undefined;
    const at = others.reduce((newest, sample) => (sample.at > newest ? sample.at : newest), first.at);
    return { at, sampled: [first, ...others].map(({ value }) => value) };
  }
}
