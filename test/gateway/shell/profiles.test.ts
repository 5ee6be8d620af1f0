// The charging profiles of every CSMS in the shell: on disk before they hold, over restarts, and when their CSMS is away.
import t from 'tap';
import { csmsId, evseNumber } from '../../../gateway/kernel/ids.js';
import { ampere, minutes, seconds } from '../../../gateway/kernel/units.js';
import { Profiles } from '../../../gateway/shell/profiles.js';
import type { ChargingProfile } from '../../../gateway/site/charging-profile.js';
import { SiteBook } from '../../../gateway/site/site-book.js';
import { FakeClock } from '../../fakes/fake-clock.js';
import { MemoryJournal } from '../../fakes/memory-journal.js';
import { recordingLog } from '../../fakes/recording-log.js';
import { csms, evse, site } from '../views/fixture.js';

const ONE = evseNumber(1);
const OPERATOR = csmsId('operator');

function profile(id: number, limit: number, over: Partial<ChargingProfile> = {}): ChargingProfile {
  return {
    id,
    stackLevel: 0,
    purpose: 'TxDefaultProfile',
    kind: 'Relative',
    schedules: [{ unit: 'A', periods: [{ startPeriod: 0, limit }] }],
    ...over,
  };
}

async function open(journal = new MemoryJournal(), clock = new FakeClock(), maxAge?: number) {
  const plan = {
    ...site([evse(1), evse(2)]),
    csms: [csms({ id: OPERATOR, ...(maxAge !== undefined && { profileMaxAgeOffline: minutes(maxAge) }) })],
  };
  let changes = 0;
  const profiles = await Profiles.open({
    site: plan,
    book: new SiteBook(plan, clock.now()),
    journal,
    clock,
    log: recordingLog(),
    changed: () => changes++,
  });
  const limit = () => profiles.limit(ONE, undefined)?.current;
  return { profiles, journal, clock, limit, changes: () => changes };
}

t.test('a profile holds once it is on disk, and the next process has it', async (t) => {
  const { profiles, journal, limit, changes } = await open();
  t.match(await profiles.set(OPERATOR, ONE, profile(1, 10)), { status: 'Accepted' });
  t.equal(limit(), 10);
  t.equal(changes(), 1, 'and the plan is made anew');
  t.equal((await open(journal)).limit(), 10);
  t.match(await profiles.clear(OPERATOR, { id: 1 }), { status: 'Accepted' });
  t.equal(limit(), undefined);
  t.equal((await open(journal)).limit(), undefined);
  t.match(await profiles.clear(OPERATOR, { id: 1 }), { status: 'Unknown' });
});

t.test('what the disk refuses does not hold', async (t) => {
  const { profiles, journal, limit } = await open();
  await profiles.set(OPERATOR, ONE, profile(1, 10));
  journal.failNext(2);
  await t.rejects(profiles.set(OPERATOR, ONE, profile(1, 32)));
  await t.rejects(profiles.clear(OPERATOR, {}));
  t.equal(limit(), 10);
  t.match(await profiles.set(OPERATOR, ONE, profile(1, 20)), { status: 'Accepted' });
  t.equal(limit(), 20);
});

t.test('two profiles sent at once stand on each other', async (t) => {
  const { profiles, limit } = await open();
  const both = [profile(1, 10), profile(2, 8, { stackLevel: 1 })].map((one) => profiles.set(OPERATOR, ONE, one));
  t.same(
    (await Promise.all(both)).map(({ status }) => status),
    ['Accepted', 'Accepted'],
  );
  t.equal(limit(), 8);
  await profiles.clear(OPERATOR, { id: 2 });
  t.equal(limit(), 10);
});

t.test('a limit that is known changes when its profile says so', async (t) => {
  const { profiles, clock, limit } = await open();
  const periods = [
    { startPeriod: 0, limit: 10 },
    { startPeriod: 60, limit: 20 },
  ];
  const schedules = [{ unit: 'A' as const, startSchedule: clock.now(), duration: 120, periods }];
  await profiles.set(OPERATOR, ONE, profile(1, 0, { kind: 'Absolute', schedules }));
  t.equal(limit(), 10);
  await clock.advance(seconds(59));
  t.equal(limit(), 10);
  await clock.advance(seconds(1));
  t.equal(limit(), 20);
  await clock.advance(seconds(60));
  t.equal(limit(), undefined);
});

t.test(
  'profiles outlive the absence of their CSMS, unless site.yaml ends them; its cap on the whole stays',
  async (t) => {
    const cap = profile(9, 40, { purpose: 'ChargingStationMaxProfile', kind: 'Absolute' });
    const start = new FakeClock().now();
    const capped = { ...cap, schedules: cap.schedules.map((one) => ({ ...one, startSchedule: start })) };
    for (const maxAge of [undefined, 30]) {
      const { profiles, clock, limit } = await open(undefined, undefined, maxAge);
      await profiles.set(OPERATOR, ONE, profile(1, 0));
      await profiles.set(OPERATOR, undefined, capped);
      profiles.csmsOnline(OPERATOR, true);
      await clock.advance(minutes(60));
      t.equal(limit(), 0, 'it is there');
      profiles.csmsOnline(OPERATOR, false);
      await clock.advance(minutes(29));
      t.equal(limit(), 0);
      await clock.advance(minutes(2));
      t.equal(limit(), maxAge === undefined ? 0 : undefined);
      t.same(
        profiles.caps().map((one) => one.limit),
        [40],
      );
      const { schedule } = profiles.composite([ONE], ONE, 60, 'A', () => ampere(125));
      t.equal(schedule.periods[0]?.limit, maxAge === undefined ? 0 : 32);
      profiles.csmsOnline(OPERATOR, true);
      t.equal(limit(), 0, 'it is back, and has not changed its mind');
    }
  },
);
