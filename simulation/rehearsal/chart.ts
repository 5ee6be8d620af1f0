// The evening as a picture: one panel a circuit with the currents of its phases below its breaker, and the cars beneath. SVG, for light and dark viewers.
import type { Milliseconds } from '../../gateway/kernel/units.js';
import { PHASES, type Site } from '../../gateway/site/topology.js';
import type { ChartSeries, CircuitSeries } from './chart-series.js';

const WIDTH = 960;
const LEFT = 56;
const RIGHT = 30;
const PLOT = WIDTH - LEFT - RIGHT;
const HEADER = 100;
const PANEL = 150;
const CARS_PANEL = 70;
const GAP = 46;

/** Phases in the colours of their wires (IEC 60445): brown, black, grey; black is white on a dark ground. */
const STYLE = `
svg{color-scheme:light dark;--paper:#fff;--ink:#1b1b1b;--soft:#5c5c5c;--grid:#e2e2e2;--load:#cfdcec;--l1:#a3541c;--l2:#1b1b1b;--l3:#8d8d8d;--limit:#c4122e;--highest:#e7a977;--operator:#7a3fb5;--cars:#9fc5a8;--charging:#1f7a3d}
@media (prefers-color-scheme:dark){svg{--paper:#16181b;--ink:#ececec;--soft:#a8a8a8;--grid:#34383d;--load:#2c3e55;--l1:#d98a4e;--l2:#f4f4f4;--l3:#8e959c;--limit:#ff6b7d;--highest:#7a5233;--operator:#bf94ee;--cars:#35553d;--charging:#6fce8b}}
text{font:12px system-ui,sans-serif;fill:var(--ink)}.soft{fill:var(--soft)}.title{font-size:16px;font-weight:600}.name{font-weight:600}
.grid{stroke:var(--grid)}.line{fill:none;stroke-width:1.5;stroke-linejoin:round}.l1{stroke:var(--l1)}.l2{stroke:var(--l2)}.l3{stroke:var(--l3)}
.highest{fill:none;stroke:var(--highest);stroke-width:1}
.limit{fill:none;stroke:var(--limit);stroke-width:1.5;stroke-dasharray:6 4}.operator{fill:none;stroke:var(--operator);stroke-width:1.5;stroke-dasharray:2 3}
.load{fill:var(--load)}.cars{fill:var(--cars)}.charging{stroke:var(--charging)}`;

export interface ChartTitle {
  readonly title: string;
  /** A second, smaller line. */
  readonly subtitle: string;
  /** Beginning of the evening, in milliseconds after midnight. */
  readonly from: Milliseconds;
  readonly length: Milliseconds;
}

/** @returns a whole SVG document */
export function drawChart(site: Site, series: ChartSeries, about: ChartTitle): string {
  const time = timeAxis(about);
  const parts: string[] = [];
  let top = HEADER;
  for (const circuit of series.circuits) {
    const breaker = site.circuits.find(({ id }) => id === circuit.circuit)?.breaker ?? 0;
    parts.push(circuitPanel(circuit, breaker, top, time));
    top += PANEL + GAP;
  }
  parts.push(carsPanel(series, top, time));
  const height = top + CARS_PANEL + 28;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="t d">`,
    `<title id="t">${escaped(about.title)}</title>`,
    `<desc id="d">Current per phase of each circuit against its breaker, ${escaped(about.subtitle)}</desc>`,
    `<style>${STYLE}</style>`,
    `<rect width="${WIDTH}" height="${height}" style="fill:var(--paper)"/>`,
    `<text class="title" x="${LEFT}" y="24">${escaped(about.title)}</text>`,
    `<text class="soft" x="${LEFT}" y="42">${escaped(about.subtitle)}</text>`,
    legend(series, site),
    ...parts,
    '</svg>\n',
  ].join('\n');
}

function legend(series: ChartSeries, site: Site): string {
  const limited = series.circuits.some((each) => isLimited(each, site));
  const keys: readonly (readonly [string, string])[] = [
    ['<path class="line l1" d="M0 0h22"/>', 'L1'],
    ['<path class="line l2" d="M0 0h22"/>', 'L2'],
    ['<path class="line l3" d="M0 0h22"/>', 'L3'],
    ['<path class="highest" d="M0 0h22"/>', 'peaks'],
    ['<path class="limit" d="M0 0h22"/>', 'breaker'],
    ...(limited ? [['<path class="operator" d="M0 0h22"/>', "grid operator's limit"] as const] : []),
    ['<rect class="load" width="22" height="10" y="-5"/>', 'building'],
    ['<rect class="cars" width="22" height="10" y="-5"/>', 'plugged in'],
    ['<path class="line charging" d="M0 0h22"/>', 'charging'],
  ];
  let x = LEFT;
  return keys
    .map(([mark, word]) => {
      const at = x;
      x += 28 + word.length * 6.5 + 20;
      return `<g transform="translate(${at} 60)">${mark}<text x="28" y="4">${word}</text></g>`;
    })
    .join('\n');
}

const isLimited = ({ circuit, limit }: CircuitSeries, site: Site): boolean => {
  const breaker = site.circuits.find(({ id }) => id === circuit)?.breaker ?? 0;
  return limit.some((value) => value < breaker);
};

type TimeAxis = (top: number, bottom: number) => string;

/** Vertical lines at full hours, so many that their words fit. */
function timeAxis({ from, length }: ChartTitle): TimeAxis {
  const hour = 3_600_000;
  const every = [0.25, 0.5, 1, 2, 3, 4, 6].find((hours) => length / (hours * hour) <= 9) ?? 12;
  const step = every * hour;
  const ticks: { readonly x: number; readonly word: string }[] = [];
  for (let at = Math.ceil(from / step) * step; at <= from + length; at += step) {
    const minutes = Math.round(at / 60_000) % 1440;
    const word = `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
    ticks.push({ x: LEFT + ((at - from) / length) * PLOT, word });
  }
  return (top, bottom) =>
    ticks
      .map(
        ({ x, word }) =>
          `<path class="grid" d="M${tenth(x)} ${top}V${bottom}"/><text class="soft" x="${tenth(x)}" y="${bottom + 15}" text-anchor="middle">${word}</text>`,
      )
      .join('');
}

function circuitPanel(circuit: CircuitSeries, breaker: number, top: number, time: TimeAxis): string {
  const bottom = top + PANEL;
  const highest = Math.max(breaker, ...circuit.highest);
  const scale = scaled(highest * 1.08);
  const y = (current: number): number => bottom - (current / scale.top) * PANEL;
  const limited = circuit.limit.some((value) => value < breaker);
  return [
    `<g><text x="${LEFT}" y="${top - 8}"><tspan class="name">${escaped(circuit.circuit)}</tspan><tspan class="soft" dx="10">A on each phase</tspan></text>`,
    `<text class="soft" x="${WIDTH - RIGHT}" y="${top - 8}" text-anchor="end">breaker ${breaker} A</text>`,
    time(top, bottom),
    ...scale.ticks.map(
      (value) =>
        `<path class="grid" d="M${LEFT} ${tenth(y(value))}h${PLOT}"/><text class="soft" x="${LEFT - 6}" y="${tenth(y(value) + 4)}" text-anchor="end">${value}</text>`,
    ),
    `<path class="load" d="${area(circuit.building, y, bottom)}"/>`,
    `<path class="highest" d="${steps(circuit.highest, y)}"/>`,
    ...PHASES.map((phase) => `<path class="line ${phase.toLowerCase()}" d="${steps(circuit.current[phase], y)}"/>`),
    ...(limited ? [`<path class="operator" d="${steps(circuit.limit, y)}"/>`] : []),
    `<path class="limit" d="M${LEFT} ${tenth(y(breaker))}h${PLOT}"/></g>`,
  ].join('\n');
}

function carsPanel({ plugged, charging }: ChartSeries, top: number, time: TimeAxis): string {
  const bottom = top + CARS_PANEL;
  const scale = scaled(Math.max(1, ...plugged) * 1.05, 2);
  const y = (count: number): number => bottom - (count / scale.top) * CARS_PANEL;
  return [
    `<g><text x="${LEFT}" y="${top - 8}"><tspan class="name">cars</tspan><tspan class="soft" dx="10">how many</tspan></text>`,
    time(top, bottom),
    ...scale.ticks.map(
      (value) =>
        `<path class="grid" d="M${LEFT} ${tenth(y(value))}h${PLOT}"/><text class="soft" x="${LEFT - 6}" y="${tenth(y(value) + 4)}" text-anchor="end">${value}</text>`,
    ),
    `<path class="cars" d="${area(plugged, y, bottom)}"/>`,
    `<path class="line charging" d="${steps(charging, y)}"/></g>`,
  ].join('\n');
}

/** Round numbers from 0 to a little above `highest`. */
function scaled(highest: number, most = 4): { readonly top: number; readonly ticks: readonly number[] } {
  const raw = highest / most;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = Math.max(1, ([1, 2, 2.5, 5, 10].find((each) => each * power >= raw) ?? 10) * power);
  const ticks = Array.from({ length: Math.floor(highest / step) + 1 }, (_, index) => index * step);
  return { top: Math.max(highest, step), ticks };
}

/** A line through the parts; values that do not change take no room in the file. */
function steps(values: Float64Array, y: (value: number) => number): string {
  const width = PLOT / values.length;
  let path = '';
  let last: number | undefined;
  values.forEach((value, index) => {
    const at = tenth(y(value));
    if (at === last) return;
    path += last === undefined ? `M${LEFT} ${at}` : `H${tenth(LEFT + index * width)}V${at}`;
    last = at;
  });
  return `${path}H${LEFT + PLOT}`;
}

const area = (values: Float64Array, y: (value: number) => number, bottom: number): string =>
  `${steps(values, y)}V${bottom}H${LEFT}Z`;

const tenth = (value: number): number => Math.round(value * 10) / 10;

const escaped = (text: string): string =>
  text
    .replaceAll(/\p{Cc}/gu, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
