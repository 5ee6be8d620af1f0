// A limit that is written or said as current of each phase or as power of all: grid operators think in kW, breakers in A.
import { ampere, type Ampere, type Volt, type Watt } from '../kernel/units.js';
import type { Circuit } from './topology.js';

/** Current of each phase, or power of all together. */
export type PowerLimit = { readonly current: Ampere } | { readonly power: Watt };

/**
 * The limit as current of each conductor of a circuit at the nominal voltage: down to 0.1 A, never up.
 * @param nominal phase to neutral; where a delta-wye transformer hangs behind the circuit, the circuit's own voltage counts
 */
export function currentOfLimit(
  limit: PowerLimit,
  circuit: Pick<Circuit, 'primaryVoltage'> | undefined,
  nominal: Volt,
): Ampere {
  if ('current' in limit) return limit.current;
  // Three conductors of a delta carry the power at the voltage between them.
  const perAmpere = circuit?.primaryVoltage === undefined ? 3 * nominal : Math.sqrt(3) * circuit.primaryVoltage;
  return ampere(Math.floor((limit.power / perAmpere) * 10 + 1e-6) / 10);
}
