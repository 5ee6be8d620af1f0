// The division of what is left among all candidates, within the rule of unbalance; done again only where something that decides it has changed.
import type { BalancingPolicy } from '../site/topology.js';
import { allocate } from './allocation.js';
import type { Rows } from './capacity.js';
import type { Triple } from './conductors.js';
import { noShares, type Candidate, type Shares } from './share.js';
import { boundByUnbalance, limitUnbalance } from './unbalance.js';

/** All that decides who gets what. */
export interface Divisible {
  /** Best first. */
  readonly order: readonly Candidate[];
  readonly rows: Rows;
  /** What the candidates may take, by cell. */
  readonly left: Float64Array;
  /** By row, whether its background is measured and so may move. */
  readonly moving: readonly boolean[];
  /** What one- and two-phase EVSEs take that are no candidates, in A per phase. */
  readonly uneven: Triple;
}

export interface Division extends Divisible {
  readonly shares: Shares;
  /** What nobody got, by cell. */
  readonly rest: Float64Array;
}

export function divide(
  divisible: Divisible,
  outlets: readonly unknown[],
  { strategy, unbalance }: Pick<BalancingPolicy, 'strategy' | 'unbalance'>,
  before: Division | undefined,
): Division {
  // What a change of a cell that decides nothing leaves as it is: not told apart where all cells decide together.
  const separable = strategy !== 'most-energy' && unbalance === undefined;
  const known = before !== undefined && sameDivisible(before, divisible) ? before : undefined;
  const rest = known && restWithin(known, divisible, separable);
  if (known !== undefined && rest !== undefined) return { ...divisible, shares: known.shares, rest };
  const { order, rows, left, moving, uneven } = divisible;
  const shares = noShares(outlets);
  let over = allocate(order, rows, left, moving, strategy, shares);
  if (unbalance !== undefined && limitUnbalance(order, shares, uneven, unbalance)) {
    // What the rule takes from some is divided among the others.
    over = allocate(boundByUnbalance(order, shares), rows, left, moving, strategy, shares);
    limitUnbalance(order, shares, uneven, unbalance);
  }
  return { ...divisible, shares, rest: over };
}

const sameDivisible = (a: Divisible, b: Divisible): boolean =>
  a.order === b.order &&
  a.rows.lanes === b.rows.lanes &&
  a.moving.every((moves, row) => moves === b.moving[row]) &&
  a.uneven.every((current, phase) => current === b.uneven[phase]);

/**
 * What nobody would get now, if that changes nothing for anybody: every cell that has another size had room to spare before,
 * more than any start asks for, and has it still. Such a cell refuses nobody and fills up for nobody.
 */
function restWithin(before: Division, { left, order }: Divisible, separable: boolean): Float64Array | undefined {
  let rest: Float64Array | undefined;
  let spare = -1;
  for (let cell = 0; cell < left.length; cell++) {
    const change = (left[cell] ?? 0) - (before.left[cell] ?? 0);
    if (change === 0) continue;
    if (!separable) return undefined;
    if (spare < 0) spare = MOST_OF_AN_AMPERE * order.reduce((most, { startNeed }) => Math.max(most, startNeed), 0);
    const had = before.rest[cell] ?? 0;
    if (had < spare || had + change < spare) return undefined;
    rest ??= before.rest.slice();
    rest[cell] = had + change;
  }
  return rest ?? before.rest;
}

/** Of a cell, one ampere takes at most the square root of 3. */
const MOST_OF_AN_AMPERE = 2;
