// A machine that loses its power at the n-th change of its disk: that change is made half, and none after it.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';

export class PowerCut extends Error {}

const CHANGES = [
  'renameSync',
  'symlinkSync',
  'rmSync',
  'writeFileSync',
  'appendFileSync',
  'mkdirSync',
  'copyFileSync',
] as const;

/** What is left of a change that is not one for the disk. */
const half: Partial<Record<(typeof CHANGES)[number], (...args: readonly unknown[]) => void>> = {
  writeFileSync: (path, text) => originals.writeFileSync(String(path), String(text).slice(0, String(text).length / 2)),
  copyFileSync: (_, to) => originals.writeFileSync(String(to), 'half'),
  rmSync: (path) => {
    const folder = String(path);
    if (!fs.lstatSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
    const [first] = fs.readdirSync(folder);
    if (first !== undefined) originals.rmSync(join(folder, first), { recursive: true });
  },
};
const { renameSync, symlinkSync, rmSync, writeFileSync, appendFileSync, mkdirSync, copyFileSync, fsyncSync } = fs;
const originals = {
  renameSync,
  symlinkSync,
  rmSync,
  writeFileSync,
  appendFileSync,
  mkdirSync,
  copyFileSync,
  fsyncSync,
};

/**
 * Runs `work`, and cuts the power at its n-th change.
 * @returns whether there was a cut: false when the work had fewer changes
 */
export async function withPowerCut(n: number, work: () => Promise<unknown>): Promise<boolean> {
  let changes = 0;
  for (const name of CHANGES)
    Object.assign(fs, {
      [name]: (...args: readonly never[]): unknown => {
        changes++;
        if (changes === n) half[name]?.(...args);
        if (changes >= n) throw new PowerCut(`at change ${n}, ${name} ${args.join(' ')}`);
        return (originals[name] as (...args: readonly never[]) => unknown)(...args);
      },
    });
  // What a disk does with them cannot be seen here, and they take most of the time.
  Object.assign(fs, { fsyncSync: () => undefined });
  syncBuiltinESMExports();
  try {
    await work();
    return changes >= n;
  } catch (err) {
    if (err instanceof PowerCut || changes >= n) return true;
    throw err;
  } finally {
    Object.assign(fs, originals);
    syncBuiltinESMExports();
  }
}
