// What a car says that it needs (OCPP 2.0.1 K15 and K17, from ISO 15118), within what can be meant.
import { ampere, timestamp, wattHour, type Ampere, type Timestamp, type WattHour } from '../kernel/units.js';

export interface ChargingNeeds {
  readonly departure?: Timestamp;
  /** Energy from the grid or into the battery, whichever the car speaks of, from the moment it said so. */
  readonly energy?: WattHour;
  /** The most that it takes per phase; of direct current nothing is said of the grid's. */
  readonly maxCurrent?: Ampere;
}

/** No car stays longer and knows when it leaves. */
const LONGEST_STAY = 14 * 86_400_000;
/** No battery holds more: a lorry's has 1 MWh. */
const LARGEST_BATTERY = 1_000_000;

/** The needs without what cannot be meant: a departure that is over or far away, energy that no battery holds. */
export function plausibleNeeds({ departure, energy, maxCurrent }: ChargingNeeds, now: Timestamp): ChargingNeeds {
  const ahead = departure !== undefined && departure > now && departure <= now + LONGEST_STAY;
  const chargeable = energy !== undefined && energy >= 0 && Number.isFinite(energy);
  const flows = maxCurrent !== undefined && maxCurrent > 0 && Number.isFinite(maxCurrent);
  return {
    ...(ahead && { departure: timestamp(departure) }),
    ...(chargeable && { energy: wattHour(Math.min(energy, LARGEST_BATTERY)) }),
    ...(flows && { maxCurrent: ampere(maxCurrent) }),
  };
}
