// Files of a folder in one order on every machine, and how they are measured.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

/** @returns paths below `folder` with slashes, sorted by their bytes */
export function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

export const digest = (algorithm, bytes) => createHash(algorithm).update(bytes).digest('hex');

export const isExecutable = (file) => (statSync(file).mode & 0o100) !== 0;

/** One line of a release's manifest. */
export function described(folder, path) {
  const file = join(folder, path);
  const bytes = readFileSync(file);
  return { path, size: bytes.length, sha256: digest('sha256', bytes), executable: isExecutable(file) };
}
