// What Linux tells of the machine: which boot this is, and whether a time server has set the clock.
import { readFileSync, statSync } from 'node:fs';
import { timestamp } from './kernel/units.js';
import type { Machine } from './ports/machine.js';

/** Set with each release: no gateway of this release runs before. */
const RELEASED = timestamp(Date.UTC(2026, 10, 23));

const BOOT_ID = '/proc/sys/kernel/random/boot_id';
/** Touched by systemd-timesyncd whenever it has set the clock (systemd-timesyncd.service(8)); gone with the boot. */
const SYNCHRONISED = '/run/systemd/timesync/synchronized';

export function systemMachine(): Machine {
  return {
    boot: told(() => readFileSync(BOOT_ID, 'utf8').trim()),
    released: RELEASED,
    lastSynchronised: () =>
      told(() => {
        // Asked once a second: a file that is not there is the usual case on many boxes, and no reason to throw.
        const file = statSync(SYNCHRONISED, { throwIfNoEntry: false });
        return file && timestamp(Math.floor(file.mtimeMs));
      }),
  };
}

/** Undefined where the system does not tell: another system, another time server, a container that may not look. */
function told<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
