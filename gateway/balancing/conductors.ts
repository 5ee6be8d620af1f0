// What loads do to the conductors of a circuit: plain sums for loads to neutral, phasor sums for loads between two phases and behind transformers.

/** Indexed 0, 1, 2 for L1, L2, L3. */
export type Triple = readonly [number, number, number];
export const NOTHING: Triple = [0, 0, 0];

/**
 * Where a load is connected: legs 0 to 2 are L1, L2, L3 to neutral; 3 to 5 are L1-L2, L2-L3, L3-L1. A three-phase load
 * takes the same current on legs 0 to 2.
 */
export const LEGS = 6;

/** Angle of each leg's current in degrees against L1 to neutral, at unity power factor; the conductors it uses. */
const CURRENTS = [
  { angle: 0, out: 0 },
  { angle: -120, out: 1 },
  { angle: 120, out: 2 },
  { angle: 30, out: 0, back: 1 },
  { angle: -90, out: 1, back: 2 },
  { angle: 150, out: 2, back: 0 },
] as const;

/**
 * The widest angle that one side of the polygon stands for, in degrees. The polygon lies inside the true limit, so it wastes
 * at most 1 - cos(2.5 degrees) = 0.1 % of a conductor and never overloads it.
 */
const SIDE = 5;

/** One linear bound: the sum of coefficient times current over the legs is at most `factor` times what the conductor may carry. */
export interface Bound {
  readonly conductor: 0 | 1 | 2;
  readonly factor: number;
  /** By leg; never negative, so that less load is always allowed. */
  readonly coefficients: readonly number[];
}

export interface Conductors {
  /** Real and imaginary part of what one ampere of each leg puts on each conductor, at [conductor * 6 + leg]. */
  readonly re: Float64Array;
  readonly im: Float64Array;
  readonly bounds: readonly Bound[];
  /** No current here adds up at an angle. */
  readonly plain: boolean;
}

const radians = (degrees: number): number => (degrees * Math.PI) / 180;
const CONDUCTORS = [0, 1, 2] as const;

/**
 * @param used the legs that can be loaded below this circuit
 * @param ratio where the circuit is the primary side of a delta-wye transformer: primary line voltage over secondary phase
 *   voltage. A primary line then carries the difference of two secondary conductors, divided by it: L1 that of L1 and L2
 *   (Dyn1, the rule in North America), and so in turn.
 */
export function conductorsOf(used: readonly boolean[], ratio?: number): Conductors {
  const re = new Float64Array(3 * LEGS);
  const im = new Float64Array(3 * LEGS);
  const add = (conductor: number, leg: number, angle: number, sign: number): void => {
    re[conductor * LEGS + leg] = (re[conductor * LEGS + leg] ?? 0) + sign * Math.cos(radians(angle));
    im[conductor * LEGS + leg] = (im[conductor * LEGS + leg] ?? 0) + sign * Math.sin(radians(angle));
  };
  CURRENTS.forEach((current, leg) => {
    if (used[leg] !== true) return;
    const { angle, out } = current;
    const on = (conductor: number, sign: number): void => {
      if (ratio === undefined) return add(conductor, leg, angle, sign);
      add(conductor, leg, angle, sign / ratio);
      add((conductor + 2) % 3, leg, angle, -sign / ratio);
    };
    on(out, 1);
    if ('back' in current) on(current.back, -1);
  });
  const bounds = CONDUCTORS.flatMap((conductor) => boundsOf(conductor, re, im));
  return {
    re,
    im,
    bounds,
    plain: bounds.length === 3 && bounds.every(({ coefficients }) => coefficients.every(whole)),
  };
}

const whole = (coefficient: number): boolean => coefficient === 0 || coefficient === 1;

/** The polygon inside the circle that the phasor sum on one conductor must not leave, over the angles that it can have. */
function boundsOf(conductor: 0 | 1 | 2, re: Float64Array, im: Float64Array): readonly Bound[] {
  const phasors = Array.from({ length: LEGS }, (_, leg) => {
    const x = re[conductor * LEGS + leg] ?? 0;
    const y = im[conductor * LEGS + leg] ?? 0;
    return { size: Math.hypot(x, y), angle: (Math.atan2(y, x) * 180) / Math.PI };
  });
  const loaded = phasors.filter(({ size }) => size > 1e-9);
  const [first] = loaded;
  if (first === undefined) return [{ conductor, factor: 1, coefficients: phasors.map(() => 0) }];
  const from = (angle: number): number => ((angle - first.angle + 540) % 360) - 180;
  const least = Math.min(...loaded.map(({ angle }) => from(angle)));
  const span = Math.max(...loaded.map(({ angle }) => from(angle))) - least;
  const sides = Math.max(1, Math.ceil(span / SIDE - 1e-6));
  const width = span / sides;
  return Array.from({ length: sides }, (_, side): Bound => {
    const normal = least + (side + 0.5) * width;
    // A current at more than a right angle to the side would relieve it; that is not counted on, since it may be cut first.
    const coefficients = phasors.map(({ size, angle }) =>
      size > 1e-9 ? rounded(Math.max(0, size * Math.cos(radians(from(angle) - normal)))) : 0,
    );
    return { conductor, factor: Math.cos(radians(width / 2)), coefficients };
  });
}

/** Cosines that should be 1 or a half are, so that plain circuits calculate with whole numbers. */
const rounded = (value: number): number => Math.round(value * 1e12) / 1e12;

/** What flows on each conductor when each leg carries its current, at `legs[from]` and the five after it. */
export const currentsOn = (conductors: Conductors, legs: Float64Array, from: number): Triple => [
  currentOn(conductors, 0, legs, from),
  currentOn(conductors, 1, legs, from),
  currentOn(conductors, 2, legs, from),
];

function currentOn(conductors: Conductors, conductor: number, legs: Float64Array, from: number): number {
  const { re, im, plain } = conductors;
  if (plain) return legs[from + conductor] ?? 0;
  let x = 0;
  let y = 0;
  for (let leg = 0; leg < LEGS; leg++) {
    const current = legs[from + leg] ?? 0;
    x += (re[conductor * LEGS + leg] ?? 0) * current;
    y += (im[conductor * LEGS + leg] ?? 0) * current;
  }
  return Math.hypot(x, y);
}
