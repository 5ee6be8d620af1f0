// The small tools of the loader: quantities, the word that was meant, and that the schema and the code agree.
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { isDimension, parseQuantity, UNITS } from '../../site-config/quantity.js';
import { documentedDefault } from '../../site-config/site-form.js';
import { nearest } from '../../site-config/suggestion.js';

t.test('quantities', (t) => {
  t.same(parseQuantity('63 A', 'current'), { ok: true, value: 63 });
  t.same(parseQuantity('63A', 'current'), { ok: true, value: 63 });
  t.same(parseQuantity('4.2 kW', 'power'), { ok: true, value: 4200 });
  t.same(parseQuantity('15 min', 'time'), { ok: true, value: 900_000 });
  t.same(parseQuantity('7 d', 'time'), { ok: true, value: 604_800_000 });
  t.same(parseQuantity('500 MB', 'data'), { ok: true, value: 5e8 });
  t.same(parseQuantity('0.39 per kWh', 'price per energy'), { ok: true, value: 0.39 });
  const cases = [
    ['63', 'current', 'unit-missing', '63 A'],
    ['15', 'time', 'unit-missing', '15 s, 15 min, 15 h or 15 d'],
    ['63 a', 'current', 'unit-wrong', '63 A'],
    ['63 amps', 'current', 'unit-wrong', '63 A'],
    ['15 minutes', 'time', 'unit-wrong', '15 min'],
    ['11 kW', 'current', 'unit-wrong', undefined],
    ['4,2 kW', 'power', 'not-a-quantity', '4.2 kW'],
    ['lots', 'current', 'not-a-quantity', undefined],
    ['1e3 A', 'current', 'not-a-quantity', undefined],
  ] as const;
  for (const [text, dimension, kind, suggestion] of cases) {
    const parsed = parseQuantity(text, dimension);
    if (parsed.ok) t.fail(`${text} is no ${dimension}`);
    else t.match({ suggestion: undefined, ...parsed.error }, { suggestion, kind }, text);
  }
  t.end();
});

t.test('any number with any unit of its dimension is a quantity, and no other text crashes', (t) => {
  const dimensions = Object.keys(UNITS).filter(isDimension);
  fc.assert(
    fc.property(fc.constantFrom(...dimensions), fc.nat(1_000_000), fc.nat(99), (dimension, whole, part) =>
      Object.entries(UNITS[dimension]).every(([unit, factor]) => {
        const parsed = parseQuantity(`${whole}.${part} ${unit}`, dimension);
        return parsed.ok && parsed.value === Number(`${whole}.${part}`) * factor;
      }),
    ),
  );
  fc.assert(
    fc.property(
      fc.string(),
      fc.constantFrom(...dimensions),
      (text, dimension) => typeof parseQuantity(text, dimension).ok === 'boolean',
    ),
  );
  t.end();
});

t.test('the word that was meant', (t) => {
  t.equal(nearest('max-curent', ['max-current', 'min-current']), 'max-current');
  t.equal(nearest('fedby', ['fed-by', 'breaker']), 'fed-by');
  t.equal(nearest('heidelberg', ['keba-p30', 'heidelberg-energy-control']), 'heidelberg-energy-control');
  t.equal(nearest('zzz', ['breaker', 'meter']), undefined);
  t.end();
});

interface Part {
  readonly [key: string]: unknown;
}
const parts = (value: unknown): readonly Part[] => {
  if (typeof value !== 'object' || value === null) return [];
  const own = Array.isArray(value) ? [] : [value as Part];
  return [...own, ...Object.values(value).flatMap(parts)];
};
const schema: unknown = JSON.parse(readFileSync('site-config/site.schema.json', 'utf8'));

t.test('the schema: patterns for editors agree with the units of the loader, and everything is explained', (t) => {
  const quantities = parts(schema).filter((part) => 'x-unit' in part && 'pattern' in part);
  t.ok(quantities.length >= 6, `${quantities.length} quantities`);
  for (const part of quantities) {
    const dimension = part['x-unit'];
    if (!isDimension(dimension)) {
      t.fail(`${String(dimension)} is no dimension`);
      continue;
    }
    const pattern = new RegExp(String(part['pattern']));
    const units = Object.keys(UNITS[dimension]);
    for (const unit of [...units, ...Object.values(UNITS).flatMap((other) => Object.keys(other)), '', 'a']) {
      t.equal(pattern.test(`1.5 ${unit}`), parseQuantity(`1.5 ${unit}`, dimension).ok, `${dimension}: 1.5 ${unit}`);
    }
    for (const example of [part['examples'], part['default']].flat()) {
      if (typeof example === 'string') t.ok(parseQuantity(example, dimension).ok, example);
    }
  }
  const keys = parts(schema).flatMap((part) =>
    Object.entries((part['properties'] ?? {}) as Readonly<Record<string, Part>>),
  );
  const silent = keys
    .filter(([, part]) => part['description'] === undefined && part['$ref'] === undefined)
    .map(([key]) => key);
  t.same(silent, [], 'keys without a hover text');
  t.throws(() => documentedDefault('circuit', 'breaker'), /documents no default/);
  t.end();
});
