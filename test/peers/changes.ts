// Waiting for something to become true: looked at whenever a peer or the gateway did anything, and given up at a deadline.

/** Long enough for a machine on which several tests run at once; only a test that fails waits so long. */
const PATIENCE_MS = 40_000;

interface Waiter {
  readonly look: () => boolean;
}

/** One for all peers of a journey: whoever did something says so, and those who wait look again. */
export class Changes {
  readonly #waiters = new Set<Waiter>();

  happened(): void {
    for (const waiter of this.#waiters) waiter.look();
  }

  /**
   * The first value of `look` that is neither undefined nor false.
   * @param what named in the failure
   * @param patience milliseconds
   * @throws Error when it has not come by then
   */
  until<T>(what: string, look: () => T | undefined | false, patience = PATIENCE_MS): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const started = performance.now();
      const end = (settle: () => void): true => {
        clearTimeout(deadline);
        clearInterval(lookAgain);
        this.#waiters.delete(waiter);
        settle();
        return true;
      };
      const waiter: Waiter = {
        look: () => {
          try {
            const value = look();
            return value === undefined || value === false ? false : end(() => resolve(value));
          } catch (err) {
            return end(() => reject(err instanceof Error ? err : new Error(String(err))));
          }
        },
      };
      const deadline = setTimeout(() => {
        if (waiter.look()) return;
        const waited = Math.round(performance.now() - started);
        end(() => reject(new Error(`waited ${waited} ms in vain for: ${what}`)));
      }, patience);
      // For what nobody announces, such as the exit of a process.
      const lookAgain = setInterval(() => waiter.look(), 50);
      this.#waiters.add(waiter);
      waiter.look();
    });
  }
}

/** The value once it is there; for conditions that already throw. */
export function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`there is no ${what}`);
  return value;
}
