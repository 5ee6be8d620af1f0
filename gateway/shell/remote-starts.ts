// Starts that the gateway asks a charger for: by a CSMS, or by somebody at the site.
import type { Clock } from '../kernel/clock.js';
import type { CsmsId, EvseNumber, TransactionUid } from '../kernel/ids.js';
import { maskToken, type Log } from '../kernel/log.js';
import { milliseconds, seconds, type Milliseconds } from '../kernel/units.js';
import type { ConnectorTarget, OperationAnswer, Operations } from '../ports/operations.js';
import type { TellStation } from '../ports/station.js';
import type { SiteBook } from '../site/site-book.js';
import type { Evse, Site } from '../site/topology.js';
import type { IdToken } from '../site/tokens.js';
import type { Admissions, RemoteStart } from './admissions.js';
import type { Profiles } from './profiles.js';
import type { Reservations } from './reservations.js';
import type { SiteVariables } from './site-variables.js';

/** How long a driver has to plug in after a remote start, unless TxCtrlr.EVConnectionTimeOut says otherwise. */
const CONNECTION_TIMEOUT = seconds(120);

export interface RemoteStartDependencies {
  readonly site: Site;
  readonly book: SiteBook;
  readonly tell: TellStation;
  readonly admissions: Admissions;
  readonly reservations: Reservations;
  readonly variables: SiteVariables;
  readonly profiles: Profiles;
  readonly clock: Clock;
  readonly log: Log;
}

export type StartRequest = Parameters<Operations['requestStart']>[1];

export const no = (reasonCode: string, detail: string): OperationAnswer<'Rejected'> => ({
  status: 'Rejected',
  reasonCode,
  detail,
});

export class RemoteStarts {
  readonly #deps: RemoteStartDependencies;
  /** Begins with the time, so that no process uses the ids of the one before, whose profiles may still wait for them. */
  #lastRemoteStartId: number;

  constructor(deps: RemoteStartDependencies) {
    this.#deps = deps;
    this.#lastRemoteStartId = Math.floor(deps.clock.now() / 1000) % 2_000_000_000;
  }

  async requestStart(
    csms: CsmsId,
    request: StartRequest,
  ): Promise<OperationAnswer<'Accepted' | 'Rejected'> & { readonly transaction?: TransactionUid }> {
    const { admissions, profiles, variables, clock } = this.#deps;
    const target = request.target ?? this.#onlyCandidate(request.evses);
    if (target === undefined) return no('InvalidInput', 'several EVSEs, or none, wait for a driver: name one');
    const free = this.#freePlace(target, request.idToken, request.group);
    if ('status' in free) return free;
    if (variables.authorization.authorizeRemoteStart) {
      const verdict = await admissions.judgeRemote(target.evse, this.#asPresented(csms, request.idToken));
      if (verdict.admission === undefined) return no('InvalidIdToken', 'the token is not authorized');
    }
    const remoteStartId = request.remoteStartId ?? this.#nextRemoteStartId();
    if (request.chargingProfile !== undefined) {
      const checked = await profiles.expect(csms, target.evse, remoteStartId, request.chargingProfile);
      if (checked.status === 'Rejected') return checked;
    }
    const answer = await this.#begin(free, {
      idToken: request.idToken,
      remoteStartId,
      ...(request.group && { group: request.group }),
      admission: { basis: 'remote', owner: csms, ...(request.group && { group: request.group }) },
    });
    if (answer.status === 'Rejected') profiles.forgetExpected(csms, remoteStartId);
    // A driver who never comes leaves no profile behind; one that is bound to its transaction by then stays.
    else if (request.chargingProfile !== undefined)
      clock.after(milliseconds(2 * this.#patience), () => profiles.forgetExpected(csms, remoteStartId));
    return answer;
  }

  /**
   * Somebody at the site starts charging there.
   * @param own the token is the site's own, for what it lets charge without a driver; any other is judged like a card
   */
  async startHere(evse: EvseNumber, idToken: IdToken, own: boolean): Promise<OperationAnswer<'Accepted' | 'Rejected'>> {
    const { admissions } = this.#deps;
    const free = this.#freePlace({ evse }, idToken, undefined);
    if ('status' in free) return free;
    const verdict = own ? admissions.letIn(evse, idToken) : await admissions.judgeHere(evse, idToken);
    if (verdict.admission === undefined)
      return no('InvalidIdToken', `the card is not authorized: ${verdict.info.status}`);
    const { group } = verdict.admission;
    return this.#begin(free, {
      idToken,
      remoteStartId: this.#nextRemoteStartId(),
      ...(group && { group }),
      admission: verdict.admission,
    });
  }

  /** Where a transaction may begin; else why not there, or not for this token. */
  #freePlace(
    target: ConnectorTarget,
    idToken: IdToken,
    group: IdToken | undefined,
  ): { readonly evse: Evse; readonly connector: number } | OperationAnswer<'Rejected'> {
    const { book, reservations } = this.#deps;
    const evse = book.describe(target.evse);
    const connector = target.connector ?? evse?.connectors[0]?.number;
    const live = connector === undefined ? undefined : book.connector(target.evse, connector);
    if (evse === undefined || connector === undefined || live === undefined) return no('UnknownEvse', 'no such EVSE');
    if (book.evse(target.evse)?.transaction !== undefined) return no('TxInProgress', 'a transaction is open there');
    // Out of reach, its status says only that.
    if (book.station(evse.station)?.connected !== true) return no('Offline', 'the charger is offline');
    if (live.status === 'Unavailable' || live.status === 'Faulted')
      return no(live.status, `the connector is ${live.status}`);
    const held = reservations.holding(target.evse, idToken);
    const ownGroup = held?.group !== undefined && held.group.idToken.toLowerCase() === group?.idToken.toLowerCase();
    if (held !== undefined && !ownGroup) return no('Reserved', 'reserved for another driver');
    return { evse, connector };
  }

  /** Tells the charger, and lets the transaction in that follows. */
  async #begin(
    { evse, connector }: { readonly evse: Evse; readonly connector: number },
    start: Pick<RemoteStart, 'idToken' | 'group' | 'remoteStartId' | 'admission'>,
  ): Promise<OperationAnswer<'Accepted' | 'Rejected'>> {
    const { admissions, clock, log } = this.#deps;
    const { idToken, group, remoteStartId } = start;
    admissions.expectRemoteStart({
      ...start,
      evse: evse.number,
      until: milliseconds(clock.monotonic() + this.#patience),
    });
    const outcome = await this.#deps.tell(evse.station, {
      type: 'requestStart',
      evse: evse.number,
      connector,
      idToken,
      remoteStartId,
      ...(group && { group }),
    });
    if (outcome.status === 'Accepted') return { status: 'Accepted' };
    admissions.forgetRemoteStart(evse.number);
    log.warn(
      { evse: evse.number, idToken: maskToken(idToken.idToken), outcome: outcome.status },
      'remote start not taken by the charger',
    );
    return no(outcome.status === 'Uncertain' ? 'Uncertain' : 'ChargerRejected', outcome.detail ?? outcome.status);
  }

  /** How long a driver has to plug in. */
  get #patience(): Milliseconds {
    const told = Number(this.#deps.variables.get('TxCtrlr', 'EVConnectionTimeOut') ?? Number.NaN);
    return told > 0 ? seconds(told) : CONNECTION_TIMEOUT;
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
