// What a grid operator's box may say, and what is refused; power becomes current, never more of it.
import fc from 'fast-check';
import t from 'tap';
import { readWord } from '../../../gateway/grid-operator/word.js';
import { volt, watt } from '../../../gateway/kernel/units.js';
import { currentOfLimit } from '../../../gateway/site/power-limit.js';

const NOMINAL = volt(230);

t.test('words that mean a limit', (t) => {
  const current = (value: number) => ({ limit: { current: value } });
  const power = (value: number) => ({ limit: { power: value } });
  const cases: readonly (readonly [string, object])[] = [
    ['16', current(16)],
    [' 16.5 A\n', current(16.5)],
    ['0', current(0)],
    ['4.2 kW', power(4200)],
    ['4200W', power(4200)],
    ['none', { limit: undefined }],
    ['None', { limit: undefined }],
    ['"8 kW"', power(8000)],
    ['{"limit":"4.2 kW"}', power(4200)],
    ['{"limit":10}', current(10)],
    ['{"limit_A":10}', current(10)],
    ['{"limit_kW":4.2}', power(4200)],
    ['{"limit":null}', { limit: undefined }],
    ['{"limit":"none","circuit":"deck"}', { limit: undefined, circuit: 'deck' }],
    ['{"limit_kW":11,"circuit":"deck","reason":"14a"}', { ...power(11_000), circuit: 'deck' }],
  ];
  for (const [payload, expected] of cases) t.match(readWord(payload), { ok: true, value: expected }, payload);
  t.end();
});

t.test('everything else is refused', (t) => {
  const refused = [
    '', ' ', '-1', '16 V', '1e3', 'sixteen', '16,5', 'NaN', 'Infinity', '99999 A', '99999999 kW', '{', '{}', '[]', '[16]', 'true',
    '{"limit":-1}', '{"limit":[1]}', '{"limit":{}}', '{"limit":true}', '{"limit_kW":"4 A"}', '{"limit":1,"limit_kW":2}',
    '{"limit":1e300}', '{"limit":1,"circuit":7}', '{"__proto__":{"limit":1}}', 'x'.repeat(10_000), `{"limit":"${'9'.repeat(600)}"}`,
  ]; // prettier-ignore
  for (const payload of refused) t.match(readWord(payload), { ok: false }, payload.slice(0, 40));
  t.end();
});

t.test('whatever comes, it is a value within bounds or a refusal', (t) => {
  const said = fc.oneof(
    fc.string(),
    fc.json(),
    fc
      .record({ limit: fc.oneof(fc.double(), fc.string(), fc.constant(null)), circuit: fc.anything() })
      .map((each) => JSON.stringify(each)),
  );
  fc.assert(
    fc.property(said, (payload) => {
      const word = readWord(payload);
      if (!word.ok || word.value.limit === undefined) return true;
      const current = currentOfLimit(word.value.limit, undefined, NOMINAL);
      return current >= 0 && current <= 15_000;
    }),
  );
  t.end();
});

t.test('power becomes current of each phase, never upwards', (t) => {
  t.equal(currentOfLimit({ power: watt(4200) }, undefined, NOMINAL), 6, '6.087 A');
  t.equal(currentOfLimit({ power: watt(690) }, undefined, NOMINAL), 1, 'exactly 1 A stays that');
  t.equal(currentOfLimit({ power: watt(0) }, undefined, NOMINAL), 0);
  const delta = { primaryVoltage: volt(480) };
  t.equal(currentOfLimit({ power: watt(10_000) }, delta, volt(120)), 12, 'before a transformer its own voltage counts');
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e7, noNaN: true }), (power) => {
      const current = currentOfLimit({ power: watt(power) }, undefined, NOMINAL);
      return current * 3 * NOMINAL <= power + 1e-3 && current >= 0;
    }),
  );
  t.end();
});
