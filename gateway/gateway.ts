// The shell: brings the site's state back from disk, joins the parts that decide to the ports that act, and keeps time.
import type { CancelTimer, Clock } from './kernel/clock.js';
import { FAULTS } from './kernel/faults.js';
import { journalSeq, type EvseNumber, type JournalSeq, type StationId } from './kernel/ids.js';
import type { Log } from './kernel/log.js';
import { ampere, minutes, seconds } from './kernel/units.js';
import type { Journal } from './ports/journal.js';
import type { MeterHost, StationDriver, StationHost } from './ports/station.js';
import type { BalancingReport } from './balancing/report.js';
import { Admissions, type Authority } from './shell/admissions.js';
import { Availability } from './shell/availability.js';
import { Intake, type IntakeListener } from './shell/intake.js';
import { SiteOperations } from './shell/operations.js';
import { Orphans } from './shell/orphans.js';
import { Profiles } from './shell/profiles.js';
import { Refusals } from './shell/refusals.js';
import { Reservations } from './shell/reservations.js';
import { SiteVariables } from './shell/site-variables.js';
import { Steering } from './shell/steering.js';
import { TokenStore } from './shell/token-store.js';
import { TransactionDesk } from './shell/transaction-desk.js';
import { TransactionKeeper } from './shell/transaction-keeper.js';
import { SiteBook, type ConnectorChange } from './site/site-book.js';
import type { Site } from './site/topology.js';
import type { Transaction } from './site/transaction.js';
import type { Telemetry } from './telemetry/telemetry.js';
import { View } from './views/view.js';

const TEND_INTERVAL = seconds(1);
const CHECKPOINT_INTERVAL = minutes(1);
/** Entries that every reader has passed stay for a look back; what is older is forgotten. */
const KEPT_ENTRIES = 10_000;

export interface GatewayDependencies {
  readonly site: Site;
  readonly journal: Journal;
  /** Filled by whoever composes the gateway, before `start`. */
  readonly drivers: ReadonlyMap<StationId, StationDriver>;
  readonly clock: Clock;
  readonly log: Log;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly firmwareVersion: string;
}

export class Gateway {
  readonly stations: StationHost;
  readonly meters: MeterHost;
  readonly views: readonly View[];
  readonly telemetry: Telemetry[] = [];
  readonly #parts: Parts;
  #timers: CancelTimer[] = [];

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.stations = parts.intake;
    this.meters = {
      reading: (reading) => {
        parts.steering.reading(reading);
        for (const telemetry of this.telemetry) telemetry.meter(reading);
      },
    };
    this.views = parts.views;
  }

  /**
   * Everything as it was when the last commit of the process before was on disk.
   * @throws JournalUnavailable when it cannot be read
   */
  static async open(deps: GatewayDependencies): Promise<Gateway> {
    const { site, journal, clock, log, drivers, randomBytes } = deps;
    const book = new SiteBook(site, clock.now());
    const keeper = await TransactionKeeper.open({ site, journal, log });
    const views: View[] = [];
    let gateway: Gateway | undefined;
    const changed = (changes: readonly ConnectorChange[]): void => gateway?.connectorsChanged(changes);
    const desk = new TransactionDesk({
      book,
      keeper,
      clock,
      connectorsChanged: changed,
      transactionChanged: (transaction) => gateway?.transactionChanged(transaction),
    });
    const orphans = new Orphans({ site, book, keeper, desk, clock, log });
    await orphans.endRemoved();
    for (const transaction of keeper.book.open()) book.transactionChanged(transaction, clock.now());

    const variables = await SiteVariables.open(site, journal);
    const tokens = await TokenStore.open(site, journal, log);
    const availability = await Availability.open({ book, journal, drivers, clock, log, changed });
    const reservations = await Reservations.open({
      site,
      book,
      journal,
      drivers,
      clock,
      log,
      changed,
      ended: ({ reservation, why }) =>
        views.find((view) => view.csms === reservation.csms)?.reservationEnded(reservation.id, why),
    });
    const profiles = await Profiles.open({ site, book, journal, clock, log });
    const admissions = new Admissions({
      site,
      keeper,
      tokens,
      reservations,
      variables,
      clock,
      log,
      authorityOf: (evse) => authorityOf(site, views, evse),
      stopAll: (station) => {
        for (const transaction of keeper.openOf(station)) stop(transaction);
      },
    });
    const steering = await Steering.open({
      site,
      book,
      drivers,
      profiles,
      journal,
      clock,
      log,
      escalate: (evse, step) => {
        const transaction = book.evse(evse)?.transaction;
        if (step === 'inoperative') settle(availability.change([{ evse }], false));
        else if (transaction !== undefined) stop(transaction);
      },
      planned: (report) => gateway?.planned(report),
    });
    const operations = new SiteOperations({
      site,
      book,
      keeper,
      drivers,
      admissions,
      availability,
      reservations,
      tokens,
      variables,
      profiles,
      clock,
      log,
      judged: (csms, uid, info) => refusals.judged(csms, uid, info),
    });
    const refusals = new Refusals({
      desk,
      keeper,
      tokens,
      variables,
      stop: (transaction) => operations.stop(transaction),
      clock,
      log,
    });
    const settle = (work: Promise<unknown>): void => {
      work.catch((err: unknown) => log.error({ err }, 'a step could not be finished'));
    };
    const stop = (transaction: Transaction): void => settle(operations.stop(transaction));

    const listener: IntakeListener = {
      connectorsChanged: changed,
      freeWhileOpen: (transaction, at) => orphans.freeWhileOpen(transaction, at),
      measured: (evse) => {
        steering.measured(evse);
        for (const telemetry of gateway?.telemetry ?? []) telemetry.measured(evse);
      },
      stationChanged: (id) => {
        for (const telemetry of gateway?.telemetry ?? []) telemetry.stationChanged(id);
      },
      stationReady: (id) => {
        steering.wake();
        const evses = site.stations.find((station) => station.id === id)?.evses.map(({ number }) => number) ?? [];
        settle(availability.returned(id, evses));
      },
      // The gateway owns reservations: a charger that drops its copy changes nothing.
      reservationEnded: (event) =>
        log.info(
          { station: event.station, reservation: event.reservationId, why: event.why },
          'charger ended a reservation',
        ),
    };
    const intake = new Intake({ book, keeper, admissions, desk, journal, clock, log, randomBytes, listener });
    for (const csms of site.csms) {
      views.push(
        await View.open({
          csms,
          site,
          live: book,
          journal,
          operations,
          clock,
          log,
          firmwareVersion: deps.firmwareVersion,
        }),
      );
    }
    reservations.show();
    gateway = new Gateway({
      ...deps,
      book,
      keeper,
      reservations,
      profiles,
      refusals,
      orphans,
      steering,
      intake,
      views,
      operations,
    });
    return gateway;
  }

  /** Starts to keep time; stations and CSMSs are connected by whoever composed the gateway. */
  start(): void {
    const { clock, journal, keeper, refusals, reservations, steering, views, log } = this.#parts;
    journal.onCommitted(() => {
      for (const view of views) view.journalAdvanced();
      for (const telemetry of this.telemetry) telemetry.journalAdvanced();
    });
    for (const telemetry of this.telemetry) telemetry.start();
    steering.start();
    refusals.start();
    this.#timers = [
      clock.every(TEND_INTERVAL, () => {
        reservations.tend();
        this.#publishViews();
      }),
      clock.every(CHECKPOINT_INTERVAL, () => {
        keeper
          .checkpoint()
          .then(() => this.#trim())
          .catch((err: unknown) =>
            log.error({ err, fault: FAULTS.journalUnavailable.code }, 'the checkpoint could not be written'),
          );
      }),
    ];
  }

  /** Writes what is only in memory; the journal stays open for whoever opened it. */
  async stop(): Promise<void> {
    const { intake, keeper, orphans, refusals, steering, views } = this.#parts;
    for (const cancel of this.#timers) cancel();
    intake.stop();
    orphans.stop();
    refusals.stop();
    steering.stop();
    for (const view of views) view.stop();
    await Promise.all(this.telemetry.map((telemetry) => telemetry.stop()));
    await keeper.checkpoint();
  }

  get live(): SiteBook {
    return this.#parts.book;
  }

  get operations(): SiteOperations {
    return this.#parts.operations;
  }

  /** Why every EVSE has the current it has. */
  get balancing(): BalancingReport | undefined {
    return this.#parts.steering.report;
  }

  /** The grid operator's limit in ampere per phase: a number, or `none`. */
  gridLimit(text: string): void {
    const { steering, log } = this.#parts;
    const said = text.trim().toLowerCase();
    const limit = said === 'none' ? undefined : Number(said);
    // An empty message (a cleared topic) is no limit of zero.
    if (limit !== undefined && !/^\d+(\.\d+)?$/.test(said)) {
      log.warn({ text: text.slice(0, 40) }, 'the grid operator sent something that is not a current in ampere');
      return;
    }
    steering.gridLimit(limit === undefined ? undefined : ampere(limit));
  }

  openTransactions(station: StationId): readonly Transaction[] {
    return this.#parts.keeper.openOf(station);
  }

  /** Something that concerns the security of the site: delivered to every CSMS that takes it. */
  securityEvent(event: string, station: StationId | undefined, techInfo: string): void {
    const { journal, clock, log } = this.#parts;
    journal
      .commit({ records: [{ type: 'security', ...(station && { station }), event, at: clock.now(), techInfo }] })
      .catch((err: unknown) =>
        log.error({ err, fault: FAULTS.journalUnavailable.code, event }, 'a security event could not be kept'),
      );
  }

  private transactionChanged(transaction: Transaction): void {
    const { orphans, profiles, refusals, steering } = this.#parts;
    if (transaction.endedAt === undefined) profiles.started(transaction);
    else {
      profiles.ended(transaction);
      orphans.ended(transaction);
    }
    refusals.changed(transaction);
    steering.wake();
  }

  private connectorsChanged(changes: readonly ConnectorChange[]): void {
    const { views, reservations, steering } = this.#parts;
    for (const { evse, connector } of changes) {
      for (const view of views) view.connectorChanged(evse);
      for (const telemetry of this.telemetry) telemetry.connectorChanged(evse, connector);
    }
    reservations.tend();
    steering.wake();
  }

  private planned(report: BalancingReport): void {
    for (const telemetry of this.telemetry) {
      for (const circuit of report.circuits) telemetry.circuit(circuit);
      for (const { evse } of report.evses) telemetry.measured(evse);
    }
  }

  #publishViews(): void {
    for (const telemetry of this.telemetry) {
      for (const view of this.views) telemetry.csms(view.status());
    }
  }

  /** Forgets what every CSMS and broker has, beyond the newest. */
  async #trim(): Promise<void> {
    const { journal, keeper, views } = this.#parts;
    const readers: JournalSeq[] = [keeper.checkpointSeq, ...views.map((view) => view.settled)];
    readers.push(...this.telemetry.map((telemetry) => telemetry.cursor));
    const upTo = Math.min(...readers, journal.lastSeq - KEPT_ENTRIES);
    if (upTo > 0) await journal.trim(journalSeq(upTo));
  }
}

interface Parts extends GatewayDependencies {
  readonly book: SiteBook;
  readonly keeper: TransactionKeeper;
  readonly reservations: Reservations;
  readonly profiles: Profiles;
  readonly refusals: Refusals;
  readonly orphans: Orphans;
  readonly steering: Steering;
  readonly intake: Intake;
  readonly operations: SiteOperations;
  readonly views: readonly View[];
}

/** The first CSMS of role authority that sees the EVSE. */
function authorityOf(site: Site, views: readonly View[], evse: EvseNumber): Authority | undefined {
  const csms = site.csms.find(({ role, evses }) => role === 'authority' && (evses?.includes(evse) ?? true));
  const view = csms && views.find((each) => each.csms === csms.id);
  if (view === undefined) return undefined;
  return {
    csms: view.csms,
    state: view.online ? 'online' : 'offline',
    reached: view.reached,
    authorize: (token) => view.authorize(token),
  };
}
