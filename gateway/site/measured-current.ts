// The current of an EVSE on each grid phase, read out of whatever its station reports.
import { ampere, type Ampere, type Volt } from '../kernel/units.js';
import type { MeterValue, SampledValue } from './metering.js';
import { perPhase, type Evse, type PerPhase, type Phase } from './topology.js';

/** Conductor of the EVSE (0 = its L1) for the phase words of either OCPP version. */
const CONDUCTOR: Partial<Record<string, number>> = { L1: 0, L2: 1, L3: 2, 'L1-N': 0, 'L2-N': 1, 'L3-N': 2 };

/**
 * Turns the EVSE's own L1/L2/L3 into grid phases by its rotation. Stations that report no current but power are taken to
 * draw it evenly on their wired phases.
 * @returns undefined where the values say nothing about the current
 */
export function measuredCurrent(evse: Evse, values: MeterValue, nominalVoltage: Volt): PerPhase<Ampere> | undefined {
  const conductors: (number | undefined)[] = [undefined, undefined, undefined];
  let total: number | undefined;
  let power: number | undefined;
  for (const sample of values.sampled) {
    if (sample.location !== undefined && sample.location !== 'Outlet' && sample.location !== 'Cable') continue;
    if (sample.measurand === 'Current.Import') {
      const conductor = sample.phase === undefined ? undefined : CONDUCTOR[sample.phase];
      if (conductor !== undefined) conductors[conductor] = sample.value;
      else if (sample.phase === undefined) total = sample.value;
    } else if (sample.measurand === 'Power.Active.Import' && sample.phase === undefined) {
      power = sample.value;
    }
  }
  const wired = evse.phases.length;
  const silent = conductors[0] === undefined && conductors[1] === undefined && conductors[2] === undefined;
  if (silent) {
    // A single current without a phase is the current of each wired conductor: what a charger of one phase means by it.
    const even = total ?? (power === undefined ? undefined : power / (nominalVoltage * wired));
    if (even === undefined) return undefined;
    conductors.fill(even, 0, wired);
  }
  return perPhase((phase: Phase) => {
    let sum = 0;
    evse.phases.forEach((wiredTo, conductor) => {
      if (wiredTo === phase) sum += Math.max(0, conductors[conductor] ?? 0);
    });
    return ampere(sum);
  });
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
