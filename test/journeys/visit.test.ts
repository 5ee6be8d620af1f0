// A driver's visit, whatever the charger and the clouds speak: plug, card, energy, card, unplug.
import t from 'tap';
import { checkEnergy, checkSound, openWorld } from '../peers/world.js';
import type { OcppVersion } from '../peers/wire-record.js';

const VERSIONS: readonly OcppVersion[] = ['ocpp1.6', 'ocpp2.0.1'];

for (const authority of VERSIONS) {
  const observer = authority === 'ocpp1.6' ? 'ocpp2.0.1' : 'ocpp1.6';
  void t.test(`authority ${authority}, observer ${observer}`, async (t) => {
    const world = await openWorld(t, { chargers: VERSIONS, authority, observer });
    const { changes } = world;
    await world.ready();
    for (const number of [1, 2]) {
      const charger = await world.powerUp(number);
      const { act } = charger;
      await t.test(`a charger of ${charger.version}: plug first`, async (t) => {
        for (const csms of world.csmss)
          await changes.until('Available', () => csms.book.status(number) === 'Available');
        const from = act.register;
        await act.plug();
        for (const csms of world.csmss)
          await changes.until('the car to be seen', () =>
            ['Preparing', 'Occupied'].includes(csms.book.status(number) ?? ''),
          );
        t.equal(await act.authorize('CARD1'), 'Accepted');
        t.equal(await act.start({ idToken: 'CARD1' }), 'Accepted');
        await act.charge(300);
        await act.charge(400);
        await act.stop({ idToken: 'CARD1' });
        // A driver needs longer than a line does: faster changes may be told as one.
        for (const csms of world.csmss)
          if (csms.version === 'ocpp1.6')
            await changes.until('Finishing', () => csms.book.status(number) === 'Finishing');
        await act.unplug();
        for (const csms of world.csmss)
          await changes.until(
            'the end',
            () => csms.book.latest(number)?.ended && csms.book.status(number) === 'Available',
          );
        await checkEnergy(t, world, number, { from, to: from + 700 });
        for (const csms of world.csmss) {
          const story = csms.book.story(number).slice(csms.book.story(number).lastIndexOf('start') - 1);
          if (csms.version === 'ocpp1.6')
            t.same(story, ['Preparing', 'start', 'Charging', 'stop', 'Finishing', 'Available']);
          else t.same(story, ['Occupied', 'start', 'stop', 'Available']);
          t.equal(csms.book.latest(number)?.idToken, 'CARD1');
        }
      });
    }
    await checkSound(t, world);
  });
}
