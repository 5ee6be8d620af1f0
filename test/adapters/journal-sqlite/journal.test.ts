// The SQLite journal: the contract, and what no fake can show - killed processes, disks that refuse, two gateways, a damaged file.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, closeSync, openSync, readFileSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import t from 'tap';
import { openJournal } from '../../../adapters/journal-sqlite/journal.js';
import { FAULTS } from '../../../gateway/kernel/faults.js';
import { journalSeq } from '../../../gateway/kernel/ids.js';
import { JournalUnavailable, type Journal } from '../../../gateway/ports/journal.js';
import { systemClock } from '../../../gateway/system-clock.js';
import { recordingLog } from '../../fakes/recording-log.js';
import { events, journalContract, note, readAll } from '../../gateway/ports/journal-contract.js';

const open = (directory: string, log = recordingLog()): Promise<Journal> =>
  openJournal(directory, 1e9, systemClock, log);

const WRITER = fileURLToPath(new URL('./writer.js', import.meta.url));

/** No file of this process may grow beyond this: the kernel refuses the write as it does on a full disk. */
const limitFiles = (bytes: string): void => {
  execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:`], { stdio: 'pipe' });
};
const cannotLimit = ((): string | false => {
  try {
    limitFiles('unlimited');
    return false;
  } catch {
    return 'needs prlimit (on Debian: apt install util-linux)';
  }
})();

/** What a promise was refused with; undefined where it was not. */
const refusal = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (err: unknown) => err,
  );

/** Committed SQLite transactions that the write-ahead log holds: each is one flush of the disk. */
function flushesIn(directory: string): number {
  const wal = readFileSync(join(directory, 'journal.db-wal'));
  const frame = 24 + wal.readUInt32BE(8);
  let flushes = 0;
  for (let at = 32; at + frame <= wal.length; at += frame) if (wal.readUInt32BE(at + 4) !== 0) flushes++;
  return flushes;
}

void t.test('contract', (t) => {
  journalContract(t, async (t) => {
    const directory = t.testdir();
    const opened: Journal[] = [await open(directory)];
    t.teardown(() => Promise.all(opened.map((journal) => journal.close())));
    const [journal] = opened as [Journal];
    return {
      journal,
      reopen: async () => {
        await journal.close();
        const again = await open(directory);
        opened.push(again);
        return again;
      },
    };
  });
  t.end();
});

void t.test('commits of one moment share a flush', async (t) => {
  const directory = t.testdir();
  const journal = await open(directory);
  t.teardown(() => journal.close());
  const before = flushesIn(directory);
  await Promise.all(Array.from({ length: 300 }, (_, i) => journal.commit({ records: [note(`n${i}`)] })));
  const flushes = flushesIn(directory) - before;
  t.ok(flushes >= 1 && flushes <= 3, `300 commits, ${flushes} flushes`);

  // Chargers that each wait for their answer: while one flush runs, the others gather for the next.
  const lanes = Array.from({ length: 20 }, async () => {
    for (let i = 0; i < 5; i++) await journal.commit({ records: [note('lane')] });
  });
  await Promise.all(lanes);
  const more = flushesIn(directory) - before - flushes;
  t.ok(more >= 5 && more <= 40, `100 commits of 20 chargers, ${more} flushes`);
});

void t.test('old pages come from disk, new ones from memory, and they meet', async (t) => {
  const directory = t.testdir();
  const first = await open(directory);
  await first.commit({ records: Array.from({ length: 50 }, (_, i) => note(`${i + 1}`)) });
  await first.close();
  const journal = await open(directory);
  t.teardown(() => journal.close());
  await journal.commit({ records: Array.from({ length: 50 }, (_, i) => note(`${i + 51}`)) });
  const seen: string[] = [];
  let cursor = journalSeq(0);
  for (;;) {
    const page = await journal.read(cursor, 7);
    if (page.length === 0) break;
    seen.push(...events(page));
    cursor = page.at(-1)?.seq ?? cursor;
  }
  t.same(
    seen,
    Array.from({ length: 100 }, (_, i) => String(i + 1)),
  );
  await journal.trim(journalSeq(60));
  t.same(events(await journal.read(journalSeq(0), 2)), ['61', '62'], 'a trim reaches disk and memory');
});

void t.test('a long backlog is trimmed in portions, and commits pass between them', async (t) => {
  const journal = await open(t.testdir());
  t.teardown(() => journal.close());
  await journal.commit({ records: Array.from({ length: 7_000 }, (_, i) => note(`${i}`)) });
  const order: string[] = [];
  const trimmed = journal.trim(journalSeq(6_990)).then(() => order.push('trimmed'));
  await journal.commit({ records: [note('meanwhile')] }).then(() => order.push('committed'));
  await trimmed;
  t.same(order, ['committed', 'trimmed']);
  t.equal((await readAll(journal))[0]?.seq, 6_991);
});

void t.test('a process killed at any moment loses nothing it acknowledged', async (t) => {
  const directory = t.testdir();
  for (let round = 0; round < 10; round++) {
    const child = spawn(process.execPath, [WRITER, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
    const acknowledged: number[] = [];
    const lastOfLane = new Map<string, number>();
    for await (const line of createInterface({ input: child.stdout })) {
      const [lane, seq] = line.split(' ') as [string, string];
      acknowledged.push(Number(seq));
      lastOfLane.set(lane, Number(seq));
      if (acknowledged.length === 3 + round * 7) child.kill('SIGKILL');
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    t.equal(child.signalCode, 'SIGKILL', `round ${round}: ${acknowledged.length} acknowledged`);

    const journal = await open(directory);
    const kept = new Map((await readAll(journal)).map(({ seq, record }) => [Number(seq), record]));
    const text = (seq: number): string | undefined => {
      const record = kept.get(seq);
      return record?.type === 'security' ? record.event : undefined;
    };
    t.ok(
      acknowledged.every((seq) => text(seq) === `first of ${seq}` && text(seq + 1) === `second of ${seq}`),
      'every acknowledged record is there, under its number',
    );
    t.ok(
      [...kept.keys()].every((seq) => {
        const [place, of] = (text(seq) ?? '').split(' of ');
        return place === 'first' ? text(seq + 1) === `second of ${of}` : text(seq - 1) === `first of ${of}`;
      }),
      'no half commit, acknowledged or not',
    );
    const lanes = await journal.load('lane');
    for (const [lane, seq] of lastOfLane) {
      const value = Number(lanes.get(lane));
      t.ok(value >= seq && kept.has(value), 'the document went with its records');
    }
    await journal.close();
  }
});

void t.test(
  'a disk that refuses: nothing half written, and afterwards all is well',
  { skip: cannotLimit },
  async (t) => {
    const ignore = (): void => undefined;
    process.on('SIGXFSZ', ignore);
    t.teardown(() => process.off('SIGXFSZ', ignore));
    const directory = t.testdir();
    const log = recordingLog();
    const journal = await open(directory, log);
    t.teardown(() => journal.close());
    await journal.commit({ records: [note('before')] });
    limitFiles(String(statSync(join(directory, 'journal.db-wal')).size));
    try {
      const big = 'x'.repeat(20_000);
      const refused = [
        journal.commit({ records: [note(big)], documents: [{ collection: 'c', key: 'k', value: 1 }] }),
        journal.commit({ records: [note('in the same flush')] }),
      ];
      for (const each of await Promise.allSettled(refused)) {
        t.equal(each.status, 'rejected');
        if (each.status === 'rejected') {
          t.type(each.reason, JournalUnavailable);
          t.match(each.reason, { fault: FAULTS.journalUnavailable.code });
        }
      }
      await t.rejects(journal.commit({ records: [note('again')] }), JournalUnavailable);
      t.same(events(await readAll(journal)), ['before'], 'still readable');
    } finally {
      limitFiles('unlimited');
    }
    t.equal((await journal.load('c')).size, 0);
    const [seq] = await journal.commit({ records: [note('after')] });
    t.ok(Number(seq) > 1);
    t.same(
      log.lines.map(({ level, fields }) => [level, fields.fault]),
      [
        ['error', FAULTS.journalUnavailable.code],
        ['info', undefined],
      ],
      'told once when it fails and once when it is over',
    );
    await journal.close();
    const again = await open(directory);
    t.same(await readAll(again), [
      { seq: 1, record: note('before') },
      { seq, record: note('after') },
    ]);
    await again.close();
  },
);

void t.test('a data directory that cannot be', async (t) => {
  const directory = t.testdir({ file: 'no directory' });
  t.match(await refusal(open(join(directory, 'file', 'data'))), { fault: 'FC-J09', message: /is not a folder/ });
  t.match(await refusal(open(join(directory, 'file'))), { fault: 'FC-J09', message: /is a file; remove it/ });
  t.match(await refusal(open(join(directory, 'no', 'data'))), { fault: 'FC-J09', message: /is its disk mounted/ });
  const folder = t.testdir({ 'journal.db': {} });
  t.match(await refusal(open(folder)), {
    name: 'JournalUnavailable',
    fault: 'FC-J01',
    message: /cannot open .*journal\.db/,
  });
});

void t.test('a data directory of another user', async (t) => {
  const directory = t.testdir({ data: {} });
  chmodSync(join(directory, 'data'), 0o555);
  // Root may write everywhere: it lets somebody else try.
  const other = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  const child = spawn(process.execPath, [WRITER, join(directory, 'data')], {
    stdio: ['ignore', 'pipe', 'inherit'],
    ...other,
  });
  let said = '';
  child.stdout.setEncoding('utf8');
  for await (const chunk of child.stdout) said += String(chunk);
  t.match(said, /^refused JournalUnavailable FC-J09 .*belongs to user \d+.*chown/);
});

void t.test('a second gateway on the same directory is told so, and the first goes on', async (t) => {
  const directory = t.testdir();
  const journal = await open(directory);
  t.teardown(() => journal.close());
  const child = spawn(process.execPath, [WRITER, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.setEncoding('utf8');
  for await (const chunk of child.stdout) said += String(chunk);
  t.match(said, /^refused JournalUnavailable FC-J03 .*another gateway uses this data directory/);
  t.same(await journal.commit({ records: [note('undisturbed')] }), [1]);
  t.match(await refusal(open(directory)), { fault: 'FC-J03' }, 'nor twice in one process');
});

void t.test('a journal of a newer version is left alone', async (t) => {
  const directory = t.testdir();
  const journal = await open(directory);
  await journal.close();
  const file = join(directory, 'journal.db');
  const db = new Database(file);
  db.pragma('user_version = 99');
  db.close();
  t.match(await refusal(open(directory)), { fault: 'FC-J05', message: /newer Forecourt/ });
});

void t.test('a file cut short in the write-ahead log loses only what was not finished', async (t) => {
  const directory = t.testdir();
  const journal = await open(directory);
  await journal.commit({ records: [note('one')] });
  const wal = join(directory, 'journal.db-wal');
  const whole = readFileSync(wal);
  const kept = { 'journal.db': readFileSync(join(directory, 'journal.db')) };
  await journal.close();
  const crashed = t.testdir();
  writeFileSync(join(crashed, 'journal.db'), kept['journal.db']);
  writeFileSync(join(crashed, 'journal.db-wal'), whole);
  const handle = openSync(join(crashed, 'journal.db-wal'), 'a');
  writeSync(handle, Buffer.alloc(3_000, 0xa5));
  closeSync(handle);
  const next = await open(crashed);
  t.teardown(() => next.close());
  t.same(events(await readAll(next)), ['one']);
});

void t.test('a reader that throws does not take the others down', async (t) => {
  const log = recordingLog();
  const journal = await open(t.testdir(), log);
  t.teardown(() => journal.close());
  const heard: number[] = [];
  journal.onCommitted(() => {
    throw new Error('defect');
  });
  journal.onCommitted((seq) => heard.push(seq));
  await journal.commit({ records: [note('a')] });
  t.same(heard, [1]);
  t.match(log.lines, [{ level: 'error', fields: { err: { message: 'defect' } } }]);
});
