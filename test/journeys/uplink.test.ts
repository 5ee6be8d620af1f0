// The uplink comes and goes: cold boot, short and long absences, a charger that boots with no cloud in reach, offline drivers.
import t, { type Test } from 'tap';
import type { RpcCsms } from '../peers/rpc-csms.js';
import { checkEnergy, checkSound, openWorld, type World } from '../peers/world.js';
import type { OcppVersion } from '../peers/wire-record.js';

const VERSIONS: readonly OcppVersion[] = ['ocpp1.6', 'ocpp2.0.1'];

/** Sets something of the link, in the words of either version. */
async function setLink(csms: RpcCsms, variable: string, value: string): Promise<unknown> {
  if (csms.version === 'ocpp1.6') return (await csms.ask('ChangeConfiguration', { key: variable, value }))['status'];
  const { setVariableResult } = await csms.ask('SetVariables', {
    setVariableData: [{ component: { name: 'OCPPCommCtrlr' }, variable: { name: variable }, attributeValue: value }],
  });
  return (setVariableResult as readonly { readonly attributeStatus: string }[])[0]?.attributeStatus;
}

/** Sends a local list of accepted tokens. */
async function sendList(csms: RpcCsms, versionNumber: number, tokens: readonly string[]): Promise<unknown> {
  const { status } =
    csms.version === 'ocpp1.6'
      ? await csms.ask('SendLocalList', {
          listVersion: versionNumber,
          updateType: 'Full',
          localAuthorizationList: tokens.map((idTag) => ({ idTag, idTagInfo: { status: 'Accepted' } })),
        })
      : await csms.ask('SendLocalList', {
          versionNumber,
          updateType: 'Full',
          localAuthorizationList: tokens.map((idToken) => ({
            idToken: { idToken, type: 'ISO14443' },
            idTokenInfo: { status: 'Accepted' },
          })),
        });
  return status;
}

/** Statuses that a CSMS was told since, as `<slot> <status>`. */
const since = (csms: RpcCsms, from: number): readonly string[] =>
  csms.calls
    .slice(from)
    .filter(({ action }) => action === 'StatusNotification')
    .map(
      ({ payload }) =>
        `${String(payload['evseId'] ?? payload['connectorId'])} ${String(payload['connectorStatus'] ?? payload['status'])}`,
    );

async function cutAll(world: World): Promise<void> {
  for (const csms of world.csmss) {
    await csms.settle();
    await csms.stop();
  }
}

async function restoreAll(world: World): Promise<void> {
  for (const csms of world.csmss) await csms.start();
  for (const csms of world.csmss)
    await world.changes.until(`${csms.record.peer} to be reached again`, () => csms.connected);
}

for (const version of VERSIONS) {
  void t.test(`both clouds speak ${version}`, async (t: Test) => {
    const world = await openWorld(t, {
      chargers: VERSIONS,
      authority: version,
      observer: version,
      heartbeatInterval: 1,
    });
    const { changes } = world;
    const occupied = version === 'ocpp1.6' ? 'Preparing' : 'Occupied';

    await t.test('S01: one Boot, then every connector, then heartbeats', async (t) => {
      await world.ready();
      for (const csms of world.csmss) {
        await changes.until('a heartbeat', () => csms.record.of('Heartbeat').length > 0);
        t.equal(csms.calls[0]?.action, 'BootNotification');
        t.equal(csms.boots, 1);
        const told = ['1 Unavailable', '2 Unavailable'];
        t.same(since(csms, 0), version === 'ocpp1.6' ? ['0 Available', ...told] : told);
        for (const [name, value] of [
          ['RetryBackOffWaitMinimum', '1'],
          ['RetryBackOffRandomRange', '0'],
          ['RetryBackOffRepeatTimes', '0'],
          ['HeartbeatInterval', '300'],
        ] as const)
          t.equal(await setLink(csms, name, value), 'Accepted', name);
      }
    });

    await t.test('S05: chargers boot while no cloud is in reach', async (t) => {
      await cutAll(world);
      const marks = world.csmss.map(({ calls }) => calls.length);
      for (const number of [1, 2]) {
        const charger = world.charger(number);
        const begun = performance.now();
        await charger.connect();
        t.match(await charger.act.boot(), { status: 'Accepted' });
        t.ok(performance.now() - begun < 2000, 'within two seconds');
        await charger.act.available();
        await changes.until('the fail-safe profile', () =>
          charger.act.limits.some(({ purpose, current }) => purpose === 'TxDefaultProfile' && current === 16),
        );
      }
      await restoreAll(world);
      for (const [index, csms] of world.csmss.entries()) {
        await changes.until('both to be available', () =>
          [1, 2].every((slot) => csms.book.status(slot) === 'Available'),
        );
        t.same(since(csms, marks[index] ?? 0), ['1 Available', '2 Available']);
        t.equal(csms.boots, 1, 'no second Boot');
      }
    });

    await t.test('S04: after a short absence only what has changed is told', async (t) => {
      await cutAll(world);
      const marks = world.csmss.map(({ calls }) => calls.length);
      await world.charger(1).act.plug();
      await restoreAll(world);
      for (const [index, csms] of world.csmss.entries()) {
        await changes.until('the change', () => csms.book.status(1) === occupied);
        t.match(await csms.ask(version === 'ocpp1.6' ? 'GetConfiguration' : 'ClearCache', {}), {}, 'it answers');
        t.same(since(csms, marks[index] ?? 0), [`1 ${occupied}`]);
        t.equal(csms.boots, 1);
      }
    });

    await t.test('S04: after more than OfflineThreshold a 2.0.1 cloud is told everything', async (t) => {
      for (const csms of world.csmss)
        if (version === 'ocpp2.0.1') t.equal(await setLink(csms, 'OfflineThreshold', '0'), 'Accepted');
      await cutAll(world);
      const marks = world.csmss.map(({ calls }) => calls.length);
      await world.charger(1).act.unplug();
      await restoreAll(world);
      for (const [index, csms] of world.csmss.entries()) {
        const expected = version === 'ocpp1.6' ? ['1 Available'] : ['1 Available', '2 Available'];
        await changes.until('the statuses', () => since(csms, marks[index] ?? 0).length >= expected.length);
        t.same(since(csms, marks[index] ?? 0), expected);
      }
    });

    for (const number of [1, 2])
      await t.test(`S20, S23: a whole visit offline at CP${number} is told in order`, async (t) => {
        const { act } = world.charger(number);
        t.equal(await sendList(world.authority, number, ['LISTED']), 'Accepted');
        await cutAll(world);
        const from = act.register;
        await act.plug();
        const begun = performance.now();
        t.equal(await act.authorize('LISTED'), 'Accepted');
        t.equal(await act.start({ idToken: 'LISTED' }), 'Accepted');
        t.ok(performance.now() - begun < 1000, 'within a second');
        t.not(await act.authorize('STRANGER'), 'Accepted');
        await act.charge(250);
        const stories = world.csmss.map((csms) => csms.book.story(number).length);
        await restoreAll(world);
        for (const csms of world.csmss)
          await changes.until('the start', () => csms.book.latest(number)?.ended === false);
        await act.charge(250);
        await act.stop();
        if (version === 'ocpp1.6')
          for (const csms of world.csmss)
            await changes.until('Finishing', () => csms.book.status(number) === 'Finishing');
        await act.unplug();
        for (const [index, csms] of world.csmss.entries()) {
          await changes.until(
            'the end',
            () => csms.book.latest(number)?.ended && csms.book.status(number) === 'Available',
          );
          const story = csms.book.story(number).slice(stories[index]);
          if (version === 'ocpp1.6') {
            // A status is told at once: the stop may still wait for the answer to a sample while Finishing passes it.
            const shown = story.filter((word) => word !== 'Preparing');
            t.same(
              shown.filter((word) => word !== 'stop'),
              ['start', 'Charging', 'Finishing', 'Available'],
              csms.record.peer,
            );
            t.equal(shown.filter((word) => word === 'stop').length, 1, 'one stop');
            t.ok(shown.indexOf('stop') > shown.indexOf('Charging'), 'which comes after the start and what followed it');
          }
          t.equal(csms.book.latest(number)?.idToken, 'LISTED');
          t.equal(csms.book.latest(number)?.offline, version === 'ocpp2.0.1');
        }
        await checkEnergy(t, world, number, { from, to: from + 500 });
      });

    await checkSound(t, world);
  });
}
