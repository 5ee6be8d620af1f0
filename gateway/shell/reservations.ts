// The site's reservations: kept on disk, shown on connectors, told to chargers that can show them, ended in time.
import type { Clock } from '../kernel/clock.js';
import { FAULTS } from '../kernel/faults.js';
import type { CsmsId, EvseNumber, StationId } from '../kernel/ids.js';
import type { Log } from '../kernel/log.js';
import type { Journal } from '../ports/journal.js';
import type { StationDriver } from '../ports/station.js';
import { isReservation, type ConnectorState, type Reservation } from '../reservations/reservation.js';
import {
  blocks,
  cancel,
  consume,
  expire,
  removeUnusable,
  reserve,
  reservedEvses,
  type EndedReservation,
  type ReserveStatus,
} from '../reservations/reserve.js';
import type { ConnectorChange, SiteBook } from '../site/site-book.js';
import type { StationCommand } from '../site/station-command.js';
import type { IdToken } from '../site/tokens.js';
import type { Site } from '../site/topology.js';

const COLLECTION = 'reservation';

export interface ReservationDependencies {
  readonly site: Site;
  readonly book: SiteBook;
  readonly journal: Journal;
  readonly drivers: ReadonlyMap<StationId, StationDriver>;
  readonly clock: Clock;
  readonly log: Log;
  /** Connectors that are shown as reserved now, or no longer. */
  readonly changed: (changes: readonly ConnectorChange[]) => void;
  /** One ended without having been used. */
  readonly ended: (ended: EndedReservation) => void;
}

export class Reservations {
  readonly #deps: ReservationDependencies;
  #list: readonly Reservation[];

  private constructor(deps: ReservationDependencies, list: readonly Reservation[]) {
    this.#deps = deps;
    this.#list = list;
  }

  static async open(deps: ReservationDependencies): Promise<Reservations> {
    const stored = (await deps.journal.load(COLLECTION)).get('all');
    return new Reservations(deps, Array.isArray(stored) ? stored.filter(isReservation) : []);
  }

  async reserve(request: Reservation): Promise<ReserveStatus> {
    const decided = reserve(this.#list, request, this.#connectors(), this.#deps.clock.now());
    if (decided.status !== 'Accepted') return decided.status;
    await this.#keep(decided.reservations);
    if (request.evse !== undefined) {
      this.#tell(request.evse, {
        type: 'reserve',
        reservationId: request.id,
        evse: request.evse,
        idToken: request.idToken,
        expiry: request.expiry,
        ...(request.group && { group: request.group }),
      });
    }
    return 'Accepted';
  }

  async cancel(csms: CsmsId, id: number): Promise<'Accepted' | 'Rejected'> {
    const decided = cancel(this.#list, csms, id);
    if (decided.cancelled === undefined) return 'Rejected';
    await this.#keep(decided.reservations);
    this.#release(decided.cancelled);
    return 'Accepted';
  }

  /**
   * Ends the one that names this EVSE; whose it was is told, unless it is the one who ends it.
   * @returns whether there was one
   */
  async release(evse: EvseNumber, by: CsmsId): Promise<boolean> {
    const reservation = this.of(evse);
    if (reservation === undefined) return false;
    const { csms, id } = reservation;
    await this.#keep(cancel(this.#list, csms, id).reservations);
    this.#release(reservation);
    if (csms !== by) this.#deps.ended({ reservation, why: 'Removed' });
    return true;
  }

  /** The one that names this EVSE. */
  of(evse: EvseNumber): Reservation | undefined {
    return this.#list.find((reservation) => reservation.evse === evse);
  }

  /** Who an EVSE is held for, as far as that keeps this token out; its group is still to be compared. */
  holding(evse: EvseNumber, idToken: IdToken): Reservation | undefined {
    return this.#list.length === 0 ? undefined : blocks(this.#list, this.#connectors(), { evse, idToken });
  }

  /** The reservation that a start with this token would use up. */
  match(evse: EvseNumber, idToken: IdToken, group: IdToken | undefined): number | undefined {
    if (this.#list.length === 0) return undefined;
    return consume(this.#list, this.#connectors(), { evse, idToken, ...(group && { group }) }).used?.id;
  }

  /** The start has happened. */
  consumed(evse: EvseNumber, idToken: IdToken, group: IdToken | undefined): void {
    const decided = consume(this.#list, this.#connectors(), { evse, idToken, ...(group && { group }) });
    if (decided.used !== undefined) this.#keepSoon(decided.reservations);
  }

  /** Ends what has run out and what can no longer be met; called once a second and when a connector changes. */
  tend(): void {
    if (this.#list.length === 0) return;
    const expired = expire(this.#list, this.#deps.clock.now());
    const usable = removeUnusable(expired.reservations, this.#connectors(true));
    const ended = [...expired.ended, ...usable.ended];
    if (ended.length === 0) return this.show();
    this.#keepSoon(usable.reservations);
    for (const each of ended) {
      if (each.why === 'Expired') this.#release(each.reservation);
      this.#deps.ended(each);
    }
  }

  /** After a start of the gateway, and whenever the set of free EVSEs changes. */
  show(): void {
    const held = reservedEvses(this.#list, this.#connectors());
    const changes: ConnectorChange[] = [];
    for (const station of this.#deps.site.stations) {
      for (const { number } of station.evses)
        changes.push(...this.#deps.book.reserved(number, held.has(number), this.#deps.clock.now()));
    }
    if (changes.length > 0) this.#deps.changed(changes);
  }

  /** What has happened stays so in memory even if the disk refuses: after a restart it is found out again. */
  #keepSoon(list: readonly Reservation[]): void {
    this.#list = list;
    this.show();
    this.#write(list).catch((err: unknown) =>
      this.#deps.log.error(
        { err, fault: FAULTS.journalUnavailable.code },
        'a change of reservations could not be written',
      ),
    );
  }

  /** Nobody is promised what is not on disk. */
  async #keep(list: readonly Reservation[]): Promise<void> {
    const before = this.#list;
    this.#list = list;
    this.show();
    try {
      await this.#write(list);
    } catch (error) {
      // Where another change stands on this one already, it has to stay for that one's sake.
      if (this.#list === list) this.#list = before;
      this.show();
      throw error;
    }
  }

  async #write(list: readonly Reservation[]): Promise<void> {
    await this.#deps.journal.commit({ documents: [{ collection: COLLECTION, key: 'all', value: list }] });
  }

  /** A charger that shows reservations forgets this one. */
  #release(reservation: Reservation): void {
    if (reservation.evse !== undefined) {
      this.#tell(reservation.evse, { type: 'cancelReservation', reservationId: reservation.id });
    }
  }

  /** Chargers without the profile are not told: the gateway refuses the wrong driver by itself. */
  #tell(evse: EvseNumber, command: StationCommand): void {
    const { book, drivers, log } = this.#deps;
    const station = book.describe(evse)?.station;
    if (station === undefined || book.station(station)?.capabilities?.reservation !== true) return;
    drivers
      .get(station)
      ?.execute(command)
      .then((outcome) => {
        if (outcome.status !== 'Accepted')
          log.info({ station, evse, outcome: outcome.status }, `charger did not take ${command.type}`);
      })
      .catch((err: unknown) => log.error({ err, station }, 'a station adapter failed'));
  }

  /** @param trusting counts what has not been heard of as free: it may be, and the reservation outlasts a lost link or a restart */
  #connectors(trusting = false): readonly ConnectorState[] {
    const { book } = this.#deps;
    const states: ConnectorState[] = [];
    for (const live of book.connectors()) {
      const hidden = trusting && live.status === 'Unavailable' && !book.isHeardOf(live.evse, live.connector);
      const type = book.describe(live.evse)?.connectors.find(({ number }) => number === live.connector)?.type;
      states.push({ evse: live.evse, type: type ?? 'Other', status: hidden ? 'Available' : live.status });
    }
    return states;
  }
}
