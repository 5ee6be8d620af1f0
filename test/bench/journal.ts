// `npm run bench -- journal`: the gateway's journal against better-sqlite3 on the event loop itself, with and without groups.
// 50 writers, each with its next record of some 960 bytes when the last is durable. Options: --rounds N, --seconds N, and
// --slow: instead, what the event loop notices of a disk whose flushes take 20 ms longer (strace; Linux only).
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import Database from 'better-sqlite3';
import { openJournal } from '../../adapters/journal-sqlite/journal.js';
import { evseNumber, stationId } from '../../gateway/kernel/ids.js';
import { silentLog } from '../../gateway/kernel/log.js';
import { timestamp } from '../../gateway/kernel/units.js';
import type { Journal } from '../../gateway/ports/journal.js';
import type { JournalRecord } from '../../gateway/site/transaction.js';
import { systemClock } from '../../gateway/system-clock.js';
import { percentile } from './statistics.js';

const WRITERS = 50;
/** In ms. */
const SLOW_FLUSH = 20;
const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '1' },
    slow: { type: 'boolean', default: false },
  },
});
const seconds = Number(options.seconds);
const rounds = Number(options.rounds);

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

interface Round {
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
  /** How late the event loop was, 99th percentile in ms: what a journal costs everybody else. */
  readonly late: number;
}

async function drive(write: Write): Promise<Round> {
  const latencies: number[] = [];
  const delays = monitorEventLoopDelay({ resolution: 1 });
  const begun = performance.now();
  const end = begun + seconds * 1000;
  delays.enable();
  const writer = async (): Promise<void> => {
    while (performance.now() < end) {
      const asked = performance.now();
      await write(record());
      latencies.push(performance.now() - asked);
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, writer));
  delays.disable();
  return {
    rate: (latencies.length / (performance.now() - begun)) * 1000,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    late: Math.max(0, delays.percentile(99) / 1e6 - 1),
  };
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

/**
 * Every flush of the threads started by `work` takes 20 ms longer, as on a slow card.
 * @throws Error where strace is missing or may not trace
 */
async function withSlowDisk<T>(
  work: () => Promise<T>,
): Promise<{ readonly made: T; readonly stop: () => Promise<void> }> {
  const threads = (): readonly string[] => readdirSync('/proc/self/task');
  const before = new Set(threads());
  const made = await work();
  // Of these threads only: a tracer that stops the event loop at each of its own calls would be what is measured.
  const traced = threads().filter((thread) => !before.has(thread));
  const inject = ['-e', 'trace=fdatasync,fsync', '-e', `inject=fdatasync,fsync:delay_exit=${SLOW_FLUSH * 1000}`];
  const strace = spawn('strace', ['-o', '/dev/null', ...traced.flatMap((id) => ['-p', id]), ...inject], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(strace, 'exit');
  await Promise.race([
    once(strace.stderr, 'data'),
    ended.then(() => Promise.reject(new Error('strace cannot slow the disk down here'))),
  ]);
  const stop = async (): Promise<void> => {
    strace.kill('SIGINT');
    await ended;
  };
  return { made, stop };
}

const middle = (values: readonly number[]): number => percentile(values, 0.5);
const cell = (value: number): string => value.toFixed(value >= 100 ? 0 : 2).padStart(12);

function report(name: string, rounds: readonly Round[], base: readonly Round[] | undefined): void {
  const cells = [
    middle(rounds.map(({ rate }) => rate)),
    middle(rounds.map(({ p50 }) => p50)),
    middle(rounds.map(({ p99 }) => p99)),
    middle(rounds.map(({ late }) => late)),
  ];
  // Each round against the one next to it: what else the machine does changes slower than that.
  const ratios = base?.map(({ rate }, i) => (rounds[i]?.rate ?? 0) / rate);
  process.stdout.write(`${name.padEnd(36)}${cells.map(cell).join('')}${ratios ? cell(middle(ratios)) : ''}\n`);
}

const folder = mkdtempSync(join(tmpdir(), 'forecourt-bench-'));
try {
  process.stdout.write(
    `${WRITERS} writers, ${JSON.stringify(record()).length} bytes a record, the middle of ${rounds} rounds of ${seconds} s\n`,
  );
  const titles = ['records/s', 'p50 ms', 'p99 ms', 'loop p99 ms', 'to grouped']
    .map((title) => title.padStart(12))
    .join('');
  process.stdout.write(`${''.padEnd(36)}${titles}\n`);
  const openOne = (name: string): Promise<Journal> => openJournal(join(folder, name), 1e9, systemClock, silentLog);
  if (options.slow) {
    const { made: journal, stop } = await withSlowDisk(() => openOne('slow'));
    const measured: Round[] = [];
    for (let i = 0; i < rounds; i++) measured.push(await drive((each) => journal.commit({ records: [each] }, 'now')));
    report(`journal, each flush ${SLOW_FLUSH} ms slower`, measured, undefined);
    await stop();
    await journal.close();
  } else {
    const journal = await openOne('journal');
    const bare = [bareSqlite(folder, true), bareSqlite(folder, false)] as const;
    const subjects: readonly (readonly [name: string, write: Write])[] = [
      ['better-sqlite3, grouped', bare[0].write],
      ['journal, commits that wait for none', (each) => journal.commit({ records: [each] }, 'now')],
      ['journal, commits in batches', (each) => journal.commit({ records: [each] }, 'batch')],
      ['better-sqlite3, one by one', bare[1].write],
    ];
    const measured = subjects.map((): Round[] => []);
    for (let i = 0; i < rounds; i++)
      for (const [index, [, write]] of subjects.entries()) measured[index]?.push(await drive(write));
    for (const [index, [name]] of subjects.entries()) report(name, measured[index] ?? [], measured[0]);
    await journal.close();
    for (const { close } of bare) close();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
