// When plans are made: how long they rest for each other, and what does not wait for that.
import t from 'tap';
import { meterId } from '../../../gateway/kernel/ids.js';
import { ampere, milliseconds } from '../../../gateway/kernel/units.js';
import { Steering } from '../../../gateway/shell/steering.js';
import { SiteBook } from '../../../gateway/site/site-book.js';
import { perPhase } from '../../../gateway/site/topology.js';
import { FakeClock } from '../../fakes/fake-clock.js';
import { MemoryJournal } from '../../fakes/memory-journal.js';
import { recordingLog } from '../../fakes/recording-log.js';
import { evse, site } from '../views/fixture.js';

/** A clock that also moves while a plan is being made. */
class BusyClock extends FakeClock {
  spent = 0;
  override monotonic() {
    return milliseconds(super.monotonic() + this.spent);
  }
}

/** @param cost of each plan, in ms */
async function steering(cost: number) {
  const clock = new BusyClock();
  const plan = site([evse(1)]);
  const the = { plans: 0, told: 0 };
  const open = await Steering.open({
    site: plan,
    book: new SiteBook(plan, clock.now()),
    drivers: new Map(),
    profiles: {
      limit: () => undefined,
      caps: () => {
        the.plans++;
        clock.spent += cost;
        return [];
      },
    },
    gridOperator: { inForce: (caps) => ({ limits: new Map(), failsafe: false, caps }) },
    needs: { of: () => undefined },
    trialBound: () => undefined,
    priorityOf: () => undefined,
    journal: new MemoryJournal(),
    clock,
    log: recordingLog(),
    escalate: () => undefined,
    planned: (circuits) => {
      the.told += circuits.length === plan.circuits.length ? 1 : 0;
    },
  });
  open.start();
  return { the, clock, steering: open };
}

const reading = (clock: FakeClock) => ({
  meter: meterId('grid'),
  at: clock.now(),
  current: perPhase(() => ampere(10)),
});

t.test('events in a burst share a plan, which comes within 50 ms where plans are quick', async (t) => {
  const { the, clock, steering: balancing } = await steering(0);
  for (let i = 0; i < 20; i++) balancing.wake();
  await clock.advance(49);
  t.equal(the.plans, 1, 'the one of the start');
  await clock.advance(1);
  t.equal(the.plans, 2);
  await clock.advance(800);
  t.equal(the.plans, 2, 'nothing has happened since');
  balancing.stop();
});

t.test('a plan that took long rests ten times as long, and a meter does not wait for that', async (t) => {
  const { the, clock, steering: balancing } = await steering(30);
  balancing.wake();
  await clock.advance(200);
  t.equal(the.plans, 1, 'still resting');
  balancing.reading(reading(clock));
  await clock.advance(0);
  t.equal(the.plans, 2, 'a reading may ask for a cut');
  balancing.gridOperatorSpoke();
  await clock.advance(0);
  t.equal(the.plans, 3, 'and so may the grid operator');
  balancing.wake();
  await clock.advance(269);
  t.equal(the.plans, 3);
  await clock.advance(1);
  t.equal(the.plans, 4);
  balancing.stop();
});

t.test('however long plans take, there is one each second, and circuits are told with it', async (t) => {
  const { the, clock, steering: balancing } = await steering(5_000);
  for (let second = 1; second <= 3; second++) {
    balancing.wake();
    await clock.advance(1_000);
    t.ok(the.plans >= 1 + second, `second ${second}`);
    t.equal(the.told, second);
  }
  balancing.stop();
});
