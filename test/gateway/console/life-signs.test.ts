// Signs of life come only while the journal's thread answers and load balancing plans.
import t from 'tap';
import { LifeSigns } from '../../../gateway/console/life-signs.js';
import { FAULTS } from '../../../gateway/kernel/faults.js';
import { milliseconds, seconds, type Milliseconds } from '../../../gateway/kernel/units.js';
import { JournalUnavailable } from '../../../gateway/ports/journal.js';
import type { ServiceWord } from '../../../gateway/ports/service-manager.js';
import { FakeClock } from '../../fakes/fake-clock.js';
import { recordingLog } from '../../fakes/recording-log.js';

const WATCHDOG = seconds(60);

function started(watchdog: Milliseconds | undefined = WATCHDOG) {
  const clock = new FakeClock();
  const log = recordingLog();
  const words: ServiceWord[] = [];
  const it = {
    plans: true,
    /** How the journal's thread takes the question. */
    journal: (): Promise<ReadonlyMap<string, unknown>> => Promise.resolve(new Map()),
    lastPlan: 0,
  };
  const signs = new LifeSigns({
    service: { ...(watchdog !== undefined && { watchdog }), notify: (word) => words.push(word) },
    journal: { load: () => it.journal() },
    plannedAt: () => {
      if (it.plans) it.lastPlan = clock.monotonic();
      return milliseconds(it.lastPlan);
    },
    status: () => 'all well',
    clock,
    log,
  });
  signs.ready();
  return { clock, log, words, it, signs, alive: () => words.filter(({ state }) => state === 'alive').length };
}

void t.test('ready first, then signs of life well within the time of the watchdog, then the farewell', async (t) => {
  const { clock, words, signs, alive } = started();
  t.same(words, [{ state: 'ready', status: 'all well' }]);
  await clock.advance(WATCHDOG * 10);
  t.ok(alive() >= 3 * 10, 'one that is lost does no harm');
  t.equal(words.length, alive() + 1);
  signs.stopping();
  t.equal(words.at(-1)?.state, 'stopping');
  await clock.advance(WATCHDOG);
  t.equal(words.at(-1)?.state, 'stopping', 'nothing after it');
  t.equal(clock.pending, 0);
});

void t.test(
  'a journal that does not answer ends them, within the time of the watchdog, and an answer brings them back',
  async (t) => {
    const { clock, log, words, it, alive } = started();
    await clock.advance(WATCHDOG);
    let answer: (value: ReadonlyMap<string, unknown>) => void = () => undefined;
    it.journal = () => new Promise((resolve) => (answer = resolve));
    await clock.advance(WATCHDOG);
    const before = alive();
    await clock.advance(WATCHDOG);
    t.equal(alive(), before, 'no sign of life');
    t.match(words.at(-1), { state: 'told', status: /thread does not answer/ });
    t.equal(log.lines.filter(({ fields }) => fields.fault === FAULTS.stuck.code).length, 1, 'told once');
    it.journal = () => Promise.resolve(new Map());
    answer(new Map());
    await clock.advance(WATCHDOG / 2);
    t.ok(alive() > before);
    t.match(log.lines.at(-1), { level: 'info' });
  },
);

void t.test('a disk that refuses is no reason to start anew', async (t) => {
  const { clock, it, alive } = started();
  it.journal = () => Promise.reject(new JournalUnavailable('no space left on device'));
  await clock.advance(WATCHDOG * 5);
  t.ok(alive() >= 15);
});

void t.test("a journal's thread that has ended is one", async (t) => {
  const { clock, it, alive } = started();
  it.journal = () => Promise.reject(new JournalUnavailable('it has died', { fault: FAULTS.journalDied.code }));
  await clock.advance(WATCHDOG);
  const before = alive();
  await clock.advance(WATCHDOG * 2);
  t.equal(alive(), before);
});

void t.test('load balancing that no longer plans ends them', async (t) => {
  const { clock, it, words, alive } = started();
  await clock.advance(WATCHDOG);
  it.plans = false;
  await clock.advance(WATCHDOG);
  const before = alive();
  await clock.advance(WATCHDOG);
  t.equal(alive(), before);
  t.match(words.at(-1), { state: 'told', status: /does not plan/ });
});

void t.test('where nobody watches, the status is told all the same', async (t) => {
  const { clock, words } = started(undefined);
  await clock.advance(seconds(600));
  t.ok(words.length > 5);
});
