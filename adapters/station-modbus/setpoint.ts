// What a current limit becomes in the registers of a charger: rounded, bounded, and in the unit that the device counts in.
import type { Volt } from '../../gateway/kernel/units.js';
import { PHASES, wattsPerAmpere, type Evse } from '../../gateway/site/topology.js';
import type { Confirmation } from '../modbus/charger-behaviour.js';
import type { ChargerProfile } from '../modbus/device-profile.js';
import type { RegisterValues } from '../modbus/device.js';
import type { RegisterValue } from '../modbus/register-value.js';

/** In ampere: what rounding leaves. */
const SLACK = 0.05;

export interface Outlet {
  readonly evse: Evse;
  readonly profile: ChargerProfile;
  readonly nominalVoltage: Volt;
  /** On how many phases it charges, as told or as seen; absent: on all that it is wired to. */
  readonly phases?: number | undefined;
  /** The largest limit that this very device takes, in A; absent: the profile's. */
  readonly deviceMax?: number | undefined;
}

const inWatts = (profile: ChargerProfile, register: string): boolean => profile.registers[register]?.unit === 'W';

/** Rounded down to a step, without the trace that dividing by a decimal fraction leaves. */
function floorTo(step: number, value: number): number {
  const steps = Math.floor(value / step + 1e-6);
  return Math.round(steps * step * 1e6) / 1e6;
}

/** A current in the unit of a limit's register, never rounded up. */
export function inUnitOf(register: string, current: number, { evse, profile, nominalVoltage, phases }: Outlet): number {
  if (!inWatts(profile, register)) return current;
  const watts = current * wattsPerAmpere(evse, nominalVoltage, phases);
  return floorTo(profile.registers[register]?.scale ?? 1, watts);
}

/** What a limit's register says, in A per phase. */
export function inAmpere(register: string, value: number, { evse, profile, nominalVoltage, phases }: Outlet): number {
  return inWatts(profile, register) ? value / wattsPerAmpere(evse, nominalVoltage, phases) : value;
}

/** The largest limit of at most `current` that the device and the car can charge with, in A; 0 where there is none. */
export function usable(current: number, outlet: Outlet): number {
  const { evse, profile, deviceMax } = outlet;
  const { step, min, max, setpoint } = profile.control;
  const register = profile.registers[setpoint];
  const registerMax = inAmpere(setpoint, register?.max ?? Infinity, outlet);
  const most = Math.min(current, max, evse.maxCurrent, deviceMax ?? Infinity, registerMax);
  const value = floorTo(step, most);
  if (value < Math.max(min, evse.minCurrent)) return 0;
  return inUnitOf(setpoint, value, outlet) < (register?.min ?? 0) ? 0 : value;
}

export const limitsPower = (profile: ChargerProfile): boolean => inWatts(profile, profile.control.setpoint);

/** A current below this is noise of the meter, in A. */
const FLOWING = 1;

/**
 * On how many phases a car takes more than it was told: a power limit for three phases is three times the current for a car
 * on one, where the charger goes by what it measures.
 * @param told in A per phase
 * @returns undefined where it takes no more than that
 */
export function exceedingPhases(values: RegisterValues, told: number): number | undefined {
  const currents = PHASES.map((phase) => values.get(`Current.Import.${phase}`)).filter(
    (current) => typeof current === 'number' && current > FLOWING,
  );
  return currents.some((current) => Number(current) > told + FLOWING) ? currents.length : undefined;
}

/** @param target in A per phase; 0 for a pause */
export function shows(one: Confirmation, shown: RegisterValue | undefined, target: number, outlet: Outlet): boolean {
  if (typeof shown !== 'number') return false;
  const { register, rule, value, slack = SLACK } = one;
  const expected = value ?? inUnitOf(register, target, outlet);
  const error = inWatts(outlet.profile, register) ? inUnitOf(register, slack, outlet) + 1 : slack;
  return rule === 'equals' ? Math.abs(shown - expected) <= error : shown <= expected + error;
}
