// The keywords of site.schema.json that JSON Schema does not know; the validator that compile-schemas.mjs generates calls them.
import { parseQuantity, type Dimension } from './quantity.js';

/** Whether `text` is a quantity of `dimension`: the keyword `x-unit` of the schema. */
export const isQuantity = (text: string, dimension: Dimension): boolean => parseQuantity(text, dimension).ok;

/** Whether a quantity is from `least` to `most` in its base unit: the keyword `x-range`; what is none, `x-unit` refuses. */
export function isWithin(text: string, dimension: Dimension, least: number, most: number): boolean {
  const quantity = parseQuantity(text, dimension);
  return !quantity.ok || (quantity.value >= least && quantity.value <= most);
}
