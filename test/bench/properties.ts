// The properties of load balancing on as many random sites as asked for: `npm run bench -- properties --cases 10000`.
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { PROPERTIES } from '../gateway/balancing/properties.js';

const { values } = parseArgs({
  options: { cases: { type: 'string', default: '10000' }, seed: { type: 'string' }, only: { type: 'string' } },
});
const cases = Number(values.cases);
const seed = values.seed === undefined ? Math.trunc(Math.random() * 2 ** 31) : Number(values.seed);
if (!Number.isInteger(cases) || cases < 1 || !Number.isInteger(seed))
  throw new Error('--cases N, --seed N; N is a whole number');

let failures = 0;
for (const { name, share, holds } of PROPERTIES) {
  if (values.only !== undefined && !name.includes(values.only)) continue;
  const runs = Math.ceil((cases * share) / 100);
  const begun = performance.now();
  const result = await fc.check(holds, { numRuns: runs, seed, endOnFailure: true });
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  console.log(
    `${result.failed ? 'FAILED' : 'held  '} ${String(runs).padStart(6)} cases ${seconds.padStart(7)} s  ${name}`,
  );
  if (!result.failed) continue;
  failures++;
  console.log(fc.defaultReportMessage(result), result.errorInstance);
}
console.log(`seed ${seed}; ${failures} properties failed`);
process.exitCode = failures === 0 ? 0 : 1;
