// The physics of a site: steps every EVSE, adds up the true current of every circuit, and keeps account of each breaker.
import type { CancelTimer, Clock } from '../gateway/kernel/clock.js';
import type { CircuitId, EvseNumber } from '../gateway/kernel/ids.js';
import { ampere, milliseconds, wattHour, type Ampere, type Milliseconds } from '../gateway/kernel/units.js';
import {
  perPhase,
  PHASES,
  type Circuit,
  type Evse,
  type PerPhase,
  type Phase,
  type Site,
} from '../gateway/site/topology.js';
import { NO_LOAD, type Load } from './building-load.js';
import { EvseHardware } from './evse.js';

/** How often the hardware moves, in clock time. */
const STEP = milliseconds(200);

export interface CircuitState {
  readonly circuit: Circuit;
  /** True current now, chargers and building. */
  readonly current: PerPhase<Ampere>;
  /** The chargers' part of it. */
  readonly charging: PerPhase<Ampere>;
  readonly highest: PerPhase<Ampere>;
  /** The most that one unbroken overload has put on a breaker: ampere seconds above its rating. */
  readonly worstOverload: number;
}

export interface WorldEvse {
  readonly evse: Evse;
  readonly hardware: EvseHardware;
}

interface Account {
  current: PerPhase<Ampere>;
  charging: PerPhase<Ampere>;
  highest: PerPhase<Ampere>;
  running: Record<Phase, number>;
  worst: number;
}

const nothing = (): PerPhase<Ampere> => perPhase(() => ampere(0));

export class World {
  readonly evses: ReadonlyMap<EvseNumber, WorldEvse>;
  readonly #accounts = new Map<CircuitId, Account>();
  readonly #listeners: ((elapsed: Milliseconds) => void)[] = [];
  #cancel: CancelTimer | undefined;
  #last: Milliseconds | undefined;

  /**
   * @param loads what hangs on a circuit beside the chargers and the circuits it feeds
   * @param firstRegister energy that the meter of an EVSE begins with, in Wh
   */
  constructor(
    readonly site: Site,
    readonly clock: Clock,
    readonly loads: ReadonlyMap<CircuitId, Load>,
    firstRegister: (evse: Evse) => number,
  ) {
    const evses = site.stations.flatMap((station) => station.evses);
    this.evses = new Map(
      evses.map((evse) => {
        const conductors = evse.phases.length as 1 | 2 | 3;
        const register = wattHour(firstRegister(evse));
        return [
          evse.number,
          {
            evse,
            hardware: new EvseHardware(evse.stationEvse, evse.maxCurrent, conductors, site.nominalVoltage, register),
          },
        ];
      }),
    );
    for (const { id } of site.circuits) {
      this.#accounts.set(id, {
        current: nothing(),
        charging: nothing(),
        highest: nothing(),
        running: { L1: 0, L2: 0, L3: 0 },
        worst: 0,
      });
    }
  }

  /** Called after each step: slaves copy the new values into their registers. */
  onStep(listener: (elapsed: Milliseconds) => void): void {
    this.#listeners.push(listener);
  }

  start(): void {
    this.#last = this.clock.monotonic();
    this.#cancel = this.clock.every(STEP, () => this.#tick());
  }

  stop(): void {
    this.#cancel?.();
  }

  evse(number: EvseNumber): WorldEvse {
    const found = this.evses.get(number);
    if (found === undefined) throw new Error(`no EVSE ${number}`);
    return found;
  }

  /** True current of one EVSE on the phases of the grid. */
  currentOf(number: EvseNumber): PerPhase<Ampere> {
    const { evse, hardware } = this.evse(number);
    return perPhase((phase) => ampere(hardware.currents[evse.phases.indexOf(phase) as 0 | 1 | 2] ?? 0));
  }

  circuits(): readonly CircuitState[] {
    return this.site.circuits.flatMap((circuit) => {
      const account = this.#accounts.get(circuit.id);
      if (account === undefined) return [];
      const { current, charging, highest, worst } = account;
      return [{ circuit, current, charging, highest, worstOverload: worst }];
    });
  }

  /** Lets `elapsed` pass for everything at once. */
  step(elapsed: Milliseconds): void {
    for (const { hardware } of this.evses.values()) hardware.step(elapsed);
    // Feeders come before what they feed: from the last to the first, every circuit is complete when it is added to its feeder.
    const { circuits } = this.site;
    const sums = new Map(circuits.map(({ id }) => [id, this.#own(id)]));
    for (const circuit of [...circuits].reverse()) {
      const sum = sums.get(circuit.id);
      const feeder = circuit.fedBy === undefined ? undefined : sums.get(circuit.fedBy);
      if (sum === undefined) continue;
      this.#book(circuit, sum, elapsed);
      for (const phase of feeder === undefined ? [] : PHASES) {
        if (feeder === undefined) continue;
        feeder.current[phase] += sum.current[phase];
        feeder.charging[phase] += sum.charging[phase];
      }
    }
    for (const listener of this.#listeners) listener(elapsed);
  }

  #tick(): void {
    const now = this.clock.monotonic();
    const elapsed = now - (this.#last ?? now);
    this.#last = now;
    // A process that was held up makes the time good in small steps, so that cars ramp as they would have.
    for (let rest = elapsed; rest > 0; rest -= STEP) this.step(milliseconds(Math.min(rest, STEP)));
  }

  #own(circuit: CircuitId): { current: Record<Phase, number>; charging: Record<Phase, number> } {
    const load = (this.loads.get(circuit) ?? NO_LOAD)(this.clock.now());
    const sum = { current: { ...load }, charging: { ...nothing() } } as Record<
      'current' | 'charging',
      Record<Phase, number>
    >;
    for (const [number, { evse }] of this.evses) {
      if (evse.circuit !== circuit) continue;
      const drawn = this.currentOf(number);
      for (const phase of PHASES) {
        sum.current[phase] += drawn[phase];
        sum.charging[phase] += drawn[phase];
      }
    }
    return sum;
  }

  #book(
    circuit: Circuit,
    sum: { readonly current: Record<Phase, number>; readonly charging: Record<Phase, number> },
    elapsed: Milliseconds,
  ): void {
    const account = this.#accounts.get(circuit.id);
    if (account === undefined) return;
    account.current = perPhase((phase) => ampere(sum.current[phase]));
    account.charging = perPhase((phase) => ampere(sum.charging[phase]));
    account.highest = perPhase((phase) => ampere(Math.max(account.highest[phase], sum.current[phase])));
    for (const phase of PHASES) {
      const excess = sum.current[phase] - circuit.breaker;
      account.running[phase] = excess > 0 ? account.running[phase] + (excess * elapsed) / 1000 : 0;
      account.worst = Math.max(account.worst, account.running[phase]);
    }
  }
}
