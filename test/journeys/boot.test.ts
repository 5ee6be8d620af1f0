// A cloud that does not accept the station at once: pending with questions, or rejected, while a driver charges already.
import t from 'tap';
import { answer } from '../peers/reactions.js';
import { checkEnergy, checkSound, openWorld } from '../peers/world.js';
import type { OcppVersion, Payload } from '../peers/wire-record.js';

const VERSIONS: readonly OcppVersion[] = ['ocpp1.6', 'ocpp2.0.1'];
/** Seconds. */
const REJECTED_FOR = 2;

const verdict = (status: 'Pending' | 'Rejected', interval: number) =>
  answer({ status, interval, currentTime: new Date().toISOString() });

for (const version of VERSIONS)
  void t.test(`the authority speaks ${version}`, async (t) => {
    const world = await openWorld(t, {
      chargers: VERSIONS,
      authority: version,
      observer: version === 'ocpp1.6' ? 'ocpp2.0.1' : 'ocpp1.6',
      yaml: 'authorization: { offline: accept-unknown }',
      prepare: (authority, observer) => {
        authority.scripts.once('BootNotification', verdict('Pending', 600));
        observer?.scripts.always('BootNotification', () => verdict('Rejected', REJECTED_FOR));
      },
    });
    const { authority, observer, changes } = world;
    const old = version === 'ocpp1.6';

    await t.test('S02: pending: configuration is answered, commands are not carried out', async (t) => {
      await changes.until('the Boot', () => authority.boots === 1);
      const read = old
        ? await authority.ask('GetConfiguration', { key: ['HeartbeatInterval'] })
        : await authority.ask('GetVariables', {
            getVariableData: [{ component: { name: 'OCPPCommCtrlr' }, variable: { name: 'HeartbeatInterval' } }],
          });
      t.match(JSON.stringify(read), /"(attributeV|v)alue":"\d+"/);
      const start: readonly [string, Payload] = old
        ? ['RemoteStartTransaction', { idTag: 'CARD1', connectorId: 1 }]
        : ['RequestStartTransaction', { idToken: { idToken: 'CARD1', type: 'ISO14443' }, remoteStartId: 1, evseId: 1 }];
      t.match(await authority.ask(...start), { status: 'Rejected' });
    });

    await t.test('S03: rejected: a CALL is a SecurityError, and the interval is kept to', async (t) => {
      await changes.until('the Boot', () => observer.boots >= 1);
      await observer.answered();
      t.match(await observer.command('ClearCache'), { kind: 'error', code: 'SecurityError' });
      await changes.until('the next Boot', () => observer.boots >= 2);
      const [first, second] = observer.record.of('BootNotification');
      t.ok((second?.at ?? 0) - (first?.at ?? 0) >= REJECTED_FOR * 1000 - 50);
    });

    await t.test('S02: what a driver does meanwhile is delivered once Boot is accepted', async (t) => {
      for (const number of [1, 2]) {
        const { act } = await world.powerUp(number);
        await act.plug();
        t.equal(await act.start({ idToken: `CARD${number}` }), 'Accepted');
        await act.charge(200);
      }
      await world.charger(1).act.stop();
      for (const csms of world.csmss)
        t.same([...new Set(csms.calls.map(({ action }) => action))], ['BootNotification'], 'nothing else has left');
      t.match(await authority.ask('TriggerMessage', { requestedMessage: 'BootNotification' }), { status: 'Accepted' });
      observer.scripts.always('BootNotification', undefined);
      await world.ready();
      t.equal(authority.boots, 2, 'the Boot that it asked for');
      for (const csms of world.csmss) await changes.until('the first one', () => csms.book.latest(1)?.ended);
      for (const csms of world.csmss) await changes.until('the second one', () => csms.book.latest(2)?.ended === false);
      await world.charger(2).act.stop();
      for (const csms of world.csmss) await changes.until('the end', () => csms.book.latest(2)?.ended);
      for (const number of [1, 2])
        await checkEnergy(t, world, number, { from: 1000 * number, to: 1000 * number + 200 });
      for (const csms of world.csmss)
        if (csms.version === 'ocpp2.0.1') t.equal(csms.book.latest(1)?.offline, true, 'told as offline');
    });
    await checkSound(t, world);
  });
