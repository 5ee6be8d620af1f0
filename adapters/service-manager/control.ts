// Stops and starts the gateway's service, and starts the one that carries an upgrade out: under systemd, OpenWrt's procd, or
// whatever a program of the installation's own does.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { ServiceControl } from '../../gateway/ports/installation.js';

type Command = readonly [string, ...string[]];

interface Commands {
  readonly stop: Command;
  readonly start: Command;
  /** Starts `forecourt upgrade --continue`, apart from whoever asks for it. */
  readonly carryOut: Command;
}

/** Milliseconds: the gateway ends within 20 s. */
const PATIENCE = 60_000;

const SYSTEMD: Commands = {
  stop: ['systemctl', 'stop', 'forecourt.service'],
  start: ['systemctl', 'start', '--no-block', 'forecourt.service'],
  carryOut: ['systemctl', 'start', '--no-block', 'forecourt-upgrade.service'],
};
const PROCD: Commands = {
  stop: ['/etc/init.d/forecourt', 'stop'],
  start: ['/etc/init.d/forecourt', 'start'],
  carryOut: ['/etc/init.d/forecourt-upgrade', 'start'],
};

export interface UpgradableService extends ServiceControl {
  carryOut(): Promise<void>;
}

/**
 * @param own a program with the arguments `stop`, `start` and `carry-out`, which goes before what the machine has
 * @returns undefined: nobody here starts the gateway, as in a container
 */
export function serviceControl(own: string): UpgradableService | undefined {
  const commands = choose(own);
  if (commands === undefined) return undefined;
  return { stop: () => run(commands.stop), start: () => run(commands.start), carryOut: () => run(commands.carryOut) };
}

function choose(own: string): Commands | undefined {
  if (existsSync(own)) return { stop: [own, 'stop'], start: [own, 'start'], carryOut: [own, 'carry-out'] };
  if (existsSync('/run/systemd/system')) return SYSTEMD;
  return existsSync('/sbin/procd') && existsSync('/etc/init.d/forecourt') ? PROCD : undefined;
}

function run([program, ...args]: Command): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { timeout: PATIENCE }, (err, stdout, stderr) => {
      if (err === null) resolve();
      else
        reject(new Error(`${[program, ...args].join(' ')} failed: ${stderr.trim() || stdout.trim() || err.message}`));
    });
  });
}
