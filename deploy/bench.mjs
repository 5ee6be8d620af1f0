// `npm run bench [-- NAME ...]`: runs one benchmark of test/bench after bringing the compiled code up to date.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureBuilt, ensureInstalled } from './prepare.mjs';

/** What each measures is said in the first lines of its file. */
const BENCHMARKS = ['gateway', 'balance', 'properties', 'journal', 'modbus', 'start'];

const folder = resolve(dirname(fileURLToPath(import.meta.url)), '../out/test/bench');
const [first, ...rest] = process.argv.slice(2);
const named = first !== undefined && !first.startsWith('-');
const name = named ? first : 'gateway';
const args = named ? rest : process.argv.slice(2);

if (!BENCHMARKS.includes(name)) {
  process.stderr.write(`there is no benchmark ${name}: ${BENCHMARKS.join(', ')}\n`);
  process.exit(2);
}
ensureInstalled();
ensureBuilt();
const program = join(folder, `${name}.js`);
if (!existsSync(program)) {
  process.stderr.write(`${program} is missing\n`);
  process.exit(1);
}
const { status } = spawnSync(process.execPath, [program, ...args], { stdio: 'inherit' });
process.exitCode = status ?? 1;
