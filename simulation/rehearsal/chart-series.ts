// What the chart shows: the current of every circuit and phase in each of a few hundred parts of the evening, and its highest moments.
import type { CircuitId } from '../../gateway/kernel/ids.js';
import type { Milliseconds } from '../../gateway/kernel/units.js';
import { PHASES, type PerPhase, type Site } from '../../gateway/site/topology.js';
import type { CircuitState } from '../world.js';

/** As many as a screen has room for. */
const PARTS = 300;

export interface CircuitSeries {
  readonly circuit: CircuitId;
  /** Mean of each part, in A. */
  readonly current: PerPhase<Float64Array>;
  /** Highest moment of each part, on the worst phase. */
  readonly highest: Float64Array;
  /** Beside the chargers: mean of the three phases. */
  readonly building: Float64Array;
  /** The lowest that the gateway kept to. */
  readonly limit: Float64Array;
}

export class ChartSeries {
  readonly circuits: readonly CircuitSeries[];
  readonly plugged = new Float64Array(PARTS);
  readonly charging = new Float64Array(PARTS);
  readonly #mostBuilding = new Map<CircuitId, number>();
  readonly #samples = new Float64Array(PARTS);
  readonly #length: Milliseconds;
  readonly #series: ReadonlyMap<CircuitId, CircuitSeries>;

  constructor(site: Site, length: Milliseconds) {
    this.#length = length;
    this.circuits = site.circuits.map(({ id, breaker }) => ({
      circuit: id,
      current: { L1: new Float64Array(PARTS), L2: new Float64Array(PARTS), L3: new Float64Array(PARTS) },
      highest: new Float64Array(PARTS),
      building: new Float64Array(PARTS),
      limit: new Float64Array(PARTS).fill(breaker),
    }));
    this.#series = new Map(this.circuits.map((series) => [series.circuit, series]));
  }

  take(
    at: Milliseconds,
    circuits: readonly CircuitState[],
    cars: { readonly plugged: number; readonly charging: number },
  ): void {
    const part = this.#part(at);
    const samples = this.#samples[part] ?? 0;
    this.#samples[part] = samples + 1;
    for (const { circuit, current, charging } of circuits) {
      const series = this.#series.get(circuit.id);
      if (series === undefined) continue;
      for (const phase of PHASES) {
        const mean = series.current[phase];
        mean[part] = ((mean[part] ?? 0) * samples + current[phase]) / (samples + 1);
        raise(series.highest, part, current[phase]);
      }
      const building = PHASES.map((phase) => current[phase] - charging[phase]);
      const mean = building.reduce((sum, each) => sum + each / PHASES.length, 0);
      series.building[part] = ((series.building[part] ?? 0) * samples + mean) / (samples + 1);
      this.#mostBuilding.set(circuit.id, Math.max(this.highestBuilding(circuit.id), ...building));
    }
    raise(this.plugged, part, cars.plugged);
    raise(this.charging, part, cars.charging);
  }

  /** What the gateway keeps each circuit below now. */
  takeLimits(at: Milliseconds, limits: ReadonlyMap<CircuitId, number>): void {
    const part = this.#part(at);
    for (const { circuit, limit } of this.circuits)
      limit[part] = Math.min(limit[part] ?? Infinity, limits.get(circuit) ?? Infinity);
  }

  #part(at: Milliseconds): number {
    return Math.min(PARTS - 1, Math.floor((at / this.#length) * PARTS));
  }

  /** The most that was beside the chargers at any moment, on the worst phase. */
  highestBuilding(circuit: CircuitId): number {
    return this.#mostBuilding.get(circuit) ?? 0;
  }

  busiest(): { readonly mostPlugged: number; readonly mostCharging: number } {
    return { mostPlugged: Math.max(0, ...this.plugged), mostCharging: Math.max(0, ...this.charging) };
  }
}

function raise(series: Float64Array, part: number, value: number): void {
  if (value > (series[part] ?? 0)) series[part] = value;
}
