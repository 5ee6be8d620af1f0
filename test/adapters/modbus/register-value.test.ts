// Values and words: every type in every order, sentinels, bit fields, and how reads are grouped.
import t from 'tap';
import fc from 'fast-check';
import type { Order, Register, RegisterType } from '../../../adapters/modbus/device-profile.js';
import { planReads } from '../../../adapters/modbus/read-plan.js';
import { decode, encode, wordsOf } from '../../../adapters/modbus/register-value.js';

const BIG = { byteOrder: 'big', wordOrder: 'big' } as const;
const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');

t.test('the same words under every order', (test) => {
  const at = (type: RegisterType, wordOrder: Order, byteOrder: Order, hex: string) =>
    decode({ address: 0, type, read: 3 }, { wordOrder, byteOrder }, bytes(hex));
  test.equal(at('uint32', 'big', 'big', '0001 0002'), 0x00010002);
  test.equal(at('uint32', 'little', 'big', '0001 0002'), 0x00020001);
  test.equal(at('uint32', 'big', 'little', '0001 0002'), 0x01000200);
  test.equal(at('uint32', 'little', 'little', '0001 0002'), 0x02000100);
  test.equal(at('float32', 'big', 'big', '4148 0000'), 12.5);
  test.equal(at('float32', 'little', 'big', '0000 4148'), 12.5);
  test.equal(at('float64', 'big', 'big', '40C3 8800 0000 0000'), 10_000);
  test.equal(at('int64', 'little', 'big', 'FFFE FFFF FFFF FFFF'), -2);
  test.equal(at('int16', 'big', 'big', 'FFFF'), -1);
  test.end();
});

t.test('scales without binary dust, and keeps "not available" apart from zero', (test) => {
  const milli: Register = { address: 0, type: 'uint32', read: 3, scale: 0.001 };
  test.equal(decode(milli, BIG, bytes('0000 3039')), 12.345);
  const point: Register = { address: 0, type: 'int16', read: 3, sentinels: [-0x8000] };
  test.equal(decode(point, BIG, bytes('8000')), undefined);
  test.equal(decode(point, BIG, bytes('0000'), -2), 0);
  test.equal(decode(point, BIG, bytes('04D2'), -2), 12.34);
  test.equal(decode(point, BIG, bytes('0002'), 3), 2000);
  test.equal(decode({ address: 0, type: 'float32', read: 3 }, BIG, bytes('7FC0 0000')), undefined);
  test.equal(decode({ address: 0, type: 'uint16', read: 3, mask: 0x0ff0, shift: 4 }, BIG, bytes('ABCD')), 0xbc);
  test.end();
});

t.test('text ends at its first NUL, without the blanks around it', (test) => {
  const text: Register = { address: 0, type: 'string', words: 4, read: 3 };
  test.equal(decode(text, BIG, Buffer.from('C2\0\0\0\0\0\0', 'latin1')), 'C2');
  test.equal(decode(text, { byteOrder: 'little', wordOrder: 'little' }, Buffer.from('lAef n\0\0', 'latin1')), 'Alfen');
  test.end();
});

t.test('what is written reads back, to the resolution of the register', (test) => {
  const orders = fc.constantFrom<Order>('big', 'little');
  const types = fc.constantFrom<RegisterType>(
    'uint16',
    'int16',
    'uint32',
    'int32',
    'uint64',
    'int64',
    'float32',
    'float64',
  );
  fc.assert(
    fc.property(
      types,
      orders,
      orders,
      fc.constantFrom(1, 0.1, 0.01, 0.001),
      fc.double({ min: 0, max: 30, noNaN: true }),
      (type, wordOrder, byteOrder, scale, value) => {
        const register: Register = { address: 0, type, read: 3, write: 16, scale };
        const words = encode(register, { wordOrder, byteOrder }, value);
        const back = decode(register, { wordOrder, byteOrder }, words);
        const resolution = type.startsWith('float') ? 1e-4 : scale;
        return (
          words.length === wordsOf(register) * 2 && typeof back === 'number' && Math.abs(back - value) <= resolution
        );
      },
    ),
    { numRuns: 300 },
  );
  test.end();
});

t.test('reads are grouped without gaps, without splitting a value, within the limit', (test) => {
  const registers = fc.uniqueArray(
    fc.record({ slot: fc.nat(40), unit: fc.constantFrom(1, 2), fc: fc.constantFrom(3, 4) }),
    {
      selector: ({ slot, unit, fc: code }) => `${slot} ${unit} ${code}`,
      maxLength: 30,
    },
  );
  fc.assert(
    fc.property(registers, fc.integer({ min: 2, max: 20 }), (asked, limit) => {
      const placed = asked.map(({ slot, unit, fc: code }) => ({
        name: `${slot} ${unit} ${code}`,
        unit,
        address: slot * 2,
        register: { address: slot * 2, type: 'uint32', read: code === 3 ? 3 : 4 } as const,
      }));
      const blocks = planReads(placed, { maxRegistersPerRead: limit });
      const found = blocks.flatMap((block) => {
        const covered = new Set(block.registers.flatMap(({ address }) => [address, address + 1]));
        const whole = block.registers.every(
          ({ address, unit, register }) =>
            unit === block.unit &&
            register.read === block.fc &&
            address >= block.address &&
            address + 2 <= block.address + block.count,
        );
        return whole && block.count <= limit && covered.size === block.count
          ? block.registers.map(({ name }) => name)
          : [];
      });
      return found.length === asked.length && new Set(found).size === asked.length;
    }),
    { numRuns: 200 },
  );
  test.end();
});

t.test('a device that refuses more than one value at a time is read one by one', (test) => {
  const placed = [0, 1, 2].map((address) => ({
    name: `${address}`,
    unit: 1,
    address,
    register: { address, type: 'uint16', read: 3 } as const,
  }));
  const counts = (io: Parameters<typeof planReads>[1]): readonly number[] =>
    planReads(placed, io).map(({ count }) => count);
  test.same(counts({}), [3]);
  test.same(counts({ exactReads: true }), [1, 1, 1]);
  test.same(counts({ maxRegistersPerRead: 2 }), [2, 1]);
  test.end();
});
