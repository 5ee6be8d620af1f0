// S42: what sun and clouds write to a charger: TxProfiles as it needs, and next to nothing that is kept in its flash.
import t from 'tap';
import type { Payload } from '../../adapters/ocpp-j/contract.js';
import { openOcpp16Station } from '../../adapters/station-ocpp16/driver.js';
import { Gateway } from '../../gateway/gateway.js';
import { circuitId, stationId, type StationId } from '../../gateway/kernel/ids.js';
import { ampere, seconds, volt } from '../../gateway/kernel/units.js';
import type { StationDriver } from '../../gateway/ports/station.js';
import { FakeClock } from '../fakes/fake-clock.js';
import { memoryAliases } from '../fakes/memory-aliases.js';
import { knowing } from '../fakes/fake-machine.js';
import { MemoryJournal } from '../fakes/memory-journal.js';
import { recordingLog } from '../fakes/recording-log.js';
import { ask, FakeConnection, result } from '../adapters/station-ocpp16/rig.js';
import { evse, site } from '../gateway/views/fixture.js';

/** What is kept in flash in a day: 96 setpoints, a quarter of it at once. */
const BUDGET = 96;
const CP1 = stationId('CP1');

interface Written {
  readonly purpose: string;
  readonly limit: number;
}

function written(payload: Payload): Written {
  const { chargingProfilePurpose, chargingSchedule } = payload['csChargingProfiles'] as {
    chargingProfilePurpose: string;
    chargingSchedule: { chargingSchedulePeriod: { limit: number }[] };
  };
  return {
    purpose: chargingProfilePurpose,
    limit: chargingSchedule.chargingSchedulePeriod[0]?.limit ?? Number.NaN,
  };
}

/** The sun in A per phase from six to six, with clouds that come and go by the minute. */
function sun(minute: number): number {
  const noon = Math.max(0, Math.sin((minute / 60 / 12) * Math.PI));
  const cloud = 0.6 + 0.4 * Math.sin(minute * 1.7) * Math.sin(minute * 0.37);
  return Math.round(30 * noon * cloud * 10) / 10;
}

/** So many hours of it from six on, with one car that charges as the sun allows; what was written, and the most that was in force beyond the limit. */
async function day(hours: number, takesTxProfile: boolean) {
  const clock = new FakeClock('2025-06-21T04:00:00Z');
  const plan = {
    ...site([evse(1)]),
    circuits: [{ id: circuitId('main'), breaker: ampere(63), margin: ampere(0) }],
    authorization: { ...site([]).authorization, offline: 'free' as const },
  };
  const drivers = new Map<StationId, StationDriver>();
  const log = recordingLog();
  const randomBytes = (count: number) => new Uint8Array(count);
  const journal = new MemoryJournal();
  const gateway = await Gateway.open({
    site: plan,
    journal,
    drivers,
    clock,
    machine: knowing(clock),
    log,
    randomBytes,
    firmwareVersion: '0',
  });
  const [station] = plan.stations;
  if (station === undefined) throw new Error('there is no station');
  const writes: Written[] = [];
  const connection = new FakeConnection('ocpp1.6', (action, payload) => {
    if (action === 'GetConfiguration') return result({ configurationKey: [] });
    if (action !== 'SetChargingProfile') return result({ status: 'Accepted' });
    const one = written(payload);
    if (one.purpose === 'TxProfile' && !takesTxProfile) return result({ status: 'Rejected' });
    writes.push(one);
    return result({ status: 'Accepted' });
  });
  const settings = {
    nominalVoltage: volt(230),
    heartbeatInterval: 300,
    meterInterval: 10,
    offlineTxForUnknownId: false,
    localList: false,
    aliases: memoryAliases(),
  };
  const driver = openOcpp16Station(station, gateway.stations, { clock, log }, settings);
  drivers.set(CP1, driver);
  gateway.start();
  driver.attach(connection);
  const from = (action: string, payload: Payload) => ask('ocpp1.6', driver.handler, action, payload);
  const now = () => new Date(clock.now()).toISOString();
  await from('BootNotification', { chargePointVendor: 'Acme', chargePointModel: 'One' });
  await clock.advance(seconds(1));
  await from('StartTransaction', { connectorId: 1, idTag: 'A', meterStart: 0, timestamp: now() });
  let over = 0;
  let given = 0;
  let offered = 0;
  for (let minute = 0; minute < hours * 60; minute++) {
    const limit = sun(minute);
    gateway.gridLimit(String(limit));
    // A quarter of a minute at a time: chargers answer at its beginning.
    for (let quarter = 0; quarter < 4; quarter++) {
      await clock.advance(seconds(2));
      clock.advanceSync(seconds(13));
    }
    const inForce = writes.at(-1)?.limit ?? 0;
    over = Math.max(over, inForce - limit);
    given += inForce;
    offered += limit < 6 ? 0 : limit;
    const value = String(Math.max(0, inForce - 0.2));
    const sampledValue = [{ value, measurand: 'Current.Import', phase: 'L1', unit: 'A' }];
    await from('MeterValues', { connectorId: 1, transactionId: 1, meterValue: [{ timestamp: now(), sampledValue }] });
  }
  await from('StopTransaction', { transactionId: 1, meterStop: 10, timestamp: now() });
  await clock.advance(seconds(5));
  await gateway.stop();
  t.same(connection.invalid, []);
  const of = (purpose: string) => writes.filter((one) => one.purpose === purpose).length;
  return {
    over,
    used: given / offered,
    tx: of('TxProfile'),
    kept: writes.length - of('TxProfile'),
    most: Math.max(...writes.map(({ limit }) => limit)),
  };
}

void t.test('a charger that takes TxProfiles', async (t) => {
  const { over, tx, kept, most, used } = await day(5, true);
  t.ok(kept <= 2, `${kept} profiles in flash`);
  t.ok(tx > 100, `${tx} for the transaction: it follows the sun`);
  t.ok(used > 0.8, `and uses ${Math.round(100 * used)} % of it`);
  t.ok(most > 20 && over <= 0, `up to ${most} A, ${over} A too much`);
});

void t.test('a charger that keeps whatever it is told is spared', async (t) => {
  const { over, tx, kept, most, used } = await day(24, false);
  t.equal(tx, 0);
  t.ok(kept <= BUDGET, `${kept} profiles in flash: raised slowly, cut at once`);
  t.ok(most > 12 && over <= 0, `up to ${most} A, ${over} A too much`);
  t.ok(used > 0.15, `and ${Math.round(100 * used)} % of what the sun gave`);
});
