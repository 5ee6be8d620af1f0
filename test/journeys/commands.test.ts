// What a cloud may ask for, in both versions: every action is answered in its schema, and the ones that matter do what they say.
import t, { type Test } from 'tap';
import { answer } from '../peers/reactions.js';
import { REQUESTS_16, REQUESTS_201 } from '../peers/requests.js';
import type { RpcCsms } from '../peers/rpc-csms.js';
import { checkEnergy, checkSound, openWorld, type World } from '../peers/world.js';
import type { OcppVersion, Payload } from '../peers/wire-record.js';

const VERSIONS: readonly OcppVersion[] = ['ocpp1.6', 'ocpp2.0.1'];
const IN_SCHEMA_ERRORS: ReadonlySet<string> = new Set(['NotImplemented', 'NotSupported']);

const isOld = (csms: RpcCsms): boolean => csms.version === 'ocpp1.6';

const remoteStart = (csms: RpcCsms, idToken: string, slot?: number, chargingProfile?: Payload): Promise<Payload> =>
  isOld(csms)
    ? csms.ask('RemoteStartTransaction', {
        idTag: idToken,
        ...(slot !== undefined && { connectorId: slot }),
        ...(chargingProfile && { chargingProfile }),
      })
    : csms.ask('RequestStartTransaction', {
        idToken: { idToken, type: 'ISO14443' },
        remoteStartId: 77,
        ...(slot !== undefined && { evseId: slot }),
        ...(chargingProfile && { chargingProfile }),
      });

const remoteStop = (csms: RpcCsms, id: string): Promise<Payload> =>
  isOld(csms)
    ? csms.ask('RemoteStopTransaction', { transactionId: Number(id) })
    : csms.ask('RequestStopTransaction', { transactionId: id });

const setAvailability = (csms: RpcCsms, slot: number | undefined, operative: boolean): Promise<Payload> => {
  const word = operative ? 'Operative' : 'Inoperative';
  return isOld(csms)
    ? csms.ask('ChangeAvailability', { connectorId: slot ?? 0, type: word })
    : csms.ask('ChangeAvailability', { operationalStatus: word, ...(slot !== undefined && { evse: { id: slot } }) });
};

const settled = (world: World, slot: number, status: string): Promise<unknown> =>
  Promise.all(
    world.csmss.map((csms) =>
      world.changes.until(`${csms.record.peer} to see ${status} on ${slot}`, () => csms.book.status(slot) === status),
    ),
  );

const maxProfile = (csms: RpcCsms, id: number, limit: number): Payload =>
  isOld(csms)
    ? {
        chargingProfileId: id,
        stackLevel: 1,
        chargingProfilePurpose: 'TxDefaultProfile',
        chargingProfileKind: 'Relative',
        chargingSchedule: { chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit }] },
      }
    : {
        id,
        stackLevel: 1,
        chargingProfilePurpose: 'TxDefaultProfile',
        chargingProfileKind: 'Relative',
        chargingSchedule: [{ id: 1, chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit }] }],
      };

for (const version of VERSIONS)
  void t.test(`the authority speaks ${version}`, async (t) => {
    const observer = version === 'ocpp1.6' ? 'ocpp2.0.1' : 'ocpp1.6';
    const world = await openWorld(t, { chargers: VERSIONS, authority: version, observer });
    await world.ready();
    for (const number of [1, 2]) {
      await world.powerUp(number);
      await settled(world, number, 'Available');
    }
    await t.test('every action is answered in its schema', (t) => everyAction(t, world));
    await t.test('the configuration can be read whole', (t) => configuration(t, world));
    for (const number of [1, 2]) {
      const about = `a charger of ${world.charger(number).version}`;
      await t.test(`S38: a profile bounds the charger, ${about}`, (t) => bounded(t, world, number));
      await t.test(`S16: remote start and stop, ${about}`, (t) => remote(t, world, number));
      await t.test(`S11: availability of one EVSE, ${about}`, (t) => availability(t, world, number));
    }
    await t.test('S11: the whole station, one charger offline, and over a restart', (t) =>
      stationAvailability(t, world),
    );
    await t.test('S44: every trigger', (t) => triggers(t, world));
    await t.test('S44: DataTransfer, wrapped for a charger', (t) => dataTransfer(t, world));
    await t.test('S36: local list, and over a restart', (t) => localList(t, world));
    await checkSound(t, world);
  });

async function everyAction(t: Test, world: World): Promise<void> {
  for (const csms of world.csmss) {
    const requests = isOld(csms) ? REQUESTS_16 : REQUESTS_201;
    for (const [action, payload] of Object.entries(requests)) {
      const result = await csms.command(action, payload);
      t.ok(
        result.kind === 'result' || IN_SCHEMA_ERRORS.has(result.code),
        `${csms.record.peer} ${action}: ${JSON.stringify(result)}`,
      );
    }
    const unknown = await csms.command('ClearCache', {});
    t.equal(unknown.kind, 'result', 'and it goes on answering');
  }
  t.equal(
    world.chargers.reduce((sum, { act }) => sum + act.starts, 0),
    0,
  );
}

async function configuration(t: Test, world: World): Promise<void> {
  for (const csms of world.csmss) {
    if (isOld(csms)) {
      const all = (await csms.ask('GetConfiguration', {})) as {
        readonly configurationKey: readonly {
          readonly key: string;
          readonly readonly: boolean;
          readonly value?: string;
        }[];
        readonly unknownKey?: readonly string[];
      };
      const keys = new Map(all.configurationKey.map((entry) => [entry.key, entry]));
      t.equal(keys.get('NumberOfConnectors')?.value, '2');
      t.ok(keys.size > 35 && all.unknownKey === undefined);
      t.equal(keys.size, all.configurationKey.length, 'no key twice');
      const [key] = [...keys.keys()];
      t.match(await csms.ask('GetConfiguration', { key: [key, 'Nonsense'] }), { unknownKey: ['Nonsense'] });
    } else {
      t.match(await csms.ask('GetBaseReport', { requestId: 55, reportBase: 'FullInventory' }), { status: 'Accepted' });
      const chunks = await world.changes.until('the last chunk', () => {
        const told = csms.record.of('NotifyReport').filter(({ payload }) => payload['requestId'] === 55);
        return told.at(-1)?.payload['tbc'] !== true && told.length > 0 && told;
      });
      t.same(
        chunks.map(({ payload }) => payload['seqNo']),
        chunks.map((_, index) => index),
      );
      const reported = chunks.flatMap(({ payload }) => payload['reportData'] as readonly Reported[]);
      t.ok(reported.length > 100);
      // What is reported can be read, under the same name.
      const readable = reported.filter(({ variableAttribute: [attribute] }) => attribute?.mutability !== 'WriteOnly');
      const { getVariableResult } = (await csms.ask('GetVariables', {
        getVariableData: readable.slice(0, 150).map(({ component, variable }) => ({ component, variable })),
      })) as { readonly getVariableResult: readonly { readonly attributeStatus: string }[] };
      t.same([...new Set(getVariableResult.map(({ attributeStatus }) => attributeStatus))], ['Accepted']);
    }
    for (const slot of [0, 1]) {
      const asked = isOld(csms) ? { connectorId: slot, duration: 600 } : { evseId: slot, duration: 600 };
      t.match(await csms.ask('GetCompositeSchedule', asked), { status: 'Accepted' });
    }
  }
}

interface Reported {
  readonly component: Payload;
  readonly variable: Payload;
  readonly variableAttribute: readonly { readonly mutability?: string }[];
}

async function remote(t: Test, world: World, number: number): Promise<void> {
  const { authority, observer, changes } = world;
  const charger = world.charger(number);
  const action = charger.version === 'ocpp1.6' ? 'RemoteStartTransaction' : 'RequestStartTransaction';
  const before = charger.act.starts;
  t.match(await remoteStart(observer, 'REMOTE', number), { status: 'Rejected' }, 'an observer may not');
  t.match(await remoteStart(authority, 'REMOTE'), { status: 'Rejected' }, 'nowhere: no car waits');
  t.match(await remoteStart(authority, 'REMOTE', 99), { status: 'Rejected' }, 'no such place');
  authority.tokens.set('BLOCKED', 'Blocked');
  const judged = isOld(authority)
    ? await authority.ask('ChangeConfiguration', { key: 'AuthorizeRemoteTxRequests', value: 'true' })
    : await authority.ask('SetVariables', {
        setVariableData: [
          { component: { name: 'AuthCtrlr' }, variable: { name: 'AuthorizeRemoteStart' }, attributeValue: 'true' },
        ],
      });
  t.match(JSON.stringify(judged), /"(status|attributeStatus)":"Accepted"/);
  t.match(await remoteStart(authority, 'BLOCKED', number), { status: 'Rejected' }, 'a token that is refused');
  charger.scripts.once(action, answer({ status: 'Rejected' }));
  t.match(await remoteStart(authority, 'REMOTE', number), { status: 'Rejected' }, 'the charger does not want to');
  await charger.act.faulted();
  await settled(world, number, 'Faulted');
  t.match(await remoteStart(authority, 'REMOTE', number), { status: 'Rejected' }, 'a fault');
  await charger.act.available();
  await settled(world, number, 'Available');
  t.match(await remoteStop(authority, isOld(authority) ? '987654' : 'none'), { status: 'Rejected' });
  t.equal(charger.act.starts, before);

  await charger.act.plug();
  await Promise.all(
    world.csmss.map((csms) => settled({ ...world, csmss: [csms] }, number, isOld(csms) ? 'Preparing' : 'Occupied')),
  );
  const from = charger.act.register;
  t.match(await remoteStart(authority, 'REMOTE'), { status: 'Accepted' }, 'the only car that waits is meant');
  for (const csms of world.csmss) await changes.until('the start', () => csms.book.latest(number)?.ended === false);
  const booked = authority.book.latest(number);
  t.match(booked, { idToken: 'REMOTE', ...(isOld(authority) ? {} : { remoteStartId: 77 }) });
  if (!isOld(authority)) t.equal(booked?.triggers[0], 'RemoteStart');
  t.match(await remoteStart(authority, 'SECOND', number), { status: 'Rejected' }, 'it is taken');
  await charger.act.charge(100);
  t.match(
    await remoteStop(observer, observer.book.latest(number)?.id ?? ''),
    { status: 'Rejected' },
    'not by an observer',
  );
  t.match(await remoteStop(authority, booked?.id ?? ''), { status: 'Accepted' });
  for (const csms of world.csmss) await changes.until('the stop', () => csms.book.latest(number)?.ended);
  t.equal(authority.book.latest(number)?.reason, 'Remote');
  t.match(await remoteStop(authority, booked?.id ?? ''), { status: 'Rejected' }, 'it has ended');
  await charger.act.unplug();
  await settled(world, number, 'Available');
  await checkEnergy(t, world, number, { from, to: from + 100 });
  t.equal(charger.act.starts, before + 1);
}

async function bounded(t: Test, world: World, number: number): Promise<void> {
  const { authority, changes } = world;
  const { act } = world.charger(number);
  const profile = maxProfile(authority, 40 + number, 11);
  const [slotKey, profileKey] = isOld(authority)
    ? ['connectorId', 'csChargingProfiles']
    : ['evseId', 'chargingProfile'];
  t.match(await authority.ask('SetChargingProfile', { [slotKey]: number, [profileKey]: profile }), {
    status: 'Accepted',
  });
  await act.plug();
  await act.authorize('CARD1');
  const mark = act.limits.length;
  await act.start({ idToken: 'CARD1' });
  await act.charge(10);
  // A raise follows the command before it after ten seconds at the earliest.
  const inForce = await changes.until(
    'a limit of 11 A',
    () => {
      const last = act.limits.slice(mark).at(-1);
      return last?.current === 11 && last;
    },
    15_000,
  );
  t.equal(inForce.purpose, 'TxProfile');
  t.ok(
    act.limits.slice(mark).every(({ current }) => current <= 11),
    'never more',
  );
  const composite = await authority.ask('GetCompositeSchedule', { [slotKey]: number, duration: 300 });
  t.match(JSON.stringify(composite), /"limit":11\b/);
  const lower = { [slotKey]: number, [profileKey]: maxProfile(authority, 40 + number, 8) };
  t.match(await authority.ask('SetChargingProfile', lower), { status: 'Accepted' }, 'replaced under the same id');
  await changes.until('a limit of 8 A', () => act.limits.at(-1)?.current === 8);
  const cleared = isOld(authority) ? { id: 40 + number } : { chargingProfileId: 40 + number };
  t.match(await authority.ask('ClearChargingProfile', cleared), { status: 'Accepted' });
  t.match(await authority.ask('ClearChargingProfile', cleared), { status: 'Unknown' }, 'it is gone');
  await act.stop();
  await act.unplug();
  await settled(world, number, 'Available');
}

async function availability(t: Test, world: World, number: number): Promise<void> {
  const { authority, changes } = world;
  const { act } = world.charger(number);
  t.match(await setAvailability(authority, number, false), { status: 'Accepted' });
  await settled(world, number, 'Unavailable');
  t.match(await remoteStart(authority, 'REMOTE', number), { status: 'Rejected' });
  t.match(await setAvailability(authority, number, true), { status: 'Accepted' });
  await settled(world, number, 'Available');
  await act.plug();
  await act.authorize('CARD1');
  await act.start({ idToken: 'CARD1' });
  for (const csms of world.csmss) await changes.until('the start', () => csms.book.latest(number)?.ended === false);
  t.match(await setAvailability(authority, number, false), { status: 'Scheduled' });
  t.not(authority.book.status(number), 'Unavailable', 'the transaction goes on');
  await act.stop();
  await act.unplug();
  await settled(world, number, 'Unavailable');
  t.match(await setAvailability(authority, number, true), { status: 'Accepted' });
  await settled(world, number, 'Available');
}

async function stationAvailability(t: Test, world: World): Promise<void> {
  const { authority, changes, gateway } = world;
  const charger = world.charger(1);
  await charger.drop();
  await changes.until('the loss to be seen', () =>
    gateway.lines.some(({ msg, station }) => msg === 'station disconnected' && station === 'CP1'),
  );
  t.match(await setAvailability(authority, undefined, false), { status: 'Accepted' });
  await settled(world, 2, 'Unavailable');
  await gateway.restart();
  await changes.until('the authority to be back', () => authority.boots === 2);
  await settled(world, 1, 'Unavailable');
  const mark = charger.record.of('ChangeAvailability').length;
  await world.powerUp(1);
  await world.powerUp(2);
  const told = await changes.until('the charger to be told', () => charger.record.of('ChangeAvailability')[mark]);
  t.match(JSON.stringify(told.payload), /Inoperative/);
  t.equal(authority.book.status(1), 'Unavailable');
  t.match(await setAvailability(authority, undefined, true), { status: 'Accepted' });
  await settled(world, 1, 'Available');
  await settled(world, 2, 'Available');
}

async function triggers(t: Test, world: World): Promise<void> {
  const { changes } = world;
  const charger = world.charger(1);
  await charger.act.plug();
  await charger.act.authorize('CARD1');
  await charger.act.start({ idToken: 'CARD1' });
  await charger.act.charge(20);
  for (const csms of world.csmss) await changes.until('the start', () => csms.book.latest(1)?.ended === false);
  for (const csms of world.csmss) {
    const expected: readonly (readonly [asked: string, told: string])[] = [
      ['Heartbeat', 'Heartbeat'],
      ['StatusNotification', 'StatusNotification'],
      ['MeterValues', 'MeterValues'],
      ['FirmwareStatusNotification', 'FirmwareStatusNotification'],
      isOld(csms)
        ? ['DiagnosticsStatusNotification', 'DiagnosticsStatusNotification']
        : ['LogStatusNotification', 'LogStatusNotification'],
      ...(isOld(csms) ? [] : [['TransactionEvent', 'TransactionEvent'] as const]),
    ];
    for (const [requestedMessage, told] of expected) {
      const mark = csms.record.of(told).length;
      t.match(await csms.ask('TriggerMessage', { requestedMessage }), { status: 'Accepted' }, requestedMessage);
      await changes.until(`${told} to ${csms.record.peer}`, () => csms.record.of(told).length > mark);
    }
    t.match(await csms.ask('TriggerMessage', { requestedMessage: 'BootNotification' }), { status: 'Rejected' });
    const missing = isOld(csms) ? { connectorId: 99 } : { evse: { id: 99 } };
    t.match(await csms.ask('TriggerMessage', { requestedMessage: 'StatusNotification', ...missing }), {
      status: 'Rejected',
    });
  }
  await charger.act.stop();
  await charger.act.unplug();
  await settled(world, 1, 'Available');
}

async function dataTransfer(t: Test, world: World): Promise<void> {
  const { authority } = world;
  const charger = world.charger(2);
  charger.scripts.once('DataTransfer', answer({ status: 'Accepted', data: 'pong' }));
  const inner = { evseId: 2, vendorId: 'com.example', messageId: 'Ping', data: 'ping' };
  const data = isOld(authority) ? JSON.stringify(inner) : inner;
  t.match(await authority.ask('DataTransfer', { vendorId: 'org.forecourt', messageId: 'Charger', data }), {
    status: 'Accepted',
    data: 'pong',
  });
  t.match(charger.record.of('DataTransfer').at(-1)?.payload, {
    vendorId: 'com.example',
    messageId: 'Ping',
    data: 'ping',
  });
  t.match(await authority.ask('DataTransfer', { vendorId: 'com.example' }), { status: 'UnknownVendorId' });
}

async function localList(t: Test, world: World): Promise<void> {
  const { authority, gateway, changes } = world;
  const entry = (idToken: string, status?: string): Payload =>
    isOld(authority)
      ? { idTag: idToken, ...(status !== undefined && { idTagInfo: { status } }) }
      : { idToken: { idToken, type: 'ISO14443' }, ...(status !== undefined && { idTokenInfo: { status } }) };
  const send = (version: number, updateType: string, localAuthorizationList: readonly Payload[]): Promise<Payload> =>
    authority.ask('SendLocalList', {
      [isOld(authority) ? 'listVersion' : 'versionNumber']: version,
      updateType,
      ...(localAuthorizationList.length > 0 && { localAuthorizationList }),
    });
  const version = async (): Promise<unknown> =>
    (await authority.ask('GetLocalListVersion'))[isOld(authority) ? 'listVersion' : 'versionNumber'];
  const { act } = world.charger(1);

  t.match(await send(10, 'Full', [entry('IN', 'Accepted'), entry('OUT', 'Blocked')]), { status: 'Accepted' });
  t.equal(await version(), 10);
  const asked = authority.record.of('Authorize').length;
  t.equal(await act.authorize('IN'), 'Accepted');
  t.equal(authority.record.of('Authorize').length, asked, 'the list decides, nobody is asked');
  t.match(await send(11, 'Differential', [entry('IN'), entry('NEW', 'Accepted')]), { status: 'Accepted' });
  t.match(await send(11, 'Differential', [entry('X', 'Accepted')]), { status: 'VersionMismatch' });
  t.match(await send(9, 'Differential', [entry('X', 'Accepted')]), { status: 'VersionMismatch' });
  t.equal(await version(), 11);

  await gateway.restart();
  await changes.until('the authority to be back', () => authority.boots === 3);
  t.equal(await version(), 11, 'kept over a restart');
  await authority.stop();
  await world.powerUp(1);
  t.equal(await act.authorize('NEW'), 'Accepted');
  t.not(await act.authorize('IN'), 'Accepted', 'it was taken off the list');
  t.not(await act.authorize('OUT'), 'Accepted');
  await authority.start();
}
