// The last hours of an EVSE or a circuit as a chart; the chart's program is fetched when the first one is looked at.
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { History } from '../contract.js';
import { Panel } from '../parts/panel.js';
import { NotFetched, Problem } from '../parts/problem.js';
import { useAsked } from '../use-asked.js';
import { useLater } from '../use-later.js';
import type { Chart as ChartOfTime } from './chart.js';
import { currentChart, powerChart } from './chart-data.js';

const SPANS = [
  [15, '15 min'],
  [60, '1 h'],
  [360, '6 h'],
] as const;
/** A sample is taken each 10 s. */
const EACH_MS = 10_000;

interface HistoryProps {
  /** Without its query. */
  readonly path: string;
  readonly of: string;
}

export function HistoryPanel({ path, of }: HistoryProps): JSX.Element {
  const [minutes, setMinutes] = useState<number>(60);
  const [what, setWhat] = useState<'current' | 'power'>('current');
  const { answer, problem } = useAsked<History>(`${path}?minutes=${minutes}`, EACH_MS);
  const { part: Chart, failed } = useLater(chart);
  const charted = useMemo(
    () => answer && (what === 'power' ? powerChart(answer) : currentChart(answer)),
    [answer, what],
  );
  const measured = charted?.columns.slice(1).some((values) => values.some((value) => value !== null)) === true;
  return (
    <Panel
      title={what === 'power' ? 'Power' : 'Current against its limit'}
      aside={
        <>
          {answer?.power_W !== undefined && (
            <Choice
              label="What is drawn"
              value={what}
              of={[
                ['current', 'Current'],
                ['power', 'Power'],
              ]}
              onChange={setWhat}
            />
          )}
          <Choice label="How far back" value={minutes} of={SPANS} onChange={setMinutes} />
        </>
      }
    >
      <Problem of={problem} />
      {failed && <NotFetched />}
      {charted !== undefined && !measured && <p class="quiet">Nothing was measured in this time.</p>}
      {charted !== undefined && measured && Chart !== undefined && (
        <Chart
          of={charted}
          label={`${what === 'power' ? 'Power' : 'Current'} of ${of} in the last ${minutes} minutes`}
        />
      )}
      {charted === undefined && problem === undefined && <p class="quiet">Asking for the measurements …</p>}
    </Panel>
  );
}

interface ChoiceProps<T> {
  readonly label: string;
  readonly value: T;
  readonly of: readonly (readonly [T, string])[];
  readonly onChange: (value: T) => void;
}

function Choice<T extends string | number>({ label, value, of, onChange }: ChoiceProps<T>): JSX.Element {
  return (
    <fieldset class="choice">
      <legend class="hidden">{label}</legend>
      {of.map(([each, title]) => (
        <label key={each}>
          <input type="radio" name={label} checked={each === value} onChange={() => onChange(each)} />
          <span>{title}</span>
        </label>
      ))}
    </fieldset>
  );
}

const chart = async (): Promise<typeof ChartOfTime> => (await import('./chart.js')).Chart;
