// The last sample of every measurand of an EVSE: a charger may spread them over several messages.
import { minutes, type Timestamp } from '../kernel/units.js';
import type { MeterValue, SampledValue } from './metering.js';

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
    const all = [...this.#samples.values()];
    const at = all.reduce((newest, sample) => (sample.at > newest ? sample.at : newest), all[0]?.at ?? values.at);
    return { at, sampled: all.map(({ value }) => value) };
  }
}
