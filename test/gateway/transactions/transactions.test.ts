// The life of a transaction in the book: every ingest rule, with the disk refusing, and the book rebuilt.
import t from 'tap';
import fc from 'fast-check';
import { evseNumber, stationId, stationTransactionId, transactionUid } from '../../../gateway/kernel/ids.js';
import { timestamp } from '../../../gateway/kernel/units.js';
import type { MeterValue, ReadingContext, ReadingLocation } from '../../../gateway/site/metering.js';
import type { StatusReported, TransactionReported } from '../../../gateway/site/station-event.js';
import type { TransactionRecord } from '../../../gateway/site/transaction.js';
import { amend } from '../../../gateway/transactions/amend.js';
import { recognise, type Protocol } from '../../../gateway/transactions/binding.js';
import { apply, ENDED_KEPT, TransactionBook, undo, type TransactionEntry } from '../../../gateway/transactions/book.js';
import { decideTransaction, type TransactionDecision } from '../../../gateway/transactions/decide.js';
import { estimateStop } from '../../../gateway/transactions/estimate.js';
import type { IngestContext } from '../../../gateway/transactions/intake.js';
import { isTransactionEntry, recover } from '../../../gateway/transactions/recovery.js';
import { registersIn } from '../../../gateway/transactions/register.js';
import { decideStatus } from '../../../gateway/transactions/status.js';

const T0 = 1_800_000_000_000;
const CP01 = stationId('CP01');
const TAG = { idToken: 'Aa11', type: 'ISO14443' } as const;

const at = (seconds: number) => timestamp(T0 + seconds * 1000);
const register = (
  value: number,
  seconds: number,
  context?: ReadingContext,
  location?: ReadingLocation,
): MeterValue => ({
  at: at(seconds),
  sampled: [{ value, ...(context && { context }), ...(location && { location }) }],
});

/** A site with a book, a counter and a disk that keeps what is committed. */
class Bench {
  readonly book = new TransactionBook();
  readonly records: TransactionRecord[] = [];
  readonly stored = new Map<string, TransactionEntry>();
  #uid = 0;
  #id = 0;

  context(protocol: Protocol, seconds: number, more: Partial<IngestContext> = {}): IngestContext {
    this.#uid++;
    return {
      now: at(seconds),
      protocol,
      uid: () => transactionUid(`uid-${this.#uid}`),
      nextStationTransactionId: () => ++this.#id,
      resolveEvse: () => ({ evse: evseNumber(1), connector: 1 }),
      admission: { basis: 'csms' },
      ...more,
    };
  }

  take(protocol: Protocol, event: TransactionReported, more: Partial<IngestContext> = {}): TransactionDecision {
    const decision = decideTransaction(this.book, event, this.context(protocol, (event.at - T0) / 1000, more));
    this.keep(decision);
    return decision;
  }

  keep(decision: Pick<TransactionDecision, 'records' | 'changes' | 'forgotten' | 'anomalies'>): void {
    apply(this.book, decision);
    this.records.push(...decision.records);
    for (const { after } of decision.changes) this.stored.set(after.transaction.uid, after);
    for (const { transaction } of decision.forgotten) this.stored.delete(transaction.uid);
  }

  kinds(): readonly string[] {
    return this.records.map(({ uid, n, kind }) => `${uid}/${n} ${kind}`);
  }
}

const start = (seconds: number, more: Partial<TransactionReported> = {}): TransactionReported => ({
  type: 'transaction',
  station: CP01,
  kind: 'started',
  evse: evseNumber(1),
  connector: 1,
  at: at(seconds),
  trigger: 'Authorized',
  chargingState: 'EVConnected',
  idToken: TAG,
  meterValues: [register(1000, seconds, 'Transaction.Begin')],
  offline: false,
  ...more,
});
const update = (seconds: number, id: string, value: number, more: Partial<TransactionReported> = {}) =>
  start(seconds, {
    kind: 'updated',
    stationTransactionId: stationTransactionId(id),
    trigger: 'MeterValuePeriodic',
    meterValues: [register(value, seconds)],
    ...more,
  });
/** A 1.6 StopTransaction: it names no connector. */
const end = (seconds: number, id: string, value: number, more: Partial<TransactionReported> = {}) => {
  const {
    evse: _evse,
    connector: _connector,
    ...rest
  } = start(seconds, {
    kind: 'ended',
    stationTransactionId: stationTransactionId(id),
    trigger: 'StopAuthorized',
    meterValues: [register(value, seconds, 'Transaction.End')],
    ...more,
  });
  return rest;
};

t.test('a 1.6 visit from start to stop', async (t) => {
  const bench = new Bench();
  const started = bench.take('ocpp1.6', start(0));
  t.equal(started.answer.stationTransactionId, '1', 'ids count from 1: never 0 or -1 (errata 3.54)');
  t.notOk(started.answer.duplicate);
  t.match(started.transaction, { basis: 'csms', meterStart: 1000, register: 1000, evse: 1 });
  bench.take('ocpp1.6', update(60, '1', 1500, { chargingState: 'Charging' }));
  t.equal(bench.book.openOn(evseNumber(1))?.transaction.register, 1500);
  const stopped = bench.take('ocpp1.6', end(120, '1', 2000));
  t.match(stopped.transaction, { endedAt: at(120), meterStart: 1000, meterStop: 2000, stoppedReason: 'Local' });
  t.equal(bench.book.openOn(evseNumber(1)), undefined);
  t.same(bench.book.open(), []);
  t.same(bench.kinds(), ['uid-1/0 started', 'uid-1/1 updated', 'uid-1/2 ended']);
  for (const record of bench.records)
    t.match(record, { startToken: TAG, meterStart: 1000 }, 'a late 1.6 start has all');
  t.same(
    bench.records.map((record) => record.register),
    [1000, 1500, 2000],
  );
});

t.test('what was sent before is answered alike and recorded once', async (t) => {
  const bench = new Bench();
  bench.take('ocpp1.6', start(0));
  const upper = { ...TAG, idToken: 'AA11' };
  const again = bench.take('ocpp1.6', start(0, { idToken: upper }));
  t.same(again.answer, { stationTransactionId: '1', duplicate: true }, 'the tag is compared without case');
  t.same(again.records, []);
  t.match(recognise(bench.book, start(0), 'ocpp1.6'), { repeated: true, transaction: { uid: 'uid-1' } });
  bench.take('ocpp1.6', update(60, '1', 1500));
  t.ok(bench.take('ocpp1.6', update(60, '1', 1500)).answer.duplicate, 'same time and values');
  t.notOk(bench.take('ocpp1.6', update(60, '1', 1501)).answer.duplicate, 'same time, other values');
  for (let i = 0; i < 100; i++) bench.take('ocpp1.6', update(100 + i, '1', 2000 + i));
  t.ok(bench.take('ocpp1.6', start(0)).answer.duplicate, 'the start is remembered however long it lasts');
  t.ok((bench.book.openOn(evseNumber(1))?.transaction.seen.length ?? 99) <= 32);
  bench.take('ocpp1.6', end(300, '1', 3000));
  const stop = bench.take('ocpp1.6', end(300, '1', 3000));
  t.ok(stop.answer.duplicate);
  t.same(stop.records, []);
  t.ok(bench.take('ocpp1.6', start(0)).answer.duplicate, 'even after the end');
  t.equal(bench.records.filter(({ kind }) => kind !== 'updated').length, 2);
  const other = bench.take('ocpp1.6', start(400, { meterValues: [register(3000, 400, 'Transaction.Begin')] }));
  t.equal(other.answer.stationTransactionId, '2');
});

t.test('2.0.1 sequence numbers from zero and over the whole EVSE (E01)', async (t) => {
  for (const base of [0, 700]) {
    const bench = new Bench();
    const id = { stationTransactionId: stationTransactionId('tx-a') };
    t.equal(bench.take('ocpp2.0.1', start(0, { ...id, seqNo: base })).answer.stationTransactionId, 'tx-a');
    bench.take('ocpp2.0.1', update(0, 'tx-a', 1000, { seqNo: base + 1 }));
    bench.take('ocpp2.0.1', update(0, 'tx-a', 1000, { seqNo: base + 2 }));
    t.ok(bench.take('ocpp2.0.1', update(0, 'tx-a', 1000, { seqNo: base + 1 })).answer.duplicate);
    t.notOk(bench.take('ocpp2.0.1', update(5, 'tx-a', 1000, { seqNo: base })).answer.duplicate, 'reset numbering');
    for (let i = 0; i < 40; i++) bench.take('ocpp2.0.1', update(60 + i, 'tx-a', 1100, { seqNo: base + 10 + i }));
    t.ok(bench.take('ocpp2.0.1', start(0, { ...id, seqNo: base })).answer.duplicate, 'the start, long after');
    t.equal(bench.records.length, 44);
  }
});

t.test('a stop with id -1, 0 or unknown finds its transaction (errata 3.18)', async (t) => {
  for (const id of ['-1', '0', '4711']) {
    const bench = new Bench();
    bench.take('ocpp1.6', start(0));
    const stop = bench.take('ocpp1.6', end(60, id, 1200));
    t.equal(stop.answer.stationTransactionId, '1', `${id}: the only one open`);
    t.same(stop.anomalies, ['bound-by-circumstance']);
    t.ok(bench.take('ocpp1.6', end(60, id, 1200)).answer.duplicate, `${id}: again`);
    t.equal(bench.records.length, 2);
  }
  const two = new Bench();
  const B = { idToken: 'BB', type: 'ISO14443' } as const;
  two.take('ocpp1.6', start(0));
  two.take('ocpp1.6', start(1, { evse: evseNumber(2), idToken: B }));
  t.equal(two.take('ocpp1.6', end(60, '-1', 1200, { idToken: B })).transaction?.evse, 2, 'by token');
  t.equal(
    two.take('ocpp1.6', end(61, '-1', 500)).transaction?.orphan,
    true,
    'meterStop below meterStart: not this one',
  );
  t.equal(two.book.open().length, 1);

  const none = new Bench();
  const orphan = none.take('ocpp1.6', end(60, '-1', 5000));
  t.match(orphan.transaction, { orphan: true, meterStart: 5000, meterStop: 5000, endedAt: at(60) });
  t.same(none.kinds(), ['uid-1/0 started', 'uid-1/1 ended'], 'every CSMS sees a start and an end');
  t.match(orphan.answer, { stationTransactionId: '1', duplicate: false });
  const data = new Bench().take(
    'ocpp1.6',
    end(600, '-1', 0, { meterValues: [register(100, 10, 'Transaction.Begin'), register(900, 600, 'Transaction.End')] }),
  );
  t.match(data.transaction, { startedAt: at(10), meterStart: 100, meterStop: 900 }, 'from its transaction data');
});

t.test('a start while another is open', async (t) => {
  const bench = new Bench();
  bench.take('ocpp1.6', start(0));
  bench.take('ocpp1.6', update(60, '1', 1500));
  const next = bench.take('ocpp1.6', start(600, { meterValues: [register(1700, 600, 'Transaction.Begin')] }));
  t.match(next.closed, { uid: 'uid-1', estimatedStop: true, stoppedReason: 'Other', meterStop: 1500 });
  t.same(
    next.records.map(({ kind, uid }) => `${uid} ${kind}`),
    ['uid-1 ended', 'uid-3 started'],
  );
  const late = bench.take('ocpp1.6', end(590, '1', 1690));
  t.match(late.transaction, { meterStop: 1690, endedAt: at(590), stoppedReason: 'Local' });
  t.equal(late.transaction?.estimatedStop, undefined);
  t.ok(late.corrected, 'the bill may be corrected; no CSMS is told twice');
  t.same(late.records, []);
  t.equal(bench.take('ocpp1.6', end(590, '1', 1690)).corrected, undefined, 'once');

  const replayed = bench.take('ocpp1.6', start(300, { meterValues: [register(1600, 300, 'Transaction.Begin')] }));
  t.same(replayed.anomalies, ['replay']);
  t.equal(replayed.closed, undefined);
  t.equal(bench.book.openOn(evseNumber(1))?.transaction.uid, next.transaction?.uid, 'the EVSE holds the newer one');
  bench.take('ocpp1.6', end(400, replayed.answer.stationTransactionId, 1650));
  t.equal(bench.book.open().length, 1);
});

t.test('an update without a start; its token and EVSE come later (E01.FR.16)', async (t) => {
  const bench = new Bench();
  const { evse: _e, connector: _c, idToken: _t, ...nowhere } = update(0, 'x', 100, { seqNo: 3 });
  t.same(bench.take('ocpp2.0.1', nowhere, { admission: { basis: 'none' } }).anomalies, ['orphan']);
  t.same(bench.kinds(), ['uid-1/0 started', 'uid-1/1 updated']);
  t.equal(bench.records[0]?.meterStart, 100);
  const placed = bench.take('ocpp2.0.1', update(10, 'x', 200, { seqNo: 4, evse: evseNumber(2), connector: 2 }), {
    admission: { basis: 'local-list', group: { idToken: 'G', type: 'Central' } },
  });
  t.match(placed.transaction, { evse: 2, connector: 2, idToken: TAG, basis: 'local-list', group: { idToken: 'G' } });
  t.equal(bench.book.openOn(evseNumber(1)), undefined);
  const moved = bench.take('ocpp2.0.1', update(20, 'x', 300, { seqNo: 5, evse: evseNumber(1) }));
  t.same(moved.anomalies, ['evse-changed']);
  t.equal(moved.transaction?.evse, 2);
  const late = bench.take(
    'ocpp2.0.1',
    start(-5, {
      stationTransactionId: stationTransactionId('x'),
      seqNo: 0,
      evse: evseNumber(2),
      meterValues: [register(50, -5, 'Transaction.Begin')],
    }),
  );
  t.same(late.anomalies, ['late-start']);
  t.match(late.transaction, { startedAt: at(-5), meterStart: 50 });
  t.equal(late.transaction?.orphan, undefined);
  t.equal(late.records[0]?.kind, 'updated', 'a start has been told already');

  const minus = new Bench();
  minus.take('ocpp1.6', update(10, '-1', 1100));
  const own = minus.take('ocpp1.6', start(0));
  t.equal(own.transaction?.uid, 'uid-1', 'the 1.6 start of values that came ahead');
  t.equal(own.answer.stationTransactionId, '1');
});

t.test('a station that uses its ids again', async (t) => {
  const bench = new Bench();
  const id = { stationTransactionId: stationTransactionId('1') };
  bench.take('ocpp2.0.1', start(0, { ...id, seqNo: 0 }));
  bench.take('ocpp2.0.1', end(10, '1', 1100, { seqNo: 1 }));
  t.equal(bench.take('ocpp2.0.1', start(100, { ...id, seqNo: 0 })).transaction?.uid, 'uid-3');
  t.equal(bench.take('ocpp2.0.1', update(110, '1', 1200, { seqNo: 1 })).transaction?.uid, 'uid-3');
  t.same(bench.take('ocpp2.0.1', update(5, '1', 1200, { seqNo: 9 })).anomalies, []);
});

t.test('after the end nothing is recorded', async (t) => {
  const bench = new Bench();
  bench.take('ocpp1.6', start(0));
  bench.take('ocpp1.6', end(10, '1', 1100));
  const late = bench.take('ocpp1.6', update(5, '1', 1050));
  t.same(late.anomalies, ['after-end']);
  t.same([late.answer.duplicate, late.records.length], [true, 0]);
});

t.test('a spike of the register is not billed', async (t) => {
  const bench = new Bench();
  bench.take('ocpp1.6', start(0));
  t.equal(bench.take('ocpp1.6', update(5, '1', 2 ** 32 - 1)).transaction?.register, 1000, 'no value at all');
  bench.take('ocpp1.6', update(10, '1', 999_999));
  const over = bench.take('ocpp1.6', end(20, '1', 1500));
  t.same(over.anomalies, ['register-fell']);
  t.match(over.transaction, { meterStop: 1500, register: 1500 });
  const other = new Bench();
  other.take('ocpp1.6', start(0));
  other.take('ocpp1.6', update(10, '1', 1500));
  t.equal(other.take('ocpp1.6', end(20, '1', 40)).transaction?.meterStop, 1500, 'a register that began anew');
});

t.test('a start whose time could not be meant is known again by what the station said', async (t) => {
  const bench = new Bench();
  const said = timestamp(0);
  const first = bench.take('ocpp1.6', start(0, { reportedAt: said }));
  t.match(first.records[0], { at: at(0), reportedAt: said });
  t.ok(first.anomalies.includes('clock-suspect'));
  const again = bench.take('ocpp1.6', start(7, { reportedAt: said }));
  t.same([again.answer.duplicate, again.answer.stationTransactionId], [true, '1']);
  const frozen = (seconds: number): TransactionReported =>
    update(seconds, '1', 1200, { reportedAt: said, meterValues: [{ ...register(1200, seconds), reportedAt: said }] });
  t.equal(bench.take('ocpp1.6', frozen(10)).answer.duplicate, false);
  t.equal(bench.take('ocpp1.6', frozen(12)).answer.duplicate, true, 'same values');
  bench.take('ocpp1.6', end(20, '1', 1500, { reportedAt: said }));
  const next = bench.take('ocpp1.6', start(60, { reportedAt: said }));
  t.same([next.answer.duplicate, next.answer.stationTransactionId], [false, '2'], 'a clock that stands still');
});

t.test('the register', async (t) => {
  const bench = new Bench();
  bench.take('ocpp1.6', start(0));
  bench.take('ocpp1.6', update(10, '1', 1500));
  const fell = bench.take('ocpp1.6', update(20, '1', 40));
  t.same(fell.anomalies, ['register-fell']);
  t.match(fell.transaction, { register: 1500, registerAt: at(10) });
  const inlet = bench.take('ocpp1.6', update(30, '1', 0, { meterValues: [register(9000, 30, undefined, 'Inlet')] }));
  t.equal(inlet.transaction?.register, 1500, 'one transaction is counted at one place');
  const mixed: MeterValue = {
    at: at(0),
    sampled: [
      { value: 1, phase: 'L1' },
      { value: 2, measurand: 'Power.Active.Import' },
      { value: 3, unit: 'kWh' },
      { value: -4 },
      { value: Number.NaN },
      { value: 7, location: 'Inlet' },
      { value: 6, location: 'Outlet', measurand: 'Energy.Active.Import.Register', unit: 'Wh' },
    ],
  };
  t.match(registersIn([mixed]), { location: 'Outlet', first: { value: 6 }, latest: { value: 6 } });
  t.equal(registersIn([mixed], 'Cable'), undefined);
  const stop = registersIn([register(9, 5, 'Transaction.End'), register(3, 5, 'Transaction.Begin'), register(8, 5)]);
  t.match(stop, { begin: { value: 3 }, first: { value: 3 }, latest: { value: 9 } }, 'all stamped alike');
  const none = new Bench().take('ocpp1.6', start(0, { meterValues: [] })).transaction;
  t.same([none?.meterStart, none?.register], [undefined, undefined]);
});

t.test('charging state from the status of 1.6 and Modbus stations only', async (t) => {
  const status = (seconds: number, more: Partial<StatusReported> = {}): StatusReported => ({
    type: 'status',
    station: CP01,
    evse: evseNumber(1),
    connector: 1,
    status: 'Occupied',
    chargingState: 'Charging',
    at: at(seconds),
    ...more,
  });
  const bench = new Bench();
  t.equal(decideStatus(bench.book, status(0), { protocol: 'ocpp1.6' }), undefined, 'no transaction');
  bench.take('ocpp1.6', start(0));
  t.equal(decideStatus(bench.book, status(5), { protocol: 'ocpp2.0.1' }), undefined, '2.0.1 says it itself');
  t.equal(decideStatus(bench.book, status(-5), { protocol: 'ocpp1.6' }), undefined, 'from before the start');
  t.equal(decideStatus(bench.book, status(5, { connector: 2 }), { protocol: 'ocpp1.6' }), undefined);
  const charging = decideStatus(bench.book, status(5), { protocol: 'modbus' });
  t.match(charging?.records, [{ n: 1, kind: 'updated', trigger: 'ChargingStateChanged', chargingState: 'Charging' }]);
  if (charging) bench.keep(charging);
  t.equal(decideStatus(bench.book, status(6), { protocol: 'modbus' }), undefined, 'no change');
  const paused = { protocol: 'ocpp1.6', limited: true } as const;
  t.match(decideStatus(bench.book, status(7, { chargingState: 'SuspendedEVSE' }), paused)?.records, [
    { trigger: 'ChargingRateChanged' },
  ]);
  const free = decideStatus(bench.book, status(8, { status: 'Available', chargingState: 'Idle' }), paused);
  t.match(free, { records: [], anomalies: ['available-while-open'] });
});

t.test('an estimated stop', async (t) => {
  const bench = new Bench();
  const uid = bench.take('ocpp1.6', start(0)).transaction?.uid ?? transactionUid('');
  bench.take('ocpp1.6', update(60, '1', 1500));
  const estimated = estimateStop(bench.book, uid, at(30), 'PowerLoss');
  t.match(estimated?.transaction, {
    estimatedStop: true,
    meterStop: 1500,
    endedAt: at(60),
    stoppedReason: 'PowerLoss',
  });
  if (estimated) bench.keep(estimated);
  t.equal(estimateStop(bench.book, uid, at(99), 'PowerLoss'), undefined, 'not twice');
  const stranger = { idToken: 'BB', type: 'ISO14443' } as const;
  t.same(bench.take('ocpp1.6', end(80, '-1', 1700, { idToken: stranger })).anomalies, ['orphan']);
  const real = bench.take('ocpp1.6', end(80, '-1', 1700));
  t.match(real, { corrected: true, records: [], transaction: { uid, meterStop: 1700 } }, 'even without an id (S10)');
  t.equal(estimateStop(bench.book, transactionUid('none'), at(0), 'Other'), undefined);
});

t.test('an event that the disk refuses leaves no trace', async (t) => {
  const bench = new Bench();
  bench.take('ocpp1.6', start(0));
  const entries = () => JSON.stringify([bench.book.ofStation(CP01), bench.book.open()]);
  const before = entries();
  for (const event of [start(600), update(60, '1', 1500), end(60, '1', 1600)]) {
    const refused = decideTransaction(bench.book, event, bench.context('ocpp1.6', 600));
    apply(bench.book, refused);
    t.not(entries(), before);
    t.ok(undo(bench.book, refused));
    t.equal(entries(), before);
  }
  const lost = decideTransaction(bench.book, update(60, '1', 1500), bench.context('ocpp1.6', 60));
  apply(bench.book, lost);
  bench.take('ocpp1.6', update(70, '1', 1600));
  t.notOk(undo(bench.book, lost), 'something already stands on it');
});

t.test('the book is bounded', async (t) => {
  const bench = new Bench();
  for (let i = 0; i < ENDED_KEPT + 10; i++) {
    const { answer } = bench.take('ocpp1.6', start(i * 100));
    bench.take('ocpp1.6', end(i * 100 + 50, answer.stationTransactionId, 2000));
  }
  t.equal(bench.book.ofStation(CP01).length, ENDED_KEPT);
  t.equal(bench.stored.size, ENDED_KEPT);
  const { answer } = bench.take('ocpp1.6', start(90_000));
  const stop = end(90_050, answer.stationTransactionId, 2000);
  const uids = () => bench.book.ofStation(CP01).map(({ transaction }) => transaction.uid);
  const before = uids().sort();
  const refused = decideTransaction(bench.book, stop, bench.context('ocpp1.6', 90_050));
  t.equal(refused.forgotten.length, 1);
  apply(bench.book, refused);
  t.equal(uids().length, ENDED_KEPT);
  t.ok(undo(bench.book, refused));
  t.same(uids().sort(), before, 'what was forgotten is back');
});

t.test('the gateway’s own facts', async (t) => {
  const bench = new Bench();
  const uid = bench.take('ocpp1.6', start(0)).transaction?.uid ?? transactionUid('');
  const refused = amend(bench.book, uid, { deauthorized: true });
  t.match(refused, { transaction: { deauthorized: true }, records: [] });
  t.equal(amend(bench.book, transactionUid('none'), {}), undefined);
  const { idToken: _idToken, ...nobody } = start(100, { evse: evseNumber(2) });
  t.equal(bench.take('modbus', nobody, { admission: { basis: 'free' } }).transaction?.basis, 'free');
});

t.test('a wrong clock is reported, a replay from offline is not', async (t) => {
  const now = { now: at(0) };
  const id = { stationTransactionId: stationTransactionId('a'), seqNo: 0 };
  t.same(new Bench().take('ocpp1.6', start(600), now).anomalies, ['clock-suspect']);
  t.same(new Bench().take('ocpp1.6', start(-600), now).anomalies, [], '1.6 cannot say that it was offline');
  t.same(new Bench().take('ocpp2.0.1', start(-600, id), now).anomalies, ['clock-suspect']);
  t.same(new Bench().take('ocpp2.0.1', start(-600, { ...id, offline: true }), now).anomalies, []);
});

t.test('any order of events: numbering, register, one start and one end, recovery', async (t) => {
  const step = fc.record({
    what: fc.constantFrom('start', 'update', 'end', 'repeat'),
    evse: fc.integer({ min: 1, max: 2 }),
    id: fc.constantFrom('1', '2', '3', '-1', 'zzz'),
    value: fc.integer({ min: 0, max: 5000 }),
    back: fc.integer({ min: 0, max: 300 }),
  });
  const protocols = fc.constantFrom<Protocol>('ocpp1.6', 'ocpp2.0.1', 'modbus');
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.nat(40), protocols, (steps, checkpoint, protocol) => {
      const bench = new Bench();
      let last: TransactionReported | undefined;
      let early: TransactionEntry[] = [];
      let mark = 0;
      for (const [i, { what, evse, id, value, back }] of steps.entries()) {
        const seconds = i * 100 - back;
        const place = { evse: evseNumber(evse) };
        const fresh = { meterValues: [register(value, seconds, 'Transaction.Begin')], ...place };
        const event =
          what === 'start'
            ? start(
                seconds,
                protocol === 'ocpp2.0.1' ? { ...fresh, stationTransactionId: stationTransactionId(id) } : fresh,
              )
            : what === 'update'
              ? update(seconds, id, value, place)
              : what === 'end'
                ? end(seconds, id, value)
                : (last ?? start(seconds));
        const count = bench.records.length;
        const decided = bench.take(protocol, event);
        if (what === 'repeat' && last && (!decided.answer.duplicate || bench.records.length !== count)) return false;
        if (['0', '-1', ''].includes(decided.answer.stationTransactionId)) return false;
        last = event;
        if (i === checkpoint) [early, mark] = [[...bench.stored.values()], bench.records.length];
      }
      for (const uid of new Set(bench.records.map((record) => record.uid))) {
        const records = bench.records.filter((record) => record.uid === uid);
        const kinds = records.map(({ kind }) => kind);
        if (records.some(({ n }, i) => n !== i) || kinds[0] !== 'started') return false;
        if (kinds.filter((kind) => kind === 'started').length !== 1) return false;
        if (kinds.includes('ended') && kinds.indexOf('ended') !== kinds.length - 1) return false;
        const values = records.flatMap(({ kind, register }) => (kind === 'ended' ? [] : (register ?? [])));
        if (values.some((value, i) => value < (values[i - 1] ?? 0))) return false;
        // The end may correct a sample, but never to less than nothing.
        if (records.some(({ register, meterStart }) => (register ?? 0) < (meterStart ?? 0))) return false;
      }
      const json: unknown[] = JSON.parse(JSON.stringify([...bench.stored.values()]));
      const whole = recover(json.filter(isTransactionEntry), bench.records).book;
      if (JSON.stringify(whole.ofStation(CP01).map(sorted)) !== JSON.stringify(reference(bench))) return false;
      // From an older checkpoint the journal brings back what every CSMS was told.
      const replayed = recover(early, bench.records.slice(mark));
      return early.every(({ transaction: { uid } }) => {
        const [now, then] = [bench.book.entry(uid), replayed.book.entry(uid)];
        return (
          now?.nextN === then?.nextN &&
          now?.transaction.chargingState === then?.transaction.chargingState &&
          (now?.transaction.endedAt === undefined) === (then?.transaction.endedAt === undefined) &&
          now?.transaction.evse === then?.transaction.evse
        );
      });
    }),
    { numRuns: 300 },
  );
  t.pass('300 histories');
});

const sorted = (entry: TransactionEntry) => Object.entries(entry.transaction).sort(([a], [b]) => (a < b ? -1 : 1));
const reference = (bench: Bench) =>
  bench.book
    .ofStation(CP01)
    .toSorted((a, b) => a.transaction.startedAt - b.transaction.startedAt)
    .map(sorted);

t.test('what is not an entry is not taken for one', async (t) => {
  for (const value of [
    undefined,
    null,
    7,
    'x',
    {},
    { transaction: null },
    { transaction: {}, nextN: 1, placeKnown: true },
  ])
    t.notOk(isTransactionEntry(value));
  const stranger = new Bench();
  stranger.take('ocpp1.6', start(0));
  t.equal(recover([], stranger.records).unexplained.length, 1);
});
