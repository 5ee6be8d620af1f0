// The one-line diagram as rows: circuits from the grid connection downwards, under each its EVSEs, then the circuits that it feeds.
import type { SiteDrawing } from '../../../../gateway/ports/console.js';
import type { DrawnCircuit } from '../contract.js';

export type DiagramRow = {
  /** How far below a grid connection: 0 for itself. */
  readonly depth: number;
  /** For each line further out, from the grid connection's: whether it goes on below this row. */
  readonly lines: readonly boolean[];
  /** Nothing else hangs on the same circuit below this row. */
  readonly last: boolean;
} & (
  | { readonly kind: 'circuit'; readonly circuit: DrawnCircuit; readonly feeds: boolean }
  | { readonly kind: 'evse'; readonly evse: number; readonly circuit: string }
);

/** @param folded circuits of which only the circuit itself is drawn */
export function diagramRows({ circuits }: SiteDrawing, folded: ReadonlySet<string> = new Set()): readonly DiagramRow[] {
  const known = new Set(circuits.map(({ circuit }) => circuit));
  const fedBy = (feeder: string | undefined): readonly DrawnCircuit[] =>
    circuits.filter((each) => (each.fedBy !== undefined && known.has(each.fedBy) ? each.fedBy : undefined) === feeder);
  const rows: DiagramRow[] = [];
  const draw = (circuit: DrawnCircuit, depth: number, outer: readonly boolean[], last: boolean): void => {
    const fed = fedBy(circuit.circuit);
    const hangs = circuit.evses.length + fed.length;
    const open = !folded.has(circuit.circuit);
    rows.push({ kind: 'circuit', circuit, depth, lines: outer, last, feeds: hangs > 0 && open });
    if (!open) return;
    // A grid connection hangs on nothing: there is no line for what is below it to continue.
    const inner = depth === 0 ? outer : [...outer, !last];
    circuit.evses.forEach((evse, index) =>
      rows.push({
        kind: 'evse',
        evse,
        circuit: circuit.circuit,
        depth: depth + 1,
        lines: inner,
        last: index === hangs - 1,
      }),
    );
    fed.forEach((each, index) => draw(each, depth + 1, inner, index === fed.length - 1));
  };
  const connections = fedBy(undefined);
  connections.forEach((each, index) => draw(each, 0, [], index === connections.length - 1));
  return rows;
}
