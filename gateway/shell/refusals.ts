// Drivers who are refused after their transaction has begun: no more energy, and the transaction ended where that is wished.
import { judge } from '../authorization/judge.js';
import type { CancelTimer, Clock } from '../kernel/clock.js';
import { FAULTS } from '../kernel/faults.js';
import type { CsmsId, TransactionUid } from '../kernel/ids.js';
import type { Log } from '../kernel/log.js';
import { seconds, wattHour } from '../kernel/units.js';
import type { CommandOutcome } from '../site/station-command.js';
import { sameGroup } from '../authorization/known-token.js';
import { tokenKey, type IdToken, type IdTokenInfo } from '../site/tokens.js';
import type { Transaction } from '../site/transaction.js';
import { amend, type Amendment } from '../transactions/amend.js';
import type { SiteVariables } from './site-variables.js';
import type { TransactionDesk } from './transaction-desk.js';
import type { TransactionKeeper } from './transaction-keeper.js';

/** The charger that is told of the refusal itself ends the transaction; one that does not is told to. */
const OWN_STOP = seconds(5);
const STOP_RETRY = seconds(60);

export interface RefusalDependencies {
  readonly desk: TransactionDesk;
  readonly keeper: TransactionKeeper;
  readonly variables: SiteVariables;
  /** A CSMS has said something of a token. */
  readonly heard: (csms: CsmsId, token: IdToken, info: IdTokenInfo) => void;
  readonly stop: (transaction: Transaction) => Promise<CommandOutcome>;
  readonly clock: Clock;
  readonly log: Log;
}

export class Refusals {
  readonly #deps: RefusalDependencies;
  readonly #stops = new Map<TransactionUid, CancelTimer>();

  constructor(deps: RefusalDependencies) {
    this.#deps = deps;
  }

  /** Takes up what was refused before the restart. */
  start(): void {
    for (const transaction of this.#deps.keeper.book.open()) this.changed(transaction);
  }

  stop(): void {
    for (const cancel of this.#stops.values()) cancel();
    this.#stops.clear();
  }

  /** The CSMS's answer to a start, to a card in the middle, or to an end (1.6 section 3.5.4, C15.FR.02 to 07). */
  judged(csms: CsmsId, uid: TransactionUid, token: IdToken, info: IdTokenInfo): void {
    this.#deps.heard(csms, token, info);
    const transaction = this.#deps.keeper.book.get(uid);
    if (transaction?.idToken === undefined || transaction.endedAt !== undefined) return;
    // Another card's verdict is none on the driver.
    if (tokenKey(transaction.idToken) !== tokenKey(token)) return;
    if (info.status !== 'Accepted') return this.#refused(csms, transaction, info);
    const unconfirmed = transaction.energyLimit !== undefined && transaction.confirmed !== true;
    const renamed = info.group !== undefined && !sameGroup(info.group, transaction.group);
    if (unconfirmed || renamed)
      this.#amend(transaction, {
        ...(unconfirmed && { confirmed: true }),
        ...(renamed && info.group && { group: info.group }),
      });
  }

  /** Called for every change of a transaction: energy has run, or it is over. */
  changed(transaction: Transaction): void {
    if (transaction.endedAt !== undefined) {
      this.#stops.get(transaction.uid)?.();
      this.#stops.delete(transaction.uid);
    } else if (transaction.deauthorized === true) this.#stopAfter(transaction.uid, OWN_STOP);
    else if (transaction.refusedAt !== undefined) this.#weigh(transaction);
  }

  #refused(csms: CsmsId, transaction: Transaction, info: IdTokenInfo): void {
    const verdict = this.#verdict(csms, transaction, info);
    const owned = transaction.owner === undefined || transaction.owner === csms;
    if (!owned || transaction.deauthorized === true) return;
    this.#deps.log.warn(
      { csms, transaction: transaction.uid, evse: transaction.evse, status: info.status, verdict },
      'the CSMS refuses the driver of a running transaction',
    );
    if (verdict !== 'keep') this.#amend(transaction, { deauthorized: true });
    else if (transaction.refusedAt === undefined) this.#amend(transaction, { refusedAt: registerOf(transaction) });
  }

  /** MaxEnergyOnInvalidId may be used up by now. */
  #weigh(transaction: Transaction): void {
    const { owner } = transaction;
    if (owner === undefined || this.#verdict(owner, transaction, { status: 'Invalid' }) === 'keep') return;
    this.#amend(transaction, { deauthorized: true });
  }

  #verdict(csms: CsmsId, transaction: Transaction, info: IdTokenInfo): ReturnType<typeof judge> {
    const register = registerOf(transaction);
    return judge(info, transaction, this.#deps.variables.authorization, {
      csms,
      // Whether this answer met the CSMS's own record of an earlier transmission is known to the view, which forgives it.
      retransmitted: false,
      energySinceRefusal: wattHour(register - (transaction.refusedAt ?? register)),
    });
  }

  #amend({ station, uid }: Transaction, amendment: Amendment): void {
    this.#deps.desk
      .settle(station, (book) => (book.get(uid)?.endedAt === undefined ? amend(book, uid, amendment) : undefined))
      .catch((err: unknown) =>
        this.#deps.log.error(
          { err, transaction: uid, fault: FAULTS.journalUnavailable.code },
          'a verdict on a driver could not be written',
        ),
      );
  }

  #stopAfter(uid: TransactionUid, delay: ReturnType<typeof seconds>): void {
    if (!this.#deps.variables.authorization.stopOnInvalidId || this.#stops.has(uid)) return;
    this.#stops.set(
      uid,
      this.#deps.clock.after(delay, () => this.#tell(uid)),
    );
  }

  #tell(uid: TransactionUid): void {
    const { keeper, log } = this.#deps;
    this.#stops.delete(uid);
    const transaction = keeper.book.get(uid);
    if (transaction === undefined || transaction.endedAt !== undefined || transaction.deauthorized !== true) return;
    // Repeated until the end is reported: a charger that is away, or that only said yes, is told again.
    this.#stopAfter(uid, STOP_RETRY);
    this.#deps.stop(transaction).then(
      ({ status }) => log.info({ transaction: uid, outcome: status }, 'charger told to end a refused transaction'),
      (err: unknown) => log.error({ err, transaction: uid }, 'a station adapter failed'),
    );
  }
}

const registerOf = ({ register, meterStart }: Transaction) => register ?? meterStart ?? wattHour(0);
