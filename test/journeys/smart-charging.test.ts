// What CSMSs of both versions say of charging limits, and what comes of it at the chargers: S17, S38 and S39 on real sockets.
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { Aedes } from 'aedes';
import t, { type Test } from 'tap';
import { present } from '../peers/changes.js';
import type { RpcCharger } from '../peers/rpc-charger.js';
import type { Payload } from '../peers/wire-record.js';
import { checkSound, openWorld, type World } from '../peers/world.js';

type Json = Record<string, unknown>;

/** One period that is in force from the start of charging on. */
const profile201 = (id: number, purpose: string, limit: number, more: Json = {}): Json => ({
  id,
  stackLevel: 0,
  chargingProfilePurpose: purpose,
  chargingProfileKind: 'Relative',
  chargingSchedule: [{ id, chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit }] }],
  ...more,
});
const profile16 = (id: number, purpose: string, limit: number, unit: 'A' | 'W' = 'A', more: Json = {}): Json => ({
  chargingProfileId: id,
  stackLevel: 0,
  chargingProfilePurpose: purpose,
  chargingProfileKind: 'Relative',
  chargingSchedule: { chargingRateUnit: unit, chargingSchedulePeriod: [{ startPeriod: 0, limit }] },
  ...more,
});

const limitOf = (charger: RpcCharger): number | undefined => charger.act.limits.at(-1)?.current;
const limited = (world: World, charger: RpcCharger, to: number): Promise<true> =>
  world.changes.until(`${charger.identity} to be limited to ${to} A`, () => limitOf(charger) === to || undefined);

/** The first period of a composite of the whole next hour. */
async function composite(csms: World['authority'], slot: number): Promise<number | undefined> {
  const old = csms.version === 'ocpp1.6';
  const answer = await csms.ask('GetCompositeSchedule', {
    [old ? 'connectorId' : 'evseId']: slot,
    duration: 3600,
    chargingRateUnit: 'A',
  });
  const schedule = (answer['chargingSchedule'] ?? answer['schedule']) as
    | { chargingSchedulePeriod: { limit: number }[] }
    | undefined;
  return schedule?.chargingSchedulePeriod[0]?.limit;
}

void t.test('S17: a remote start brings its own profile, whatever the versions', async (t) => {
  for (const authority of ['ocpp2.0.1', 'ocpp1.6'] as const) {
    const world = await openWorld(t, { chargers: ['ocpp1.6'], authority });
    await world.ready();
    const charger = await world.powerUp(1);
    await charger.act.plug();
    const start = (profile: Json): Promise<Payload> =>
      authority === 'ocpp1.6'
        ? world.authority.ask('RemoteStartTransaction', { connectorId: 1, idTag: 'CARD1', chargingProfile: profile })
        : world.authority.ask('RequestStartTransaction', {
            evseId: 1,
            remoteStartId: 7,
            idToken: { idToken: 'CARD1', type: 'ISO14443' },
            chargingProfile: profile,
          });
    const make = (purpose: string, limit: number): Json =>
      authority === 'ocpp1.6' ? profile16(5, purpose, limit) : profile201(5, purpose, limit);
    const refused = await start(make('TxDefaultProfile', 10));
    t.equal(refused['status'], 'Rejected', 'only a TxProfile');
    if (authority === 'ocpp2.0.1') t.match(refused, { statusInfo: { reasonCode: 'InvalidProfile' } });
    t.equal(charger.act.starts, 0);
    t.match(await start(make('TxProfile', 10)), { status: 'Accepted' });
    await limited(world, charger, 10);
    await charger.act.stop();
    await charger.act.unplug();
    await world.changes.until('the end', () => world.authority.book.latest(1)?.ended);
    t.equal(await composite(world.authority, 1), 32, 'the next visit is not bound by it');
    await checkSound(t, world);
    await world.gateway.stop();
  }
});

void t.test('S38: profiles are taken, replaced, refused, read back and outlive a restart', async (t) => {
  const world = await openWorld(t, { chargers: ['ocpp2.0.1'], authority: 'ocpp2.0.1' });
  const { authority } = world;
  await world.ready();
  const charger = await world.powerUp(1);
  const set = async (profile: Json, evseId = 1): Promise<string> => {
    const answer = await authority.ask('SetChargingProfile', { evseId, chargingProfile: profile });
    const reason = (answer['statusInfo'] as { reasonCode: string } | undefined)?.reasonCode;
    return [answer['status'], reason].filter(Boolean).join(' ');
  };
  t.equal(await set(profile201(1, 'TxDefaultProfile', 20)), 'Accepted');
  t.equal(await set(profile201(2, 'TxDefaultProfile', 20)), 'Rejected DuplicateProfile');
  t.equal(await set(profile201(2, 'TxProfile', 9, { transactionId: 'nobody' })), 'Rejected TxNotFound');
  t.equal(await set(profile201(3, 'ChargingStationExternalConstraints', 9), 0), 'Rejected InvalidProfile');
  t.equal(await set(profile201(3, 'TxDefaultProfile', 9), 7), 'Rejected UnknownEvse');
  await world.gateway.restart();
  await world.changes.until('the gateway to be back', () => authority.boots >= 2 && authority.connected);
  await world.powerUp(1);
  t.equal(await composite(authority, 1), 20);
  await charger.act.plug();
  await charger.act.start({ idToken: 'CARD1' });
  await limited(world, charger, 20);
  const tx = await world.changes.until('the start', () => authority.book.latest(1)?.id);
  t.equal(await set(profile201(2, 'TxProfile', 12, { transactionId: tx })), 'Accepted');
  await limited(world, charger, 12);
  t.match(await authority.ask('ClearChargingProfile', { chargingProfileId: 2 }), { status: 'Accepted' });
  t.match(await authority.ask('ClearChargingProfile', { chargingProfileId: 2 }), { status: 'Unknown' });
  t.equal(await composite(authority, 1), 20);
  await authority.ask('GetChargingProfiles', { requestId: 4, chargingProfile: { chargingLimitSource: ['CSO'] } });
  const report = await world.changes.until('the report', () => authority.record.of('ReportChargingProfiles').at(-1));
  t.match(report.payload, { requestId: 4, evseId: 1, chargingProfile: [{ id: 1 }], tbc: false });
  await charger.act.stop();
  await world.changes.until('the end', () => authority.book.latest(1)?.ended);
  await checkSound(t, world);
  await world.gateway.stop();
});

/** A broker of the grid operator. */
async function gridOperator(t: Test): Promise<{ url: string; say: (limit: string) => void }> {
  const broker = await Aedes.createBroker();
  const server = createServer(broker.handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(async () => {
    await new Promise<void>((resolve) => broker.close(() => resolve()));
    server.close();
  });
  const topic = 'forecourt/SITE-01/grid-operator-limit/set';
  return {
    url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`,
    say: (limit) =>
      broker.publish({ cmd: 'publish', topic, payload: limit, qos: 1, retain: false, dup: false }, () => undefined),
  };
}

void t.test(
  'S39: a CSMS, a limiter and the grid operator: the least holds, and each is told of the others',
  async (t) => {
    const operator = await gridOperator(t);
    const world = await openWorld(t, {
      chargers: ['ocpp2.0.1', 'ocpp1.6'],
      authority: 'ocpp2.0.1',
      limiter: 'ocpp1.6',
      broker: operator.url,
      yaml: 'balancing: { grid-operator-limit: { from: mqtt, failsafe: 80 kW } }',
    });
    const { authority, changes } = world;
    const limiter = present(world.limiter, 'limiter');
    await world.ready();
    operator.say('none');
    for (const number of [1, 2]) {
      const charger = await world.powerUp(number);
      await charger.act.plug();
      await charger.act.start({ idToken: `CARD${number}` });
      await limited(world, charger, 32);
    }
    const [first, second] = [world.charger(1), world.charger(2)];
    const setBy = async (csms: typeof authority, profile: Json, slot: number): Promise<unknown> => {
      const old = csms.version === 'ocpp1.6';
      const request = old
        ? { connectorId: slot, csChargingProfiles: profile }
        : { evseId: slot, chargingProfile: profile };
      return (await csms.ask('SetChargingProfile', request))['status'];
    };
    t.equal(await setBy(authority, profile201(1, 'TxDefaultProfile', 20), 1), 'Accepted');
    await limited(world, first, 20);
    t.equal(await setBy(limiter, profile16(1, 'TxDefaultProfile', 10), 1), 'Rejected', 'a limiter only caps');
    // 33,120 W are 48 A on each of three phases, for both cars together.
    t.equal(await setBy(limiter, profile16(1, 'ChargePointMaxProfile', 33_120, 'W'), 0), 'Accepted');
    await limited(world, second, 28);
    t.equal(limitOf(first), 20);
    for (const csms of [authority, limiter]) {
      t.equal(await composite(csms, 1), 20, csms.record.peer);
      t.equal(await composite(csms, 0), 48, csms.record.peer);
    }
    const notices = (): readonly Payload[] => authority.record.of('NotifyChargingLimit').map(({ payload }) => payload);
    await changes.until('the cap of the other to be told', () =>
      notices().some(({ evseId, chargingLimit }) => evseId === 2 && is(chargingLimit, 'Other')),
    );
    operator.say('25');
    await changes.until('both to be lowered', () => (limitOf(first) ?? 32) + (limitOf(second) ?? 32) <= 25);
    await changes.until('the grid operator to be named', () =>
      notices().some(({ evseId, chargingLimit }) => evseId === undefined && is(chargingLimit, 'SO')),
    );
    t.equal(await composite(limiter, 0), 25, 'known to the 1.6 CSMS by its composite');
    await authority.ask('GetChargingProfiles', { requestId: 9, chargingProfile: { chargingLimitSource: ['SO'] } });
    const report = await changes.until('external constraints', () =>
      authority.record.of('ReportChargingProfiles').find(({ payload }) => payload['evseId'] === 0),
    );
    t.match(report.payload, {
      chargingLimitSource: 'SO',
      chargingProfile: [{ id: -1, chargingProfilePurpose: 'ChargingStationExternalConstraints' }],
    });
    operator.say('none');
    await changes.until(
      'the end of the limit to be told',
      () => authority.record.of('ClearedChargingLimit').length > 0,
    );
    for (const number of [1, 2]) await world.charger(number).act.stop();
    await changes.until('the ends', () => [1, 2].every((slot) => authority.book.latest(slot)?.ended));
    await checkSound(t, world);
    await world.gateway.stop();
  },
);

const is = (limit: unknown, source: string): boolean =>
  (limit as { chargingLimitSource: string } | undefined)?.chargingLimitSource === source;
