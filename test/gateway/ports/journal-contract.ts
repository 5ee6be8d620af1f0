// What every journal owes its readers, as one suite that each adapter is held to.
import type { Test } from 'tap';
import { csmsId, journalSeq, stationId } from '../../../gateway/kernel/ids.js';
import { timestamp } from '../../../gateway/kernel/units.js';
import { JournalUnavailable, type Journal, type JournalEntry } from '../../../gateway/ports/journal.js';
import type { SecurityRecord } from '../../../gateway/site/transaction.js';

export interface JournalBench {
  readonly journal: Journal;
  /** The journal as the next process finds it after this one was closed in order. */
  readonly reopen: () => Promise<Journal>;
}

export const note = (event: string): SecurityRecord => ({
  type: 'security',
  station: stationId('CP01'),
  event,
  at: timestamp(1_700_000_000_000),
});

export const events = (entries: readonly JournalEntry[]): string[] =>
  entries.map(({ record }) => (record.type === 'security' ? record.event : record.type));

export const readAll = (journal: Journal): Promise<readonly JournalEntry[]> =>
  journal.read(journalSeq(0), Number.MAX_SAFE_INTEGER);

/** @param open gives an empty journal each time */
export function journalContract(t: Test, open: (t: Test) => Promise<JournalBench>): void {
  t.test('a new journal is empty', async (t) => {
    const { journal } = await open(t);
    t.equal(journal.lastSeq, 0);
    t.same(await readAll(journal), []);
    t.equal((await journal.load('nothing')).size, 0);
  });

  t.test('numbers are assigned at the call, in call order, whatever the urgency', async (t) => {
    const { journal } = await open(t);
    const first = journal.commit({ records: [note('a'), note('b')] }, 'batch');
    t.equal(journal.lastSeq, 2, 'before anything is on disk');
    const second = journal.commit({ records: [note('c')] });
    const none = journal.commit({ documents: [{ collection: 'x', key: 'k', value: 1 }] });
    t.equal(journal.lastSeq, 3);
    t.same(await Promise.all([first, second, none]), [[1, 2], [3], []]);
    const entries = await readAll(journal);
    t.same(
      entries.map(({ seq }) => seq),
      [1, 2, 3],
    );
    t.same(events(entries), ['a', 'b', 'c']);
  });

  t.test('commits settle in order, and readers hear of them with what they may read', async (t) => {
    const { journal } = await open(t);
    const settled: number[] = [];
    const heard: number[] = [];
    journal.onCommitted((seq) => heard.push(seq));
    await Promise.all(
      [1, 2, 3, 4].map((n) =>
        journal.commit({ records: [note(`n${n}`)] }).then(([seq]) => {
          settled.push(Number(seq));
        }),
      ),
    );
    t.same(settled, [1, 2, 3, 4]);
    t.equal(heard.at(-1), 4);
    t.same(
      heard,
      [...heard].sort((a, b) => a - b),
      'never backwards',
    );
    await journal.commit({ documents: [{ collection: 'x', key: 'k', value: 1 }] });
    t.equal(heard.at(-1), 4, 'a document has no number');
  });

  t.test('pages follow each other without a gap', async (t) => {
    const { journal } = await open(t);
    await journal.commit({ records: Array.from({ length: 10 }, (_, i) => note(`e${i + 1}`)) });
    t.same(events(await journal.read(journalSeq(0), 4)), ['e1', 'e2', 'e3', 'e4']);
    t.same(events(await journal.read(journalSeq(4), 4)), ['e5', 'e6', 'e7', 'e8']);
    t.same(events(await journal.read(journalSeq(8), 4)), ['e9', 'e10']);
    t.same(await journal.read(journalSeq(10), 4), []);
    t.same(await journal.read(journalSeq(999), 4), [], 'beyond the end');
  });

  t.test('documents are replaced whole, deleted, kept apart by collection', async (t) => {
    const { journal, reopen } = await open(t);
    await journal.commit({
      documents: [
        { collection: 'list', key: 'a', value: { n: 1, gone: undefined } },
        { collection: 'list', key: 'b', value: [1, 'é', null] },
        { collection: 'other', key: 'a', value: 'x' },
      ],
    });
    await journal.commit({
      documents: [
        { collection: 'list', key: 'a', value: { m: 2 } },
        { collection: 'list', key: 'b' },
        { collection: 'list', key: 'never-was' },
      ],
    });
    const expected = new Map([['a', { m: 2 }]]);
    t.same(await journal.load('list'), expected);
    t.same(await journal.load('other'), new Map([['a', 'x']]));
    const again = await reopen();
    t.same(await again.load('list'), expected);
  });

  t.test('what was stored cannot be changed through what was read or given', async (t) => {
    const { journal } = await open(t);
    const value = { list: [1] };
    const done = journal.commit({ documents: [{ collection: 'c', key: 'k', value }] });
    value.list.push(2);
    await done;
    const loaded = (await journal.load('c')).get('k') as { list: number[] };
    t.same(loaded, { list: [1] });
    loaded.list.push(3);
    t.same((await journal.load('c')).get('k'), { list: [1] });
  });

  t.test('a value that JSON cannot hold is refused whole and disturbs no other commit', async (t) => {
    const { journal } = await open(t);
    const loop: { self?: unknown } = {};
    loop.self = loop;
    const before = journal.commit({ records: [note('before')] });
    const bad = journal.commit({
      records: [note('bad')],
      documents: [
        { collection: 'c', key: 'good', value: 1 },
        { collection: 'c', key: 'bad', value: loop },
      ],
    });
    const after = journal.commit({ records: [note('after')] });
    await t.rejects(bad, TypeError);
    const [[first], [second]] = await Promise.all([before, after]);
    const entries = await readAll(journal);
    t.same(events(entries), ['before', 'after']);
    t.same(
      entries.map(({ seq }) => seq),
      [first, second],
      'under the numbers that were answered',
    );
    t.equal((await journal.load('c')).size, 0);
  });

  t.test('trimmed entries are gone; the newest stays and numbers go on, also after a restart', async (t) => {
    const { journal, reopen } = await open(t);
    await journal.commit({ records: ['a', 'b', 'c', 'd'].map(note) });
    await journal.trim(journalSeq(2));
    t.same(events(await readAll(journal)), ['c', 'd']);
    t.same(events(await journal.read(journalSeq(2), 1)), ['c']);
    await journal.trim(journalSeq(2));
    await journal.trim(journal.lastSeq);
    t.same(events(await readAll(journal)), ['d']);
    const again = await reopen();
    t.equal(again.lastSeq, 4);
    t.same(await again.commit({ records: [note('e')] }), [5]);
    t.same(events(await readAll(again)), ['d', 'e']);
  });

  t.test(
    'amended entries are less or gone, under their numbers and with their documents; the newest stays',
    async (t) => {
      const { journal, reopen } = await open(t);
      await journal.commit({ records: ['a', 'b', 'c', 'd', 'e'].map(note) });
      await journal.amend(
        [
          { seq: journalSeq(2) },
          { seq: journalSeq(3), record: note('less') },
          { seq: journalSeq(5) },
          { seq: journalSeq(9) },
        ],
        [{ collection: 'shed', key: 'x', value: 2 }],
      );
      const expected = [
        { seq: 1, record: note('a') },
        { seq: 3, record: note('less') },
        { seq: 4, record: note('d') },
        { seq: 5, record: note('e') },
      ];
      t.same(await readAll(journal), expected);
      t.same(events(await journal.read(journalSeq(1), 1)), ['less']);
      const again = await reopen();
      t.same(await readAll(again), expected);
      t.same(await again.load('shed'), new Map([['x', 2]]));
      t.same(await again.commit({ records: [note('f')] }), [6]);
    },
  );

  t.test('documents are read from the greatest key down, a page at a time', async (t) => {
    const { journal } = await open(t);
    const documents = ['b', 'd', 'a', 'c'].map((key) => ({ collection: 'page', key, value: `of ${key}` }));
    await journal.commit({ documents: [...documents, { collection: 'other', key: 'b', value: 1 }] });
    t.same(
      [...(await journal.newest('page', '~', 3))],
      [
        ['d', 'of d'],
        ['c', 'of c'],
        ['b', 'of b'],
      ],
    );
    t.same([...(await journal.newest('page', 'b', 3)).keys()], ['a']);
    t.equal((await journal.newest('none', '~', 3)).size, 0);
  });

  t.test('documents expire by their keys, in one collection', async (t) => {
    const { journal } = await open(t);
    const documents = ['a', 'b', 'c', 'd'].map((key) => ({ collection: 'old', key, value: 1 }));
    await journal.commit({ documents: [...documents, { collection: 'other', key: 'b', value: 1 }] });
    t.equal(await journal.expire('old', 'b', 'd'), 2);
    t.same([...(await journal.load('old')).keys()], ['a', 'd']);
    t.equal((await journal.load('other')).size, 1);
    t.equal(await journal.expire('old', 'b', 'd'), 0);
  });

  t.test('a well journal says so, and how much room there is', async (t) => {
    const { journal } = await open(t);
    const { writable, lost, fault, size, used, limit, free } = journal.status;
    t.same({ writable, lost, fault }, { writable: true, lost: false, fault: undefined });
    t.ok(used <= size && used < limit && free > 0);
  });

  t.test('closing waits for what was accepted; afterwards nothing is', async (t) => {
    const { journal, reopen } = await open(t);
    const waiting = journal.commit({ records: [note('waits for company')] }, 'batch');
    const closing = journal.close();
    const late = t.rejects(journal.commit({ records: [note('too late')] }), JournalUnavailable);
    t.same(await waiting, [1]);
    await closing;
    await late;
    await t.resolves(journal.close(), 'closing twice is harmless');
    await t.rejects(journal.commit({}), JournalUnavailable);
    const again = await reopen();
    t.same(events(await readAll(again)), ['waits for company']);
    t.equal(again.lastSeq, 1);
  });

  t.test('an empty commit is a commit', async (t) => {
    const { journal } = await open(t);
    t.same(await journal.commit({}), []);
    t.equal(journal.lastSeq, 0);
  });

  t.test('every kind of record comes back as it went in', async (t) => {
    const { journal, reopen } = await open(t);
    const record = {
      type: 'meter',
      station: stationId('CP01'),
      meterValues: [{ at: timestamp(5), sampled: [{ value: 0.1 + 0.2, unit: 'Wh', phase: 'L1' as const }] }],
    } as const;
    await journal.commit({ records: [record], documents: [{ collection: 'owner', key: 'x', value: csmsId('a') }] });
    const again = await reopen();
    t.same(await readAll(again), [{ seq: 1, record }]);
  });
}
