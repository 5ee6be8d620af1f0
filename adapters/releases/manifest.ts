// The list of a release's files, and whether it was signed by somebody who may.
import { createHash, createPublicKey, verify, type KeyObject } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { FAULTS } from '../../gateway/kernel/faults.js';
import { UpgradeRefused } from '../../gateway/ports/installation.js';

export interface Manifest {
  readonly version: string;
  readonly platform: Platform;
  /** The form in which it writes the journal. */
  readonly store: number;
  readonly files: ReadonlyMap<string, ListedFile>;
  /** The first eight digits of the SHA-256 of its text. */
  readonly digest: string;
}

export interface Platform {
  readonly os: string;
  readonly arch: string;
  readonly libc: string;
}

export interface ListedFile {
  readonly size: number;
  readonly sha256: string;
  readonly executable: boolean;
}

/** Nothing that leads out of the folder, or that a shell would read otherwise. */
const PATH = /^(?!\.{1,2}(\/|$))[\w@.+-]+(\/(?!\.{1,2}(\/|$))[\w@.+-]+)*$/;
const LONGEST_PATH = 300;
const MOST_FILES = 20_000;

const unfit = (why: string): UpgradeRefused => new UpgradeRefused(why, FAULTS.upgradeUnfit.code);

/** @throws UpgradeRefused unless the bytes are a manifest */
export function readManifest(bytes: Buffer): Manifest {
  const written = record(parsed(bytes));
  const platform = record(written['platform']);
  const { version, store, files } = written;
  const whole =
    written['name'] === 'forecourt' &&
    typeof version === 'string' &&
    /^[\w.-]{1,40}$/.test(version) &&
    Number.isInteger(store) &&
    Array.isArray(files);
  if (!whole) throw unfit('its manifest.json is not that of a release of Forecourt');
  if (written['format'] !== 1)
    throw unfit(`its manifest.json has the format ${String(written['format'])}, which only a newer release reads`);
  if (files.length > MOST_FILES) throw unfit(`its manifest.json lists ${files.length} files`);
  const text = (key: string): string => (typeof platform[key] === 'string' ? platform[key] : '?');
  return {
    version,
    store: Number(store),
    platform: { os: text('os'), arch: text('arch'), libc: text('libc') },
    files: new Map(files.map((file) => listed(record(file)))),
    digest: createHash('sha256').update(bytes).digest('hex').slice(0, 8),
  };
}

function listed({ path, size, sha256, executable }: Readonly<Record<string, unknown>>): [string, ListedFile] {
  const whole =
    typeof path === 'string' &&
    path.length <= LONGEST_PATH &&
    PATH.test(path) &&
    typeof size === 'number' &&
    Number.isSafeInteger(size) &&
    size >= 0 &&
    typeof sha256 === 'string' &&
    /^[0-9a-f]{64}$/.test(sha256);
  if (!whole) throw unfit('its manifest.json lists a file that no release has');
  return [path, { size, sha256, executable: executable === true }];
}

/** @throws UpgradeRefused unless one of the keys has signed exactly these bytes */
export function verifyManifest(bytes: Buffer, signature: Buffer, keys: readonly KeyObject[]): void {
  const refused = (why: string): UpgradeRefused => new UpgradeRefused(why, FAULTS.upgradeUntrusted.code);
  if (keys.length === 0) throw refused('this installation trusts no key: put the public key into /etc/forecourt/keys');
  if (signature.length === 0) throw refused('it is not signed');
  const raw = Buffer.from(signature.toString('latin1').trim(), 'base64');
  if (!keys.some((key) => verify(null, bytes, key, raw)))
    throw refused('it was not signed with a key that this installation trusts, or was changed afterwards');
}

/**
 * The ed25519 public keys (PEM) of the folders that are there.
 * @throws UpgradeRefused for one that somebody else than root may have put there
 */
export function trustedKeys(folders: readonly string[]): readonly KeyObject[] {
  return folders
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => {
      const files = readdirSync(folder).filter((name) => name.endsWith('.pem'));
      return [folder, ...files.map((name) => join(folder, name))].filter(safe).slice(1);
    })
    .map((file) => {
      const key = publicKey(file);
      if (key?.asymmetricKeyType === 'ed25519') return key;
      throw new UpgradeRefused(`${file} is no ed25519 public key: remove it`, FAULTS.upgradeUntrusted.code);
    });
}

function safe(path: string): boolean {
  const { uid, mode } = statSync(path);
  if ((uid === 0 || uid === process.getuid?.()) && (mode & 0o022) === 0) return true;
  const why = `${path} can be written by others than root: chown root, chmod go-w, and look who wrote it`;
  throw new UpgradeRefused(why, FAULTS.upgradeUntrusted.code);
}

function publicKey(file: string): KeyObject | undefined {
  try {
    return createPublicKey(readFileSync(file));
  } catch {
    return undefined;
  }
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw unfit('its manifest.json cannot be read');
  }
}

const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
