// One driver's visit as it really was, and the story of how it was told: what the clouds and the journal are compared with.

/** Told to a CSMS whatever its sampling settings are, because its context is no periodic one. */
export interface Milestone {
  /** Milliseconds since 1970, as the charger said. */
  readonly at: number;
  /** Wh. */
  readonly register: number;
}

export type StopReason = 'Local' | 'Remote' | 'PowerLoss' | 'EVDisconnected';

export class Visit {
  /** Wh. */
  readonly meterStart: number;
  meterStop: number | undefined;
  /** Milliseconds since 1970, as the charger said. */
  startedAt: number | undefined;
  /** When the driver was known, which is when it began for a CSMS of version 1.6. */
  identifiedAt: number | undefined;
  endedAt: number | undefined;
  reason: StopReason | undefined;
  readonly milestones: Milestone[] = [];
  /** Every register that was told, in Wh. */
  readonly registers: number[] = [];
  /** Ids that the gateway gave to the charger: of a repeated start always the same. */
  readonly ids = new Set<string>();
  /** What the gateway said of the driver. */
  readonly verdicts = new Set<string>();
  readonly #story: { readonly at: number; readonly text: string }[] = [];

  constructor(
    /** Unique in a round. */
    readonly token: string,
    readonly station: string,
    /** Number of the EVSE on the site, and so with either CSMS. */
    readonly evse: number,
    register: number,
    /** False where the times and the messages are the gateway's own (Modbus). */
    readonly exact = true,
  ) {
    this.meterStart = register;
    this.registers.push(register);
  }

  tell(text: string): void {
    this.#story.push({ at: Date.now(), text });
  }

  /** Everything that happened to it, with the kills in between. @param kills milliseconds since 1970 */
  story(kills: readonly { readonly at: number; readonly why: string }[]): readonly string[] {
    const [first, last] = [this.#story[0]?.at ?? 0, this.#story.at(-1)?.at ?? 0];
    const around = kills.flatMap(({ at, why }) => (at >= first && at <= last ? [{ at, text: `KILL ${why}` }] : []));
    return [...this.#story, ...around]
      .toSorted((a, b) => a.at - b.at)
      .map(({ at, text }) => `${String(at - first).padStart(7)} ms  ${text}`);
  }
}
