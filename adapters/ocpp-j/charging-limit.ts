// How one current becomes a charging profile: unit, rounding, stable ids and the order in which purposes are tried.
import type { Ampere } from '../../gateway/kernel/units.js';
import type { ChargingRateUnit } from '../../gateway/site/charging-profile.js';
import type { Evse, LimitPurpose, SmartChargingTraits } from '../../gateway/site/topology.js';

export interface LimitWay {
  readonly purpose: LimitPurpose;
  readonly stackLevel: number;
}

/** Largest multiple of 0.1 A, or whole watt, that is not above `value`: OCPP limits have one decimal (multipleOf 0.1). */
const floorTo = (value: number, stepsPerUnit: number): number => {
  const steps = Math.floor(Math.max(0, value) * stepsPerUnit);
  return steps / stepsPerUnit <= value ? steps / stepsPerUnit : Math.max(0, steps - 1) / stepsPerUnit;
};

/**
 * The limit as the charger's unit wants it; never above what was granted.
 * @param perAmpere watts of one ampere per phase
 */
export const limitIn = (unit: ChargingRateUnit, current: Ampere, perAmpere: number): number =>
  unit === 'A' ? floorTo(current, 10) : floorTo(floorTo(current, 10) * perAmpere, 1);

const PURPOSE_DIGIT: Readonly<Record<LimitPurpose, number>> = {
  TxDefaultProfile: 1,
  TxProfile: 2,
  ChargingStationMaxProfile: 3,
};

/** The same id whenever the same thing is set, so that a new limit replaces the old one. */
export const profileIdOf = (evse: Evse, purpose: LimitPurpose, connector = 1): number =>
  evse.stationEvse * 100 + connector * 10 + PURPOSE_DIGIT[purpose];

const EVERY_PURPOSE: readonly LimitPurpose[] = ['TxProfile', 'TxDefaultProfile', 'ChargingStationMaxProfile'];

/**
 * In which order to try (profiles section 2). Level 1 is avoided where it is the highest reported, which some chargers
 * refuse (ABB Terra AC) although it is legal.
 */
export function limitWays(
  inTransaction: boolean,
  maxStackLevel: number | undefined,
  singleEvse: boolean,
  { purposes = EVERY_PURPOSE, stackLevel }: Pick<SmartChargingTraits, 'purposes' | 'stackLevel'> = {},
): readonly LimitWay[] {
  return purposes.flatMap((purpose): LimitWay[] => {
    if (purpose === 'TxProfile' && !inTransaction) return [];
    if (purpose === 'ChargingStationMaxProfile' && !singleEvse) return [];
    if (stackLevel !== undefined) return [{ purpose, stackLevel }];
    const above = purpose === 'TxProfile' && (maxStackLevel === undefined || maxStackLevel > 1);
    return (above ? [1, 0] : [0]).map((level) => ({ purpose, stackLevel: level }));
  });
}
