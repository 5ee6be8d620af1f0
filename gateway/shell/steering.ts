// Carries out what load balancing plans: once a second and after every event, decreases and increases as they are released.
import { isUsedUp } from '../authorization/judge.js';
import type { CancelTimer, Clock } from '../kernel/clock.js';
import { FAULTS } from '../kernel/faults.js';
import type { EvseNumber, MeterId, StationId } from '../kernel/ids.js';
import type { Log } from '../kernel/log.js';
import {
  ampere,
  milliseconds,
  minutes,
  seconds,
  timestamp,
  wattHour,
  type Ampere,
  type Milliseconds,
  type Timestamp,
} from '../kernel/units.js';
import { plan, type Plan } from '../balancing/balancer.js';
import { ceilings, confirmed, failed, reset } from '../balancing/commit.js';
import { networkOf, type Network } from '../balancing/network.js';
import {
  profileName,
  type EvseObservation,
  type GridOperatorLimits,
  type ProfileReference,
  type SharedCap,
} from '../balancing/observation.js';
import type { LimitCommand } from '../balancing/release.js';
import type { BalancingReport, CircuitReport } from '../balancing/report.js';
import type { Escalation } from '../balancing/standing.js';
import { initialBalancing, type BalancingState } from '../balancing/state.js';
import type { Journal } from '../ports/journal.js';
import type { StationDriver } from '../ports/station.js';
import type { MeterReading } from '../site/metering.js';
import type { SiteBook } from '../site/site-book.js';
import { perPhase, type Evse, type PerPhase, type Site } from '../site/topology.js';
import type { Transaction } from '../site/transaction.js';

const TICK = seconds(1);
/** Events that come in bursts (a sample of every charger, a power failure) share a plan. */
const LEAST_BETWEEN_PLANS = milliseconds(50);
/** On a large site plans take milliseconds: they leave chargers at least this many times as long as the last one took. */
const REST_FOR_EACH_PLAN = 10;
/** A charger that keeps every setpoint in flash is raised at most so often; cuts go out at once all the same. */
const SPARE = minutes(15);
const COLLECTION = 'balancing';
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

/** What the grid operator allows, and which caps of CSMSs are not his word. */
export interface GridOperatorBounds {
  inForce(caps: readonly SharedCap[]): GridOperatorLimits & { readonly caps: readonly SharedCap[] };
}

export interface SteeringDependencies {
  readonly site: Site;
  readonly book: SiteBook;
  readonly drivers: ReadonlyMap<StationId, StationDriver>;
  readonly profiles: ProfileBounds;
  readonly gridOperator: GridOperatorBounds;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Log;
  /** A charger does not obey: stop its transaction, or take it out of service. */
  readonly escalate: (evse: EvseNumber, step: 'stop' | 'inoperative') => void;
  /** Once a second: what the newest plan says of each circuit. */
  readonly planned: (circuits: readonly CircuitReport[]) => void;
}

export class Steering {
  readonly #deps: SteeringDependencies;
  readonly #network: Network;
  readonly #evses: readonly Evse[];
  readonly #meters = new Map<MeterId, MeterReading>();
  /** When the last transaction of an EVSE ended: no current flows through an open contactor. */
  readonly #endedAt = new Map<EvseNumber, Timestamp>();
  /** Stations heard of since the gateway started. */
  readonly #known = new Set<StationId>();
  /** What an EVSE draws, by the moment it was told: chargers' own clocks are not to be trusted with a breaker. */
  readonly #arrivals = new Map<
    EvseNumber,
    { readonly current: PerPhase<Ampere>; readonly at: Timestamp; readonly toldAt: Timestamp }
  >();
  #state: BalancingState;
  #newestPlan: Plan | undefined;
  #noted: readonly CircuitReport[] | undefined;
  #timer: CancelTimer | undefined;
  #wake: CancelTimer | undefined;
  #wakeAt = 0;
  #plannedAt = -Infinity;
  /** How long the last plan took. */
  #planTook = 0;
  #savedCeilings: string | undefined;
  #stopped = false;
  readonly #began: { readonly wall: Timestamp; readonly monotonic: Milliseconds };
  /** The newest command for each EVSE: a raise that was overtaken while it waited for the disk must not go out. */
  readonly #newest = new Map<EvseNumber, LimitCommand>();

  private constructor(deps: SteeringDependencies, remembered: ReadonlyMap<EvseNumber, number>) {
    this.#deps = deps;
    this.#network = networkOf(deps.site);
    this.#evses = deps.site.stations.flatMap((station) => station.evses);
    this.#began = { wall: deps.clock.now(), monotonic: deps.clock.monotonic() };
    this.#state = initialBalancing(this.#network, this.#now(), remembered);
  }

  static async open(deps: SteeringDependencies): Promise<Steering> {
    const saved = (await deps.journal.load(COLLECTION)).get('ceilings');
    const pairs = Array.isArray(saved) ? (saved as [EvseNumber, number][]) : [];
    return new Steering(deps, new Map(pairs));
  }

  start(): void {
    this.#timer = this.#deps.clock.every(TICK, () => {
      this.#plan();
      this.#tell();
    });
    this.#plan();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.();
    this.#wake?.();
  }

  /** Something has changed that should not wait for the next second. */
  wake(): void {
    this.#planAfter(milliseconds(Math.min(TICK, Math.max(LEAST_BETWEEN_PLANS, REST_FOR_EACH_PLAN * this.#planTook))));
  }

  /** The next plan is at the latest this long after the last one, or now. */
  #planAfter(rest: Milliseconds): void {
    if (this.#stopped) return;
    const { clock } = this.#deps;
    const due = Math.max(clock.monotonic(), this.#plannedAt + rest);
    if (this.#wake !== undefined) {
      if (this.#wakeAt <= due) return;
      this.#wake();
    }
    this.#wakeAt = due;
    this.#wake = clock.after(milliseconds(due - clock.monotonic()), () => {
      this.#wake = undefined;
      this.#plan();
    });
  }

  reading(reading: MeterReading): void {
    this.#meters.set(reading.meter, { ...reading, at: this.#now() });
    // A fuse may ask for a cut: that rests for no plan.
    this.#planAfter(LEAST_BETWEEN_PLANS);
  }

  /** An EVSE has told what it draws, at this moment. */
  measured(number: EvseNumber): void {
    const { book, clock } = this.#deps;
    const live = book.evse(number);
    if (live?.current === undefined || live.currentAt === undefined) return;
    const known = this.#arrivals.get(number);
    // The same sample again, or one of a past that the charger held back, says nothing of this moment.
    if (known?.toldAt === live.currentAt || Math.abs(clock.now() - live.currentAt) > REPLAYED) return;
    this.#arrivals.set(number, { current: live.current, at: this.#now(), toldAt: live.currentAt });
  }

  /** The grid operator allows something else now. */
  gridOperatorSpoke(): void {
    this.#planAfter(LEAST_BETWEEN_PLANS);
  }

  ended(transaction: Transaction): void {
    this.#endedAt.set(transaction.evse, this.#now());
  }

  /** Set-up has put every EVSE of the station back to its fallback, with no regard to what is charging there. */
  limitsReset(station: StationId): void {
    for (const evse of this.#evses)
      if (evse.station === station) this.#state = reset(this.#network, this.#state, evse.number);
    this.wake();
  }

  /** Why every EVSE has what it has; undefined before the first plan. */
  get report(): BalancingReport | undefined {
    return this.#newestPlan?.report();
  }

  /** The last reading of each meter, whatever its age. */
  get readings(): ReadonlyMap<MeterId, MeterReading> {
    return this.#meters;
  }

  /** How circuits stand in the newest plan. */
  get circuits(): readonly CircuitReport[] | undefined {
    return this.#newestPlan?.circuits();
  }

  /** When the newest plan was made, by the monotonic clock; undefined before the first. */
  get plannedAt(): Milliseconds | undefined {
    return this.#newestPlan && milliseconds(this.#plannedAt);
  }

  /** What the site itself gives an EVSE, or all together, per phase now: the least breaker above it, and the grid operator's word. */
  get siteLimit(): (number?: EvseNumber) => Ampere {
    const limits = this.#newestPlan?.circuits().map(({ limit }) => limit);
    const { circuits, feeder, indexOf, outlets } = this.#network;
    const connections = feeder.flatMap((above, row) => (above < 0 ? [row] : []));
    return (number) => {
      const path = number === undefined ? connections : (outlets[indexOf.get(number) ?? -1]?.path ?? []);
      const on = (row: number): number => limits?.[row] ?? circuits[row]?.breaker ?? Infinity;
      return ampere(Math.min(Infinity, ...path.map(on)));
    };
  }

  /** Wall-clock time at the start, and steady from there: a clock that is set must not age a sample or stop a wait. */
  #now(): Timestamp {
    const { wall, monotonic } = this.#began;
    return timestamp(wall + (this.#deps.clock.monotonic() - monotonic));
  }

  #plan(): void {
    const { clock, profiles, gridOperator, log } = this.#deps;
    const now = this.#now();
    this.#plannedAt = clock.monotonic();
    const operator = gridOperator.inForce(profiles.caps());
    const result = plan(
      this.#network,
      this.#state,
      {
        evses: this.#evses.map((evse) => this.#observe(evse)),
        meters: this.#meters,
        caps: operator.caps,
        gridOperator: operator,
      },
      now,
      undefined,
      this.#newestPlan,
    );
    this.#state = result.state;
    this.#planTook = clock.monotonic() - this.#plannedAt;
    this.#newestPlan = result;
    for (const escalation of result.escalations) this.#escalate(escalation);
    if (result.commands.length > 0) {
      this.#send(result.commands).catch((err: unknown) => log.error({ err }, 'current limits could not be sent'));
    }
  }

  /** Once a second: what circuits have, for those who watch. */
  #tell(): void {
    const circuits = this.#newestPlan?.circuits();
    if (circuits === undefined) return;
    this.#noteCircuits(circuits);
    this.#noted = circuits;
    this.#deps.planned(circuits);
  }

  /**
   * A charger keeps its setpoint when the gateway dies, so what each may take is on disk before a raise goes out: the next
   * start of the gateway then counts no charger too low. Cuts never wait.
   */
  async #send(commands: readonly LimitCommand[]): Promise<void> {
    const { book, journal, log } = this.#deps;
    const offered = (command: LimitCommand): number => book.evse(command.evse)?.offered ?? Infinity;
    const cuts = commands.filter((command) => command.current <= offered(command));
    const raises = commands.filter((command) => command.current > offered(command));
    for (const command of commands) this.#newest.set(command.evse, command);
    for (const command of cuts) this.#execute(command);
    const value = [...ceilings(this.#network, this.#state)];
    const text = JSON.stringify(value);
    if (text !== this.#savedCeilings) {
      this.#savedCeilings = text;
      try {
        await journal.commit({ documents: [{ collection: COLLECTION, key: 'ceilings', value }] });
      } catch (err) {
        // Without the disk nobody is charged more; the running ones go on.
        this.#savedCeilings = undefined;
        log.error(
          { err, fault: FAULTS.journalUnavailable.code },
          'no current is raised while the journal cannot be written',
        );
        for (const raise of raises) {
          this.#state = failed(this.#network, this.#state, raise.evse, raise.current, 'Rejected', this.#now());
        }
        return;
      }
    }
    for (const raise of raises) if (this.#newest.get(raise.evse) === raise) this.#execute(raise);
  }

  #execute(command: LimitCommand): void {
    const { book, drivers, log } = this.#deps;
    const evse = book.describe(command.evse);
    const driver = evse === undefined ? undefined : drivers.get(evse.station);
    if (evse === undefined || driver === undefined) return;
    const transaction = book.evse(command.evse)?.transaction;
    driver
      .execute({
        type: 'setLimit',
        evse: command.evse,
        current: command.current,
        ...(transaction && { stationTransactionId: transaction.stationTransactionId }),
      })
      .then((outcome) => {
        const now = this.#now();
        if (outcome.status === 'Accepted') {
          this.#state = confirmed(this.#network, this.#state, command.evse, command.current, now);
          book.offered(command.evse, command.current);
        } else {
          this.#state = failed(this.#network, this.#state, command.evse, command.current, outcome.status, now);
          log.warn(
            {
              station: evse.station,
              evse: evse.number,
              fault: FAULTS.limitRefused.code,
              outcome: outcome.status,
              detail: outcome.detail,
            },
            'current limit not confirmed',
          );
        }
        this.wake();
      })
      .catch((err: unknown) => log.error({ err, evse: command.evse }, 'a station adapter failed'));
  }

  #observe(evse: Evse): EvseObservation {
    const { book, profiles } = this.#deps;
    const station = book.station(evse.station);
    const live = book.evse(evse.number);
    const transaction = live?.transaction;
    if (station?.connected === true) this.#known.add(evse.station);
    const connector = transaction && book.connector(evse.number, transaction.connector);
    const capabilities = station?.capabilities;
    const measured = this.#measured(evse.number, transaction);
    const startsAt = startingCurrent(evse, capabilities?.protocol, capabilities?.fallback ?? false);
    return {
      evse: evse.number,
      link: station?.connected === true ? 'connected' : this.#known.has(evse.station) ? 'lost' : 'unknown',
      wantsEnergy:
        transaction !== undefined &&
        (transaction.idToken !== undefined || transaction.orphan === true) &&
        transaction.deauthorized !== true &&
        !isUsedUp(transaction) &&
        transaction.chargingState !== 'Idle' &&
        connector?.reported !== 'Faulted',
      transactionOpen: transaction !== undefined,
      chargingState: transaction?.chargingState ?? 'Idle',
      priority: 0,
      ...upperBound(evse, transaction?.cableMaxCurrent, profiles.limit(evse.number, transaction)),
      ...(transaction && { activeSince: transaction.startedAt, energyServed: served(transaction) }),
      ...(measured && { measured }),
      ...(live?.saysItOffers && { offers: live.saysItOffers }),
      ...(startsAt !== undefined && { startsAt }),
      ...(capabilities?.limitsPersisted === true && { raiseEvery: SPARE }),
      ...(capabilities?.fallbackAfter !== undefined && { fallbackAfter: milliseconds(capabilities.fallbackAfter) }),
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

  #escalate({ evse, type, measured, allowed }: Escalation): void {
    const { log, escalate } = this.#deps;
    log.error(
      { evse, fault: FAULTS.limitIgnored.code, step: type, measured, allowed },
      'the charger draws more than it was told',
    );
    if (type === 'stop' || type === 'inoperative') escalate(evse, type);
  }

  /** A meter that is lost or back, and a breaker above its rating, are told once. */
  #noteCircuits(circuits: readonly CircuitReport[]): void {
    const { log } = this.#deps;
    for (const circuit of circuits) {
      const before = this.#noted?.find((each) => each.circuit === circuit.circuit);
      if (circuit.meter !== before?.meter && (circuit.meter === 'lost' || before?.meter === 'lost')) {
        const lost = circuit.meter === 'lost';
        if (lost) log.warn({ circuit: circuit.circuit, fault: FAULTS.meterLost.code }, 'meter lost');
        else log.info({ circuit: circuit.circuit }, 'meter back');
      }
      const limited = (of: CircuitReport | undefined): number | undefined =>
        of?.limitedBy === 'gridOperator' ? of.limit : undefined;
      if (limited(circuit) !== limited(before)) {
        const limit = limited(circuit);
        if (limit === undefined) log.info({ circuit: circuit.circuit }, 'the grid operator limits the circuit no more');
        else log.info({ circuit: circuit.circuit, limit }, 'the grid operator limits the circuit');
      }
      const phases = (['L1', 'L2', 'L3'] as const).filter((phase) => circuit.breaker[phase] !== before?.breaker[phase]);
      for (const phase of phases) {
        const decision = circuit.breaker[phase];
        if (before !== undefined)
          log.warn({ circuit: circuit.circuit, phase, decision, fault: FAULTS.overload.code }, 'breaker load changed');
      }
    }
  }
}

/** The least of the hardware, the cable and the profiles, and which of them it is. */
function upperBound(
  evse: Evse,
  cable: number | undefined,
  bound: ProfileBound | undefined,
): Pick<EvseObservation, 'upperBound' | 'boundBy' | 'boundByProfile'> {
  const built = Math.min(evse.maxCurrent, cable ?? Infinity);
  if (bound !== undefined && bound.current < built)
    return { upperBound: bound.current, boundBy: profileName(bound.profile), boundByProfile: bound.profile };
  return { upperBound: ampere(built), boundBy: built < evse.maxCurrent ? 'the cable' : 'the hardware' };
}

/** What an EVSE offers a car that it has not been told about: its fail-safe default, where its setpoint ends with a transaction. */
function startingCurrent(evse: Evse, protocol: string | undefined, fallback: boolean): Ampere | undefined {
  if (protocol === 'modbus' || protocol === undefined) return undefined;
  return fallback ? evse.fallbackCurrent : evse.maxCurrent;
}

const served = (transaction: Transaction) =>
  wattHour(Math.max(0, (transaction.register ?? 0) - (transaction.meterStart ?? transaction.register ?? 0)));
