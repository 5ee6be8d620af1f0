// What a 1.6 driver has to remember between messages, because the protocol does not repeat it: who stands where.
import type { Clock } from '../../gateway/kernel/clock.js';
import { stationTransactionId, type StationTransactionId } from '../../gateway/kernel/ids.js';
import { minutes, type Milliseconds } from '../../gateway/kernel/units.js';
import type { RequestStart } from '../../gateway/site/station-command.js';
import type { TriggerReason } from '../../gateway/site/station-event.js';
import type { TokenAliases } from '../ocpp-j/token-alias.js';
import { tokenKey, type IdToken } from '../../gateway/site/tokens.js';
import type { Status16 } from './translate-status.js';

/** A driver who was let in remotely has this long to plug in; longer than any ConnectionTimeOut seen as a default. */
const REMOTE_START_VALID = minutes(5);

interface PendingStart {
  readonly command: RequestStart;
  readonly connectorId: number | undefined;
  readonly until: Milliseconds;
}

interface Occupation {
  status?: Status16;
  pluggedAt?: Milliseconds;
  /** Last register in Wh, so that a signed blob has a number beside it. */
  register?: number;
  transaction?: StationTransactionId;
}

/** Memory of one charger; lost at a restart of the gateway, which costs no more than a less telling trigger. */
export class ChargerMemory implements TokenAliases {
  readonly #clock: Clock;
  readonly #connectors = new Map<number, Occupation>();
  #pending: readonly PendingStart[] = [];
  #authorized: { readonly key: string; readonly at: Milliseconds } | undefined;

  readonly #aliases: TokenAliases;

  /** @param aliases what outlives a restart: a start by an alias must not become one by a stranger */
  constructor(clock: Clock, aliases: TokenAliases) {
    this.#clock = clock;
    this.#aliases = aliases;
  }

  remember(alias: string, token: IdToken): void {
    this.#aliases.remember(alias, token);
  }

  resolve(alias: string): IdToken | undefined {
    return this.#aliases.resolve(alias);
  }

  status(connectorId: number, status: Status16): void {
    const occupation = this.#at(connectorId);
    if (status === 'Preparing' && occupation.status !== 'Preparing') occupation.pluggedAt = this.#clock.monotonic();
    occupation.status = status;
  }

  statusOf(connectorId: number): Status16 | undefined {
    return this.#connectors.get(connectorId)?.status;
  }

  authorized(idToken: IdToken): void {
    this.#authorized = { key: tokenKey(idToken), at: this.#clock.monotonic() };
  }

  register(connectorId: number, register: number | undefined): void {
    if (register !== undefined) this.#at(connectorId).register = register;
  }

  registerOf(connectorId: number | undefined): number | undefined {
    return connectorId === undefined ? undefined : this.#connectors.get(connectorId)?.register;
  }

  expect(command: RequestStart, connectorId: number | undefined): void {
    const until = (this.#clock.monotonic() + REMOTE_START_VALID) as Milliseconds;
    this.#pending = [...this.#awaited(), { command, connectorId, until }];
  }

  expectNoMore(command: RequestStart): void {
    this.#pending = this.#pending.filter((pending) => pending.command !== command);
  }

  /** The remote start that this transaction answers; `expectNoMore` once the transaction is on disk, as it starts only one. */
  remoteStart(connectorId: number, idTag: string): RequestStart | undefined {
    this.#pending = this.#awaited();
    const key = tokenKey(this.resolve(idTag.toLowerCase()) ?? idTag);
    return this.#pending.find(
      (pending) =>
        (pending.connectorId === undefined || pending.connectorId === connectorId) &&
        tokenKey(pending.command.idToken) === key,
    )?.command;
  }

  /** Tag first and cable second is a start by the cable; otherwise the tag did it. */
  startTrigger(connectorId: number, idTag: string): TriggerReason {
    const pluggedAt = this.#connectors.get(connectorId)?.pluggedAt;
    const authorized = this.#authorized?.key === tokenKey(idTag) ? this.#authorized.at : undefined;
    return pluggedAt !== undefined && authorized !== undefined && authorized < pluggedAt
      ? 'CablePluggedIn'
      : 'Authorized';
  }

  started(connectorId: number, transaction: StationTransactionId): void {
    this.#at(connectorId).transaction = transaction;
  }

  ended(transaction: StationTransactionId): void {
    for (const occupation of this.#connectors.values())
      if (occupation.transaction === transaction) delete occupation.transaction;
  }

  transactionOn(connectorId: number): StationTransactionId | undefined {
    return this.#connectors.get(connectorId)?.transaction;
  }

  connectorOf(transaction: StationTransactionId): number | undefined {
    for (const [id, occupation] of this.#connectors) if (occupation.transaction === transaction) return id;
    return undefined;
  }

  get transactionOpen(): boolean {
    return [...this.#connectors.values()].some((occupation) => occupation.transaction !== undefined);
  }

  #awaited(): readonly PendingStart[] {
    const now = this.#clock.monotonic();
    return this.#pending.filter((pending) => pending.until > now);
  }

  #at(connectorId: number): Occupation {
    const known = this.#connectors.get(connectorId);
    if (known) return known;
    const fresh: Occupation = {};
    this.#connectors.set(connectorId, fresh);
    return fresh;
  }
}

/** A 1.6 id as text; undefined for 0, -1 and the like, by which chargers mean that they know none (errata 3.18). */
export const transactionOf = (id: number | undefined): StationTransactionId | undefined =>
  id === undefined || id <= 0 ? undefined : stationTransactionId(String(id));
