// The self-contained tarball: a release with its Node, what installs it, and a signed list of all its files. It is also what
// `forecourt upgrade` takes.
import { copyFileSync, chmodSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { sign } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import tar from 'tar-stream';
import { PrepareFailed } from '../prepare.mjs';
import { described, filesBelow, isExecutable } from './files.mjs';

/** Entries that stand first, so that whoever unpacks knows what to expect before anything is written. */
const FIRST = ['manifest.json', 'manifest.sig'];

/** Adds to a release's folder what only the tarball has. */
export function addNode(folder) {
  const node = readFileSync(process.execPath);
  if (node.includes('libnode.so.'))
    throw new PrepareFailed(
      `${process.execPath} is only a front of libnode, which another machine may not have: run this with a Node that is one file, such as nodejs.org's`,
    );
  const prefix = resolve(dirname(process.execPath), '..');
  const licence = ['LICENSE', 'share/doc/nodejs/LICENSE', 'share/doc/node/LICENSE']
    .map((file) => join(prefix, file))
    .find((file) => existsSync(file));
  if (licence === undefined) throw new PrepareFailed(`the licence of Node is not below ${prefix}: it has to go along`);
  writeFileSync(join(folder, 'bin/node'), node);
  chmodSync(join(folder, 'bin/node'), 0o755);
  copyFileSync(licence, join(folder, 'docs/LICENSE-node'));
}

export function addInstaller(root, folder) {
  const from = join(root, 'deploy/package');
  copyFileSync(join(from, 'install.sh'), join(folder, 'install.sh'));
  chmodSync(join(folder, 'install.sh'), 0o755);
  mkdirSync(join(folder, 'install'));
  for (const file of ['launch', 'site.yaml', 'Dockerfile', 'compose.yaml', 'forecourt.1'])
    copyFileSync(join(from, file), join(folder, 'install', file));
  cpSync(join(from, 'openwrt'), join(folder, 'install/openwrt'), { recursive: true });
  for (const unit of ['forecourt.service', 'forecourt-upgrade.service'])
    copyFileSync(join(root, 'deploy', unit), join(folder, 'install', unit));
  for (const file of ['install/launch', 'install/openwrt/forecourt', 'install/openwrt/forecourt-upgrade'])
    chmodSync(join(folder, file), 0o755);
}

/** Writes the list of all files, and its signature where there is a key. */
export function seal(folder, { version, store, libc, key }) {
  const platform = { os: 'linux', arch: process.arch, libc };
  const files = filesBelow(folder).map((path) => described(folder, path));
  const manifest = Buffer.from(
    `${JSON.stringify({ format: 1, name: 'forecourt', version, platform, store, files })}\n`,
  );
  writeFileSync(join(folder, 'manifest.json'), manifest);
  if (key === undefined) return;
  const signature = sign(null, manifest, key);
  writeFileSync(join(folder, 'manifest.sig'), `${signature.toString('base64')}\n`);
}

/** @param at seconds since 1970, the time of every file in it */
export async function packTarball(folder, top, target, at) {
  const pack = tar.pack();
  const chunks = [];
  pack.on('data', (chunk) => chunks.push(chunk));
  const done = new Promise((resolve, reject) => {
    pack.once('end', resolve);
    pack.once('error', reject);
  });
  const all = filesBelow(folder);
  const order = [...FIRST.filter((path) => all.includes(path)), ...all.filter((path) => !FIRST.includes(path))];
  for (const path of order) {
    const file = join(folder, path);
    pack.entry(
      {
        name: `${top}/${path}`,
        mode: isExecutable(file) ? 0o755 : 0o644,
        mtime: new Date(at * 1000),
        uname: 'root',
        gname: 'root',
      },
      readFileSync(file),
    );
  }
  pack.finalize();
  await done;
  writeFileSync(target, gzipSync(Buffer.concat(chunks), { level: 9 }));
}
