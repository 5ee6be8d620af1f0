// Commissioning without a site: what is concluded from currents, and what the steps want of a charger that behaves in every way.
import fc from 'fast-check';
import t from 'tap';
import { advance, type Run } from '../../../gateway/commissioning/advance.js';
import { estimatePhases, type PhaseStep } from '../../../gateway/commissioning/phase-estimate.js';
import { commissioningReport } from '../../../gateway/commissioning/report.js';
import type { Conductors, Seen, Step } from '../../../gateway/commissioning/step.js';
import { milliseconds, seconds } from '../../../gateway/kernel/units.js';
import type { Phase } from '../../../gateway/site/topology.js';
import { KnockingStations } from '../../../gateway/shell/knocking-stations.js';
import { FakeClock } from '../../fakes/fake-clock.js';

const ROTATIONS: readonly (readonly Phase[])[] = [
  ['L1', 'L2', 'L3'],
  ['L2', 'L3', 'L1'],
  ['L3', 'L1', 'L2'],
];
const MIRRORED: readonly (readonly Phase[])[] = [
  ['L1', 'L3', 'L2'],
  ['L3', 'L2', 'L1'],
  ['L2', 'L1', 'L3'],
];

/** What a meter shows of a charger's step under an assignment. */
function shown(charger: Conductors, assignment: readonly Phase[], noise: Conductors = [0, 0, 0]): PhaseStep {
  const on = (phase: Phase, i: 0 | 1 | 2): number => (charger[assignment.indexOf(phase) as 0 | 1 | 2] ?? 0) + noise[i];
  return { charger, meter: [on('L1', 0), on('L2', 1), on('L3', 2)] };
}

const steps = (charger: Conductors, assignment: readonly Phase[], count = 4): readonly PhaseStep[] =>
  Array.from({ length: count }, (_, i) => {
    const sign = i % 2 === 0 ? 1 : -1;
    return shown([charger[0] * sign, charger[1] * sign, charger[2] * sign], assignment);
  });

t.test('which phase is which, whatever else moves', (test) => {
  for (const assignment of [...ROTATIONS, ...MIRRORED]) {
    const all = estimatePhases(steps([10, 7, 3], assignment), 3);
    test.same(all, { kind: 'sure', phases: assignment, inferred: false }, 'each conductor with a current of its own');
  }
  for (const assignment of ROTATIONS) {
    test.same(estimatePhases(steps([10, 0, 0], assignment), 3), { kind: 'sure', phases: assignment, inferred: true });
    test.same(estimatePhases(steps([10, 10, 0], assignment), 3), { kind: 'sure', phases: assignment, inferred: true });
    test.match(estimatePhases(steps([10, 0, 0], assignment.slice(0, 1)), 1), { kind: 'sure', inferred: false });
  }
  test.match(estimatePhases(steps([10, 10, 10], ['L1', 'L2', 'L3']), 3), {
    kind: 'unsure',
    why: /charges on one phase/,
  });
  test.match(estimatePhases(steps([10, 0, 0], ['L1', 'L2', 'L3'], 2), 3), { kind: 'unsure', why: /too few/ });
  const elsewhere = steps([10, 0, 0], ['L1', 'L2', 'L3']).map(({ charger }) => ({
    charger,
    meter: [0, 0, 0] as const,
  }));
  test.match(estimatePhases(elsewhere, 3), { kind: 'unsure', why: /behind this meter/ });
  const turned = steps([10, 0, 0], ['L1', 'L2', 'L3']).map(({ charger, meter }) => ({
    charger,
    meter: [-meter[0], -meter[1], -meter[2]] as const,
  }));
  test.equal(estimatePhases(turned, 3).kind, 'unsure');
  test.end();
});

t.test('never wrong: with noise and lifts it is either right or unsure, and mostly right', (test) => {
  let sure = 0;
  let runs = 0;
  const noise = fc.double({ min: -1, max: 1, noNaN: true });
  const triple = fc.tuple(noise, noise, noise);
  fc.assert(
    fc.property(
      fc.constantFrom(...ROTATIONS),
      fc.double({ min: 5, max: 26, noNaN: true }),
      fc.array(triple, { minLength: 6, maxLength: 6 }),
      // One of the steps falls together with a lift on some phase.
      fc.record({ at: fc.nat(5), phase: fc.nat(2), current: fc.double({ min: -40, max: 40, noNaN: true }) }),
      (assignment, size, noises, lift) => {
        const noisy = noises.map((each, i) => {
          const moved = each.map((value, phase) => value + (i === lift.at && phase === lift.phase ? lift.current : 0));
          const [a = 0, b = 0, c = 0] = moved;
          return shown([i % 2 === 0 ? size : -size, 0, 0], assignment, [a, b, c]);
        });
        const estimate = estimatePhases(noisy, 3);
        runs += 1;
        if (estimate.kind === 'unsure') return;
        sure += 1;
        if (estimate.phases.join() !== assignment.join()) throw new Error(`${estimate.phases.join()} is wrong`);
      },
    ),
    { numRuns: 500, seed: 4 },
  );
  test.ok(sure > 0.9 * runs, `${sure} of ${runs} are sure`);
  test.end();
});

/** A charger and its car, a second at a time: obeys bounds, and the car follows at once. */
class Bench {
  now = milliseconds(0);
  run: Run;
  granted = 16;
  offered = 16;
  obeys = true;
  car = 1;
  charging = true;
  connected = true;
  seen: Partial<Seen> = {};
  bounds: (number | undefined)[] = [];
  starved = 0;

  constructor(
    step: Step,
    readonly wiring: readonly Phase[] = ['L2', 'L3', 'L1'],
  ) {
    this.run = { step };
  }

  /** @returns how it ended, within so many seconds */
  end(within = 1200): string {
    for (let second = 0; second < within; second++) {
      const draws = this.offered >= 6 && this.charging ? this.offered : 0;
      const current: Conductors = [draws, this.car === 3 ? draws : 0, this.car === 3 ? draws : 0];
      const at = this.now;
      const { meter } = shown(current, this.wiring, [4 + (second % 3), 2, 1]);
      const moment = advance(
        this.run,
        {
          connected: this.connected,
          charging: this.charging,
          offered: this.offered,
          draws: { current, at },
          meter: { current: meter, at, name: 'grid' },
          minimum: 6,
          fallback: 6,
          wired: ['L1', 'L2', 'L3'],
          rotationKnown: false,
          lineToLine: false,
          silence: { kind: 'falls-back', after: seconds(30) },
          ...this.seen,
        },
        this.now,
      );
      if ('end' in moment) return `${moment.end.state}: ${moment.end.detail}`;
      this.run = moment.run;
      if (moment.starve !== undefined) this.starved += 1;
      this.bounds.push(moment.bound);
      if (this.obeys) this.offered = Math.min(this.granted, moment.bound ?? Infinity);
      this.now = milliseconds(this.now + 1000);
    }
    throw new Error('it never ends');
  }
}

t.test('a limit is taken, and a pause; or it is said what is not', (test) => {
  test.match(new Bench('setpoint').end(), /^passed: from 16 A to 6 A at 6 A, confirmed after 1 s; back at 16 A/);
  test.match(new Bench('pause').end(), /^passed: from 16 A to 0 A/);
  for (const step of ['setpoint', 'pause', 'watchdog', 'phases'] as const) {
    const empty = new Bench(step);
    empty.charging = false;
    test.match(empty.end(), /^needs-car/, step);
    const gone = new Bench(step);
    gone.connected = false;
    test.match(gone.end(), /^failed: the charger does not answer/, step);
    test.ok(
      new Bench(step).bounds.every((bound) => bound === undefined || bound <= 16),
      'it is never raised',
    );
  }
  const deaf = new Bench('setpoint');
  deaf.obeys = false;
  test.match(deaf.end(), /^failed: it has not confirmed 6 A/);
  const liar = new Bench('setpoint');
  liar.seen = { draws: { current: [16, 0, 0], at: milliseconds(1e9) } };
  test.match(liar.end(), /^failed: it confirms 6 A, and the car takes 16 A/);
  const full = new Bench('setpoint');
  full.offered = full.granted = 7;
  test.match(full.end(), /^skipped: the car takes 7 A: too little/);
  test.end();
});

t.test('the watchdog is left alone once, and what it then does is told', (test) => {
  const after = (current: number): Bench => {
    const bench = new Bench('watchdog');
    try {
      bench.end(5);
    } catch {
      // It waits.
    }
    test.equal(bench.starved, 1);
    bench.seen = { starved: { status: 'ended', current: [current, 0, 0] } };
    return bench;
  };
  test.match(after(6).end(), /^passed: left alone for 30 s it fell from 16 A to 6 A/);
  test.match(after(16).end(), /^failed: left alone for 30 s it still gave 16 A/);
  const broken = after(16);
  broken.seen = { starved: { status: 'interrupted', detail: 'the charger had to be told something' } };
  test.match(broken.end(), /^skipped: broken off/);
  const without = new Bench('watchdog');
  without.seen = { silence: { kind: 'keeps-its-limit', note: 'no register' } };
  test.match(without.end(), /^skipped: it keeps its last limit/);
  const unknown = new Bench('watchdog');
  unknown.seen = { silence: { kind: 'unknown' } };
  test.match(unknown.end(), /^skipped: when it acts without the gateway is not known/);
  test.equal(unknown.starved, 0, 'it would be left alone for ever');
  const ocpp = (confirmed: boolean): string => {
    const bench = new Bench('watchdog');
    bench.seen = { silence: { kind: 'default-profile', confirmed } };
    return bench.end();
  };
  test.match(ocpp(true), /^skipped: it has taken a default profile of 6 A/);
  test.match(ocpp(false), /^failed: it has not taken/);
  test.end();
});

t.test('phases: a line to write, or why there is none', (test) => {
  test.match(new Bench('phases').end(), /^passed: write phases: L2 L3 L1/);
  const known = new Bench('phases');
  known.seen = { rotationKnown: true };
  test.match(known.end(), /^failed: site.yaml says phases: L1 L2 L3, measured is phases: L2 L3 L1/);
  const right = new Bench('phases', ['L1', 'L2', 'L3']);
  right.seen = { rotationKnown: true };
  test.match(right.end(), /^passed: phases: L1 L2 L3, as site.yaml says/);
  const three = new Bench('phases');
  three.car = 3;
  test.match(three.end(), /^failed: after 10 steps it cannot be said: the car takes the same on all three/);
  const crowded = new Bench('phases');
  crowded.offered = crowded.granted = 7;
  test.match(crowded.end(), /^passed/, 'where little is granted, by pausing');
  const blind = new Bench('phases');
  blind.seen = { meter: undefined } as unknown as Partial<Seen>;
  test.match(blind.end(), /^skipped: no meter/);
  const pair = new Bench('phases');
  pair.seen = { lineToLine: true };
  test.match(pair.end(), /^skipped: it hangs between two phases/);
  test.end();
});

t.test('the report is Markdown whatever devices call themselves; who knocks is a bounded list', (test) => {
  const evil = {
    step: 'communication',
    state: 'passed',
    detail: '| <script> `x`\n# y',
    at: '2025-03-01T08:00:00Z',
    by: 'A*',
  };
  const text = commissioningReport({ id: 'S_1', name: 'Site' }, '2025-03-01T08:00:00Z', [
    { station: 'CP|1', steps: [evil] },
  ]);
  test.match(text, /1 steps at 1 stations, 1 passed/);
  test.notMatch(text, /^# y/m);
  test.notMatch(text, /[^\\]<script/);
  const knocking = new KnockingStations(new FakeClock());
  for (let i = 0; i < 200; i++) knocking.knocked(`CP${i % 40}`, '10.0.0.9');
  for (let i = 40; i < 80; i++) knocking.knocked(`CP${i}`, '10.0.0.9');
  knocking.knocked('x'.repeat(500), '10.0.0.9');
  test.equal(knocking.all.length, 50);
  test.match(knocking.all[0], { station: 'CP79', attempts: 1 });
  test.match(knocking.all.at(-1), { station: 'CP30', attempts: 5 });
  test.end();
});
