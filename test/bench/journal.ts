// `npm run bench -- journal`: the gateway's journal against better-sqlite3 on the event loop itself, with and without groups.
// 50 writers, each with its next record of some 960 bytes when the last is durable. Options: --seconds N.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Database from 'better-sqlite3';
import { openJournal } from '../../adapters/journal-sqlite/journal.js';
import { evseNumber, stationId } from '../../gateway/kernel/ids.js';
import type { Log } from '../../gateway/kernel/log.js';
import { timestamp } from '../../gateway/kernel/units.js';
import type { JournalRecord } from '../../gateway/site/transaction.js';
import { systemClock } from '../../gateway/system-clock.js';
import { percentile } from './statistics.js';

const WRITERS = 50;
const { values: options } = parseArgs({ options: { seconds: { type: 'string', default: '3' } } });
const seconds = Number(options.seconds);

/** Makes one record durable. */
type Write = (record: JournalRecord) => Promise<unknown>;

function record(): JournalRecord {
  const sample = {
    value: 10_980.4,
    measurand: 'Power.Active.Import',
    location: 'Outlet',
    context: 'Sample.Periodic',
  } as const;
  const meterValues = [{ at: timestamp(Date.now()), sampled: Array.from({ length: 9 }, () => sample) }];
  return { type: 'meter', station: stationId('CP00001'), evse: evseNumber(1), meterValues };
}

/** The longest turn of the event loop tells what a journal costs everybody else. */
async function drive(name: string, write: Write): Promise<void> {
  const latencies: number[] = [];
  const end = performance.now() + seconds * 1000;
  let longestTurn = 0;
  let turn = performance.now();
  const watch = setInterval(() => {
    const now = performance.now();
    longestTurn = Math.max(longestTurn, now - turn);
    turn = now;
  }, 1);
  const writer = async (): Promise<void> => {
    while (performance.now() < end) {
      const begun = performance.now();
      await write(record());
      latencies.push(performance.now() - begun);
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, writer));
  clearInterval(watch);
  const cells = [latencies.length / seconds, percentile(latencies, 0.5), percentile(latencies, 0.99), longestTurn];
  process.stdout.write(
    `${name.padEnd(36)}${cells.map((cell) => cell.toFixed(cell > 100 ? 0 : 2).padStart(14)).join('')}\n`,
  );
}

/** @param grouped false: one transaction, so one sync, for each record */
function bareSqlite(folder: string, grouped: boolean): { write: Write; close: () => void } {
  const db = new Database(join(folder, `bare-${grouped}.db`));
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.exec('CREATE TABLE entry (seq INTEGER PRIMARY KEY, body TEXT NOT NULL)');
  const insert = db.prepare('INSERT INTO entry (body) VALUES (?)');
  let waiting: { readonly body: string; readonly done: () => void }[] = [];
  const flush = (): void => {
    const batch = waiting;
    waiting = [];
    db.transaction(() => batch.forEach(({ body }) => insert.run(body)))();
    for (const { done } of batch) done();
  };
  const write: Write = (each) => {
    const body = JSON.stringify(each);
    if (!grouped) return Promise.resolve(insert.run(body)).then(() => new Promise((done) => setImmediate(done)));
    return new Promise<void>((done) => {
      if (waiting.push({ body, done }) === 1) setImmediate(flush);
    });
  };
  return { write, close: () => db.close() };
}

const silent: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const folder = mkdtempSync(join(tmpdir(), 'forecourt-bench-'));
try {
  process.stdout.write(`${WRITERS} writers, ${JSON.stringify(record()).length} bytes a record\n`);
  const titles = ['records/s', 'p50 ms', 'p99 ms', 'longest turn'].map((title) => title.padStart(14)).join('');
  process.stdout.write(`${''.padEnd(36)}${titles}\n`);
  const journal = await openJournal(join(folder, 'journal'), 1e9, systemClock, silent);
  await drive('journal, commits that wait for none', (each) => journal.commit({ records: [each] }, 'now'));
  await drive('journal, commits in batches', (each) => journal.commit({ records: [each] }, 'batch'));
  await journal.close();
  for (const grouped of [true, false]) {
    const bare = bareSqlite(folder, grouped);
    await drive(`better-sqlite3, ${grouped ? 'grouped' : 'one by one'}`, bare.write);
    bare.close();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
