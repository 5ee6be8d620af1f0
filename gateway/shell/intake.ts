// Takes in what stations report: decides, makes it durable, answers, and tells everyone inside what has changed.
import type { CancelTimer, Clock } from '../kernel/clock.js';
import { FAULTS } from '../kernel/faults.js';
import { transactionUid, uuidV7, type EvseNumber, type StationId } from '../kernel/ids.js';
import { maskToken, type Log } from '../kernel/log.js';
import { minutes, seconds, type Timestamp, type Volt } from '../kernel/units.js';
import type { Journal } from '../ports/journal.js';
import type { StationHost } from '../ports/station.js';
import { withOffered } from '../site/offered-current.js';
import { withPlausibleTimes } from '../site/plausible-time.js';
import type { ConnectorChange, SiteBook } from '../site/site-book.js';
import type {
  AuthorizeRequested,
  BootAnswer,
  DataTransferAnswer,
  DataTransferReceived,
  MeterValuesReported,
  ReservationEndedReported,
  StationAnswer,
  StationBooted,
  StationEvent,
  StatusReported,
  TransactionAnswer,
  TransactionReported,
} from '../site/station-event.js';
import type { IdTokenInfo } from '../site/tokens.js';
import type { Transaction } from '../site/transaction.js';
import { recognise, type Protocol } from '../transactions/binding.js';
import { decideTransaction } from '../transactions/decide.js';
import { decideStatus } from '../transactions/status.js';
import type { Admissions, Verdict } from './admissions.js';
import type { CarNeeds } from './car-needs.js';
import type { SiteTime } from './site-time.js';
import type { TransactionDesk } from './transaction-desk.js';
import type { TransactionKeeper } from './transaction-keeper.js';

/** How long a silent station's idle connectors still look as they did (aggregation section 3). */
const LOSS_GRACE = seconds(30);
/** What chargers are told to send a sign of life at, in seconds; the link itself is watched by pings. */
const HEARTBEAT_INTERVAL = 300;
/** A charger that is this far ahead of a gateway without the time does not go by the gateway's. */
const HEARD_AHEAD = minutes(5);
/** Vendor messages that only want to hear Accepted. */
const CHATTER = new Set(['evbstatusnotification']);

/** What the rest of the gateway does when something has changed. */
export interface IntakeListener {
  connectorsChanged(changes: readonly ConnectorChange[]): void;
  /** A connector is reported free while its transaction is open: the stop may still come, or never. */
  freeWhileOpen(transaction: Transaction, at: Timestamp): void;
  measured(evse: EvseNumber): void;
  stationChanged(id: StationId): void;
  /** Set-up has replaced the limits in force on the station by its fallbacks. */
  limitsReset(id: StationId): void;
  /** The station can be told things again: what it missed, and the limits. */
  stationReady(id: StationId): void;
  reservationEnded(event: ReservationEndedReported): void;
}

export interface IntakeDependencies {
  readonly book: SiteBook;
  readonly keeper: TransactionKeeper;
  readonly admissions: Admissions;
  readonly desk: TransactionDesk;
  readonly needs: CarNeeds;
  readonly journal: Journal;
  readonly time: SiteTime;
  readonly clock: Clock;
  readonly log: Log;
  /** Phase to neutral. */
  readonly nominalVoltage: Volt;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly listener: IntakeListener;
}

export class Intake implements StationHost {
  readonly #deps: IntakeDependencies;
  readonly #graces = new Map<StationId, CancelTimer>();

  constructor(deps: IntakeDependencies) {
    this.#deps = deps;
  }

  async report<E extends StationEvent>(event: E): Promise<StationAnswer<E>> {
    const { time } = this.#deps;
    const now = this.#now();
    const told = withPlausibleTimes(time.stations.translated(event), now);
    if (!time.clock.trusted) time.stations.heard(event.station, isAhead(event, now));
    // Each branch answers what StationAnswer promises for its event; the compiler cannot follow that through the switch.
    return (await this.#answer(told, time.generation)) as StationAnswer<E>;
  }

  stop(): void {
    for (const cancel of this.#graces.values()) cancel();
    this.#graces.clear();
  }

  /** @param generation of the time by which the event is stamped: it may be set anew while the event waits its turn */
  #answer(event: StationEvent, generation: number): unknown {
    switch (event.type) {
      case 'connected':
        this.#graces.get(event.station)?.();
        this.#changed(event.station, this.#deps.book.linkChanged(event.station, true, this.#now(), event.capabilities));
        this.#deps.listener.stationReady(event.station);
        return undefined;
      case 'disconnected':
        return this.#disconnected(event.station, event.reason);
      case 'capabilities':
        this.#deps.book.learned(event.station, event.capabilities);
        if (event.limitsReset === true) this.#deps.listener.limitsReset(event.station);
        this.#deps.listener.stationReady(event.station);
        return undefined;
      case 'booted':
        return this.#booted(event);
      case 'status':
        return this.#deps.desk.inTurn(event.station, () => this.#status(this.#deps.time.since(generation, event)));
      case 'authorize':
        return this.#authorize(event);
      case 'transaction':
        return this.#deps.desk.inTurn(event.station, () => this.#transaction(event, generation));
      case 'meterValues':
        return this.#meterValues(event);
      case 'chargingNeeds':
        return this.#deps.needs.told(event);
      case 'reservationEnded':
        this.#deps.listener.reservationEnded(event);
        return undefined;
      case 'securityEvent':
        return this.#deps.journal.commit({
          records: [
            {
              type: 'security',
              station: event.station,
              event: event.event,
              at: event.at,
              ...(event.reportedAt !== undefined && { reportedAt: event.reportedAt }),
              ...(event.techInfo !== undefined && { techInfo: event.techInfo }),
            },
          ],
        });
      case 'dataTransfer':
        return dataTransfer(event);
      case 'jobStatus':
        this.#deps.log.info({ station: event.station, job: event.job, status: event.status }, 'progress on a station');
        return undefined;
    }
  }

  #disconnected(station: StationId, reason: string): void {
    const { book, clock, log } = this.#deps;
    log.info({ station, reason }, 'station disconnected');
    this.#changed(station, book.linkChanged(station, false, this.#now()));
    this.#graces.get(station)?.();
    this.#graces.set(
      station,
      clock.after(LOSS_GRACE, () => this.#changed(station, book.lost(station, this.#now()))),
    );
  }

  #booted(event: StationBooted): BootAnswer {
    const { book, listener, log } = this.#deps;
    log.info({ station: event.station, model: event.inventory.model }, 'station booted');
    book.booted(event.station, event.inventory);
    listener.stationChanged(event.station);
    return { status: 'Accepted', now: this.#now(), interval: HEARTBEAT_INTERVAL };
  }

  async #status(reported: StatusReported): Promise<void> {
    const { book, desk, keeper, listener } = this.#deps;
    const limited = reported.evse !== undefined && book.evse(reported.evse)?.offered === 0;
    // A car that is offered nothing does not pause by itself, whatever its charger makes of it.
    const event: StatusReported =
      limited && reported.chargingState === 'SuspendedEV' ? { ...reported, chargingState: 'SuspendedEVSE' } : reported;
    const changes = book.status(event);
    const decision = decideStatus(keeper.book, event, { protocol: this.#protocol(event.station), limited });
    if (decision?.transaction !== undefined && decision.anomalies.includes('available-while-open'))
      listener.freeWhileOpen(decision.transaction, event.at);
    if (decision !== undefined && decision.changes.length > 0) changes.push(...(await desk.enter(decision, false)));
    // A transaction that was taken for one of the past goes on after all.
    const open = event.evse === undefined ? undefined : keeper.book.openOn(event.evse)?.transaction;
    if (open !== undefined && book.evse(open.evse)?.transaction === undefined)
      changes.push(...book.transactionChanged(open, this.#now()));
    this.#changed(event.station, changes);
  }

  async #authorize(event: AuthorizeRequested): Promise<IdTokenInfo> {
    const info = await this.#deps.admissions.identify(event.station, event.idToken);
    this.#deps.log.info(
      { station: event.station, idToken: maskToken(event.idToken.idToken), status: info.status },
      'token presented',
    );
    return info;
  }

  async #transaction(stamped: TransactionReported, generation: number): Promise<TransactionAnswer> {
    const { keeper, admissions, desk, log, randomBytes, book, listener, time } = this.#deps;
    const told = this.#placed(stamped);
    const protocol = this.#protocol(told.station);
    const verdict = await this.#verdict(time.since(generation, told), protocol);
    const event = time.since(generation, told);
    const now = this.#now();
    const decision = decideTransaction(keeper.book, this.#withOffered(event), {
      now,
      protocol,
      uid: () => transactionUid(uuidV7(now, randomBytes(10))),
      nextStationTransactionId: () => keeper.nextStationTransactionId(),
      resolveEvse: () => book.likeliestConnector(event.station),
      ...(verdict !== undefined && (verdict.admission ? { admission: verdict.admission } : { refused: true })),
    });
    for (const anomaly of decision.anomalies) {
      const about = { station: event.station, ...(decision.transaction && { transaction: decision.transaction.uid }) };
      const fault = anomaly === 'orphan' ? { fault: FAULTS.orphanTransaction.code } : {};
      log.warn({ ...about, ...fault, anomaly }, 'unusual transaction event');
    }
    if (decision.changes.length > 0) {
      const changes = await desk.enter(decision, isSample(event));
      const { transaction } = decision;
      if (verdict !== undefined && transaction !== undefined) admissions.started(transaction, verdict);
      if (transaction !== undefined) {
        book.measured(transaction.evse, event.meterValues, now);
        listener.measured(transaction.evse);
        if (transaction.endedAt === undefined) this.#perhapsOver(transaction);
      }
      this.#changed(event.station, changes);
    }
    const known = keeper.book.byStationTransaction(event.station, decision.answer.stationTransactionId);
    const info =
      verdict?.info ?? (known === undefined ? undefined : await admissions.standing(known.transaction, event));
    return { stationTransactionId: decision.answer.stationTransactionId, ...(info && { idTokenInfo: info }) };
  }

  /** A station with one connector means that one where it names none (E01.FR.16 lets it). */
  #placed(event: TransactionReported): TransactionReported {
    if (event.evse !== undefined || event.kind === 'ended') return event;
    const place = this.#deps.book.onlyConnector(event.station);
    return place === undefined ? event : { ...event, ...place };
  }

  /** One that its station held back, and whose connector was free when it came: its stop may come behind it, or never. */
  #perhapsOver(transaction: Transaction): void {
    const { book, listener } = this.#deps;
    if (book.evse(transaction.evse)?.transaction !== undefined) return;
    const connector = book.connector(transaction.evse, transaction.connector);
    if (connector?.reported === 'Available') listener.freeWhileOpen(transaction, connector.at);
  }

  /**
   * A token that opens a transaction is judged before the transaction is written, so that the basis is on disk with it.
   * Undefined where there is nothing to judge: no token, an end, a repetition, or a transaction whose driver is in.
   */
  async #verdict(event: TransactionReported, protocol: Protocol): Promise<Verdict | undefined> {
    if (event.idToken === undefined || event.kind === 'ended') return undefined;
    const { transaction, repeated } = recognise(this.#deps.keeper.book, event, protocol);
    if (repeated || (transaction !== undefined && transaction.basis !== 'none')) return undefined;
    return this.#deps.admissions.admit(event.station, event.evse, event.idToken, event.remoteStartId);
  }

  async #meterValues(event: MeterValuesReported): Promise<void> {
    const { book, journal, listener } = this.#deps;
    await journal.commit(
      {
        records: [
          {
            type: 'meter',
            station: event.station,
            ...(event.evse !== undefined && { evse: event.evse }),
            meterValues: this.#withOffered(event).meterValues,
          },
        ],
      },
      'batch',
    );
    if (event.evse !== undefined) {
      book.measured(event.evse, event.meterValues, this.#now());
      listener.measured(event.evse);
    }
  }

  /** What a charger does not say of its offer the gateway knows; it goes to the CSMSs and is no measurement of the charger. */
  #withOffered<E extends TransactionReported | MeterValuesReported>(event: E): E {
    const { book, nominalVoltage } = this.#deps;
    if (event.evse === undefined || event.meterValues.length === 0) return event;
    const evse = book.describe(event.evse);
    const live = book.evse(event.evse);
    if (evse === undefined || live === undefined) return event;
    const meterValues = withOffered(event.meterValues, evse, live, nominalVoltage, this.#now());
    return meterValues === event.meterValues ? event : { ...event, meterValues };
  }

  #changed(station: StationId, changes: readonly ConnectorChange[]): void {
    this.#deps.listener.stationChanged(station);
    if (changes.length > 0) this.#deps.listener.connectorsChanged(changes);
  }

  #protocol(station: StationId): Protocol {
    return this.#deps.book.station(station)?.capabilities?.protocol ?? 'ocpp1.6';
  }

  #now() {
    return this.#deps.clock.now();
  }
}

/** Whether the station's clock stands ahead of the gateway's; undefined: the event bears no time of the station's. */
const isAhead = (event: StationEvent, now: Timestamp): boolean | undefined =>
  event.type === 'status' || event.type === 'transaction' ? event.at > now + HEARD_AHEAD : undefined;

/** Periodic values change nothing but registers: they may wait for company on their way to the disk. */
const isSample = (event: TransactionReported): boolean =>
  event.kind === 'updated' && event.idToken === undefined && event.trigger.startsWith('MeterValue');

function dataTransfer(event: DataTransferReceived): DataTransferAnswer {
  const known = CHATTER.has((event.messageId ?? '').toLowerCase());
  return { status: known ? 'Accepted' : 'UnknownVendorId' };
}
