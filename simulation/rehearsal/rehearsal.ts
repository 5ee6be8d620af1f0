// One evening on a site: cars come, park, charge and leave; every second all currents are added up and judged.
import { milliseconds, seconds, timestamp, watt, type Milliseconds, type Watt } from '../../gateway/kernel/units.js';
import { meterId, type CircuitId, type EvseNumber, type StationId } from '../../gateway/kernel/ids.js';
import type { MeterHost, StationHost } from '../../gateway/ports/station.js';
import {
  isDirectCurrent,
  perPhase,
  PHASES,
  type Circuit,
  type PerPhase,
  type Site,
} from '../../gateway/site/topology.js';
import type { Load } from '../building-load.js';
import type { EvseHardware } from '../evse.js';
import { seededRandom } from '../random.js';
import { World } from '../world.js';
import { BreakerAccount } from './breaker-account.js';
import { ChartSeries } from './chart-series.js';
import { InstantClock } from './instant-clock.js';
import type { OperatorLimit, PlannedCar } from './planned-car.js';
import { PortCharger } from './port-charger.js';
import { evseCounts, type CircuitResult, type RehearsalReport } from './report.js';
import { VisitAccount, type Hindrance } from './visit-account.js';

const STEP = seconds(1);
/** How often it is asked why cars do not get more. */
const LOOK = seconds(5);
/** How often the grid operator says what he allows. */
const OPERATOR_SPEAKS = seconds(30);
/** The gateway is on for so long before the evening begins: chargers are known and the building is measured. */
export const WARM_UP = seconds(180);
/** From a command to a charger's answer: the fastest and the slowest, in ms. */
const ANSWERS = [200, 900] as const;

/** The gateway, as far as the evening has to do with it. */
export interface GatewayOnTrial {
  readonly stations: StationHost;
  readonly meters: MeterHost;
  /** Why an EVSE has no more than it has; undefined where nothing holds it back. */
  hindrance(evse: EvseNumber): Hindrance | undefined;
  /** The grid operator speaks: a limit in W for the circuit that site.yaml names, or none. */
  operator(power: Watt | undefined): void;
  /** What the gateway keeps each circuit below now, in A: its breaker, or the grid operator's limit. */
  limits(): ReadonlyMap<CircuitId, number>;
}

export interface RehearsalPlan {
  readonly site: Site;
  readonly cars: readonly PlannedCar[];
  readonly loads: ReadonlyMap<CircuitId, Load>;
  readonly operatorLimits: readonly OperatorLimit[];
  /** Beginning of the evening as milliseconds since 1970; hours of the day are those of UTC. */
  readonly begins: number;
  readonly length: Milliseconds;
  readonly seed: number;
}

export class Rehearsal {
  readonly clock: InstantClock;
  readonly chargers: ReadonlyMap<StationId, PortCharger>;
  readonly chart: ChartSeries;
  readonly #plan: RehearsalPlan;
  readonly #world: World;
  readonly #visits: readonly VisitAccount[];
  readonly #breakers: ReadonlyMap<CircuitId, PerPhase<BreakerAccount>>;
  readonly #parked = new Map<EvseNumber, VisitAccount>();
  /** In the order of arrival. */
  #waiting: VisitAccount[] = [];
  #coming: VisitAccount[];
  #failure: Error | undefined;

  constructor(plan: RehearsalPlan) {
    const { site, begins, length, loads, cars, seed } = plan;
    const random = seededRandom(seed);
    this.#plan = plan;
    this.clock = new InstantClock(timestamp(begins - WARM_UP));
    this.#world = new World(site, this.clock, loads, () => 0);
    this.#visits = cars.map((car) => new VisitAccount(car));
    this.#coming = [...this.#visits].sort((a, b) => a.plan.arrival - b.plan.arrival);
    this.chart = new ChartSeries(site, length);
    this.#breakers = new Map(site.circuits.map(({ id, breaker }) => [id, perBreaker(breaker)]));
    this.chargers = new Map(
      site.stations.map((station) => [
        station.id,
        new PortCharger(
          station,
          (evse) => this.#hardware(evse),
          this.clock,
          milliseconds(Math.round(random.between(...ANSWERS) / 100) * 100),
          (err) => (this.#failure ??= err instanceof Error ? err : new Error(String(err))),
        ),
      ]),
    );
  }

  /**
   * Runs the evening to its end.
   * @throws what the gateway failed with
   */
  async run(gateway: GatewayOnTrial): Promise<RehearsalReport> {
    let sampleFrom = 0;
    for (const charger of this.chargers.values()) {
      charger.connect(gateway.stations, milliseconds(100 * (sampleFrom++ % 100)));
    }
    this.#operator(gateway);
    this.clock.every(OPERATOR_SPEAKS, () => this.#operator(gateway));
    this.clock.every(STEP, () => this.#step(gateway));
    this.clock.every(LOOK, () => this.#look(gateway));
    const end = milliseconds(WARM_UP + this.#plan.length);
    await this.clock.runUntil(end);
    if (this.#failure !== undefined) throw this.#failure;
    return this.#report();
  }

  /** Milliseconds since the evening began. */
  get #now(): Milliseconds {
    return milliseconds(this.clock.monotonic() - WARM_UP);
  }

  #hardware(evse: EvseNumber): EvseHardware {
    return this.#world.evse(evse).hardware;
  }

  #step(gateway: GatewayOnTrial): void {
    const now = this.#now;
    if (now >= 0) this.#comeAndGo(now);
    this.#world.step(STEP);
    for (const [evse, visit] of this.#parked)
      visit.step(now, STEP, this.#hardware(evse), this.#plan.site.nominalVoltage);
    for (const charger of this.chargers.values()) charger.look();
    const circuits = this.#world.circuits();
    for (const { circuit, current } of circuits) {
      if (circuit.meter !== undefined)
        gateway.meters.reading({ meter: meterId(circuit.meter), at: this.clock.now(), current });
      if (now < 0) continue;
      for (const phase of PHASES) this.#breakers.get(circuit.id)?.[phase].take(current[phase], STEP);
    }
    if (now >= 0) this.chart.take(now, circuits, this.#counts());
  }

  #comeAndGo(now: Milliseconds): void {
    for (const [evse, visit] of this.#parked) {
      if (visit.plan.departure > now) continue;
      this.#charger(evse)?.unplug(evse);
      visit.left(now);
      this.#parked.delete(evse);
    }
    while (this.#coming[0] !== undefined && this.#coming[0].plan.arrival <= now) {
      const [next] = this.#coming.splice(0, 1);
      if (next !== undefined) this.#waiting.push(next);
    }
    this.#waiting = this.#waiting.filter((visit) => {
      const { arrival, departure, patience = Infinity } = visit.plan;
      if (departure <= now || now - arrival > patience) {
        visit.left(now);
        return false;
      }
      const evse = this.#placeFor(visit.plan);
      if (evse === undefined) return true;
      this.#parked.set(evse, visit);
      visit.plugged(evse, now);
      this.#charger(evse)?.plug(evse, visit.car, `CAR${this.#visits.indexOf(visit) + 1}`);
      return false;
    });
  }

  /** Its own place, or the first free one of its kind in the order of the numbers on the wall. */
  #placeFor({ evse, directCurrent }: PlannedCar): EvseNumber | undefined {
    if (evse !== undefined) return this.#parked.has(evse) ? undefined : evse;
    const free = [...this.#world.evses.values()]
      .filter(({ evse: { number } }) => !this.#parked.has(number))
      .sort((a, b) => a.evse.number - b.evse.number);
    return free.find((each) => isDirectCurrent(each.evse) === directCurrent)?.evse.number;
  }

  #charger(number: EvseNumber): PortCharger | undefined {
    return this.chargers.get(this.#world.evse(number).evse.station);
  }

  /** He is heard all the time; of several limits of one moment the lowest counts. */
  #operator(gateway: GatewayOnTrial): void {
    const now = this.#now;
    const limits = this.#plan.operatorLimits
      .filter(({ from, to }) => from <= now && now < to)
      .map(({ limit }) => limit);
    gateway.operator(limits.length === 0 ? undefined : watt(Math.min(...limits)));
  }

  #look(gateway: GatewayOnTrial): void {
    for (const [evse, visit] of this.#parked) visit.look(gateway.hindrance(evse), this.#hardware(evse), LOOK);
    if (this.#now >= 0) this.chart.takeLimits(this.#now, gateway.limits());
  }

  #counts(): { readonly plugged: number; readonly charging: number } {
    let charging = 0;
    for (const evse of this.#parked.keys()) if (this.#hardware(evse).charging) charging++;
    return { plugged: this.#parked.size, charging };
  }

  #report(): RehearsalReport {
    const { site, length, loads } = this.#plan;
    const cars = this.#visits.map((visit) => visit.report(length));
    const circuits = site.circuits.map((circuit): CircuitResult => this.#circuit(circuit, loads.has(circuit.id), cars));
    return {
      ok: circuits.every(({ phases }) => PHASES.every((phase) => phases[phase].outcome !== 'exceeded')),
      site: site.id,
      evses: evseCounts(site),
      circuits,
      cars,
      ...this.chart.busiest(),
    };
  }

  #circuit({ id, breaker, meter }: Circuit, loaded: boolean, cars: RehearsalReport['cars']): CircuitResult {
    const accounts = this.#breakers.get(id) ?? perBreaker(breaker);
    const here = cars.flatMap(({ name, because }) =>
      because.filter(({ circuit }) => circuit === id).map((each) => ({ ...each, name })),
    );
    const held = here.filter(({ gridOperator }) => gridOperator !== true);
    const sum = (of: typeof here): number => of.reduce((all, { energy_Wh: energy }) => all + energy, 0);
    return {
      circuit: id,
      breaker_A: breaker,
      metered: meter !== undefined,
      loaded,
      building_A: Math.round(this.chart.highestBuilding(id) * 10) / 10,
      phases: perPhase((phase) => ({
        peak_A: Math.round(accounts[phase].peak * 10) / 10,
        above_s: Math.round(accounts[phase].secondsAbove),
        outcome: accounts[phase].outcome,
      })),
      refused_Wh: sum(held),
      heldBack: new Set(held.map(({ name }) => name)).size,
      refusedByOperator_Wh: sum(here) - sum(held),
    };
  }
}

const perBreaker = (rating: Circuit['breaker']): PerPhase<BreakerAccount> => perPhase(() => new BreakerAccount(rating));
