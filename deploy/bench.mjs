// `npm run bench`: runs every benchmark of test/bench after bringing the compiled code up to date.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureBuilt, ensureInstalled } from './prepare.mjs';

const folder = resolve(dirname(fileURLToPath(import.meta.url)), '../out/test/bench');
ensureInstalled();
ensureBuilt();
const benchmarks = existsSync(folder)
  ? readdirSync(folder)
      .filter((name) => name.endsWith('.bench.js'))
      .sort()
  : [];
if (benchmarks.length === 0) process.stdout.write('no benchmarks in test/bench\n');
for (const name of benchmarks) {
  const { status } = spawnSync(process.execPath, [join(folder, name), ...process.argv.slice(2)], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
