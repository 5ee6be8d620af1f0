// What a building takes beside the chargers, as an electrician can estimate it: a constant, a curve over the day, a lift.
import type { CircuitId } from '../../gateway/kernel/ids.js';
import { ampere, type Ampere } from '../../gateway/kernel/units.js';
import { perPhase, type Site } from '../../gateway/site/topology.js';
import { buildingLoad, type Load } from '../building-load.js';

export type CurveName = 'home' | 'office' | 'shop';

/** Each on every phase. */
export interface LoadDescription {
  readonly constant?: Ampere;
  readonly curve?: { readonly name: CurveName; readonly peak: Ampere };
  /** Running current of a lift. */
  readonly lift?: Ampere;
}

/** Share of the peak at each full hour; straight lines in between. Shapes of the usual standard load profiles. */
const CURVES: Readonly<Record<CurveName, readonly number[]>> = {
  home: [
    0.35, 0.3, 0.28, 0.27, 0.27, 0.3, 0.45, 0.6, 0.55, 0.45, 0.42, 0.45, 0.55, 0.5, 0.45, 0.45, 0.55, 0.75, 0.95, 1,
    0.95, 0.85, 0.65, 0.45,
  ],
  office: [
    0.25, 0.25, 0.25, 0.25, 0.25, 0.3, 0.4, 0.6, 0.85, 1, 1, 1, 0.95, 0.95, 1, 1, 0.95, 0.8, 0.6, 0.45, 0.35, 0.3, 0.3,
    0.25,
  ],
  shop: [0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.25, 0.4, 0.7, 0.95, 1, 1, 1, 1, 1, 1, 1, 1, 0.95, 0.8, 0.45, 0.25, 0.2, 0.2],
};

/** Seconds between two rides of a lift, on average. */
const RIDE_EVERY = 90;
/** Of the breaker, on a metered circuit of which nobody has said what else is on it. */
const ASSUMED = { name: 'office', share: 0.25 } as const;

export function loadOf({ constant = ampere(0), curve, lift }: LoadDescription): Load {
  const riding = lift === undefined ? undefined : buildingLoad({ base: ampere(0), lift, rideEvery: RIDE_EVERY });
  return (at) => {
    const seconds = at / 1000;
    const hour = (seconds / 3600) % 24;
    // Below the curve, never above: the peak is what somebody has written.
    const flicker = 0.97 + 0.02 * Math.sin(seconds / 7) + 0.01 * Math.sin(seconds / 2.3);
    const base = constant + (curve === undefined ? 0 : curve.peak * shareAt(CURVES[curve.name], hour) * flicker);
    const motor = riding?.(at);
    return perPhase((phase) => ampere(base + (motor?.[phase] ?? 0)));
  };
}

function shareAt(curve: readonly number[], hour: number): number {
  const before = Math.floor(hour);
  const [from = 0, to = 0] = [curve[before % 24], curve[(before + 1) % 24]];
  return from + (to - from) * (hour - before);
}

/** What is assumed of circuits with a meter, where there must be something else to measure, unless it is said. */
export function assumedLoads(site: Site, said: ReadonlySet<CircuitId>): ReadonlyMap<CircuitId, LoadDescription> {
  const [grid] = site.circuits.filter(({ meter }) => meter !== undefined);
  if (grid === undefined || said.size > 0) return new Map();
  const peak = ampere(Math.round(grid.breaker * ASSUMED.share));
  return new Map([[grid.id, { curve: { name: ASSUMED.name, peak } }]]);
}

const CURVE_NAMES = Object.keys(CURVES) as readonly CurveName[];

/** A word of the command line: `10 A`, `office 40 A` or `lift 9 A`; undefined where it is none of these. */
export function loadWords(text: string): LoadDescription | undefined {
  const [, word, number] = /^(?:([a-z]+)[ :]\s*)?(\d{1,4}(?:\.\d{1,3})?)\s*A$/.exec(text.trim()) ?? [];
  if (number === undefined) return undefined;
  const current = ampere(Number(number));
  if (word === undefined) return { constant: current };
  if (word === 'lift') return { lift: current };
  const name = CURVE_NAMES.find((each) => each === word);
  return name && { curve: { name, peak: current } };
}

const DAY_OF: Readonly<Record<CurveName, string>> = {
  home: 'a day of homes',
  office: 'a day of an office',
  shop: 'a day of a shop',
};

/** For the report: `a day of an office up to 40 A, a lift of 9 A`. */
export function inWords({ constant, curve, lift }: LoadDescription): string {
  const parts = [
    ...(constant === undefined ? [] : [`${constant} A at all times`]),
    ...(curve === undefined ? [] : [`${DAY_OF[curve.name]} up to ${curve.peak} A`]),
    ...(lift === undefined ? [] : [`a lift of ${lift} A`]),
  ];
  return parts.join(', ');
}
