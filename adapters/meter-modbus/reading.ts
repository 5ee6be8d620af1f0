// From a meter's registers to a reading: currents signed by the direction of the phase's power, import positive.
import type { MeterProfile } from '../modbus/device-profile.js';
import type { RegisterValues } from '../modbus/device.js';
import { ampere, watt, wattHour, type Timestamp } from '../../gateway/kernel/units.js';
import type { MeterReading } from '../../gateway/site/metering.js';
import { PHASES, perPhase, type Meter, type Phase } from '../../gateway/site/topology.js';

const perConductor = (name: string): readonly string[] => [name, ...PHASES.map((phase) => `${name}.${phase}`)];

/** What load balancing needs at once. A profile may lack those of power. */
export const FLOW: readonly string[] = [
  ...PHASES.map((phase) => `Current.Import.${phase}`),
  ...perConductor('Power.Active.Import'),
  ...perConductor('Power.Active.Export'),
];
export const ENERGY_IMPORT: readonly string[] = perConductor('Energy.Active.Import.Register');
export const ENERGY_EXPORT: readonly string[] = perConductor('Energy.Active.Export.Register');

/**
 * @param measured how many phases the meter measures: its first ones
 * @returns undefined where the current of a phase that it measures is missing: a guess of 0 A would free current that flows
 */
export function meterReading(
  meter: Pick<Meter, 'id' | 'phases'>,
  at: Timestamp,
  profile: Pick<MeterProfile, 'currentSign'>,
  values: RegisterValues,
  measured: 1 | 2 | 3,
): MeterReading | undefined {
  const measurement = new Measurement(values, PHASES.slice(0, measured));
  const power = measurement.total((phase) => measurement.power(phase));
  const energyImport = measurement.total((phase) => measurement.number('Energy.Active.Import.Register', phase));
  const energyExport = measurement.total((phase) => measurement.number('Energy.Active.Export.Register', phase));
  const current = new Map<Phase, number>();
  for (const [conductor, phase] of (meter.phases ?? PHASES).slice(0, measured).entries()) {
    const signed = measurement.current(PHASES[conductor] ?? 'L1', profile.currentSign);
    if (signed === undefined) return undefined;
    current.set(phase, signed);
  }
  return {
    meter: meter.id,
    at,
    current: perPhase((phase) => ampere(current.get(phase) ?? 0)),
    ...(power === undefined ? {} : { power: watt(power) }),
    ...(energyImport === undefined ? {} : { energyImport: wattHour(energyImport) }),
    ...(energyExport === undefined ? {} : { energyExport: wattHour(energyExport) }),
  };
}

/** What the meter told, by its own names of the phases. */
class Measurement {
  constructor(
    private readonly values: RegisterValues,
    private readonly phases: readonly Phase[],
  ) {}

  number(name: string, phase?: Phase): number | undefined {
    const value = this.values.get(phase === undefined ? name : `${name}.${phase}`);
    return typeof value === 'number' ? value : undefined;
  }

  /** Import less export, in W: some meters have a register for each, and may call the idle one of the two unavailable. */
  power(phase?: Phase): number | undefined {
    const taken = this.number('Power.Active.Import', phase);
    const given = this.number('Power.Active.Export', phase);
    return taken === undefined && given === undefined ? undefined : (taken ?? 0) - (given ?? 0);
  }

  /** The meter's own total; the sum of the phases where it has none. */
  total(of: (phase?: Phase) => number | undefined): number | undefined {
    const own = of();
    if (own !== undefined) return own;
    const values = this.phases.map(of);
    return values.every((value) => value !== undefined) ? values.reduce((sum, value) => sum + value, 0) : undefined;
  }

  /**
   * Positive for import. The direction of one of several phases is never taken from the total: while a site exports, a phase
   * may still import, and counting that as export would free current that flows.
   */
  current(phase: Phase, sign: MeterProfile['currentSign']): number | undefined {
    const size = this.number('Current.Import', phase);
    if (size === undefined || sign === 'own') return size;
    const power = this.power(phase) ?? (this.phases.length === 1 ? this.power() : undefined) ?? 0;
    return power < 0 ? -Math.abs(size) : Math.abs(size);
  }
}
