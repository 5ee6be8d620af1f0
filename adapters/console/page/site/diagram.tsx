// The one-line diagram: from the grid connection down to the cars, with the current of each conductor against what it may carry.
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { useConsole } from '../console-context.js';
import type { CircuitSummary, EvseSummary } from '../../../../gateway/ports/console.js';
import type { DrawnCircuit, DrawnEvse } from '../contract.js';
import { duration, energy, power, rating, secondsBetween } from '../format.js';
import { State } from '../parts/glyph.js';
import { CircuitConductors, Conductor } from '../parts/phases.js';
import { addressOf } from '../place.js';
import { evseStanding, PHASES } from '../standing.js';
import { diagramRows, type DiagramRow } from './diagram-rows.js';
import { MeterSymbol, SupplySymbol, BreakerSymbol } from './symbols.js';

export function Diagram(): JSX.Element {
  const { drawing, live } = useConsole();
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const rows = useMemo(() => diagramRows(drawing, folded), [drawing, folded]);
  const circuits = new Map(live.status?.circuits.map((each) => [each.circuit, each]));
  const evses = new Map(live.status?.evses.map((each) => [each.evse, each]));
  const drawn = new Map(drawing.evses.map((each) => [each.evse, each]));
  const fold = (circuit: string): void =>
    setFolded(
      (before) => new Set(before.has(circuit) ? [...before].filter((each) => each !== circuit) : [...before, circuit]),
    );
  return (
    <div class="diagram" role="table" aria-label="One-line diagram with the current of each phase">
      <div class="row heads" role="row">
        <span class="what" role="columnheader">
          Circuit, EVSE
        </span>
        <span class="how" role="columnheader">
          State
        </span>
        {PHASES.map((phase) => (
          <span key={phase} class={`conductor phase-${phase}`} role="columnheader">
            <span class="phase">{phase}</span> A
          </span>
        ))}
        <span class="why" role="columnheader">
          What it takes and why
        </span>
      </div>
      {rows.map((row) =>
        row.kind === 'circuit' ? (
          <CircuitRow
            key={`circuit ${row.circuit.circuit}`}
            row={row}
            circuit={row.circuit}
            live={circuits.get(row.circuit.circuit)}
            folded={folded.has(row.circuit.circuit)}
            onFold={() => fold(row.circuit.circuit)}
          />
        ) : (
          <EvseRow key={`evse ${row.evse}`} row={row} drawn={drawn.get(row.evse)} live={evses.get(row.evse)} />
        ),
      )}
    </div>
  );
}

/** The lines of the diagram left of a row. */
const Lines = ({ row, children }: { readonly row: DiagramRow; readonly children?: JSX.Element }): JSX.Element => (
  <span class="lines" aria-hidden="true">
    {row.lines.map((goesOn, index) => (
      // The lines of a row have no other name than their place.
      <i key={index} class={goesOn ? 'line' : 'gap'} />
    ))}
    {row.depth > 0 && <i class={row.last ? 'branch is-last' : 'branch'} />}
    {children}
  </span>
);

interface CircuitRowProps {
  readonly row: Extract<DiagramRow, { kind: 'circuit' }>;
  readonly circuit: DrawnCircuit;
  readonly live: CircuitSummary | undefined;
  readonly folded: boolean;
  readonly onFold: () => void;
}

function CircuitRow({ row, circuit, live, folded, onFold }: CircuitRowProps): JSX.Element {
  const { drawing } = useConsole();
  const name = circuit.circuit;
  const standing = live?.standing;
  const device = drawing.meters.find(({ meter }) => meter === circuit.meter)?.device;
  const hasMore = circuit.evses.length > 0 || drawing.circuits.some(({ fedBy }) => fedBy === name);
  return (
    <div class={row.depth === 0 ? 'row circuit is-root' : 'row circuit'} role="row" style={{ '--depth': row.depth }}>
      <div class="what" role="rowheader">
        <Lines row={row}>
          <span class={row.feeds ? 'symbols feeds' : 'symbols'}>
            {row.depth === 0 && <SupplySymbol />}
            <BreakerSymbol />
          </span>
        </Lines>
        <span class="name">
          <a href={addressOf({ page: 'circuit', circuit: name })}>{name}</a>
          <small>
            {rating(circuit.breaker_A)} breaker
            {circuit.fedBy !== undefined && <span class="hidden"> fed by {circuit.fedBy}</span>}
          </small>
        </span>
        {hasMore && (
          <button type="button" class="fold" aria-expanded={!folded} aria-label={`What ${name} feeds`} onClick={onFold}>
            <svg viewBox="0 0 12 12" aria-hidden="true" focusable="false">
              <path d="M2.5 4.5 6 8l3.5-3.5" />
            </svg>
          </button>
        )}
      </div>
      <div class="how" role="cell">
        {circuit.meter === undefined ? (
          <span class="quiet">no meter</span>
        ) : (
          <span class="meter" title={device}>
            <MeterSymbol />
            <MeterHealth of={standing?.meter} name={circuit.meter} />
          </span>
        )}
      </div>
      <CircuitConductors breaker_A={circuit.breaker_A} standing={standing} />
      <div class="why" role="cell">
        {standing === undefined ? 'not planned yet' : limitWords(standing, circuit)}
      </div>
    </div>
  );
}

function MeterHealth({ of: health, name }: { readonly of: string | undefined; readonly name: string }): JSX.Element {
  if (health === 'lost') return <State glyph="warning" word={`${name} lost`} />;
  if (health === 'stale') return <State glyph="warning" word={`${name} late`} />;
  return <span>{name}</span>;
}

function limitWords(standing: NonNullable<CircuitSummary['standing']>, circuit: DrawnCircuit): string {
  const granted = Math.max(...PHASES.map((phase) => standing.granted_A[phase]));
  const cars = `cars may take ${rating(granted)}`;
  if (standing.meter === 'lost') return `meter lost: ${cars}`;
  if (standing.limitedBy === 'gridOperator') return `${rating(standing.limit_A)} by the grid operator, ${cars}`;
  if (standing.limit_A < circuit.breaker_A) return `limit ${rating(standing.limit_A)}, ${cars}`;
  return cars;
}

interface EvseRowProps {
  readonly row: Extract<DiagramRow, { kind: 'evse' }>;
  readonly drawn: DrawnEvse | undefined;
  readonly live: EvseSummary | undefined;
}

function EvseRow({ row, drawn, live }: EvseRowProps): JSX.Element {
  const { live: picture } = useConsole();
  const standing = evseStanding(live, picture.status);
  const has = (phase: string): boolean => drawn?.phases.includes(phase) ?? false;
  const scale_A = drawn?.max_A ?? 32;
  const set_A = live?.limit_A ?? live?.offered_A;
  return (
    <div class={`row evse is-${standing.glyph}`} role="row" style={{ '--depth': row.depth }}>
      <div class="what" role="rowheader">
        <Lines row={row} />
        <span class="name">
          <a class="whole" href={addressOf({ page: 'evse', evse: row.evse })}>
            EVSE {row.evse}
          </a>
          <small>{drawn?.station}</small>
        </span>
      </div>
      <div class="how" role="cell">
        <State {...standing} />
      </div>
      {PHASES.map((phase) =>
        has(phase) ? (
          <Conductor
            key={phase}
            phase={phase}
            current_A={live?.transaction === undefined ? undefined : live.current_A?.[phase]}
            scale_A={scale_A}
            limit_A={live?.transaction === undefined ? undefined : set_A}
          />
        ) : (
          <span key={phase} class="conductor is-absent" role="cell" />
        ),
      )}
      <div class="why" role="cell">
        <EvseWords live={live} />
      </div>
    </div>
  );
}

function EvseWords({ live }: { readonly live: EvseSummary | undefined }): JSX.Element | null {
  const { live: picture } = useConsole();
  if (live === undefined) return null;
  const { transaction, power_W, explanation, reservation, limit_A } = live;
  if (transaction === undefined) return reservation === undefined ? null : <span>kept for {reservation.idToken}</span>;
  const lasting = picture.status === undefined ? 0 : secondsBetween(transaction.startedAt, picture.status.at);
  return (
    <>
      <span class="taken">
        {power_W !== undefined && <b>{power(power_W)}</b>}
        {transaction.energy_Wh !== undefined && <span>{energy(transaction.energy_Wh)}</span>}
        <span>{duration(lasting)}</span>
        {limit_A !== undefined && <span class="quiet">limit {rating(limit_A)}</span>}
      </span>
      <span class="because">{because(explanation)}</span>
    </>
  );
}

/** The row says the rest of it already: `EVSE 3 was told 16 A, since …` */
function because(explanation: string): string {
  const words = explanation.replace(/^EVSE \d+ .*? since /, '').replace(/^EVSE \d+ /, '');
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}
