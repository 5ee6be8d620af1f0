// Carries out what CSMSs ask of the site, after their views have translated it: decides, tells the station, answers.
import type { Clock } from '../kernel/clock.js';
import type { CsmsId, EvseNumber, StationId, TransactionUid } from '../kernel/ids.js';
import type { Log } from '../kernel/log.js';
import type { Ampere } from '../kernel/units.js';
import type { ConnectorTarget, OperationAnswer, Operations, ProfileCriteria } from '../ports/operations.js';
import type { TellStation } from '../ports/station.js';
import type { ChargingProfile, ChargingRateUnit } from '../site/charging-profile.js';
import type { SiteBook } from '../site/site-book.js';
import type { CommandOutcome, StationCommand } from '../site/station-command.js';
import type { DataTransferAnswer } from '../site/station-event.js';
import type { Site } from '../site/topology.js';
import type { IdToken, IdTokenInfo } from '../site/tokens.js';
import type { Transaction } from '../site/transaction.js';
import type { Availability } from './availability.js';
import type { Profiles } from './profiles.js';
import { no, type RemoteStarts, type StartRequest } from './remote-starts.js';
import type { Reservations } from './reservations.js';
import type { SiteVariables } from './site-variables.js';
import type { TokenStore } from './token-store.js';
import type { TransactionKeeper } from './transaction-keeper.js';

export interface OperationDependencies {
  readonly site: Site;
  readonly book: SiteBook;
  readonly keeper: TransactionKeeper;
  readonly tell: TellStation;
  readonly remoteStarts: RemoteStarts;
  readonly availability: Availability;
  readonly reservations: Reservations;
  readonly tokens: TokenStore;
  readonly variables: SiteVariables;
  readonly profiles: Profiles;
  /** The site's own limit on an EVSE, or on the whole, per phase as it is now. */
  readonly siteLimit: () => (evse?: EvseNumber) => Ampere;
  readonly clock: Clock;
  readonly log: Log;
  readonly judged: Operations['transactionJudged'];
  /** A CSMS has sent its list, or changed it. */
  readonly listRenewed: (csms: CsmsId) => void;
}

type ReserveRequest = Parameters<Operations['reserve']>[1];
type UnlockStatus = Awaited<ReturnType<Operations['unlock']>>['status'];

export class SiteOperations implements Operations {
  readonly #deps: OperationDependencies;

  constructor(deps: OperationDependencies) {
    this.#deps = deps;
  }

  requestStart(csms: CsmsId, request: StartRequest): ReturnType<Operations['requestStart']> {
    return this.#deps.remoteStarts.requestStart(csms, request);
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
  stop(transaction: Transaction): Promise<CommandOutcome> {
    const evse = this.#deps.book.describe(transaction.evse);
    if (evse === undefined) return Promise.resolve({ status: 'NotSupported' });
    return this.#deps.tell(evse.station, {
      type: 'requestStop',
      evse: transaction.evse,
      stationTransactionId: transaction.stationTransactionId,
    });
  }

  unlock(csms: CsmsId, target: ConnectorTarget): Promise<OperationAnswer<UnlockStatus>> {
    // A 2.0.1 CSMS is told that the driver is still charging; for a 1.6 one, unlocking ends the transaction (translation E).
    return this.#unlock(target, this.#deps.site.csms.find(({ id }) => id === csms)?.ocpp !== '2.0.1');
  }

  /** Somebody at the site wants the cable: the transaction ends. */
  unlockHere(target: ConnectorTarget): Promise<OperationAnswer<UnlockStatus>> {
    return this.#unlock(target, true);
  }

  async #unlock(target: ConnectorTarget, endsTransaction: boolean): Promise<OperationAnswer<UnlockStatus>> {
    const { book } = this.#deps;
    const evse = book.describe(target.evse);
    const connector = target.connector ?? 1;
    if (evse?.connectors.some(({ number }) => number === connector) !== true) return { status: 'UnknownConnector' };
    if (book.station(evse.station)?.connected !== true) return { status: 'UnlockFailed', reasonCode: 'Offline' };
    const transaction = book.evse(target.evse)?.transaction;
    if (transaction !== undefined) {
      if (!endsTransaction) return { status: 'OngoingAuthorizedTransaction' };
      if (book.station(evse.station)?.capabilities?.protocol !== 'ocpp1.6') await this.stop(transaction);
    }
    const outcome = await this.#deps.tell(evse.station, { type: 'unlock', evse: target.evse, connector });
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
      stations.map((station) => this.#deps.tell(station.id, { type: 'reset', kind, whenIdle })),
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
    const status = await reservations.reserve({
      csms,
      id: reservationId,
      view: evses,
      idToken,
      expiry,
      ...(group && { group }),
      ...(target && { evse: target.evse }),
      ...(connectorType && { connectorType }),
    });
    return { status };
  }

  async cancelReservation(csms: CsmsId, reservationId: number): Promise<OperationAnswer<'Accepted' | 'Rejected'>> {
    return { status: await this.#deps.reservations.cancel(csms, reservationId) };
  }

  /** Somebody at the site resets a charger, whatever goes on there. */
  resetHere(station: StationId, kind: 'soft' | 'hard'): Promise<CommandOutcome> {
    return this.#deps.tell(station, { type: 'reset', kind, whenIdle: false });
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
    _evses: readonly EvseNumber[],
    evse: EvseNumber | undefined,
    profile: ChargingProfile,
  ) {
    return this.#deps.profiles.set(csms, evse, profile);
  }

  clearChargingProfiles(csms: CsmsId, criteria: ProfileCriteria) {
    return this.#deps.profiles.clear(csms, criteria);
  }

  chargingProfiles(csms: CsmsId, criteria: ProfileCriteria) {
    return this.#deps.profiles.list(csms, criteria);
  }

  compositeSchedule(
    _csms: CsmsId,
    evses: readonly EvseNumber[],
    evse: EvseNumber | undefined,
    duration: number,
    unit: ChargingRateUnit,
  ) {
    return this.#deps.profiles.composite(evses, evse, duration, unit, this.#deps.siteLimit());
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
    const outcome = await this.#deps.tell(evse.station, {
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
        site.stations.map(async ({ id }) => ({ id, outcome: await this.#deps.tell(id, command(value)) })),
      );
      reboot = outcomes.some(({ outcome }) => outcome.status === 'RebootRequired');
      if (outcomes.some(({ outcome }) => outcome.status === 'Rejected')) {
        const changed = outcomes.filter(({ outcome }) => outcome.status === 'Accepted');
        if (before !== undefined) await Promise.all(changed.map(({ id }) => this.#deps.tell(id, command(before))));
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
