// A real Mosquitto for one test, with one user.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { freePort } from './free-port.js';
import { isListening } from './listening.js';

const MOSQUITTO = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/opt/homebrew/sbin/mosquitto'].find(existsSync);
/** Why a test has to be left out; false where it need not. */
export const needsMosquitto = MOSQUITTO === undefined ? 'needs Mosquitto (on Debian: apt install mosquitto)' : false;
export const BROKER_USER = { username: 'site', password: 'right' };

export interface Broker {
  readonly url: string;
  start(): Promise<void>;
  kill(): Promise<void>;
}

/** Mosquitto with one user; what it retains is gone when it is killed, as on a broker that was set up anew. */
export async function mosquitto(t: Test): Promise<Broker> {
  const port = await freePort();
  const directory = t.testdir({
    passwords: `${BROKER_USER.username}:${BROKER_USER.password}\n`,
    'broker.conf': `listener ${port} 127.0.0.1\nallow_anonymous false\nlog_dest none\npersistence false\n`,
  });
  const passwords = join(directory, 'passwords');
  spawnSync('mosquitto_passwd', ['-U', passwords]);
  // As root it would become another user, who may not read the folder of a test.
  appendFileSync(join(directory, 'broker.conf'), `password_file ${passwords}\nuser root\n`);
  let child: ChildProcess | undefined;
  const kill = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  t.teardown(kill);
  return {
    url: `mqtt://127.0.0.1:${port}`,
    kill,
    async start() {
      child = spawn(MOSQUITTO ?? '', ['-c', join(directory, 'broker.conf')], { stdio: 'ignore' });
      while (!(await isListening(port)));
    },
  };
}
