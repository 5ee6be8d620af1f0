// Moves times that were stamped before the site knew the time to where they belong, once it knows.
import { amended } from '../kernel/amended.js';
import { timestamp, type Milliseconds, type Timestamp } from '../kernel/units.js';
import type { MeterValue } from './metering.js';
import type { StationEvent, TransactionReported } from './station-event.js';
import { plausibleAtArrival } from './plausible-time.js';
import type { ChargeDetailRecord, JournalRecord, TransactionRecord } from './transaction.js';

/** Times from `from` on were stamped by a clock that was `offset` behind; those before it are from an earlier, known time. */
export interface TimeShift {
  readonly from: Timestamp;
  readonly offset: Milliseconds;
}

/** A time, and what a station had said where that could not be meant. */
interface Told {
  readonly at: Timestamp;
  readonly reportedAt?: Timestamp;
}

export const shifted = (at: Timestamp, { from, offset }: TimeShift): Timestamp =>
  at >= from ? timestamp(at + offset) : at;

/** What a station said is judged again: beside the true time of its arrival it may turn out to be right. */
export function judgedAgain(at: Timestamp, reportedAt: Timestamp | undefined, shift: TimeShift): Timestamp {
  const arrived = shifted(at, shift);
  return at >= shift.from && reportedAt !== undefined && plausibleAtArrival(reportedAt, arrived) ? reportedAt : arrived;
}

/** `told` with its time moved; the same object where nothing moves. */
export function shiftedTold<T extends Told>(told: T, shift: TimeShift): T {
  const at = judgedAgain(told.at, told.reportedAt, shift);
  return at === told.at ? told : (amended<Told>(told, { at }) as T);
}

export function shiftedValues(values: readonly MeterValue[], shift: TimeShift): readonly MeterValue[] {
  return values.every(({ at }) => at < shift.from) ? values : values.map((value) => shiftedTold(value, shift));
}

export const shiftedTransaction = (record: TransactionRecord, shift: TimeShift): TransactionRecord =>
  amended(shiftedTold(record, shift), { meterValues: shiftedValues(record.meterValues, shift) });

/** A record of the journal as it would have been written by a clock that was right; a bill has a price beside its times. */
export function shiftedRecord(
  record: Exclude<JournalRecord, ChargeDetailRecord>,
  shift: TimeShift,
): Exclude<JournalRecord, ChargeDetailRecord> {
  switch (record.type) {
    case 'transaction':
      return shiftedTransaction(record, shift);
    case 'meter':
      return amended(record, { meterValues: shiftedValues(record.meterValues, shift) });
    case 'security':
      return shiftedTold(record, shift);
  }
}

interface Span {
  readonly startedAt: Timestamp;
  readonly startReportedAt?: Timestamp;
  readonly endReportedAt?: Timestamp;
}

/** Start and end of something that is over; the end is never moved before the start. */
export function shiftedSpan(
  span: Span & { readonly endedAt: Timestamp },
  shift: TimeShift,
): { readonly startedAt: Timestamp; readonly endedAt: Timestamp } {
  const startedAt = judgedAgain(span.startedAt, span.startReportedAt, shift);
  const endedAt = judgedAgain(span.endedAt, span.endReportedAt, shift);
  return { startedAt, endedAt: timestamp(Math.max(startedAt, endedAt)) };
}

/** An event that was stamped before the shift and is taken in after it. What the station said is kept. */
export function shiftedEvent<E extends StationEvent>(event: E, shift: TimeShift): E {
  const told: StationEvent = event;
  switch (told.type) {
    case 'status':
    case 'securityEvent':
      return heardAgain(told, shift) as E;
    case 'meterValues':
      return amended<StationEvent>(told, { meterValues: told.meterValues.map((each) => heardAgain(each, shift)) }) as E;
    case 'transaction':
      return amended<TransactionReported>(heardAgain(told, shift), {
        meterValues: told.meterValues.map((each) => heardAgain(each, shift)),
      }) as StationEvent as E;
    default:
      return event;
  }
}

function heardAgain<T extends Told>(told: T, shift: TimeShift): T {
  const at = judgedAgain(told.at, told.reportedAt, shift);
  return at === told.at ? told : (amended<Told>(told, { at, reportedAt: told.reportedAt ?? told.at }) as T);
}
