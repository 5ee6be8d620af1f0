// CALLs that wait for their turn: lowest priority number first, and first come, first served inside one.

export class CallQueue<T> {
  readonly #waiting: { readonly priority: number; readonly item: T }[] = [];

  get size(): number {
    return this.#waiting.length;
  }

  push(item: T, priority: number): void {
    let at = this.#waiting.length;
    while (at > 0 && (this.#waiting[at - 1]?.priority ?? priority) > priority) at--;
    this.#waiting.splice(at, 0, { priority, item });
  }

  shift(): T | undefined {
    return this.#waiting.shift()?.item;
  }
}
