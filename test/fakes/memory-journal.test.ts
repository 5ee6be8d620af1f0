// The journal in memory keeps the contract of the real one, and its failures are those of a disk.
import t from 'tap';
import { JournalUnavailable } from '../../gateway/ports/journal.js';
import { events, journalContract, note, readAll } from '../gateway/ports/journal-contract.js';
import { MemoryJournal } from './memory-journal.js';

void t.test('contract', (t) => {
  journalContract(t, async () => {
    const journal = new MemoryJournal();
    return {
      journal,
      reopen: async () => {
        await journal.close();
        return journal.afterCrash();
      },
    };
  });
  t.end();
});

void t.test('an injected failure keeps nothing and passes', async (t) => {
  const journal = new MemoryJournal();
  journal.failNext();
  await t.rejects(journal.commit({ records: [note('lost')] }), JournalUnavailable);
  await journal.commit({ records: [note('kept')] });
  t.same(events(await readAll(journal)), ['kept']);
});

void t.test('a power cut loses what was held, and only that', async (t) => {
  const journal = new MemoryJournal();
  await journal.commit({ records: [note('kept')] });
  journal.hold();
  void journal.commit({ records: [note('held')] });
  const next = journal.afterCrash();
  t.same(events(await readAll(next)), ['kept']);
  t.equal(next.lastSeq, 1);
});
