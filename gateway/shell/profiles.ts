// The charging profiles of every CSMS: kept on disk, merged into what each EVSE may have, answered as composite schedules.
import type { Clock } from '../kernel/clock.js';
import { FAULTS } from '../kernel/faults.js';
import type { CsmsId, EvseNumber } from '../kernel/ids.js';
import type { Log } from '../kernel/log.js';
import type { Ampere, Timestamp } from '../kernel/units.js';
import type { SharedCap } from '../balancing/observation.js';
import { evseComposite, stationComposite, type CompositeEvse } from '../charging-profiles/composite.js';
import { limitAt, stationCapsAt, type TransactionContext } from '../charging-profiles/limit.js';
import {
  bindRemoteStart,
  clearProfiles,
  dropRemoteStart,
  emptyStore,
  endTransaction,
  listProfiles,
  setForRemoteStart,
  setProfile,
  shiftedProfiles,
  type ProfileStore,
  type SetContext,
} from '../charging-profiles/store.js';
import { defaultRules } from '../charging-profiles/validate.js';
import type { Journal } from '../ports/journal.js';
import type { OperationAnswer, ProfileCriteria } from '../ports/operations.js';
import type { ChargingProfile, ChargingRateUnit, ChargingSchedule } from '../site/charging-profile.js';
import type { SiteBook } from '../site/site-book.js';
import type { TimeShift } from '../site/time-shift.js';
import type { Evse, Site } from '../site/topology.js';
import type { Transaction } from '../site/transaction.js';
import type { ProfileBounds } from './steering.js';

const COLLECTION = 'charging-profiles';

export interface ProfileDependencies {
  readonly site: Site;
  readonly book: SiteBook;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Log;
}

export class Profiles implements ProfileBounds {
  readonly #deps: ProfileDependencies;
  readonly #stores = new Map<CsmsId, ProfileStore>();

  private constructor(deps: ProfileDependencies) {
    this.#deps = deps;
  }

  static async open(deps: ProfileDependencies): Promise<Profiles> {
    const profiles = new Profiles(deps);
    const stored = await deps.journal.load(COLLECTION);
    for (const { id, ocpp, evses } of deps.site.csms) {
      const saved = stored.get(id) as ProfileStore | undefined;
      const fresh = emptyStore(id, ocpp, evses);
      profiles.#stores.set(
        id,
        saved === undefined ? fresh : { ...fresh, profiles: saved.profiles, written: saved.written },
      );
    }
    return profiles;
  }

  async set(
    csms: CsmsId,
    _evses: readonly EvseNumber[],
    evse: EvseNumber | undefined,
    profile: ChargingProfile,
  ): Promise<OperationAnswer<'Accepted' | 'Rejected'>> {
    const decided = setProfile(this.#store(csms), evse ?? 'station', profile, this.#context(csms, evse));
    if (!decided.ok) return { status: 'Rejected', ...decided.error };
    await this.#keep(decided.value);
    return { status: 'Accepted' };
  }

  /** The TxProfile of a remote start waits for its transaction. */
  async expect(
    csms: CsmsId,
    evse: EvseNumber,
    remoteStartId: number,
    profile: ChargingProfile,
  ): Promise<OperationAnswer<'Accepted' | 'Rejected'>> {
    const decided = setForRemoteStart(this.#store(csms), evse, remoteStartId, profile, this.#context(csms, evse));
    if (!decided.ok) return { status: 'Rejected', ...decided.error };
    await this.#keep(decided.value);
    return { status: 'Accepted' };
  }

  forgetExpected(csms: CsmsId, remoteStartId: number): void {
    this.#keepSoon(dropRemoteStart(this.#store(csms), remoteStartId));
  }

  async clear(csms: CsmsId, criteria: ProfileCriteria): Promise<OperationAnswer<'Accepted' | 'Unknown'>> {
    const { store, cleared } = clearProfiles(this.#store(csms), scoped(criteria));
    if (cleared === 0) return { status: 'Unknown' };
    await this.#keep(store);
    return { status: 'Accepted' };
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

  composite(
    _csms: CsmsId,
    evses: readonly EvseNumber[],
    evse: EvseNumber | undefined,
    duration: number,
    unit: ChargingRateUnit,
  ): { readonly start: Timestamp; readonly schedule: ChargingSchedule } {
    const { site, clock } = this.#deps;
    const start = clock.now();
    const request = { start, duration, unit, nominal: site.nominalVoltage };
    const stores = [...this.#stores.values()];
    const wanted = evse === undefined ? evses : [evse];
    const described = wanted.flatMap((number) => this.#compositeEvse(number));
    const [single] = described;
    const schedule =
      evse !== undefined && single !== undefined
        ? evseComposite(stores, single, request)
        : stationComposite(stores, described, this.#connectionLimit(), request);
    return { start, schedule };
  }

  limit(
    evse: EvseNumber,
    transaction: Transaction | undefined,
  ): { readonly current: Ampere; readonly by: string } | undefined {
    const { site, clock } = this.#deps;
    const limit = limitAt([...this.#stores.values()], evse, contextOf(transaction), clock.now(), site.nominalVoltage);
    return limit && { current: limit.limit, by: `${limit.source.purpose} ${limit.source.id} of ${limit.source.csms}` };
  }

  caps(): readonly SharedCap[] {
    const { site, clock } = this.#deps;
    const all = site.stations.flatMap((station) => station.evses.map(({ number }) => number));
    return stationCapsAt([...this.#stores.values()], clock.now(), site.nominalVoltage).map((cap) => ({
      name: `${cap.source.purpose} ${cap.source.id} of ${cap.source.csms}`,
      evses: cap.evses ?? all,
      limit: cap.limit,
    }));
  }

  started(transaction: Transaction): void {
    if (transaction.remoteStartId === undefined || transaction.owner === undefined) return;
    const store = this.#stores.get(transaction.owner);
    if (store !== undefined) this.#keepSoon(bindRemoteStart(store, transaction.remoteStartId, transaction.uid));
  }

  ended(transaction: Transaction): void {
    for (const store of this.#stores.values()) this.#keepSoon(endTransaction(store, transaction.uid));
  }

  /** The site has learned the time. What is on disk bears the mark of its era. */
  shift(shift: TimeShift): void {
    for (const [csms, store] of this.#stores) this.#stores.set(csms, shiftedProfiles(store, shift));
  }

  #store(csms: CsmsId): ProfileStore {
    return this.#stores.get(csms) ?? emptyStore(csms, '2.0.1');
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

  #compositeEvse(number: EvseNumber): CompositeEvse[] {
    const evse: Evse | undefined = this.#deps.book.describe(number);
    if (evse === undefined) return [];
    const transaction = contextOf(this.#deps.book.evse(number)?.transaction);
    return [{ number, maxCurrent: evse.maxCurrent, phases: evse.phases.length, ...(transaction && { transaction }) }];
  }

  /** What the grid connection gives per phase. */
  #connectionLimit(): Ampere | undefined {
    return this.#deps.site.circuits.find(({ fedBy }) => fedBy === undefined)?.breaker;
  }

  #keepSoon(store: ProfileStore): void {
    this.#keep(store).catch((err: unknown) =>
      this.#deps.log.error(
        { err, csms: store.csms, fault: FAULTS.journalUnavailable.code },
        'a change of charging profiles could not be written',
      ),
    );
  }

  async #keep(store: ProfileStore): Promise<void> {
    if (this.#stores.get(store.csms) === store) return;
    this.#stores.set(store.csms, store);
    await this.#deps.journal.commit({ documents: [{ collection: COLLECTION, key: store.csms, value: store }] });
  }
}

const contextOf = (transaction: Transaction | undefined): TransactionContext | undefined =>
  transaction && { uid: transaction.uid, energyOfferedAt: transaction.startedAt };

function scoped({ evse, ...rest }: ProfileCriteria): Parameters<typeof listProfiles>[1] {
  return { ...rest, ...(evse !== undefined && { scope: evse }) };
}
