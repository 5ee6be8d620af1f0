// Tells one CSMS what the site itself, the grid operator or another CSMS allows its EVSEs (K11 to K13): what matters, and slowly.
import type { Because, BalancingReport } from '../balancing/report.js';
import type { ProfileReference } from '../balancing/observation.js';
import type { Clock } from '../kernel/clock.js';
import type { CsmsId, EvseNumber, TransactionUid } from '../kernel/ids.js';
import { seconds, type Ampere, type Milliseconds, type Timestamp } from '../kernel/units.js';
import type { ChargingLimitSource, CsmsMessage } from '../ports/csms.js';
import type { ChargingProfile } from '../site/charging-profile.js';
import type { LiveSite } from '../site/live-state.js';
import type { Transaction } from '../site/transaction.js';
import type { SlotTable } from './slots.js';

/** A limit that this CSMS has not set. Per phase. */
interface ExternalLimit {
  readonly current: Ampere;
  readonly source: Exclude<ChargingLimitSource, 'CSO'>;
  readonly since: Timestamp;
}

export interface SiteLimitDependencies {
  readonly csms: CsmsId;
  readonly slots: SlotTable;
  readonly live: LiveSite;
  readonly clock: Clock;
  /** LimitChangeSignificance, in percent. */
  readonly significance: () => number;
  readonly notify: (message: Extract<CsmsMessage, { type: 'chargingLimit' }>) => void;
  /** The current of a running transaction has changed. False: it cannot be told now. */
  readonly rateChanged: (transaction: Transaction, offered: Ampere) => boolean;
}

/** Of one EVSE or one transaction the CSMS hears at most so often, however restless the building is. */
const LEAST_BETWEEN: Milliseconds = seconds(30);
/** Of the site as a whole, which changes by the word of the grid operator. */
const LEAST_BETWEEN_WHOLE: Milliseconds = seconds(5);
/** Of all of them together, at each look (once a second): the rest has its turn later. */
const MOST_AT_ONCE = 2;
const WHOLE = 'station';

type Place = EvseNumber | typeof WHOLE;
interface Told {
  readonly at: Milliseconds;
  readonly current: number;
  readonly source?: ExternalLimit['source'];
}

export class SiteLimits {
  readonly #is: SiteLimitDependencies;
  readonly #now = new Map<Place, ExternalLimit>();
  readonly #told = new Map<Place, Told>();
  readonly #rates = new Map<TransactionUid, Told>();

  constructor(dependencies: SiteLimitDependencies) {
    this.#is = dependencies;
  }

  /** The CSMS has begun anew and knows of no limit. */
  forget(): void {
    this.#told.clear();
  }

  /** The newest plan. @param online nothing is told otherwise, and what was told meanwhile is not made up for */
  planned(report: BalancingReport, online: boolean): void {
    this.#take(report);
    if (!online) return;
    let left = MOST_AT_ONCE;
    for (const place of new Set([...this.#now.keys(), ...this.#told.keys()]))
      if (left > 0 && this.#tellLimit(place)) left--;
    for (const { number } of this.#is.slots.evses) if (left > 0 && this.#tellRate(number)) left--;
    this.#forgetEnded();
  }

  /** What holds now, as profiles that this CSMS may read and not change: ids below 0 (K11.FR.06). */
  external(): readonly {
    readonly evse?: EvseNumber;
    readonly source: ChargingLimitSource;
    profile: ChargingProfile;
  }[] {
    return [...this.#now].flatMap(([place, { current, source, since }]) => {
      const slot = place === WHOLE ? 0 : this.#is.slots.ofEvse(place)[0]?.slot.evse;
      if (slot === undefined) return [];
      const id = -1 - slot;
      const profile: ChargingProfile = {
        id,
        stackLevel: 0,
        purpose: 'ChargingStationExternalConstraints',
        kind: 'Absolute',
        schedules: [{ id, unit: 'A', startSchedule: since, periods: [{ startPeriod: 0, limit: current }] }],
      };
      return [{ ...(place !== WHOLE && { evse: place }), source, profile }];
    });
  }

  #take(report: BalancingReport): void {
    const { csms, slots, clock } = this.#is;
    const found = new Map<Place, Omit<ExternalLimit, 'since'>>();
    const operator = report.circuits.find(({ limitedBy }) => limitedBy === 'gridOperator');
    if (operator !== undefined) found.set(WHOLE, { current: operator.limit, source: 'SO' });
    for (const { evse, sent, target, because } of report.evses) {
      const source = slots.sees(evse) ? sourceOf(because, csms) : undefined;
      if (source !== undefined) found.set(evse, { current: sent ?? target, source });
    }
    for (const place of this.#now.keys()) if (!found.has(place)) this.#now.delete(place);
    for (const [place, limit] of found) {
      const before = this.#now.get(place);
      const since = before?.source === limit.source && before.current === limit.current ? before.since : clock.now();
      this.#now.set(place, { ...limit, since });
    }
  }

  /** True: something was told. */
  #tellLimit(place: Place): boolean {
    const limit = this.#now.get(place);
    const told = this.#told.get(place);
    const slotEvse = place === WHOLE ? undefined : this.#is.slots.ofEvse(place)[0]?.slot.evse;
    if (place !== WHOLE && slotEvse === undefined) return false;
    if (limit === undefined ? told?.source === undefined : told?.source === limit.source && !this.#matters(told, limit))
      return false;
    const at = this.#is.clock.monotonic();
    const rest = place === WHOLE ? LEAST_BETWEEN_WHOLE : LEAST_BETWEEN;
    if (told !== undefined && at - told.at < rest) return false;
    if (told?.source !== undefined && told.source !== limit?.source)
      this.#is.notify({ type: 'chargingLimit', slotEvse, source: told.source, cleared: true });
    if (limit === undefined) this.#told.set(place, { at, current: Infinity });
    else {
      this.#is.notify({ type: 'chargingLimit', slotEvse, source: limit.source, cleared: false });
      this.#told.set(place, { at, current: limit.current, source: limit.source });
    }
    return true;
  }

  #tellRate(evse: EvseNumber): boolean {
    const { live, clock, rateChanged } = this.#is;
    const { transaction, offered } = live.evse(evse) ?? {};
    if (transaction === undefined || offered === undefined) return false;
    const at = clock.monotonic();
    const told = this.#rates.get(transaction.uid);
    if (told === undefined) {
      this.#rates.set(transaction.uid, { at, current: offered });
      return false;
    }
    if (!this.#matters(told, { current: offered }) || at - told.at < LEAST_BETWEEN) return false;
    if (!rateChanged(transaction, offered)) return false;
    this.#rates.set(transaction.uid, { at, current: offered });
    return true;
  }

  #matters(told: Told, { current }: { readonly current: number }): boolean {
    const change = Math.abs(current - told.current);
    return change > 0 && change >= (told.current * this.#is.significance()) / 100;
  }

  #forgetEnded(): void {
    if (this.#rates.size <= this.#is.slots.evses.length) return;
    const open = new Set(this.#is.slots.evses.map(({ number }) => this.#is.live.evse(number)?.transaction?.uid));
    for (const uid of this.#rates.keys()) if (!open.has(uid)) this.#rates.delete(uid);
  }
}

/** Who holds an EVSE at its current, from where this CSMS stands: its own profiles and the car are nobody else's limit. */
function sourceOf(because: Because, csms: CsmsId): ExternalLimit['source'] | undefined {
  const others = (profile: ProfileReference | undefined) =>
    profile === undefined || profile.csms === csms ? undefined : 'Other';
  switch (because.kind) {
    case 'full':
    case 'rotation':
      if (because.where.kind === 'cap') return others(because.where.profile);
      return because.why === 'gridOperator' || because.why === 'gridOperatorLost' ? 'SO' : 'EMS';
    case 'upperBound':
    case 'belowMinimum':
      return others(because.profile);
    case 'release':
    case 'meterStale':
    case 'pause':
    case 'unbalance':
    case 'benched':
    case 'notReacting':
      return 'EMS';
    default:
      return undefined;
  }
}
