// What is measured: the gateway and its baselines, each started as a process of its own with the CSMSs that it needs.
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { benchSite } from './site.js';

export interface Counted {
  readonly calls: number;
  readonly values: number;
  readonly unreadable: number;
}

export interface Running {
  readonly port: number;
  readonly pid: number;
  /** What the CSMSs have been sent until now, all together. */
  counted(): Promise<Counted>;
  stop(): Promise<void>;
}

export interface Subject {
  readonly name: string;
  readonly about: string;
  /** False: its values name a transaction that nobody has given. */
  readonly knownTransaction: boolean;
  start(chargers: number): Promise<Running>;
}

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

const exited = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once('exit', () => resolve());
  });

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  child.kill(signal);
  const impatient = setTimeout(() => child.kill('SIGKILL'), 5000);
  await exited(child);
  clearTimeout(impatient);
}

/** The next message of a child; rejects when it ends before. */
export function messageOf<Message>(child: ChildProcess): Promise<Message> {
  return new Promise((resolve, reject) => {
    const gone = (code: number | null): void => reject(new Error(`${child.spawnargs.join(' ')} ended with ${code}`));
    child.once('exit', gone);
    child.once('message', (message) => {
      child.off('exit', gone);
      resolve(message as Message);
    });
  });
}

/** Starts a program of the bench that tells its port when it listens. */
async function listening(name: string, args: readonly string[]): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(file(name), args);
  const { port } = await messageOf<{ port: number }>(child);
  return { child, port };
}

async function sinks(count: number, args: readonly string[]) {
  const started = await Promise.all(Array.from({ length: count }, () => listening('./sink.js', args)));
  return {
    ports: started.map(({ port }) => port),
    counted: async (): Promise<Counted> => {
      const total = { calls: 0, values: 0, unreadable: 0 };
      for (const { child } of started) {
        const answer = messageOf<Counted>(child);
        child.send('count');
        const { calls, values, unreadable } = await answer;
        total.calls += calls;
        total.values += values;
        total.unreadable += unreadable;
      }
      return total;
    },
    stop: async () => {
      await Promise.all(started.map(({ child }) => end(child, 'SIGTERM')));
    },
  };
}

/** A baseline of test/bench/peers between the load and one CSMS. */
function baseline(name: string, about: string): Subject {
  return {
    name,
    about,
    knownTransaction: true,
    async start() {
      const csms = await sinks(1, []);
      const folder = mkdtempSync(join(tmpdir(), 'forecourt-bench-'));
      const { child, port } = await listening(`./peers/${name}.js`, [String(csms.ports[0]), folder]);
      return {
        port,
        pid: child.pid ?? 0,
        counted: csms.counted,
        stop: async () => {
          await end(child, 'SIGTERM');
          await csms.stop();
          rmSync(folder, { recursive: true, force: true });
        },
      };
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

interface GatewayOptions {
  readonly name: string;
  readonly about: string;
  readonly knownTransaction?: boolean;
  /** Seconds; what both CSMSs set as their sampling interval, the gateway's own default unless given. */
  readonly interval?: number;
  /** For the profiler; kept with its output in this folder. */
  readonly profile?: string;
}

/** The whole gateway: `forecourt run` on a generated site with two CSMSs and its journal on disk. */
export function gateway({ name, about, knownTransaction = true, interval, profile }: GatewayOptions): Subject {
  return {
    name,
    about,
    knownTransaction,
    async start(chargers) {
      const csms = await sinks(2, interval === undefined ? [] : ['--interval', String(interval)]);
      const [authority = 0, observer = 0] = csms.ports;
      const folder = mkdtempSync(join(tmpdir(), 'forecourt-bench-'));
      const port = await freePort();
      const site = join(folder, 'site.yaml');
      writeFileSync(site, benchSite({ chargers, port, authority, observer, dataDirectory: join(folder, 'data') }));
      const flags = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
      const child = spawn(
        process.execPath,
        [...flags, file('../../bundle/forecourt.js'), 'run', '--log-level', 'error', site],
        { stdio: ['ignore', 'inherit', 'ignore'] },
      );
      await opened(child, port);
      return {
        port,
        pid: child.pid ?? 0,
        counted: csms.counted,
        stop: async () => {
          await end(child, 'SIGTERM');
          await csms.stop();
          rmSync(folder, { recursive: true, force: true });
        },
      };
    },
  };
}

/** Waits until a process listens on a port, and a moment longer so that its CSMSs have accepted it. */
async function opened(child: ChildProcess, port: number): Promise<void> {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  for (let tries = 0; tries < 600; tries++) {
    if (child.exitCode !== null) throw new Error(`the gateway ended with ${child.exitCode}`);
    // In the kernel's table of sockets 0A is LISTEN; dialling would count as a refused charger.
    if (new RegExp(`:${hex} 00000000:0000 0A`).test(readFileSync('/proc/net/tcp', 'latin1'))) {
      await new Promise((resolve) => setTimeout(resolve, 700));
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the gateway does not listen');
}

export const baselines: readonly Subject[] = [
  baseline('floor', 'many chargers on one upstream WebSocket: parse, validate, sync to disk before the CALL goes up'),
  baseline('pipe', 'one upstream WebSocket a charger: parse, validate, pass on; nothing kept'),
  baseline('ocpp-rpc', 'ocpp-rpc 2.2.1 in strict mode as a proxy; nothing kept'),
];
