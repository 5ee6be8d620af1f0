// The rules of the house, by name: lint, format, layers (who may import whom), unused. Prints only what is wrong.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { binary, ensureInstalled, PrepareFailed } from './prepare.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const codeFolders = ['gateway', 'adapters', 'site-config', 'simulation', 'test'];
const present = (paths) => paths.filter((path) => existsSync(join(root, path)));

/** One check: the package and command that does it, and its arguments; `fix` may change files. */
const checks = {
  lint: (fix) => [
    'oxlint',
    'oxlint',
    ['-c', '.oxlintrc.json', ...(fix ? ['--fix'] : []), ...present([...codeFolders, 'deploy'])],
  ],
  format: (fix) => ['oxfmt', 'oxfmt', [fix ? '--write' : '--check', '.']],
  layers: () => ['dependency-cruiser', 'depcruise', ['--config', '.dependency-cruiser.cjs', ...present(codeFolders)]],
  unused: () => ['knip', 'knip', ['--no-progress']],
};

/** What a check says when it has really looked: a dependency check that cannot read TypeScript finds nothing wrong, ever. */
const proofs = { layers: /[1-9]\d* dependencies cruised/ };

/** Runs the named checks one after the other and returns the names of those that failed. */
export function runChecks(names, fix = false) {
  return names.filter((name) => {
    const [packageName, command, args] = checks[name](fix);
    const { status, stdout, stderr } = spawnSync(process.execPath, [binary(packageName, command), ...args], {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const good = status === 0 && (proofs[name]?.test(stdout) ?? true);
    process.stdout.write(`${good ? 'ok    ' : 'FAILED'} ${name}\n`);
    if (!good) process.stdout.write(`${stdout}${stderr}`);
    return !good;
  });
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const asked = process.argv.slice(2);
  const names = asked.filter((argument) => !argument.startsWith('-'));
  const unknown = names.filter((name) => !(name in checks));
  try {
    if (unknown.length > 0)
      throw new PrepareFailed(`no such check: ${unknown.join(', ')}; there are ${Object.keys(checks).join(', ')}`);
    ensureInstalled();
    process.exitCode = runChecks(names, asked.includes('--fix')).length > 0 ? 1 : 0;
  } catch (error) {
    if (!(error instanceof PrepareFailed)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
  }
}
