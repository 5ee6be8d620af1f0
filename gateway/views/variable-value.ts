// Whether a text is a value that a variable may have.
import { failed, ok, type Result } from '../kernel/result.js';
import { measurandSet } from './sampling.js';
import { MEASURANDS, type VariableDefinition } from './variable-table.js';

const PHASE_SUFFIX = /\.(L1|L2|L3|N|L1-N|L2-N|L3-N|L1-L2|L2-L3|L3-L1)$/;

/**
 * The value as it is stored: trimmed, booleans in small letters.
 * @param definition what the variable is
 * @param value as the CSMS wrote it
 * @returns the reason why not, for people
 */
export function checkValue(definition: VariableDefinition, value: string): Result<string, string> {
  const text = value.trim();
  switch (definition.dataType) {
    case 'boolean':
      return /^(true|false)$/i.test(text) ? ok(text.toLowerCase()) : failed('neither true nor false');
    case 'integer':
      return /^[+-]?\d+$/.test(text) ? inRange(definition, text) : failed('not a whole number');
    case 'decimal':
      return /^[+-]?\d+(\.\d+)?$/.test(text) ? inRange(definition, text) : failed('not a number');
    case 'dateTime':
      return Number.isNaN(Date.parse(text)) ? failed('not a time') : ok(text);
    case 'OptionList':
      return definition.values?.includes(text) === false ? failed('not one of the options') : ok(text);
    case 'SequenceList':
    case 'MemberList':
      return members(definition, text);
    case 'string':
      if (value.length < (definition.min ?? 0)) return failed('too short');
      return value.length > (definition.max ?? 1000) ? failed('too long') : ok(value);
  }
}

function inRange(definition: VariableDefinition, text: string): Result<string, string> {
  const number = Number(text);
  if (number < (definition.min ?? -Infinity)) return failed(`below ${definition.min}`);
  if (number > (definition.max ?? Infinity)) return failed(`above ${definition.max}`);
  return ok(String(number));
}

/** Every member has to be known: a list is taken whole or not at all (1.6 section 3.16.4). */
function members(definition: VariableDefinition, text: string): Result<string, string> {
  const chosen = [...measurandSet(text)];
  const known = (member: string): boolean => {
    if (definition.values === undefined || definition.values.includes(member)) return true;
    return definition.values === MEASURANDS && definition.values.includes(member.replace(PHASE_SUFFIX, ''));
  };
  const stranger = chosen.find((member) => !known(member));
  if (stranger !== undefined) return failed(`${stranger.slice(0, 50)} is not supported`);
  return ok(chosen.join(','));
}
