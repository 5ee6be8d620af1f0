// A cloud that refuses, keeps silent, answers late or drops the line loses nothing and doubles nothing.
import t, { type Test } from 'tap';
import { hurry } from '../peers/link-settings.js';
import { answer, callError, drop, held, silence } from '../peers/reactions.js';
import type { RpcCsms } from '../peers/rpc-csms.js';
import { checkEnergy, checkSound, openWorld, type World } from '../peers/world.js';
import type { OcppVersion } from '../peers/wire-record.js';

const VERSIONS: readonly OcppVersion[] = ['ocpp1.6', 'ocpp2.0.1'];
const isOld = (csms: RpcCsms): boolean => csms.version === 'ocpp1.6';

for (const version of VERSIONS)
  void t.test(`the authority speaks ${version}`, async (t) => {
    const observer = version === 'ocpp1.6' ? 'ocpp2.0.1' : 'ocpp1.6';
    const yaml = 'authorization: { timeout: 1 s }';
    const world = await openWorld(t, { chargers: VERSIONS, authority: version, observer, yaml });
    await world.ready();
    for (const csms of world.csmss) await hurry(csms);
    for (const number of [1, 2]) await world.powerUp(number);
    await t.test('S34: the answer to Authorize is late, an error, or never comes', (t) => authorize(t, world));
    await t.test('S26: refusals are repeated under new ids', (t) => refusals(t, world));
    await t.test('S27: the line drops when a start was stored', (t) => lostAnswer(t, world));
    // Both versions are silent in the first world already.
    if (version === 'ocpp1.6') await t.test('S26: silence at the end of a transaction', (t) => silentStop(t, world));
    await t.test('S24: the driver is refused at the start', (t) => refusedDriver(t, world));
    await checkSound(t, world);
  });

async function authorize(t: Test, world: World): Promise<void> {
  const { authority, changes } = world;
  const { act } = world.charger(1);
  const late = held();
  authority.scripts.once('Authorize', late.script);
  const asked = act.authorize('LATE');
  await changes.until('the question', () => late.waiting === 1);
  late.release(authority.usual('Authorize', authority.record.of('Authorize').at(-1)?.payload ?? {}));
  t.equal(await asked, 'Accepted', 'late, but in time');
  authority.scripts.once('Authorize', callError('InternalError'));
  t.not(await act.authorize('UNLUCKY'), 'Accepted', 'an error: the offline rules decide');
  const never = held();
  authority.scripts.once('Authorize', never.script);
  const begun = performance.now();
  t.not(await act.authorize('FORGOTTEN'), 'Accepted');
  t.ok(performance.now() - begun < 2500, 'the driver does not wait for the cloud');
  never.release(
    answer(isOld(authority) ? { idTagInfo: { status: 'Accepted' } } : { idTokenInfo: { status: 'Accepted' } }),
  );
  t.equal(await act.authorize('LATE'), 'Accepted', 'and the cloud is asked again');
}

const startOf = (csms: RpcCsms): string => (isOld(csms) ? 'StartTransaction' : 'TransactionEvent');
const stopOf = (csms: RpcCsms): string => (isOld(csms) ? 'StopTransaction' : 'TransactionEvent');

async function visit(world: World, number: number, between: () => Promise<void> = () => Promise.resolve()) {
  const { act } = world.charger(number);
  const from = act.register;
  await act.plug();
  await act.authorize('CARD1');
  await act.start({ idToken: 'CARD1' });
  await act.charge(60);
  await between();
  await act.stop();
  await act.unplug();
  for (const csms of world.csmss)
    await world.changes.until(
      'the end',
      () => csms.book.latest(number)?.meterStop === from + 60 && csms.book.status(number) === 'Available',
      20_000,
    );
  return { from, to: from + 60 };
}

async function refusals(t: Test, world: World): Promise<void> {
  for (const csms of world.csmss)
    csms.scripts.once(
      startOf(csms),
      callError('InternalError'),
      callError(isOld(csms) ? 'FormationViolation' : 'FormatViolation'),
    );
  await checkEnergy(t, world, 1, await visit(world, 1));
  for (const csms of world.csmss) {
    const starts = csms.record.of(startOf(csms)).slice(0, 3);
    t.equal(new Set(starts.map(({ payload }) => JSON.stringify(payload))).size, 1, 'the same each time');
    t.equal(new Set(starts.map(({ messageId }) => messageId)).size, 3);
  }
}

async function lostAnswer(t: Test, world: World): Promise<void> {
  for (const csms of world.csmss) {
    csms.scripts.once(startOf(csms), (payload, action) => {
      csms.usual(action, payload);
      return drop;
    });
    if (isOld(csms))
      csms.scripts.once('StartTransaction', () =>
        answer({ transactionId: Number(csms.book.latest(2)?.id), idTagInfo: { status: 'ConcurrentTx' } }),
      );
  }
  const known = world.csmss.map((csms) => csms.book.transactions.size);
  await checkEnergy(t, world, 2, await visit(world, 2));
  t.same(
    world.csmss.map((csms, index) => csms.book.transactions.size - (known[index] ?? 0)),
    [1, 1],
    'one transaction each',
  );
  t.equal(world.charger(2).act.transaction, undefined);
}

async function silentStop(t: Test, world: World): Promise<void> {
  const expected = await visit(world, 1, async () => {
    for (const csms of world.csmss) await world.changes.until('the start', () => csms.book.latest(1)?.ended === false);
    for (const csms of world.csmss) {
      await csms.settle();
      csms.scripts.once(stopOf(csms), silence);
    }
  });
  await checkEnergy(t, world, 1, expected);
}

async function refusedDriver(t: Test, world: World): Promise<void> {
  const { authority, changes } = world;
  const charger = world.charger(2);
  const { act } = charger;
  const action = charger.version === 'ocpp1.6' ? 'RemoteStopTransaction' : 'RequestStopTransaction';
  await act.plug();
  t.equal(await act.authorize('TURNCOAT'), 'Accepted');
  authority.tokens.set('TURNCOAT', 'Blocked');
  await act.start({ idToken: 'TURNCOAT' });
  await changes.until('the order to stop', () => charger.record.of(action).length > 0);
  for (const csms of world.csmss) await changes.until('the end', () => csms.book.latest(2)?.ended);
  await act.unplug();
  t.equal(act.transaction, undefined);
  t.not(await act.authorize('TURNCOAT'), 'Accepted', 'and it is not forgotten');
}
