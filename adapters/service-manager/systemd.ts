// systemd's notification protocol (sd_notify(3)), spoken by systemd-notify: Node opens no datagram sockets of the unix family.
import { spawn, type ChildProcess } from 'node:child_process';
import { milliseconds } from '../../gateway/kernel/units.js';
import type { Log } from '../../gateway/kernel/log.js';
import type { ServiceManager, ServiceWord } from '../../gateway/ports/service-manager.js';

const PROGRAM = 'systemd-notify';
/** Milliseconds that it may wait until the service manager has taken a word. */
const WITHIN = 5_000;
/** Words on their way at a time; a box on which they pile up has other troubles. */
const MOST_UNDER_WAY = 4;

const VARIABLES: Readonly<Record<ServiceWord['state'], readonly string[]>> = {
  ready: ['READY=1'],
  alive: ['WATCHDOG=1'],
  stopping: ['STOPPING=1'],
  told: [],
};

export interface ServiceEnvironment {
  readonly NOTIFY_SOCKET?: string | undefined;
  /** Microseconds. */
  readonly WATCHDOG_USEC?: string | undefined;
  /** The process that is watched, where it is not this one. */
  readonly WATCHDOG_PID?: string | undefined;
}

/** The service manager that the environment names; without one every word is for nobody. */
export function serviceManager(env: ServiceEnvironment, pid: number, log: Log): ServiceManager {
  if (env.NOTIFY_SOCKET === undefined || env.NOTIFY_SOCKET === '') return { notify: () => undefined };
  const watched = env.WATCHDOG_PID === undefined || Number(env.WATCHDOG_PID) === pid;
  const microseconds = Number(env.WATCHDOG_USEC ?? 0);
  const underWay = new Set<ChildProcess>();
  let failing = false;
  const failed = (err: unknown): void => {
    if (!failing) log.warn({ err }, 'the service manager could not be told how the gateway does');
    failing = true;
  };
  return {
    ...(watched && microseconds > 0 && { watchdog: milliseconds(microseconds / 1000) }),
    notify({ state, status }) {
      if (underWay.size >= MOST_UNDER_WAY) return;
      // Without --no-block: it ends when its word has been taken. systemd finds out by the sender's process whose word it is,
      // and a sender that is gone already is nobody's.
      const child = spawn(PROGRAM, [...VARIABLES[state], `STATUS=${status.replaceAll(/[\r\n]+/g, ' ')}`], {
        stdio: 'ignore',
        timeout: WITHIN,
      });
      underWay.add(child);
      child.once('error', (err) => {
        underWay.delete(child);
        failed(err);
      });
      child.once('exit', (code, signal) => {
        underWay.delete(child);
        if (code === 0) failing = false;
        else failed(new Error(`${PROGRAM} ended with ${signal ?? String(code)}`));
      });
    },
  };
}
