// Carries out the steps of commissioning on the running site: looks once a second, bounds the EVSE that is tried, keeps what came of it.
import { advance, type Run } from '../commissioning/advance.js';
import {
  STEPS,
  type Conductors,
  type Result,
  type Sample,
  type Seen,
  type Silence,
  type Starved,
  type Step,
} from '../commissioning/step.js';
import type { BalancingReport } from '../balancing/report.js';
import type { CancelTimer, Clock } from '../kernel/clock.js';
import { FAULTS } from '../kernel/faults.js';
import { stationId, type CircuitId, type EvseNumber, type MeterId, type StationId } from '../kernel/ids.js';
import type { Log } from '../kernel/log.js';
import { ampere, seconds, timestamp, type Ampere, type Milliseconds, type Timestamp } from '../kernel/units.js';
import type { CommissioningState, NotDone } from '../ports/commissioning.js';
import type { Journal } from '../ports/journal.js';
import type { StationDriver } from '../ports/station.js';
import type { MeterReading } from '../site/metering.js';
import type { SiteBook } from '../site/site-book.js';
import type { Evse, Phase, Site, Station } from '../site/topology.js';

const COLLECTION = 'commissioning';
const LOOK = seconds(1);
/** A link that is lost for a moment is no charger that does not answer. */
const GONE_AFTER = seconds(20);

/** How a step ended, as it is kept. */
export interface KeptResult {
  readonly step: Step;
  readonly evse?: number;
  readonly state: CommissioningState;
  readonly detail: string;
  readonly at: Timestamp;
  readonly by: string;
}

export interface CommissioningDependencies {
  readonly site: Site;
  readonly book: SiteBook;
  readonly drivers: ReadonlyMap<StationId, StationDriver>;
  readonly steering: {
    readonly readings: ReadonlyMap<MeterId, MeterReading>;
    readonly report: BalancingReport | undefined;
    wake(): void;
  };
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Log;
}

interface Running {
  readonly station: Station;
  readonly evse: Evse;
  readonly by: string;
  run: Run;
  /** Nobody else gets more than this while it is to be steady. */
  readonly others: ReadonlyMap<EvseNumber, Ampere>;
  steady: boolean;
  bound: number | undefined;
  starving: boolean;
  starved: Starved | undefined;
  /** When the charger was last there. */
  thereAt: Milliseconds | undefined;
  readonly arrivals: { draws: Arrival | undefined; meter: Arrival | undefined };
}

/** A value and what tells it from the one before. */
interface Arrival extends Sample {
  readonly told: unknown;
}

/**
 * Everything that it wants of the site is in memory and an upper bound: when the process is gone, nothing of it is left, and load
 * balancing keeps every breaker while it runs.
 */
export class Commissioning {
  readonly #deps: CommissioningDependencies;
  readonly #results: Map<StationId, readonly KeptResult[]>;
  #running: Running | undefined;
  #timer: CancelTimer = () => undefined;

  private constructor(deps: CommissioningDependencies, results: Map<StationId, readonly KeptResult[]>) {
    this.#deps = deps;
    this.#results = results;
  }

  static async open(deps: CommissioningDependencies): Promise<Commissioning> {
    const results = new Map<StationId, readonly KeptResult[]>();
    // Of stations that the site does not have, too: another site.yaml may bring them back.
    for (const [id, value] of await deps.journal.load(COLLECTION))
      if (Array.isArray(value)) results.set(stationId(id), value as KeptResult[]);
    return new Commissioning(deps, results);
  }

  stop(): void {
    this.#timer();
  }

  /** What an EVSE gets at most; undefined: as load balancing wants. */
  bound(evse: EvseNumber): Ampere | undefined {
    const running = this.#running;
    if (running === undefined) return undefined;
    if (evse === running.evse.number) return running.bound === undefined ? undefined : ampere(running.bound);
    return running.steady ? running.others.get(evse) : undefined;
  }

  results(station: StationId): readonly KeptResult[] {
    return this.#results.get(station) ?? [];
  }

  get running():
    | { readonly station: StationId; readonly evse: EvseNumber; readonly step: Step; readonly by: string }
    | undefined {
    const running = this.#running;
    return (
      running && { station: running.station.id, evse: running.evse.number, step: running.run.step, by: running.by }
    );
  }

  begin(stationName: string, stepName: string, number: number | undefined, by: string): NotDone | undefined {
    const { site, clock, steering, book } = this.#deps;
    const station = site.stations.find(({ id }) => id === stationName);
    const step = STEPS.find((each) => each === stepName);
    if (station === undefined)
      return { status: 404, error: `there is no station ${stationName}`, action: 'forecourt status lists them' };
    if (step === undefined)
      return { status: 404, error: `there is no step ${stepName}`, action: `the steps are ${STEPS.join(', ')}` };
    const evse =
      number === undefined ? this.#likeliest(station, step) : station.evses.find((each) => each.number === number);
    if (evse === undefined)
      return { status: 404, error: `station ${stationName} has no EVSE ${number}`, action: 'look at site.yaml' };
    if (this.#running !== undefined)
      return {
        status: 409,
        error: `${this.#running.run.step} of ${this.#running.station.id} is running`,
        action: 'wait until it is over, or cancel it: one charger is moved at a time',
      };
    const others = new Map(
      (steering.report?.evses ?? []).flatMap(({ evse: other, sent = 0 }): [EvseNumber, Ampere][] => {
        const charges = book.evse(other)?.transaction !== undefined;
        return other === evse.number || !charges || sent <= 0 ? [] : [[other, ampere(sent)]];
      }),
    );
    this.#running = {
      station,
      evse,
      by,
      run: { step },
      others,
      steady: false,
      bound: undefined,
      starving: false,
      starved: undefined,
      thereAt: undefined,
      arrivals: { draws: undefined, meter: undefined },
    };
    this.#timer = clock.every(LOOK, () => this.#look());
    this.#look();
    return undefined;
  }

  cancel(stationName: string): NotDone | undefined {
    const running = this.#running;
    if (running?.station.id !== stationName)
      return { status: 409, error: `nothing runs at ${stationName}`, action: 'forecourt commission shows what does' };
    this.#letGo(running);
    return undefined;
  }

  #look(): void {
    const running = this.#running;
    if (running === undefined) return;
    const { clock, steering } = this.#deps;
    const moment = advance(running.run, this.#seen(running), clock.monotonic());
    if ('end' in moment) return this.#end(running, moment.end);
    running.run = moment.run;
    const { bound, steady = false, starve } = moment;
    if (starve !== undefined) this.#starve(running, starve);
    if (bound === running.bound && steady === running.steady) return;
    running.bound = bound;
    running.steady = steady;
    steering.wake();
  }

  #starve(running: Running, during: Milliseconds): void {
    const { drivers, log } = this.#deps;
    running.starving = true;
    drivers
      .get(running.station.id)
      ?.watchdog?.starve(running.evse.number, during)
      .then(
        (outcome) => {
          running.starving = false;
          running.starved = outcome;
        },
        (err: unknown) => log.error({ err }, 'a charger could not be left alone'),
      );
  }

  #end(running: Running, { state, detail }: Result): void {
    const { site, journal, clock, log } = this.#deps;
    this.#letGo(running);
    const { station, evse, by, run } = running;
    const of = run.step === 'communication' ? {} : { evse: evse.number };
    const result: KeptResult = { step: run.step, ...of, state, detail, at: timestamp(clock.now()), by };
    const before = this.results(station.id).filter((each) => each.step !== run.step || each.evse !== result.evse);
    const value = [...before, result];
    this.#results.set(station.id, value);
    log.info(
      { station: station.id, ...of, step: run.step, state, detail, site: site.id },
      'commissioning step is over',
    );
    journal
      .commit({ documents: [{ collection: COLLECTION, key: station.id, value }] })
      .catch((err: unknown) =>
        log.error({ err, fault: FAULTS.journalUnavailable.code }, 'the result of commissioning could not be kept'),
      );
  }

  /** As load balancing wants, at once. */
  #letGo(running: Running): void {
    this.#timer();
    this.#running = undefined;
    if (running.starving) this.#deps.drivers.get(running.station.id)?.watchdog?.feed();
    this.#deps.steering.wake();
  }

  /** One that charges and has not passed, else one that has not passed. */
  #likeliest({ id, evses }: Station, step: Step): Evse | undefined {
    const passed = (evse: Evse): boolean =>
      this.results(id).some((each) => each.step === step && each.evse === evse.number && each.state === 'passed');
    const charges = (evse: Evse): boolean => this.#deps.book.evse(evse.number)?.transaction !== undefined;
    const open = evses.filter((evse) => !passed(evse));
    return open.find(charges) ?? evses.find(charges) ?? open[0] ?? evses[0];
  }

  #seen(running: Running): Seen {
    const { book, clock, drivers } = this.#deps;
    const { station, evse, arrivals } = running;
    const live = book.station(station.id);
    const now = clock.monotonic();
    if (live?.connected === true) running.thereAt = now;
    const place = book.evse(evse.number);
    const transaction = place?.transaction;
    const faulted = evse.connectors
      .map(({ number }) => book.connector(evse.number, number))
      .find((connector) => connector?.reported === 'Faulted');
    if (place?.current !== undefined && place.currentAt !== undefined) {
      const { current } = place;
      const on = (i: number): number => {
        const phase: Phase | undefined = evse.phases[i];
        return phase === undefined ? 0 : current[phase];
      };
      arrivals.draws = this.#arrived(arrivals.draws, place.currentAt, [on(0), on(1), on(2)]);
    }
    const meter = this.#meterAbove(evse);
    if (meter !== undefined) {
      const { L1, L2, L3 } = meter.current;
      arrivals.meter = this.#arrived(arrivals.meter, meter.at, [L1, L2, L3]);
    }
    const { vendor, model, serialNumber, firmwareVersion } = live?.inventory ?? {};
    const inventory = [vendor, model, serialNumber, firmwareVersion].filter((text) => text !== undefined).join(', ');
    return {
      connected: running.thereAt !== undefined && now - running.thereAt <= GONE_AFTER,
      ...(inventory !== '' && { inventory }),
      ...(faulted !== undefined && { faulted: faulted.error?.info ?? faulted.error?.code ?? 'Faulted' }),
      charging: transaction !== undefined && transaction.deauthorized !== true,
      ...(place?.offered !== undefined && { offered: place.offered }),
      ...(arrivals.draws && { draws: arrivals.draws }),
      ...(meter && arrivals.meter && { meter: { ...arrivals.meter, name: meter.meter } }),
      minimum: evse.minCurrent,
      fallback: evse.fallbackCurrent,
      wired: evse.phases,
      rotationKnown: evse.rotationKnown,
      lineToLine: evse.lineToLine === true,
      silence: silenceOf(drivers.get(station.id), live?.capabilities?.fallback === true),
      ...(running.starved && { starved: running.starved }),
    };
  }

  #arrived(before: Arrival | undefined, told: unknown, current: Conductors): Arrival {
    return before !== undefined && before.told === told ? before : { told, current, at: this.#deps.clock.monotonic() };
  }

  /** The newest reading of the nearest meter above, on this side of a transformer. */
  #meterAbove(evse: Evse): MeterReading | undefined {
    const { site, steering } = this.#deps;
    const above = (id: CircuitId | undefined): MeterReading | undefined => {
      const circuit = site.circuits.find((each) => each.id === id);
      if (circuit === undefined || circuit.primaryVoltage !== undefined) return undefined;
      return circuit.meter === undefined ? above(circuit.fedBy) : steering.readings.get(circuit.meter);
    };
    return above(evse.circuit);
  }
}

function silenceOf(driver: StationDriver | undefined, confirmed: boolean): Silence {
  const watchdog = driver?.watchdog;
  if (watchdog === undefined) return { kind: 'default-profile', confirmed };
  const { after, note } = watchdog;
  if (after === 'unknown') return { kind: 'unknown' };
  return after === undefined ? { kind: 'keeps-its-limit', note } : { kind: 'falls-back', after };
}
