// From a meter's registers to a reading: currents signed by the direction of the phase's power, import positive.
import type { MeterProfile } from '../modbus/device-profile.js';
import type { RegisterValues } from '../modbus/device.js';
import type { MeterId } from '../../gateway/kernel/ids.js';
import { ampere, watt, wattHour, type Timestamp } from '../../gateway/kernel/units.js';
import type { MeterReading } from '../../gateway/site/metering.js';
import { PHASES, perPhase, type Phase } from '../../gateway/site/topology.js';

/** The registers a reading is made of; a meter may lack those of power and energy. */
export const METER_REGISTERS: readonly string[] = [
  'Current.Import.L1',
  'Current.Import.L2',
  'Current.Import.L3',
  'Power.Active.Import.L1',
  'Power.Active.Import.L2',
  'Power.Active.Import.L3',
  'Power.Active.Import',
  'Energy.Active.Import.Register',
  'Energy.Active.Export.Register',
];

/** Undefined where the current of a phase that the meter measures is missing: a guess of 0 A would free current that flows. */
export function meterReading(
  meter: MeterId,
  at: Timestamp,
  profile: Pick<MeterProfile, 'currentSign'>,
  values: RegisterValues,
  phases: 1 | 2 | 3,
): MeterReading | undefined {
  const number = (name: string): number | undefined => {
    const value = values.get(name);
    return typeof value === 'number' ? value : undefined;
  };
  const total = number('Power.Active.Import');
  const signed = (phase: Phase): number | undefined => {
    const current = number(`Current.Import.${phase}`);
    if (current === undefined || profile.currentSign === 'own') return current;
    const power = number(`Power.Active.Import.${phase}`) ?? total ?? 0;
    return power < 0 ? -Math.abs(current) : Math.abs(current);
  };
  const measured = PHASES.slice(0, phases);
  if (measured.some((phase) => signed(phase) === undefined)) return undefined;
  const energyImport = number('Energy.Active.Import.Register');
  const energyExport = number('Energy.Active.Export.Register');
  return {
    meter,
    at,
    current: perPhase((phase) => ampere(measured.includes(phase) ? (signed(phase) ?? 0) : 0)),
    ...(total === undefined ? {} : { power: watt(total) }),
    ...(energyImport === undefined ? {} : { energyImport: wattHour(energyImport) }),
    ...(energyExport === undefined ? {} : { energyExport: wattHour(energyExport) }),
  };
}
