// The site's clock by itself: which source sets it in which standing, and that it never runs back without one.
import fc from 'fast-check';
import t from 'tap';
import { csmsId } from '../../../gateway/kernel/ids.js';
import { milliseconds, minutes, seconds, timestamp, type Timestamp } from '../../../gateway/kernel/units.js';
import { SiteClock, type Reckoning, type Standing, type Step } from '../../../gateway/shell/site-clock.js';
import { FakeBox } from '../../fakes/fake-box.js';
import { FakeClock } from '../../fakes/fake-clock.js';

const RELEASED = timestamp(Date.parse('2025-01-01T00:00:00Z'));
const hours = (value: number): number => minutes(60 * value);
const A = csmsId('authority');
const B = csmsId('observer');

class Bench {
  readonly true = new FakeClock('2026-06-01T12:00:00Z');
  readonly box = new FakeBox(this.true, RELEASED);
  readonly steps: Step[] = [];
  readonly said: string[] = [];
  clock: SiteClock;

  /** @param wall what the box shows when it is switched on; the site last knew a time `off` ago */
  constructor(
    wall: (bench: Bench) => number,
    readonly known: (bench: Bench) => Reckoning | undefined = (bench) => bench.reckoning('confirmed', hours(10)),
  ) {
    this.box.powerOn(wall(this));
    this.clock = this.begin(this.known(this));
  }

  begin(known: Reckoning | undefined, newest = timestamp(0)): SiteClock {
    const { box } = this;
    return (this.clock = new SiteClock(
      box,
      box.machine,
      {
        stepped: (step) => void this.steps.push(step),
        confirmed: (by) => void this.said.push(`confirmed by ${by}`),
        jumped: (_by, followed) => void this.said.push(followed ? 'followed' : 'not believed'),
        contradicted: (csms) => void this.said.push(`contradicted by ${csms}`),
      },
      known,
      newest,
    ));
  }

  reckoning(standing: Standing, ago: number, boot = 'an earlier boot'): Reckoning {
    return { boot, monotonic: milliseconds(0), at: timestamp(this.true.now() - ago), standing };
  }

  get off(): number {
    return this.clock.now() - this.true.now();
  }

  get truth(): Timestamp {
    return this.true.now();
  }
}

void t.test('how it begins', (t) => {
  const rows: readonly (readonly [what: string, bench: Bench, standing: Standing, off: number])[] = [
    ['1970', new Bench(() => 0), 'unset', -hours(10)],
    ['the last shutdown, saved', new Bench(({ truth }) => truth - hours(9)), 'assumed', -hours(9)],
    ['a battery', new Bench(({ truth }) => truth), 'assumed', 0],
    ['a battery, a little slow', new Bench(({ truth }) => truth - hours(10) - seconds(30)), 'assumed', -hours(10)],
    [
      'a fresh site in 1970',
      new Bench(
        () => 0,
        () => undefined,
      ),
      'unset',
      RELEASED - Date.parse('2026-06-01T12:00:00Z'),
    ],
    [
      'a fresh site with a clock',
      new Bench(
        ({ truth }) => truth,
        () => undefined,
      ),
      'assumed',
      0,
    ],
  ];
  for (const [what, { clock, off: found }, standing, off] of rows) {
    t.equal(clock.standing, standing, what);
    t.ok(Math.abs(found - off) <= 1, `${what}: ${found} for ${off}`);
  }
  const known = new Bench(() => 0);
  known.box.ntp(true);
  t.match(
    known.begin(known.reckoning('confirmed', hours(10))),
    { standing: 'synchronised' },
    'a time server has been heard',
  );
  t.equal(known.off, 0);
  const restarted = new Bench(() => 0);
  const { boot = '' } = restarted.box.machine;
  restarted.true.advanceSync(minutes(3));
  const before: Reckoning = {
    boot,
    monotonic: minutes(1),
    at: timestamp(restarted.truth - minutes(2)),
    standing: 'confirmed',
  };
  t.match(
    restarted.begin(before),
    { standing: 'confirmed' },
    'a restart in the same boot knows what the process before knew',
  );
  t.equal(restarted.off, 0);
  const journal = new Bench(() => 0);
  journal.begin(journal.reckoning('confirmed', hours(10)), timestamp(journal.truth - hours(9)));
  t.equal(journal.off, 1 - hours(9), 'not before what is in the journal');
  t.end();
});

void t.test('time goes on from before a power cut by as long as the machine has been up', (t) => {
  const bench = new Bench(() => 0);
  bench.true.advanceSync(seconds(40));
  bench.begin(bench.reckoning('confirmed', hours(10) + seconds(40)));
  t.ok(Math.abs(bench.off + hours(10)) <= 1);
  t.end();
});

void t.test('which source sets it', (t) => {
  const unset = (): Bench => new Bench(() => 0);
  const assumed = (): Bench => new Bench(({ truth }) => truth - hours(9));
  const confirmed = (): Bench => {
    const bench = new Bench(({ truth }) => truth);
    bench.clock.heard(A, true, bench.truth);
    return bench;
  };
  const synchronised = (): Bench => {
    const bench = confirmed();
    bench.box.ntp(true);
    bench.clock.tend();
    return bench;
  };
  const says =
    (off: number, csms = A, times = 1) =>
    (bench: Bench): void => {
      for (let i = 0; i < times; i++) bench.clock.heard(csms, csms === A, timestamp(bench.truth + off));
    };
  const ntp =
    (told: boolean) =>
    (bench: Bench): void => {
      bench.box.ntp(told);
      bench.clock.tend();
    };
  const jumps =
    (off: number) =>
    (bench: Bench): void => {
      bench.box.set(bench.truth + off);
      bench.clock.tend();
    };
  const decade = hours(87_660);
  type Row = readonly [string, () => Bench, (bench: Bench) => void, Standing, number];
  const rows: readonly Row[] = [
    ['unset, the authority', unset, says(0), 'confirmed', 0],
    ['unset, an observer', unset, says(0, B), 'assumed', 0],
    ['unset, a time that is over', unset, says(-hours(11), B), 'unset', -hours(10)],
    ['unset, a time that is over, the authority insists', unset, says(-hours(11), A, 2), 'confirmed', -hours(11)],
    ['unset, a time before the release', unset, says(-hours(20_000), A, 2), 'unset', -hours(10)],
    ['unset, 2099', unset, says(hours(640_000), A, 2), 'unset', -hours(10)],
    ['unset, a time server', unset, ntp(true), 'synchronised', 0],
    ['unset, one that does not say so', unset, ntp(false), 'assumed', 0],
    ['assumed, the authority once', assumed, says(0), 'assumed', -hours(9)],
    ['assumed, the authority twice', assumed, says(0, A, 2), 'confirmed', 0],
    ['assumed, an observer', assumed, says(0, B, 3), 'assumed', -hours(9)],
    ['assumed, an observer agrees', assumed, says(-hours(9), B), 'confirmed', -hours(9)],
    ['assumed, the clock jumps ahead', assumed, jumps(0), 'assumed', 0],
    ['assumed, the clock jumps back', assumed, jumps(-hours(12)), 'assumed', -hours(9)],
    [
      'assumed, a time server sets it back',
      assumed,
      (bench) => {
        bench.box.set(bench.truth + hours(5));
        bench.clock.tend();
        ntp(true)(bench);
      },
      'synchronised',
      0,
    ],
    ['confirmed, 2036', confirmed, jumps(decade), 'confirmed', 0],
    ['confirmed, an observer disagrees', confirmed, says(hours(1), B, 3), 'confirmed', 0],
    ['confirmed, the authority once', confirmed, says(hours(1)), 'confirmed', 0],
    ['confirmed, the authority twice', confirmed, says(hours(1), A, 2), 'confirmed', hours(1)],
    ['synchronised, the authority disagrees', synchronised, says(hours(1), A, 5), 'synchronised', 0],
    ['synchronised, 2036', synchronised, jumps(decade), 'synchronised', 0],
    [
      'synchronised, jumped, and synchronised again',
      synchronised,
      (bench) => {
        bench.true.advanceSync(minutes(20));
        jumps(decade)(bench);
        bench.box.ntp(true);
        bench.clock.tend();
      },
      'synchronised',
      0,
    ],
  ];
  for (const [what, make, act, standing, off] of rows) {
    const bench = make();
    act(bench);
    t.equal(bench.clock.standing, standing, what);
    t.ok(Math.abs(bench.off - off) <= 1, `${what}: ${bench.off} for ${off}`);
  }
  t.end();
});

void t.test('a clock that jumped and was not believed is followed again when it has come back', (t) => {
  const bench = new Bench(({ truth }) => truth);
  bench.clock.heard(A, true, bench.truth);
  bench.box.set(bench.truth + hours(87_660));
  bench.clock.tend();
  bench.true.advanceSync(hours(2));
  t.equal(bench.off, 0, 'goes on by the monotonic clock');
  bench.box.set(bench.truth + seconds(20));
  bench.clock.tend();
  t.equal(bench.off, 20_000);
  t.same(
    bench.said.filter((said) => said.includes('e')),
    ['confirmed by authority', 'not believed', 'followed'],
  );
  t.end();
});

void t.test('what a CSMS says against it is told once, until they agree', (t) => {
  const bench = new Bench(({ truth }) => truth);
  bench.clock.heard(A, true, bench.truth);
  for (let i = 0; i < 5; i++) bench.clock.heard(B, false, timestamp(bench.truth + hours(1)));
  t.same(bench.said, ['confirmed by authority', 'contradicted by observer']);
  bench.clock.heard(B, false, bench.truth);
  bench.clock.heard(B, false, timestamp(bench.truth + hours(1)));
  t.equal(bench.said.length, 3);
  t.end();
});

void t.test('without a time server the authority keeps it', (t) => {
  const bench = new Bench(() => 0);
  bench.clock.heard(A, true, bench.truth);
  bench.clock.heard(A, true, timestamp(bench.truth + seconds(40)));
  t.equal(bench.off, 40_000, 'a little behind: at once');
  bench.clock.heard(A, true, bench.truth);
  const before = bench.clock.now();
  bench.true.advanceSync(seconds(40));
  t.equal(bench.clock.now() - before, 20_000, 'a little ahead: at half the speed');
  bench.true.advanceSync(minutes(2));
  t.equal(bench.off, 0);
  t.equal(bench.steps.length, 1, 'none of it is a step');
  t.end();
});

void t.test('a time server that was not heard for long no longer stands above the authority', (t) => {
  const bench = new Bench(() => 0);
  bench.box.ntp(true);
  bench.clock.tend();
  t.equal(bench.clock.standing, 'synchronised');
  bench.true.advanceSync(hours(30));
  bench.clock.tend();
  t.equal(bench.clock.standing, 'confirmed');
  t.end();
});

void t.test('it never runs back but by a step', (t) => {
  const event = fc.oneof(
    fc.record({ ms: fc.integer({ min: 0, max: 600_000 }) }),
    fc.record({ jump: fc.integer({ min: -40_000_000, max: 40_000_000 }) }),
    fc.record({ says: fc.integer({ min: -40_000_000, max: 40_000_000 }), authority: fc.boolean() }),
    fc.record({ ntp: fc.boolean() }),
  );
  fc.assert(
    fc.property(fc.constantFrom('1970', 'true'), fc.array(event, { maxLength: 40 }), (wall, events) => {
      const bench = new Bench(({ truth }) => (wall === '1970' ? 0 : truth));
      let before = bench.clock.now();
      for (const each of events) {
        const steps = bench.steps.length;
        if ('ms' in each) bench.true.advanceSync(each.ms);
        else if ('jump' in each) bench.box.set(bench.truth + each.jump);
        else if ('ntp' in each) bench.box.ntp(each.ntp);
        else bench.clock.heard(each.authority ? A : B, each.authority, timestamp(bench.truth + each.says));
        bench.clock.tend();
        const now = bench.clock.now();
        const back = bench.steps.slice(steps).some(({ offset }) => offset < 0);
        if (now < before && !back) throw new Error(`ran back by ${before - now}`);
        before = now;
      }
    }),
  );
  t.end();
});
