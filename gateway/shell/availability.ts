// Which connectors are in service, as CSMSs have wished: kept over restarts, told to stations now or when they return.
import type { Clock } from '../kernel/clock.js';
import { evseNumber, type EvseNumber, type StationId } from '../kernel/ids.js';
import type { Log } from '../kernel/log.js';
import type { Journal } from '../ports/journal.js';
import type { ConnectorTarget } from '../ports/operations.js';
import type { StationDriver } from '../ports/station.js';
import type { ConnectorChange, SiteBook } from '../site/site-book.js';

const COLLECTION = 'availability';

export interface AvailabilityDependencies {
  readonly book: SiteBook;
  readonly journal: Journal;
  readonly drivers: ReadonlyMap<StationId, StationDriver>;
  readonly clock: Clock;
  readonly log: Log;
  readonly changed: (changes: readonly ConnectorChange[]) => void;
}

export class Availability {
  readonly #deps: AvailabilityDependencies;
  /** Wishes by `evse/connector`; those of stations that have not been told are in `untold` too. */
  readonly #inoperative = new Set<string>();
  readonly #untold = new Set<string>();

  private constructor(deps: AvailabilityDependencies) {
    this.#deps = deps;
  }

  static async open(deps: AvailabilityDependencies): Promise<Availability> {
    const availability = new Availability(deps);
    for (const [key, value] of await deps.journal.load(COLLECTION)) {
      if (value === 'operative') availability.#untold.add(key);
      if (value !== 'inoperative') continue;
      const [evse = 0, connector = 0] = key.split('/').map(Number);
      availability.#inoperative.add(key);
      deps.book.operative(evseNumber(evse), connector, false, deps.clock.now());
    }
    return availability;
  }

  /**
   * Scheduled where a transaction goes on until its end; Rejected only where every station refused (aggregation section 4).
   * Stations that are away count as willing: they are told when they return.
   */
  async change(
    targets: readonly ConnectorTarget[],
    operative: boolean,
  ): Promise<'Accepted' | 'Rejected' | 'Scheduled'> {
    const { book, journal, clock } = this.#deps;
    const keys = targets.flatMap(({ evse, connector }) =>
      connector === undefined
        ? (book.describe(evse)?.connectors.map(({ number }) => `${evse}/${number}`) ?? [])
        : [`${evse}/${connector}`],
    );
    await journal.commit({
      documents: keys.map((key) => ({
        collection: COLLECTION,
        key,
        // Kept until the station has heard it: after a restart it would stay out of service for ever.
        value: operative ? 'operative' : 'inoperative',
      })),
    });
    for (const key of keys) {
      if (operative) this.#inoperative.delete(key);
      else this.#inoperative.add(key);
    }
    const busy = targets.some(({ evse }) => book.evse(evse)?.transaction !== undefined);
    const outcomes = await Promise.all(targets.map((target) => this.#tell(target, operative)));
    const changes = targets.flatMap(({ evse, connector }) => book.operative(evse, connector, operative, clock.now()));
    if (changes.length > 0) this.#deps.changed(changes);
    if (outcomes.length > 0 && outcomes.every((outcome) => outcome === 'refused')) return 'Rejected';
    return busy && !operative ? 'Scheduled' : 'Accepted';
  }

  /** The site is another one: EVSEs that are new may have been taken out of service when they were last there. */
  reconfigured(): void {
    const { book, clock } = this.#deps;
    for (const key of this.#inoperative) {
      const [evse = 0, connector = 0] = key.split('/').map(Number);
      book.operative(evseNumber(evse), connector, false, clock.now());
    }
  }

  /** A station is back: what it missed, and what it may have forgotten by a reset. */
  async returned(station: StationId, evses: readonly EvseNumber[]): Promise<void> {
    for (const evse of evses) {
      for (const { number } of this.#deps.book.describe(evse)?.connectors ?? []) {
        const key = `${evse}/${number}`;
        if (this.#inoperative.has(key)) await this.#tell({ evse, connector: number }, false);
        else if (this.#untold.has(key)) await this.#tell({ evse, connector: number }, true);
      }
    }
    this.#deps.log.debug({ station }, 'availability told');
  }

  async #forget(keys: readonly string[]): Promise<void> {
    await this.#deps.journal.commit({ documents: keys.map((key) => ({ collection: COLLECTION, key })) });
  }

  async #tell({ evse, connector }: ConnectorTarget, operative: boolean): Promise<'taken' | 'refused' | 'later'> {
    const { book, drivers, log } = this.#deps;
    const described = book.describe(evse);
    const driver = described && drivers.get(described.station);
    if (described === undefined || driver === undefined) return 'refused';
    const outcome = await driver.execute({
      type: 'changeAvailability',
      evse,
      operative,
      ...(connector !== undefined && { connector }),
    });
    const keys = described.connectors
      .filter(({ number }) => connector === undefined || number === connector)
      .map(({ number }) => `${evse}/${number}`);
    const told = outcome.status === 'Accepted' || outcome.status === 'Scheduled';
    for (const key of keys) {
      if (told) this.#untold.delete(key);
      else this.#untold.add(key);
    }
    if (told && operative) await this.#forget(keys.filter((key) => !this.#inoperative.has(key)));
    if (told) return 'taken';
    log.info({ station: described.station, evse, outcome: outcome.status }, 'availability not taken by the charger');
    // A charger that cannot be told is kept out of service by the gateway itself: no driver is let in.
    return outcome.status === 'Rejected' ? 'refused' : 'later';
  }
}
