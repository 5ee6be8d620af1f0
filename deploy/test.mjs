// `npm test`: set-up, the rules of the house, every test. Arguments name source files of tests to run instead of all.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runChecks } from './check.mjs';
import { binary, ensureBuilt, ensureInstalled, PrepareFailed } from './prepare.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const report = join(root, 'out/tests.tap');
/** Journeys on real sockets wait for chargers and clouds much of their time: one more than a small machine has cores. */
const JOBS = 3;
/** They take longest, so they begin first: at the end nothing is left that runs alone. */
const LONGEST = ['crash/load', 'crash/crash', 'journeys/', 'faults/', 'crash/'];

try {
  ensureInstalled();
  ensureBuilt();
} catch (error) {
  if (!(error instanceof PrepareFailed)) throw error;
  process.stderr.write(`${error.message}\n`);
  finish(0, 1);
}

const chosen = process.argv.slice(2);
const failedChecks = chosen.length > 0 ? [] : runChecks(['lint', 'format', 'layers']);
const checks = chosen.length > 0 ? 0 : 3;
const files = chosen.length > 0 ? chosen.map(compiled) : testFiles(join(root, 'out/test'));

mkdirSync(dirname(report), { recursive: true });
rmSync(report, { force: true });
const tap = spawnSync(
  process.execPath,
  [
    binary('tap', 'tap'),
    `--jobs=${JOBS}`,
    '--disable-coverage',
    '--allow-empty-coverage',
    // A screen gets progress, a log only what failed.
    `--reporter=${process.stdout.isTTY ? 'terse' : 'min'}`,
    '--no-color',
    `--output-file=${report}`,
    ...files,
  ],
  { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] },
);
const { passed, failed } = counts();
// A run that tap calls failed without a failed assertion (a file that never ended, say) is a failure all the same.
finish(
  passed + checks - failedChecks.length,
  failed + failedChecks.length + (tap.status !== 0 && failed === 0 ? 1 : 0),
);

/** Ends the run; the last line is what continuous integration reads. */
function finish(passed, failed) {
  if (failed > 0 && existsSync(report)) process.stdout.write(`every assertion is in ${relative(root, report)}\n`);
  // On a line of its own: a reporter may leave control characters behind.
  process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
  process.exit(failed > 0 || passed === 0 ? 1 : 0);
}

function counts() {
  const text = existsSync(report) ? readFileSync(report, 'utf8') : '';
  const summary = [...text.matchAll(/^# \{ (total: .*) \}$/gm)].at(-1)?.[1] ?? '';
  const number = (name) => Number(new RegExp(`${name}: (\\d+)`).exec(summary)?.[1] ?? 0);
  return { passed: number('pass'), failed: number('fail') };
}

function compiled(source) {
  return join('out', relative(root, resolve(source))).replace(/\.ts$/, '.js');
}

function testFiles(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true })
    .map((name) => relative(root, join(folder, name)))
    .filter((name) => name.endsWith('.test.js'))
    .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

function rank(file) {
  const place = LONGEST.findIndex((start) => file.startsWith(`out/test/${start}`));
  return place === -1 ? LONGEST.length : place;
}
