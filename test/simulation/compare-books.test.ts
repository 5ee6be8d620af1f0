// Every kind of disagreement between the books is found, and only that.
import t from 'tap';
import { compareBooks, type BilledVisit, type CloudBook, type VisitTruth } from '../../simulation/compare-books.js';
import type { BookedTransaction } from '../../simulation/csms-book.js';

const START = Date.parse('2025-03-01T10:00:00.123Z');
const END = Date.parse('2025-03-01T11:00:00.456Z');

const VISIT: VisitTruth = {
  token: 'CARD01',
  evse: 3,
  carEnergy: 2000.4,
  meterStart: 1000,
  meterStop: 3000,
  session: { startedAt: START, endedAt: END },
};

const BILL: BilledVisit = {
  uid: 'uid-1',
  idToken: 'CARD01',
  evse: 3,
  startedAt: START,
  endedAt: END,
  meterStart: 1000,
  meterStop: 3000,
  energy: 2000,
  estimated: false,
};

const BOOKED: BookedTransaction = {
  id: 'uid-1',
  slot: 3,
  idToken: 'CARD01',
  startedAt: '2025-03-01T10:00:00.123Z',
  meterStart: 1000,
  endedAt: '2025-03-01T12:00:00.456+01:00',
  meterStop: 3000,
  reason: 'Local',
  samples: [1500, 2000],
  repeated: 1,
  faults: [],
  seqNo: 4,
};

function cloud(transactions: readonly Partial<BookedTransaction>[], more: Partial<CloudBook> = {}): CloudBook {
  const booked = transactions.map((change, i) => ({ ...BOOKED, ...change, key: `${i}` }));
  return {
    name: 'cloud',
    usesUid: true,
    deadLetters: 0,
    book: { transactions: new Map(booked.map((transaction) => [transaction.key, transaction])), strays: [] },
    ...more,
  };
}

const found = (visits: readonly VisitTruth[], bills: readonly BilledVisit[], clouds: readonly CloudBook[]): string[] =>
  compareBooks(visits, bills, clouds).map(({ where, what }) => `${where}: ${what}`);

t.test('books that agree', (test) => {
  test.same(found([VISIT], [BILL], [cloud([{}])]), [], 'the same moment in another zone is the same');
  test.same(found([VISIT], [BILL], [cloud([{ idToken: 'card01', id: '1001' }], { usesUid: false })]), []);
  const { session: _, ...withoutBook } = VISIT;
  test.same(found([withoutBook], [BILL], [cloud([{}])]), [], 'a Modbus charger keeps no book');
  test.end();
});

t.test('the car and the charger', (test) => {
  test.same(found([{ ...VISIT, carEnergy: 2003 }], [BILL], []), ['charger: energy']);
  test.same(found([{ ...VISIT, carEnergy: 2001 }], [BILL], []), [], 'a whole watt hour is rounding');
  test.end();
});

t.test('the journal', (test) => {
  const bills: readonly [string, Partial<BilledVisit>, readonly string[]][] = [
    ['another EVSE', { evse: 4 }, ['EVSE']],
    ['one watt hour', { meterStop: 3001 }, ['register at the end']],
    ['begun elsewhere', { meterStart: 999 }, ['register at the start']],
    ['added up wrongly', { energy: 1999 }, ['energy']],
    ['one millisecond', { startedAt: START + 1 }, ['start']],
    ['ended later', { endedAt: END + 1 }, ['end']],
    ['guessed', { estimated: true }, ['estimated']],
  ];
  for (const [name, change, expected] of bills) {
    test.same(
      found([VISIT], [{ ...BILL, ...change }], []),
      expected.map((what) => `journal: ${what}`),
      name,
    );
  }
  test.same(found([VISIT], [], []), ['journal: bills']);
  test.same(found([VISIT], [BILL, { ...BILL, uid: 'uid-2' }], []), ['journal: bills']);
  test.same(found([VISIT], [BILL, { ...BILL, uid: 'uid-2', idToken: 'OTHER' }], []), [
    'journal: bill of a visit that never was',
  ]);
  test.same(found([{ ...VISIT, session: { startedAt: START, endedAt: undefined } }], [BILL], []), ['journal: end']);
  test.end();
});

t.test('a cloud', (test) => {
  const clouds: readonly [string, Partial<BookedTransaction>, readonly string[]][] = [
    ['the id', { id: 'uid-2' }, ['id']],
    ['the slot', { slot: 4 }, ['EVSE']],
    ['the token', { idToken: 'CARD02' }, ['transactions', 'transaction of a visit that never was']],
    ['no token', { idToken: undefined }, ['transactions', 'transaction without a token']],
    ['the start', { startedAt: '2025-03-01T10:00:00.124Z' }, ['start']],
    ['no end', { endedAt: undefined, meterStop: undefined }, ['end', 'register at the end']],
    ['a time that is none', { startedAt: 'yesterday' }, ['start']],
    ['the first register', { meterStart: 1001 }, ['register at the start']],
    ['no first register', { meterStart: undefined }, ['register at the start']],
    ['the last register', { meterStop: 3001 }, ['register at the end']],
    ['samples in disorder', { samples: [2000, 1500] }, ['samples out of order']],
    ['a sample above the end', { samples: [3500] }, ['samples out of order']],
    ['a gap', { faults: ['seqNo 4 after 2'] }, ['fault']],
  ];
  for (const [name, change, expected] of clouds) {
    test.same(
      found([VISIT], [BILL], [cloud([change])]),
      expected.map((what) => `cloud: ${what}`),
      name,
    );
  }
  test.same(found([VISIT], [BILL], [cloud([])]), ['cloud: transactions'], 'never told');
  test.same(found([VISIT], [BILL], [cloud([{}, {}])]), ['cloud: transactions'], 'told twice');
  test.same(found([VISIT], [BILL], [cloud([{}], { deadLetters: 1 })]), ['cloud: messages given up']);
  const stray = cloud([{}]);
  const withStray = { ...stray, book: { ...stray.book, strays: ['StopTransaction 7'] } };
  test.same(found([VISIT], [BILL], [withStray]), ['cloud: message of an unknown transaction']);
  const [difference] = compareBooks([VISIT], [BILL], [cloud([{ meterStop: 3001 }])]);
  test.same(difference, {
    where: 'cloud',
    visit: 'CARD01',
    what: 'register at the end',
    expected: 3000,
    found: 3001,
  });
  test.end();
});
