// Which repairs a station has needed so far, over all its connections: what is logged once and shown in commissioning.

export class QuirkTally {
  readonly #counts = new Map<string, number>();

  note(quirk: string): 'first' | 'known' {
    const count = this.#counts.get(quirk) ?? 0;
    this.#counts.set(quirk, count + 1);
    return count === 0 ? 'first' : 'known';
  }

  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }
}
