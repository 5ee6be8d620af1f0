// Changes of the file system that are on the disk, and not merely with the kernel, when they return.
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** @throws Error of the file system */
export function sync(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** The file holds the old text or the new one, whatever happens meanwhile. */
export function writeDurably(path: string, text: string): void {
  const next = `${path}.new`;
  writeFileSync(next, text);
  sync(next);
  renameDurably(next, path);
}

export function renameDurably(from: string, to: string): void {
  renameSync(from, to);
  sync(dirname(to));
}

/** The link leads to the old place or to the new one, whatever happens meanwhile. */
export function linkDurably(path: string, target: string): void {
  if (linkTarget(path) === target) return;
  const next = `${path}.new`;
  rmSync(next, { force: true });
  symlinkSync(target, next);
  renameDurably(next, path);
}

/** A file, a link or a folder; one that is not there is gone. */
export function removeDurably(path: string): void {
  if (!existsSync(path) && linkTarget(path) === undefined) return;
  rmSync(path, { recursive: true, force: true });
  sync(dirname(path));
}

/** Undefined: there is no such link. */
export function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
