// Whether a device shows what a profile asks for.
import type { Condition, Match } from './charger-behaviour.js';
import type { RegisterValue } from './register-value.js';

/** A register without a value matches nothing. */
export const holds = (condition: Condition, values: ReadonlyMap<string, RegisterValue>): boolean =>
  Object.entries(condition).every(([name, match]) => matches(match, values.get(name)));

function matches(match: Match, value: RegisterValue | undefined): boolean {
  if (value === undefined) return false;
  if (typeof match !== 'object') return value === match;
  if ('oneOf' in match) return match.oneOf.includes(value);
  if (typeof value !== 'number') return false;
  if ('from' in match) return value >= match.from && value <= match.to;
  return 'bitsSet' in match ? (value & match.bitsSet) === match.bitsSet : (value & match.bitsClear) === 0;
}
