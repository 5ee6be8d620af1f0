// What the cars that are there have said of their needs: on disk, forgotten when they leave, lowered by what they get.
import type { Clock } from '../kernel/clock.js';
import { evseNumber, type EvseNumber } from '../kernel/ids.js';
import type { Log } from '../kernel/log.js';
import { seconds, wattHour, type Timestamp, type WattHour } from '../kernel/units.js';
import type { Journal } from '../ports/journal.js';
import { plausibleNeeds, type ChargingNeeds } from '../site/charging-needs.js';
import type { ConnectorChange, SiteBook } from '../site/site-book.js';
import type { ChargingNeedsAnswer, ChargingNeedsReported } from '../site/station-event.js';
import type { Transaction } from '../site/transaction.js';

const COLLECTION = 'charging-needs';
/** A car that says its needs again sooner is not sent its limit anew for it. */
const AGAIN = seconds(10);

interface KnownNeeds extends ChargingNeeds {
  readonly at: Timestamp;
  /** The energy register when it said so. */
  readonly register?: WattHour;
}

interface CarNeedsDependencies {
  readonly book: SiteBook;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Log;
  /** The EVSE's limit is to be sent (again): its car waits for one (K15.FR.07). */
  readonly needed: (evse: EvseNumber) => void;
}

export class CarNeeds {
  readonly #deps: CarNeedsDependencies;
  readonly #known: Map<EvseNumber, KnownNeeds>;
  readonly #answeredAt = new Map<EvseNumber, number>();

  private constructor(deps: CarNeedsDependencies, known: Map<EvseNumber, KnownNeeds>) {
    this.#deps = deps;
    this.#known = known;
  }

  /** What was known, of those whose transaction is still open. */
  static async open(deps: CarNeedsDependencies): Promise<CarNeeds> {
    const known = new Map<EvseNumber, KnownNeeds>();
    for (const [key, value] of await deps.journal.load(COLLECTION)) {
      const evse = evseNumber(Number(key));
      if (deps.book.evse(evse)?.transaction !== undefined) known.set(evse, value as KnownNeeds);
    }
    return new CarNeeds(deps, known);
  }

  /** Still to be charged, by the register as it is now. */
  of(evse: EvseNumber): ChargingNeeds | undefined {
    const known = this.#known.get(evse);
    if (known === undefined) return undefined;
    const { departure, energy, maxCurrent, register: then } = known;
    const now = this.#deps.book.evse(evse)?.register;
    const served = now === undefined || then === undefined ? 0 : Math.max(0, now - then);
    return {
      ...(departure !== undefined && { departure }),
      ...(energy !== undefined && { energy: wattHour(Math.max(0, energy - served)) }),
      ...(maxCurrent !== undefined && { maxCurrent }),
    };
  }

  /**
   * Accepted: a limit follows. Processing: there is no transaction that a limit could be for yet; one follows when it begins,
   * and until then the default profile holds. Rejected: the charger takes no limits.
   */
  async told(event: ChargingNeedsReported): Promise<ChargingNeedsAnswer> {
    const { book, clock, log, needed } = this.#deps;
    const { evse, station } = event;
    const { departure, energy } = await this.#keep(evse, event);
    log.info({ station, evse, departure, energy }, 'a car has said what it needs');
    if (book.station(station)?.capabilities?.currentLimit === false) return 'Rejected';
    const last = this.#answeredAt.get(evse) ?? -Infinity;
    if (book.evse(evse)?.transaction === undefined || clock.monotonic() - last < AGAIN) return 'Processing';
    this.#answeredAt.set(evse, clock.monotonic());
    needed(evse);
    return 'Accepted';
  }

  /** Somebody at the site says it for the car. Absent: as before; null: no longer. @throws JournalUnavailable */
  async set(
    evse: EvseNumber,
    said: { readonly departure?: Timestamp | null; readonly energy?: WattHour | null },
  ): Promise<void> {
    const { book, log, needed } = this.#deps;
    const before = this.of(evse);
    const departure = said.departure === undefined ? before?.departure : (said.departure ?? undefined);
    const energy = said.energy === undefined ? before?.energy : (said.energy ?? undefined);
    await this.#keep(evse, {
      ...(departure !== undefined && { departure }),
      ...(energy !== undefined && { energy }),
      ...(before?.maxCurrent !== undefined && { maxCurrent: before.maxCurrent }),
    });
    log.info({ evse, departure, energy }, 'somebody at the site has said what a car needs');
    if (book.evse(evse)?.transaction !== undefined) needed(evse);
  }

  /** A cable that is out takes its car's needs with it. */
  connectorsChanged(changes: readonly ConnectorChange[]): void {
    const { book } = this.#deps;
    for (const { evse, connector } of changes) {
      if (!this.#known.has(evse)) continue;
      const seen = book.connector(evse, connector);
      if (seen?.reported === 'Available' && book.evse(evse)?.transaction === undefined) this.#forget(evse);
    }
  }

  ended({ evse }: Transaction): void {
    if (this.#known.has(evse)) this.#forget(evse);
  }

  /** @throws JournalUnavailable when it could not be kept; it is as before then */
  async #keep(evse: EvseNumber, said: ChargingNeeds): Promise<KnownNeeds> {
    const { book, clock, journal } = this.#deps;
    const now = clock.now();
    const register = book.evse(evse)?.register;
    const needs: KnownNeeds = { ...plausibleNeeds(said, now), at: now, ...(register !== undefined && { register }) };
    await journal.commit({ documents: [{ collection: COLLECTION, key: String(evse), value: needs }] });
    this.#known.set(evse, needs);
    return needs;
  }

  #forget(evse: EvseNumber): void {
    const { journal, log } = this.#deps;
    this.#known.delete(evse);
    journal
      .commit({ documents: [{ collection: COLLECTION, key: String(evse) }] }, 'batch')
      // What stays on disk is forgotten at the next start, where no transaction is open.
      .catch((err: unknown) => log.warn({ err, evse }, 'what a car has said could not be forgotten on disk'));
  }
}
