// What readings say of the device they come from: whether it can be one of a profile, and how well they prove it. Pure.
import type { DeviceProfile, Expectation } from '../modbus/device-profile.js';
import type { RegisterValues } from '../modbus/device.js';
import { evseState, stateRegisters } from '../modbus/evse-state.js';
import type { DeviceIdentification } from '../modbus/link.js';

/**
 * How much is known when everything fits. `plausible`: a voltage is one. `typical`: a text or number that few devices hold.
 * `proven`: what a driver or manual goes by. `named`: the device says its maker itself.
 */
export const STRENGTHS = ['plausible', 'typical', 'proven', 'named'] as const;
export type Strength = (typeof STRENGTHS)[number];

/** Expressions that any text matches. */
const ANYTHING: readonly string[] = ['.', '\\S', '.+', '.*'];
/** The words of a maker's name that could be any maker's are too short to go by. */
const LEAST_WORD = 4;

/** Of a device that has told who made it. @returns undefined where it cannot be this one */
export function byName(profile: DeviceProfile, says: DeviceIdentification): boolean | undefined {
  const { vendor, product } = profile.identification;
  if (says.vendor === undefined) return false;
  if (vendor !== undefined && !new RegExp(vendor, 'i').test(says.vendor)) return undefined;
  if (product !== undefined && says.product !== undefined && !new RegExp(product, 'i').test(says.product))
    return undefined;
  if (vendor !== undefined) return true;
  const word = profile.vendor.split(/[^A-Za-z]/)[0]?.toLowerCase() ?? '';
  return word.length >= LEAST_WORD && says.vendor.toLowerCase().includes(word);
}

export function fits({ register, expect }: Expectation, values: RegisterValues): boolean {
  const value = values.get(register);
  if (value === undefined) return false;
  if (typeof expect === 'string') return new RegExp(expect).test(String(value));
  if (typeof value !== 'number') return false;
  return 'from' in expect ? value >= expect.from && value <= expect.to : expect.includes(value);
}

export function strengthOf({ detection, identification }: DeviceProfile): Strength {
  if (detection.basis === 'source') return 'proven';
  const { expect } = detection;
  const telling = typeof expect === 'string' ? !ANYTHING.includes(expect) : 'includes' in expect;
  return telling || identification.also.length > 0 ? 'typical' : 'plausible';
}

/** The registers that the gateway would live by; together they are a fingerprint that few other devices have. */
export function fingerprint(profile: DeviceProfile): readonly string[] {
  const measured = Object.keys(profile.registers).filter((name) =>
    /^(Current\.Import|Voltage)\.L[123]$|^Frequency$/.test(name),
  );
  const states = profile.kind === 'charger' ? stateRegisters(profile.states) : [];
  const also = profile.identification.also.map(({ register }) => register);
  return [...new Set([...states, ...also, ...measured])].filter((name) => profile.registers[name]?.read !== undefined);
}

/** Whether a device of this profile can hold these values of its fingerprint. */
export function isPlausible(profile: DeviceProfile, values: RegisterValues): boolean {
  if (profile.kind === 'charger' && evseState(profile.states, values) === undefined) return false;
  if (!profile.identification.also.every((each) => fits(each, values))) return false;
  return [...values].every(([name, value]) => typeof value !== 'number' || inRange(name, value));
}

function inRange(name: string, value: number): boolean {
  // A charger without a car may show no voltage; some meters show the frequency ten times too high.
  if (name.startsWith('Voltage.')) return Math.abs(value) < 1 || (value > 80 && value < 300);
  if (name.startsWith('Current.')) return Math.abs(value) < 6000;
  if (name === 'Frequency') return value === 0 || (value > 45 && value < 65) || (value > 450 && value < 650);
  return true;
}
