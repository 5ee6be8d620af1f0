// Where decisions about transactions are entered: one station, one decision at a time, on disk before anyone is told.
import type { Clock } from '../kernel/clock.js';
import type { StationId } from '../kernel/ids.js';
import type { ConnectorChange, SiteBook } from '../site/site-book.js';
import type { Transaction } from '../site/transaction.js';
import type { Decision, TransactionBook } from '../transactions/book.js';
import type { TransactionKeeper } from './transaction-keeper.js';

export interface DeskDependencies {
  readonly book: SiteBook;
  readonly keeper: TransactionKeeper;
  readonly clock: Clock;
  readonly transactionChanged: (transaction: Transaction) => void;
  readonly connectorsChanged: (changes: readonly ConnectorChange[]) => void;
}

export class TransactionDesk {
  readonly #deps: DeskDependencies;
  /** The end of the last turn taken, by station. */
  readonly #turns = new Map<StationId, Promise<void>>();

  constructor(deps: DeskDependencies) {
    this.#deps = deps;
  }

  /**
   * Runs `work` when every earlier turn of the station is over. A charger that reconnects sends again what its old
   * connection still waits for, and a refused commit can only be taken back while nothing stands on it.
   */
  inTurn<T>(station: StationId, work: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(station) ?? Promise.resolve()).then(work);
    const over = (): void => undefined;
    this.#turns.set(station, turn.then(over, over));
    return turn;
  }

  /**
   * Makes a decision durable and tells the inside of it; only from inside a turn of its station.
   * @param sample true for periodic values, which may wait for company on their way to the disk
   * @returns the connectors that look different now
   * @throws JournalUnavailable after the decision has been taken back
   */
  async enter(decision: Decision, sample: boolean): Promise<readonly ConnectorChange[]> {
    const { book, clock, keeper, transactionChanged } = this.#deps;
    await keeper.enter(decision, sample);
    const changes: ConnectorChange[] = [];
    for (const { before, after } of decision.changes) {
      // As it is now: its times may have been moved while the disk was at work.
      const transaction = keeper.book.get(after.transaction.uid) ?? after.transaction;
      changes.push(...book.transactionChanged(transaction, clock.now()));
      if (!onlyMeasured(before?.transaction, after.transaction)) transactionChanged(transaction);
    }
    return changes;
  }

  /** Takes a turn for something the gateway itself decides; `decide` sees the book as it is then. */
  settle(station: StationId, decide: (book: TransactionBook) => Decision | undefined): Promise<void> {
    return this.inTurn(station, async () => {
      const decision = decide(this.#deps.keeper.book);
      if (decision === undefined) return;
      const changes = await this.enter(decision, false);
      if (changes.length > 0) this.#deps.connectorsChanged(changes);
    });
  }
}

/** Registers alone have moved, which everybody reads when they need them: the bulk of all events, and no reason to wake anyone. */
const onlyMeasured = (before: Transaction | undefined, after: Transaction): boolean =>
  before !== undefined &&
  // An allowance of energy is weighed with every register.
  after.refusedAt === undefined &&
  before.endedAt === after.endedAt &&
  before.chargingState === after.chargingState &&
  before.evse === after.evse &&
  before.connector === after.connector &&
  before.idToken === after.idToken &&
  before.basis === after.basis &&
  before.deauthorized === after.deauthorized &&
  before.confirmed === after.confirmed &&
  before.orphan === after.orphan &&
  before.remoteStartId === after.remoteStartId &&
  before.owner === after.owner;
