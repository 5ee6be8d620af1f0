// What is planned for one evening: cars, and the grid operator's limits. Times are counted from the beginning of what is shown.
import type { EvseNumber } from '../../gateway/kernel/ids.js';
import type { Ampere, Milliseconds, Watt, WattHour } from '../../gateway/kernel/units.js';

export interface PlannedCar {
  /** For the report. */
  readonly name: string;
  /** 0: it is there when the evening begins. */
  readonly arrival: Milliseconds;
  readonly departure: Milliseconds;
  /** What it wants, measured at the charger. */
  readonly energy: WattHour;
  readonly phases: 1 | 2 | 3;
  /** Per phase. */
  readonly maxCurrent: Ampere;
  /** Absent: any that is free. */
  readonly evse?: EvseNumber;
  /** Its plug fits a charger for direct current; where it parks at `any`, it looks for one of its own kind. */
  readonly directCurrent: boolean;
  /** It looks for a place for so long and then drives on; absent: until its departure. */
  readonly patience?: Milliseconds;
  /** Until then it is plugged in and sleeps. */
  readonly chargesFrom?: Milliseconds;
}

export interface OperatorLimit {
  readonly from: Milliseconds;
  readonly to: Milliseconds;
  readonly limit: Watt;
}

/** The part of a day that is tried out. */
export interface Span {
  /** Its beginning, in milliseconds after midnight. */
  readonly from: Milliseconds;
  readonly length: Milliseconds;
}

export const DAY = 86_400_000;
