// What load balancing is told of each EVSE at one moment: the car, its charger, what bounds them and what flows.
import { isUsedUp } from '../authorization/judge.js';
import { profileName, type EvseObservation, type ProfileReference, type SharedCap } from '../balancing/observation.js';
import type { Clock } from '../kernel/clock.js';
import type { EvseNumber, StationId, TransactionUid } from '../kernel/ids.js';
import {
  ampere,
  milliseconds,
  minutes,
  seconds,
  timestamp,
  wattHour,
  type Ampere,
  type Timestamp,
} from '../kernel/units.js';
import type { SiteBook } from '../site/site-book.js';
import { perPhase, type Evse, type PerPhase } from '../site/topology.js';
import type { Transaction } from '../site/transaction.js';
import type { CarNeeds } from './car-needs.js';

/** A sample this far from the gateway's own time was taken then, not now. */
const REPLAYED = minutes(5);

export interface ProfileBound {
  readonly current: Ampere;
  readonly profile: ProfileReference;
}

/** What bounds an EVSE beside its hardware: the charging profiles of every CSMS. */
export interface ProfileBounds {
  limit(evse: EvseNumber, transaction: Transaction | undefined): ProfileBound | undefined;
  caps(): readonly SharedCap[];
}

/** What a card's priority is remembered for. */
const PRIORITY_HOLDS = seconds(10);

interface ObservationDependencies {
  readonly book: SiteBook;
  readonly profiles: ProfileBounds;
  readonly needs: Pick<CarNeeds, 'of'>;
  /** The charging priority of a driver's card, where it has one. */
  readonly priorityOf: (transaction: Transaction) => number | undefined;
  /** What an EVSE gets at most while it is being tried out. */
  readonly trialBound: (evse: EvseNumber) => Ampere | undefined;
  readonly clock: Clock;
  /** The time that load balancing goes by. */
  readonly now: () => Timestamp;
}

export class Observations {
  readonly #deps: ObservationDependencies;
  /** When the last transaction of an EVSE ended: no current flows through an open contactor. */
  readonly #endedAt = new Map<EvseNumber, Timestamp>();
  /** Stations heard of since the gateway started. */
  readonly #known = new Set<StationId>();
  /** What an EVSE draws, by the moment it was told: chargers' own clocks are not to be trusted with a breaker. */
  readonly #arrivals = new Map<
    EvseNumber,
    { readonly current: PerPhase<Ampere>; readonly at: Timestamp; readonly toldAt: Timestamp }
  >();

  readonly #priorities = new Map<
    EvseNumber,
    { readonly uid: TransactionUid; readonly at: number; readonly priority: number | undefined }
  >();

  constructor(deps: ObservationDependencies) {
    this.#deps = deps;
  }

  /** An EVSE has told what it draws, at this moment. */
  measured(number: EvseNumber): void {
    const { book, clock, now } = this.#deps;
    const live = book.evse(number);
    if (live?.current === undefined || live.currentAt === undefined) return;
    const known = this.#arrivals.get(number);
    // The same sample again, or one of a past that the charger held back, says nothing of this moment.
    if (known?.toldAt === live.currentAt || Math.abs(clock.now() - live.currentAt) > REPLAYED) return;
    this.#arrivals.set(number, { current: live.current, at: now(), toldAt: live.currentAt });
  }

  ended(transaction: Transaction): void {
    this.#endedAt.set(transaction.evse, this.#deps.now());
  }

  /** Another EVSE has its number now, or nobody. */
  forget(number: EvseNumber): void {
    for (const known of [this.#endedAt, this.#arrivals, this.#priorities]) known.delete(number);
  }

  observe(evse: Evse): EvseObservation {
    const { book, needs, now, profiles, trialBound } = this.#deps;
    const station = book.station(evse.station);
    const reached = station?.connected === true;
    if (reached) this.#known.add(evse.station);
    const live = book.evse(evse.number);
    const transaction = live?.transaction;
    const connector = transaction && book.connector(evse.number, transaction.connector);
    const capabilities = station?.capabilities;
    const measured = this.#measured(evse.number, transaction);
    const bounds = { cable: transaction?.cableMaxCurrent, car: needs.of(evse.number)?.maxCurrent };
    const startsAt = startingCurrent(evse, capabilities?.protocol, capabilities?.fallback ?? false);
    const vacant = startsAt !== undefined && reached && transaction === undefined && this.#isVacant(evse);
    return {
      evse: evse.number,
      link: reached ? 'connected' : this.#known.has(evse.station) ? 'lost' : 'unknown',
      wantsEnergy:
        transaction !== undefined &&
        (transaction.idToken !== undefined || transaction.orphan === true) &&
        transaction.deauthorized !== true &&
        !isUsedUp(transaction) &&
        transaction.chargingState !== 'Idle' &&
        connector?.reported !== 'Faulted',
      transactionOpen: transaction !== undefined,
      chargingState: transaction?.chargingState ?? 'Idle',
      priority: this.#priority(evse, transaction),
      ...this.#needs(evse, now()),
      ...withinTrial(upperBound(evse, bounds, profiles.limit(evse.number, transaction)), trialBound(evse.number)),
      ...(transaction && { activeSince: transaction.startedAt, energyServed: served(transaction) }),
      ...(measured && { measured }),
      ...(live?.saysItOffers && { offers: live.saysItOffers }),
      ...(startsAt !== undefined && { startsAt }),
      ...(vacant && { vacant: true }),
      ...(capabilities?.setpointsPerDay !== undefined && { setpointsPerDay: capabilities.setpointsPerDay }),
      ...(capabilities?.phaseSwitching === true && evse.phaseSwitching === true && { phaseSwitching: true }),
      ...(evse.weight !== undefined && { weight: evse.weight }),
      ...(capabilities?.fallbackAfter !== undefined && { fallbackAfter: milliseconds(capabilities.fallbackAfter) }),
    };
  }

  /** Every connector of a station in reach says that no car is at it; one that says nothing may have one. */
  #isVacant(evse: Evse): boolean {
    return evse.connectors.every(({ number }) => {
      const connector = this.#deps.book.connector(evse.number, number);
      return connector?.reported === 'Available' && connector.chargingState === 'Idle';
    });
  }

  /** A card's own goes before the EVSE's. It is asked for again now and then: the CSMS may say it after the start. */
  #priority(evse: Evse, transaction: Transaction | undefined): number {
    const byWiring = evse.chargingPriority ?? 0;
    if (transaction === undefined) return byWiring;
    const { clock, priorityOf } = this.#deps;
    const known = this.#priorities.get(evse.number);
    const fresh = known?.uid === transaction.uid && clock.monotonic() - known.at < PRIORITY_HOLDS;
    const byCard = fresh ? known.priority : priorityOf(transaction);
    if (!fresh) this.#priorities.set(evse.number, { uid: transaction.uid, at: clock.monotonic(), priority: byCard });
    return byCard ?? byWiring;
  }

  #needs(evse: Evse, now: Timestamp): Pick<EvseObservation, 'departure' | 'energyNeeded'> {
    const { clock, needs } = this.#deps;
    const { departure, energy } = needs.of(evse.number) ?? {};
    return {
      // Told by the site's clock, which may be set; load balancing goes by its own.
      ...(departure !== undefined && { departure: timestamp(departure - clock.now() + now) }),
      ...(energy !== undefined && { energyNeeded: energy }),
    };
  }

  /**
   * What flows, as far as it was told. Chargers sample only inside transactions: the last sample of one that is over says
   * nothing any more, and would look like a charger that does not obey.
   */
  #measured(number: EvseNumber, transaction: Transaction | undefined): EvseObservation['measured'] {
    const arrival = this.#arrivals.get(number);
    const endedAt = this.#endedAt.get(number);
    if (transaction === undefined && endedAt !== undefined && (arrival?.at ?? 0) <= endedAt) {
      return { current: perPhase(() => ampere(0)), at: endedAt };
    }
    return arrival && { current: arrival.current, at: arrival.at };
  }
}

/** The least of the hardware, the cable and the profiles, and which of them it is. */
function upperBound(
  evse: Evse,
  { cable, car }: { readonly cable: number | undefined; readonly car: number | undefined },
  bound: ProfileBound | undefined,
): Bound {
  // A car that can do with less than the least gets that: it pauses by itself, or was misunderstood.
  const takes = Math.max(evse.minCurrent, car ?? Infinity);
  const built = Math.min(evse.maxCurrent, cable ?? Infinity, takes);
  if (bound !== undefined && bound.current < built)
    return { upperBound: bound.current, boundBy: profileName(bound.profile), boundByProfile: bound.profile };
  return {
    upperBound: ampere(built),
    boundBy: built === evse.maxCurrent ? 'the hardware' : built === takes ? 'the car' : 'the cable',
  };
}

type Bound = Pick<EvseObservation, 'upperBound' | 'boundBy' | 'boundByProfile'>;

/** Trying an EVSE out lowers what it gets, and never raises it. */
const withinTrial = (bound: Bound, trial: Ampere | undefined): Bound =>
  trial === undefined || trial >= bound.upperBound ? bound : { upperBound: trial, boundBy: 'its commissioning' };

/** What an EVSE offers a car that it has not been told about: its fail-safe default, where its setpoint ends with a transaction. */
function startingCurrent(evse: Evse, protocol: string | undefined, fallback: boolean): Ampere | undefined {
  if (protocol === 'modbus' || protocol === undefined) return undefined;
  return fallback ? evse.fallbackCurrent : evse.maxCurrent;
}

const served = (transaction: Transaction) =>
  wattHour(Math.max(0, (transaction.register ?? 0) - (transaction.meterStart ?? transaction.register ?? 0)));
