// Values in a query: numbers within bounds, and times with their offset.

/** A number; `otherwise` where none is written; undefined: it is none from 1 to `most`. */
export function wholeNumber(text: string | null, otherwise: number, most: number): number | undefined {
  if (text === null) return otherwise;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  return value >= 1 && value <= most ? value : undefined;
}

/** RFC 3339 with its offset: a time without one would mean something else on every box. */
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;

/** In ms since 1970; undefined: nothing is written. */
export function timeOf(text: string | null): number | undefined | 'wrong' {
  if (text === null) return undefined;
  const at = TIME.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? 'wrong' : at;
}
