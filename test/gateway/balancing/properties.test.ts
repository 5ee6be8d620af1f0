// The properties of load balancing, some hundred cases; `npm run bench -- properties` runs as many as asked for.
import t from 'tap';
import fc from 'fast-check';
import { PROPERTIES } from './properties.js';

const CASES = 200;

for (const { name, share, holds } of PROPERTIES) {
  t.test(name, async (t) => {
    await fc.assert(holds, { numRuns: Math.ceil((CASES * share) / 100) });
    t.pass('held');
  });
}
