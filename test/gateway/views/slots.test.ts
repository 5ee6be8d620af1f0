// A number once given to a connector keeps its meaning, whatever is added, removed or restarted.
import fc from 'fast-check';
import t from 'tap';
import { csmsId, evseNumber } from '../../../gateway/kernel/ids.js';
import { SlotTable, visibleEvses } from '../../../gateway/views/slots.js';
import { csms, evse, scene, site } from './fixture.js';

t.test('S07: removed hardware leaves a tombstone, new hardware appends, and a restart changes nothing', async (t) => {
  const first = await scene({ evses: [evse(1), evse(2), evse(3)] });
  const second = await scene({ journal: first.journal.afterCrash(), evses: [evse(1), evse(3), evse(4)] });
  await second.up();
  t.strictSame(second.link.statuses(), ['0 Available', '1 Available', '2 Unavailable', '3 Available', '4 Available']);
  t.match(await second.view.command({ type: 'unlock', target: { flat: 2 } }), { status: 'UnknownConnector' });
  t.match(await second.view.command({ type: 'unlock', target: { evse: 4, connector: 1 } }), { status: 'Unlocked' });
  t.match(second.operations.calls.at(-1)?.args, [{ evse: 4, connector: 1 }]);
  const report = await second.view.command({
    type: 'getVariables',
    variables: [{ component: 'EVSE', evse: 2, variable: 'Available' }],
  });
  t.match(report.variables, [{ status: 'Accepted', value: 'false' }]);

  const third = await scene({ journal: second.journal.afterCrash(), evses: [evse(1), evse(2), evse(3), evse(4)] });
  await third.up();
  t.notOk(third.link.statuses().includes('2 Unavailable'), 'what comes back has its old number');
});

t.test('1.6 counts connectors, 2.0.1 EVSEs; a subset of the site is contiguous', (t) => {
  const evses = [evse(1, 'CP1', 2), evse(3), evse(2), evse(7)];
  const view = csms({ evses: [evseNumber(1), evseNumber(2), evseNumber(7)] });
  const table = SlotTable.open(undefined, visibleEvses(site(evses), view));
  t.strictSame(
    table.rows.map(({ slot, evse: number }) => [slot.flat, slot.evse, slot.connector, number]),
    [
      [1, 1, 1, 1],
      [2, 1, 2, 1],
      [3, 2, 1, 2],
      [4, 3, 1, 7],
    ],
  );
  t.match(table.resolve({ flat: 0 }), { kind: 'station' });
  t.match(table.resolve({ evse: 9 }), { kind: 'unknown' });
  t.match(table.resolve({ evse: 3 }), { kind: 'connector', target: { evse: 7 } });
  t.end();
});

t.test('through any history of changes, numbers are contiguous, unique and keep their meaning', (t) => {
  const hardware = fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 3 })), {
    selector: ([number]) => number,
    maxLength: 8,
  });
  fc.assert(
    fc.property(fc.array(hardware, { minLength: 1, maxLength: 5 }), (history) => {
      let stored: unknown;
      const meaning = new Map<number, string>();
      for (const present of history) {
        const table = SlotTable.open(
          stored,
          present.map(([number, connectors]) => evse(number, `CP${number}`, connectors)),
        );
        table.rows.forEach(({ slot, evse: number, connector }, index) => {
          const said = `${number}/${connector} is ${slot.evse}.${slot.connector}`;
          if (slot.flat !== index + 1) throw new Error('a gap');
          if ((meaning.get(slot.flat) ?? said) !== said) throw new Error('renumbered');
          meaning.set(slot.flat, said);
        });
        const evseSlots = new Set(table.rows.map(({ slot }) => slot.evse));
        if (Math.max(0, ...evseSlots) !== evseSlots.size) throw new Error('a gap between EVSEs');
        stored = JSON.parse(JSON.stringify(table.toDocument()));
      }
    }),
    { numRuns: 100 },
  );
  t.end();
});

t.test('a stored table that cannot be read stops the view: guessing would renumber the site', async (t) => {
  const s = await scene();
  await s.journal.commit({ documents: [{ collection: 'view/broken', key: 'slots', value: [{ evse: 'one' }] }] });
  await t.rejects(scene({ journal: s.journal, csms: { id: csmsId('broken') } }), /slot table lacks evse/);
});
