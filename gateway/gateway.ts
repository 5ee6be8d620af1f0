// The shell: holds the parts that decide, passes on what has changed, and keeps time.
import type { CancelTimer, Clock } from './kernel/clock.js';
import { FAULTS } from './kernel/faults.js';
import type { EvseNumber, MeterId, StationId } from './kernel/ids.js';
import { minutes, seconds, type Milliseconds } from './kernel/units.js';
import type { SiteActs } from './ports/console-acts.js';
import type { Journal } from './ports/journal.js';
import type { ContactHost } from './ports/contact.js';
import type { MeterHost, StationHost } from './ports/station.js';
import { prepareSite } from './reconfigure.js';
import { openParts, type GatewayDependencies, type Parts } from './parts.js';
import { reason } from './balancing/explain.js';
import type { EventRecorder } from './console/event-recorder.js';
import type { BalancingReport, CircuitReport, EvseReport } from './balancing/report.js';
import type { Commissioning } from './shell/commissioning.js';
import type { GridOperatorStanding } from './shell/grid-operator.js';
import type { Reservation } from './reservations/reservation.js';
import type { SiteOperations } from './shell/operations.js';
import type { ChargingNeeds } from './site/charging-needs.js';
import type { MeterReading } from './site/metering.js';
import type { ConnectorChange, SiteBook } from './site/site-book.js';
import { inForce } from './site/in-force.js';
import { gridConnections, type Site } from './site/topology.js';
import type { Transaction } from './site/transaction.js';
import type { Telemetry } from './telemetry/telemetry.js';
import type { View } from './views/view.js';

const TEND_INTERVAL = seconds(1);
const CHECKPOINT_INTERVAL = minutes(1);

export class Gateway {
  readonly stations: StationHost;
  readonly meters: MeterHost;
  readonly contacts: ContactHost;
  readonly views: readonly View[];
  readonly telemetry: Telemetry[] = [];
  /** Whoever tells people what happens; filled before `start`. */
  readonly recorders: EventRecorder[] = [];
  readonly #parts: Parts;
  readonly #replaceSite: (next: Site) => void;
  #timers: CancelTimer[] = [];

  private constructor(parts: Parts, replaceSite: (next: Site) => void) {
    this.#parts = parts;
    this.#replaceSite = replaceSite;
    this.stations = parts.intake;
    this.meters = {
      reading: (reading) => {
        parts.steering.reading(reading);
        for (const telemetry of this.telemetry) telemetry.meter(reading);
      },
    };
    this.contacts = { read: (contact, closed) => parts.gridOperator.contact(contact, closed) };
    this.views = parts.views;
  }

  /**
   * Everything as it was when the last commit of the process before was on disk.
   * @throws JournalUnavailable when it cannot be read
   */
  static async open(deps: GatewayDependencies): Promise<Gateway> {
    // While the parts are being opened nobody listens yet.
    const opened: { gateway?: Gateway } = {};
    let current = deps.site;
    const site = inForce(() => current);
    const parts = await openParts(
      { ...deps, site },
      {
        connectorsChanged: (changes) => opened.gateway?.connectorsChanged(changes),
        transactionChanged: (transaction) => opened.gateway?.transactionChanged(transaction),
        planned: (report) => opened.gateway?.planned(report),
        measured: (evse) => opened.gateway?.tell((telemetry) => telemetry.measured(evse)),
        timesMoved: () => opened.gateway?.tell((telemetry) => telemetry.showAll()),
        stationChanged: (id) => {
          opened.gateway?.tell((telemetry) => telemetry.stationChanged(id));
          opened.gateway?.record((recorder) => recorder.stationChanged(id));
        },
        acted: (act) => opened.gateway?.record((recorder) => recorder.acted(act)),
        brokers: () => opened.gateway?.telemetry ?? [],
      },
    );
    return (opened.gateway = new Gateway(parts, (next) => {
      current = next;
    }));
  }

  /** The site that is in force: it reads as another one after `prepareSite`. */
  get site(): Site {
    return this.#parts.site;
  }

  /**
   * Opens what another site needs; nothing has changed until the answer is called, which cannot fail.
   * @param next as far as it can be in force without a restart
   * @throws Error when it cannot be opened
   */
  async prepareSite(next: Site): Promise<() => void> {
    const putInForce = await prepareSite(this.#parts, next, this.#replaceSite);
    return () => this.connectorsChanged(putInForce());
  }

  /** Ends what began at hardware that the site no longer has. @throws JournalUnavailable: the next start ends it */
  endRemoved(): Promise<void> {
    return this.#parts.orphans.endRemoved();
  }

  /** Starts to keep time; stations and CSMSs are connected by whoever composed the gateway. */
  start(): void {
    const { clock, journal, keeper, refusals, reservations, gridOperator, steering, storage, time } = this.#parts;
    const { views, chargerLists, log } = this.#parts;
    journal.onCommitted(() => {
      for (const view of views) view.journalAdvanced();
      for (const telemetry of this.telemetry) telemetry.journalAdvanced();
    });
    for (const telemetry of this.telemetry) telemetry.start();
    steering.start();
    refusals.start();
    storage.start();
    this.#timers = [
      clock.every(TEND_INTERVAL, () => {
        time.tend();
        gridOperator.tend();
        reservations.tend();
        chargerLists.tend();
        this.#publishViews();
      }),
      clock.every(CHECKPOINT_INTERVAL, () => {
        Promise.all([keeper.checkpoint(), time.note()])
          .then(() => storage.trim())
          .catch((err: unknown) =>
            log.error({ err, fault: FAULTS.journalUnavailable.code }, 'the checkpoint could not be written'),
          );
      }),
    ];
  }

  /** Writes what is only in memory; the journal stays open for whoever opened it. */
  async stop(): Promise<void> {
    const { intake, gridOperator, keeper, log, orphans, refusals, steering, storage, time, views } = this.#parts;
    for (const cancel of this.#timers) cancel();
    intake.stop();
    this.#parts.commissioning.stop();
    orphans.stop();
    refusals.stop();
    steering.stop();
    for (const view of views) view.stop();
    await Promise.all([storage.stop(), gridOperator.stop(), ...this.telemetry.map((telemetry) => telemetry.stop())]);
    await Promise.all([keeper.checkpoint(), time.note()]).catch((err: unknown) => {
      const fault = FAULTS.journalUnavailable.code;
      // The next start reads some more of the journal instead.
      log.warn({ err, fault }, 'the last checkpoint could not be written');
    });
  }

  /** The site's clock: what everything that belongs to the site tells the time by. */
  get clock(): Clock {
    return this.#parts.clock;
  }

  /** The journal with the times as they are known now. */
  get journal(): Journal {
    return this.#parts.journal;
  }

  get live(): SiteBook {
    return this.#parts.book;
  }

  get operations(): SiteOperations {
    return this.#parts.operations;
  }

  /** What somebody at the site may do. */
  get acts(): SiteActs {
    return this.#parts.acts;
  }

  get commissioning(): Commissioning {
    return this.#parts.commissioning;
  }

  /** Why every EVSE has the current it has. */
  get balancing(): BalancingReport | undefined {
    return this.#parts.steering.report;
  }

  /** How circuits stand in the newest plan of load balancing. */
  get circuits(): readonly CircuitReport[] | undefined {
    return this.#parts.steering.circuits;
  }

  /** From samples of the meters until the cuts that followed from them were sent, the newest last. */
  get reactions(): readonly Milliseconds[] {
    return this.#parts.steering.reactions;
  }

  /** The last reading of each meter, whatever its age. */
  get readings(): ReadonlyMap<MeterId, MeterReading> {
    return this.#parts.steering.readings;
  }

  /** The reservation that names an EVSE. */
  reservation(evse: EvseNumber): Reservation | undefined {
    return this.#parts.reservations.of(evse);
  }

  /** What the car at an EVSE needs, as far as anybody has said. */
  needs(evse: EvseNumber): ChargingNeeds | undefined {
    return this.#parts.needs.of(evse);
  }

  /** When load balancing planned last, by the monotonic clock. */
  get plannedAt(): Milliseconds | undefined {
    return this.#parts.steering.plannedAt;
  }

  /** A message of the grid operator over MQTT. @param circuit that its topic names */
  gridLimit(text: string, circuit?: string): void {
    this.#parts.gridOperator.word(text, circuit);
  }

  /** A sign of life of the grid operator over MQTT. */
  gridHeartbeat(): void {
    this.#parts.gridOperator.heartbeat();
  }

  /** How the grid operator's limit stands; undefined where there is none to be expected. */
  get gridOperator(): GridOperatorStanding | undefined {
    const { gridOperator, profiles } = this.#parts;
    return gridOperator.standing(profiles.caps());
  }

  openTransactions(station: StationId): readonly Transaction[] {
    return this.#parts.keeper.openOf(station);
  }

  /** Something that concerns the security of the site: delivered to every CSMS that takes it. */
  securityEvent(event: string, station: StationId | undefined, techInfo: string): void {
    const { journal, clock, log } = this.#parts;
    this.record((recorder) => recorder.security(event, station, techInfo));
    journal
      .commit({ records: [{ type: 'security', ...(station && { station }), event, at: clock.now(), techInfo }] })
      .catch((err: unknown) =>
        log.error({ err, fault: FAULTS.journalUnavailable.code, event }, 'a security event could not be kept'),
      );
  }

  private tell(what: (telemetry: Telemetry) => void): void {
    for (const telemetry of this.telemetry) what(telemetry);
  }

  private record(what: (recorder: EventRecorder) => void): void {
    for (const recorder of this.recorders) what(recorder);
  }

  private transactionChanged(transaction: Transaction): void {
    this.record((recorder) => recorder.transactionChanged(transaction));
    const { needs, orphans, profiles, refusals, steering } = this.#parts;
    if (transaction.endedAt === undefined) profiles.started(transaction);
    else {
      profiles.ended(transaction);
      orphans.ended(transaction);
      steering.ended(transaction);
      needs.ended(transaction);
    }
    refusals.changed(transaction);
    steering.wake();
  }

  private connectorsChanged(changes: readonly ConnectorChange[]): void {
    const { book, needs, views, reservations, steering } = this.#parts;
    for (const { evse, connector } of changes) {
      for (const view of views) view.connectorChanged(evse);
      for (const telemetry of this.telemetry) telemetry.connectorChanged(evse, connector);
      this.record((recorder) => recorder.connectorChanged(evse, connector));
    }
    reservations.tend();
    needs.connectorsChanged(changes);
    // Where nobody charges there is nothing to divide anew, however many chargers come back at once.
    if (changes.some(({ evse }) => book.evse(evse)?.transaction !== undefined)) steering.wake();
  }

  private planned(circuits: readonly CircuitReport[]): void {
    const report = this.balancing;
    const connections = new Set(gridConnections(this.#parts.site.circuits));
    // What the grid operator says of a part of the site is told of the EVSEs there, not of the whole.
    const told = report && {
      ...report,
      circuits: report.circuits.filter(({ circuit }) => connections.has(circuit)),
    };
    if (told !== undefined) for (const view of this.views) view.planned(told);
    if (report !== undefined) this.record((recorder) => recorder.planned(report));
    const operator = this.gridOperator;
    if (operator !== undefined) this.record((recorder) => recorder.gridOperator(operator));
    if (operator !== undefined) for (const telemetry of this.telemetry) telemetry.gridOperator(operator);
    for (const telemetry of this.telemetry) for (const one of report?.evses ?? []) telemetry.reason(reasonFor(one));
    for (const telemetry of this.telemetry) {
      for (const circuit of circuits) telemetry.circuit(circuit);
      for (const { evses } of this.#parts.site.stations) for (const { number } of evses) telemetry.measured(number);
    }
  }

  #publishViews(): void {
    this.record((recorder) => {
      for (const view of this.views) recorder.csms(view.status());
    });
    for (const telemetry of this.telemetry) {
      for (const view of this.views) telemetry.csms(view.status());
    }
  }
}

function reasonFor({ evse, because }: EvseReport): Parameters<Telemetry['reason']>[0] {
  const where = 'where' in because ? because.where : undefined;
  const profile = 'profile' in because ? because.profile : where?.profile;
  return {
    evse,
    reason: because.kind,
    text: reason(because),
    ...(where?.kind === 'circuit' && { circuit: where.name }),
    ...(where && { phase: where.phase }),
    ...(profile && { profile }),
  };
}
