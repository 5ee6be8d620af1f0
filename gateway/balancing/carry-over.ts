// What load balancing knows when site.yaml has changed under it: of chargers, breakers and meters that are still the same, all.
import type { MeterId } from '../kernel/ids.js';
import type { Timestamp } from '../kernel/units.js';
import { isSameEvse } from '../site/site-change.js';
import type { Circuit, Evse } from '../site/topology.js';
import type { Network } from './network.js';
import { initialBalancing, type BalancingState, type CircuitState, type EvseState } from './state.js';

/**
 * No charger is counted lower than it was, and none at less than it may take by the former file: it obeys that one until it
 * has been told otherwise.
 * @param renewed meters that another device may answer for now
 */
export function carriedOver(
  from: Network,
  state: BalancingState,
  to: Network,
  renewed: ReadonlySet<MeterId>,
  now: Timestamp,
): BalancingState {
  const fresh = initialBalancing(to, now);
  const evses = to.outlets.map(({ evse }, index): EvseState => {
    const position = from.indexOf.get(evse.number) ?? -1;
    const before = from.outlets[position]?.evse;
    const known = state.evses[position];
    const first = fresh.evses[index] ?? known;
    if (first === undefined) throw new Error('a network has a state for every outlet');
    return known === undefined || before === undefined || !isSameEvse(before, evse)
      ? first
      : ofEvse(known, before, evse);
  });
  const circuits = to.circuits.map((circuit, index): CircuitState => {
    const row = from.circuits.findIndex(({ id }) => id === circuit.id);
    const before = from.circuits[row];
    const known = state.circuits[row];
    const first = fresh.circuits[index] ?? known;
    if (first === undefined) throw new Error('a network has a state for every circuit');
    const sameMeter = circuit.meter !== undefined && before?.meter === circuit.meter && !renewed.has(circuit.meter);
    if (known === undefined || before === undefined || !sameMeter) return first;
    return ofCircuit(known, before, circuit, isSameSet(behind(from, row), behind(to, index)));
  });
  return { evses, circuits };
}

/** Wiring by which a car's phases were learned. */
const wiring = ({ phases, lineToLine, phaseSwitching }: Evse): string =>
  JSON.stringify([phases, lineToLine, phaseSwitching]);

function ofEvse(known: EvseState, before: Evse, evse: Evse): EvseState {
  let state = known;
  if (state.confirmed === undefined && before.maxCurrent > evse.maxCurrent)
    state = { ...state, confirmed: before.maxCurrent };
  if (before.fallbackCurrent > evse.fallbackCurrent && state.confirmed !== undefined) {
    // It may go back to what it was set up with until it has been told; and it is told its limit again after that.
    const { sent: _s, sentAt: _a, ...rest } = state;
    state = { ...rest, confirmed: Math.max(state.confirmed, before.fallbackCurrent) };
  }
  if (wiring(before) === wiring(evse)) return state;
  const { phases: _p, sentPhases: _s, phasesSentAt: _a, ...rest } = state;
  return { ...rest, session: { ...state.session, phases: undefined, learning: undefined } };
}

function ofCircuit(known: CircuitState, before: Circuit, circuit: Circuit, sameChargers: boolean): CircuitState {
  // The last reading is judged anew, by the breaker and the chargers that the circuit has now.
  const { readingAt: _r, baseline, ...rest } = known;
  const ratio = (before.breaker / circuit.breaker) ** 2;
  return {
    ...rest,
    heat: [known.heat[0] * ratio, known.heat[1] * ratio, known.heat[2] * ratio],
    // What a charger takes that is not of the circuit any more is background from now on, whatever explained it before.
    ...(sameChargers && baseline !== undefined && { baseline }),
  };
}

const behind = ({ outlets }: Network, row: number): ReadonlySet<number> =>
  new Set(outlets.filter(({ path }) => path.includes(row)).map(({ evse }) => evse.number));

const isSameSet = (a: ReadonlySet<number>, b: ReadonlySet<number>): boolean =>
  a.size === b.size && [...a].every((each) => b.has(each));
