// The Debian package: a release that runs with the distribution's Node, its units, documents and maintainer scripts.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  lutimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { PrepareFailed } from '../prepare.mjs';
import { digest, filesBelow, isExecutable } from './files.mjs';

const ARCHITECTURES = { x64: 'amd64', arm64: 'arm64', arm: 'armhf' };

/** Debian sorts `1.0.0~rc.1` before `1.0.0`, as the hyphen means. */
const debianVersion = (version) => version.replace('-', '~');

/**
 * @param release the laid out release, without a Node of its own
 * @param work an empty folder
 * @returns the name of the file
 */
export function packDeb(root, release, work, target, { version, at }) {
  const architecture = ARCHITECTURES[process.arch];
  if (architecture === undefined) throw new PrepareFailed(`Debian has no name here for ${process.arch}`);
  lay(root, release, work);
  const size_KB = Math.ceil(filesBelow(work).reduce((sum, path) => sum + statSync(join(work, path)).size, 0) / 1024);
  const sums = filesBelow(work).map((path) => `${digest('md5', readFileSync(join(work, path)))}  ${path}\n`);
  mkdirSync(join(work, 'DEBIAN'));
  writeFileSync(join(work, 'DEBIAN/control'), control(release, version, architecture, size_KB));
  writeFileSync(join(work, 'DEBIAN/md5sums'), sums.join(''));
  for (const script of readdirSync(join(root, 'deploy/package/deb')))
    executable(join(root, 'deploy/package/deb', script), join(work, 'DEBIAN', script));
  settleModesAndTimes(work, at);
  const name = `forecourt_${debianVersion(version)}_${architecture}.deb`;
  const { status, error } = spawnSync(
    'dpkg-deb',
    // One thread: the blocks of more depend on the machine.
    ['--root-owner-group', '-Zxz', '--threads-max=1', '--build', work, join(target, name)],
    { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, SOURCE_DATE_EPOCH: String(at) } },
  );
  if (status !== 0) throw new PrepareFailed(`dpkg-deb failed${error === undefined ? '' : `: ${error.message}`}`);
  return name;
}

function lay(root, release, work) {
  const folders = ['usr/bin', 'usr/lib/forecourt', 'usr/lib/systemd/system', 'usr/share/forecourt', 'usr/share/doc'];
  for (const folder of [...folders, 'usr/share/man/man1']) mkdirSync(join(work, folder), { recursive: true });
  cpSync(release, join(work, 'usr/lib/forecourt/release'), { recursive: true });
  executable(join(root, 'deploy/package/launch'), join(work, 'usr/lib/forecourt/launch'));
  symlinkSync('../lib/forecourt/launch', join(work, 'usr/bin/forecourt'));
  for (const unit of ['forecourt.service', 'forecourt-upgrade.service'])
    copyFileSync(join(root, 'deploy', unit), join(work, 'usr/lib/systemd/system', unit));
  const share = join(work, 'usr/share/forecourt');
  copyFileSync(join(root, 'deploy/package/site.yaml'), join(share, 'site.yaml'));
  for (const schema of ['site.schema.json', 'device.schema.json'])
    symlinkSync(`../../lib/forecourt/release/out/bundle/${schema}`, join(share, schema));
  const doc = join(work, 'usr/share/doc/forecourt');
  renameSync(join(work, 'usr/lib/forecourt/release/docs'), doc);
  // Debian has the text of Forecourt's own licence already.
  rmSync(join(doc, 'LICENSE'));
  const common = 'On Debian the Apache License 2.0 is in /usr/share/common-licenses/Apache-2.0.\n\n';
  writeFileSync(join(doc, 'copyright'), common + readFileSync(join(doc, 'LICENSES'), 'utf8'));
  rmSync(join(doc, 'LICENSES'));
  zipped(join(root, 'deploy/package/forecourt.1'), join(work, 'usr/share/man/man1/forecourt.1.gz'));
}

/** A module that was compiled for one Node does not load in another, so the major version is the same on both sides. */
function control(release, version, architecture, size_KB) {
  const [major] = process.versions.node.split('.');
  return `Package: forecourt
Version: ${debianVersion(version)}
Architecture: ${architecture}
Maintainer: Forecourt maintainers <maintainers@forecourt.example>
Installed-Size: ${size_KB}
Section: net
Priority: optional
Depends: nodejs (>= ${major === '20' ? '20.19' : major}), nodejs (<< ${Number(major) + 1}), libc6 (>= ${leastGlibc(release)}), libstdc++6, adduser
Recommends: systemd
Description: site gateway for EV charging
 Chargers of any make talk to it over the site's own network. It keeps the
 breakers from tripping, lets known drivers charge when the uplink is down,
 loses no transaction, and shows the whole site to the operator's cloud as one
 OCPP charging station over one connection.
`;
}

/** The newest version of a symbol that the native modules ask the C library for. */
function leastGlibc(release) {
  const versions = filesBelow(release)
    .filter((path) => path.endsWith('.node'))
    .flatMap((path) => [...readFileSync(join(release, path), 'latin1').matchAll(/\bGLIBC_2\.(\d+)/g)])
    .map(([, minor]) => Number(minor));
  return `2.${Math.max(...versions)}`;
}

function zipped(from, to) {
  writeFileSync(to, gzipSync(readFileSync(from), { level: 9 }));
}

function executable(from, to) {
  copyFileSync(from, to);
  chmodSync(to, 0o755);
}

/** Whatever the umask and the hour of the build were. */
function settleModesAndTimes(folder, at) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isSymbolicLink()) lutimesSync(path, at, at);
    else {
      chmodSync(path, entry.isDirectory() || isExecutable(path) ? 0o755 : 0o644);
      utimesSync(path, at, at);
    }
  }
  chmodSync(folder, 0o755);
  utimesSync(folder, at, at);
}
