// What a test needs of the machine to spoil a disk, and why it cannot have it: the reason is what a skipped test says.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

const run = (command: string, ...args: readonly string[]): void => {
  execFileSync(command, args, { stdio: 'pipe' });
};

/** False: strace is there and may trace. */
export const cannotTrace = ((): string | false => {
  const { error, status } = spawnSync('strace', ['-qq', '-o', '/dev/null', '-e', 'trace=none', 'true'], {
    stdio: 'pipe',
  });
  if (error !== undefined) return 'needs strace (on Debian: apt install strace)';
  return status !== 0 && 'strace may not trace here (ptrace is refused)';
})();

/** False: file systems can be mounted. */
export const cannotMount = ((): string | false => {
  const folder = mkdtempSync(join(tmpdir(), 'forecourt-mount-'));
  try {
    run('mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder);
    run('umount', folder);
    return false;
  } catch {
    return 'needs to mount a file system (root)';
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
})();

/** False: file systems in files can be made, broken and mounted. */
export const cannotBreak = ((): string | false => {
  if (cannotMount !== false) return cannotMount;
  const needed = [
    ['losetup', '--find'],
    ['mkfs.ext4', '-V'],
    ['fsck.ext4', '-V'],
  ] as const;
  const missing = needed.find(([command, option]) => spawnSync(command, [option], { stdio: 'pipe' }).status !== 0);
  return missing !== undefined && `needs loop devices and ext4 (${missing[0]} fails)`;
})();

/** A small file system of its own in memory. */
export function smallDisk(t: Test, megabytes: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'forecourt-disk-'));
  run('mount', '-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder);
  t.teardown(() => {
    run('umount', '-l', folder);
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** An ext4 file system in a file, that can be broken and mounted anew. */
export function brittleDisk(t: Test): { readonly folder: string; breakDown(): void; mountAnew(): void } {
  const place = mkdtempSync(join(tmpdir(), 'forecourt-loop-'));
  const image = join(place, 'image');
  const folder = join(place, 'disk');
  mkdirSync(folder);
  const devices: string[] = [];
  const mount = (): void => {
    const device = execFileSync('losetup', ['--find', '--show', image], { stdio: 'pipe' }).toString().trim();
    devices.push(device);
    run('mount', '-o', 'errors=remount-ro', device, folder);
  };
  t.teardown(() => {
    spawnSync('umount', ['-l', folder]);
    for (const device of devices) spawnSync('losetup', ['--detach', device]);
    rmSync(place, { recursive: true, force: true });
  });
  run('truncate', '--size=32M', image);
  run('mkfs.ext4', '-q', '-F', image);
  mount();
  return {
    folder,
    breakDown() {
      const device = devices.at(-1)?.replace('/dev/', '') ?? '';
      run('sh', '-c', `echo 1 > /sys/fs/ext4/${device}/trigger_fs_error`);
    },
    mountAnew() {
      run('umount', '-l', folder);
      spawnSync('fsck.ext4', ['-y', image]);
      mount();
    },
  };
}
