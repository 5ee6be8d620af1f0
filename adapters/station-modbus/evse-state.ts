// The state of an EVSE, decided over its registers by the profile's table.
import type { EvseState, Match, StateRule } from '../modbus/device-profile.js';
import type { RegisterValues } from '../modbus/device.js';
import type { RegisterValue } from '../modbus/register-value.js';

/** Undefined where no rule fits: the device says something that its sources do not list. */
export function evseState(rules: readonly StateRule[], values: RegisterValues): EvseState | undefined {
  return rules.find((rule) => Object.entries(rule.when).every(([name, match]) => matches(match, values.get(name))))?.is;
}

/** The registers that decide. */
export const stateRegisters = (rules: readonly StateRule[]): readonly string[] => [
  ...new Set(rules.flatMap((rule) => Object.keys(rule.when))),
];

function matches(match: Match, value: RegisterValue | undefined): boolean {
  if (value === undefined) return false;
  if (typeof match !== 'object') return value === match;
  if ('oneOf' in match) return match.oneOf.includes(value);
  if (typeof value !== 'number') return false;
  if ('from' in match) return value >= match.from && value <= match.to;
  return 'bitsSet' in match ? (value & match.bitsSet) === match.bitsSet : (value & match.bitsClear) === 0;
}
