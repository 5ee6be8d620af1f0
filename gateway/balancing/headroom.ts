// How much current each circuit has left for its EVSEs, per phase: limit minus background, and what a missing meter does to that.
import type { Timestamp } from '../kernel/units.js';
import type { Circuit } from '../site/topology.js';
import type { MeterReading } from '../site/metering.js';
import { accountBreaker, type BreakerDecision } from './breaker.js';
import { currentsOn, LEGS, NOTHING, type Triple } from './conductors.js';
import type { Network } from './network.js';
import type { Snapshot } from './observation.js';
import type { BalancingSettings } from './settings.js';
import type { BalancingState, CircuitState } from './state.js';

export type MeterHealth = 'none' | 'live' | 'stale' | 'lost';

export interface Headroom {
  /** The lesser of breaker and grid operator's limit. */
  readonly limit: number;
  readonly limitedBy: 'breaker' | 'gridOperator';
  readonly meter: MeterHealth;
  readonly background: Triple;
  /** What EVSEs may take together; below 0 where the background alone is too much. */
  readonly slack: Triple;
  readonly breaker: readonly [BreakerDecision, BreakerDecision, BreakerDecision];
}

/** By circuit and leg, where there is a meter. */
export interface Sums {
  /** What its chargers measured and what is therefore not background. */
  readonly share: Float64Array;
  /** The same, with all that they may take for those of which nothing was measured lately. */
  readonly known: Float64Array;
  /** What its chargers may be taking of what the meter shows. */
  readonly most: Float64Array;
}

const HOLD: Headroom['breaker'] = ['hold', 'hold', 'hold'];
const triple = (of: (phase: 0 | 1 | 2) => number): Triple => [of(0), of(1), of(2)];
const tripleOf = (reading: MeterReading): Triple => [reading.current.L1, reading.current.L2, reading.current.L3];
const usable = (reading: MeterReading | undefined): reading is MeterReading =>
  reading !== undefined && tripleOf(reading).every(Number.isFinite);

function health(
  circuit: Circuit,
  of: CircuitState,
  now: Timestamp,
  share: Triple,
  settings: BalancingSettings,
): MeterHealth {
  if (circuit.meter === undefined) return 'none';
  if (of.readingAt === undefined) return 'lost';
  const age = Math.abs(now - of.readingAt);
  if (age >= settings.meterLost) return 'lost';
  if (age > 2 * settings.meterInterval) return 'stale';
  const still = of.unchanged;
  const frozen =
    still !== undefined &&
    now - still.since >= settings.meterFrozen &&
    still.share.some((before, phase) => Math.abs(before - (share[phase] ?? 0)) > 2);
  return frozen ? 'stale' : 'live';
}

/** Takes a new reading in: background by peak-hold, the thermal account, and whether the meter still moves. */
function withReading(
  of: CircuitState,
  reading: MeterReading,
  breaker: number,
  share: Triple,
  known: Triple,
  most: Triple,
  settings: BalancingSettings,
): CircuitState {
  const current = tripleOf(reading);
  const account = accountBreaker(of.heat, of.heatAt, current, breaker, reading.at);
  // Feed-in is not counted as room: a cloud would take it away faster than a car can follow.
  // Chargers are measured later than the meter: what it shows more may be a car that takes what it was just given. While
  // that explains it, the background is what it was.
  const before = of.baseline;
  const upper = triple((p) => Math.max(0, current[p] - share[p]));
  const baseline = triple((p) => {
    const lower = Math.max(0, current[p] - Math.max(share[p], most[p]));
    return before === undefined ? upper[p] : Math.min(upper[p], Math.max(lower, before[p]));
  });
  // No plan lets cars take a circuit above its breaker: while it is, nothing is put down to cars that were not seen to take
  // it lately, but for those that are not seen at all. Who is cut too much for that has it back when the peak is over.
  const overload = (p: 0 | 1 | 2): number => Math.max(baseline[p], current[p] - known[p]);
  const sample = { at: reading.at, current: triple((p) => (current[p] > breaker ? overload(p) : baseline[p])) };
  const background = [...of.background.filter((old) => reading.at - old.at < settings.peakHold), sample];
  const held = triple((p) => background.reduce((most, one) => Math.max(most, one.current[p]), 0));
  const moved = of.unchanged?.current.some((before, phase) => before !== current[phase]) ?? true;
  const unchanged = moved || of.unchanged === undefined ? { since: reading.at, current, share } : of.unchanged;
  return {
    background,
    baseline,
    held,
    readingAt: reading.at,
    unchanged,
    heat: account.heat,
    heatAt: reading.at,
    breaker: account.decisions,
    ...(account.decisions.includes('shed') ? { shedSince: of.shedSince ?? reading.at } : {}),
  };
}

/** What a circuit's background is for its feeder: the same, or where a transformer lies between, at worst this. */
function upwards(network: Network, row: number, feeder: number, background: Triple): (phase: 0 | 1 | 2) => number {
  const own = network.circuits[row]?.primaryVoltage;
  const above = network.circuits[feeder]?.primaryVoltage;
  if (own !== undefined || above === undefined) return (phase) => background[phase];
  const ratio = above / network.nominal;
  return (phase) => (background[phase] + background[phase === 0 ? 1 : phase === 1 ? 2 : 0]) / ratio;
}

/**
 * The headroom of every circuit.
 */
export function headrooms(
  network: Network,
  state: BalancingState,
  snapshot: Snapshot,
  sums: Sums,
  now: Timestamp,
  settings: BalancingSettings,
): { readonly circuits: readonly CircuitState[]; readonly headrooms: readonly Headroom[] } {
  const circuits: CircuitState[] = [...state.circuits];
  const answer: Headroom[] = [];
  const below: Triple[] = network.circuits.map(() => NOTHING);
  for (let index = network.circuits.length - 1; index >= 0; index--) {
    const circuit = network.circuits[index];
    const before = circuits[index];
    const conductors = network.conductors[index];
    if (circuit === undefined || before === undefined || conductors === undefined) continue;
    const sumOf = (legs: Float64Array): Triple => currentsOn(conductors, legs, index * LEGS);
    const metered = circuit.meter !== undefined;
    const measured = metered ? sumOf(sums.share) : NOTHING;
    const reading = circuit.meter === undefined ? undefined : snapshot.meters.get(circuit.meter);
    const fresh = usable(reading) && reading.at !== before.readingAt;
    const of = fresh
      ? withReading(before, reading, circuit.breaker, measured, sumOf(sums.known), sumOf(sums.most), settings)
      : before;
    circuits[index] = of;
    const meter = health(circuit, of, now, measured, settings);
    const breaker = meter === 'live' || meter === 'stale' ? of.breaker : HOLD;
    const feeder = network.feeder[index] ?? -1;
    const limit = Math.min(circuit.breaker, snapshot.gridOperator?.limits.get(circuit.id) ?? Infinity);
    // What metered circuits below carry besides their chargers also flows through an unmetered feeder.
    const background = circuit.meter === undefined ? (below[index] ?? NOTHING) : of.held;
    const blind = meter === 'lost';
    // Without a word about that case: what the chargers could take without a gateway too.
    const blindly = blind && circuit.whenMeterLost === undefined ? sumOf(network.fallbacks) : undefined;
    const slack = triple((p) => {
      const open = limit - circuit.margin - background[p];
      const most = blind ? (circuit.whenMeterLost ?? blindly?.[p] ?? 0) : Infinity;
      if (breaker[p] === 'open') return 0;
      // The cuts that follow from the background take a moment to be measured; what is still too much then has no
      // explanation in the plan, and is taken from the EVSEs all the same.
      const unexplained = breaker[p] === 'shed' && now - (of.shedSince ?? now) >= settings.reactWithin;
      return Math.min(open, most) - (unexplained && usable(reading) ? Math.max(0, tripleOf(reading)[p] - limit) : 0);
    });
    answer[index] = {
      limit,
      limitedBy: limit < circuit.breaker ? 'gridOperator' : 'breaker',
      meter,
      background,
      slack,
      breaker,
    };
    const carried = below[feeder];
    if (carried !== undefined) {
      const through = upwards(network, index, feeder, background);
      below[feeder] = triple((p) => carried[p] + through(p));
    }
  }
  return { circuits, headrooms: answer };
}
