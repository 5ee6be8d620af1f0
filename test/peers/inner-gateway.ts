// The composed gateway inside the test, over real sockets and a real disk, whose clock can leap ahead of the wall.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { composeGateway, type RunningGateway } from '../../gateway/compose.js';
import { milliseconds } from '../../gateway/kernel/units.js';
import type { Log } from '../../gateway/kernel/log.js';
import { openShelf } from '../../site-config/devices/shelf.js';
import { loadSite } from '../../site-config/loader.js';
import { FakeClock } from '../fakes/fake-clock.js';
import { knowing } from '../fakes/fake-machine.js';
import type { Changes } from './changes.js';
import type { GatewayProcess, LogLine } from './gateway-process.js';

/** How often the gateway's clock catches up with the wall. */
const TICK_MS = 5;
/** No longer than any time in which a peer has to show a sign of life, at the default MessageTimeout. */
const STRIDE = milliseconds(9000);

/** Goes with the wall, and leaps when it is told to. */
export class LeapingClock extends FakeClock {
  #running: NodeJS.Timeout | undefined;
  #last = 0;

  constructor() {
    super(Date.now());
  }

  start(): void {
    this.#last = performance.now();
    this.#running ??= setInterval(() => {
      // Whole milliseconds: of fractions a timer may leave a rest that no addition can ever make up.
      const passed = Math.floor(performance.now() - this.#last);
      this.advanceSync(passed);
      this.#last += passed;
    }, TICK_MS);
  }

  stop(): void {
    clearInterval(this.#running);
    this.#running = undefined;
  }

  /** @param signsOfLife runs every few seconds of the leap, for peers that would be given up otherwise */
  async stride(ms: number, signsOfLife: () => Promise<unknown>): Promise<void> {
    for (let left = ms; left > 0; left -= STRIDE) {
      await this.advance(Math.min(left, STRIDE));
      await signsOfLife();
    }
  }
}

/**
 * As `startGateway`, in this process and with this clock. It cannot be killed.
 * @throws Error when site.yaml has faults or the gateway does not start
 */
export async function startInnerGateway(yaml: string, clock: LeapingClock, changes: Changes): Promise<GatewayProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'forecourt-'));
  const file = join(folder, 'site.yaml');
  const dataDirectory = join(folder, 'data');
  writeFileSync(file, `data-directory: ${dataDirectory}\nconsole: { listen: none }\n${yaml}`);
  const devices = openShelf();
  const loaded = loadSite(file, { devices, env: {} });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
  const { site } = loaded.value;
  const lines: LogLine[] = [];
  const at =
    (level: number): Log['info'] =>
    (fields, msg) => {
      lines.push({ ...fields, level, msg });
      changes.happened();
    };
  const log: Log = { debug: at(20), info: at(30), warn: at(40), error: at(50) };
  let running: RunningGateway | undefined;
  const gateway: GatewayProcess = {
    dataDirectory,
    file,
    pid: undefined,
    exits: [],
    lines,
    stderr: '',
    get running() {
      return running !== undefined;
    },
    kill: () => Promise.reject(new Error('a gateway in this process cannot be killed')),
    async stop() {
      const stopping = running;
      running = undefined;
      await stopping?.stop();
      clock.stop();
    },
    async start() {
      clock.start();
      running = await composeGateway(site, devices, clock, knowing(clock), log, '0.0.0');
    },
    async restart() {
      await gateway.stop();
      await gateway.start();
    },
    async remove() {
      await gateway.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await gateway.start();
  return gateway;
}
