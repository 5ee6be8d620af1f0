// `npm run package`: the .deb and the self-contained tarball, in out/package. The same inputs give the same bytes.
import { spawnSync } from 'node:child_process';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { packDeb } from './package/deb.mjs';
import { digest } from './package/files.mjs';
import { addInstaller, addNode, packTarball, seal } from './package/tarball.mjs';
import { layOut } from './package/tree.mjs';
import { ensureBuilt, ensureInstalled, PrepareFailed } from './prepare.mjs';

const USAGE = `usage: npm run package -- [options]

  --key FILE       signs the tarball with this ed25519 private key (PEM), and packs the public half: machines that run
                   this release then take upgrades signed with it
  --trust FILE     one more public key (PEM) whose upgrades are taken; may be given more than once
  --version X.Y.Z  instead of that of package.json
  --only WHAT      deb or tarball
  --out FOLDER     instead of out/package
  --prove          afterwards installs, runs, upgrades and removes them in a Debian of its own (root; test/package/install.sh)
`;

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

async function makePackages(args) {
  const { values } = parseArgs({
    args,
    options: {
      key: { type: 'string' },
      trust: { type: 'string', multiple: true, default: [] },
      version: { type: 'string' },
      only: { type: 'string' },
      out: { type: 'string', default: join(root, 'out/package') },
      prove: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return process.stdout.write(USAGE);
  if (values.only !== undefined && !['deb', 'tarball'].includes(values.only))
    throw new PrepareFailed(`--only takes deb or tarball, not ${values.only}`);
  ensureInstalled();
  ensureBuilt();
  const version = values.version ?? JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;
  if (!/^\d+\.\d+\.\d+(-[0-9a-z.]+)?$/.test(version)) throw new PrepareFailed(`${version} is no version: write 1.2.3`);
  const { STORE_VERSION: store } = await import(
    pathToFileURL(join(root, 'out/adapters/journal-sqlite/database.js')).href
  );
  const key = values.key === undefined ? undefined : privateKey(values.key);
  const keys = publicKeys(key, values.trust);
  const at = sourceTime();
  const target = resolve(values.out);
  const work = join(target, 'work');
  rmSync(work, { recursive: true, force: true });
  mkdirSync(join(work, 'release'), { recursive: true });
  const libc = process.report.getReport().header.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
  layOut(root, join(work, 'release'), { version, store, keys, libc });
  const made = [];
  if (values.only !== 'tarball') {
    mkdirSync(join(work, 'deb'));
    made.push(packDeb(root, join(work, 'release'), join(work, 'deb'), target, { version, at }));
  }
  if (values.only !== 'deb') {
    const folder = join(work, 'tarball');
    cpSync(join(work, 'release'), folder, { recursive: true });
    addNode(folder);
    addInstaller(root, folder);
    seal(folder, { version, store, libc, key });
    const name = `forecourt-${version}-linux-${process.arch}${libc === 'musl' ? '-musl' : ''}.tar.gz`;
    await packTarball(folder, `forecourt-${version}`, join(target, name), at);
    made.push(name);
  }
  rmSync(work, { recursive: true });
  const sums = made.map((name) => `${digest('sha256', readFileSync(join(target, name)))}  ${name}\n`);
  writeFileSync(join(target, 'SHA256SUMS'), sums.join(''));
  for (const name of made)
    process.stdout.write(`${join(target, name)}  ${(statSync(join(target, name)).size / 1e6).toFixed(1)} MB\n`);
  if (key === undefined && values.only !== 'deb')
    process.stderr.write('not signed: without --key no machine takes the tarball as an upgrade\n');
  if (values.prove) {
    const { status } = spawnSync('bash', [join(root, 'test/package/install.sh')], { stdio: 'inherit' });
    process.exitCode = status ?? 1;
  }
}

function privateKey(file) {
  const key = createPrivateKey(readFileSync(file));
  if (key.asymmetricKeyType !== 'ed25519')
    throw new PrepareFailed(`${file} is no ed25519 key: make one with openssl genpkey -algorithm ed25519 -out ${file}`);
  return key;
}

/** Named by what they are, so that two of them never get in each other's way. */
function publicKeys(key, trusted) {
  const all = [
    ...(key === undefined ? [] : [createPublicKey(key)]),
    ...trusted.map((file) => createPublicKey(readFileSync(file))),
  ];
  return all.map((each) => {
    if (each.asymmetricKeyType !== 'ed25519') throw new PrepareFailed('a key given with --trust is no ed25519 key');
    const text = each.export({ type: 'spki', format: 'pem' });
    return { name: `${digest('sha256', text).slice(0, 16)}.pem`, text };
  });
}

/** Seconds since 1970: SOURCE_DATE_EPOCH (reproducible-builds.org), else the moment of the last commit. */
function sourceTime() {
  const told = process.env.SOURCE_DATE_EPOCH;
  if (told !== undefined) {
    if (!/^\d+$/.test(told)) throw new PrepareFailed(`SOURCE_DATE_EPOCH is ${told}, which are no seconds since 1970`);
    return Number(told);
  }
  const { stdout, status } = spawnSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new PrepareFailed('no git history here: set SOURCE_DATE_EPOCH to the time of the sources');
  return Number(stdout.trim());
}

try {
  await makePackages(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof PrepareFailed) && error?.code?.startsWith?.('ERR_PARSE_ARGS') !== true) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
