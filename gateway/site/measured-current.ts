// The current of an EVSE on each grid phase, read out of whatever its station reports.
import { ampere, type Ampere, type Volt } from '../kernel/units.js';
import type { MeterValue, SampledValue } from './metering.js';
import { isDirectCurrent, perPhase, wattsPerAmpere, type Evse, type PerPhase, type Phase } from './topology.js';

/** Conductor of the EVSE (0 = its L1) for the phase words of either OCPP version. */
const CONDUCTOR: Partial<Record<string, number>> = { L1: 0, L2: 1, L3: 2, 'L1-N': 0, 'L2-N': 1, 'L3-N': 2 };
/** What a DC charger takes from the grid for one watt into the car, at its worst in normal use. */
const DC_LOSS = 1.08;

type Conductors = (number | undefined)[];

interface Sampled {
  readonly conductors: Conductors;
  total: number | undefined;
}

/**
 * Turns the EVSE's own L1/L2/L3 into grid phases by its rotation. Stations that report no current but power are taken to
 * draw it at nominal voltage, evenly on their wired phases unless they give it per phase.
 * @returns undefined where the values say nothing about the current
 */
export function measuredCurrent(evse: Evse, values: MeterValue, nominalVoltage: Volt): PerPhase<Ampere> | undefined {
  if (evse.lineToLine === true) return betweenPhases(evse, values, nominalVoltage);
  const wired = evse.phases.length;
  const dc = isDirectCurrent(evse);
  const loss = dc ? DC_LOSS : 1;
  const power = sampled(values, 'Power.Active.Import');
  const fromPower = onWired(
    {
      conductors: power.conductors.map((watts) => (watts === undefined ? undefined : (watts * loss) / nominalVoltage)),
      total: power.total === undefined ? undefined : (power.total * loss) / wattsPerAmpere(evse, nominalVoltage),
    },
    wired,
  );
  const conductors = (dc ? undefined : onWired(sampled(values, 'Current.Import'), wired)) ?? fromPower;
  if (conductors === undefined) return undefined;
  return perPhase((phase: Phase) => {
    let sum = 0;
    evse.phases.forEach((wiredTo, conductor) => {
      if (wiredTo === phase) sum += Math.max(0, conductors[conductor] ?? 0);
    });
    return ampere(sum);
  });
}

/** Active power that goes into the car, in W, as the station told it; undefined: it does not tell. */
export function toldPower(values: MeterValue): number | undefined {
  const { total, conductors } = sampled(values, 'Power.Active.Import');
  return total ?? (conductors.some(isKnown) ? sum(conductors.filter(isKnown)) : undefined);
}

/** What flows from the one phase to the other is the same on both, whatever a charger calls them. */
function betweenPhases(evse: Evse, values: MeterValue, nominalVoltage: Volt): PerPhase<Ampere> | undefined {
  const told = (measurand: SampledValue['measurand']): readonly number[] =>
    values.sampled.filter((sample) => isAtOutlet(sample, measurand)).map(({ value }) => value);
  const currents = told('Current.Import');
  // Each of two conductors has half of the power.
  const watts = toldPower(values);
  const fromPower = watts === undefined ? undefined : watts / wattsPerAmpere(evse, nominalVoltage);
  const loop = currents.length > 0 ? Math.max(...currents) : fromPower;
  if (loop === undefined) return undefined;
  return perPhase((phase) => ampere(evse.phases.includes(phase) ? Math.max(0, loop) : 0));
}

const isKnown = (value: number | undefined): value is number => value !== undefined;
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

const isAtOutlet = (sample: SampledValue, measurand: SampledValue['measurand']): boolean =>
  sample.measurand === measurand &&
  Number.isFinite(sample.value) &&
  (sample.location === undefined || sample.location === 'Outlet' || sample.location === 'Cable');

/** The values of a measurand at the outlet, by conductor and without a phase. */
function sampled(values: MeterValue, measurand: SampledValue['measurand']): Sampled {
  const found: Sampled = { conductors: [undefined, undefined, undefined], total: undefined };
  for (const sample of values.sampled) {
    if (!isAtOutlet(sample, measurand)) continue;
    const conductor = sample.phase === undefined ? undefined : CONDUCTOR[sample.phase];
    if (conductor !== undefined) found.conductors[conductor] = sample.value;
    else if (sample.phase === undefined) found.total = sample.value;
  }
  return found;
}

/** @returns the value on each wired conductor; undefined where nothing is said of any */
function onWired({ conductors, total }: Sampled, wired: number): Conductors | undefined {
  if (conductors.slice(0, wired).some((value) => value !== undefined)) return conductors;
  // Some chargers of one phase name the grid's phase instead of their own L1: it still flows through what is wired.
  const elsewhere = conductors.filter((value) => value !== undefined);
  // A single value without a phase is that of each wired conductor: what a charger of one phase means by it.
  const even = elsewhere.length > 0 ? Math.max(...elsewhere) : total;
  return even === undefined ? undefined : Array<number>(wired).fill(even);
}

/** The energy register in a set of values: total over the phases, at the outlet. */
export function energyRegister(values: MeterValue): SampledValue | undefined {
  return values.sampled.find(
    (sample) =>
      (sample.measurand === undefined || sample.measurand === 'Energy.Active.Import.Register') &&
      sample.phase === undefined &&
      (sample.location === undefined || sample.location === 'Outlet'),
  );
}
