// Runs a command of a release as the user that owns the site's journal.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';

export interface Ran {
  readonly ok: boolean;
  /** What it wrote, or why it did not run. */
  readonly text: string;
}

/** Milliseconds: a large journal on a slow card. */
const PATIENCE = 15 * 60_000;

/** @param owned whose owner it runs as, where we are root */
export function runRelease(folder: string, args: readonly string[], owned: string): Ran {
  const owner = process.getuid?.() === 0 && existsSync(owned) ? statSync(owned) : undefined;
  const { status, error, stdout, stderr } = spawnSync(join(folder, 'bin/forecourt'), args, {
    encoding: 'utf8',
    timeout: PATIENCE,
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(owner && { uid: owner.uid, gid: owner.gid }),
  });
  const text = [stdout, stderr, error?.message].filter((part) => part !== undefined && part !== '').join('');
  return { ok: status === 0, text: text.trim() };
}
