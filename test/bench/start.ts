// `npm run bench -- start`: how long the bundle takes until chargers can connect, and what memory it holds then, beside a bare Node
// that listens and the same program as single modules. Rounds are interleaved; ratios are to the bare Node of the same round.
// Options: --rounds N, --settle S (seconds after which the memory is looked at). Linux only.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { freePort } from '../peers/free-port.js';
import { isListening } from '../peers/listening.js';
import { cpuOf, median, residentOf } from './statistics.js';

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '9' }, settle: { type: 'string', default: '2' } },
});
const rounds = Number(options.rounds);
const settle_ms = Number(options.settle) * 1000;
/** Milliseconds between two attempts to connect: what a start may be measured too long by. */
const DIAL_EVERY_ms = 2;

interface Round {
  readonly listening_ms: number;
  readonly resident_MB: number;
  /** Until the memory was looked at. */
  readonly processor_s: number;
}

type Subject = readonly [name: string, args: (folder: string, port: number) => readonly string[]];

const program = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const site = (folder: string, port: number): string => {
  const file = join(folder, 'site.yaml');
  writeFileSync(
    file,
    `data-directory: ${join(folder, 'data')}
site: { id: START, time-zone: Europe/Amsterdam }
circuits: { main: { breaker: 16 A } }
listen: { ocpp: '127.0.0.1:${port}' }
console: { listen: none }
stations:
  CP01: { circuit: main, security-profile: 0, evses: [{ number: 1, max-current: 16 A, phases: L1, fallback-current: 6 A }] }
`,
  );
  return file;
};

const subjects: readonly Subject[] = [
  ['bare Node', (_, port) => ['-e', `require('node:http').createServer().listen(${port}, '127.0.0.1')`]],
  ['the bundle', (folder, port) => [program('../../bundle/forecourt.js'), 'run', site(folder, port)]],
  ['the same in modules', (folder, port) => [program('../../gateway/main.js'), 'run', site(folder, port)]],
];

async function start([, args]: Subject): Promise<Round> {
  const folder = mkdtempSync(join(tmpdir(), 'forecourt-start-'));
  const port = await freePort();
  const given = args(folder, port);
  const begun = performance.now();
  const child = spawn(process.execPath, given, { stdio: 'ignore' });
  try {
    await listening(child, port);
    const listening_ms = performance.now() - begun;
    await new Promise((resolve) => setTimeout(resolve, settle_ms));
    const { pid = 0 } = child;
    return { listening_ms, resident_MB: residentOf(pid) / 1024, processor_s: cpuOf(pid) };
  } finally {
    const ended = once(child, 'exit');
    if (child.exitCode === null && child.kill('SIGTERM')) await ended;
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @throws Error when it ends before it listens */
async function listening(child: ChildProcess, port: number): Promise<void> {
  while (child.exitCode === null) {
    if (await isListening(port)) return;
    await new Promise((resolve) => setTimeout(resolve, DIAL_EVERY_ms));
  }
  throw new Error(`it ended with ${child.exitCode} before it listened`);
}

const measured = subjects.map((): Round[] => []);
for (let round = 0; round < rounds; round++)
  for (const [index, subject] of subjects.entries()) measured[index]?.push(await start(subject));

const cell = (value: number): string => value.toFixed(value >= 100 ? 0 : 2).padStart(14);
const titles = ['listening ms', 'ratio', 'resident MB', 'ratio', 'processor s'].map((title) => title.padStart(14));
process.stdout.write(
  `the middle of ${rounds} rounds, memory after ${options.settle} s\n${''.padEnd(22)}${titles.join('')}\n`,
);
for (const [index, [name]] of subjects.entries()) {
  const mine = measured[index] ?? [];
  const of = (field: keyof Round): number => median(mine.map((each) => each[field]));
  const ratio = (field: keyof Round): number =>
    median(mine.map((each, round) => each[field] / (measured[0]?.[round]?.[field] ?? NaN)));
  const cells = [of('listening_ms'), ratio('listening_ms'), of('resident_MB'), ratio('resident_MB'), of('processor_s')];
  process.stdout.write(`${name.padEnd(22)}${cells.map(cell).join('')}\n`);
}
