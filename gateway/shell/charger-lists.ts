// Keeps a list of known drivers in every charger that can hold one, for the time when the gateway itself is away.
import type { Clock } from '../kernel/clock.js';
import { FAULTS } from '../kernel/faults.js';
import type { CsmsId, EvseNumber, StationId } from '../kernel/ids.js';
import type { Log } from '../kernel/log.js';
import { minutes, seconds, timestamp, type Milliseconds, type Timestamp } from '../kernel/units.js';
import { deriveList, difference, type ChargerList } from '../authorization/charger-list.js';
import type { Knowledge } from '../authorization/known-token.js';
import type { TellStation } from '../ports/station.js';
import type { SiteBook } from '../site/site-book.js';
import type { CommandOutcome } from '../site/station-command.js';
import type { Site, Station } from '../site/topology.js';
import type { ChargerListStore } from './charger-list-store.js';
import type { TokenNews } from './token-store.js';

/** After set-up: limits are told first, and a whole site that comes back at once settles. */
const SETTLING = seconds(60);
/** What may be refused now is taken out of the chargers when no more changes come, or at the latest after so long. */
const WORSE = { quiet: seconds(30), longest: minutes(5) };
/** A card that is new is worth no message to forty chargers of its own. */
const BETTER = { quiet: minutes(10), longest: minutes(60) };
/** Pause after a charger that did not answer, or whose link was lost. */
const UNANSWERED = minutes(5);
/** After a refusal, doubled each time. */
const REFUSED = { first: minutes(60), longest: minutes(24 * 60) };
const NOT_SUPPORTED = minutes(7 * 24 * 60);
/** What a charger can hold that has not said it, and what is sent to one at most: a list is flash memory and time. */
const UNTOLD_CAPACITY = 100;
const LARGEST = 2000;
/** Versions are int32; a list that comes near begins anew, which a full update may. */
const HIGHEST_VERSION = 2_000_000_000;

interface Session {
  /** On the monotonic clock. */
  readyAt: Milliseconds;
  /** Its list is known to be what was sent last: compared on this connection. */
  compared: boolean;
  /** What it should hold may have changed. */
  stale: boolean;
}

export interface ChargerListDependencies {
  readonly site: Site;
  readonly book: SiteBook;
  readonly store: ChargerListStore;
  readonly tell: TellStation;
  readonly authorityOf: (evse: EvseNumber) => CsmsId | undefined;
  readonly knowledge: (csms: CsmsId | undefined) => Knowledge;
  readonly clock: Clock;
  readonly log: Log;
}

export class ChargerLists {
  readonly #deps: ChargerListDependencies;
  readonly #sessions = new Map<StationId, Session>();
  /** When the first entry of a charger's list stops being valid. */
  readonly #until = new Map<StationId, Timestamp>();
  /** Changes that no charger has been told of, on the monotonic clock. */
  #news: { readonly since: Milliseconds; readonly last: Milliseconds; readonly worse: boolean } | undefined;
  #busy = false;

  constructor(deps: ChargerListDependencies) {
    this.#deps = deps;
  }

  /** What is known of tokens has changed. */
  changed(news: TokenNews): void {
    const now = this.#deps.clock.monotonic();
    const worse = news === 'worse';
    // What has to be told soon does not wait for what could have waited.
    const since = this.#news === undefined || (worse && !this.#news.worse) ? now : this.#news.since;
    this.#news = { since, last: now, worse: worse || this.#news?.worse === true };
  }

  /** The charger is set up, on a new connection or again. */
  ready(id: StationId): void {
    const readyAt = (this.#deps.clock.monotonic() + SETTLING) as Milliseconds;
    this.#sessions.set(id, { readyAt, compared: false, stale: false });
  }

  /** Its link is gone: nothing is sent before the next one is set up. */
  gone(id: StationId): void {
    this.#sessions.delete(id);
  }

  /** Called once a second; serves one charger at a time. */
  tend(): void {
    const { site, clock, log } = this.#deps;
    this.#spread();
    if (this.#busy) return;
    const station = site.stations.find((each) => this.#isDue(each, clock.now(), clock.monotonic()));
    const session = station && this.#sessions.get(station.id);
    if (station === undefined || session === undefined) return;
    this.#busy = true;
    session.stale = false;
    this.#serve(station, session)
      .catch((err: unknown) => {
        this.#later(session);
        log.error({ err, station: station.id }, 'the list of a charger could not be brought up to date');
      })
      .finally(() => {
        this.#busy = false;
      });
  }

  /** News that are due, and entries that have run out, are every charger's concern, or the one's. */
  #spread(): void {
    const { clock } = this.#deps;
    const news = this.#news;
    const patience = news?.worse === true ? WORSE : BETTER;
    const age = (from: Milliseconds): number => clock.monotonic() - from;
    if (news !== undefined && (age(news.last) >= patience.quiet || age(news.since) >= patience.longest)) {
      this.#news = undefined;
      for (const session of this.#sessions.values()) session.stale = true;
    }
    for (const [id, until] of this.#until) {
      if (until > clock.now()) continue;
      this.#until.delete(id);
      const session = this.#sessions.get(id);
      if (session) session.stale = true;
    }
  }

  #isDue({ id }: Station, now: Timestamp, monotonic: Milliseconds): boolean {
    const { book, site, store } = this.#deps;
    const session = this.#sessions.get(id);
    const live = book.station(id);
    if (session === undefined || live?.connected !== true || live.capabilities?.localList !== true) return false;
    if (session.readyAt > monotonic || (session.compared && !session.stale)) return false;
    if (!site.authorization.listsInChargers && store.holdsNothing(id)) return false;
    return (store.held(id).notBefore ?? 0) <= now;
  }

  async #serve(station: Station, session: Session): Promise<void> {
    const wanted = this.#wanted(station);
    const { store, log } = this.#deps;
    const held = store.held(station.id);
    const before = store.list(held);
    let base = held.version;
    let known = session.compared && before !== undefined;
    if (!session.compared) {
      const told = await this.#deps.tell(station.id, { type: 'getLocalListVersion' });
      const version = Number(told.data);
      if (told.status !== 'Accepted' || !Number.isSafeInteger(version)) return this.#refused(station, session, told);
      // -1: there is no such thing as a list (1.6 section 5.10).
      if (version < 0) return this.#refused(station, session, { status: 'NotSupported' });
      base = Math.max(base, version);
      known =
        before !== undefined && held.version > 0 && (version === held.version || (version === 0 && before.size === 0));
    }
    const changes = known && before !== undefined ? difference(before, wanted) : undefined;
    if (changes?.length === 0) {
      session.compared = true;
      return;
    }
    // A few changes are told as such; where most is new, or the charger has something else, it gets the whole.
    let outcome: CommandOutcome | undefined;
    if (changes !== undefined && changes.length <= wanted.size / 2) {
      base = nextVersion(base, changes.length);
      outcome = await this.#deps.tell(station.id, {
        type: 'sendLocalList',
        version: base,
        update: 'Differential',
        entries: changes,
      });
    }
    if (outcome === undefined || outcome.status === 'Rejected' || outcome.status === 'VersionMismatch') {
      base = nextVersion(base, wanted.size);
      outcome = await this.#deps.tell(station.id, {
        type: 'sendLocalList',
        version: base,
        update: 'Full',
        entries: [...wanted.values()],
      });
    }
    if (outcome.status !== 'Accepted') return this.#refused(station, session, outcome);
    session.compared = true;
    log.info({ station: station.id, entries: wanted.size, version: base }, 'the charger keeps a list of drivers');
    await store.taken(station.id, base, wanted);
  }

  #wanted(station: Station): ChargerList {
    const { site, book, authorityOf, knowledge } = this.#deps;
    const capabilities = book.station(station.id)?.capabilities;
    this.#until.delete(station.id);
    if (!site.authorization.listsInChargers) return new Map();
    const evses = station.evses.map(({ number }) => number);
    const csms = evses.flatMap((evse) => authorityOf(evse) ?? [])[0];
    const { entries, until } = deriveList(knowledge(csms), {
      capacity: Math.min(capabilities?.localListEntries ?? UNTOLD_CAPACITY, LARGEST),
      ocpp: capabilities?.protocol === 'ocpp2.0.1' ? '2.0.1' : '1.6',
      evses,
    });
    if (until !== undefined) this.#until.set(station.id, until);
    return entries;
  }

  /** It is asked again, but not on and on: soon where it may not have heard, rarely where it cannot. */
  async #refused(station: Station, session: Session, { status, detail }: CommandOutcome): Promise<void> {
    session.compared = false;
    if (status === 'Offline' || status === 'Uncertain') return this.#later(session);
    const { store, clock, log } = this.#deps;
    const refusals = (store.held(station.id).refusals ?? 0) + 1;
    const pause =
      status === 'NotSupported'
        ? NOT_SUPPORTED
        : Math.min(REFUSED.first * 2 ** Math.min(refusals - 1, 10), REFUSED.longest);
    const fault = FAULTS.chargerListRefused.code;
    log.warn(
      { station: station.id, fault, outcome: status, detail, refusals },
      'the charger does not take a list of drivers',
    );
    await store.refused(station.id, refusals, timestamp(clock.now() + pause));
  }

  #later(session: Session): void {
    session.compared = false;
    session.readyAt = (this.#deps.clock.monotonic() + UNANSWERED) as Milliseconds;
  }
}

/** Room for one version for each entry: the adapter's portions are never smaller. */
const nextVersion = (base: number, entries: number): number => {
  const next = base + Math.max(1, entries);
  return next <= HIGHEST_VERSION ? next : Math.max(1, entries);
};
