// What an upgrade does before anything changes: verifies, unpacks beside, and asks the new release whether it can run the site.
import { existsSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { unpack } from '../adapters/releases/archive.js';
import type { ReleaseFolder } from '../adapters/releases/folder.js';
import { storedVersion } from '../adapters/releases/journal-file.js';
import { trustedKeys, type Manifest, type Platform } from '../adapters/releases/manifest.js';
import { runRelease } from '../adapters/releases/program.js';
import { FAULTS } from './kernel/faults.js';
import { UpgradeRefused, type Course, type Observation, type ReleaseName } from './ports/installation.js';
import { compareVersions, isVersion } from './upgrades/version.js';

/** Bytes that stay free: the gateway goes on writing meanwhile. */
const ROOM_LEFT = 64 * 1024 * 1024;

/** Where the machine has what. */
export interface Site {
  readonly folder: ReleaseFolder;
  readonly home: string;
  readonly lock: string;
  readonly keys: readonly string[];
}

export interface Asked {
  readonly file: string | undefined;
  readonly site: string;
  readonly trial_min: number;
  readonly force: boolean;
  readonly back: boolean;
  readonly status: boolean;
  readonly carryOn: boolean;
}

export interface Known {
  readonly siteFile: string;
  readonly dataDirectory: string;
  readonly before: Observation | undefined;
  /** What runs now. */
  readonly version: string;
}

/** @throws UpgradeRefused: nothing has changed */
export async function prepareRelease(
  asked: Asked,
  { folder, keys }: Site,
  known: Known,
  out: (text: string) => void,
): Promise<Course> {
  const from = inUse(folder.current());
  const { file = '' } = asked;
  if (!existsSync(file)) throw new UpgradeRefused(`${file} is not there`, FAULTS.upgradeUnfit.code);
  // The release before this one makes room for the next.
  folder.keepOnly([from]);
  let to: ReleaseName = from;
  const manifest = await unpack(file, trustedKeys(keys), (offered) => {
    to = `${offered.version}+${offered.digest}`;
    if (to === from) throw unfit(`release ${to} is in use already`);
    fits(offered, asked, known);
    canRead(offered.store, known);
    roomFor(offered, folder.releases(), known.dataDirectory);
    out(`unpacking release ${offered.version}\n`);
    return folder.folder(to);
  });
  try {
    return course(asked, known, { from, to, version: manifest.version, store: manifest.store }, folder.folder(to));
  } catch (err) {
    folder.keepOnly([from]);
    throw err;
  }
}

/** @throws UpgradeRefused: nothing has changed */
export function prepareFormer(asked: Asked, { folder }: Site, known: Known): Course {
  const from = inUse(folder.current());
  const to = folder.former();
  if (to === undefined || to === from) throw unfit('there is no release from before');
  const { version, store } = folder.describe(to);
  canRead(store, known);
  return course(asked, known, { from, to, version, store }, folder.folder(to));
}

interface Change {
  readonly from: ReleaseName;
  readonly to: ReleaseName;
  readonly version: string;
  readonly store: number;
}

function course(
  { trial_min }: Asked,
  { siteFile, dataDirectory, before }: Known,
  { from, to, version, store }: Change,
  folder: string,
): Course {
  const checked = runRelease(folder, ['check', siteFile], dataDirectory);
  if (!checked.ok)
    throw new UpgradeRefused(
      `release ${version} does not take ${siteFile}:\n${checked.text}`,
      FAULTS.upgradeRefused.code,
    );
  return {
    stage: 'prepared',
    from,
    to,
    toVersion: version,
    store,
    siteFile,
    dataDirectory,
    baseline: { stations: before?.stations ?? [], csms: before?.csms ?? [] },
    trial_min,
  };
}

function inUse(current: ReleaseName | undefined): ReleaseName {
  if (current !== undefined) return current;
  throw unfit('no release is installed here that an upgrade could go back to');
}

const unfit = (why: string): UpgradeRefused => new UpgradeRefused(why, FAULTS.upgradeUnfit.code);

function fits({ version, platform }: Manifest, { force }: Asked, { version: running }: Known): void {
  const here = thisPlatform();
  if (platform.os !== here.os || platform.arch !== here.arch || platform.libc !== here.libc)
    throw unfit(`it is for ${words(platform)}, and this is ${words(here)}`);
  if (!isVersion(version)) throw unfit(`${version} is no version`);
  const newer = compareVersions(version, running);
  if (newer <= 0 && !force)
    throw unfit(
      `it is release ${version}, and ${running} runs: write --force for ${newer === 0 ? 'the same once more' : 'an older one'}`,
    );
}

const words = ({ os, arch, libc }: Platform): string => `${os} ${arch} with ${libc}`;

function thisPlatform(): Platform {
  const { header } = process.report.getReport() as unknown as {
    readonly header: { readonly glibcVersionRuntime?: string };
  };
  return {
    os: process.platform,
    arch: process.arch,
    libc: header.glibcVersionRuntime === undefined ? 'musl' : 'glibc',
  };
}

function canRead(store: number, { dataDirectory }: Known): void {
  const stored = storedVersion(dataDirectory);
  if (stored === undefined || stored <= store) return;
  const why = `the journal has the form ${stored}, and this release reads up to ${store}`;
  throw new UpgradeRefused(why, FAULTS.upgradeRefused.code);
}

function roomFor({ files, store }: Manifest, releases: string, dataDirectory: string): void {
  const unpacked = [...files.values()].reduce((sum, { size }) => sum + size, 0);
  const journal = join(dataDirectory, 'journal.db');
  const copied = existsSync(journal) && storedVersion(dataDirectory) !== store ? statSync(journal).size : 0;
  for (const [path, bytes] of [
    [releases, unpacked],
    [dataDirectory, copied],
  ] as const) {
    if (bytes === 0) continue;
    const { bavail, bsize } = statfsSync(path);
    const lacking = bytes + ROOM_LEFT - bavail * bsize;
    if (lacking > 0)
      throw new UpgradeRefused(`${path} lacks ${Math.ceil(lacking / 1e6)} MB of free space`, FAULTS.upgradeNoRoom.code);
  }
}
