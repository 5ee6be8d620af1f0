// Numbers with their unit, as the trade writes them: `63 A`, `4.2 kW`, `15 min`.

/** What a key measures, and the units it may be written in with their factor to the base unit (A, V, W, Wh, ms, byte). */
export const UNITS = {
  current: { A: 1 },
  voltage: { V: 1 },
  power: { W: 1, kW: 1000 },
  /** Whoever reads it asks for one or the other; here only that the unit is one of these. */
  'power or current': { kW: 1000, W: 1, A: 1 },
  energy: { Wh: 1, kWh: 1000 },
  time: { ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 },
  data: { kB: 1e3, MB: 1e6, GB: 1e9 },
  'price per energy': { 'per kWh': 1 },
  'price per time': { 'per h': 1 },
} as const satisfies Readonly<Record<string, Readonly<Record<string, number>>>>;

export type Dimension = keyof typeof UNITS;

export const isDimension = (name: unknown): name is Dimension => typeof name === 'string' && Object.hasOwn(UNITS, name);

export type QuantityFault =
  | { readonly kind: 'unit-missing'; readonly suggestion?: string }
  | { readonly kind: 'unit-wrong'; readonly written: string; readonly suggestion?: string }
  | { readonly kind: 'not-a-quantity'; readonly suggestion?: string };

const NUMBER = /^(-?\d{1,12}(?:\.\d{1,9})?)\s*(.*)$/s;

const unitsOf = (dimension: Dimension): ReadonlyMap<string, number> => new Map(Object.entries(UNITS[dimension]));

/** The value in the base unit of `dimension`, or what is wrong with the text. */
export function parseQuantity(
  text: string,
  dimension: Dimension,
): { readonly ok: true; readonly value: number } | { readonly ok: false; readonly error: QuantityFault } {
  const units = unitsOf(dimension);
  const fault = (error: QuantityFault) => ({ ok: false, error }) as const;
  const comma = /^(-?\d{1,12}),(\d{1,9})\s*(.*)$/s.exec(text.trim());
  if (comma !== null) {
    const [, whole = '', part = '', unit = ''] = comma;
    return fault({ kind: 'not-a-quantity', suggestion: `${whole}.${part} ${unit === '' ? first(units) : unit}` });
  }
  const match = NUMBER.exec(text.trim());
  if (match === null) return fault({ kind: 'not-a-quantity' });
  const [, number = '', unit = ''] = match;
  const factor = units.get(unit);
  if (factor !== undefined) return { ok: true, value: Number(number) * factor };
  if (unit === '') return fault({ kind: 'unit-missing', suggestion: alternatives(number, units) });
  const meant = spelling(unit, units);
  if (meant !== undefined) return fault({ kind: 'unit-wrong', written: unit, suggestion: `${number} ${meant}` });
  if (/^[A-Za-z/ ]{1,20}$/.test(unit)) return fault({ kind: 'unit-wrong', written: unit });
  return fault({ kind: 'not-a-quantity' });
}

/** What the unit in `written` measures, where it is a unit of anything. */
export const measures = (written: string): Dimension | undefined =>
  Object.keys(UNITS)
    .filter(isDimension)
    .find((dimension) => unitsOf(dimension).has(written) || spelling(written, unitsOf(dimension)) !== undefined);

const first = (units: ReadonlyMap<string, number>): string => [...units.keys()][0] ?? '';

const alternatives = (number: string, units: ReadonlyMap<string, number>): string => {
  const written = [...units.keys()].filter((unit) => unit !== 'ms').map((unit) => `${number} ${unit}`);
  return written.length < 2 ? written.join('') : `${written.slice(0, -1).join(', ')} or ${written.at(-1) ?? ''}`;
};

/** Spellings that people use and that mean one thing only. */
const SPELLINGS: Readonly<Record<string, string>> = {
  amp: 'A', amps: 'A', ampere: 'A', amperes: 'A', volt: 'V', volts: 'V', watt: 'W', watts: 'W', kilowatt: 'kW',
  sec: 's', secs: 's', second: 's', seconds: 's', m: 'min', mins: 'min', minute: 'min', minutes: 'min',
  hr: 'h', hrs: 'h', hour: 'h', hours: 'h', day: 'd', days: 'd',
  '/kwh': 'per kWh', '/h': 'per h', 'per hour': 'per h',
}; // prettier-ignore

function spelling(written: string, units: ReadonlyMap<string, number>): string | undefined {
  const lower = written.trim().toLowerCase();
  const known = [...units.keys()].find((unit) => unit.toLowerCase() === lower) ?? SPELLINGS[lower];
  return known !== undefined && units.has(known) ? known : undefined;
}
