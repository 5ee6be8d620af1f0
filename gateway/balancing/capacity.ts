// The cells of one plan: what is left on the conductors of every circuit and under every shared cap, and how EVSEs take from it.
import { LEGS, conductorsOf, type Bound, type Triple } from './conductors.js';
import type { Headroom } from './headroom.js';
import { laneOver, legsBelow, phaseAt, type Lane, type Network } from './network.js';
import type { ProfileReference, SharedCap } from './observation.js';
import type { Phase } from '../site/topology.js';

export interface Rows {
  /** What all EVSEs together may take, by cell. */
  readonly slack: Float64Array;
  /** Circuits in the network's order, then caps. */
  readonly row: readonly number[];
  readonly bounds: readonly Bound[];
  /** For each outlet, by mask: the cells of its circuits and caps. */
  readonly lanes: readonly (readonly Lane[])[];
}

export interface RowName {
  readonly kind: 'circuit' | 'cap';
  readonly name: string;
  readonly phase: Phase;
  /** The profile that is the cap. */
  readonly profile?: ProfileReference;
}

/** The cells of circuits and caps, and who loads them: the same as long as the caps hold the same EVSEs. */
export interface Layout {
  readonly caps: readonly SharedCap[];
  readonly row: readonly number[];
  readonly bounds: readonly Bound[];
  readonly lanes: readonly (readonly Lane[])[];
}

/** @param headrooms of the circuits, in the network's order */
export function rowsOf({ caps, row, bounds, lanes }: Layout, headrooms: readonly Headroom[]): Rows {
  const slack = new Float64Array(bounds.length);
  for (let cell = 0; cell < slack.length; cell++) {
    const bound = bounds[cell];
    const at = row[cell] ?? 0;
    const room = headrooms[at]?.slack[bound?.conductor ?? 0] ?? caps[at - headrooms.length]?.limit ?? 0;
    slack[cell] = room * (bound?.factor ?? 1);
  }
  return { slack, row, bounds, lanes };
}

/** @param before of the last plan */
export function layoutOf(network: Network, caps: readonly SharedCap[], before: Layout | undefined): Layout {
  if (before !== undefined && sameMembers(before.caps, caps)) return { ...before, caps };
  const row = [...network.cells.row];
  const bounds = [...network.cells.bounds];
  const lanes = [...network.lanes];
  caps.forEach((cap, position) => {
    const members = [...new Set(cap.evses)].flatMap((evse) => network.indexOf.get(evse) ?? []);
    const below = legsBelow(members.flatMap((index) => network.outlets[index] ?? []));
    const first = bounds.length;
    const own = conductorsOf(below).bounds;
    const cells = own.map((_, cell) => first + cell);
    for (const bound of own) {
      row.push(network.circuits.length + position);
      bounds.push(bound);
    }
    for (const index of members) {
      const outlet = network.outlets[index];
      if (outlet === undefined) continue;
      lanes[index] = (lanes[index] ?? []).map((lane, mask) => joined(lane, laneOver(outlet, mask, cells, own, first)));
    }
  });
  return { caps, row, bounds, lanes };
}

const sameMembers = (a: readonly SharedCap[], b: readonly SharedCap[]): boolean =>
  a.length === b.length &&
  a.every(({ evses }, position) => {
    const others = b[position]?.evses;
    return evses === others || (evses.length === others?.length && evses.every((evse, at) => evse === others[at]));
  });

const joined = (a: Lane, b: Lane): Lane => ({
  cells: Int32Array.from([...a.cells, ...b.cells]),
  coefficients: Float64Array.from([...a.coefficients, ...b.coefficients]),
});

/** What a cell is called by people. */
export function rowName(network: Network, caps: readonly SharedCap[], rows: Rows, cell: number): RowName {
  const row = rows.row[cell] ?? -1;
  const circuit = network.circuits[row];
  const phase = phaseAt(rows.bounds[cell]?.conductor ?? 0);
  if (circuit !== undefined) return { kind: 'circuit', name: circuit.id, phase };
  const cap = caps[row - network.circuits.length];
  return { kind: 'cap', name: cap?.name ?? '', phase, ...(cap?.profile && { profile: cap.profile }) };
}

export const NO_LANE: Lane = { cells: new Int32Array(0), coefficients: new Float64Array(0) };

export const laneOf = (rows: Rows, outlet: number, mask: number): Lane => rows.lanes[outlet]?.[mask] ?? NO_LANE;

/** Takes `current` from every cell of the lane. */
export function take(left: Float64Array, { cells, coefficients }: Lane, current: number): void {
  for (let at = 0; at < cells.length; at++) {
    const cell = cells[at] ?? 0;
    left[cell] = (left[cell] ?? 0) - current * (coefficients[at] ?? 0);
  }
}

/** Takes a current that differs by phase. */
export function takeEach(left: Float64Array, rows: Rows, outlet: number, current: Triple): void {
  for (let phase = 0; phase < 3; phase++) {
    const own = current[phase] ?? 0;
    if (own !== 0) take(left, laneOf(rows, outlet, 1 << phase), own);
  }
}

/** The current that still fits; infinite where nothing carries it, below 0 where a cell has been overdrawn. */
export function roomFor(left: Float64Array, { cells, coefficients }: Lane): number {
  let room = Infinity;
  for (let at = 0; at < cells.length; at++) {
    const fits = (left[cells[at] ?? 0] ?? 0) / (coefficients[at] ?? 1);
    if (fits < room) room = fits;
  }
  return room;
}

/** The cell that has least left for the lane; -1 where nothing carries it. */
export function tightest(left: Float64Array, { cells, coefficients }: Lane): number {
  let tightestCell = -1;
  let room = Infinity;
  for (let at = 0; at < cells.length; at++) {
    const fits = (left[cells[at] ?? 0] ?? 0) / (coefficients[at] ?? 1);
    if (fits >= room) continue;
    room = fits;
    tightestCell = cells[at] ?? -1;
  }
  return tightestCell;
}

/** Adds the current of one outlet to the sums by leg of every circuit that carries it, at [circuit * 6 + leg]. */
export function addLegs(sums: Float64Array, path: readonly number[], lineToLine: boolean, current: Triple): void {
  const first = lineToLine ? 3 : 0;
  for (const row of path) {
    const at = row * LEGS + first;
    sums[at] = (sums[at] ?? 0) + current[0];
    sums[at + 1] = (sums[at + 1] ?? 0) + current[1];
    sums[at + 2] = (sums[at + 2] ?? 0) + current[2];
  }
}
