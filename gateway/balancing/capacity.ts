// The rows of the problem: each circuit and each shared cap, three phases each, and what is left on them.
import { phaseAt, type Network, type PhaseMask, type Triple } from './network.js';
import type { Headroom } from './headroom.js';
import type { ProfileReference, SharedCap } from './observation.js';
import type { Phase } from '../site/topology.js';

export interface Rows {
  /** For each outlet the rows that carry its current: circuits first, then caps. */
  readonly of: readonly (readonly number[])[];
  readonly count: number;
  /** What all EVSEs together may take, at [row * 3 + phase]. */
  readonly slack: Float64Array;
}

export interface RowName {
  readonly kind: 'circuit' | 'cap';
  readonly name: string;
  readonly phase: Phase;
  /** The profile that is the cap. */
  readonly profile?: ProfileReference;
}

export function rowsOf(network: Network, headrooms: readonly Headroom[], caps: readonly SharedCap[]): Rows {
  const circuits = network.circuits.length;
  const count = circuits + caps.length;
  const slack = new Float64Array(count * 3);
  headrooms.forEach((headroom, row) => slack.set(headroom.slack, row * 3));
  if (caps.length === 0) return { of: network.outlets.map((outlet) => outlet.path), count, slack };
  const of = network.outlets.map((outlet) => [...outlet.path]);
  caps.forEach((cap, position) => {
    slack.fill(cap.limit, (circuits + position) * 3, (circuits + position) * 3 + 3);
    for (const evse of new Set(cap.evses)) of[network.indexOf.get(evse) ?? -1]?.push(circuits + position);
  });
  return { of, count, slack };
}

/** What a cell of the rows is called by people. */
export function rowName(network: Network, caps: readonly SharedCap[], cell: number): RowName {
  const row = Math.floor(cell / 3);
  const circuit = network.circuits[row];
  const phase = phaseAt(cell % 3);
  if (circuit !== undefined) return { kind: 'circuit', name: circuit.id, phase };
  const cap = caps[row - network.circuits.length];
  return { kind: 'cap', name: cap?.name ?? '', phase, ...(cap?.profile && { profile: cap.profile }) };
}

/** Takes `current` on `phases` from every row. */
export function take(left: Float64Array, rows: readonly number[], phases: PhaseMask, current: number): void {
  for (const row of rows) {
    for (let phase = 0; phase < 3; phase++) {
      if (phases & (1 << phase)) left[row * 3 + phase] = (left[row * 3 + phase] ?? 0) - current;
    }
  }
}

/** Takes a current that differs by phase from every row. */
export function takeEach(left: Float64Array, rows: readonly number[], current: Triple): void {
  for (const row of rows) {
    for (let phase = 0; phase < 3; phase++)
      left[row * 3 + phase] = (left[row * 3 + phase] ?? 0) - (current[phase] ?? 0);
  }
}

/** The cell that has least left among those an EVSE loads; -1 where nothing carries it. */
export function tightest(left: Float64Array, rows: readonly number[], phases: PhaseMask): number {
  let cell = -1;
  let least = Infinity;
  for (const row of rows) {
    for (let phase = 0; phase < 3; phase++) {
      const at = row * 3 + phase;
      const value = left[at] ?? 0;
      if (phases & (1 << phase) && value < least) {
        least = value;
        cell = at;
      }
    }
  }
  return cell;
}
