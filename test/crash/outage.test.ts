// S32: 72 hours without a CSMS. A small site in every run of the tests; `npm run crash -- --outage` plays fifty chargers.
import t from 'tap';
import { percentile } from '../bench/statistics.js';
import { playOutage, SMALL } from './outage/outage.js';

const WHOLE = { ...SMALL, chargers: 50, sampleEvery: 1 };
const plan = process.env['FORECOURT_OUTAGE'] === 'whole' ? WHOLE : SMALL;

t.setTimeout(plan === SMALL ? 120_000 : 1_800_000);

const MB = 1e6;

void t.test(`S32: ${plan.chargers} chargers, ${plan.hours} h without a CSMS`, async (t) => {
  const { transactions, entries, bytes, authority, observer, authorized, late, heap, faults } = await playOutage(plan);
  t.same(faults, [], 'every transaction once, in order, with its own times and energy');
  t.ok(transactions >= 0.9 * plan.chargers * plan.perDay * (plan.hours / 24), `${transactions} transactions`);
  t.ok(authorized.length > 0);
  const slowest = Math.max(...authorized);
  t.ok(slowest <= 2000, `the slowest of ${authorized.length} Authorize took ${slowest} ms`);
  // The journal is read page by page: what waits on disk does not come into memory.
  t.ok(heap.most - heap.before < 50 * MB, `the heap grew by ${((heap.most - heap.before) / MB).toFixed(0)} MB`);
  t.comment(
    `${transactions} transactions, ${entries} entries, ${(bytes / MB).toFixed(1)} MB on disk, ` +
      `${(bytes / transactions).toFixed(0)} bytes a transaction`,
  );
  t.comment(
    `line of ${plan.roundTrip} ms: ${authority.messages} messages in ${authority.took.toFixed(0)} s of its time, ` +
      `${(authority.messages / authority.took).toFixed(1)}/s; Authorize meanwhile p50 ${percentile(authorized, 0.5)} ms, ` +
      `slowest ${slowest} ms`,
  );
  t.comment(
    `CSMS that answers at once: ${observer.messages} messages in ${observer.took.toFixed(1)} s of real time, ` +
      `${(observer.messages / observer.took).toFixed(0)}/s; event loop late by p99 ${late.p99.toFixed(1)} ms, at most ${late.max.toFixed(0)} ms; ` +
      `heap ${(heap.before / MB).toFixed(0)} to ${(heap.most / MB).toFixed(0)} MB`,
  );
});
