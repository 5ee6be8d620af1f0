// Long local lists on disk: an update costs what its message holds, a restart finds the list whole, and nothing of an old one stays.
import t from 'tap';
import { csmsId } from '../../../gateway/kernel/ids.js';
import { listed } from '../../../gateway/authorization/local-list.js';
import { TokenLists } from '../../../gateway/shell/token-lists.js';
import { FakeClock } from '../../fakes/fake-clock.js';
import { MemoryJournal } from '../../fakes/memory-journal.js';
import { recordingLog } from '../../fakes/recording-log.js';
import { csms, site } from '../views/fixture.js';

const CSMS = csmsId('operator');
const token = (number: number) => ({ idToken: `CARD${number}`, type: 'ISO14443' as const });
const entry = (number: number) => ({ idToken: token(number), info: { status: 'Accepted' as const } });
const range = (from: number, count: number) => Array.from({ length: count }, (_, index) => entry(from + index));

function rig(journal = new MemoryJournal()) {
  const clock = new FakeClock();
  const deps = { site: { ...site([]), csms: [csms()] }, journal, clock, log: recordingLog() };
  return { clock, journal, open: (on = journal) => TokenLists.open({ ...deps, journal: on }) };
}

void t.test('100,000 tokens in messages of 1000, and over a restart', async (t) => {
  const { clock, journal, open } = rig();
  const lists = await open();
  for (let part = 0; part < 100; part++)
    t.equal(
      await lists.update(CSMS, {
        version: part + 1,
        update: part === 0 ? 'Full' : 'Differential',
        entries: range(part * 1000, 1000),
      }),
      'Accepted',
    );
  t.equal(
    await lists.update(CSMS, { version: 101, update: 'Differential', entries: [entry(100_000)] }),
    'Failed',
    'more than LocalAuthListMaxLength',
  );
  const commits = journal.commits.length;
  const one = { version: 101, update: 'Differential', entries: [{ idToken: token(5) }] } as const;
  t.equal(await lists.update(CSMS, one), 'Accepted');
  t.equal(journal.commits[commits]?.commit.documents?.length, 2, 'one entry and the head');
  const after = journal.afterCrash();
  const again = await open(after);
  t.equal(again.of(CSMS)?.version, 101);
  t.equal(again.of(CSMS)?.entries.size, 99_999);
  t.ok(listed(again.of(CSMS), token(77_777)));
  t.notOk(listed(again.of(CSMS), token(5)));

  t.equal(await again.update(CSMS, { version: 102, update: 'Full', entries: [entry(1)] }), 'Accepted');
  await clock.advance(500);
  const half = after.afterCrash();
  const third = await open(half);
  t.equal(third.of(CSMS)?.entries.size, 1, 'what was replaced is gone at once');
  await clock.advance(30_000);
  t.equal((await half.load('local-list/operator/1')).size, 0, 'and from the disk in the end, by whichever process');
});

void t.test('what the disk refuses has not happened', async (t) => {
  const { journal, open } = rig();
  const lists = await open();
  await lists.update(CSMS, { version: 1, update: 'Full', entries: [entry(1)] });
  journal.failNext(1);
  await t.rejects(lists.update(CSMS, { version: 2, update: 'Full', entries: [] }), { name: 'JournalUnavailable' });
  t.equal(lists.of(CSMS)?.version, 1);
  t.ok(listed(lists.of(CSMS), token(1)));
  journal.failNext(1);
  const gone = { version: 2, update: 'Differential', entries: [{ idToken: token(1) }] } as const;
  await t.rejects(lists.update(CSMS, gone), { name: 'JournalUnavailable' });
  t.ok(listed(lists.of(CSMS), token(1)));
  t.equal(await lists.update(CSMS, gone), 'Accepted', 'and can be sent again');
  t.equal(lists.of(CSMS)?.version, 0);
});

void t.test('two updates at once stand on each other', async (t) => {
  const { open } = rig();
  const lists = await open();
  const first = lists.update(CSMS, { version: 2, update: 'Full', entries: [entry(1)] });
  const second = lists.update(CSMS, { version: 2, update: 'Differential', entries: [entry(2)] });
  t.same(await Promise.all([first, second]), ['Accepted', 'VersionMismatch']);
});
