// The console's side of the gateway: reads what stands where, and carries out the little that an operator may do.
import type { Clock } from '../kernel/clock.js';
import { evseNumber, type EvseNumber, type MeterId } from '../kernel/ids.js';
import { milliseconds, toRfc3339, type Milliseconds, type Timestamp } from '../kernel/units.js';
import type { BalancingReport, CircuitReport, EvseReport } from '../balancing/report.js';
import type {
  CircuitHistory,
  CircuitSummary,
  CsmsSummary,
  DeadLetterSummary,
  EventLog,
  EvseExplanation,
  EvseHistory,
  ExportedEntry,
  ExportSelection,
  Health,
  JournalOverview,
  ListedTransaction,
  Redrive,
  SiteConsole,
  SiteDrawing,
  SiteStatus,
  StationSummary,
  TransactionSelection,
} from '../ports/console.js';
import type { Journal } from '../ports/journal.js';
import type { Reservation } from '../reservations/reservation.js';
import type { ChargingNeeds } from '../site/charging-needs.js';
import type { LiveSite } from '../site/live-state.js';
import type { MeterReading } from '../site/metering.js';
import type { GridOperatorStanding } from '../shell/grid-operator.js';
import type { Site } from '../site/topology.js';
import type { Transaction } from '../site/transaction.js';
import type { View } from '../views/view.js';
import { csmsSummary } from './csms-summary.js';
import { deadLetterSummary } from './dead-letter-summary.js';
import { exportEntries } from './export.js';
import { health } from './health.js';
import { History } from './history.js';
import { siteDrawing } from './site-drawing.js';
import {
  circuitSummary,
  evseFlow,
  evseSummary,
  explanationOf,
  gridOperatorSummary,
  stationSummary,
  type EvseSources,
} from './site-status.js';
import { transactionList } from './transaction-list.js';

/** The running gateway, as far as it is looked at. */
export interface Watched {
  readonly live: LiveSite;
  readonly views: readonly View[];
  readonly operations: { openTransactions(): readonly Transaction[] };
  readonly balancing: BalancingReport | undefined;
  readonly circuits: readonly CircuitReport[] | undefined;
  readonly readings: ReadonlyMap<MeterId, MeterReading>;
  readonly gridOperator: GridOperatorStanding | undefined;
  reservation(evse: EvseNumber): Reservation | undefined;
  needs(evse: EvseNumber): ChargingNeeds | undefined;
  /** By the monotonic clock. */
  readonly plannedAt: number | undefined;
}

export interface ConsoleDependencies {
  readonly site: Site;
  readonly version: string;
  readonly gateway: Watched;
  /** With the times as they are known now. */
  readonly journal: Pick<Journal, 'read' | 'newest' | 'lastSeq' | 'status'>;
  readonly clock: Clock;
  readonly events: EventLog;
}

export class OperatorConsole implements SiteConsole {
  readonly #is: ConsoleDependencies;
  readonly #startedAt: Timestamp;
  readonly #history = new History();

  constructor(dependencies: ConsoleDependencies) {
    this.#is = dependencies;
    this.#startedAt = dependencies.clock.now();
  }

  get site(): string {
    return this.#is.site.id;
  }

  get events(): EventLog {
    return this.#is.events;
  }

  /** Every `STEP_s` seconds, by whoever keeps time. */
  remember(): void {
    const { site, gateway, clock } = this.#is;
    const plan = this.#plan();
    const evses = site.stations.flatMap((station) =>
      station.evses.map(({ number }) => ({ evse: number, ...evseFlow(number, gateway.live, plan?.get(number)) })),
    );
    this.#history.sample({ evses, circuits: this.#circuits() }, clock.now());
  }

  evseHistory(evse: number, minutes: number): EvseHistory | undefined {
    return this.#hasEvse(evse) ? this.#history.evse(evse, minutes) : undefined;
  }

  circuitHistory(circuit: string, minutes: number): CircuitHistory | undefined {
    const drawn = this.#is.site.circuits.find(({ id }) => id === circuit);
    return drawn && this.#history.circuit(circuit, drawn.breaker, minutes);
  }

  transactions(selection: TransactionSelection): AsyncIterable<ListedTransaction> {
    const { site, gateway, journal, clock } = this.#is;
    return transactionList(
      {
        open: () => gateway.operations.openTransactions(),
        newest: (collection, before, limit) => journal.newest(collection, before, limit),
        tariff: site.tariff,
        now: () => clock.now(),
      },
      selection,
    );
  }

  drawing(): SiteDrawing {
    return siteDrawing(this.#is.site);
  }

  status(): SiteStatus {
    const { site, version, gateway, clock } = this.#is;
    const evses: EvseSources = {
      live: gateway.live,
      plan: this.#plan(),
      reservation: (evse) => gateway.reservation(evse),
      needs: (evse) => gateway.needs(evse),
      tariff: site.tariff,
      now: clock.now(),
    };
    const planAge = this.#planAge();
    return {
      site: site.id,
      name: site.name,
      version,
      at: toRfc3339(clock.now()),
      startedAt: toRfc3339(this.#startedAt),
      stations: this.#stations(),
      evses: site.stations
        .flatMap((station) => station.evses.map((evse) => evseSummary(evse, evses)))
        .sort((a, b) => a.evse - b.evse),
      circuits: this.#circuits(),
      ...(planAge !== undefined && { planAge_s: planAge / 1000 }),
      csms: this.#csms(),
      ...(gateway.gridOperator && { gridOperator: gridOperatorSummary(gateway.gridOperator) }),
    };
  }

  explain(evse: number): EvseExplanation | undefined {
    const { gateway } = this.#is;
    if (!this.#hasEvse(evse)) return undefined;
    const measured = gateway.live.evse(evseNumber(evse))?.current;
    const report = gateway.balancing?.evses.find((each) => each.evse === evse);
    const explanation = explanationOf(evse, report);
    if (report === undefined) return { evse, explanation };
    const { standing, target, sent, ceiling, phases, because } = report;
    return {
      evse,
      explanation,
      plan: {
        standing,
        target_A: target,
        ...(sent !== undefined && { sent_A: sent }),
        ceiling_A: ceiling,
        phases,
        because,
      },
      ...(measured && { measured_A: measured }),
    };
  }

  health(): Health {
    const { gridOperator } = this.#is.gateway;
    return health({
      site: this.site,
      journal: this.#is.journal.status,
      planAge: this.#planAge(),
      csms: this.#csms(),
      stations: this.#stations(),
      gridOperator: gridOperator && gridOperatorSummary(gridOperator),
    });
  }

  journal(): Promise<JournalOverview> {
    const { journal } = this.#is;
    const { writable, fault, size, used, limit, free, commits, refused, lastFlush } = journal.status;
    return Promise.resolve({
      site: this.site,
      gateway: 'running',
      lastSeq: journal.lastSeq,
      size_bytes: size,
      used_bytes: used,
      limit_bytes: limit,
      free_bytes: free,
      writable,
      ...(fault !== undefined && { fault }),
      commits,
      refusedCommits: refused,
      ...(lastFlush !== undefined && { lastFlush_s: lastFlush / 1000 }),
      csms: this.#csms(),
    });
  }

  deadLetters(csms: string): readonly DeadLetterSummary[] | undefined {
    return this.#view(csms)?.deadLetters().map(deadLetterSummary);
  }

  redrive(csms: string, seqs: readonly number[] | undefined): Redrive | undefined {
    const view = this.#view(csms);
    if (view === undefined) return undefined;
    const dead = new Set<number>(view.deadLetters().map(({ seq }) => seq));
    const asked = new Set(seqs ?? dead);
    const redriven = new Set<number>(view.redrive(asked));
    return {
      csms,
      accepted: view.status().accepted,
      redriven: [...redriven],
      left: [...asked].filter((seq) => dead.has(seq) && !redriven.has(seq)),
      unknown: [...asked].filter((seq) => !dead.has(seq)),
    };
  }

  export(selection: ExportSelection): AsyncIterable<ExportedEntry> {
    const { journal } = this.#is;
    return exportEntries((after, limit) => journal.read(after, limit), selection);
  }

  #hasEvse(evse: number): boolean {
    return this.#is.site.stations.some(({ evses }) => evses.some(({ number }) => number === evse));
  }

  #plan(): ReadonlyMap<EvseNumber, EvseReport> | undefined {
    const plan = this.#is.gateway.balancing?.evses;
    return plan && new Map(plan.map((report) => [report.evse, report]));
  }

  #circuits(): readonly CircuitSummary[] {
    const { site, gateway } = this.#is;
    const { live, readings, circuits: reports } = gateway;
    return site.circuits.map((circuit) => circuitSummary(circuit, { site, live, readings, reports }));
  }

  #planAge(): Milliseconds | undefined {
    const { gateway, clock } = this.#is;
    const { plannedAt } = gateway;
    return plannedAt === undefined ? undefined : milliseconds(clock.monotonic() - plannedAt);
  }

  #view(csms: string): View | undefined {
    return this.#is.gateway.views.find((view) => view.csms === csms);
  }

  #csms(): readonly CsmsSummary[] {
    const { gateway, clock } = this.#is;
    return gateway.views.map((view) => csmsSummary(view.status(), clock.now()));
  }

  #stations(): readonly StationSummary[] {
    const { site, gateway } = this.#is;
    return site.stations.flatMap((station) => stationSummary(station, gateway.live) ?? []);
  }
}
