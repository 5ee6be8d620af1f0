// Makes the bill of an ended transaction: energy, times and what they cost.
import { wattHour, type Timestamp } from '../kernel/units.js';
import type { Tariff } from '../site/topology.js';
import type { ChargeDetailRecord, Transaction } from '../site/transaction.js';
import { amount, hundredths, millionths } from './money.js';

/** Registers count in thousandths of a Wh at the finest. */
const WH_PARTS = 1000;
const KWH_PARTS = 1_000_000n;
const HOUR_PARTS = 3_600_000n;

/**
 * The charge detail record of a transaction.
 *
 * Energy is the difference of the registers and never negative. Where the begin is unknown nothing is charged for energy
 * that nobody measured: the registers count as equal and the record as estimated. Time counts from start to end,
 * charging or not. Each part is rounded to a hundredth, and the total is the sum of the rounded parts, so that a driver
 * can add up the bill.
 * @param site the site's id
 * @returns undefined while the transaction is open
 */
export function chargeDetailRecord(
  transaction: Transaction,
  site: string,
  tariff: Tariff | undefined,
): ChargeDetailRecord | undefined {
  const { endedAt, startedAt, idToken } = transaction;
  if (endedAt === undefined) return undefined;
  const stop = transaction.meterStop ?? transaction.register;
  const begin = transaction.meterStart ?? stop ?? wattHour(0);
  const end = stop ?? begin;
  const energyParts = energyBetween(begin, end);
  return {
    type: 'cdr',
    uid: transaction.uid,
    site,
    station: transaction.station,
    evse: transaction.evse,
    connector: transaction.connector,
    ...(idToken && { idToken }),
    basis: transaction.basis,
    startedAt,
    endedAt,
    ...(transaction.startReportedAt !== undefined && { startReportedAt: transaction.startReportedAt }),
    ...(transaction.endReportedAt !== undefined && { endReportedAt: transaction.endReportedAt }),
    meterStart: begin,
    meterStop: end,
    energy: wattHour(Number(energyParts) / WH_PARTS),
    stoppedReason: transaction.stoppedReason ?? 'Local',
    estimated:
      transaction.estimatedStop === true ||
      transaction.orphan === true ||
      transaction.meterStart === undefined ||
      transaction.meterStop === undefined ||
      end < begin,
    ...(tariff && { cost: cost(energyParts, durationOf(startedAt, endedAt), tariff) }),
  };
}

/** What an open transaction comes to by now; an ended one is billed by its record. */
export function runningCost(
  { startedAt, meterStart, register }: Transaction,
  tariff: Tariff,
  now: Timestamp,
): NonNullable<ChargeDetailRecord['cost']> {
  const begin = meterStart ?? register ?? wattHour(0);
  return cost(energyBetween(begin, register ?? begin), durationOf(startedAt, now), tariff);
}

/** The record with other times, which the price may depend on. */
export function billedAnew(
  record: ChargeDetailRecord,
  times: Pick<ChargeDetailRecord, 'startedAt' | 'endedAt'>,
  tariff: Tariff | undefined,
): ChargeDetailRecord {
  const before = durationOf(record.startedAt, record.endedAt);
  const after = durationOf(times.startedAt, times.endedAt);
  if (record.cost === undefined || tariff === undefined || before === after) return { ...record, ...times };
  return { ...record, ...times, cost: cost(energyBetween(record.meterStart, record.meterStop), after, tariff) };
}

const energyBetween = (begin: number, end: number): bigint =>
  BigInt(Math.max(0, Math.round(end * WH_PARTS) - Math.round(begin * WH_PARTS)));

const durationOf = (startedAt: number, endedAt: number): bigint => BigInt(Math.max(0, Math.round(endedAt - startedAt)));

function cost(energyParts: bigint, duration: bigint, tariff: Tariff): NonNullable<ChargeDetailRecord['cost']> {
  const energy = hundredths(energyParts, KWH_PARTS, millionths(tariff.energyPrice));
  const time = hundredths(duration, HOUR_PARTS, millionths(tariff.timePrice));
  const start = hundredths(1n, 1n, millionths(tariff.startFee));
  return {
    currency: tariff.currency,
    energy: amount(energy),
    time: amount(time),
    start: amount(start),
    total: amount(energy + time + start),
  };
}
