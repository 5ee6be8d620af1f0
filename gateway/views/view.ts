// One CSMS's view of the site: what it is told, in its own numbers and at its own pace, and what it may ask.
import type { BalancingReport } from '../balancing/report.js';
import type { Clock } from '../kernel/clock.js';
import { FAULTS } from '../kernel/faults.js';
import type { CsmsId, EvseNumber, JournalSeq, TransactionUid } from '../kernel/ids.js';
import type { Log } from '../kernel/log.js';
import type { Ampere, Timestamp } from '../kernel/units.js';
import type {
  BootReason,
  CsmsAnswer,
  CsmsCommand,
  CsmsHost,
  CsmsLink,
  CsmsMessage,
  Slot,
  StationIdentity,
} from '../ports/csms.js';
import type { Journal } from '../ports/journal.js';
import type { Operations } from '../ports/operations.js';
import type { SiteTimeSource } from '../ports/site-time.js';
import type { LiveSite } from '../site/live-state.js';
import type { Counts, Reader } from '../shedding/shed.js';
import { offeredValues } from '../site/offered-current.js';
import type { DataTransferAnswer } from '../site/station-event.js';
import type { IdToken, IdTokenInfo } from '../site/tokens.js';
import type { TimeShift } from '../site/time-shift.js';
import type { Csms, Evse, Site } from '../site/topology.js';
import type { JournalRecord, Transaction } from '../site/transaction.js';
import { carryOut, siteInfo, type CommandContext } from './commands.js';
import { connectorView } from './connector-view.js';
import type { DeadLetter } from './dead-letters.js';
import { Delivery, type DeliveryStatus } from './delivery.js';
import type { DeliverySettings } from './outcomes.js';
import { hardwareInventory } from './hardware-inventory.js';
import { measurandSet } from './sampling.js';
import { resume } from './resume.js';
import { SiteLimits } from './site-limits.js';
import { SlotTable, visibleEvses } from './slots.js';
import { Statuses, type StationStatus } from './statuses.js';
import { transactionAsItStands } from './triggers.js';
import { gatewayInventory, Variables } from './variables.js';

export interface ViewDependencies {
  readonly csms: Csms;
  readonly site: Site;
  readonly live: LiveSite;
  readonly journal: Journal;
  readonly operations: Operations;
  readonly time: SiteTimeSource;
  readonly clock: Clock;
  readonly log: Log;
  readonly firmwareVersion: string;
  /** Why this process was started; PowerUp unless told. */
  readonly bootReason?: BootReason;
  /** What this CSMS will not be told because the journal had no room for it. */
  readonly shed?: () => Counts;
  /** The CSMS has come, or is away. */
  readonly onlineChanged?: (online: boolean) => void;
}

/** What an operator wants to know of one CSMS at a glance. */
export interface ViewStatus extends DeliveryStatus {
  readonly csms: CsmsId;
  readonly connected: boolean;
  readonly accepted: boolean;
  /** What it will not be told because the journal had no room for it, by kind. */
  readonly shed: Counts;
}

/** Seconds: a CSMS that asks for more is sent one a day all the same, so that both keep knowing of each other. */
const LONGEST_HEARTBEAT = 86_400;

const SETTINGS = {
  HeartbeatInterval: ['HeartbeatInterval'],
  WebSocketPingInterval: ['WebSocketPingInterval'],
  RetryBackOffWaitMinimum: ['RetryBackOffWaitMinimum'],
  RetryBackOffRandomRange: ['RetryBackOffRandomRange'],
  RetryBackOffRepeatTimes: ['RetryBackOffRepeatTimes'],
  MessageTimeout: ['MessageTimeout', 'Default'],
} as const satisfies Record<Parameters<CsmsHost['setting']>[0], readonly [variable: string, instance?: string]>;

export class View implements CsmsHost, Reader {
  readonly csms: CsmsId;
  readonly identity: StationIdentity;
  readonly bootReason: BootReason;
  readonly #is: ViewDependencies;
  readonly #collection: string;
  readonly #slots: SlotTable;
  readonly #variables: Variables;
  readonly #statuses: Statuses;
  readonly #delivery: Delivery;
  readonly #limits: SiteLimits;
  #link: CsmsLink | undefined;
  #online = false;
  #reached = false;
  #stationOperative: boolean;
  /** What the CSMS said of the time would be taken if it were said once more. */
  #timeInDoubt = false;
  /** The CSMS has been told that its list contradicts it. */
  #listConflict = false;
  /** Counts the times the link came up, so that what an earlier link began does not go on in a later one. */
  #links = 0;

  private constructor(dependencies: ViewDependencies, stored: ReadonlyMap<string, unknown>, evses: readonly Evse[]) {
    const { csms, site, live, journal, operations, clock, log, firmwareVersion } = dependencies;
    this.#is = dependencies;
    this.csms = csms.id;
    this.bootReason = dependencies.bootReason ?? 'PowerUp';
    this.identity = { vendor: 'Forecourt', model: 'Site gateway', serialNumber: site.id.slice(0, 25), firmwareVersion };
    this.#collection = viewCollection(csms.id);
    this.#slots = SlotTable.open(stored.get('slots'), evses);
    this.#stationOperative = stored.get('inoperative') !== true;
    this.#variables = new Variables(
      {
        csms,
        site,
        operations,
        now: () => clock.now(),
        inventory: () => this.#inventory(),
        save: (values) => this.#save('variables', values),
      },
      stored.get('variables'),
    );
    this.#statuses = new Statuses({
      csms,
      slots: this.#slots,
      live,
      clock,
      log,
      minimumDuration: () => this.#variables.duration('ChargingStation', 'MinimumStatusDuration'),
      offlineThreshold: () => this.#variables.duration('OCPPCommCtrlr', 'OfflineThreshold'),
      stationStatus: () => this.#stationStatus(),
    });
    this.#limits = new SiteLimits({
      csms: csms.id,
      slots: this.#slots,
      live,
      clock,
      significance: () => this.#variables.number('SmartChargingCtrlr', 'LimitChangeSignificance'),
      notify: (message) => this.#notify(message),
      rateChanged: (transaction, offered) => this.#rateChanged(transaction, offered),
    });
    this.#delivery = new Delivery(
      {
        csms,
        collection: this.#collection,
        journal,
        clock,
        log,
        slots: this.#slots,
        settings: () => this.#deliverySettings(),
        judged: (uid, idToken, info) => this.#judged(uid, idToken, info),
        startedLate: (evse) => this.#statuses.toldTooEarly(evse),
      },
      stored,
    );
  }

  /**
   * Takes up what is stored of this CSMS; a CSMS without anything stored begins with what happens from now on.
   * @param site where it is opened for one that is not yet in force
   * @throws Error when the stored slot table cannot be read
   * @throws JournalUnavailable when its first documents cannot be written
   */
  static async open(dependencies: ViewDependencies, site: Site = dependencies.site): Promise<View> {
    const stored = await dependencies.journal.load(viewCollection(dependencies.csms.id));
    const view = new View(dependencies, stored, visibleEvses(site, dependencies.csms));
    const slots = { collection: view.#collection, key: 'slots', value: view.#slots.toDocument() };
    const { csms, journal, log, clock } = dependencies;
    const { projections } = view.#delivery;
    const concerns = (record: JournalRecord): boolean => view.concerns(record);
    const resumption = await resume({ csms: csms.id, journal, log, now: clock.now(), stored, projections, concerns });
    await journal.commit({ documents: [slots, ...view.#delivery.toDocuments(resumption)] });
    journal.onHealth(() => view.#statuses.stationChanged());
    return view;
  }

  /** The adapter that keeps the connection; whoever attaches it also starts it. */
  attach(link: CsmsLink): void {
    this.#link = link;
    this.#statuses.attach(link);
    this.#delivery.attach(link);
  }

  get online(): boolean {
    return this.#online;
  }

  get id(): string {
    return this.csms;
  }

  get authority(): boolean {
    return this.#is.csms.role === 'authority';
  }

  concerns(record: JournalRecord): boolean {
    if (record.type === 'transaction') return this.knows(record.uid) || this.#slots.sees(record.evse);
    if (record.type === 'meter') return record.evse !== undefined && this.#slots.sees(record.evse);
    return record.type === 'security';
  }

  knows(uid: TransactionUid): boolean {
    return this.#delivery.projections.of(uid) !== undefined;
  }

  /** `pending`: connected, and the CSMS has not accepted the gateway's boot. */
  get state(): 'online' | 'pending' | 'offline' {
    if (this.#online) return 'online';
    return this.#link?.connected === true ? 'pending' : 'offline';
  }

  /** It has been online since the process started. */
  get reached(): boolean {
    return this.#reached;
  }

  /** Everything up to here is settled: what the journal may forget, as far as this CSMS is concerned. */
  get settled(): JournalSeq {
    return this.#delivery.settled;
  }

  /** What this CSMS has answered is on disk before anything that is committed after this. */
  flush(): void {
    this.#delivery.flush();
  }

  status(): ViewStatus {
    const accepted = this.#link?.accepted === true;
    const shed = this.#is.shed?.() ?? {};
    return { csms: this.csms, connected: this.#online, accepted, ...this.#delivery.status(), shed };
  }

  deadLetters(): readonly DeadLetter[] {
    return this.#delivery.dead.all();
  }

  /**
   * Sends dead letters once more: all of them, or those of `only`.
   * @returns those that are sent; the others are on their way already, or this CSMS no longer sees where they are from
   */
  redrive(only?: ReadonlySet<number>): readonly JournalSeq[] {
    return this.#delivery.redrive(only);
  }

  /** A connector's live state has changed. */
  connectorChanged(evse: EvseNumber): void {
    this.#statuses.connectorChanged(evse);
  }

  /** The site, or what this CSMS sees of it, is another one: it is told of what is new and what is gone. */
  reconfigured(): void {
    const { csms, log, site } = this.#is;
    const before = JSON.stringify(this.#slots.toDocument());
    this.#slots.reconfigured(visibleEvses(site, csms));
    this.#delivery.reconfigured();
    this.#statuses.reconfigured();
    const document = this.#slots.toDocument();
    if (JSON.stringify(document) === before) return;
    // The next start finds the same numbers by itself, as long as no other change comes between.
    this.#save('slots', document).catch((err: unknown) =>
      log.error(
        { csms: csms.id, err, fault: FAULTS.journalUnavailable.code },
        'The numbers of connectors could not be saved',
      ),
    );
  }

  /** The site has learned the time: what was read before is read again. */
  shift(shift: TimeShift): void {
    this.#delivery.shift(shift);
  }

  /** New entries are durable. */
  journalAdvanced(): void {
    this.#delivery.wake();
  }

  /**
   * Asks the CSMS about a token; only an authority is asked.
   * @returns undefined: no answer in time (site.authorization.timeout), or nobody to ask
   */
  async authorize(idToken: IdToken): Promise<IdTokenInfo | undefined> {
    if (this.#is.csms.role !== 'authority' || !this.#online || this.#link === undefined) return undefined;
    const { clock, site, log } = this.#is;
    const link = this.#link;
    return new Promise((resolve) => {
      const cancel = clock.after(site.authorization.timeout, () => resolve(undefined));
      link.deliver({ type: 'authorize', idToken }).then(
        (outcome) => {
          cancel();
          const info = outcome.kind === 'answered' ? outcome.idTokenInfo : undefined;
          resolve(info && siteInfo(info, this.#slots));
        },
        (err: unknown) => {
          cancel();
          log.error({ csms: this.csms, err }, 'The adapter failed to ask about a token');
          resolve(undefined);
        },
      );
    });
  }

  /** One of this CSMS's own reservations is over without having been used. */
  reservationEnded(reservationId: number, why: 'Expired' | 'Removed'): void {
    this.#notify({ type: 'reservationEnded', reservationId, why });
  }

  /**
   * The CSMS's word on a token contradicts its own list (OCPP 1.6 section 3.5.4), or it has sent a list since. 1.6 knows an
   * error code of connector 0 for it; a 2.0.1 CSMS is told of a problem of LocalAuthListCtrlr.
   */
  localListConflict(conflict: boolean): void {
    if (!conflict && !this.#listConflict) return;
    this.#listConflict = conflict;
    this.#notify({
      type: 'stationStatus',
      status: this.#stationStatus().status,
      at: this.#is.clock.now(),
      ...(conflict && { error: { code: 'LocalListConflict' as const } }),
    });
  }

  /** The newest plan of load balancing: what it means for this CSMS is told where it matters (K11 to K13). */
  planned(report: BalancingReport): void {
    this.#limits.planned(report, this.#online);
  }

  /** Passes a charger's vendor message on; undefined: no answer, or nobody to tell. */
  async dataTransfer(vendorId: string, messageId: string, data: unknown): Promise<DataTransferAnswer | undefined> {
    if (!this.#online || this.#link === undefined) return undefined;
    const outcome = await this.#link.deliver({ type: 'dataTransfer', vendorId, messageId, data });
    return outcome.kind === 'answered' ? outcome.data : undefined;
  }

  /** Ends all that is under way; what was not answered is sent again by the next process. */
  stop(): void {
    this.linkDown('stopped');
    this.#delivery.stop();
  }

  setting(name: keyof typeof SETTINGS): number {
    const [variable, instance]: readonly [string, string?] = SETTINGS[name];
    return this.#variables.number('OCPPCommCtrlr', variable, instance);
  }

  linkUp(booted: boolean): void {
    const link = ++this.#links;
    if (!this.#online) this.#delivery.linkUp();
    this.#online = true;
    this.#is.onlineChanged?.(true);
    this.#reached = true;
    if (booted) this.#limits.forget();
    if (!this.#timeInDoubt) return this.#begin(booted, link);
    void this.#link?.askTime().then(() => {
      if (this.#online && link === this.#links) this.#begin(booted, link);
    });
  }

  /** The time is as good as it can be had now: what has waited may leave. */
  #begin(booted: boolean, link: number): void {
    // After a boot a CSMS knows no connector until it has been told its status; after a mere reconnect it knows them all.
    if (!booted) this.#delivery.open();
    void this.#statuses.linkUp(booted).then(() => {
      if (this.#online && link === this.#links) this.#delivery.open();
    });
  }

  linkDown(reason: string): void {
    this.#links++;
    this.#online = false;
    this.#is.onlineChanged?.(false);
    this.#is.log.info({ csms: this.csms, reason }, 'The CSMS is out of reach; what happens is kept for it');
    this.#statuses.linkDown();
    this.#delivery.linkDown();
  }

  timeFromCsms(at: Timestamp): void {
    const { csms, time } = this.#is;
    this.#timeInDoubt = time.heardFrom(csms.id, csms.role === 'authority', at) === 'doubtful';
  }

  heartbeatInterval(seconds: number): void {
    this.#variables
      .keep('OCPPCommCtrlr', 'HeartbeatInterval', String(Math.min(Math.max(Math.round(seconds), 1), LONGEST_HEARTBEAT)))
      .catch((err: unknown) => {
        const fault = FAULTS.journalUnavailable.code;
        this.#is.log.error({ csms: this.csms, err, fault }, 'The heartbeat interval could not be saved');
      });
  }

  async command(command: CsmsCommand): Promise<CsmsAnswer> {
    return carryOut(command, this.#commandContext());
  }

  slotOf(evse: number, connector?: number): Slot | undefined {
    return this.#slots.slot(evse, connector)?.slot;
  }

  slotOfFlat(flat: number): Slot | undefined {
    return this.#slots.flat(flat)?.slot;
  }

  #commandContext(): CommandContext {
    const { csms, live, operations, clock } = this.#is;
    return {
      csms,
      live,
      operations,
      slots: this.#slots,
      variables: this.#variables,
      projections: this.#delivery.projections,
      waiting: (uid) => this.#delivery.waiting(uid),
      now: () => clock.now(),
      measurands: () => this.#measurands('SampledDataCtrlr', 'TxUpdatedMeasurands'),
      tellStatuses: (rows) => this.#statuses.tell(rows),
      tellTransaction: (record) => this.#delivery.tell(record),
      send: (message) => this.#send(message),
      reboot: (reason) => this.#link?.reboot(reason),
      externalLimits: () => this.#limits.external(),
      stationOperative: async (operative) => {
        this.#stationOperative = operative;
        await this.#save('inoperative', operative ? undefined : true);
        this.#statuses.stationChanged();
      },
    };
  }

  /** A notice that is worth nothing later: told now or never. */
  #notify(message: CsmsMessage): void {
    if (this.#online) this.#send(message);
  }

  #send(message: CsmsMessage): void {
    const { log } = this.#is;
    const about = { csms: this.csms, message: message.type };
    this.#link?.deliver(message).then(
      (outcome) => {
        if (outcome.kind === 'refused') log.warn({ ...about, reason: outcome.reason }, 'The CSMS refused a message');
      },
      (err: unknown) => log.error({ ...about, err }, 'The adapter failed to send a message'),
    );
  }

  /** OCPP 1.6 has no word for it, only values: told where the CSMS samples what is offered. */
  #rateChanged(transaction: Transaction, offered: Ampere): boolean {
    const { csms, site, clock } = this.#is;
    if (!this.#delivery.isAbreastOf(transaction.uid)) return false;
    const evse = site.stations.flatMap(({ evses }) => evses).find(({ number }) => number === transaction.evse);
    const wanted = this.#measurands('SampledDataCtrlr', 'TxUpdatedMeasurands');
    const values = evse === undefined ? [] : offeredValues(evse, offered, site.nominalVoltage);
    const at = clock.now();
    const told = { at, sampled: values.filter(({ measurand = '' }) => wanted.has(measurand)) };
    if (csms.ocpp === '2.0.1' || told.sampled.length > 0)
      this.#delivery.tell(transactionAsItStands(transaction, 'ChargingRateChanged', at, told));
    return true;
  }

  #judged(uid: TransactionUid, idToken: IdToken, info: IdTokenInfo): void {
    if (this.#is.csms.role !== 'authority') return;
    this.#is.operations.transactionJudged(this.csms, uid, idToken, siteInfo(info, this.#slots));
  }

  /** The gateway itself, no sum of its chargers (1.6 section 4.9): without its journal it takes nothing in. */
  #stationStatus(): StationStatus {
    const { writable, fault } = this.#is.journal.status;
    if (!writable)
      return {
        status: 'Faulted',
        error: { code: 'InternalError', info: 'journal', ...(fault && { vendorErrorCode: fault }) },
      };
    return { status: this.#stationOperative ? 'Available' : 'Unavailable' };
  }

  #inventory(): ReturnType<typeof hardwareInventory> {
    const { csms, site, live, clock } = this.#is;
    const now = clock.now();
    return [
      ...gatewayInventory(csms, site, now),
      ...hardwareInventory({
        site,
        live,
        slots: this.#slots,
        identity: this.identity,
        stationStatus: this.#stationStatus().status,
        connectorStatus: (row) => connectorView(row, this.#slots, live, csms.ocpp, now).status,
      }),
    ];
  }

  #deliverySettings(): DeliverySettings {
    const variables = this.#variables;
    return {
      attempts: variables.number('OCPPCommCtrlr', 'MessageAttempts', 'TransactionEvent'),
      retryInterval: variables.duration('OCPPCommCtrlr', 'MessageAttemptInterval', 'TransactionEvent'),
      sampling: {
        interval: variables.duration('SampledDataCtrlr', 'TxUpdatedInterval'),
        updated: this.#measurands('SampledDataCtrlr', 'TxUpdatedMeasurands'),
        ended: this.#measurands('SampledDataCtrlr', 'TxEndedMeasurands'),
        endedSeries: variables.number('SampledDataCtrlr', 'TxEndedInterval') > 0,
        aligned: variables.number('AlignedDataCtrlr', 'Interval') > 0,
        alignedMeasurands: this.#measurands('AlignedDataCtrlr', 'Measurands'),
      },
    };
  }

  #measurands(component: string, variable: string): ReadonlySet<string> {
    return measurandSet(this.#variables.text(component, variable));
  }

  async #save(key: string, value: unknown): Promise<void> {
    // Samples that were answered are thinned by the settings of then: their numbers are not given to others after a crash.
    this.flush();
    const put = { collection: this.#collection, key };
    await this.#is.journal.commit({ documents: [value === undefined ? put : { ...put, value }] });
  }
}

/** Where the documents of a CSMS's view are. */
export const viewCollection = (csms: string): string => `view/${csms}`;
