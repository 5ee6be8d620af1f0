// Transactions whose stop will not come: ended in the charger's place, at the last register seen (aggregation section 3).
import type { CancelTimer, Clock } from '../kernel/clock.js';
import { FAULTS } from '../kernel/faults.js';
import type { TransactionUid } from '../kernel/ids.js';
import type { Log } from '../kernel/log.js';
import { minutes, type Timestamp } from '../kernel/units.js';
import type { SiteBook } from '../site/site-book.js';
import { shifted, type TimeShift } from '../site/time-shift.js';
import type { Site } from '../site/topology.js';
import type { Transaction } from '../site/transaction.js';
import { estimateStop } from '../transactions/estimate.js';
import type { TransactionDesk } from './transaction-desk.js';
import type { TransactionKeeper } from './transaction-keeper.js';

/** A charger that came back from a power cut may replay the real stop this long. */
const ORPHAN_GRACE = minutes(15);

export interface OrphanDependencies {
  readonly site: Site;
  readonly book: SiteBook;
  readonly keeper: TransactionKeeper;
  readonly desk: TransactionDesk;
  readonly clock: Clock;
  readonly log: Log;
}

export class Orphans {
  readonly #deps: OrphanDependencies;
  /** Since when each was free, and what ends the wait. */
  readonly #graces = new Map<TransactionUid, { readonly at: Timestamp; readonly cancel: CancelTimer }>();

  constructor(deps: OrphanDependencies) {
    this.#deps = deps;
  }

  /** Ends what began at an EVSE that site.yaml no longer has: nobody is left who could report its end. */
  async endRemoved(): Promise<void> {
    const { site, keeper, desk, log } = this.#deps;
    for (const { uid, station, evse, registerAt, startedAt } of keeper.book.open()) {
      const owner = site.stations.find(({ id }) => id === station);
      if (owner?.evses.some(({ number }) => number === evse) === true) continue;
      log.warn({ transaction: uid, station, evse }, 'a transaction of hardware that is gone is ended');
      await desk.settle(station, (book) => estimateStop(book, uid, registerAt ?? startedAt, 'Other'));
    }
  }

  /** The connector is free although the transaction is open: the real stop is waited for. */
  freeWhileOpen({ uid }: Transaction, at: Timestamp): void {
    this.#graces.get(uid)?.cancel();
    this.#graces.set(uid, { at, cancel: this.#deps.clock.after(ORPHAN_GRACE, () => this.#over(uid)) });
  }

  /** The site has learned the time. */
  shift(shift: TimeShift): void {
    for (const [uid, { at, cancel }] of this.#graces) this.#graces.set(uid, { at: shifted(at, shift), cancel });
  }

  ended({ uid }: Transaction): void {
    this.#graces.get(uid)?.cancel();
    this.#graces.delete(uid);
  }

  stop(): void {
    for (const { cancel } of this.#graces.values()) cancel();
    this.#graces.clear();
  }

  #over(uid: TransactionUid): void {
    const { book, keeper, desk, log } = this.#deps;
    const at = this.#graces.get(uid)?.at;
    this.#graces.delete(uid);
    if (at === undefined) return;
    const transaction = keeper.book.get(uid);
    if (transaction === undefined || transaction.endedAt !== undefined) return;
    // It goes on after all, or its charger is away again and may still have the stop.
    if (book.connector(transaction.evse, transaction.connector)?.reported !== 'Available') return;
    const station = book.station(transaction.station);
    if (station?.connected !== true) return this.freeWhileOpen(transaction, at);
    const wasAway = station.since > (transaction.registerAt ?? transaction.startedAt);
    log.warn({ transaction: uid, station: station.id, evse: transaction.evse }, 'the stop never came: it is estimated');
    desk
      .settle(station.id, (entries) => estimateStop(entries, uid, at, wasAway ? 'PowerLoss' : 'Other'))
      .catch((err: unknown) => {
        log.error(
          { err, transaction: uid, fault: FAULTS.journalUnavailable.code },
          'an estimated stop could not be written',
        );
        this.freeWhileOpen(transaction, at);
      });
  }
}
