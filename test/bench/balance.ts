// Load balancing against its baselines on identical input: `npm run bench -- balance [--sites A,B,C,D,E] [--sessions FILE]`.
import { parseArgs } from 'node:util';
import { timesOfSiteD } from './balance/site-d.js';

const { values } = parseArgs({
  options: { sites: { type: 'string', default: 'D' }, plans: { type: 'string', default: '600' } },
});
const sites = new Set(values.sites.toUpperCase().split(','));
if (sites.has('D')) timesOfSiteD(Number(values.plans));
