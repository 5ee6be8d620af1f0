// Money without drift: prices as whole millionths, amounts as whole hundredths of the currency's unit, in integers throughout.

/** Millionths of the currency's unit: finer than any tariff is quoted. */
const PRICE_SCALE = 1_000_000;

/** A price as a whole number of millionths. Prices come as decimals (0.39), so the nearest one is the one that was meant. */
export const millionths = (price: number): bigint => BigInt(Math.round(price * PRICE_SCALE));

/**
 * `quantity` times `price` in whole hundredths, halves rounded away from zero, as on an invoice.
 * @param quantity in parts
 * @param parts how many of them make the unit that the price is for
 */
export function hundredths(quantity: bigint, parts: bigint, price: bigint): bigint {
  const divisor = parts * BigInt(PRICE_SCALE / 100);
  const product = quantity * price;
  const half = product < 0n ? -(divisor / 2n) : divisor / 2n;
  return (product + half) / divisor;
}

/** Hundredths as an amount in the currency's unit. */
export const amount = (hundredthsOfUnit: bigint): number => Number(hundredthsOfUnit) / 100;
