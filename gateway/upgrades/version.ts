// Which of two versions is the newer one (Semantic Versioning 2.0.0, section 11; build metadata does not count).

const FORM = /^(\d+)\.(\d+)\.(\d+)(?:-([0-9a-z.]+))?$/;

export const isVersion = (text: string): boolean => text.length <= 40 && FORM.test(text);

/** @returns below 0 where `a` is the older one, 0 where they are equal */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [FORM.exec(a), FORM.exec(b)];
  if (left === null || right === null) return 0;
  for (const part of [1, 2, 3]) {
    const difference = Number(left[part]) - Number(right[part]);
    if (difference !== 0) return difference;
  }
  return compareStages(left[4], right[4]);
}

/** A version with a stage, such as rc.1, comes before the one without. */
function compareStages(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  const [left, right] = [a.split('.'), b.split('.')];
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const [one, other] = [left[at], right[at]];
    if (one === undefined || other === undefined) return one === undefined ? -1 : 1;
    if (one !== other) return compareIdentifiers(one, other);
  }
  return 0;
}

/** Numbers by their value and before words. */
function compareIdentifiers(a: string, b: string): number {
  const [left, right] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (left && right) return Number(a) - Number(b);
  if (left !== right) return left ? -1 : 1;
  return a < b ? -1 : 1;
}
