// Numbers as people and chargers write them: with a point or a comma.

const numeric = /^\s*[+-]?\d{1,15}([.,]\d{1,15})?\s*$/;

/** @returns a number written with a point or a comma, or undefined */
export const decimal = (text: string): number | undefined =>
  numeric.test(text) ? Number(text.replace(',', '.')) : undefined;
