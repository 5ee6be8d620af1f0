// Quantities with their unit in the type, so that an ampere is never passed where a watt is meant.

declare const unit: unique symbol;

type Quantity<U extends string> = number & { readonly [unit]: U };

/** Electric current in ampere (RMS, per phase). */
export type Ampere = Quantity<'A'>;
/** Active power in watt. */
export type Watt = Quantity<'W'>;
/** Active energy in watt hours; registers are cumulative and never rebased. */
export type WattHour = Quantity<'Wh'>;
/** Voltage in volt, phase to neutral. */
export type Volt = Quantity<'V'>;
/** Milliseconds since 1970-01-01T00:00:00Z. */
export type Timestamp = Quantity<'ms since 1970'>;
/** A span of time in milliseconds. */
export type Milliseconds = Quantity<'ms'>;

export const ampere = (value: number): Ampere => value as Ampere;
export const watt = (value: number): Watt => value as Watt;
export const wattHour = (value: number): WattHour => value as WattHour;
export const volt = (value: number): Volt => value as Volt;
export const timestamp = (value: number): Timestamp => value as Timestamp;
export const milliseconds = (value: number): Milliseconds => value as Milliseconds;
export const seconds = (value: number): Milliseconds => (value * 1000) as Milliseconds;
export const minutes = (value: number): Milliseconds => (value * 60_000) as Milliseconds;

/** RFC 3339 in UTC with millisecond precision: the only form in which Forecourt sends a time. */
export const toRfc3339 = (at: Timestamp): string => new Date(at).toISOString();
