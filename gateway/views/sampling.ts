// Which measured values one CSMS is told: its own interval and measurands, thinned from what the site measures.
import { timestamp, type Milliseconds, type Timestamp } from '../kernel/units.js';
import type { MeterValue, SampledValue } from '../site/metering.js';
import type { TransactionRecord } from '../site/transaction.js';

export interface SamplingSettings {
  /** SampledDataCtrlr.TxUpdatedInterval (MeterValueSampleInterval); 0: no periodic values. */
  readonly interval: Milliseconds;
  /** Measurands, in 1.6 perhaps with a phase: `Voltage.L1`. */
  readonly updated: ReadonlySet<string>;
  readonly ended: ReadonlySet<string>;
  /** Whether the values of a whole transaction are repeated in its end (TxEndedInterval above 0). */
  readonly endedSeries: boolean;
  /** AlignedDataCtrlr.Interval above 0: values that the station itself has aligned to the clock are passed on. */
  readonly aligned: boolean;
  readonly alignedMeasurands: ReadonlySet<string>;
}

export interface Sampled {
  readonly values: readonly MeterValue[];
  /** When the last periodic sample was kept. */
  readonly sampledAt: Timestamp | undefined;
}

/** A charger's own sampling jitters; without this allowance a sample a moment early would cost a whole interval. */
const EARLY = 0.1;

/** Values of an event of a transaction that this CSMS is told. */
export function sampleTransaction(
  record: TransactionRecord,
  settings: SamplingSettings,
  sampledAt: Timestamp | undefined,
): Sampled {
  if (record.kind === 'updated') return thin(record.meterValues, settings, sampledAt);
  const series = record.kind === 'ended' && settings.endedSeries;
  const values = keep(
    record.meterValues,
    (value) => isMilestone(value) || (series && isPeriodic(value) && wants(settings.ended, value)),
  );
  return { values, sampledAt: record.kind === 'started' ? record.at : sampledAt };
}

/** Periodic values that are due, and all that are no mere samples; used for values outside a transaction too. */
export function thin(
  meterValues: readonly MeterValue[],
  settings: SamplingSettings,
  sampledAt: Timestamp | undefined,
): Sampled {
  let last = sampledAt;
  const values: MeterValue[] = [];
  for (const meterValue of meterValues) {
    const due = isDue(meterValue.at, last, settings.interval);
    const sampled = meterValue.sampled.filter((value) => {
      if (isMilestone(value)) return true;
      if (value.context === 'Sample.Clock') return settings.aligned && wants(settings.alignedMeasurands, value);
      return due && wants(settings.updated, value);
    });
    if (sampled.length === 0) continue;
    values.push({ at: meterValue.at, sampled });
    if (due && sampled.some(isPeriodic)) last = meterValue.at;
  }
  return { values, sampledAt: last };
}

/** The last values as a TriggerMessage wants them: now, with context Trigger. */
export function triggered(meterValue: MeterValue, measurands: ReadonlySet<string>): MeterValue {
  return {
    at: meterValue.at,
    sampled: meterValue.sampled
      .filter((value) => wants(measurands, value))
      .map((value) => ({ ...value, context: 'Trigger' as const })),
  };
}

/** Reads a MemberList of measurands. */
export const measurandSet = (list: string): ReadonlySet<string> =>
  new Set(
    list
      .split(',')
      .map((each) => each.trim())
      .filter((each) => each !== ''),
  );

function isDue(at: Timestamp, last: Timestamp | undefined, interval: Milliseconds): boolean {
  if (interval <= 0) return false;
  if (last === undefined) return true;
  // A clock that was set back must not silence a visit until it has caught up.
  return at >= timestamp(last + interval * (1 - EARLY)) || at < last - interval;
}

/** Begin, end, interruption and what a CSMS has asked for: never thinned (E04.FR.08). */
function isMilestone(value: SampledValue): boolean {
  return !isPeriodic(value) && value.context !== 'Sample.Clock';
}

function isPeriodic(value: SampledValue): boolean {
  return value.context === undefined || value.context === 'Sample.Periodic' || value.context === 'Other';
}

function wants(measurands: ReadonlySet<string>, value: SampledValue): boolean {
  const measurand = value.measurand ?? 'Energy.Active.Import.Register';
  return measurands.has(measurand) || (value.phase !== undefined && measurands.has(`${measurand}.${value.phase}`));
}

function keep(meterValues: readonly MeterValue[], wanted: (value: SampledValue) => boolean): readonly MeterValue[] {
  return meterValues
    .map((meterValue) => ({ at: meterValue.at, sampled: meterValue.sampled.filter(wanted) }))
    .filter((meterValue) => meterValue.sampled.length > 0);
}
