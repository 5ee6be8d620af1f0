// The word that somebody probably meant: nearest by letters typed wrong, left out, added or swapped.

/** The nearest of `choices`, or undefined where none is near enough to be helpful. */
export function nearest(word: string, choices: Iterable<string>): string | undefined {
  const typed = word.toLowerCase();
  // One slip per three letters: more is another word.
  let best = Math.max(1, Math.floor(Math.min(typed.length, 30) / 3)) + 1;
  let found: string | undefined;
  for (const choice of choices) {
    const candidate = choice.toLowerCase();
    if (typed.length > 2 && candidate.length > typed.length && candidate.startsWith(typed)) return choice;
    const slips = distance(typed, candidate, best);
    if (slips < best) {
      best = slips;
      found = choice;
    }
  }
  return found;
}

/** Optimal string alignment distance; `limit` or more is answered as `limit`. */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let slips = Math.min(
        (previous[j] ?? limit) + 1,
        (current[j - 1] ?? limit) + 1,
        (previous[j - 1] ?? limit) + same,
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        slips = Math.min(slips, (beforePrevious[j - 2] ?? limit) + 1);
      }
      current.push(slips);
    }
    if (Math.min(...current) >= limit) return limit;
    beforePrevious = previous;
    previous = current;
  }
  return Math.min(previous[b.length] ?? limit, limit);
}

/** The nearest choice as a question, else all of them where they are few, else `none`. */
export function didYouMean(word: string, choices: readonly string[], none: string): string {
  const guess = nearest(word, choices);
  if (guess !== undefined) return `did you mean ${guess}?`;
  if (choices.length === 0 || choices.length > 12) return none;
  return `there ${choices.length === 1 ? 'is' : 'are'} ${choices.join(', ')}`;
}
