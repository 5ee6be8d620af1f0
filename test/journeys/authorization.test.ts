// S21, S22, S35 to S37: lists, groups and long tokens on real sockets, through outages and kill -9.
import t, { type Test } from 'tap';
import { aliasOf } from '../../gateway/site/token-alias.js';
import type { RpcCsms } from '../peers/rpc-csms.js';
import { checkSound, openWorld, type World } from '../peers/world.js';
import type { OcppVersion, Payload } from '../peers/wire-record.js';

const VERSIONS: readonly OcppVersion[] = ['ocpp1.6', 'ocpp2.0.1'];
/** A contract of an electric mobility provider: 2.0.1 carries it, 1.6 does not. */
const CONTRACT = 'NL-TNM-C00122045K-OF-SOME-MORE';

interface Listed {
  readonly status: string;
  readonly group?: string;
}

/** SendLocalList in the words of either version; an entry without verdict is removed. */
async function sendList(
  csms: RpcCsms,
  version: number,
  updateType: 'Full' | 'Differential',
  entries: Readonly<Record<string, Listed | undefined>>,
): Promise<unknown> {
  const old = csms.version === 'ocpp1.6';
  const list = Object.entries(entries).map(([id, listed]): Payload => {
    if (old)
      return {
        idTag: id,
        ...(listed && { idTagInfo: { status: listed.status, parentIdTag: listed.group ?? '' } }),
      };
    return {
      idToken: { idToken: id, type: 'ISO14443' },
      ...(listed && {
        idTokenInfo: {
          status: listed.status,
          ...(listed.group !== undefined && { groupIdToken: { idToken: listed.group, type: 'Central' } }),
        },
      }),
    };
  });
  const answer = await csms.ask('SendLocalList', {
    [old ? 'listVersion' : 'versionNumber']: version,
    updateType,
    ...(list.length > 0 && { localAuthorizationList: list }),
  });
  return answer['status'];
}

async function listVersion(csms: RpcCsms): Promise<unknown> {
  const answer = await csms.ask('GetLocalListVersion');
  return answer[csms.version === 'ocpp1.6' ? 'listVersion' : 'versionNumber'];
}

async function restart(world: World): Promise<void> {
  const { boots } = world.authority;
  await world.gateway.kill();
  await world.gateway.start();
  await world.changes.until('the gateway to boot', () => world.authority.boots > boots);
  await world.changes.until('the authority to be told everything', () => world.authority.book.status(2) !== undefined);
}

for (const version of VERSIONS)
  void t.test(`the authority speaks ${version}`, async (t) => {
    const yaml = 'authorization: { offline: accept-unknown, timeout: 1 s }';
    const world = await openWorld(t, { chargers: VERSIONS, authority: version, yaml });
    await world.ready();
    for (const number of [1, 2]) await world.powerUp(number);
    await t.test('S36: the list and its versions', (t) => lists(t, world));
    await t.test('S21, S22: offline after a kill, the list, the cache and the groups still hold', (t) =>
      offline(t, world),
    );
    if (version === 'ocpp1.6') await t.test('S37: a long token', (t) => aliases(t, world));
    await checkSound(t, world);
    await world.gateway.stop();
  });

async function lists(t: Test, world: World): Promise<void> {
  const { authority } = world;
  const accepted = { status: 'Accepted' };
  t.equal(await listVersion(authority), 0);
  t.equal(await sendList(authority, 5, 'Full', { A: accepted, B: accepted }), 'Accepted');
  t.equal(await sendList(authority, 5, 'Differential', { C: accepted }), 'VersionMismatch');
  t.equal(await sendList(authority, 6, 'Differential', { C: accepted, A: undefined }), 'Accepted');
  t.equal(await listVersion(authority), 6);
  const asked = () => authority.record.of('Authorize').length;
  const before = asked();
  t.equal(await world.charger(1).act.authorize('C'), 'Accepted');
  t.equal(asked(), before, 'the list answers');
  await world.charger(1).act.authorize('A');
  t.equal(asked(), before + 1, 'what was removed is asked about');
  t.equal(await sendList(authority, 7, 'Full', {}), 'Accepted');
  t.equal(await listVersion(authority), 0, 'an empty list has no version');
}

async function offline(t: Test, world: World): Promise<void> {
  const { authority } = world;
  const listed = { OWNER: { status: 'Accepted', group: 'FLEET' }, COLLEAGUE: { status: 'Accepted', group: 'FLEET' } };
  t.equal(await sendList(authority, 8, 'Full', { ...listed, BARRED: { status: 'Blocked' } }), 'Accepted');
  authority.tokens.set('CHEAT', 'Blocked');
  t.not(await world.charger(1).act.authorize('CHEAT'), 'Accepted');
  await world.charger(1).act.plug();
  t.equal(await world.charger(1).act.authorize('OWNER'), 'Accepted');
  await world.charger(1).act.start({ idToken: 'OWNER' });
  await world.changes.until('the start', () => authority.book.latest(1)?.ended === false);
  await authority.settle();
  await authority.stop();
  await world.gateway.kill();
  await world.gateway.start();
  for (const number of [1, 2]) await world.charger(number).connect();
  const { act } = world.charger(2);
  t.not(await act.authorize('BARRED'), 'Accepted', 'a list that says no, although unknown ones may');
  t.not(await act.authorize('CHEAT'), 'Accepted', 'and so does the cache');
  t.equal(await act.authorize('NOBODY'), 'Accepted', 'an unknown one');
  t.not(await world.charger(1).act.authorize('STRANGER'), 'Accepted', 'no leave to stop');
  t.equal(await world.charger(1).act.authorize('COLLEAGUE'), 'Accepted', 'of the same group');
  await world.charger(1).act.stop({ idToken: 'COLLEAGUE' });
  await world.charger(1).act.unplug();
  await authority.start();
  await world.changes.until('the end', () => authority.book.latest(1)?.ended === true, 20_000);
}

async function aliases(t: Test, world: World): Promise<void> {
  const { authority, changes } = world;
  const alias = aliasOf({ idToken: CONTRACT, type: 'eMAID' });
  const { act } = world.charger(2);
  await act.plug();
  t.equal(await act.authorize(CONTRACT), 'Accepted');
  t.equal(authority.record.of('Authorize').at(-1)?.payload['idTag'], alias);
  await act.start({ idToken: CONTRACT });
  await changes.until('the start', () => authority.book.latest(2)?.ended === false);
  t.equal(authority.book.latest(2)?.idToken, alias);
  await act.stop();
  await act.unplug();
  await changes.until('the end', () => authority.book.latest(2)?.ended === true);
  await restart(world);
  for (const number of [1, 2]) await world.charger(number).connect();
  await act.boot();
  await act.available();
  await act.plug();
  await changes.until('the car', () => authority.book.status(2) === 'Preparing');
  t.match(await authority.ask('RemoteStartTransaction', { idTag: alias, connectorId: 2 }), { status: 'Accepted' });
  const asked = world.charger(2).record.of('RequestStartTransaction').at(-1)?.payload;
  t.match(asked, { idToken: { idToken: CONTRACT } }, 'the alias finds its token after kill -9');
  await act.unplug();
}
