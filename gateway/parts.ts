// Opens every part of the shell from disk, in the order in which they need each other, and joins them.
import type { Clock } from './kernel/clock.js';
import type { EvseNumber, StationId } from './kernel/ids.js';
import type { Log } from './kernel/log.js';
import { SALVAGE, type Journal } from './ports/journal.js';
import type { Machine } from './ports/machine.js';
import type { StationDriver, TellStation } from './ports/station.js';
import type { CircuitReport } from './balancing/report.js';
import { Admissions, type Authority } from './shell/admissions.js';
import { ChargerListStore } from './shell/charger-list-store.js';
import { ChargerLists } from './shell/charger-lists.js';
import { CarNeeds } from './shell/car-needs.js';
import { Availability } from './shell/availability.js';
import { Commissioning } from './shell/commissioning.js';
import { GridOperator } from './shell/grid-operator.js';
import { Intake, type IntakeListener } from './shell/intake.js';
import { SiteOperations } from './shell/operations.js';
import { Orphans } from './shell/orphans.js';
import { Profiles } from './shell/profiles.js';
import { Refusals } from './shell/refusals.js';
import { RemoteStarts } from './shell/remote-starts.js';
import { Reservations } from './shell/reservations.js';
import { LocalActs, type Act } from './shell/site-acts.js';
import { SiteTime } from './shell/site-time.js';
import { SiteVariables } from './shell/site-variables.js';
import { Steering } from './shell/steering.js';
import { Storage } from './shell/storage.js';
import { TokenStore } from './shell/token-store.js';
import { TransactionDesk } from './shell/transaction-desk.js';
import { TransactionKeeper } from './shell/transaction-keeper.js';
import { SiteBook, type ConnectorChange } from './site/site-book.js';
import type { Reader } from './shedding/shed.js';
import { entryInForce, inForce } from './site/in-force.js';
import type { Csms, Site } from './site/topology.js';
import type { Transaction } from './site/transaction.js';
import { View } from './views/view.js';

export interface GatewayDependencies {
  /** As it is in force: another site.yaml shows in it at once (`reconfigure.ts`). */
  readonly site: Site;
  readonly journal: Journal;
  /** Filled by whoever composes the gateway, before `start`. */
  readonly drivers: ReadonlyMap<StationId, StationDriver>;
  /** The system's, which need not be right. */
  readonly clock: Clock;
  readonly machine: Machine;
  readonly log: Log;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly firmwareVersion: string;
}

/** What whoever holds the parts is told, from the first of them on. */
export interface News {
  connectorsChanged(changes: readonly ConnectorChange[]): void;
  transactionChanged(transaction: Transaction): void;
  measured(evse: EvseNumber): void;
  stationChanged(id: StationId): void;
  planned(circuits: readonly CircuitReport[]): void;
  /** Somebody at the site has done something. */
  acted(act: Act): void;
  /** Readers of the journal beside the CSMSs. */
  brokers(): readonly Reader[];
  /** The site has learned the time: all that is known is as it was, but for when it happened. */
  timesMoved(): void;
}

/** `clock` and `journal` are those of the site: what it knows of the time is in both. */
export interface Parts extends GatewayDependencies {
  readonly time: SiteTime;
  readonly book: SiteBook;
  readonly keeper: TransactionKeeper;
  readonly reservations: Reservations;
  readonly needs: CarNeeds;
  readonly profiles: Profiles;
  readonly refusals: Refusals;
  readonly orphans: Orphans;
  readonly steering: Steering;
  readonly commissioning: Commissioning;
  readonly gridOperator: GridOperator;
  readonly intake: Intake;
  readonly operations: SiteOperations;
  readonly acts: LocalActs;
  readonly storage: Storage;
  readonly views: View[];
  readonly chargerLists: ChargerLists;
  readonly variables: SiteVariables;
  readonly availability: Availability;
  /** @param site that the CSMS belongs to, which need not be in force yet */
  readonly openView: (csms: Csms, site: Site) => Promise<View>;
}

/** Everybody has made up for what a damaged journal lacks; once that is on disk the next start is an ordinary one. */
async function settleSalvage(journal: Journal, keeper: TransactionKeeper): Promise<void> {
  const salvage = (await journal.load(SALVAGE.collection)).get(SALVAGE.key);
  if (salvage === undefined) return;
  await keeper.checkpoint();
  await journal.commit({ documents: [SALVAGE, { ...SALVAGE, key: 'last-salvage', value: salvage }] });
}

/**
 * Everything as it was when the last commit of the process before was on disk.
 * @throws JournalUnavailable when it cannot be read
 */
export async function openParts(deps: GatewayDependencies, news: News): Promise<Parts> {
  const { site, log, drivers, randomBytes } = deps;
  const tell: TellStation = (station, command) =>
    drivers.get(station)?.execute(command) ?? Promise.resolve({ status: 'Offline' });
  const time = await SiteTime.open({ ...deps, tariff: () => site.tariff });
  const { clock, journal } = time;
  const book = new SiteBook(site, clock.now());
  const keeper = await TransactionKeeper.open({ site, journal, clock, log });
  const views: View[] = [];
  const changed = (changes: readonly ConnectorChange[]): void => news.connectorsChanged(changes);
  const desk = new TransactionDesk({
    book,
    keeper,
    clock,
    connectorsChanged: changed,
    transactionChanged: (transaction) => news.transactionChanged(transaction),
  });
  const orphans = new Orphans({ site, book, keeper, desk, clock, log });
  await orphans.endRemoved();
  for (const transaction of keeper.book.open()) book.transactionChanged(transaction, clock.now());

  const variables = await SiteVariables.open(site, journal);
  const tokens = await TokenStore.open({ site, journal, clock, log, changed: (news) => chargerLists.changed(news) });
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
  const needs = await CarNeeds.open({ book, journal, clock, log, needed: (evse) => steering.needed(evse) });
  const profiles = await Profiles.open({ site, book, journal, clock, log, changed: () => steering.wake() });
  const admissions = new Admissions({
    site,
    keeper,
    tokens,
    reservations,
    variables,
    clock,
    log,
    authorityOf: (evse) => authorityOf(site, views, evse),
    listContradicted: (csms) => views.find((view) => view.csms === csms)?.localListConflict(true),
    stopAll: (station) => {
      for (const transaction of keeper.openOf(station)) stop(transaction);
    },
  });
  const chargerLists = new ChargerLists({
    site,
    book,
    store: await ChargerListStore.open(journal),
    tell,
    authorityOf: (evse) => authorityOf(site, views, evse)?.csms,
    knowledge: (csms) => admissions.knowledge(undefined, csms),
    clock,
    log,
  });
  const gridOperator = await GridOperator.open({
    site,
    journal,
    clock,
    log,
    changed: () => steering.gridOperatorSpoke(),
  });
  const steering = await Steering.open({
    site,
    book,
    drivers,
    profiles,
    gridOperator,
    needs,
    priorityOf: (transaction) => admissions.priorityOf(transaction),
    trialBound: (evse) => commissioning.bound(evse),
    journal,
    clock,
    log,
    escalate: (evse, step) => {
      const transaction = book.evse(evse)?.transaction;
      if (step === 'inoperative') settle(availability.change([{ evse }], false));
      else if (transaction !== undefined) stop(transaction);
    },
    planned: (circuits) => news.planned(circuits),
  });
  const remoteStarts = new RemoteStarts({
    site,
    book,
    tell,
    admissions,
    reservations,
    variables,
    profiles,
    clock,
    log,
  });
  const commissioning = await Commissioning.open({ site, book, drivers, steering, journal, clock, log });
  const operations = new SiteOperations({
    site,
    book,
    keeper,
    tell,
    remoteStarts,
    availability,
    reservations,
    tokens,
    variables,
    profiles,
    siteLimit: () => steering.siteLimit,
    clock,
    log,
    judged: (csms, uid, idToken, info) => refusals.judged(csms, uid, idToken, info),
    listRenewed: (csms) => views.find((view) => view.csms === csms)?.localListConflict(false),
  });
  const refusals = new Refusals({
    desk,
    keeper,
    variables,
    heard: (csms, token, info) => admissions.heard(csms, token, info),
    stop: (transaction) => operations.stop(transaction),
    clock,
    log,
  });
  const acts = new LocalActs({
    site,
    book,
    operations,
    remoteStarts,
    availability,
    reservations,
    needs,
    clock,
    log,
    told: (act) => news.acted(act),
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
      news.measured(evse);
    },
    stationChanged: (id) => {
      if (book.station(id)?.connected !== true) chargerLists.gone(id);
      news.stationChanged(id);
    },
    limitsReset: (id) => {
      steering.limitsReset(id);
      chargerLists.ready(id);
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
  const storage = await Storage.open({
    // What it writes back must be as it was read, times in doubt and all.
    journal: deps.journal,
    policy: inForce(() => site.journal),
    clock,
    log,
    readers: () => [...views, ...news.brokers()],
    checkpoint: () => keeper.checkpointSeq,
  });
  const { nominalVoltage } = site;
  const intake = new Intake({
    book,
    keeper,
    admissions,
    desk,
    needs,
    journal,
    time,
    clock,
    log,
    nominalVoltage,
    randomBytes,
    listener,
  });
  const openView = (csms: Csms, of: Site): Promise<View> =>
    View.open(
      {
        csms: entryInForce(csms, () => site.csms),
        site,
        live: book,
        journal,
        operations,
        time,
        clock,
        log,
        firmwareVersion: deps.firmwareVersion,
        shed: () => storage.shedOf(csms.id),
        onlineChanged: (online) => {
          profiles.csmsOnline(csms.id, online);
          gridOperator.csmsOnline(csms.id, online);
        },
      },
      of,
    );
  for (const csms of site.csms) views.push(await openView(csms, site));
  reservations.show();
  time.onShift((shift) => {
    keeper.shift(shift);
    book.shift(shift, (transaction) => keeper.book.get(transaction.uid) ?? transaction);
    orphans.shift(shift);
    tokens.shift(shift);
    profiles.shift(shift);
    for (const view of views) view.shift(shift);
    news.timesMoved();
    // Chargers hear the time in the answer to a Heartbeat: those that can be asked for one need not wait for their next.
    for (const { id } of site.stations) {
      const { connected, capabilities } = book.station(id) ?? {};
      const driver = connected === true && capabilities?.trigger === true ? drivers.get(id) : undefined;
      if (driver !== undefined) settle(driver.execute({ type: 'trigger', message: 'Heartbeat' }));
    }
  });
  await settleSalvage(journal, keeper);
  return {
    ...deps,
    time,
    clock,
    journal,
    book,
    keeper,
    reservations,
    needs,
    profiles,
    refusals,
    orphans,
    gridOperator,
    steering,
    commissioning,
    intake,
    views,
    operations,
    acts,
    storage,
    chargerLists,
    variables,
    availability,
    openView,
  };
}

/** The first CSMS of role authority that sees the EVSE. */
function authorityOf(site: Site, views: readonly View[], evse: EvseNumber): Authority | undefined {
  const csms = site.csms.find(({ role, evses }) => role === 'authority' && (evses?.includes(evse) ?? true));
  const view = csms && views.find((each) => each.csms === csms.id);
  if (view === undefined) return undefined;
  return {
    csms: view.csms,
    state: view.state,
    reached: view.reached,
    authorize: (token) => view.authorize(token),
  };
}
