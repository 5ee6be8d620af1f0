// What is given up when the journal runs out of room: the order, and what is never touched.
import fc from 'fast-check';
import t from 'tap';
import { evseNumber, journalSeq, stationId, transactionUid } from '../../../gateway/kernel/ids.js';
import { timestamp, wattHour } from '../../../gateway/kernel/units.js';
import { shed, STAGES, type Entry, type Reader, type Stage } from '../../../gateway/shedding/shed.js';
import type { SampledValue } from '../../../gateway/site/metering.js';
import type { ChargeDetailRecord, JournalRecord, TransactionRecord } from '../../../gateway/site/transaction.js';

const value = (context?: SampledValue['context'], signed = false): SampledValue => ({
  value: 1,
  ...(context && { context }),
  ...(signed && { signed: { data: 'OCMF', signingMethod: '', encodingMethod: '', publicKey: '' } }),
});

const transaction = (
  uid: string,
  kind: TransactionRecord['kind'],
  values: readonly SampledValue[] = [],
  trigger: TransactionRecord['trigger'] = 'MeterValuePeriodic',
): TransactionRecord => ({
  type: 'transaction',
  uid: transactionUid(uid),
  n: 0,
  kind,
  station: stationId('CP01'),
  evse: evseNumber(1),
  connector: 1,
  at: timestamp(0),
  trigger,
  chargingState: 'Charging',
  offline: false,
  meterValues: values.length === 0 ? [] : [{ at: timestamp(0), sampled: values }],
});
const reading = (values: readonly SampledValue[]): JournalRecord => ({
  type: 'meter',
  station: stationId('CP01'),
  meterValues: [{ at: timestamp(0), sampled: values }],
});
const security: JournalRecord = { type: 'security', event: 'x', at: timestamp(0) };
const bill: ChargeDetailRecord = {
  type: 'cdr',
  uid: transactionUid('a'),
  site: 'S',
  station: stationId('CP01'),
  evse: evseNumber(1),
  connector: 1,
  basis: 'free',
  startedAt: timestamp(0),
  endedAt: timestamp(1),
  meterStart: wattHour(0),
  meterStop: wattHour(1),
  energy: wattHour(1),
  stoppedReason: 'Local',
  estimated: false,
};

const reader = (id: string, settled: number, over: Partial<Reader> = {}): Reader => ({
  id,
  authority: id === 'authority',
  settled: journalSeq(settled),
  concerns: (record) => record.type !== 'cdr' || id === 'broker',
  knows: () => false,
  ...over,
});
const numbered = (records: readonly JournalRecord[]): readonly Entry[] =>
  records.map((record, index) => ({ seq: journalSeq(index + 1), record }));

/** Numbers of what is gone, and of what is less. */
function outcome(stage: Stage, records: readonly JournalRecord[], readers: readonly Reader[]) {
  const { amendments, counts } = shed(stage, numbered(records), readers, new Set());
  return {
    gone: amendments.filter(({ record }) => record === undefined).map(({ seq }) => Number(seq)),
    less: amendments.flatMap(({ seq, record }) => (record ? [Number(seq)] : [])),
    counts: Object.fromEntries(counts),
  };
}

const authority = reader('authority', 0);

t.test('readings outside transactions go first, but for signed ones', (t) => {
  t.same(outcome('readings', [reading([value()]), reading([value(undefined, true)]), security], [authority]), {
    gone: [1],
    less: [],
    counts: { authority: { readings: 1 } },
  });
  t.end();
});

t.test('of the samples of each transaction the 1st, 3rd, 5th go, over the borders of pages', (t) => {
  const sample = (uid: string): TransactionRecord => transaction(uid, 'updated', [value('Sample.Periodic')]);
  const records = [transaction('a', 'started'), sample('a'), sample('b'), sample('a'), sample('a'), sample('b')];
  const first = shed('samples', numbered(records), [authority], new Set());
  t.same(first.amendments, [{ seq: 2 }, { seq: 3 }, { seq: 5 }]);
  t.same(first.counts, new Map([['authority', { samples: 3 }]]));
  const second = shed('samples', numbered([sample('b'), sample('a'), sample('a')]), [authority], first.alternating);
  t.same(second.amendments, [{ seq: 1 }, { seq: 3 }], 'b was told last, a was not');
  t.end();
});

t.test('an update that says more than samples loses only these', (t) => {
  const news = transaction(
    'a',
    'updated',
    [value(), value('Interruption.Begin'), value('Sample.Clock')],
    'ChargingStateChanged',
  );
  t.same(outcome('samples', [news], [authority]).gone, []);
  const { amendments } = shed(
    'values',
    numbered([news, transaction('a', 'updated', [value('Trigger')])]),
    [authority],
    new Set(),
  );
  t.match(amendments, [
    { seq: 1, record: { kind: 'updated', meterValues: [{ sampled: [value('Interruption.Begin')] }] } },
  ]);
  t.equal(amendments.length, 1);
  t.end();
});

t.test('starts and ends go only where nobody who decides waits, and an end that was begun is told', (t) => {
  const records = [transaction('a', 'started'), transaction('a', 'ended'), bill];
  const behind = [reader('observer', 0), reader('broker', 0)];
  t.same(outcome('transactions', records, [authority, ...behind]).gone, [3], 'a bill concerns brokers only');
  t.same(outcome('transactions', records, [reader('authority', 9), ...behind]), {
    gone: [1, 2, 3],
    less: [],
    counts: { observer: { transactions: 2 }, broker: { transactions: 2, bills: 1 } },
  });
  const begun = reader('observer', 1, { knows: () => true });
  t.same(outcome('transactions', records, [reader('authority', 9), begun]).gone, [], 'the start is with the observer');
  t.end();
});

t.test('whatever is waiting: starts, ends, signed values and those of a begin and an end stay for who decides', (t) => {
  const contexts = [
    undefined,
    'Sample.Periodic',
    'Sample.Clock',
    'Transaction.Begin',
    'Transaction.End',
    'Trigger',
  ] as const;
  const values = fc.array(
    fc.tuple(fc.constantFrom(...contexts), fc.boolean()).map(([context, signed]) => value(context, signed)),
    { maxLength: 3 },
  );
  const any = fc.oneof(
    fc
      .tuple(fc.constantFrom('a', 'b'), fc.constantFrom('started', 'updated', 'ended'), values)
      .map(([uid, kind, sampled]) => transaction(uid, kind, sampled)),
    values.map(reading),
    fc.constant(security),
  );
  const lasting = (records: readonly JournalRecord[]): unknown[] =>
    records.flatMap((record): unknown[] => {
      if (record.type !== 'transaction' && record.type !== 'meter') return [];
      const sampled = record.meterValues.flatMap((each) => each.sampled);
      const kept = sampled.filter(
        ({ signed, context }) => signed !== undefined || context?.startsWith('Transaction') === true,
      );
      return record.type === 'transaction' && record.kind !== 'updated' ? [record] : kept;
    });
  fc.assert(
    fc.property(
      fc.array(any, { maxLength: 30 }),
      fc.array(fc.constantFrom(...STAGES), { maxLength: 8 }),
      (records, stages) => {
        let left = numbered(records);
        for (const stage of stages) {
          const { amendments } = shed(stage, left, [authority, reader('broker', 0)], new Set());
          const changed = new Map(amendments.map((each) => [each.seq, each.record]));
          left = left.flatMap(({ seq, record }) => {
            const now = changed.has(seq) ? changed.get(seq) : record;
            return now ? [{ seq, record: now }] : [];
          });
        }
        return JSON.stringify(lasting(left.map(({ record }) => record))) === JSON.stringify(lasting(records));
      },
    ),
  );
  t.end();
});
