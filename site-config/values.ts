// Values of a site that has been checked: what is missing here is a hole in the checks, and throws.
import { parseQuantity, type Dimension } from './quantity.js';
import { documentedDefault } from './site-form.js';
import { text, type Section } from './written.js';

export function needed(of: Section, key: string): string {
  const value = text(of, key);
  if (value === undefined) throw new Error(`${key} is missing in a site that was checked`);
  return value;
}

/** In the base unit; the documented default where the key is not written. */
export function quantity(of: Section, key: string, definition: string, dimension: Dimension): number {
  const parsed = parseQuantity(text(of, key) ?? documentedDefault(definition, key), dimension);
  if (!parsed.ok) throw new Error(`${key} is not a ${dimension} in a site that was checked`);
  return parsed.value;
}

export function one<T extends string | number>(choices: readonly T[], value: string | number): T {
  const found = choices.find((choice) => choice === value);
  if (found === undefined) throw new Error(`${value} is not a choice in a site that was checked`);
  return found;
}

/** `0.0.0.0:9000` or `[::]:9000`. */
export const address = (written: string): { readonly host: string; readonly port: number } => {
  const colon = written.lastIndexOf(':');
  return { host: written.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(written.slice(colon + 1)) };
};
