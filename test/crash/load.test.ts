// The gateway is killed on a busy site, at random moments and at chosen ones, again and again; afterwards all books agree.
import t, { type Test } from 'tap';
import { median, percentile } from '../bench/statistics.js';
import { round, type RoundResult } from './load/round.js';

/** How many kills; `npm run crash -- --cycles N` sets it. */
const CYCLES = Number(process.env['FORECOURT_CRASH_CYCLES'] ?? 50);
/** Printed with a failure, so that the same choices can be made again. */
const SEED = Number(process.env['FORECOURT_CRASH_SEED'] ?? Date.now() % 1_000_000);
/** Kills on one site, after which its books are compared and the next one is opened. */
const OF_ONE_SITE = 50;

t.setTimeout(180_000 + 6000 * CYCLES);

const results: RoundResult[] = [];
for (let done = 0; done < CYCLES; done += OF_ONE_SITE) {
  const seed = SEED + done / OF_ONE_SITE;
  const cycles = Math.min(OF_ONE_SITE, CYCLES - done);
  void t.test(`${cycles} kills under load (seed ${seed})`, async (t: Test) => {
    const result = await round(seed, cycles);
    results.push(result);
    if (result.faults !== '') t.comment(result.faults);
    t.equal(result.faults, '', `npm run crash -- --cycles ${cycles} --seed ${seed}`);
    t.ok(result.visits > cycles / 2, `${result.visits} visits took place`);
  });
}

void t.test('what it took', (t: Test) => {
  const sum = (of: (result: RoundResult) => number): number => results.reduce((total, each) => total + of(each), 0);
  const restarts = results.flatMap((result) => result.restarts).toSorted((a, b) => a - b);
  t.comment(
    `${sum(({ kills }) => kills)} kills, ${sum(({ visits }) => visits)} visits, ${sum(({ told }) => told)} messages to ` +
      `two clouds, ${sum(({ repeated }) => repeated)} of them repeated; from the start of the process to the first ` +
      `charger served: p50 ${median(restarts)} ms, p99 ${percentile(restarts, 0.99)} ms`,
  );
  t.end();
});
