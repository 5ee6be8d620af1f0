// Random numbers that can be repeated: the same seed gives the same evening.

export interface Random {
  /** From 0 up to 1. */
  readonly next: () => number;
  between(from: number, to: number): number;
  /** One of them; the list is not empty. */
  pick<T>(from: readonly [T, ...T[]] | readonly T[]): T;
}

/** Mulberry32, which is more than good enough for traffic in a car park. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    between: (from, to) => from + next() * (to - from),
    pick<T>(from: readonly T[]): T {
      const chosen = from[Math.floor(next() * from.length)];
      if (chosen === undefined) throw new RangeError('nothing to pick from');
      return chosen;
    },
  };
}
