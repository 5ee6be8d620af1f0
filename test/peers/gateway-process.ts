// The real gateway as a child process: started from a site.yaml, killed, stopped and started again.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Changes } from './changes.js';

const MAIN = fileURLToPath(new URL('../../bundle/forecourt.js', import.meta.url));
const WITHOUT_CLOCK = fileURLToPath(new URL('box-without-clock.js', import.meta.url));
/** A process that starts on a busy machine: SQLite, the validators of two OCPP versions. */
const START_PATIENCE_MS = 60_000;

export interface GatewayOptions {
  /** Kept when the gateway is removed, if it was given; a folder of its own otherwise. */
  readonly dataDirectory?: string;
  /** Woken by every line of the log. */
  readonly changes?: Changes;
  readonly logLevel?: 'debug' | 'info' | 'warn' | 'error';
  readonly env?: Readonly<Record<string, string>>;
  /** Told of each line of the log at once. */
  readonly heard?: (line: LogLine) => void;
  /** The clock of its box begins in 1970 with each boot, and nobody sets it. */
  readonly withoutClock?: boolean;
  /** Where its console listens; without a port it has none, so that gateways of one machine do not fight for the default. */
  readonly consolePort?: number;
}

export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface GatewayProcess {
  /** Where its journal is. */
  readonly dataDirectory: string;
  /** Its site.yaml. */
  readonly file: string;
  /** Every log line of this and earlier runs. */
  readonly lines: readonly LogLine[];
  /** What it said on stderr: faults of site.yaml, crashes. */
  readonly stderr: string;
  readonly running: boolean;
  /** Of the running process. */
  readonly pid: number | undefined;
  /** How each run ended: an exit code or a signal. */
  readonly exits: readonly string[];
  /** SIGKILL: no chance to write anything. */
  kill(): Promise<void>;
  /** SIGTERM and the exit in order; once it has ended so, nothing. @throws Error when the exit code is not 0 */
  stop(): Promise<void>;
  /** Starts it again on the same data. */
  start(): Promise<void>;
  /** `stop` and `start`. */
  restart(): Promise<void>;
  /** Ends it and removes its folder. */
  remove(): Promise<void>;
}

/**
 * @param yaml a site.yaml; its ports must be free, and without `data-directory` (see `options.dataDirectory`)
 * @throws Error with the gateway's own words when it does not start
 */
export async function startGateway(yaml: string, options: GatewayOptions = {}): Promise<GatewayProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'forecourt-'));
  const file = join(folder, 'site.yaml');
  const dataDirectory = options.dataDirectory ?? join(folder, 'data');
  const listen = options.consolePort === undefined ? 'none' : `127.0.0.1:${options.consolePort}`;
  writeFileSync(file, `data-directory: ${dataDirectory}\nconsole: { listen: '${listen}' }\n${yaml}`);
  const gateway = new ChildGateway(file, folder, dataDirectory, options);
  await gateway.start();
  return gateway;
}

class ChildGateway implements GatewayProcess {
  readonly lines: LogLine[] = [];
  readonly exits: string[] = [];
  stderr = '';
  readonly file: string;
  readonly #folder: string;
  readonly #options: GatewayOptions;
  readonly #changes: Changes;
  #child: ChildProcess | undefined;
  #exited: Promise<string> = Promise.resolve('');
  #stopping: Promise<void> | undefined;

  constructor(
    file: string,
    folder: string,
    readonly dataDirectory: string,
    options: GatewayOptions,
  ) {
    this.file = file;
    this.#folder = folder;
    this.#options = options;
    this.#changes = options.changes ?? new Changes();
  }

  get running(): boolean {
    return this.#child !== undefined;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async start(): Promise<void> {
    if (this.#child !== undefined) throw new Error('the gateway runs already');
    const level = this.#options.logLevel ?? 'info';
    const program = this.#options.withoutClock === true ? WITHOUT_CLOCK : MAIN;
    const child = spawn(process.execPath, [program, 'run', '--log-level', level, this.file], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...this.#options.env },
    });
    this.#child = child;
    this.#stopping = undefined;
    const from = this.lines.length;
    let rest = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const parts = `${rest}${text}`.split('\n');
      rest = parts.pop() ?? '';
      for (const part of parts) this.#line(part);
      this.#changes.happened();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.#exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        if (this.#child === child) this.#child = undefined;
        this.exits.push(signal ?? String(code));
        resolve(signal ?? String(code));
        this.#changes.happened();
      });
    });
    const state = await this.#changes.until(
      'the gateway to be up',
      () => {
        if (this.#child !== child) return 'gone';
        return this.lines.slice(from).some(({ msg }) => msg === 'gateway is up') && 'up';
      },
      START_PATIENCE_MS,
    );
    if (state === 'gone') throw new Error(`the gateway did not start:\n${this.stderr}${this.#tail()}`);
  }

  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#exited;
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    if (this.#child === undefined) throw new Error(`the gateway had ended by itself:\n${this.stderr}${this.#tail()}`);
    this.#child.kill('SIGTERM');
    const how = await this.#exited;
    if (how !== '0') throw new Error(`the gateway ended with ${how}:\n${this.stderr}${this.#tail()}`);
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #line(text: string): void {
    try {
      const line = JSON.parse(text) as LogLine;
      this.lines.push(line);
      this.#options.heard?.(line);
    } catch {
      this.stderr += `not a log line: ${text}\n`;
    }
  }

  #tail(): string {
    return this.lines
      .slice(-15)
      .map((line) => JSON.stringify(line))
      .join('\n');
  }
}
