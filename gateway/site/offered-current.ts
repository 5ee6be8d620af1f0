// What an EVSE offers its car: as its charger says, and as the gateway, which set the limit, can say in its place.
import { ampere, minutes, type Ampere, type Timestamp, type Volt } from '../kernel/units.js';
import type { LiveEvse } from './live-state.js';
import type { MeterValue, SampledValue } from './metering.js';
import { isDirectCurrent, wattsPerAmpere, type Evse } from './topology.js';

/** A charger that has said so within this time goes on saying so. */
const SPEAKS_FOR_ITSELF = minutes(15);

/** Per phase; the least where the charger says it phase by phase. */
export function currentOffered({ sampled }: MeterValue): Ampere | undefined {
  const said = sampled.filter(({ measurand, value }) => measurand === 'Current.Offered' && Number.isFinite(value));
  return said.length === 0 ? undefined : ampere(Math.min(...said.map(({ value }) => value)));
}

/**
 * Adds what the gateway has the EVSE offer to periodic values of a charger that does not tell it, so that a CSMS that asks
 * for Current.Offered or Power.Offered is told. Direct current is not known: there the limit is on the side of the grid.
 */
export function withOffered(
  values: readonly MeterValue[],
  evse: Evse,
  live: LiveEvse,
  nominal: Volt,
  now: Timestamp,
): readonly MeterValue[] {
  const { offered, saysItOffers } = live;
  if (offered === undefined || (saysItOffers !== undefined && now - saysItOffers.at < SPEAKS_FOR_ITSELF)) return values;
  return values.map((value) => {
    const periodic = value.sampled.some(({ context = 'Sample.Periodic' }) => context === 'Sample.Periodic');
    if (!periodic || currentOffered(value) !== undefined) return value;
    return { ...value, sampled: [...value.sampled, ...offeredValues(evse, offered, nominal)] };
  });
}

export function offeredValues(evse: Evse, offered: Ampere, nominal: Volt): readonly SampledValue[] {
  const power: SampledValue = {
    value: Math.round(offered * wattsPerAmpere(evse, nominal)),
    measurand: 'Power.Offered',
  };
  return isDirectCurrent(evse) ? [power] : [{ value: offered, measurand: 'Current.Offered' }, power];
}
