// Lets drivers in: asks what is known here, then the CSMS, then the offline rules, and remembers who was let in by whom.
import type { Clock } from '../kernel/clock.js';
import type { CsmsId, EvseNumber, StationId } from '../kernel/ids.js';
import { maskToken, type Log } from '../kernel/log.js';
import { milliseconds, minutes, type Milliseconds } from '../kernel/units.js';
import {
  afterAnswer,
  afterTimeout,
  decideStart,
  type StartContext,
  type StartDecision,
} from '../authorization/decide-start.js';
import { afterStopAnswer, decideStop, type StopContext } from '../authorization/decide-stop.js';
import { contradictsList } from '../authorization/judge.js';
import { allowedAt, knownToken, type Knowledge } from '../authorization/known-token.js';
import type { TransactionReported } from '../site/station-event.js';
import type { Site, Station } from '../site/topology.js';
import { tokenKey, type IdToken, type IdTokenInfo } from '../site/tokens.js';
import type { Transaction } from '../site/transaction.js';
import type { Admission } from '../transactions/intake.js';
import type { Reservations } from './reservations.js';
import type { SiteVariables } from './site-variables.js';
import type { TokenStore } from './token-store.js';
import type { TransactionKeeper } from './transaction-keeper.js';

/** How long a card that was accepted may take to plug in before it is asked about again. */
const VERDICT_LIFETIME = minutes(5);
/** Pause between two looks at whether the CSMS has been reached. */
const LOOK_AGAIN = milliseconds(50);

/** A CSMS that can be asked about a token. */
export interface Authority {
  readonly csms: CsmsId;
  /** `pending`: connected, and the gateway's boot is not accepted. */
  readonly state: 'online' | 'offline' | 'pending';
  /** It has been online since the process started. */
  readonly reached?: boolean;
  /** Undefined: no answer in time, or an error. */
  authorize(token: IdToken): Promise<IdTokenInfo | undefined>;
}

export interface Verdict {
  readonly info: IdTokenInfo;
  /** Present where the driver was let in. */
  readonly admission?: Admission;
}

/** A start that has been asked for and that has not happened yet. */
export interface RemoteStart {
  readonly evse: EvseNumber;
  /** On what ground the driver will be let in. */
  readonly admission: Admission;
  readonly idToken: IdToken;
  readonly group?: IdToken;
  readonly remoteStartId: number;
  /** On the monotonic clock. */
  readonly until: Milliseconds;
}

export interface AdmissionDependencies {
  readonly site: Site;
  readonly keeper: TransactionKeeper;
  readonly tokens: TokenStore;
  readonly reservations: Reservations;
  readonly variables: SiteVariables;
  /** The one CSMS that decides for an EVSE. */
  readonly authorityOf: (evse: EvseNumber) => Authority | undefined;
  /** A master pass ends everything on a station (C16). */
  readonly stopAll: (station: StationId) => void;
  /** A CSMS refuses a token that is good on its own list. */
  readonly listContradicted: (csms: CsmsId) => void;
  readonly clock: Clock;
  readonly log: Log;
}

export class Admissions {
  readonly #deps: AdmissionDependencies;
  readonly #remoteStarts = new Map<EvseNumber, RemoteStart>();
  /** `until`: on the monotonic clock. */
  readonly #verdicts = new Map<string, { readonly verdict: Verdict; readonly until: Milliseconds }>();

  /** Until then the CSMSs are being dialled for the first time. */
  readonly #startingUntil: Milliseconds;

  constructor(deps: AdmissionDependencies) {
    this.#deps = deps;
    this.#startingUntil = milliseconds(deps.clock.monotonic() + deps.site.authorization.timeout);
  }

  /** A token was presented at a station, to start or to stop: the message does not say which (1.6 section 4.1). */
  async identify(stationId: StationId, token: IdToken): Promise<IdTokenInfo> {
    const station = this.#station(stationId);
    const evses = station?.evses ?? [];
    const open = evses.flatMap(({ number }) => this.#deps.keeper.book.openOn(number)?.transaction ?? []);
    for (const transaction of open) {
      if (await this.#mayStop(station, token, transaction)) return accepted(transaction.group);
    }
    const remote = this.#remoteStart(station, undefined, token);
    if (remote !== undefined) return accepted(remote.group);
    // Nothing can begin where every place is taken: a stranger's good card must not look like leave to stop (C01, 1.6 section 4.8).
    if (open.length > 0 && open.length === evses.length) return { status: 'NotAtThisTime' };
    const verdict = await this.#judge(station, undefined, token);
    this.#remember(stationId, token, verdict);
    return verdict.info;
  }

  /** A transaction begins with this token; whether it may go on, and on what ground. */
  async admit(
    stationId: StationId,
    evse: EvseNumber | undefined,
    token: IdToken,
    remoteStartId: number | undefined,
  ): Promise<Verdict> {
    const station = this.#station(stationId);
    const remote = this.#remoteStart(station, evse, token);
    if (remote !== undefined) {
      const reservationId = this.#deps.reservations.match(remote.evse, token, remote.group);
      return {
        info: { status: 'Accepted' },
        admission: {
          ...remote.admission,
          remoteStartId: remoteStartId ?? remote.remoteStartId,
          ...(reservationId !== undefined && { reservationId }),
        },
      };
    }
    return this.#remembered(station, evse, token) ?? this.#judge(station, evse, token);
  }

  /** The answer to the card that was presented a moment ago, where it holds for this EVSE, which the card could not name. */
  #remembered(station: Station | undefined, evse: EvseNumber | undefined, token: IdToken): Verdict | undefined {
    const { clock, reservations } = this.#deps;
    const known = station && this.#verdicts.get(verdictKey(station.id, token));
    if (known?.verdict.admission === undefined || known.until <= clock.monotonic()) return undefined;
    const { info, admission } = known.verdict;
    const authority = this.#authority(station, evse);
    // Without a CSMS a card opens one transaction at a time, at however many chargers it was presented before.
    if (authority?.state !== 'online' && this.#openWith(token) > 0) return undefined;
    if (evse === undefined) return known.verdict;
    if (admission.owner !== undefined && admission.owner !== authority?.csms) return undefined;
    if (!allowedAt(info, evse) || reservations.holding(evse, token) !== undefined) return undefined;
    const reservationId = reservations.match(evse, token, info.group);
    return { info, admission: { ...admission, ...(reservationId !== undefined && { reservationId }) } };
  }

  /** The transaction is on disk: what it used up is gone. */
  started(transaction: Transaction, verdict: Verdict): void {
    const { tokens, reservations } = this.#deps;
    if (transaction.idToken === undefined) return;
    this.#verdicts.delete(verdictKey(transaction.station, transaction.idToken));
    if (verdict.admission?.remoteStartId !== undefined) this.#remoteStarts.delete(transaction.evse);
    if (verdict.admission?.basis === 'cache') tokens.used(transaction.idToken);
    if (transaction.reservationId !== undefined) {
      reservations.consumed(transaction.evse, transaction.idToken, transaction.group);
    }
  }

  /** What a repeated start, another card in between, or an end is told of its token. */
  async standing(transaction: Transaction, event: TransactionReported): Promise<IdTokenInfo | undefined> {
    const { idToken, kind } = event;
    if (idToken === undefined) return undefined;
    // What has ended is not undone by a verdict.
    if (kind === 'ended') return accepted(transaction.group);
    const own = transaction.idToken === undefined || tokenKey(transaction.idToken) === tokenKey(idToken);
    if (own) {
      const refused =
        transaction.deauthorized === true || (transaction.basis === 'none' && transaction.orphan !== true);
      return refused ? { status: 'Invalid' } : accepted(transaction.group);
    }
    const may = await this.#mayStop(this.#station(event.station), idToken, transaction);
    return may ? accepted(transaction.group) : { status: 'NotAtThisTime' };
  }

  expectRemoteStart(start: RemoteStart): void {
    this.#remoteStarts.set(start.evse, start);
  }

  forgetRemoteStart(evse: EvseNumber): void {
    this.#remoteStarts.delete(evse);
  }

  /** Judges a token that a CSMS wants to start remotely, where it is to be authorized like a card. */
  judgeRemote(evse: EvseNumber, token: IdToken): Promise<Verdict> {
    return this.#judge(this.#stationAt(evse), evse, token, true);
  }

  /** Judges a token that somebody at the site wants to start with, as if it were presented there. */
  judgeHere(evse: EvseNumber, token: IdToken): Promise<Verdict> {
    return this.#judge(this.#stationAt(evse), evse, token);
  }

  /** The site itself lets charge, as a station does that is free for everyone: the CSMS in charge may object afterwards. */
  letIn(evse: EvseNumber, token: IdToken): Verdict {
    const authority = this.#deps.authorityOf(evse);
    const reservationId = this.#deps.reservations.match(evse, token, undefined);
    return {
      info: { status: 'Accepted' },
      admission: {
        basis: 'free',
        ...(authority && { owner: authority.csms }),
        ...(reservationId !== undefined && { reservationId }),
      },
    };
  }

  /** A CSMS has said something of a token. */
  heard(csms: CsmsId, token: IdToken, info: IdTokenInfo): void {
    if (contradictsList(this.knowledge(undefined, csms), token, info)) this.#deps.listContradicted(csms);
    this.#deps.tokens.learn(csms, token, info);
  }

  /** The charging priority of a driver's card (2.0.1: -9 to 9, higher first), where anybody has given it one. */
  priorityOf({ evse, idToken }: Transaction): number | undefined {
    const known = idToken && knownToken(this.knowledge(evse, this.#deps.authorityOf(evse)?.csms), idToken);
    const priority = known?.info.chargingPriority;
    return priority === undefined || !Number.isFinite(priority) ? undefined : Math.max(-9, Math.min(9, priority));
  }

  /** What is known of tokens at this moment. */
  knowledge(evse: EvseNumber | undefined, csms: CsmsId | undefined): Knowledge {
    const { variables, site, tokens, clock } = this.#deps;
    const list = csms === undefined ? undefined : tokens.list(csms);
    return {
      now: clock.now(),
      settings: variables.authorization,
      siteTokens: site.authorization.localTokens,
      cache: tokens.cache,
      ...(list && { list }),
      ...(evse !== undefined && { evse }),
    };
  }

  async #mayStop(station: Station | undefined, token: IdToken, transaction: Transaction): Promise<boolean> {
    const authority = this.#deps.authorityOf(transaction.evse);
    const context: StopContext = {
      ...this.knowledge(transaction.evse, authority?.csms),
      idToken: token,
      transaction,
      online: authority?.state === 'online',
    };
    let decision = decideStop(context);
    if (decision === 'ask') {
      // Another driver's card at a station with several EVSEs is no stop: only a shared group makes the question worth while.
      if (transaction.group === undefined) return false;
      const info = await authority?.authorize(token);
      if (authority !== undefined && info !== undefined) this.heard(authority.csms, token, info);
      decision = afterStopAnswer(context, info);
    }
    if (decision === 'stop-all' && station !== undefined) this.#deps.stopAll(station.id);
    return decision === 'stop' || decision === 'stop-all';
  }

  async #judge(
    station: Station | undefined,
    evse: EvseNumber | undefined,
    token: IdToken,
    remote = false,
  ): Promise<Verdict> {
    const { reservations, clock, log } = this.#deps;
    let authority = this.#authority(station, evse);
    const held = evse === undefined ? undefined : reservations.holding(evse, token);
    const contextOf = (): StartContext => ({
      ...this.knowledge(evse, authority?.csms),
      idToken: token,
      authority: authority?.state ?? 'offline',
      freeStation:
        station?.start.kind === 'free' &&
        (token.type === 'NoAuthorization' || tokenKey(station.start.idToken) === tokenKey(token)),
      openTransactions: this.#openWith(token),
      ...(remote && { remote }),
      ...(held && { reservation: held }),
    });
    let context = contextOf();
    let decision: StartDecision = decideStart(context);
    // A charger sends what it held back while the gateway restarted: it would put a driver out whom the CSMS knows.
    while (
      decision.decision === 'reject' &&
      authority !== undefined &&
      authority.state !== 'online' &&
      authority.reached !== true &&
      clock.monotonic() < this.#startingUntil
    ) {
      await new Promise<void>((resolve) => {
        clock.after(LOOK_AGAIN, resolve);
      });
      authority = this.#authority(station, evse);
      context = contextOf();
      decision = decideStart(context);
    }
    if (decision.decision === 'ask') {
      const info = await authority?.authorize(token);
      if (info !== undefined) {
        if (authority !== undefined) this.heard(authority.csms, token, info);
        decision = afterAnswer(context, info);
      } else decision = afterTimeout(context);
    }
    if (decision.decision !== 'accept') {
      const why = decision.decision === 'reject' ? decision.why : 'not decided';
      log.info(
        { ...(station && { station: station.id }), ...(evse && { evse }), idToken: maskToken(token.idToken), why },
        'driver refused',
      );
      return { info: decision.decision === 'reject' ? decision.info : { status: 'Invalid' } };
    }
    const reservationId = evse === undefined ? undefined : reservations.match(evse, token, decision.info.group);
    return {
      info: decision.info,
      admission: {
        basis: decision.basis,
        ...(authority && { owner: authority.csms }),
        ...(decision.info.group && { group: decision.info.group }),
        ...(decision.energyLimit !== undefined && { energyLimit: decision.energyLimit }),
        ...(reservationId !== undefined && { reservationId }),
      },
    };
  }

  /** How many transactions are open with this token on the site. */
  #openWith(token: IdToken): number {
    const key = tokenKey(token);
    return this.#deps.keeper.book.open().filter(({ idToken }) => idToken && tokenKey(idToken) === key).length;
  }

  #authority(station: Station | undefined, evse: EvseNumber | undefined): Authority | undefined {
    const numbers = evse === undefined ? (station?.evses.map(({ number }) => number) ?? []) : [evse];
    for (const number of numbers) {
      const authority = this.#deps.authorityOf(number);
      if (authority !== undefined) return authority;
    }
    return undefined;
  }

  #remoteStart(station: Station | undefined, evse: EvseNumber | undefined, token: IdToken): RemoteStart | undefined {
    const numbers = evse === undefined ? (station?.evses.map(({ number }) => number) ?? []) : [evse];
    for (const number of numbers) {
      const pending = this.#remoteStarts.get(number);
      if (pending === undefined || tokenKey(pending.idToken) !== tokenKey(token)) continue;
      if (pending.until > this.#deps.clock.monotonic()) return pending;
      this.#remoteStarts.delete(number);
    }
    return undefined;
  }

  #remember(station: StationId, token: IdToken, verdict: Verdict): void {
    const now = this.#deps.clock.monotonic();
    for (const [key, { until }] of this.#verdicts) if (until <= now) this.#verdicts.delete(key);
    if (verdict.admission !== undefined) {
      this.#verdicts.set(verdictKey(station, token), { verdict, until: milliseconds(now + VERDICT_LIFETIME) });
    }
  }

  #stationAt(evse: EvseNumber): Station | undefined {
    return this.#deps.site.stations.find(({ evses }) => evses.some(({ number }) => number === evse));
  }

  #station(id: StationId): Station | undefined {
    return this.#deps.site.stations.find((station) => station.id === id);
  }
}

/** With the group, by which a charger knows whose card may stop what (1.6 parentIdTag). */
const accepted = (group: IdToken | undefined): IdTokenInfo => ({ status: 'Accepted', ...(group && { group }) });

const verdictKey = (station: StationId, token: IdToken): string => `${station} ${tokenKey(token)}`;
