// Makes a signed release that does not work of one that does. Usage: node spoil.mjs <tarball> <key> <version> <falls|mute> <target>
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createPrivateKey } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packTarball, seal } from '../../deploy/package/tarball.mjs';

const [tarball, key, version, how, target] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'spoil-'));
try {
  const { status } = spawnSync('tar', ['xzf', tarball, '--strip-components=1', '-C', folder], { stdio: 'inherit' });
  if (status !== 0) throw new Error(`${tarball} cannot be unpacked`);
  const { store, platform } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
  for (const file of ['manifest.json', 'manifest.sig']) rmSync(join(folder, file), { force: true });
  const program = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...program, version }));
  // Everything but `run` works: its check is no protection.
  renameSync(join(folder, 'out/bundle/forecourt.js'), join(folder, 'out/bundle/whole.js'));
  const run = how === 'falls' ? 'process.exit(1)' : 'await new Promise((resolve) => setTimeout(resolve, 2 ** 31 - 1))';
  writeFileSync(
    join(folder, 'out/bundle/forecourt.js'),
    `if (process.argv[2] === 'run') ${run};\nawait import('./whole.js');\n`,
  );
  seal(folder, { version, store, libc: platform.libc, key: createPrivateKey(readFileSync(key)) });
  await packTarball(folder, `forecourt-${version}`, target, 0);
} finally {
  rmSync(folder, { recursive: true });
}
