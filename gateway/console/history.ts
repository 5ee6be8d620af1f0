// What flowed at each EVSE and circuit in the last hours: rings of small numbers, filled every ten seconds.
import { timestamp, toRfc3339, type Timestamp } from '../kernel/units.js';
import type { CircuitHistory, CircuitSummary, EvseHistory, EvseSummary } from '../ports/console.js';
import { PHASES, type PerPhase } from '../site/topology.js';

export const STEP_s = 10;
/** Six hours. An EVSE with five columns takes 22 KB, once it has been used; a thousand 22 MB. */
const SAMPLES = (6 * 3600) / STEP_s;
const NOTHING = -32_768;
/** Currents in tenths of an ampere, power in tens of watts: what fits 16 bits on any site. */
const TENTHS = 10;
const PER_TEN_WATTS = 0.1;

class Ring {
  readonly #values: Int16Array;

  constructor(readonly columns: number) {
    this.#values = new Int16Array(columns * SAMPLES).fill(NOTHING);
  }

  set(at: number, column: number, value: number | undefined, scale: number): void {
    const scaled = value === undefined ? NOTHING : Math.max(-32_767, Math.min(32_767, Math.round(value * scale)));
    this.#values[column * SAMPLES + (at % SAMPLES)] = scaled;
  }

  /** @returns the column from sample `first` up to, but not, `end` */
  read(column: number, first: number, end: number, scale: number): (number | null)[] {
    const out: (number | null)[] = [];
    for (let at = first; at < end; at++) {
      const value = this.#values[column * SAMPLES + (at % SAMPLES)] ?? NOTHING;
      out.push(value === NOTHING ? null : value / scale);
    }
    return out;
  }
}

/** L1, L2, L3, the limit, and the power of an EVSE. */
const LIMIT = 3;
const POWER = 4;

/** What flows at this moment. */
export interface Flow {
  readonly evses: readonly Pick<EvseSummary, 'evse' | 'current_A' | 'limit_A' | 'power_W'>[];
  readonly circuits: readonly Pick<CircuitSummary, 'circuit' | 'standing'>[];
}

/** Samples from `first` up to, but not, `end`. */
interface Span {
  readonly first: number;
  readonly end: number;
  /** When the first was taken. */
  readonly from: string;
}

export class History {
  readonly #evses = new Map<number, Ring>();
  readonly #circuits = new Map<string, Ring>();
  /** Samples taken; the next is written at this place. */
  #taken = 0;
  #lastAt: Timestamp = timestamp(0);

  sample({ evses, circuits }: Flow, now: Timestamp): void {
    const at = this.#taken;
    for (const { evse, current_A: current, limit_A: limit, power_W: power } of evses) {
      // One that was never used takes no room.
      if (current === undefined && power === undefined && !this.#evses.has(evse)) continue;
      const ring = ringOf(this.#evses, evse, POWER + 1);
      setPhases(ring, at, current);
      ring.set(at, LIMIT, limit, TENTHS);
      ring.set(at, POWER, power, PER_TEN_WATTS);
    }
    for (const { circuit, standing } of circuits) {
      const ring = ringOf(this.#circuits, circuit, LIMIT + 1);
      setPhases(ring, at, standing?.current_A);
      ring.set(at, LIMIT, standing?.limit_A, TENTHS);
    }
    keepOnly(this.#evses, new Set(evses.map(({ evse }) => evse)));
    keepOnly(this.#circuits, new Set(circuits.map(({ circuit }) => circuit)));
    this.#taken += 1;
    this.#lastAt = now;
  }

  evse(evse: number, minutes: number): EvseHistory {
    const ring = this.#evses.get(evse) ?? new Ring(POWER + 1);
    const span = this.#span(minutes);
    return { evse, ...shared(ring, span), power_W: ring.read(POWER, span.first, span.end, PER_TEN_WATTS) };
  }

  circuit(circuit: string, breaker: number, minutes: number): CircuitHistory {
    const ring = this.#circuits.get(circuit) ?? new Ring(LIMIT + 1);
    return { circuit, breaker_A: breaker, ...shared(ring, this.#span(minutes)) };
  }

  #span(minutes: number): Span {
    const count = Math.min(this.#taken, SAMPLES, Math.round((minutes * 60) / STEP_s));
    const at = this.#lastAt - Math.max(0, count - 1) * STEP_s * 1000;
    return { first: this.#taken - count, end: this.#taken, from: toRfc3339(timestamp(at)) };
  }
}

/** What the site no longer has is forgotten: should it come back, those samples would pass for newer ones. */
function keepOnly<K>(rings: Map<K, Ring>, still: ReadonlySet<K>): void {
  for (const key of rings.keys()) if (!still.has(key)) rings.delete(key);
}

function ringOf<K>(rings: Map<K, Ring>, key: K, columns: number): Ring {
  const known = rings.get(key);
  if (known !== undefined) return known;
  const ring = new Ring(columns);
  rings.set(key, ring);
  return ring;
}

function setPhases(ring: Ring, at: number, current: PerPhase<number> | undefined): void {
  for (const [column, phase] of PHASES.entries()) ring.set(at, column, current?.[phase], TENTHS);
}

/** What EVSEs and circuits have in common. */
const shared = (ring: Ring, { first, end, from }: Span) => ({
  step_s: STEP_s,
  from,
  current_A: PHASES.map((_, column) => ring.read(column, first, end, TENTHS)),
  limit_A: ring.read(LIMIT, first, end, TENTHS),
});
