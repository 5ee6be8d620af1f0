// The state of an EVSE, decided over its registers by the profile's table.
import type { EvseState, StateRule } from './charger-behaviour.js';
import { holds } from './condition.js';
import type { RegisterValues } from './device.js';

/** Undefined where no rule fits: the device says something that its sources do not list. */
export const evseState = (rules: readonly StateRule[], values: RegisterValues): EvseState | undefined =>
  rules.find((rule) => holds(rule.when, values))?.is;

/** The registers that decide. */
export const stateRegisters = (rules: readonly StateRule[]): readonly string[] => [
  ...new Set(rules.flatMap((rule) => Object.keys(rule.when))),
];
