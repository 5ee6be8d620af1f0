// `npm run crash -- --cycles N --seed S`: kills the gateway N times on a busy site and compares all books.
// `npm run crash -- --outage`: fifty chargers, 72 hours without a CSMS, and then everything is told. See test/crash/README.md.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ensureBuilt, ensureInstalled } from './prepare.mjs';

const { values } = parseArgs({
  options: {
    cycles: { type: 'string', default: '100' },
    seed: { type: 'string' },
    outage: { type: 'boolean', default: false },
  },
});
ensureInstalled();
ensureBuilt();
const name = values.outage ? 'outage' : 'load';
const { status } = spawnSync(
  process.execPath,
  [fileURLToPath(new URL(`../out/test/crash/${name}.test.js`, import.meta.url))],
  {
    stdio: 'inherit',
    env: {
      ...process.env,
      FORECOURT_OUTAGE: 'whole',
      FORECOURT_CRASH_CYCLES: values.cycles,
      ...(values.seed !== undefined && { FORECOURT_CRASH_SEED: values.seed }),
    },
  },
);
process.exit(status ?? 1);
