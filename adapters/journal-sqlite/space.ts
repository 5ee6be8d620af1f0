// How much room the journal takes, and how much it may take: what site.yaml allows, or less where the file system is filling up.
import { statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Connection } from './database.js';
import type { Space } from './protocol.js';

/** Left free on the file system for everything else on the box, as long as there is something to shed: the smaller of the two. */
const KEPT_FREE_BYTES = 100_000_000;
const KEPT_FREE_SHARE = 0.05;
/** What is left of that when the journal refuses: a log, a lock file and a login still fit. */
const LAST_RESORT = 0.1;

/**
 * @param sizeLimit bytes
 * @throws Error when the file or its file system cannot be looked at
 */
export function measure(db: Connection, file: string, sizeLimit: number): Space {
  const pageSize = Number(db.pragma('page_size', { simple: true }));
  const pages = Number(db.pragma('page_count', { simple: true }));
  const unused = Number(db.pragma('freelist_count', { simple: true }));
  const log = statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  const { bsize, blocks, bavail } = statfsSync(dirname(file));
  const free = bavail * bsize;
  const kept = Math.min(KEPT_FREE_BYTES, blocks * bsize * KEPT_FREE_SHARE);
  const size = pages * pageSize;
  // Where nothing may be added to the file, what it holds already is the limit: freed pages are used again.
  const most = (left: number): number => Math.min(sizeLimit, size + Math.max(0, free - left));
  const used = (pages - unused) * pageSize;
  return { size: size + log, used, limit: most(kept), full: used >= most(kept * LAST_RESORT), free };
}

/** Tells one file from another that was put in its place. */
export function identityOf(file: string): string | undefined {
  const found = statSync(file, { throwIfNoEntry: false });
  return found && `${found.dev}:${found.ino}`;
}
