// A history as the columns of a chart: times in seconds since 1970, a gap where nothing was measured.
import type { History } from '../contract.js';
import { PHASES } from '../standing.js';

export type ChartColumns = readonly (readonly (number | null)[])[];

export interface ChartSeries {
  readonly label: string;
  readonly unit: 'A' | 'kW';
  /** The name of the class that draws it. */
  readonly look: 'L1' | 'L2' | 'L3' | 'limit' | 'breaker' | 'power';
}

export interface Charted {
  readonly columns: ChartColumns;
  readonly series: readonly ChartSeries[];
}

export function currentChart(history: History): Charted {
  const measured = PHASES.flatMap((look, index) => {
    const values = history.current_A[index] ?? [];
    // A phase that never carried anything is one that is not wired, or nothing to look at.
    return values.some((value) => value !== null)
      ? [{ series: { label: look, unit: 'A', look } as const, values }]
      : [];
  });
  const length = Math.max(history.limit_A.length, ...measured.map(({ values }) => values.length));
  const limit = { series: { label: 'Limit', unit: 'A', look: 'limit' } as const, values: history.limit_A };
  const breaker =
    history.breaker_A === undefined
      ? []
      : [
          {
            series: { label: 'Breaker', unit: 'A', look: 'breaker' } as const,
            values: Array.from({ length }, () => history.breaker_A ?? null),
          },
        ];
  const all = [...measured, limit, ...breaker];
  return {
    series: all.map(({ series }) => series),
    columns: [times(history, length), ...all.map(({ values }) => padded(values, length))],
  };
}

export function powerChart(history: History): Charted {
  const values = (history.power_W ?? []).map((power_W) => (power_W === null ? null : power_W / 1000));
  return {
    series: [{ label: 'Power', unit: 'kW', look: 'power' }],
    columns: [times(history, values.length), values],
  };
}

/** What a chart shows, for who cannot see it: the last, least and greatest of each line. */
export function chartWords({ columns, series }: Charted): string {
  return series
    .map(({ label, unit }, index) => {
      const values = (columns[index + 1] ?? []).filter((value) => value !== null);
      const last = values.at(-1);
      if (last === undefined) return `${label}: nothing measured`;
      const shown = (value: number): string => `${value.toFixed(1)} ${unit}`;
      return `${label}: now ${shown(last)}, between ${shown(Math.min(...values))} and ${shown(Math.max(...values))}`;
    })
    .join('. ');
}

const times = ({ from, step_s }: History, length: number): readonly number[] =>
  Array.from({ length }, (_, index) => Date.parse(from) / 1000 + index * step_s);

const padded = (values: readonly (number | null)[], length: number): readonly (number | null)[] =>
  Array.from({ length }, (_, index) => values[index] ?? null);
