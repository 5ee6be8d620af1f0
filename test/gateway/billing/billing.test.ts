// The bill: energy, time, rounding to a hundredth, and what is marked as estimated.
import t from 'tap';
import fc from 'fast-check';
import { evseNumber, stationId, stationTransactionId, transactionUid } from '../../../gateway/kernel/ids.js';
import { timestamp, wattHour } from '../../../gateway/kernel/units.js';
import type { Transaction } from '../../../gateway/site/transaction.js';
import { chargeDetailRecord } from '../../../gateway/billing/charge-detail-record.js';
import { hundredths, millionths } from '../../../gateway/billing/money.js';

const T0 = 1_800_000_000_000;
const ended = (more: Partial<Transaction> = {}): Transaction => ({
  uid: transactionUid('u'),
  station: stationId('CP01'),
  evse: evseNumber(3),
  connector: 1,
  stationTransactionId: stationTransactionId('1'),
  idToken: { idToken: 'Aa11', type: 'ISO14443' },
  basis: 'csms',
  startedAt: timestamp(T0),
  endedAt: timestamp(T0 + 90 * 60_000),
  meterStart: wattHour(1000),
  register: wattHour(13_345),
  meterStop: wattHour(13_345),
  stoppedReason: 'Local',
  chargingState: 'Idle',
  seen: [],
  ...more,
});
const tariff = { currency: 'EUR', energyPrice: 0.39, timePrice: 1.2, startFee: 0.35 };

t.test('a visit with a tariff', async (t) => {
  t.same(chargeDetailRecord(ended(), 'NL-HARBOUR-01', tariff), {
    type: 'cdr',
    uid: 'u',
    site: 'NL-HARBOUR-01',
    station: 'CP01',
    evse: 3,
    connector: 1,
    idToken: { idToken: 'Aa11', type: 'ISO14443' },
    basis: 'csms',
    startedAt: T0,
    endedAt: T0 + 5_400_000,
    meterStart: 1000,
    meterStop: 13_345,
    energy: 12_345,
    stoppedReason: 'Local',
    estimated: false,
    cost: { currency: 'EUR', energy: 4.81, time: 1.8, start: 0.35, total: 6.96 },
  });
  t.equal(chargeDetailRecord(ended(), 's', undefined)?.cost, undefined);
  const { endedAt: _endedAt, ...open } = ended();
  t.equal(chargeDetailRecord(open, 's', tariff), undefined, 'no bill of an open transaction');
});

t.test('rounding is that of the decimals, not of their binary neighbours', async (t) => {
  const rows: readonly (readonly [number, number, number])[] = [
    [1000, 1.005, 1.01],
    [1000, 0.285, 0.29],
    [500, 0.29, 0.15],
    [100, 0.3, 0.03],
    [3, 0.39, 0],
    [1000, 0.004999, 0],
    [1000, -0.005, -0.01],
    [1_000_000, 8.115, 8115],
  ];
  for (const [energy, energyPrice, expected] of rows) {
    const bill = chargeDetailRecord(ended({ meterStart: wattHour(0), meterStop: wattHour(energy) }), 's', {
      currency: 'EUR',
      energyPrice,
      timePrice: 0,
      startFee: 0,
    });
    t.equal(bill?.cost?.energy, expected, `${energy} Wh at ${energyPrice}`);
  }
  t.equal(chargeDetailRecord(ended({ meterStart: wattHour(0.1), meterStop: wattHour(0.3) }), 's', tariff)?.energy, 0.2);
});

t.test('what was inferred is marked, and energy is never negative', async (t) => {
  const { meterStart: _start, ...noStart } = ended();
  const { meterStop: _stop, register: _register, ...noStop } = ended();
  const { meterStart: _none, ...nothing } = noStop;
  const rows: readonly (readonly [string, Transaction, number, boolean])[] = [
    ['measured', ended(), 12_345, false],
    ['stop inferred', ended({ estimatedStop: true }), 12_345, true],
    ['start never seen', ended({ orphan: true }), 12_345, true],
    ['begin unknown', noStart, 0, true],
    ['end unknown', noStop, 0, true],
    ['nothing known', nothing, 0, true],
    ['register fell', ended({ meterStop: wattHour(10) }), 0, true],
  ];
  for (const [name, transaction, energy, estimated] of rows)
    t.match(chargeDetailRecord(transaction, 's', tariff), { energy, estimated }, name);
  const back = chargeDetailRecord(ended({ endedAt: timestamp(T0 - 1) }), 's', tariff);
  t.equal(back?.cost?.time, 0, 'a clock that went back costs nothing');
});

t.test('a bill adds up, and each part is within half a hundredth of the exact price', async (t) => {
  const price = fc.integer({ min: 0, max: 5_000_000 });
  fc.assert(
    fc.property(fc.nat(200_000_000), fc.nat(864_000_000), price, price, price, (milliWh, ms, energy, time, fee) => {
      const bill = chargeDetailRecord(
        ended({
          meterStart: wattHour(0),
          meterStop: wattHour(milliWh / 1000),
          endedAt: timestamp(T0 + ms),
        }),
        's',
        { currency: 'EUR', energyPrice: energy / 1e6, timePrice: time / 1e6, startFee: fee / 1e6 },
      )?.cost;
      if (!bill) return false;
      const cents = (value: number) => BigInt(Math.round(value * 100));
      const near = (charged: number, quantity: bigint, parts: bigint, at: number) => {
        const off = cents(charged) * parts * 10_000n - quantity * BigInt(at);
        return (off < 0n ? -off : off) * 2n <= parts * 10_000n;
      };
      return (
        cents(bill.total) === cents(bill.energy) + cents(bill.time) + cents(bill.start) &&
        near(bill.energy, BigInt(milliWh), 1_000_000n, energy) &&
        near(bill.time, BigInt(ms), 3_600_000n, time) &&
        near(bill.start, 1n, 1n, fee)
      );
    }),
    { numRuns: 300 },
  );
  t.equal(hundredths(1n, 2n, millionths(0.01)), 1n, 'half a hundredth is rounded up');
  t.equal(hundredths(-1n, 2n, millionths(0.01)), -1n, 'and down below zero');
});
