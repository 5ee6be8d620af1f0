// A damaged journal: whatever was done to its files, the next start has everything that could be read and keeps the old ones.
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { openJournal } from '../../../adapters/journal-sqlite/journal.js';
import { prepareDirectory } from '../../../adapters/journal-sqlite/directory.js';
import { journalSeq } from '../../../gateway/kernel/ids.js';
import type { Journal, Salvage } from '../../../gateway/ports/journal.js';
import { systemClock } from '../../../gateway/system-clock.js';
import { recordingLog } from '../../fakes/recording-log.js';
import { events, note, readAll } from '../../gateway/ports/journal-contract.js';

const ENTRIES = 600;
const DOCUMENTS = 300;
const PAGE = 4096;

/** Printed with a failure, so that the same bytes can be damaged again. */
const SEED = Number(process.env['FORECOURT_DAMAGE_SEED'] ?? Date.now() % 1_000_000);
t.setTimeout(600_000);
t.comment(`FORECOURT_DAMAGE_SEED=${SEED}`);
let state = SEED;
const random = (below: number): number => {
  state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
  return (state >> 8) % below;
};

const open = async (t: Test, directory: string, log = recordingLog()): Promise<Journal> => {
  const journal = await openJournal(directory, 1e9, systemClock, log);
  t.teardown(() => journal.close());
  return journal;
};

const text = (i: number): string => `event ${i} ${'x'.repeat(400)}`;

/** A closed journal of some hundred pages: one file. */
async function filled(t: Test, entries = ENTRIES): Promise<string> {
  const directory = t.testdir();
  const journal = await openJournal(directory, 1e9, systemClock, recordingLog());
  await journal.commit({
    records: Array.from({ length: entries }, (_, i) => note(text(i + 1))),
    documents: Array.from({ length: DOCUMENTS }, (_, i) => ({
      collection: ['cdr', 'transaction', 'view/a'][i % 3] ?? '',
      key: `0190${String(i).padStart(4, '0')}-0000-7000-8000-000000000000`,
      value: { i, filling: 'y'.repeat(300) },
    })),
  });
  await journal.close();
  return directory;
}

const damage = (file: string, at: number, bytes: Buffer): void => {
  const handle = openSync(file, 'r+');
  writeSync(handle, bytes, 0, bytes.length, at);
  closeSync(handle);
};
const garbage = (size: number): Buffer => Buffer.from(Array.from({ length: size }, () => random(256)));

const documentCount = async (journal: Journal): Promise<number> => {
  const sizes = await Promise.all(
    ['cdr', 'transaction', 'view/a'].map(async (name) => (await journal.load(name)).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
};
const keptSets = (directory: string): readonly string[] =>
  readdirSync(directory).filter((name) => /^journal\.db\.damaged-\w+$/.test(name));
const salvageOf = async (journal: Journal): Promise<Salvage> =>
  (await journal.load('journal')).get('salvage') as Salvage;

for (const [name, ruin, least] of [
  ['header gone', (file) => damage(file, 0, garbage(100)), { entries: ENTRIES, documents: DOCUMENTS }],
  ['first page gone', (file) => damage(file, 0, garbage(PAGE)), { entries: ENTRIES, documents: DOCUMENTS }],
  [
    'half of the file cut off',
    (file) => truncateSync(file, Math.floor(statSync(file).size / 2 / PAGE) * PAGE),
    { entries: ENTRIES / 4, documents: 0 },
  ],
  ['no bytes at all', (file) => truncateSync(file, 0), { entries: 0, documents: 0 }],
  [
    'no database',
    (file) => writeFileSync(file, 'this is no database at all '.repeat(200)),
    { entries: 0, documents: 0 },
  ],
] satisfies [string, (file: string) => void, { entries: number; documents: number }][]) {
  void t.test(name, async (t) => {
    const directory = await filled(t);
    ruin(join(directory, 'journal.db'));
    const found = readFileSync(join(directory, 'journal.db'));
    const log = recordingLog();
    const journal = await open(t, directory, log);
    const entries = await readAll(journal);
    t.ok(entries.length >= least.entries, `${entries.length} entries`);
    t.ok((await documentCount(journal)) >= least.documents, `${await documentCount(journal)} documents`);
    t.ok(
      entries.every(({ seq, record }) => record.type === 'security' && record.event === text(seq)),
      'as they were',
    );
    t.match(log.lines, [{ level: 'error', fields: { fault: 'FC-J04', entries: entries.length } }]);
    const [kept] = keptSets(directory);
    t.same(readFileSync(join(directory, kept ?? '')), found, 'the damaged file is kept as it was found');
    t.equal((await salvageOf(journal)).kept, join(directory, kept ?? ''));
    const [seq] = await journal.commit({ records: [note('goes on')] });
    t.ok(Number(seq) > ENTRIES, `no number is given twice: ${seq}`);
    t.same(events(await journal.read(journalSeq(Number(seq) - 1), 2)), ['goes on']);
  });
}

void t.test('pages overwritten at random: what is on the others is there', async (t) => {
  for (let round = 0; round < 8; round++) {
    const directory = await filled(t);
    const file = join(directory, 'journal.db');
    const whole = readFileSync(file);
    const pages = whole.length / PAGE;
    const ruined = Array.from({ length: 1 + random(4) }, () => 1 + random(pages - 1));
    // Inner pages of a table and of an index (SQLite file format, section 1.6); the roots are such pages here.
    const branch = ruined.some((page) => [2, 5].includes(whole[page * PAGE] ?? 0));
    for (const page of ruined) damage(file, page * PAGE, garbage(PAGE));
    const journal = await openJournal(directory, 1e9, systemClock, recordingLog());
    const entries = await readAll(journal);
    const documents = await documentCount(journal);
    // A leaf holds some 8 of these entries, or a dozen documents; what hangs on a branch may be lost with it.
    const lost = ENTRIES - entries.length + DOCUMENTS - documents;
    t.ok(branch || lost <= 16 * ruined.length, `${lost} lost with pages ${ruined.join(' ')} of ${pages}`);
    t.ok(
      entries.every(({ seq, record }) => record.type === 'security' && record.event === text(seq)),
      'as they were',
    );
    await journal.close();
  }
});

void t.test('a log of another database does not keep the gateway from starting', async (t) => {
  const directory = await filled(t);
  const other = join(directory, 'other');
  mkdirSync(other);
  const stranger = new Database(join(other, 'x.db'));
  stranger.pragma('journal_mode = WAL');
  stranger.exec('CREATE TABLE a (b); INSERT INTO a VALUES (randomblob(9000))');
  copyFileSync(join(other, 'x.db-wal'), join(directory, 'journal.db-wal'));
  stranger.close();
  const journal = await open(t, directory);
  await journal.commit({ records: [note('goes on')] });
  t.ok(events(await readAll(journal)).includes('goes on'));
});

void t.test('the log cut or garbled at random: everything before that is there', async (t) => {
  const source = t.testdir();
  const journal = await openJournal(source, 1e9, systemClock, recordingLog());
  const sizes: number[] = [];
  for (let i = 1; i <= 40; i++) {
    await journal.commit({ records: [note(text(i))] });
    sizes.push(statSync(join(source, 'journal.db-wal')).size);
  }
  const db = readFileSync(join(source, 'journal.db'));
  const wal = readFileSync(join(source, 'journal.db-wal'));
  await journal.close();
  for (let round = 0; round < 8; round++) {
    const directory = join(source, `torn-${round}`);
    mkdirSync(directory);
    const at = (sizes[0] ?? 0) + random(wal.length - (sizes[0] ?? 0));
    const torn =
      round % 2 === 0 ? wal.subarray(0, at) : Buffer.concat([wal.subarray(0, at), garbage(64), wal.subarray(at + 64)]);
    writeFileSync(join(directory, 'journal.db'), db);
    writeFileSync(join(directory, 'journal.db-wal'), torn);
    const next = await openJournal(directory, 1e9, systemClock, recordingLog());
    const before = sizes.filter((size) => size <= at).length;
    const found = await readAll(next);
    t.ok(found.length >= before, `${found.length} of at least ${before} in front of byte ${at}`);
    t.same(
      found.map(({ seq }) => seq),
      found.map((_, i) => i + 1),
      'without a gap',
    );
    await next.commit({ records: [note('goes on')] });
    await next.close();
  }
});

void t.test('only the newest damaged sets are kept', async (t) => {
  const directory = await filled(t);
  for (let round = 0; round < 4; round++) {
    writeFileSync(join(directory, 'journal.db'), 'ruined '.repeat(1000));
    const log = recordingLog();
    await (await openJournal(directory, 1e9, systemClock, log)).close();
  }
  t.equal(keptSets(directory).length, 3);
});

void t.test('one entry that is no JSON does not hold up those behind it', async (t) => {
  const directory = t.testdir();
  const journal = await openJournal(directory, 1e9, systemClock, recordingLog());
  await journal.commit({ records: ['a', 'b', 'c'].map(note) });
  await journal.close();
  const db = new Database(join(directory, 'journal.db'));
  db.exec('UPDATE entry SET body = \'{"type": \' WHERE seq < 3');
  db.close();
  const log = recordingLog();
  const again = await open(t, directory, log);
  t.same(events(await again.read(journalSeq(0), 2)), ['c']);
  t.match(log.lines, [{ level: 'error', fields: { fault: 'FC-J04', entry: 1 } }, { fields: { entry: 2 } }]);
});

void t.test('damage that is met while running ends in a salvage at the next start', async (t) => {
  // More than SQLite keeps in memory.
  const directory = await filled(t, 50_000);
  const journal = await openJournal(directory, 1e9, systemClock, recordingLog());
  const told: unknown[] = [];
  journal.onHealth((status) => told.push(status));
  const file = join(directory, 'journal.db');
  const pages = statSync(file).size / PAGE;
  // All but the roots, behind SQLite's back.
  for (let page = 4; page < pages; page++) damage(file, page * PAGE, garbage(PAGE));
  t.match(await readAll(journal).catch((err: unknown) => err), { fault: 'FC-J04' });
  t.match(told, [{ lost: true, fault: 'FC-J04', writable: false }]);
  await journal.close().catch(() => undefined);
  t.ok(existsSync(`${file}.damaged`), 'the next start is told not to trust it');
  const log = recordingLog();
  const next = await open(t, directory, log);
  t.match(log.lines, [{ level: 'error', fields: { fault: 'FC-J04' } }]);
  t.notOk(existsSync(`${file}.damaged`));
  await next.commit({ records: [note('goes on')] });
});

void t.test('a data directory on a disk that is not mounted', (t) => {
  const mounts = { intended: ['/mnt/ssd'], present: ['/'] };
  t.throws(() => prepareDirectory('/mnt/ssd/forecourt/journal.db', mounts), { message: /\/mnt\/ssd.*not mounted/ });
  const directory = t.testdir();
  t.doesNotThrow(() =>
    prepareDirectory(join(directory, 'data', 'journal.db'), { intended: ['/mnt/ssd'], present: ['/'] }),
  );
  t.end();
});
