// Finds the energy register among the values of a message: which number is meterStart, which the last register seen.
import { wattHour, type Timestamp, type WattHour } from '../kernel/units.js';
import type { MeterValue, ReadingLocation, SampledValue } from '../site/metering.js';

/** Where a register is looked for, the best first: what leaves the outlet is what the driver pays for. */
const LOCATIONS: readonly ReadingLocation[] = ['Outlet', 'Cable', 'Body', 'Inlet', 'EV'];

/** In Wh. All ones in 32 bits is how meters show that they have no value, and no charger counts as far in its life. */
const HIGHEST = 2 ** 32 - 1;

export interface RegisterReading {
  readonly value: WattHour;
  readonly at: Timestamp;
}

export interface Registers {
  /** Where the values were taken; one transaction is counted at one place only. */
  readonly location: ReadingLocation;
  /** The value of context Transaction.Begin, if there is one. */
  readonly begin?: RegisterReading;
  readonly first: RegisterReading;
  readonly latest: RegisterReading;
}

const locationOf = (sample: SampledValue): ReadingLocation => sample.location ?? 'Outlet';

/** The total import register: no phase, in Wh, a number that a register can show. */
const isRegister = (sample: SampledValue): boolean =>
  (sample.measurand ?? 'Energy.Active.Import.Register') === 'Energy.Active.Import.Register' &&
  sample.phase === undefined &&
  (sample.unit ?? 'Wh') === 'Wh' &&
  sample.value >= 0 &&
  sample.value < HIGHEST;

/**
 * The energy registers in `meterValues`, all from one location.
 * @param bound the location the transaction is already counted at; absent: the best one in the message
 * @returns undefined where the message has no register of that location
 */
export function registersIn(meterValues: readonly MeterValue[], bound?: ReadingLocation): Registers | undefined {
  const found = meterValues.flatMap((meterValue) =>
    meterValue.sampled.filter(isRegister).map((sample) => ({ sample, at: meterValue.at })),
  );
  const location = bound ?? LOCATIONS.find((candidate) => found.some(({ sample }) => locationOf(sample) === candidate));
  const here = found
    .filter(({ sample }) => locationOf(sample) === location)
    .map(({ sample, at }) => ({ value: wattHour(sample.value), at, context: sample.context }))
    .sort((a, b) => a.at - b.at || order(a.context) - order(b.context));
  const first = here[0];
  const latest = here.at(-1);
  if (location === undefined || first === undefined || latest === undefined) return undefined;
  const begin = here.find(({ context }) => context === 'Transaction.Begin');
  return {
    location,
    ...(begin && { begin: { value: begin.value, at: begin.at } }),
    first: { value: first.value, at: first.at },
    latest: { value: latest.value, at: latest.at },
  };
}

/** Begin comes before and End after whatever bears the same time (chargers stamp all values of a stop alike). */
const order = (context: SampledValue['context']): number =>
  context === 'Transaction.Begin' ? -1 : context === 'Transaction.End' ? 1 : 0;
