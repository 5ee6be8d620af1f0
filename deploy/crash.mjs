// `npm run crash -- --cycles N --seed S`: kills the gateway N times at random moments of a driver's visit and compares all books.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { cycles: { type: 'string', default: '100' }, seed: { type: 'string' } } });
const test = fileURLToPath(new URL('../out/test/crash/crash.test.js', import.meta.url));
const { status } = spawnSync(process.execPath, [test], {
  stdio: 'inherit',
  env: {
    ...process.env,
    FORECOURT_CRASH_CYCLES: values.cycles,
    ...(values.seed !== undefined && { FORECOURT_CRASH_SEED: values.seed }),
    // Four seconds a cycle on the slowest machine that this is meant for.
    TAP_TIMEOUT: String(60 + 4 * Number(values.cycles)),
  },
});
process.exit(status ?? 1);
