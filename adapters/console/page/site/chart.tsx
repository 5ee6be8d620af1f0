// A chart over time: lines told apart by colour and by dashes, values at the pointer or the newest, words for who cannot see it.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { useConsole } from '../console-context.js';
import { chartWords, type Charted, type ChartSeries } from './chart-data.js';

const HEIGHT_PX = 240;
const DASHES: Readonly<Partial<Record<ChartSeries['look'], number[]>>> = {
  L2: [8, 3],
  L3: [2, 3],
  limit: [],
  breaker: [10, 6],
};
const WIDTHS: Readonly<Partial<Record<ChartSeries['look'], number>>> = { limit: 2.5, breaker: 1.5 };

interface ChartProps {
  readonly of: Charted;
  readonly label: string;
}

export function Chart({ of, label }: ChartProps): JSX.Element {
  const { time } = useConsole();
  const place = useRef<HTMLDivElement>(null);
  const keys = useRef<HTMLUListElement>(null);
  const chart = useRef<uPlot | undefined>(undefined);
  const [at, setAt] = useState<number>();
  const names = of.series.map(({ label: name }) => name).join();
  const look = useLook();
  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const colour = (index: number): string => colourOf(keys.current?.querySelectorAll('.dash')[index]);
    const text = colourOf(element);
    const lines = colourOf(keys.current);
    const axis = { stroke: text, grid: { stroke: lines, width: 1 }, ticks: { stroke: lines, width: 1 }, font: FONT };
    const drawn = new uPlot(
      {
        width: element.clientWidth,
        height: HEIGHT_PX,
        legend: { show: false },
        padding: [8, 8, 0, 0],
        cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
        scales: { y: { range: (_, __, most) => [0, Math.max(1, most * 1.08)] } },
        axes: [
          {
            ...axis,
            space: 70,
            values: (_, ticks) => ticks.map((tick) => time.hour(new Date(tick * 1000).toISOString())),
          },
          { ...axis, size: 52, values: (_, ticks) => ticks.map((tick) => `${tick} ${of.series[0]?.unit ?? ''}`) },
        ],
        series: [
          {},
          ...of.series.map((series, index) => ({
            stroke: colour(index),
            width: WIDTHS[series.look] ?? 1.75,
            dash: DASHES[series.look] ?? [],
            points: { show: false },
            ...(series.look === 'limit' &&
              uPlot.paths.stepped !== undefined && { paths: uPlot.paths.stepped({ align: 1 }) }),
          })),
        ],
        hooks: { setCursor: [({ cursor }) => setAt(cursor.idx ?? undefined)] },
      },
      of.columns as uPlot.AlignedData,
      element,
    );
    chart.current = drawn;
    const fitted = new ResizeObserver(() => drawn.setSize({ width: element.clientWidth, height: HEIGHT_PX }));
    fitted.observe(element);
    return () => {
      fitted.disconnect();
      drawn.destroy();
      chart.current = undefined;
    };
    // New values are handed to the chart that is there; only other lines or colours need another one.
  }, [names, look, time]);
  useEffect(() => {
    chart.current?.setData(of.columns as uPlot.AlignedData);
  }, [of]);

  const moment_s = at === undefined ? undefined : of.columns[0]?.[at];
  return (
    <figure class="chart">
      <ul class="keys" ref={keys} aria-hidden="true">
        {of.series.map((series, index) => {
          const values = of.columns[index + 1] ?? [];
          const value = at === undefined ? values.findLast((each) => each !== null) : values[at];
          return (
            <li key={series.label}>
              <svg class={`dash is-${series.look}`} viewBox="0 0 22 6" focusable="false">
                <path d="M0 3h22" {...dashed(series.look)} />
              </svg>
              {series.label} <b>{value === null || value === undefined ? '–' : `${value.toFixed(1)} ${series.unit}`}</b>
            </li>
          );
        })}
        <li class="moment">
          {moment_s === undefined || moment_s === null ? 'newest' : time.time(new Date(moment_s * 1000).toISOString())}
        </li>
      </ul>
      <div class="plot" ref={place} role="img" aria-label={`${label}. ${chartWords(of)}`} />
    </figure>
  );
}

const FONT = '12px system-ui, sans-serif';

const dashed = (look: ChartSeries['look']): { 'stroke-dasharray'?: string } =>
  DASHES[look] === undefined || DASHES[look].length === 0 ? {} : { 'stroke-dasharray': DASHES[look].join(' ') };

/** A canvas knows no style sheet: it is told the colour that the sheet gave to an element. */
const colourOf = (element: Element | null | undefined): string =>
  element === null || element === undefined ? '#888' : getComputedStyle(element).color;

/** Changes whenever the colours do. */
function useLook(): string {
  const read = (): string => `${document.documentElement.dataset.theme ?? ''} ${matchMedia(DARK).matches}`;
  const [look, setLook] = useState(read);
  useEffect(() => {
    const changed = (): void => setLook(read());
    const device = matchMedia(DARK);
    device.addEventListener('change', changed);
    const chosen = new MutationObserver(changed);
    chosen.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    return () => {
      device.removeEventListener('change', changed);
      chosen.disconnect();
    };
  }, []);
  return look;
}

const DARK = '(prefers-color-scheme: dark)';
