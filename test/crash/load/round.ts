// One round of the crash harness: so many kills on a busy site, then the books.
import { setTimeout as pause } from 'node:timers/promises';
import { seededRandom, type Random } from '../../../simulation/random.js';
import { audit, report } from './audit.js';
import { LoadWorld } from './load-world.js';

export interface RoundResult {
  readonly kills: number;
  readonly visits: number;
  /** Messages of transactions that a cloud was told, and told again. */
  readonly told: number;
  readonly repeated: number;
  /** Milliseconds from the start of a process to the first charger that it served. */
  readonly restarts: readonly number[];
  /** What is wrong, with the story of the first transaction that is; empty where the books agree. */
  readonly faults: string;
}

/** Milliseconds within which something that is waited for happens on a busy site. */
const PATIENCE = 1500;
/** Milliseconds that a process takes to start, about. */
const START = 700;

/** Where the axe falls; `do` begins something that is to be cut short. */
type Axe = (world: LoadWorld, random: Random) => Promise<string>;

const point =
  (name: string): Axe =>
  (world, random) =>
    world.when((happened) => happened === name, PATIENCE, Math.floor(random.between(0, 12)));

const either =
  (what: string): Axe =>
  (world, random) =>
    point(`${random.pick(['authority', 'observer'])} ${what}`)(world, random);

const moment: Axe = async (_world, random) => {
  await pause(random.between(0, 300));
  return 'at a random moment';
};

const during =
  (what: string, begin: (world: LoadWorld, random: Random) => Promise<unknown>): Axe =>
  async (world, random) => {
    begin(world, random).catch(() => world.changes.happened());
    await pause(random.between(0, 15));
    return `during ${what}`;
  };

const AXES: readonly Axe[] = [
  moment,
  moment,
  ...['StartTransaction', 'MeterValues', 'StopTransaction', 'TransactionEvent', 'StatusNotification', 'Authorize'].map(
    (action) => point(`charger sends ${action}`),
  ),
  ...['StartTransaction', 'StopTransaction', 'TransactionEvent'].map((action) => point(`charger answered ${action}`)),
  ...['StartTransaction', 'StopTransaction', 'TransactionEvent'].flatMap((action) => [
    either(`hears ${action}`),
    either(`answers ${action}`),
  ]),
  point('a minute is over'),
  point('a minute is over'),
  during('the update of a local list', ({ clouds }, random) =>
    clouds[0].sendLocalList(Math.floor(random.between(1, 900))),
  ),
  during('a change of configuration', ({ clouds }, random) =>
    random.pick(clouds).set('CpoName', `Operator ${Math.floor(random.between(0, 1e6))}`),
  ),
];

/** @param cycles kills, those in quick succession each counted */
export async function round(seed: number, cycles: number): Promise<RoundResult> {
  const world = await LoadWorld.open(seed);
  const random = seededRandom(seed);
  try {
    while (world.kills.length < cycles) {
      await world.served();
      await pause(random.between(0, 100));
      if (random.next() < 0.15) await random.pick(world.clouds).dropSocket();
      const why = await random.pick(AXES)(world, random);
      const early: number[] = [];
      while (random.next() < 0.5 && world.kills.length + early.length + 1 < cycles)
        early.push(Math.floor(random.between(0, START)));
      await world.kill(why, early);
    }
    await world.served();
    const failures = await world.drain();
    await world.gateway.stop();
    const findings = [...audit(world), ...failures.map((what) => ({ what }))];
    const told = world.clouds.flatMap(({ ledger }) => [...ledger.accounts.values()].flatMap((account) => account.told));
    return {
      kills: world.kills.length,
      visits: world.visits.length,
      told: told.length,
      repeated: told.reduce((sum, { repeated }) => sum + repeated.length, 0),
      restarts: world.restarts,
      faults: report(findings, world),
    };
  } finally {
    await world.close();
  }
}
