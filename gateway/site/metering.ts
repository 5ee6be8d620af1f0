// Measured values in canonical form: OCPP 2.0.1 names, base units (A, W, Wh, V, var, VA, Hz, Percent, Celsius), numbers.
import type { MeterId } from '../kernel/ids.js';
import type { Ampere, Timestamp, Watt, WattHour } from '../kernel/units.js';
import type { PerPhase } from './topology.js';

export type ReadingContext =
  | 'Interruption.Begin'
  | 'Interruption.End'
  | 'Other'
  | 'Sample.Clock'
  | 'Sample.Periodic'
  | 'Transaction.Begin'
  | 'Transaction.End'
  | 'Trigger';

/** OCPP 2.0.1 MeasurandEnumType, plus the two that only 1.6 knows (Temperature, RPM). */
export type Measurand =
  | 'Current.Export'
  | 'Current.Import'
  | 'Current.Offered'
  | 'Energy.Active.Export.Register'
  | 'Energy.Active.Import.Register'
  | 'Energy.Reactive.Export.Register'
  | 'Energy.Reactive.Import.Register'
  | 'Energy.Active.Export.Interval'
  | 'Energy.Active.Import.Interval'
  | 'Energy.Active.Net'
  | 'Energy.Reactive.Export.Interval'
  | 'Energy.Reactive.Import.Interval'
  | 'Energy.Reactive.Net'
  | 'Energy.Apparent.Net'
  | 'Energy.Apparent.Import'
  | 'Energy.Apparent.Export'
  | 'Frequency'
  | 'Power.Active.Export'
  | 'Power.Active.Import'
  | 'Power.Factor'
  | 'Power.Offered'
  | 'Power.Reactive.Export'
  | 'Power.Reactive.Import'
  | 'SoC'
  | 'Voltage'
  | 'Temperature'
  | 'RPM';

export type ReadingPhase = 'L1' | 'L2' | 'L3' | 'N' | 'L1-N' | 'L2-N' | 'L3-N' | 'L1-L2' | 'L2-L3' | 'L3-L1';
export type ReadingLocation = 'Body' | 'Cable' | 'EV' | 'Inlet' | 'Outlet';

export interface SignedValue {
  /** The blob exactly as the charger sent it: OCMF text, hex or base64; never re-serialised. */
  readonly data: string;
  readonly signingMethod: string;
  readonly encodingMethod: string;
  readonly publicKey: string;
}

/** One value; an absent measurand is Energy.Active.Import.Register, an absent location Outlet, an absent context Sample.Periodic. */
export interface SampledValue {
  readonly value: number;
  readonly measurand?: Measurand;
  readonly phase?: ReadingPhase;
  readonly location?: ReadingLocation;
  readonly context?: ReadingContext;
  /** Base unit; absent where the measurand has its usual one (Wh, W, A, V, Hz, Percent). */
  readonly unit?: string;
  readonly signed?: SignedValue;
}

export interface MeterValue {
  readonly at: Timestamp;
  /** The station's own time, where `at` had to take its place. */
  readonly reportedAt?: Timestamp;
  readonly sampled: readonly SampledValue[];
}

/** One reading of an energy meter of the site, oriented so that import from the grid is positive. */
export interface MeterReading {
  readonly meter: MeterId;
  readonly at: Timestamp;
  readonly current: PerPhase<Ampere>;
  readonly power?: Watt;
  readonly energyImport?: WattHour;
  readonly energyExport?: WattHour;
}
