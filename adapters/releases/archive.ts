// Reads the file of an upgrade, once and from its beginning: nothing is written before its manifest has been verified, and
// nothing but what the manifest lists.
import { createHash, type KeyObject } from 'node:crypto';
import { closeSync, createReadStream, fsyncSync, mkdirSync, openSync, readdirSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { extract, type Entry } from 'tar-stream';
import { FAULTS } from '../../gateway/kernel/faults.js';
import { UpgradeRefused } from '../../gateway/ports/installation.js';
import { removeDurably, renameDurably, sync } from './durable.js';
import { readManifest, verifyManifest, type ListedFile, type Manifest } from './manifest.js';

/** Bytes of the manifest and its signature. */
const MOST_BEFORE = 8 * 1024 * 1024;
/** Bytes of a tar that are not of a file, for each file. */
const BESIDE_A_FILE = 4096;

const damaged = (why: string): UpgradeRefused => new UpgradeRefused(why, FAULTS.upgradeUnfit.code);

/**
 * @param accept decides on the verified manifest: it answers with the folder that the release becomes, or throws
 * @returns when everything is on the disk
 * @throws UpgradeRefused; what was unpacked is gone then
 */
export async function unpack(
  file: string,
  keys: readonly KeyObject[],
  accept: (manifest: Manifest) => string,
): Promise<Manifest> {
  let most = MOST_BEFORE;
  let partial: string | undefined;
  try {
    const entries = readEntries(file, () => most);
    const manifest = await readHead(entries, keys);
    const folder = accept(manifest);
    most += [...manifest.files.values()].reduce((sum, { size }) => sum + size + BESIDE_A_FILE, 0);
    partial = `${folder}.partial`;
    removeDurably(partial);
    mkdirSync(partial);
    await writeFiles(entries, manifest, partial);
    syncFolders(partial);
    renameDurably(partial, folder);
    return manifest;
  } catch (err) {
    if (partial !== undefined) removeDurably(partial);
    if (err instanceof UpgradeRefused) throw err;
    throw damaged(`${file} cannot be read: ${err instanceof Error ? err.message : String(err)}`);
  }
}

async function readHead(entries: AsyncIterator<Entry>, keys: readonly KeyObject[]): Promise<Manifest> {
  const manifest = await readWhole(entries, 'manifest.json');
  const signature = await readWhole(entries, 'manifest.sig');
  verifyManifest(manifest, signature, keys);
  return readManifest(manifest);
}

async function writeFiles(entries: AsyncIterator<Entry>, { files }: Manifest, folder: string): Promise<void> {
  const missing = new Map(files);
  for (let next = await entries.next(); next.done !== true; next = await entries.next()) {
    const path = inside(next.value);
    const listed = missing.get(path);
    if (listed === undefined || next.value.header.type !== 'file')
      throw damaged(`it holds ${path}, which its manifest.json does not list`);
    missing.delete(path);
    await writeFile(next.value, path, join(folder, path), listed);
  }
  const [first] = missing.keys();
  if (first !== undefined) throw damaged(`it is cut off: ${first} is missing`);
}

async function writeFile(
  entry: Entry,
  name: string,
  path: string,
  { size, sha256, executable }: ListedFile,
): Promise<void> {
  if (entry.header.size !== size) throw damaged(`${name} has another size than its manifest.json says`);
  mkdirSync(dirname(path), { recursive: true });
  const hash = createHash('sha256');
  const handle = openSync(path, 'wx', executable ? 0o755 : 0o644);
  try {
    for await (const chunk of entry as AsyncIterable<Buffer>) {
      hash.update(chunk);
      writeSync(handle, chunk);
    }
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  if (hash.digest('hex') !== sha256) throw damaged(`${name} is not what its manifest.json lists: the file is damaged`);
}

/** The whole of an entry that must come now. */
async function readWhole(entries: AsyncIterator<Entry>, name: string): Promise<Buffer> {
  const next = await entries.next();
  if (next.done === true || inside(next.value) !== name)
    // A release that nobody has signed is refused for that.
    return name === 'manifest.sig' ? Buffer.alloc(0) : Promise.reject(damaged('it is no release of Forecourt'));
  const chunks: Buffer[] = [];
  for await (const chunk of next.value as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A tarball has one folder at its top. */
const inside = ({ header }: Entry): string => header.name.replace(/^[^/]*\//, '');

/** @param most how many unpacked bytes are read, as far as is known */
function readEntries(file: string, most: () => number): AsyncIterator<Entry> {
  const entries = extract();
  const source = createReadStream(file);
  const unzipped = createGunzip();
  const bounded = Readable.from(within(unzipped, most));
  const broken = (err: Error): void => void entries.destroy(err);
  // What is wrong with the packing comes out of `bounded`.
  for (const stream of [source, bounded]) stream.on('error', broken);
  unzipped.on('error', () => source.destroy());
  source.pipe(unzipped);
  bounded.pipe(entries);
  return entries[Symbol.asyncIterator]();
}

/** A few bytes may unpack to more than any disk holds. */
async function* within(chunks: AsyncIterable<Buffer>, most: () => number): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > most()) throw damaged('it unpacks to more than its manifest.json lists');
    yield chunk;
  }
}

function syncFolders(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) syncFolders(join(folder, entry.name));
  sync(folder);
}
