// A site with everything on it that telemetry can tell, for its tests.
import {
  evseNumber,
  meterId,
  stationId,
  stationTransactionId,
  transactionUid,
  type EvseNumber,
} from '../../../gateway/kernel/ids.js';
import { ampere, timestamp, watt, wattHour } from '../../../gateway/kernel/units.js';
import { SiteBook } from '../../../gateway/site/site-book.js';
import type { MeterReading } from '../../../gateway/site/metering.js';
import { perPhase } from '../../../gateway/site/topology.js';
import type { ChargeDetailRecord, Transaction, TransactionRecord } from '../../../gateway/site/transaction.js';
import { Telemetry, type TelemetryDependencies } from '../../../gateway/telemetry/telemetry.js';
import type { CircuitStanding } from '../../../gateway/telemetry/topics.js';
import { FakeClock } from '../../fakes/fake-clock.js';
import { FakeTelemetryLink } from '../../fakes/fake-telemetry-link.js';
import { MemoryJournal } from '../../fakes/memory-journal.js';
import { recordingLog } from '../../fakes/recording-log.js';
import { evse, site } from '../views/fixture.js';

export const AT = timestamp(Date.parse('2025-03-01T08:00:00Z'));
export const CP1 = stationId('CP1');
export const ONE: EvseNumber = evseNumber(1);
export const TOKEN = '04A1B2C3D4E5F6';

export const transaction = (over: Partial<Transaction> = {}): Transaction => ({
  uid: transactionUid('01957f5e-8a3c-7d10-9f6a-5d1f0c3b2a11'),
  station: CP1,
  evse: ONE,
  connector: 1,
  stationTransactionId: stationTransactionId('7'),
  idToken: { idToken: TOKEN, type: 'ISO14443' },
  basis: 'csms',
  startedAt: AT,
  meterStart: wattHour(1000),
  register: wattHour(5500),
  chargingState: 'Charging',
  seen: [],
  ...over,
});

export const happened = (
  kind: TransactionRecord['kind'],
  over: Partial<TransactionRecord> = {},
): TransactionRecord => ({
  type: 'transaction',
  uid: transaction().uid,
  n: 0,
  kind,
  station: CP1,
  evse: ONE,
  connector: 1,
  at: AT,
  trigger: kind === 'ended' ? 'StopAuthorized' : 'Authorized',
  chargingState: 'Charging',
  idToken: { idToken: TOKEN, type: 'ISO14443' },
  meterValues: [],
  offline: false,
  register: wattHour(5500),
  ...(kind === 'ended' && { stoppedReason: 'Local' }),
  ...over,
});

export const bill: ChargeDetailRecord = {
  type: 'cdr',
  uid: transaction().uid,
  site: 'SITE-1',
  station: CP1,
  evse: ONE,
  connector: 1,
  idToken: { idToken: TOKEN, type: 'ISO14443' },
  basis: 'csms',
  startedAt: AT,
  endedAt: timestamp(AT + 5_400_000),
  meterStart: wattHour(1000),
  meterStop: wattHour(5500),
  energy: wattHour(4500),
  stoppedReason: 'Local',
  estimated: false,
  cost: { currency: 'EUR', energy: 1.58, time: 0, start: 0.5, total: 2.08 },
};

export const reading = (l1: number): MeterReading => ({
  meter: meterId('grid'),
  at: AT,
  current: { L1: ampere(l1), L2: ampere(2), L3: ampere(-3.04) },
  power: watt(1234.5),
  energyImport: wattHour(99),
  energyExport: wattHour(1),
});

export const standing = (granted: number): CircuitStanding => ({
  circuit: 'main',
  limit: 63,
  limitedBy: 'breaker',
  meter: 'live',
  background: perPhase(() => 1.23456),
  slack: perPhase(() => 50),
  reserved: perPhase(() => 0),
  granted: perPhase(() => granted),
  heat: perPhase(() => 0.123456),
  breaker: perPhase(() => 'hold'),
});

export interface Rig {
  readonly telemetry: Telemetry;
  readonly link: FakeTelemetryLink;
  readonly journal: MemoryJournal;
  readonly clock: FakeClock;
  readonly book: SiteBook;
  readonly log: ReturnType<typeof recordingLog>;
  readonly limits: string[];
  /** The gateway after a crash: same journal, same broker. */
  restarted(): Promise<Rig>;
}

export async function rig(
  over: Partial<TelemetryDependencies> = {},
  journal = new MemoryJournal(),
  link = new FakeTelemetryLink(),
): Promise<Rig> {
  const clock = new FakeClock(AT);
  const log = recordingLog();
  const limits: string[] = [];
  const book = new SiteBook(site([evse(1), evse(2)]), AT);
  const telemetry = await Telemetry.open({
    id: 'broker',
    root: 'f/S',
    tokens: 'full',
    stations: () => [CP1, stationId('CP2')],
    live: book,
    journal,
    link,
    clock,
    log,
    gridLimit: (payload, circuit) => limits.push(circuit === undefined ? payload : `${circuit} ${payload}`),
    gridHeartbeat: () => limits.push('alive'),
    ...over,
  });
  journal.onCommitted(() => telemetry.journalAdvanced());
  telemetry.start();
  const restarted = (): Promise<Rig> => rig(over, journal.afterCrash(), new FakeTelemetryLink());
  return { telemetry, link, journal, clock, book, log, limits, restarted };
}
