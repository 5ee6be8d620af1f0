// Whether a message itself is why the link is lost each time that it is under way: some CSMSs fall over at one message.

/** A link may be lost so often, in a row, before the message is suspected. */
const FORGIVEN = 3;

/** One at a time: whatever else is lost, or told, is a new beginning. */
export class Suspicion<What> {
  #what: What | undefined;
  #losses = 0;

  /** The link was lost while this was under way. */
  lost(what: What): void {
    this.#losses = this.losses(what) + 1;
    this.#what = what;
  }

  /** It has been answered, whatever the answer. */
  clear(): void {
    this.#what = undefined;
  }

  losses(what: What): number {
    return this.#what === what ? this.#losses : 0;
  }

  /** Then it should leave only where the CSMS answers something else first: one that is falling over takes all with it. */
  suspects(what: What, forgiven: number = FORGIVEN): boolean {
    return this.losses(what) >= forgiven;
  }
}
