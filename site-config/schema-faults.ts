// Checks what is written in a YAML file against the JSON Schema of its form and says what is wrong in words of the trade.
import type { ErrorObject } from 'ajv';
import type { Fault } from './fault.js';
import type { FindingCode } from './finding.js';
import { isSchema, scalar, type Form, type Schema } from './form.js';
import { fromPointer, inWords, type Path } from './place.js';
import { isDimension, measures, parseQuantity, type Dimension } from './quantity.js';
import { nearest } from './suggestion.js';

/** Everything in which `written` is not what the form asks for, at most one fault for a value. */
export function schemaFaults(form: Form, written: unknown): readonly Fault[] {
  if (form.validate(written)) return [];
  const errors = form.validate.errors ?? [];
  // Inside a choice (oneOf) the faults of every branch are reported: the choice as a whole says it better.
  const choices = errors.filter((error) => error.keyword === 'oneOf').map((error) => error.instancePath);
  const inChoice = (error: ErrorObject): boolean =>
    choices.some((path) => error.instancePath === path || error.instancePath.startsWith(`${path}/`));
  const faults = new Map<string, Fault>();
  for (const error of errors) {
    if (error.keyword !== 'oneOf' && inChoice(error)) continue;
    const fault = translate(error, written, form);
    if (fault === undefined) continue;
    const key = `${fault.path.join('/')} ${fault.at} ${fault.code === 'missing-key' ? fault.message : ''}`;
    const known = faults.get(key);
    if (known === undefined || rank(fault.code) < rank(known.code)) faults.set(key, fault);
  }
  return withoutEchoes([...faults.values()]);
}

/** A key that is misspelt is missing too; saying so would be a second finding for one slip. */
const withoutEchoes = (faults: readonly Fault[]): readonly Fault[] =>
  faults.filter(
    ({ code, path, message }) =>
      code !== 'missing-key' ||
      !faults.some(
        (other) =>
          other.code === 'unknown-key' &&
          other.path.slice(0, -1).join('/') === path.join('/') &&
          message.endsWith(` has no ${/^did you mean (.+)\?$/.exec(other.suggestion ?? '')?.[1] ?? '?'}`),
      ),
  );

/** Of several faults of one value the first of these is the one to show. */
const ORDER: readonly FindingCode[] = [
  'empty',
  'unit-missing',
  'unit-wrong',
  'not-a-quantity',
  'out-of-range',
  'unknown-key',
  'wrong-shape',
];
const rank = (code: FindingCode): number => (ORDER.indexOf(code) + ORDER.length + 1) % (ORDER.length + 1);

function translate(error: ErrorObject, written: unknown, form: Form): Fault | undefined {
  const resolved = (part: Schema): Schema => withReference(part, form.definitions);
  const path = fromPointer(error.instancePath);
  const here = resolved(isSchema(error.parentSchema) ? error.parentSchema : {});
  const what = inWords(path, written);
  const fault = (code: FindingCode, message: string, suggestion?: string, at: 'key' | 'value' = 'value'): Fault => ({
    code,
    severity: 'error',
    path,
    at,
    message,
    ...(suggestion === undefined ? {} : { suggestion }),
  });
  const params: Readonly<Record<string, unknown>> = error.params;
  if (error.data === null && error.keyword !== 'required') {
    return fault(
      'empty',
      `nothing is written after ${lastKey(path)}${path.length > 1 ? ` (${inWords(path.slice(0, -1), written)})` : ''}`,
      suggestionFor(lastKey(path), here),
    );
  }
  switch (error.keyword) {
    case 'required': {
      const missing = String(params['missingProperty']);
      const properties = isSchema(here['properties']) ? here['properties'] : {};
      const wanted = resolved(isSchema(properties[missing]) ? properties[missing] : {});
      return fault('missing-key', `${what} has no ${missing}`, suggestionFor(missing, wanted), 'key');
    }
    case 'additionalProperties': {
      const key = String(params['additionalProperty']);
      const known = Object.keys(isSchema(here['properties']) ? here['properties'] : {});
      const meant = nearest(key, known);
      return {
        code: 'unknown-key',
        severity: 'error',
        path: [...path, key],
        at: 'key',
        message:
          path.length === 0 ? `${key} is not a section of ${form.of}` : `${key} is not something that ${what} can have`,
        suggestion: meant === undefined ? `there are ${known.join(', ')}` : `did you mean ${meant}?`,
      };
    }
    case 'propertyNames': {
      const key = String(params['propertyName']);
      const names = resolved(isSchema(here['propertyNames']) ? here['propertyNames'] : {});
      return {
        code: 'bad-form',
        severity: 'error',
        path: [...path, key],
        at: 'key',
        message: `${quoted(key)} cannot be a name here`,
        suggestion: `write ${formOf(names)}`,
      };
    }
    case 'enum': {
      const choices = [...new Set((Array.isArray(here['enum']) ? here['enum'] : []).map(scalar))];
      const meant = typeof error.data === 'string' ? nearest(error.data, choices) : undefined;
      return fault(
        'choose-one-of',
        `${what} cannot be ${shown(error.data)}`,
        `${meant === undefined ? '' : `did you mean ${meant}? `}choose ${listed(choices)}`,
      );
    }
    case 'x-unit':
      return isDimension(here['x-unit'])
        ? quantityFault(String(error.data), here['x-unit'], what, here, fault)
        : undefined;
    case 'x-range':
      return fault('out-of-range', `${what} cannot be ${shown(error.data)}`, example(here));
    case 'minimum':
    case 'maximum':
      return fault(
        'out-of-range',
        `${what} cannot be ${shown(error.data)}`,
        `write a number from ${scalar(here['minimum'])} to ${scalar(here['maximum'])}`,
      );
    case 'type':
      if (typeof error.data === 'number' && isDimension(here['x-unit']))
        return quantityFault(String(error.data), here['x-unit'], what, here, fault);
      return fault(
        'wrong-shape',
        `${what} must be ${shapeOf(here)}, not ${shown(error.data)}`,
        here['type'] === 'boolean' ? 'write true or false' : example(here),
      );
    case 'oneOf':
      return fault('wrong-shape', `${what} cannot be ${shown(error.data)}`, example(here));
    case 'minItems':
    case 'minProperties':
    case 'minLength':
      return fault('empty', `${what} is empty`, example(here));
    case 'maxItems':
    case 'maxLength':
      return fault(
        'out-of-range',
        `${what} is too long`,
        typeof here['x-form'] === 'string' ? `write ${here['x-form']}` : undefined,
      );
    case 'pattern':
      // A quantity is judged by its unit; the pattern is there for editors.
      return here['x-unit'] !== undefined || !('pattern' in here) || error.propertyName !== undefined
        ? undefined
        : fault('bad-form', `${what} cannot be ${shown(error.data)}`, `write ${formOf(here)}`);
    default:
      return undefined;
  }
}

function quantityFault(
  text: string,
  dimension: Dimension,
  what: string,
  here: Schema,
  fault: (code: FindingCode, message: string, suggestion?: string) => Fault,
): Fault | undefined {
  const quantity = parseQuantity(text, dimension);
  if (quantity.ok) return undefined;
  const { error } = quantity;
  const instead = error.suggestion === undefined ? example(here) : `write ${error.suggestion}`;
  switch (error.kind) {
    case 'unit-missing':
      return fault('unit-missing', `${what}: ${text} has no unit`, instead);
    case 'not-a-quantity':
      return fault('not-a-quantity', `${what}: ${quoted(text)} is not a ${dimension}`, instead);
    case 'unit-wrong': {
      const other = error.suggestion === undefined ? measures(error.written) : undefined;
      const why =
        other === undefined
          ? `${quoted(text)} is not a ${dimension} as it is written`
          : `${text} is a ${other}, not a ${dimension}`;
      return fault('unit-wrong', `${what}: ${why}`, instead);
    }
  }
}

/** The schema with what it refers to; its own words win. */
function withReference(part: Schema, definitions: Schema): Schema {
  const reference =
    part['$ref'] ?? (Array.isArray(part['allOf']) && isSchema(part['allOf'][0]) ? part['allOf'][0]['$ref'] : undefined);
  if (typeof reference !== 'string') return part;
  const target = definitions[reference.replace('#/definitions/', '')];
  return isSchema(target) ? { ...withReference(target, definitions), ...part } : part;
}

const examplesOf = (part: Schema): readonly string[] =>
  Array.isArray(part['examples']) ? part['examples'].map(scalar) : [];
const example = (part: Schema): string | undefined => {
  const [one] = examplesOf(part);
  if (one !== undefined) return `write for example ${one}`;
  if (part['type'] === 'boolean') return 'write true or false';
  return Array.isArray(part['enum']) ? `choose ${listed([...new Set(part['enum'].map(scalar))])}` : undefined;
};
const suggestionFor = (key: string, part: Schema): string => {
  const [one] = examplesOf(part);
  return one === undefined ? `write ${key}: and its value` : `write for example ${key}: ${one}`;
};
const formOf = (part: Schema): string =>
  typeof part['x-form'] === 'string' ? part['x-form'] : (examplesOf(part)[0] ?? 'another text');
const lastKey = (path: Path): string => String(path.at(-1) ?? 'the file');
const quoted = (text: string): string => `"${text.length > 60 ? `${text.slice(0, 57)}...` : text}"`;
const listed = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`;

function shown(data: unknown): string {
  if (Array.isArray(data)) return 'a list';
  if (typeof data === 'object') return 'a section of keys';
  return quoted(scalar(data));
}

function shapeOf(part: Schema): string {
  const types: unknown = part['type'];
  const type: unknown = Array.isArray(types) ? types[0] : types;
  if (isDimension(part['x-unit'])) return `a ${part['x-unit']}`;
  if (type === 'object') return 'a section of keys';
  if (type === 'array') return 'a list';
  if (type === 'integer') return 'a whole number';
  if (type === 'number') return 'a number';
  if (type === 'boolean') return 'true or false';
  return 'a text';
}
