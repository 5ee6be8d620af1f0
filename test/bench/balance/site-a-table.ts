// Site A at transformers of several sizes: ours, what others do, and the most that any schedule could have moved.
import { mostEnergy, type Stay } from './optimum.js';
import { excessOf, ours, PER_AMPERE, play, STATIONS, visitsOf, type Decide, type Visit } from './site-a.js';
import { sessionsFrom, syntheticSessions, type SessionRecord } from './sessions.js';

const LARGEST = 32;
type Sums = [number, number, number];

const wish = ({ most, left }: Visit): number => Math.min(LARGEST, most, left / PER_AMPERE);
const fits = (cap: number, sums: Sums, there: readonly Visit[], currents: readonly number[]): boolean =>
  excessOf(cap, sums) <= 1e-6 && !podsExceeded(there, currents);

/** Both pods of 8 EVSEs have 80 A. */
function podsExceeded(there: readonly Visit[], currents: readonly number[]): boolean {
  const pods = [0, 0, 0];
  there.forEach(({ pod }, i) => (pods[pod] = (pods[pod] ?? 0) + (currents[i] ?? 0)));
  return (pods[1] ?? 0) > 80 + 1e-6 || (pods[2] ?? 0) > 80 + 1e-6;
}

/** In an order, each the most that the site still bears, from `minimum` on. */
const inOrder =
  (cap: number, minimum: number, order: (a: Visit, b: Visit, step: number) => number): Decide =>
  (there, step) => {
    const currents = there.map(() => 0);
    const sums: Sums = [0, 0, 0];
    const places = [...there.keys()].sort((a, b) => {
      const [one, other] = [there[a], there[b]];
      return one === undefined || other === undefined ? 0 : order(one, other, step);
    });
    for (const i of places) {
      const visit = there[i];
      if (visit === undefined) continue;
      let [low, high] = [0, wish(visit)];
      const set = (current: number): boolean => {
        sums[visit.pair] = (sums[visit.pair] ?? 0) + current - (currents[i] ?? 0);
        currents[i] = current;
        return fits(cap, sums, there, currents);
      };
      if (set(high)) continue;
      for (let halving = 0; halving < 12; halving++) {
        const middle = (low + high) / 2;
        if (set(middle)) low = middle;
        else high = middle;
      }
      set(low < minimum ? 0 : low);
    }
    return currents;
  };

/** An ampere to each in turn, the minimum to begin with, until nobody can have one more. */
const inTurn =
  (cap: number, minimum: number): Decide =>
  (there) => {
    const currents = there.map(() => 0);
    const sums: Sums = [0, 0, 0];
    const queue = [...there.keys()];
    for (let i = queue.shift(); i !== undefined; i = queue.shift()) {
      const visit = there[i];
      if (visit === undefined) continue;
      const had = currents[i] ?? 0;
      const more = Math.min(had === 0 ? Math.max(1, minimum) : 1, wish(visit) - had);
      if (more <= 1e-9) continue;
      currents[i] = had + more;
      sums[visit.pair] = (sums[visit.pair] ?? 0) + more;
      if (fits(cap, sums, there, currents)) queue.push(i);
      else {
        currents[i] = had;
        sums[visit.pair] = (sums[visit.pair] ?? 0) - more;
      }
    }
    return currents;
  };

const laxity = (visit: Visit, step: number): number =>
  visit.saidDeparture - step - visit.left / PER_AMPERE / Math.min(LARGEST, visit.most);

const OTHERS: readonly (readonly [string, (cap: number, minimum: number) => Decide])[] = [
  ['round robin', inTurn],
  ['first come', (cap, minimum) => inOrder(cap, minimum, (a, b) => a.arrival - b.arrival)],
  ['earliest departure', (cap, minimum) => inOrder(cap, minimum, (a, b) => a.saidDeparture - b.saidDeparture)],
  ['least laxity', (cap, minimum) => inOrder(cap, minimum, (a, b, step) => laxity(a, step) - laxity(b, step))],
];

const radians = (degrees: number): number => (degrees * Math.PI) / 180;
/** A third of a turn from one pair, and one line, to the next. */
const TURN = -120;
const PAIR_ANGLE = 30;

interface Tangent {
  readonly primary: boolean;
  readonly line: number;
  readonly angle: number;
}

/**
 * Tangents to the limit of each line, from outside, so that no schedule is left out that holds it: every five degrees over the
 * angles that the sum of its currents can have. A secondary line carries one pair less the one before, a primary line both that
 * and, the other way, the next: |AB + BC - 2 CA| / 4.
 */
const TANGENTS: readonly Tangent[] = [0, 1, 2].flatMap((line) => [
  ...Array.from({ length: 13 }, (_, i) => ({ primary: false, line, angle: line * TURN - 30 + 5 * i })),
  ...Array.from({ length: 25 }, (_, i) => ({ primary: true, line, angle: line * TURN - 90 + 5 * i })),
]);

/** What one ampere of a pair takes of a tangent. */
function takesOf({ primary, line, angle }: Tangent, pair: number): number {
  const place = (pair - line + 3) % 3;
  const factor = primary ? ([0.25, 0.25, -0.5][place] ?? 0) : ([1, 0, -1][place] ?? 0);
  return factor * Math.cos(radians(pair * TURN + PAIR_ANGLE - angle));
}

const staysOf = (sessions: readonly SessionRecord[]): readonly Stay[] =>
  visitsOf(sessions).map(({ arrival, departure, most, energy, pair, pod }): Stay => {
    const lines = TANGENTS.map((tangent, bound) => ({ bound, coefficient: takesOf(tangent, pair) }));
    return {
      from: arrival,
      to: departure,
      most: Math.min(LARGEST, most),
      energy: energy / PER_AMPERE,
      worth: PER_AMPERE,
      takes: [
        ...lines.filter(({ coefficient }) => Math.abs(coefficient) > 1e-9),
        ...(pod === 0 ? [] : [{ bound: POD + pod, coefficient: 1 }]),
      ],
    };
  });

/** The bounds of the pods come after those of the lines. */
const POD = 1000;
const limitOf =
  (cap: number) =>
  (bound: number): number =>
    bound >= POD ? 80 : (cap * 1000) / 3 / (TANGENTS[bound]?.primary === true ? 277 : 120);

/** @param file of sessions; without one they are made up, the same ones every time */
export async function energyOfSiteA(file: string | undefined, caps: readonly number[]): Promise<void> {
  const sessions = file === undefined ? syntheticSessions(STATIONS, 28, 7) : sessionsFrom(file);
  const wanted = sessions.reduce((sum, { energy }) => sum + energy, 0);
  console.log(
    `\nsite A: ${sessions.length} sessions ${file === undefined ? 'made up' : `of ${file}`}, ${wanted.toFixed(0)} kWh; % of it delivered (Jain)`,
  );
  console.log(`${'transformer, kW'.padEnd(36)}${caps.map((cap) => String(cap).padStart(16)).join('')}`);
  const line = (name: string, cells: readonly string[]): void =>
    console.log(`${name.padEnd(36)}${cells.map((cell) => cell.padStart(16)).join('')}`);
  const stays = staysOf(sessions);
  const best: string[] = [];
  for (const cap of caps) {
    best.push(((100 * (await mostEnergy(stays, limitOf(cap)))) / wanted).toFixed(2));
  }
  line('LP optimum', best);
  const rows = ([0, 6] as const).flatMap((minimum): readonly (readonly [string, (cap: number) => Decide])[] => {
    const range = minimum === 0 ? '0-32 A' : '0 or 6-32 A';
    return [
      ...(['fair', 'first-come', 'most-energy'] as const).map((strategy) => {
        const told = strategy === 'most-energy';
        return [`Forecourt, ${strategy}, ${range}`, (cap: number) => ours(cap, { strategy, minimum, told })] as const;
      }),
      ...OTHERS.map(([name, decide]) => [`${name}, ${range}`, (cap: number) => decide(cap, minimum)] as const),
    ];
  });
  for (const [name, decide] of rows) {
    line(
      name,
      caps.map((cap) => {
        const { percent, jain, excess } = play(cap, sessions, decide(cap));
        return `${percent.toFixed(2)} (${jain.toFixed(2)})${excess > 1e-6 ? '!' : ''}`;
      }),
    );
  }
}
