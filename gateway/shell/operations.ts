// Carries out what CSMSs ask of the site, after their views have translated it: decides, tells the station, answers.
import type { Clock } from '../kernel/clock.js';
import type { CsmsId, EvseNumber, StationId, TransactionUid } from '../kernel/ids.js';
import { maskToken, type Log } from '../kernel/log.js';
import { milliseconds, seconds } from '../kernel/units.js';
import type { ConnectorTarget, OperationAnswer, Operations, ProfileCriteria } from '../ports/operations.js';
import type { StationDriver } from '../ports/station.js';
import type { ChargingProfile, ChargingRateUnit } from '../site/charging-profile.js';
import type { SiteBook } from '../site/site-book.js';
import type { StationCommand } from '../site/station-command.js';
import type { DataTransferAnswer } from '../site/station-event.js';
import type { Evse, Site } from '../site/topology.js';
import type { IdToken, IdTokenInfo } from '../site/tokens.js';
import type { Transaction } from '../site/transaction.js';
import type { Admissions } from './admissions.js';
import type { Availability } from './availability.js';
import type { Profiles } from './profiles.js';
import type { Reservations } from './reservations.js';
import type { SiteVariables } from './site-variables.js';
import type { TokenStore } from './token-store.js';
import type { TransactionKeeper } from './transaction-keeper.js';

/** How long a driver has to plug in after a remote start, unless TxCtrlr.EVConnectionTimeOut says otherwise. */
const CONNECTION_TIMEOUT = seconds(120);

export interface OperationDependencies {
  readonly site: Site;
  readonly book: SiteBook;
  readonly keeper: TransactionKeeper;
  readonly drivers: ReadonlyMap<StationId, StationDriver>;
  readonly admissions: Admissions;
  readonly availability: Availability;
  readonly reservations: Reservations;
  readonly tokens: TokenStore;
  readonly variables: SiteVariables;
  readonly profiles: Profiles;
  readonly clock: Clock;
  readonly log: Log;
  readonly judged: Operations['transactionJudged'];
  /** A CSMS has sent its list, or changed it. */
  readonly listRenewed: (csms: CsmsId) => void;
}

type StartRequest = Parameters<Operations['requestStart']>[1];
type ReserveRequest = Parameters<Operations['reserve']>[1];

const no = (reasonCode: string, detail: string): OperationAnswer<'Rejected'> => ({
  status: 'Rejected',
  reasonCode,
  detail,
});

export class SiteOperations implements Operations {
  readonly #deps: OperationDependencies;
  /** Begins with the time, so that no process uses the ids of the one before, whose profiles may still wait for them. */
  #lastRemoteStartId: number;

  constructor(deps: OperationDependencies) {
    this.#deps = deps;
    this.#lastRemoteStartId = Math.floor(deps.clock.now() / 1000) % 2_000_000_000;
  }

  async requestStart(
    csms: CsmsId,
    request: StartRequest,
  ): Promise<OperationAnswer<'Accepted' | 'Rejected'> & { readonly transaction?: TransactionUid }> {
    const { book, admissions, profiles, variables, clock, log } = this.#deps;
    const target = request.target ?? this.#onlyCandidate(request.evses);
    if (target === undefined) return no('InvalidInput', 'several EVSEs, or none, wait for a driver: name one');
    const evse = book.describe(target.evse);
    const connector = target.connector ?? evse?.connectors[0]?.number;
    const live = connector === undefined ? undefined : book.connector(target.evse, connector);
    if (evse === undefined || connector === undefined || live === undefined) return no('UnknownEvse', 'no such EVSE');
    if (book.evse(target.evse)?.transaction !== undefined) return no('TxInProgress', 'a transaction is open there');
    if (live.status === 'Unavailable' || live.status === 'Faulted')
      return no(live.status, `the connector is ${live.status}`);
    if (book.station(evse.station)?.connected !== true) return no('Offline', 'the charger is offline');
    const held = this.#deps.reservations.holding(target.evse, request.idToken);
    const ownGroup =
      held?.group !== undefined && held.group.idToken.toLowerCase() === request.group?.idToken.toLowerCase();
    if (held !== undefined && !ownGroup) return no('Reserved', 'reserved for another driver');
    if (variables.authorization.authorizeRemoteStart) {
      const verdict = await admissions.judgeRemote(evse.station, target.evse, this.#asPresented(csms, request.idToken));
      if (verdict.admission === undefined) return no('InvalidIdToken', 'the token is not authorized');
    }
    const remoteStartId = request.remoteStartId ?? this.#nextRemoteStartId();
    if (request.chargingProfile !== undefined) {
      const checked = await profiles.expect(csms, target.evse, remoteStartId, request.chargingProfile);
      if (checked.status === 'Rejected') return checked;
    }
    const told = Number(variables.get('TxCtrlr', 'EVConnectionTimeOut') ?? Number.NaN);
    const patience = told > 0 ? seconds(told) : CONNECTION_TIMEOUT;
    admissions.expectRemoteStart({
      csms,
      evse: target.evse,
      idToken: request.idToken,
      remoteStartId,
      until: milliseconds(clock.monotonic() + patience),
      ...(request.group && { group: request.group }),
    });
    const outcome = await this.#execute(evse, {
      type: 'requestStart',
      evse: target.evse,
      connector,
      idToken: request.idToken,
      remoteStartId,
      ...(request.group && { group: request.group }),
    });
    if (outcome.status === 'Accepted') {
      // A driver who never comes leaves no profile behind; one that is bound to its transaction by then stays.
      if (request.chargingProfile !== undefined)
        clock.after(milliseconds(2 * patience), () => profiles.forgetExpected(csms, remoteStartId));
      return { status: 'Accepted' };
    }
    admissions.forgetRemoteStart(target.evse);
    profiles.forgetExpected(csms, remoteStartId);
    log.warn(
      { csms, evse: target.evse, idToken: maskToken(request.idToken.idToken), outcome: outcome.status },
      'remote start not taken by the charger',
    );
    return no(outcome.status === 'Uncertain' ? 'Uncertain' : 'ChargerRejected', outcome.detail ?? outcome.status);
  }

  async requestStop(csms: CsmsId, uid: TransactionUid): Promise<OperationAnswer<'Accepted' | 'Rejected'>> {
    const transaction = this.#deps.keeper.book.get(uid);
    if (transaction === undefined || transaction.endedAt !== undefined)
      return no('TxNotFound', 'no such open transaction');
    // Only the CSMS that let the driver in may put him out.
    if (transaction.owner !== undefined && transaction.owner !== csms) return no('NotOwner', 'another CSMS owns it');
    const outcome = await this.stop(transaction);
    return outcome.status === 'Accepted'
      ? { status: 'Accepted' }
      : no('ChargerRejected', outcome.detail ?? outcome.status);
  }

  /** Ends a transaction from here: by a CSMS, a master pass, or because its driver was refused. */
  stop(transaction: Transaction): ReturnType<StationDriver['execute']> {
    const evse = this.#deps.book.describe(transaction.evse);
    if (evse === undefined) return Promise.resolve({ status: 'NotSupported' });
    return this.#execute(evse, {
      type: 'requestStop',
      evse: transaction.evse,
      stationTransactionId: transaction.stationTransactionId,
    });
  }

  async unlock(
    csms: CsmsId,
    target: ConnectorTarget,
  ): Promise<
    OperationAnswer<'Unlocked' | 'UnlockFailed' | 'OngoingAuthorizedTransaction' | 'UnknownConnector' | 'NotSupported'>
  > {
    const { book, site } = this.#deps;
    const evse = book.describe(target.evse);
    const connector = target.connector ?? 1;
    if (evse?.connectors.some(({ number }) => number === connector) !== true) return { status: 'UnknownConnector' };
    if (book.station(evse.station)?.connected !== true) return { status: 'UnlockFailed', reasonCode: 'Offline' };
    const transaction = book.evse(target.evse)?.transaction;
    if (transaction !== undefined) {
      // A 2.0.1 CSMS is told that the driver is still charging; for a 1.6 one, unlocking ends the transaction (translation E).
      if (site.csms.find(({ id }) => id === csms)?.ocpp === '2.0.1') return { status: 'OngoingAuthorizedTransaction' };
      if (book.station(evse.station)?.capabilities?.protocol !== 'ocpp1.6') await this.stop(transaction);
    }
    const outcome = await this.#execute(evse, { type: 'unlock', evse: target.evse, connector });
    if (outcome.status === 'NotSupported') return { status: 'NotSupported' };
    return outcome.status === 'Unlocked' || outcome.status === 'OngoingAuthorizedTransaction'
      ? { status: outcome.status }
      : { status: 'UnlockFailed', detail: outcome.detail ?? outcome.status };
  }

  async changeAvailability(
    _csms: CsmsId,
    evses: readonly EvseNumber[],
    target: ConnectorTarget | undefined,
    operative: boolean,
  ): Promise<OperationAnswer<'Accepted' | 'Rejected' | 'Scheduled'>> {
    const targets = target === undefined ? evses.map((evse): ConnectorTarget => ({ evse })) : [target];
    return { status: await this.#deps.availability.change(targets, operative) };
  }

  async reset(
    csms: CsmsId,
    evses: readonly EvseNumber[],
    kind: 'soft' | 'hard',
    whenIdle: boolean,
  ): Promise<OperationAnswer<'Accepted' | 'Rejected' | 'Scheduled'>> {
    const stations = this.#deps.site.stations.filter((station) =>
      station.evses.some(({ number }) => evses.includes(number)),
    );
    const whole = stations.every((station) => station.evses.every(({ number }) => evses.includes(number)));
    // B11.FR.09: a station is only reset as a whole, so it must have no EVSE beyond those that were meant.
    if (stations.length === 0 || !whole) return no('NotPossible', 'the charger has other EVSEs too');
    const outcomes = await Promise.all(
      stations.map((station) => this.#tell(station.id, { type: 'reset', kind, whenIdle })),
    );
    this.#deps.log.info({ csms, stations: stations.length, kind }, 'reset of chargers asked for');
    if (outcomes.some((outcome) => outcome.status === 'Scheduled')) return { status: 'Scheduled' };
    return outcomes.some((outcome) => outcome.status === 'Accepted')
      ? { status: 'Accepted' }
      : no('ChargerRejected', 'no charger took it');
  }

  async reserve(
    csms: CsmsId,
    request: ReserveRequest,
  ): Promise<OperationAnswer<'Accepted' | 'Faulted' | 'Occupied' | 'Rejected' | 'Unavailable'>> {
    const { reservations } = this.#deps;
    const { reservationId, target, connectorType, evses, idToken, group, expiry } = request;
    const type = connectorType === undefined ? undefined : connectorTypeOf(connectorType);
    const status = await reservations.reserve({
      csms,
      id: reservationId,
      view: evses,
      idToken,
      expiry,
      ...(group && { group }),
      ...(target && { evse: target.evse }),
      ...(type && { connectorType: type }),
    });
    return { status };
  }

  async cancelReservation(csms: CsmsId, reservationId: number): Promise<OperationAnswer<'Accepted' | 'Rejected'>> {
    return { status: await this.#deps.reservations.cancel(csms, reservationId) };
  }

  async sendLocalList(
    csms: CsmsId,
    version: number,
    update: 'Full' | 'Differential',
    entries: readonly { readonly idToken: IdToken; readonly info?: IdTokenInfo }[],
  ): Promise<OperationAnswer<'Accepted' | 'Failed' | 'VersionMismatch'>> {
    const status = await this.#deps.tokens.updateList(csms, { version, update, entries });
    if (status === 'Accepted') this.#deps.listRenewed(csms);
    return { status };
  }

  localListVersion(csms: CsmsId): number {
    return this.#deps.tokens.list(csms)?.version ?? 0;
  }

  localListEntries(csms: CsmsId): number {
    return this.#deps.tokens.list(csms)?.entries.size ?? 0;
  }

  async clearCache(): Promise<OperationAnswer<'Accepted' | 'Rejected'>> {
    if (!this.#deps.variables.authorization.cacheEnabled) return no('NotEnabled', 'the cache is switched off');
    await this.#deps.tokens.clearCache();
    return { status: 'Accepted' };
  }

  setChargingProfile(
    csms: CsmsId,
    evses: readonly EvseNumber[],
    evse: EvseNumber | undefined,
    profile: ChargingProfile,
  ) {
    return this.#deps.profiles.set(csms, evses, evse, profile);
  }

  clearChargingProfiles(csms: CsmsId, criteria: ProfileCriteria) {
    return this.#deps.profiles.clear(csms, criteria);
  }

  chargingProfiles(csms: CsmsId, criteria: ProfileCriteria) {
    return this.#deps.profiles.list(csms, criteria);
  }

  compositeSchedule(
    csms: CsmsId,
    evses: readonly EvseNumber[],
    evse: EvseNumber | undefined,
    duration: number,
    unit: ChargingRateUnit,
  ) {
    return this.#deps.profiles.composite(csms, evses, evse, duration, unit);
  }

  async dataTransfer(
    _csms: CsmsId,
    number: EvseNumber,
    vendorId: string,
    messageId: string | undefined,
    data: unknown,
  ): Promise<DataTransferAnswer> {
    const evse = this.#deps.book.describe(number);
    if (evse === undefined) return { status: 'Rejected' };
    const outcome = await this.#execute(evse, {
      type: 'dataTransfer',
      vendorId,
      ...(messageId !== undefined && { messageId }),
      ...(data !== undefined && { data }),
    });
    const known =
      outcome.status === 'Accepted' || outcome.status === 'UnknownMessageId' || outcome.status === 'UnknownVendorId';
    return { status: known ? outcome.status : 'Rejected', ...(outcome.data !== undefined && { data: outcome.data }) };
  }

  /** Refused as a whole where a reachable charger refuses a setting that is its own; those that are away are told later. */
  async setSiteVariable(
    component: string,
    variable: string,
    instance: string | undefined,
    value: string,
  ): Promise<OperationAnswer<'Accepted' | 'Rejected' | 'RebootRequired'>> {
    const { variables, site } = this.#deps;
    // A password changed from afar would have to be tried before the old one is given up; it is not kept where it can be read.
    if (component === 'SecurityCtrlr') return no('NotEnabled', 'passwords are set in site.yaml');
    const before = variables.get(component, variable, instance);
    let reboot = false;
    if (isStationVariable(component, variable)) {
      const command = (text: string): StationCommand => ({
        type: 'setVariable',
        component,
        variable,
        value: text,
        ...(instance !== undefined && { instance }),
      });
      const outcomes = await Promise.all(
        site.stations.map(async ({ id }) => ({ id, outcome: await this.#tell(id, command(value)) })),
      );
      reboot = outcomes.some(({ outcome }) => outcome.status === 'RebootRequired');
      if (outcomes.some(({ outcome }) => outcome.status === 'Rejected')) {
        const changed = outcomes.filter(({ outcome }) => outcome.status === 'Accepted');
        if (before !== undefined) await Promise.all(changed.map(({ id }) => this.#tell(id, command(before))));
        return no('ChargerRejected', 'a charger refuses this value');
      }
    }
    await variables.set(component, variable, instance, value);
    return { status: reboot ? 'RebootRequired' : 'Accepted' };
  }

  siteVariable(component: string, variable: string, instance: string | undefined): string | undefined {
    return this.#deps.variables.get(component, variable, instance);
  }

  transactionJudged(csms: CsmsId, uid: TransactionUid, idToken: IdToken, info: IdTokenInfo): void {
    this.#deps.judged(csms, uid, idToken, info);
  }

  transaction(uid: TransactionUid): Transaction | undefined {
    return this.#deps.keeper.book.get(uid);
  }

  openTransactions(): readonly Transaction[] {
    return this.#deps.keeper.book.open();
  }

  /** The only EVSE of the view where a car waits for its driver to identify. */
  #onlyCandidate(evses: readonly EvseNumber[]): ConnectorTarget | undefined {
    const waiting: ConnectorTarget[] = [];
    for (const { evse, connector, reported, transaction, status } of this.#deps.book.connectors()) {
      if (!evses.includes(evse) || reported !== 'Occupied' || status !== 'Occupied' || transaction !== 'none') continue;
      waiting.push({ evse, connector });
    }
    return waiting.length === 1 ? waiting[0] : undefined;
  }

  #execute(evse: Evse, command: StationCommand): ReturnType<StationDriver['execute']> {
    return this.#tell(evse.station, command);
  }

  #tell(station: StationId, command: StationCommand): ReturnType<StationDriver['execute']> {
    return this.#deps.drivers.get(station)?.execute(command) ?? Promise.resolve({ status: 'Offline' });
  }

  /** 1.6 tells no types: `Central` there is our word, and must not spare the tag the question that it asks for (C05). */
  #asPresented(csms: CsmsId, idToken: IdToken): IdToken {
    const typed = this.#deps.site.csms.find(({ id }) => id === csms)?.ocpp !== '1.6';
    return typed || idToken.type !== 'Central' ? idToken : { ...idToken, type: 'ISO14443' };
  }

  #nextRemoteStartId(): number {
    this.#lastRemoteStartId = (this.#lastRemoteStartId % 2_000_000_000) + 1;
    return this.#lastRemoteStartId;
  }
}

/** Class F of the configuration table: the chargers themselves have to follow it. */
const isStationVariable = (component: string, variable: string): boolean =>
  STATION_VARIABLES.has(`${component}.${variable}`);

const STATION_VARIABLES = new Set([
  'TxCtrlr.EVConnectionTimeOut',
  'TxCtrlr.StopTxOnEVSideDisconnect',
  'OCPPCommCtrlr.UnlockOnEVSideDisconnect',
  'ChargingStatusIndicator.BlinkRepeat',
  'ChargingStatusIndicator.LightIntensity',
]);

/** 2.0.1 ConnectorEnumType to the words of site.yaml. */
function connectorTypeOf(word: string): 'Type1' | 'Type2' | 'CCS1' | 'CCS2' | 'CHAdeMO' | 'Other' {
  switch (word) {
    case 'cCCS1':
      return 'CCS1';
    case 'cCCS2':
      return 'CCS2';
    case 'cG105':
      return 'CHAdeMO';
    case 'cType1':
    case 'sType1':
      return 'Type1';
    case 'cType2':
    case 'sType2':
      return 'Type2';
    default:
      return 'Other';
  }
}
