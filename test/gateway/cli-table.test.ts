// Tables fit a terminal of 100 columns, and nothing that a charger or a cloud says moves its cursor.
import fc from 'fast-check';
import t from 'tap';
import { cut, moment, span, table, wrapped } from '../../gateway/cli-table.js';

t.test('columns are aligned', (t) => {
  t.equal(
    table(
      [{ title: 'NAME' }, { title: 'A', align: 'right' }],
      [
        ['main', '63'],
        ['deck-1', '6'],
      ],
    ),
    'NAME     A\nmain    63\ndeck-1   6\n',
  );
  t.end();
});

t.test('whatever is in it, a row is one line of at most 100 characters', (t) => {
  const text = fc.string({ maxLength: 300, unit: 'binary' });
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text, text)), (rows) => {
      const lines = table(
        [{ title: 'A' }, { title: 'B', most: 40, align: 'right' }, { title: 'C', most: 8 }],
        rows,
      ).split('\n');
      return lines.length === rows.length + 2 && lines.every((line) => line.length <= 100);
    }),
  );
  fc.assert(
    fc.property(text, fc.integer({ min: 0, max: 20 }), (words, indent) =>
      wrapped(words, indent)
        .split('\n')
        .every((line) => line.length <= 100),
    ),
  );
  fc.assert(fc.property(text, (words) => !/\p{Cc}/u.test(cut(words, 80))));
  t.end();
});

t.test('spans and moments', (t) => {
  t.same([undefined, 0, 59.9, 60, 3599, 3661, 172_799, 172_800, 1e6].map(span), [
    '-',
    '0 s',
    '59 s',
    '1 min',
    '59 min',
    '1 h 1 min',
    '47 h 59 min',
    '2 d 0 h',
    '11 d 13 h',
  ]);
  t.equal(moment('2025-03-01T08:00:00.123Z'), '2025-03-01 08:00:00Z');
  t.equal(moment(undefined), '-');
  t.end();
});
