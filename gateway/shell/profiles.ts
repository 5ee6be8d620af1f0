// The charging profiles of every CSMS: kept on disk, merged into what each EVSE may have, answered as composite schedules.
import type { Clock } from '../kernel/clock.js';
import { FAULTS } from '../kernel/faults.js';
import type { CsmsId, EvseNumber, TransactionUid } from '../kernel/ids.js';
import type { Log } from '../kernel/log.js';
import type { Result } from '../kernel/result.js';
import { ampere, minutes, timestamp, type Ampere, type Timestamp } from '../kernel/units.js';
import { profileName, type SharedCap } from '../balancing/observation.js';
import { evseComposite, stationComposite, type CompositeEvse } from '../charging-profiles/composite.js';
import { limitAt, nextChange, stationCapsAt, type TransactionContext } from '../charging-profiles/limit.js';
import {
  bindRemoteStart,
  clearProfiles,
  dropRemoteStart,
  emptyStore,
  endTransaction,
  listProfiles,
  onlyCaps,
  setForRemoteStart,
  setProfile,
  shiftedProfiles,
  type ProfileStore,
  type SetContext,
  withoutLeftovers,
} from '../charging-profiles/store.js';
import { defaultRules, type ProfileRejection } from '../charging-profiles/validate.js';
import type { Journal } from '../ports/journal.js';
import type { OperationAnswer, ProfileCriteria } from '../ports/operations.js';
import type { ChargingProfile, ChargingRateUnit, ChargingSchedule } from '../site/charging-profile.js';
import type { SiteBook } from '../site/site-book.js';
import type { TimeShift } from '../site/time-shift.js';
import type { Csms, Evse, Site } from '../site/topology.js';
import type { Transaction } from '../site/transaction.js';
import type { ProfileBound, ProfileBounds } from './observations.js';

const COLLECTION = 'charging-profiles';
/** A remote start is answered by a car within minutes, or never. */
const REMOTE_START_PATIENCE = minutes(10);

export interface ProfileDependencies {
  readonly site: Site;
  readonly book: SiteBook;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Log;
  /** Another limit may hold now. */
  readonly changed: () => void;
}

/** What profiles allow an EVSE, for as long as that cannot change. */
interface KnownLimit {
  readonly transaction: TransactionUid | undefined;
  readonly energyOfferedAt: Timestamp | undefined;
  readonly since: Timestamp;
  readonly until: number;
  readonly limit: ProfileBound | undefined;
}

export class Profiles implements ProfileBounds {
  readonly #deps: ProfileDependencies;
  readonly #stores = new Map<CsmsId, ProfileStore>();
  /** CSMSs that are away, since when. */
  readonly #away = new Map<CsmsId, Timestamp>();
  /** Found anew for every EVSE with every plan, limits would cost more than the plan. */
  readonly #known = new Map<EvseNumber, KnownLimit>();
  /** The last change of each store: one at a time, since each stands on the one before. */
  readonly #turns = new Map<CsmsId, Promise<unknown>>();

  private constructor(deps: ProfileDependencies) {
    this.#deps = deps;
  }

  static async open(deps: ProfileDependencies): Promise<Profiles> {
    const profiles = new Profiles(deps);
    const stored = await deps.journal.load(COLLECTION);
    const { site, book, clock } = deps;
    const open = new Set(
      site.stations.flatMap(({ evses }) => evses.map((evse) => book.evse(evse.number)?.transaction?.uid)),
    );
    const now = clock.now();
    for (const { id, ocpp, evses } of site.csms) {
      const saved = stored.get(id) as ProfileStore | undefined;
      const fresh = emptyStore(id, ocpp, evses);
      const store = saved === undefined ? fresh : { ...fresh, profiles: saved.profiles, written: saved.written };
      const since = timestamp(now - REMOTE_START_PATIENCE);
      profiles.#stores.set(
        id,
        withoutLeftovers(store, (transaction) => open.has(transaction), since),
      );
      profiles.#away.set(id, now);
    }
    return profiles;
  }

  /**
   * Reads what is on disk of CSMSs that another site has.
   * @returns what puts it in force, once the site is the other one
   * @throws JournalUnavailable when it cannot be read
   */
  async prepared(next: readonly Csms[]): Promise<() => void> {
    const stored = await this.#deps.journal.load(COLLECTION);
    return () => {
      const now = this.#deps.clock.now();
      const known = new Map(this.#stores);
      this.#stores.clear();
      for (const { id, ocpp, evses } of next) {
        const { profiles, written } = known.get(id) ?? (stored.get(id) as ProfileStore | undefined) ?? {};
        const fresh = emptyStore(id, ocpp, evses);
        this.#stores.set(id, {
          ...fresh,
          ...(profiles !== undefined && written !== undefined && { profiles, written }),
        });
        if (!known.has(id)) this.#away.set(id, now);
      }
      this.#known.clear();
    };
  }

  set(
    csms: CsmsId,
    evse: EvseNumber | undefined,
    profile: ChargingProfile,
  ): Promise<OperationAnswer<'Accepted' | 'Rejected'>> {
    return this.#decide(csms, (store) => setProfile(store, evse ?? 'station', profile, this.#context(csms, evse)));
  }

  /** The TxProfile of a remote start waits for its transaction. */
  expect(
    csms: CsmsId,
    evse: EvseNumber,
    remoteStartId: number,
    profile: ChargingProfile,
  ): Promise<OperationAnswer<'Accepted' | 'Rejected'>> {
    return this.#decide(csms, (store) =>
      setForRemoteStart(store, evse, remoteStartId, profile, this.#context(csms, evse)),
    );
  }

  forgetExpected(csms: CsmsId, remoteStartId: number): void {
    this.#amend(csms, (store) => dropRemoteStart(store, remoteStartId));
  }

  clear(csms: CsmsId, criteria: ProfileCriteria): Promise<OperationAnswer<'Accepted' | 'Unknown'>> {
    return this.#inTurn(csms, async () => {
      const { store, cleared } = clearProfiles(this.#store(csms), scoped(criteria));
      if (cleared === 0) return { status: 'Unknown' };
      await this.#write(store);
      this.#hold(store);
      return { status: 'Accepted' };
    });
  }

  list(
    csms: CsmsId,
    criteria: ProfileCriteria,
  ): readonly { readonly evse: EvseNumber | undefined; readonly profile: ChargingProfile }[] {
    return listProfiles(this.#store(csms), scoped(criteria)).map(({ scope, profile }) => ({
      evse: scope === 'station' ? undefined : scope,
      profile,
    }));
  }

  /**
   * @param evse undefined: all of `evses` together
   * @param siteLimit the site's own limit per phase on an EVSE, or on the whole
   */
  composite(
    evses: readonly EvseNumber[],
    evse: EvseNumber | undefined,
    duration: number,
    unit: ChargingRateUnit,
    siteLimit: (evse?: EvseNumber) => Ampere,
  ): { readonly start: Timestamp; readonly schedule: ChargingSchedule } {
    const { site, clock } = this.#deps;
    const start = clock.now();
    const request = { start, duration, unit, nominal: site.nominalVoltage };
    const stores = this.#inForce();
    const wanted = evse === undefined ? evses : [evse];
    const described = wanted.flatMap((number) => this.#compositeEvse(number, siteLimit(number)));
    const [single] = described;
    const schedule =
      evse !== undefined && single !== undefined
        ? evseComposite(stores, single, request)
        : stationComposite(stores, described, siteLimit(), request);
    return { start, schedule };
  }

  limit(evse: EvseNumber, transaction: Transaction | undefined): ProfileBound | undefined {
    const now = this.#deps.clock.now();
    const known = this.#known.get(evse);
    if (
      known !== undefined &&
      known.transaction === transaction?.uid &&
      known.energyOfferedAt === transaction?.energyOfferedAt &&
      now >= known.since &&
      now < known.until
    )
      return known.limit;
    const stores = this.#inForce();
    const context = contextOf(transaction);
    const wired = this.#deps.book.describe(evse) ?? { number: evse };
    const found = limitAt(stores, wired, context, now, this.#deps.site.nominalVoltage);
    const limit = found && { current: found.limit, profile: found.source };
    this.#known.set(evse, {
      transaction: transaction?.uid,
      energyOfferedAt: transaction?.energyOfferedAt,
      since: now,
      until: Math.min(nextChange(stores, evse, context, now) ?? Infinity, this.#nextStale(now)),
      limit,
    });
    return limit;
  }

  caps(): readonly SharedCap[] {
    const { site, clock } = this.#deps;
    const all = site.stations.flatMap((station) => station.evses.map(({ number }) => number));
    return stationCapsAt([...this.#stores.values()], clock.now(), site.nominalVoltage).map((cap) => ({
      name: profileName(cap.source),
      evses: cap.evses ?? all,
      limit: cap.limit,
      profile: cap.source,
    }));
  }

  /** A CSMS has come, or is away: its profiles stay in force, and where site.yaml says so not for ever. */
  csmsOnline(csms: CsmsId, online: boolean): void {
    if (online) this.#away.delete(csms);
    else if (!this.#away.has(csms)) this.#away.set(csms, this.#deps.clock.now());
    this.#known.clear();
  }

  started(transaction: Transaction): void {
    const { remoteStartId, owner, uid } = transaction;
    if (remoteStartId !== undefined && owner !== undefined)
      this.#amend(owner, (store) => bindRemoteStart(store, remoteStartId, uid));
  }

  ended(transaction: Transaction): void {
    for (const csms of this.#stores.keys()) this.#amend(csms, (store) => endTransaction(store, transaction.uid));
  }

  /** The site has learned the time. What is on disk bears the mark of its era. */
  shift(shift: TimeShift): void {
    for (const [csms, store] of this.#stores) this.#stores.set(csms, shiftedProfiles(store, shift));
  }

  #store(csms: CsmsId): ProfileStore {
    return this.#stores.get(csms) ?? emptyStore(csms, '2.0.1');
  }

  /** Without what an absent CSMS has said of single EVSEs too long ago; its cap on the whole holds until it lifts it. */
  #inForce(): readonly ProfileStore[] {
    const now = this.#deps.clock.now();
    return [...this.#stores.values()].map((store) => (now < this.#staleAt(store.csms) ? store : onlyCaps(store)));
  }

  #staleAt(csms: CsmsId): number {
    const age = this.#deps.site.csms.find(({ id }) => id === csms)?.profileMaxAgeOffline;
    const since = this.#away.get(csms);
    return age === undefined || since === undefined ? Infinity : since + age;
  }

  #nextStale(now: Timestamp): number {
    return Math.min(...[...this.#away.keys()].map((csms) => this.#staleAt(csms)).filter((at) => at > now), Infinity);
  }

  #context(csms: CsmsId, evse: EvseNumber | undefined): SetContext {
    const { site, book, clock } = this.#deps;
    const open = evse === undefined ? undefined : book.evse(evse)?.transaction;
    return {
      now: clock.now(),
      role: site.csms.find(({ id }) => id === csms)?.role ?? 'observer',
      rules: defaultRules,
      ...(open && { openTransaction: open.uid }),
    };
  }

  #compositeEvse(number: EvseNumber, siteLimit: Ampere): CompositeEvse[] {
    const evse: Evse | undefined = this.#deps.book.describe(number);
    if (evse === undefined) return [];
    const transaction = this.#deps.book.evse(number)?.transaction;
    const context = contextOf(transaction);
    const maxCurrent = ampere(Math.min(evse.maxCurrent, siteLimit, transaction?.cableMaxCurrent ?? Infinity));
    const { phases, lineToLine = false } = evse;
    return [{ number, maxCurrent, phases, lineToLine, ...(context && { transaction: context }) }];
  }

  /** What a CSMS asks for is on disk before it is in force and answered. */
  #decide(
    csms: CsmsId,
    decide: (store: ProfileStore) => Result<ProfileStore, ProfileRejection>,
  ): Promise<OperationAnswer<'Accepted' | 'Rejected'>> {
    return this.#inTurn(csms, async () => {
      const decided = decide(this.#store(csms));
      if (!decided.ok) return { status: 'Rejected', ...decided.error };
      await this.#write(decided.value);
      this.#hold(decided.value);
      return { status: 'Accepted' };
    });
  }

  /** What follows from a transaction is in force whatever the disk says; a leftover on it is dropped by the next start. */
  #amend(csms: CsmsId, change: (store: ProfileStore) => ProfileStore): void {
    this.#inTurn(csms, async () => {
      const before = this.#store(csms);
      const after = change(before);
      if (after === before) return;
      this.#hold(after);
      await this.#write(after);
    }).catch((err: unknown) =>
      this.#deps.log.error(
        { err, csms, fault: FAULTS.journalUnavailable.code },
        'a change of charging profiles could not be written',
      ),
    );
  }

  #inTurn<T>(csms: CsmsId, work: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(csms) ?? Promise.resolve()).then(work);
    const over = (): void => undefined;
    this.#turns.set(csms, turn.then(over, over));
    return turn;
  }

  #hold({ csms, profiles, written }: ProfileStore): void {
    const now = this.#stores.get(csms);
    // The site may have become another one while the disk was at work.
    if (now === undefined) return;
    this.#stores.set(csms, { ...now, profiles, written });
    this.#known.clear();
    this.#deps.changed();
  }

  async #write(store: ProfileStore): Promise<void> {
    await this.#deps.journal.commit({ documents: [{ collection: COLLECTION, key: store.csms, value: store }] });
  }
}

const contextOf = (transaction: Transaction | undefined): TransactionContext | undefined =>
  transaction && {
    uid: transaction.uid,
    ...(transaction.energyOfferedAt !== undefined && { energyOfferedAt: transaction.energyOfferedAt }),
  };

function scoped({ evse, ...rest }: ProfileCriteria): Parameters<typeof listProfiles>[1] {
  return { ...rest, ...(evse !== undefined && { scope: evse }) };
}
