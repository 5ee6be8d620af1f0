// Carries out what load balancing plans: once a second and after every event, decreases and increases as they are released.
import type { CancelTimer, Clock } from '../kernel/clock.js';
import { FAULTS } from '../kernel/faults.js';
import type { EvseNumber, MeterId, StationId } from '../kernel/ids.js';
import type { Log } from '../kernel/log.js';
import { steadyTime } from '../kernel/steady-time.js';
import { ampere, milliseconds, seconds, type Ampere, type Milliseconds, type Timestamp } from '../kernel/units.js';
import { plan, type Plan } from '../balancing/balancer.js';
import { carriedOver } from '../balancing/carry-over.js';
import { ceilings, confirmed, failed, reset, withdrawn } from '../balancing/commit.js';
import { networkOf, type Network } from '../balancing/network.js';
import type { GridOperatorLimits, SharedCap } from '../balancing/observation.js';
import type { LimitCommand } from '../balancing/release.js';
import type { BalancingReport, CircuitReport } from '../balancing/report.js';
import type { Escalation } from '../balancing/standing.js';
import { initialBalancing, type BalancingState } from '../balancing/state.js';
import type { Journal } from '../ports/journal.js';
import type { StationDriver } from '../ports/station.js';
import type { MeterReading } from '../site/metering.js';
import type { SiteBook } from '../site/site-book.js';
import { isSameEvse } from '../site/site-change.js';
import type { CommandOutcome } from '../site/station-command.js';
import type { Site } from '../site/topology.js';
import type { Transaction } from '../site/transaction.js';
import type { CarNeeds } from './car-needs.js';
import { Observations, type ProfileBounds } from './observations.js';
import { rememberedCeilings, Setpoints } from './setpoints.js';

const TICK = seconds(1);
/** What may ask for a cut (a meter, the grid operator) waits no longer than this for the plan before. */
const LEAST_BEFORE_A_CUT = milliseconds(10);
/** Events that come in bursts (a sample of every charger, a power failure) share a plan. */
const LEAST_BETWEEN_PLANS = milliseconds(50);
/** On a large site plans take milliseconds: they leave chargers at least this many times as long as the last one took. */
const REST_FOR_EACH_PLAN = 10;
/** So many are remembered. */
const REACTIONS = 1000;

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
  readonly needs: Pick<CarNeeds, 'of'>;
  readonly priorityOf: (transaction: Transaction) => number | undefined;
  /** What an EVSE gets at most while it is being tried out. */
  readonly trialBound: (evse: EvseNumber) => Ampere | undefined;
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
  #network: Network;
  readonly #meters = new Map<MeterId, MeterReading>();
  readonly #observations: Observations;
  readonly #setpoints: Setpoints;
  #state: BalancingState;
  #newestPlan: Plan | undefined;
  #noted: readonly CircuitReport[] | undefined;
  #timer: CancelTimer | undefined;
  #wake: CancelTimer | undefined;
  #wakeAt = 0;
  #plannedAt = -Infinity;
  /** How long the last plan took. */
  #planTook = 0;
  #stopped = false;
  /** The oldest sample of a meter that no plan has seen yet, by the monotonic clock. */
  #sampledAt: Milliseconds | undefined;
  /** From such a sample until the cuts of the plan on it were sent, the newest last. */
  readonly #reactions: Milliseconds[] = [];
  /** A clock that is set must not age a sample or stop a wait. */
  readonly #now: () => Timestamp;

  private constructor(deps: SteeringDependencies, remembered: ReadonlyMap<EvseNumber, number>) {
    const { clock, site } = deps;
    this.#deps = deps;
    this.#network = networkOf(site);
    this.#now = steadyTime(clock);
    this.#state = initialBalancing(this.#network, this.#now(), remembered);
    this.#observations = new Observations({ ...deps, now: this.#now });
    this.#setpoints = new Setpoints(
      {
        ...deps,
        ended: (command, outcome) => this.#ended(command, outcome),
        withdrawn: ({ evse, current, phases }) => {
          this.#state = withdrawn(this.#network, this.#state, evse, current, phases);
        },
      },
      remembered,
    );
  }

  static async open(deps: SteeringDependencies): Promise<Steering> {
    return new Steering(deps, await rememberedCeilings(deps.journal));
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
    this.#sampledAt ??= this.#deps.clock.monotonic();
    // A fuse may ask for a cut: that rests for no plan.
    this.#planAfter(LEAST_BEFORE_A_CUT);
  }

  /** An EVSE has told what it draws, at this moment. */
  measured(number: EvseNumber): void {
    this.#observations.measured(number);
  }

  /** The grid operator allows something else now. */
  gridOperatorSpoke(): void {
    this.#planAfter(LEAST_BEFORE_A_CUT);
  }

  ended(transaction: Transaction): void {
    this.#observations.ended(transaction);
  }

  /** Set-up has put every EVSE of the station back to its fallback, with no regard to what is charging there. */
  limitsReset(station: StationId): void {
    for (const { evse } of this.#network.outlets)
      if (evse.station === station) this.#state = reset(this.#network, this.#state, evse.number);
    this.wake();
  }

  /**
   * The site is another one: what is known goes on, and a plan is made at once.
   * @param renewed meters that another device may answer for now
   */
  reconfigured(renewed: ReadonlySet<MeterId>): void {
    const { site } = this.#deps;
    const network = networkOf(site);
    this.#state = carriedOver(this.#network, this.#state, network, renewed, this.#now());
    for (const { evse } of this.#network.outlets) {
      const now = network.outlets[network.indexOf.get(evse.number) ?? -1]?.evse;
      if (!isSameEvse(evse, now)) this.#observations.forget(evse.number);
    }
    this.#network = network;
    for (const meter of renewed) this.#meters.delete(meter);
    // It speaks of another network.
    this.#newestPlan = undefined;
    if (this.#timer !== undefined && !this.#stopped) this.#plan();
  }

  /** The car at this EVSE waits for a limit: it is sent, even the same as before. */
  needed(evse: EvseNumber): void {
    this.#state = reset(this.#network, this.#state, evse);
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

  /** Of the last plans that cut somebody: how long before that the sample came on which they were made. */
  get reactions(): readonly Milliseconds[] {
    return this.#reactions;
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

  #plan(): void {
    const { clock, profiles, gridOperator } = this.#deps;
    const now = this.#now();
    this.#plannedAt = clock.monotonic();
    const operator = gridOperator.inForce(profiles.caps());
    const result = plan(
      this.#network,
      this.#state,
      {
        evses: this.#network.outlets.map(({ evse }) => this.#observations.observe(evse)),
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
    const sampledAt = this.#sampledAt;
    this.#sampledAt = undefined;
    if (result.commands.length === 0) return;
    this.#setpoints.send(result.commands, ceilings(this.#network, this.#state));
    const { book } = this.#deps;
    const cuts = result.commands.some(({ evse, current }) => current < (book.evse(evse)?.offered ?? 0));
    if (sampledAt === undefined || !cuts) return;
    this.#reactions.push(milliseconds(clock.monotonic() - sampledAt));
    if (this.#reactions.length > REACTIONS) this.#reactions.shift();
  }

  #ended({ evse, current, phases }: LimitCommand, { status, detail }: CommandOutcome): void {
    const { book, log } = this.#deps;
    const now = this.#now();
    if (status === 'Accepted') {
      const before = this.#state;
      this.#state = confirmed(this.#network, before, evse, current, now, phases);
      // A late answer may be to a setpoint that has long given way to another.
      if (this.#state !== before) book.offered(evse, current);
    } else {
      this.#state = failed(this.#network, this.#state, evse, current, status, now, phases);
      const fault = FAULTS.limitRefused.code;
      const station = book.describe(evse)?.station;
      log.warn({ ...(station && { station }), evse, fault, outcome: status, detail }, 'current limit not confirmed');
    }
    this.wake();
  }

  /** Once a second: what circuits have, for those who watch. */
  #tell(): void {
    const circuits = this.#newestPlan?.circuits();
    if (circuits === undefined) return;
    this.#noteCircuits(circuits);
    this.#noted = circuits;
    this.#deps.planned(circuits);
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
