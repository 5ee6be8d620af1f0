// The most energy that any schedule could have moved: a linear program over all cars and times, solved by HiGHS.
import highsModule from 'highs';
import type { Garage } from './garage.js';
import { POLICY } from './garage.js';

/** One car; times in steps, energy in units of what one ampere moves in a step. */
export interface Stay {
  readonly from: number;
  readonly to: number;
  readonly most: number;
  readonly energy: number;
  /** Of one ampere, for the sum. */
  readonly worth: number;
  /** What one ampere takes of each bound. */
  readonly takes: readonly { readonly bound: number; readonly coefficient: number }[];
}

/** Its types are those of the CommonJS build, where the loader is a member. */
const loadHighs = highsModule as unknown as typeof highsModule.default;

/** HiGHS prints to the console unless told otherwise. */
const QUIET = { output_flag: false } as const;

/** The largest sum of worth times current over all cars and steps, each bound held in every step. */
export async function mostEnergy(
  stays: readonly Stay[],
  limit: (bound: number, step: number) => number,
): Promise<number> {
  const highs = await loadHighs();
  let total = 0;
  for (const group of together(stays)) {
    const objective: string[] = [];
    const energies: string[] = [];
    const most: string[] = [];
    const rows = new Map<string, { readonly limit: number; readonly terms: string[]; most: number }>();
    group.forEach((stay, i) => {
      const names: string[] = [];
      for (let step = stay.from; step < stay.to; step++) {
        const name = `x${i}_${step}`;
        names.push(name);
        objective.push(`+ ${stay.worth} ${name}`);
        most.push(` 0 <= ${name} <= ${stay.most}`);
        for (const { bound, coefficient } of stay.takes) {
          const key = `${bound}_${step}`;
          const row = rows.get(key) ?? { limit: Math.max(0, limit(bound, step)), terms: [], most: 0 };
          row.terms.push(`+ ${coefficient.toFixed(9)} ${name}`);
          row.most += Math.max(0, coefficient) * stay.most;
          rows.set(key, row);
        }
      }
      energies.push(` e${i}: ${names.map((name) => `+ ${name}`).join('\n ')} <= ${stay.energy}`);
    });
    const tight = [...rows].filter(([, row]) => row.most > row.limit);
    const problem = [
      'Maximize',
      ` obj: ${objective.join('\n ')}`,
      'Subject To',
      ...energies,
      ...tight.map(([key, row]) => ` r${key}: ${row.terms.join('\n ')} <= ${row.limit.toFixed(9)}`),
      'Bounds',
      ...most,
      'End',
    ].join('\n');
    const solved = highs.solve(problem, QUIET);
    if (solved.Status !== 'Optimal') throw new Error(`HiGHS: ${solved.Status}`);
    total += solved.ObjectiveValue;
  }
  return total;
}

/** Cars that are never there together, nor with others of the group, are problems of their own. */
function together(stays: readonly Stay[]): readonly (readonly Stay[])[] {
  const groups: Stay[][] = [];
  let end = -1;
  for (const stay of [...stays].filter(({ from, to }) => to > from).sort((a, b) => a.from - b.from)) {
    if (stay.from >= end) groups.push([]);
    groups.at(-1)?.push(stay);
    end = Math.max(end, stay.to);
  }
  return groups;
}

const STEP = 300;
const VOLT = 230;

/** In kWh; the building is taken as its mean of each step, and cars as willing to take any current at once. */
export async function optimumOf(garage: Garage): Promise<number> {
  const network = garage.network(POLICY);
  const stays = garage.visits.map((visit): Stay => {
    const on = [0, 1, 2].filter((phase) => visit.phases & (1 << phase));
    const path = network.outlets[visit.outlet]?.path ?? [];
    const worth = (on.length * VOLT * STEP) / 3_600_000;
    return {
      from: Math.ceil(visit.arrival / STEP),
      to: Math.floor(visit.departure / STEP),
      most: visit.most,
      energy: visit.energy / 1000 / worth,
      worth,
      takes: path.flatMap((row) => on.map((phase) => ({ bound: row * 3 + phase, coefficient: 1 }))),
    };
  });
  const building = (phase: number, step: number): number => {
    let sum = 0;
    for (let second = step * STEP; second < (step + 1) * STEP; second++) sum += garage.building(second)[phase] ?? 0;
    return sum / STEP;
  };
  return mostEnergy(stays, (bound, step) => {
    const row = Math.floor(bound / 3);
    return (network.circuits[row]?.breaker ?? 0) - (row === 0 ? building(bound % 3, step) : 0);
  });
}
