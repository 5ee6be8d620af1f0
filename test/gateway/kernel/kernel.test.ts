// Units, identities and masks: small things that everything else stands on.
import fc from 'fast-check';
import t from 'tap';
import { uuidV7 } from '../../../gateway/kernel/ids.js';
import { maskToken } from '../../../gateway/kernel/log.js';
import { minutes, seconds, timestamp, toRfc3339 } from '../../../gateway/kernel/units.js';

const random = fc.uint8Array({ minLength: 10, maxLength: 10 });
/** Up to the year 10889, where 48 bits end. */
const time = fc.integer({ min: 0, max: 2 ** 48 - 1 });

void t.test('UUIDs of version 7', (t) => {
  // The example of RFC 9562, appendix A.6.
  const example = [0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f];
  t.equal(uuidV7(0x017f22e279b0, Uint8Array.from(example)), '017f22e2-79b0-7cc3-98c4-dc0c0c07398f');
  t.equal(uuidV7(0, new Uint8Array(10)), '00000000-0000-7000-8000-000000000000');
  t.equal(uuidV7(2 ** 48 - 1, new Uint8Array(10).fill(255)), 'ffffffff-ffff-7fff-bfff-ffffffffffff');
  t.equal(uuidV7(-5, new Uint8Array(10)).slice(0, 13), '00000000-0000', 'a clock before 1970 is 1970');
  t.equal(uuidV7(1.9, new Uint8Array(10)).slice(0, 13), '00000000-0001');
  t.equal(
    uuidV7(1, new Uint8Array(16).fill(1)),
    uuidV7(1, new Uint8Array(10).fill(1)),
    'surplus randomness is not used',
  );
  fc.assert(
    fc.property(time, random, (at, bytes) => {
      const id = uuidV7(at, bytes);
      return (
        /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id) &&
        parseInt(id.slice(0, 8) + id.slice(9, 13), 16) === at
      );
    }),
  );
  fc.assert(fc.property(time, time, random, random, (a, b, x, y) => a === b || uuidV7(a, x) < uuidV7(b, y) === a < b));
  fc.assert(
    fc.property(time, random, random, (at, x, y) => {
      // 74 of the 80 random bits count: version and variant take the place of six.
      const MASKS = [0x0f, 0xff, 0x3f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
      const same = MASKS.every((mask, i) => (((x[i] ?? 0) ^ (y[i] ?? 0)) & mask) === 0);
      return (uuidV7(at, x) === uuidV7(at, y)) === same;
    }),
  );
  t.end();
});

void t.test('times and spans', (t) => {
  t.equal(seconds(1.5), 1500);
  t.equal(minutes(2), 120_000);
  t.equal(toRfc3339(timestamp(0)), '1970-01-01T00:00:00.000Z');
  t.equal(toRfc3339(timestamp(Date.parse('2024-02-29T23:59:59.999+01:00'))), '2024-02-29T22:59:59.999Z');
  t.end();
});

void t.test('a masked token gives away two characters and its length', (t) => {
  t.equal(maskToken('04A1B2C3D4E5F6'), '04***(14)');
  t.equal(maskToken(''), '');
  t.equal(maskToken('AB'), '**');
  t.equal(maskToken('ABC'), 'AB***(3)');
  fc.assert(fc.property(fc.string({ minLength: 4 }), (token) => !maskToken(token).includes(token)));
  t.end();
});
