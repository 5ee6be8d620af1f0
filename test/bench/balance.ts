// Load balancing against its baselines on identical input: `npm run bench -- balance [--sites A,B,C,D,E] [--sessions FILE]`.
import { parseArgs } from 'node:util';
import { baselines } from './balance/baselines.js';
import { garage } from './balance/garage.js';
import { optimumOf } from './balance/optimum.js';
import { ours } from './balance/ours.js';
import { simulate, type Outcome } from './balance/simulation.js';
import { timesOfSiteD } from './balance/site-d.js';
import { energyOfSiteA } from './balance/site-a-table.js';

const { values } = parseArgs({
  options: {
    sites: { type: 'string' },
    sessions: { type: 'string' },
    plans: { type: 'string', default: '600' },
    caps: { type: 'string', default: '10,20,30,40,50,60' },
  },
});
const sites = (values.sites ?? (values.sessions === undefined ? 'D,B,C,E,A' : 'A')).toUpperCase().split(',');

async function tableOf(which: 'B' | 'C' | 'E'): Promise<void> {
  const site = garage(which);
  const best = await optimumOf(site);
  const wanted = site.visits.reduce((sum, { energy }) => sum + energy / 1000, 0);
  const { length: evses } = site.network({ strategy: 'fair', rotation: 0 as never }).outlets;
  console.log(
    `\nsite ${which}: ${evses} EVSEs, ${site.seconds / 3600} h, ${site.visits.length} visits, ${wanted.toFixed(0)} kWh wanted, LP optimum ${best.toFixed(0)} kWh (${((100 * best) / wanted).toFixed(1)} %)`,
  );
  console.log(
    `${'controller'.padEnd(36)} ${['% wanted', '% LP', 'As>1.0', 'As>1.13', 'As>1.45', 'trips', 'Jain', 'starved', 'setp/s.', 'starts/s.', 'p50 ms', 'p99 ms'].map((head) => head.padStart(9)).join('')}`,
  );
  const row = (outcome: Outcome): void => {
    const { name, delivered, above, trips, jain, starved, setpointsEach, startsEach, p50, p99 } = outcome;
    const cells = [
      ((100 * delivered) / outcome.wanted).toFixed(1),
      ((100 * delivered) / best).toFixed(1),
      ...above.map((of) => of.toFixed(0)),
      String(trips),
      jain.toFixed(3),
      `${starved.toFixed(0)} min`,
      setpointsEach.toFixed(1),
      startsEach.toFixed(1),
      p50.toFixed(2),
      p99.toFixed(2),
    ];
    console.log(`${name.padEnd(36)} ${cells.map((cell) => cell.padStart(9)).join('')}`);
  };
  for (const controller of [
    ours(site, 'fair', false),
    ours(site, 'first-come', false),
    ours(site, 'most-energy', true),
    ...baselines(site),
  ])
    row(simulate(site, controller));
}

for (const site of sites) {
  if (site === 'D') timesOfSiteD(Number(values.plans));
  else if (site === 'A') await energyOfSiteA(values.sessions, values.caps.split(',').map(Number));
  else if (site === 'B' || site === 'C' || site === 'E') await tableOf(site);
  else throw new Error(`there is no site ${site}`);
}
