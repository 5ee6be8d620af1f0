// A busy site whose gateway is killed again and again: nine chargers, two clouds, and whoever has the axe.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { openJournal } from '../../../adapters/journal-sqlite/journal.js';
import { systemClock } from '../../../gateway/system-clock.js';
import { seededRandom } from '../../../simulation/random.js';
import { Changes } from '../../peers/changes.js';
import { recordingLog } from '../../fakes/recording-log.js';
import { freePort } from '../../peers/free-port.js';
import { startGateway, type GatewayProcess } from '../../peers/gateway-process.js';
import type { OcppVersion } from '../../peers/wire-record.js';
import { crashSite } from '../crash-site.js';
import { Cloud } from './cloud.js';
import { LoadCharger } from './load-charger.js';
import type { Visit } from './visit.js';
import { Wallbox } from './wallbox.js';

/** EVSEs of the OCPP chargers: two have two on one socket, and every other one speaks 1.6. */
const EVSES = [[1], [2], [3], [4], [5, 6], [7, 8], [9], [10]] as const;
const WALLBOX_EVSE = 11;
/** So many entries the gateway keeps in any case: with them on disk from the beginning, every checkpoint trims. */
const KEPT_ENTRIES = 10_000;
/** Milliseconds for what has to come about on a slow machine once nobody is killed any more. */
const PATIENCE = 60_000;

export class LoadWorld {
  readonly visits: Visit[] = [];
  /** When and why the gateway was killed: milliseconds since 1970. */
  readonly kills: { readonly at: number; readonly why: string }[] = [];
  /** Milliseconds from the start of a process to the first charger that it served. */
  readonly restarts: number[] = [];
  readonly chargers: readonly LoadCharger[];
  readonly database: string;
  readonly #wallbox: Wallbox;
  #gateway: GatewayProcess | undefined;
  #up: Promise<void> = Promise.resolve();
  #launchedAt: number | undefined;
  #trap: ((point: string) => void) | undefined;
  #remoteStarts = 0;
  #visiting: Promise<unknown> = Promise.resolve();

  private constructor(
    readonly changes: Changes,
    readonly clouds: readonly [authority: Cloud, observer: Cloud],
    wallbox: Wallbox,
    readonly port: number,
    readonly folder: string,
    seed: number,
    point: { happened: (name: string) => void },
  ) {
    this.database = join(folder, 'journal.db');
    this.#wallbox = wallbox;
    point.happened = (name) => this.#trap?.(name);
    this.chargers = EVSES.map(
      (evses, index) =>
        new LoadCharger({
          identity: `CP${index + 1}`,
          version: index % 2 === 0 ? 'ocpp1.6' : 'ocpp2.0.1',
          port,
          evses,
          random: seededRandom(seed * 1000 + index),
          changes,
          visits: this.visits,
          gatewayUp: () => this.#up,
          point: point.happened,
          served: () => this.#served(),
          remoteStart: (evse, token) => this.#quietly(clouds[0].remoteStart(evse, token, ++this.#remoteStarts)),
          remoteStop: (token) => this.#quietly(clouds[0].remoteStop(token)),
        }),
    );
  }

  /** @param seed also decides which cloud is the authority */
  static async open(seed: number): Promise<LoadWorld> {
    const changes = new Changes();
    const point = { happened: (_name: string): void => undefined };
    const versions: readonly [OcppVersion, OcppVersion] =
      seed % 2 === 0 ? ['ocpp1.6', 'ocpp2.0.1'] : ['ocpp2.0.1', 'ocpp1.6'];
    const cloud = (name: string, version: OcppVersion, of: number): Promise<Cloud> =>
      Cloud.open({
        name,
        version,
        random: seededRandom(seed * 1000 + of),
        changes,
        point: (what) => point.happened(what),
      });
    const clouds = [await cloud('authority', versions[0], 100), await cloud('observer', versions[1], 101)] as const;
    const folder = mkdtempSync(join(tmpdir(), 'forecourt-load-'));
    await fillJournal(folder);
    const wallbox = await Wallbox.open(WALLBOX_EVSE);
    const port = await freePort();
    const world = new LoadWorld(changes, clouds, wallbox, port, folder, seed, point);
    try {
      await world.#begin();
    } catch (err) {
      await world.close();
      throw err;
    }
    return world;
  }

  async #begin(): Promise<void> {
    const { changes, clouds, port, folder } = this;
    const [authority, observer] = clouds.map(({ csms }) => csms);
    if (authority === undefined || observer === undefined) throw new Error('there are two clouds');
    const wallbox = { port: this.#wallbox.port, evse: WALLBOX_EVSE };
    const site = crashSite({ port, breaker: 250, maxCurrent: 16, chargers: EVSES, wallbox, authority, observer });
    this.#gateway = await startGateway(`${site}authorization: { offline: accept-unknown }\n`, {
      changes,
      dataDirectory: folder,
      logLevel: 'info',
      env: { NODE_OPTIONS: `--import=${new URL('./short-minute.js', import.meta.url).href}` },
      heard: ({ msg }) => this.#trap?.(msg),
    });
    for (const cloud of clouds) {
      await changes.until('the gateway to have booted', () => cloud.csms.book.status(1) !== undefined, PATIENCE);
      await cloud.setUp();
    }
    for (const cloud of clouds) cloud.calm = false;
    this.#visiting = Promise.all([
      ...this.chargers.map((charger) => charger.run()),
      this.#wallbox.run(this.visits, clouds, changes),
    ]);
    // Looked at when the load is over; until then nobody waits for it.
    this.#visiting.catch(() => undefined);
  }

  get gateway(): GatewayProcess {
    if (this.#gateway === undefined) throw new Error('the gateway was not started');
    return this.#gateway;
  }

  /** The load goes on until something happens at which the gateway is to be killed, and `delay` ms longer. */
  async when(matches: (point: string) => boolean, patience: number, delay: number): Promise<string> {
    let cancel = (): void => undefined;
    const found = await new Promise<string>((resolve) => {
      const late = setTimeout(() => resolve('nothing'), patience);
      cancel = () => clearTimeout(late);
      this.#trap = (point) => {
        if (matches(point)) resolve(point);
      };
    });
    cancel();
    this.#trap = undefined;
    if (delay > 0) await pause(delay);
    return found;
  }

  /** Resolves when a charger has been served since the last start. */
  async served(): Promise<void> {
    await this.changes.until('a charger to be served', () => this.#launchedAt === undefined, PATIENCE);
  }

  /** SIGKILL, and up again. @param early for each process that is killed while it starts: after how many milliseconds */
  async kill(why: string, early: readonly number[]): Promise<void> {
    let release = (): void => undefined;
    this.#up = new Promise((resolve) => {
      release = resolve;
    });
    this.kills.push({ at: Date.now(), why });
    await this.gateway.kill();
    for (const delay of early) {
      // It may have come up by then, or not: its end is all that is waited for.
      const started = this.gateway.start().catch(() => undefined);
      await pause(delay);
      this.kills.push({ at: Date.now(), why: `${delay} ms after its start` });
      await this.gateway.kill();
      await started;
    }
    this.#launchedAt = Date.now();
    await this.gateway.start();
    release();
  }

  /** No more visits; resolves when the last ones are over and both clouds have been told everything. */
  async drain(): Promise<readonly string[]> {
    for (const cloud of this.clouds) cloud.calm = true;
    for (const charger of this.chargers) charger.leave();
    this.#wallbox.leave();
    const failures: string[] = [];
    await this.#visiting.catch((err: unknown) => failures.push(`a visit could not be ended: ${String(err)}`));
    for (const { csms, ledger } of this.clouds) {
      const waiting = (): readonly string[] => this.visits.flatMap(({ token }) => (ledger.ended(token) ? [] : [token]));
      const told = this.changes.until('both clouds to be told', () => waiting().length === 0, PATIENCE);
      await told.catch(() => failures.push(`${csms.record.peer} was never told the end of ${waiting().join(' ')}`));
      const free = (): boolean =>
        [...EVSES.flat(), WALLBOX_EVSE].every((evse) => csms.book.status(evse) === 'Available');
      const shown = this.changes.until('all connectors to be free', free, PATIENCE);
      await shown.catch(() => failures.push(`${csms.record.peer} does not see every connector free`));
    }
    for (const cloud of this.clouds) failures.push(...(await cloud.brokenPromises()));
    for (const { level, msg, ...rest } of this.gateway.lines)
      if (level >= 50) failures.push(`the gateway logged: ${msg} ${JSON.stringify(rest)}`);
    for (const { peer } of this.chargers) failures.push(...peer.record.faults);
    return failures;
  }

  async close(): Promise<void> {
    await this.#gateway?.remove();
    for (const charger of this.chargers) await charger.close();
    for (const { csms } of this.clouds) await csms.stop();
    await this.#wallbox.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #served(): void {
    if (this.#launchedAt === undefined) return;
    this.restarts.push(Date.now() - this.#launchedAt);
    this.#launchedAt = undefined;
    this.changes.happened();
  }

  /** A command that does not come through is the driver's loss, not the gateway's fault. */
  async #quietly(command: Promise<void>): Promise<void> {
    await command.catch(() => this.changes.happened());
  }
}

async function fillJournal(folder: string): Promise<void> {
  const journal = await openJournal(folder, 1e9, systemClock, recordingLog());
  const records = Array.from({ length: KEPT_ENTRIES }, (_, index) => ({
    type: 'security' as const,
    event: 'Filling',
    at: systemClock.now(),
    techInfo: String(index),
  }));
  await journal.commit({ records });
  await journal.close();
}
