// Stamped while the time was in doubt, read as it is known now: over restarts, refusals of the disk, and one era after another.
import t from 'tap';
import { journalSeq, stationId } from '../../../gateway/kernel/ids.js';
import { milliseconds, seconds, timestamp } from '../../../gateway/kernel/units.js';
import { EraJournal } from '../../../gateway/shell/era-journal.js';
import { begin, end, follow, NO_ERAS, parseEras, shiftsOf, type Eras } from '../../../gateway/shell/eras.js';
import { TransactionKeeper } from '../../../gateway/shell/transaction-keeper.js';
import type { SecurityRecord, TransactionRecord } from '../../../gateway/site/transaction.js';
import { estimateStop } from '../../../gateway/transactions/estimate.js';
import { FakeClock } from '../../fakes/fake-clock.js';
import { MemoryJournal } from '../../fakes/memory-journal.js';
import { recordingLog } from '../../fakes/recording-log.js';
import { journalContract, readAll } from '../ports/journal-contract.js';
import { evse, meterValue, record, site, transaction } from '../views/fixture.js';

const HOUR = 3_600_000;
const FROM = timestamp(1_000_000_000_000);

void t.test('contract', (t) => {
  journalContract(t, async () => {
    const disk = new MemoryJournal();
    const open = (journal: MemoryJournal): EraJournal =>
      new EraJournal({ journal, eras: () => begin(NO_ERAS, FROM, 'unset'), tariff: () => undefined });
    return {
      journal: open(disk),
      reopen: async () => {
        await disk.close();
        return open(disk.afterCrash());
      },
    };
  });
  t.end();
});

const security = (at: number, more: Partial<SecurityRecord> = {}): SecurityRecord => ({
  type: 'security',
  station: stationId('CP1'),
  event: 'TamperDetectionActivated',
  at: timestamp(at),
  ...more,
});

class Bench {
  eras: Eras = NO_ERAS;
  readonly disk = new MemoryJournal();
  readonly journal = new EraJournal({ journal: this.disk, eras: () => this.eras, tariff: () => undefined });

  async times(): Promise<number[]> {
    return (await readAll(this.journal)).map(({ record }) => (record as SecurityRecord).at);
  }
}

void t.test('what belongs to an era moves with it, and nothing else', async (t) => {
  const bench = new Bench();
  await bench.journal.commit({ records: [security(FROM - 5)] });
  bench.eras = begin(bench.eras, FROM, 'unset');
  await bench.journal.commit({ records: [security(FROM - 1), security(FROM), security(FROM + 7)] });
  t.same(await bench.times(), [FROM - 5, FROM - 1, FROM, FROM + 7], 'as long as nothing is known');
  t.notOk(
    (await readAll(bench.journal)).some(({ record }) => 'era' in record),
    'nobody sees the mark',
  );
  bench.eras = end(bench.eras, milliseconds(HOUR), []);
  await bench.journal.commit({ records: [security(FROM + HOUR + 9)] });
  t.same(await bench.times(), [FROM - 5, FROM - 1, FROM + HOUR, FROM + HOUR + 7, FROM + HOUR + 9]);
});

void t.test('a time that was only assumed is corrected together with what follows', async (t) => {
  const bench = new Bench();
  bench.eras = begin(bench.eras, FROM, 'unset');
  await bench.journal.commit({ records: [security(FROM)] });
  bench.eras = follow(bench.eras, milliseconds(10 * HOUR), [], true);
  await bench.journal.commit({ records: [security(FROM + 10 * HOUR + 5)] });
  t.same(await bench.times(), [FROM + 10 * HOUR, FROM + 10 * HOUR + 5]);
  bench.eras = parseEras(JSON.parse(JSON.stringify(end(bench.eras, milliseconds(-HOUR), []))));
  t.same(await bench.times(), [FROM + 9 * HOUR, FROM + 9 * HOUR + 5]);
  t.same(shiftsOf(bench.eras, 99), [], 'an era that is not kept needed no move');
  bench.eras = end(begin(bench.eras, FROM, 'assumed'), milliseconds(0), []);
  t.equal(bench.eras.past.length, 2);
});

void t.test('a station that was not believed is judged again', async (t) => {
  const bench = new Bench();
  bench.eras = begin(bench.eras, FROM, 'unset');
  const said = (at: number): SecurityRecord => security(FROM, { reportedAt: timestamp(at) });
  await bench.journal.commit({
    records: [
      said(FROM + HOUR - 3000),
      said(FROM + HOUR - 50 * 24 * HOUR),
      said(FROM + HOUR + 6 * 60_000),
      said(FROM + HOUR - 61 * 24 * HOUR),
    ],
  });
  bench.eras = end(bench.eras, milliseconds(HOUR), []);
  t.same(await bench.times(), [FROM + HOUR - 3000, FROM + HOUR - 50 * 24 * HOUR, FROM + HOUR, FROM + HOUR]);
});

void t.test('values in a record and documents move too', async (t) => {
  const bench = new Bench();
  bench.eras = begin(bench.eras, FROM, 'unset');
  const told: TransactionRecord = record('T', 0, 'started', { at: FROM, meterValues: [meterValue(FROM, 5)] });
  const open = transaction('T', { startedAt: timestamp(FROM - HOUR), registerAt: FROM });
  const entry = { transaction: open, nextN: 1, placeKnown: true };
  await bench.journal.commit({
    records: [told, { type: 'meter', station: stationId('CP1'), meterValues: [meterValue(FROM + 2, 5)] }],
    documents: [
      { collection: 'transaction', key: 'T', value: entry },
      { collection: 'other', key: 'x', value: { at: FROM } },
    ],
  });
  bench.eras = end(bench.eras, milliseconds(HOUR), []);
  const entries = await readAll(bench.journal);
  t.match(entries[0]?.record, { at: FROM + HOUR, meterValues: [{ at: FROM + HOUR }] });
  t.match(entries[1]?.record, { meterValues: [{ at: FROM + HOUR + 2 }] });
  const stored = (await bench.journal.load('transaction')).get('T');
  t.match(stored, { transaction: { startedAt: FROM - HOUR, registerAt: FROM + HOUR } });
  t.notOk('era' in (stored as object));
  t.same((await bench.journal.load('other')).get('x'), { at: FROM });
});

void t.test('what the disk refuses goes with the next commit, whoever makes it', async (t) => {
  const bench = new Bench();
  bench.journal.owe([{ collection: 'time', key: 'eras', value: { nextId: 2, past: [] } }]);
  bench.disk.failNext(1);
  await t.rejects(bench.journal.commit({}), { name: 'JournalUnavailable' });
  t.ok(bench.journal.owes);
  await bench.journal.commit({ records: [security(1)] });
  t.notOk(bench.journal.owes);
  t.ok((await bench.disk.load('time')).has('eras'));
  await bench.journal.commit({ records: [security(2)] });
  t.equal(bench.disk.commits.at(-1)?.commit.documents, undefined, 'once');
});

void t.test('a decision that is on its way when the time is learned can still be taken back', async (t) => {
  const disk = new MemoryJournal();
  const open = transaction('T', { startedAt: timestamp(FROM + 1), registerAt: timestamp(FROM + 2) });
  await disk.commit({
    documents: [{ collection: 'transaction', key: 'T', value: { transaction: open, nextN: 1, placeKnown: true } }],
  });
  const keeper = await TransactionKeeper.open({
    site: site([evse(1)]),
    journal: disk,
    clock: new FakeClock(),
    log: recordingLog(),
  });
  const decision = estimateStop(keeper.book, open.uid, timestamp(FROM + seconds(9)), 'Other');
  if (decision === undefined) throw new Error('the transaction is not open');
  let refuse: (err: Error) => void = () => undefined;
  const commit = disk.commit.bind(disk);
  disk.commit = () => new Promise((_resolve, reject) => (refuse = reject));
  const entering = keeper.enter(decision, false);
  keeper.shift({ from: FROM, offset: milliseconds(HOUR) });
  t.match(keeper.book.get(open.uid), { startedAt: FROM + 1 + HOUR, endedAt: FROM + seconds(9) + HOUR });
  refuse(new Error('the disk is full'));
  await t.rejects(entering, { message: 'the disk is full' });
  t.match(keeper.book.get(open.uid), { startedAt: FROM + 1 + HOUR, registerAt: FROM + 2 + HOUR });
  t.equal(keeper.book.get(open.uid)?.endedAt, undefined, 'it goes on');
  disk.commit = commit;
  await disk.commit({ records: [security(3)] });
  await keeper.checkpoint();
  t.match((await disk.load('transaction')).get('T'), { transaction: { startedAt: FROM + 1 + HOUR }, nextN: 1 });
  t.equal((await disk.read(journalSeq(0), 9)).length, 1);
});
