// Every row of the table of charger models (S42): it fits its model and no other, and the gateway does what it says.
import { readFileSync } from 'node:fs';
import t from 'tap';
import { CHARGER_MODELS, modelOf } from '../../../adapters/ocpp-j/models.js';
import type { Payload } from '../../../adapters/ocpp-j/contract.js';
import { openOcpp16Station } from '../../../adapters/station-ocpp16/driver.js';
import { openOcpp201Station } from '../../../adapters/station-ocpp201/driver.js';
import { evseNumber, stationTransactionId } from '../../../gateway/kernel/ids.js';
import { ampere, minutes, volt } from '../../../gateway/kernel/units.js';
import type { SmartChargingTraits, Station } from '../../../gateway/site/topology.js';
import {
  ask,
  evse,
  FakeConnection,
  FakeHost,
  FakeLog,
  HandClock,
  result,
  settled,
  stationOf,
  type Script,
} from '../station-ocpp16/rig.js';
import { memoryAliases } from '../../fakes/memory-aliases.js';

/** As each introduces itself. */
const SAMPLES: Readonly<Record<string, readonly [vendor: string, model: string]>> = {
  'ABB Terra AC': ['ABB', 'TAC-W11-G5-R0'],
  EVBox: ['EV-BOX', 'G3-M5320E-F2'],
  'go-e Charger': ['go-e', 'go-eCharger'],
  'EFR SECC (HomeCharge)': ['EFR GmbH', 'SECC-01'],
  'ZJ Beny': ['ZJBENY', 'BCP-B2N-L'],
  'EN+, Atronix': ['EN+', 'AC22'],
  'Huawei SCharger': ['', 'ACChargePoint'],
  'Zaptec Go 2': ['Zaptec', 'Zaptec Go 2'],
};

const WHOLE = stationOf(evse(1, 1));
const SETTINGS = {
  nominalVoltage: volt(230),
  heartbeatInterval: 300,
  meterInterval: 10,
  offlineTxForUnknownId: false,
  localList: false,
  aliases: memoryAliases(),
};
type Version = 'ocpp1.6' | 'ocpp2.0.1';

interface Written {
  readonly purpose: string;
  readonly level: number;
  readonly unit: string;
  readonly limit: number;
}
function written(payload: Payload): Written {
  const profile = (payload['csChargingProfiles'] ?? payload['chargingProfile']) as {
    stackLevel: number;
    chargingProfilePurpose: string;
    chargingSchedule: object;
  };
  const [schedule] = [profile.chargingSchedule].flat() as {
    chargingRateUnit: string;
    chargingSchedulePeriod: { limit: number }[];
  }[];
  return {
    purpose: profile.chargingProfilePurpose,
    level: profile.stackLevel,
    unit: schedule?.chargingRateUnit ?? '',
    limit: schedule?.chargingSchedulePeriod[0]?.limit ?? Number.NaN,
  };
}

/** A charger that says yes to every profile that `takes` likes. */
const charger =
  (takes: (profile: Written) => boolean = () => true): Script =>
  (action, payload) => {
    if (action === 'GetConfiguration') return result({ configurationKey: [] });
    if (action === 'GetVariables') return result({ getVariableResult: [] });
    if (action === 'SetVariables') return result({ setVariableResult: [] });
    const refused = action === 'SetChargingProfile' && !takes(written(payload));
    return result({ status: refused ? 'Rejected' : 'Accepted' });
  };

function rig(version: Version, script: Script, smartCharging?: SmartChargingTraits) {
  const clock = new HandClock();
  const link = { kind: 'ocpp', securityProfile: 0, ...(smartCharging && { smartCharging }) } as const;
  const station: Station = { ...WHOLE, link };
  const context = { clock, log: new FakeLog() };
  const open = version === 'ocpp1.6' ? openOcpp16Station : openOcpp201Station;
  const driver = open(station, new FakeHost(), context, SETTINGS);
  const connection = new FakeConnection(version, script);
  const boot = (vendor: string, model: string): Payload =>
    version === 'ocpp1.6'
      ? { chargePointVendor: vendor, chargePointModel: model }
      : { reason: 'PowerUp', chargingStation: { vendorName: vendor, model } };
  return {
    clock,
    connection,
    log: context.log,
    profiles: () => connection.of('SetChargingProfile').map(written),
    stops: () => connection.sent.filter(({ action }) => /Stop/.test(action)).length,
    up: async (vendor: string, model: string) => {
      driver.attach(connection);
      await ask(version, driver.handler, 'BootNotification', boot(vendor, model));
    },
    limit: (current: number, transaction = '41') =>
      driver.execute({
        type: 'setLimit',
        evse: evseNumber(1),
        current: ampere(current),
        stationTransactionId: stationTransactionId(transaction),
      }),
  };
}

t.test('every row fits its own model and says where it was seen', async (t) => {
  t.equal(CHARGER_MODELS.length, 8);
  const rows = [
    ...(readFileSync('deploy/CHARGERS.md', 'utf8')
      .split('## Known models')[1]
      ?.matchAll(/^\| (.+?) +\|/gm) ?? []),
  ];
  t.same(
    rows.map(([, name]) => name).slice(2),
    CHARGER_MODELS.map(({ name }) => name),
    'deploy/CHARGERS.md',
  );
  t.same(CHARGER_MODELS.map(({ name }) => name).sort(), Object.keys(SAMPLES).sort());
  for (const { name, why, source } of CHARGER_MODELS) {
    const [vendor, model] = SAMPLES[name] ?? ['', ''];
    t.equal(modelOf({ vendor, model })?.name, name);
    t.ok(why.length > 10 && source.includes('#'), name);
  }
  for (const [vendor, model] of [
    ['Acme', 'One'],
    ['', 'One'],
    ['Wall Box Chargers', 'CPB1-S-2-4'],
    ['Phoenix_Contact', 'Phoenix_Contact_M1'],
  ] as const)
    t.equal(modelOf({ vendor, model }), undefined, `${vendor} ${model}`);
});

for (const version of ['ocpp1.6', 'ocpp2.0.1'] as const)
  for (const { name, traits } of CHARGER_MODELS)
    t.test(`${name} over ${version}`, async (t) => {
      const [vendor, model] = SAMPLES[name] ?? ['', ''];
      const the = rig(version, charger());
      await the.up(vendor, model);
      const { quietAfterBoot = 0, purposes, stackLevel, units, pause, configurationUnreadable } = traits;
      if (quietAfterBoot > 0) {
        await the.clock.advance(quietAfterBoot - 1);
        t.same(the.connection.sent, [], 'left alone');
      }
      await the.clock.advance(1);
      await settled();
      t.match(await the.limit(10.55), { status: 'Accepted' });
      const told = the.profiles();
      t.ok(told.length >= 2, 'its fail-safe profile and the limit');
      if (purposes) t.ok(told.every(({ purpose }) => purposes.some((one) => one === purpose)));
      if (stackLevel !== undefined) t.ok(told.every(({ level }) => level === stackLevel));
      if (units) t.ok(told.every(({ unit }) => units.some((one) => one === unit)));
      const reads = the.connection.sent.filter(({ action }) => /^Get(Configuration|Variables)$/.test(action));
      t.equal(reads.length === 0, configurationUnreadable === true, 'its configuration');
      const paused = await the.limit(0);
      t.equal(paused.status, pause === 'stop' ? 'Rejected' : 'Accepted', 'it pauses, or is counted on');
      t.equal(the.stops(), 0, 'a shortage that passes puts nobody out');
      if (pause === 'stop') {
        t.match(the.profiles().at(-1), { limit: units?.[0] === 'W' ? 6 * 690 : 6 }, 'as little as it gives');
        await the.clock.advance(minutes(2));
        t.match(await the.limit(0), { status: 'Accepted' });
        t.equal(the.stops(), 1, 'one that does not pass does');
      }
      t.same(the.connection.invalid, []);
      t.same(the.log.errors, []);
    });

t.test('what no table knows is found out', async (t) => {
  const whole = rig(
    'ocpp1.6',
    charger(({ limit }) => Number.isInteger(limit)),
  );
  await whole.up('Acme', 'One');
  t.match(await whole.limit(10.5), { status: 'Accepted' });
  t.equal(whole.profiles().at(-1)?.limit, 10, 'never up');
  const before = whole.profiles().length;
  t.match(await whole.limit(12.7), { status: 'Accepted' });
  t.equal(whole.profiles().length, before + 1, 'and not asked again');

  const never0 = rig(
    'ocpp2.0.1',
    charger(({ limit }) => limit > 0),
  );
  await never0.up('Acme', 'One');
  t.match(await never0.limit(10), { status: 'Accepted' });
  t.match(await never0.limit(0), { status: 'Rejected' });
  t.match(await never0.limit(8), { status: 'Accepted' });
  await never0.clock.advance(minutes(2));
  t.match(await never0.limit(0), { status: 'Rejected' }, 'another shortage');
  t.equal(never0.stops(), 0);
  await never0.clock.advance(minutes(2));
  t.match(await never0.limit(0), { status: 'Accepted' });
  t.equal(never0.stops(), 1, 'its transaction is ended');
  t.match(never0.log.lines.at(-1), { level: 'warn', fields: { fault: 'FC-B05' } });

  const nothing = rig(
    'ocpp1.6',
    charger(() => false),
  );
  await nothing.up('Acme', 'One');
  t.match(await nothing.limit(0), { status: 'Rejected' });
  await nothing.clock.advance(minutes(2));
  t.match(await nothing.limit(0), { status: 'Rejected' });
  t.equal(nothing.stops(), 0, 'a charger that takes no limit is not stopped for it');
});

t.test('a charger that names the wrong unit', async (t) => {
  const takesWatts = charger(({ unit }) => unit === 'W');
  const configuration = {
    configurationKey: [{ key: 'ChargingScheduleAllowedChargingRateUnit', readonly: true, value: 'A' }],
  };
  const the = rig('ocpp1.6', (action, payload) =>
    action === 'GetConfiguration' ? result(configuration) : takesWatts(action, payload),
  );
  await the.up('Acme', 'One');
  t.match(await the.limit(10), { status: 'Accepted' });
  t.match(the.profiles().at(-1), { unit: 'W', limit: 6900 });
});

t.test('site.yaml outweighs the table', async (t) => {
  const site: SmartChargingTraits = { units: ['A'], purposes: ['TxDefaultProfile'], pause: 'zero', wholeAmperes: true };
  const the = rig('ocpp1.6', charger(), site);
  await the.up('EFR GmbH', 'SECC-01');
  await the.limit(10.5);
  t.match(the.profiles().at(-1), { purpose: 'TxDefaultProfile', unit: 'A', limit: 10 });
  const refusing = rig(
    'ocpp1.6',
    charger(({ limit }) => limit > 0),
    { pause: 'zero' },
  );
  await refusing.up('EN+', 'AC22');
  await refusing.limit(10);
  t.match(await refusing.limit(0), { status: 'Rejected' });
  t.equal(refusing.stops(), 0);
});
