// The largest total value of currents within bounds and cells: the bounded simplex method for a problem to which 0 is an answer.
import type { Lane } from './network.js';

export interface Column {
  readonly lane: Lane;
  /** Current from 0 to this. */
  readonly most: number;
  /** Of one ampere; above 0. */
  readonly value: number;
}

const EPSILON = 1e-9;

/**
 * Starts at 0 and exchanges one variable at a time while that adds value. Should rounding keep it from the end, what it
 * has then is within all cells too.
 * @param left what the columns may take together, by cell; below 0 counts as 0
 * @returns the current of each column
 */
export function mostValue(columns: readonly Column[], left: Float64Array): Float64Array {
  const cells = cellsThatBind(columns, left);
  const n = columns.length;
  const m = cells.length;
  const place = new Map(cells.map((cell, row) => [cell, row]));
  const table = new Float64Array(m * n);
  columns.forEach(({ lane }, j) => {
    lane.cells.forEach((cell, at) => {
      const row = place.get(cell);
      if (row !== undefined) table[row * n + j] = lane.coefficients[at] ?? 0;
    });
  });
  return simplex(
    table,
    Float64Array.from(cells, (cell) => Math.max(0, left[cell] ?? 0)),
    Float64Array.from(columns, ({ most }) => most),
    Float64Array.from(columns, ({ value }) => value),
  );
}

/** Cells that hold all that the columns could take are no bounds. */
function cellsThatBind(columns: readonly Column[], left: Float64Array): readonly number[] {
  const most = new Float64Array(left.length);
  for (const { lane, most: current } of columns) {
    for (let at = 0; at < lane.cells.length; at++) {
      const cell = lane.cells[at] ?? 0;
      most[cell] = (most[cell] ?? 0) + current * (lane.coefficients[at] ?? 0);
    }
  }
  return [...most.keys()].filter((cell) => (most[cell] ?? 0) > Math.max(0, left[cell] ?? 0) + EPSILON);
}

/**
 * Maximizes gain * x with table * x <= room and 0 <= x <= most. A variable at its upper bound is replaced by its distance
 * from it, so that every variable outside the basis is 0.
 * @param table by row; is changed, as are `room` and `gain`
 */
function simplex(table: Float64Array, room: Float64Array, most: Float64Array, gain: Float64Array): Float64Array {
  const n = most.length;
  const m = room.length;
  const bound = (variable: number): number => (variable < n ? (most[variable] ?? 0) : Infinity);
  const outside = Int32Array.from({ length: n }, (_, j) => j);
  const basis = Int32Array.from({ length: m }, (_, i) => n + i);
  const fromTop = new Uint8Array(n + m);
  const turn = (variable: number): void => {
    fromTop[variable] = 1 - (fromTop[variable] ?? 0);
  };
  for (let round = 0; round < 10 * (n + m); round++) {
    const j = entering(gain, round > 4 * (n + m));
    if (j < 0) break;
    const entered = outside[j] ?? 0;
    let step = bound(entered);
    let leaving = -1;
    let atTop = false;
    for (let i = 0; i < m; i++) {
      const a = table[i * n + j] ?? 0;
      if (Math.abs(a) <= EPSILON) continue;
      const top = bound(basis[i] ?? 0);
      const reach = a > 0 ? (room[i] ?? 0) / a : (top - (room[i] ?? 0)) / -a;
      if (reach >= step) continue;
      step = Math.max(0, reach);
      leaving = i;
      atTop = a < 0;
    }
    if (leaving < 0) {
      for (let i = 0; i < m; i++) {
        const a = table[i * n + j] ?? 0;
        if (a === 0) continue;
        room[i] = Math.max(0, (room[i] ?? 0) - a * step);
        table[i * n + j] = -a;
      }
      gain[j] = -(gain[j] ?? 0);
      turn(entered);
      continue;
    }
    if (atTop) {
      const variable = basis[leaving] ?? 0;
      turn(variable);
      room[leaving] = bound(variable) - (room[leaving] ?? 0);
      for (let k = 0; k < n; k++) table[leaving * n + k] = -(table[leaving * n + k] ?? 0);
    }
    pivot(table, room, gain, leaving, j);
    outside[j] = basis[leaving] ?? 0;
    basis[leaving] = entered;
  }
  const x = new Float64Array(n);
  const put = (variable: number, value: number): void => {
    if (variable < n)
      x[variable] = Math.min(bound(variable), Math.max(0, fromTop[variable] ? bound(variable) - value : value));
  };
  outside.forEach((variable) => put(variable, 0));
  basis.forEach((variable, i) => put(variable, room[i] ?? 0));
  return x;
}

/** The best gain; from some point on the first, which cannot go round in circles. */
function entering(gain: Float64Array, first: boolean): number {
  let best = EPSILON;
  let chosen = -1;
  for (let j = 0; j < gain.length; j++) {
    if ((gain[j] ?? 0) <= best) continue;
    if (first) return j;
    best = gain[j] ?? 0;
    chosen = j;
  }
  return chosen;
}

function pivot(table: Float64Array, room: Float64Array, gain: Float64Array, row: number, column: number): void {
  const n = gain.length;
  const own = row * n;
  const inverse = 1 / (table[own + column] ?? 1);
  const filled: number[] = [];
  for (let k = 0; k < n; k++) {
    const value = (table[own + k] ?? 0) * inverse;
    table[own + k] = value;
    if (value !== 0 && k !== column) filled.push(k);
  }
  table[own + column] = inverse;
  room[row] = (room[row] ?? 0) * inverse;
  for (let i = 0; i < room.length; i++) {
    const at = i * n;
    const a = table[at + column] ?? 0;
    if (i === row || a === 0) continue;
    for (const k of filled) table[at + k] = (table[at + k] ?? 0) - a * (table[own + k] ?? 0);
    table[at + column] = -a * inverse;
    room[i] = Math.max(0, (room[i] ?? 0) - a * (room[row] ?? 0));
  }
  const a = gain[column] ?? 0;
  for (const k of filled) gain[k] = (gain[k] ?? 0) - a * (table[own + k] ?? 0);
  gain[column] = -a * inverse;
}
