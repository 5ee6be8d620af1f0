// evening.yaml: cars and times as they are meant, and every fault with its line and column.
import t from 'tap';
import { circuitId, evseNumber } from '../../../gateway/kernel/ids.js';
import { ampere, minutes } from '../../../gateway/kernel/units.js';
import type { Site } from '../../../gateway/site/topology.js';
import type { Finding } from '../../../site-config/finding.js';
import { readEvening } from '../../../simulation/rehearsal/evening-file.js';
import type { Span } from '../../../simulation/rehearsal/planned-car.js';
import { evse, site } from '../../gateway/views/fixture.js';

const HOURS = 60;
const EVENING: Span = { from: minutes(17 * HOURS), length: minutes(6 * HOURS) };
const plan: Site = {
  ...site([evse(1), evse(2)]),
  circuits: [{ id: circuitId('main'), breaker: ampere(63), margin: ampere(0) }],
};

const read = (text: string, span = EVENING) => readEvening(text, 'evening.yaml', plan, span);
const cars = (text: string, span = EVENING) => {
  const result = read(text, span);
  if (!result.ok) throw new Error(result.error.map(({ message }) => message).join('; '));
  return result.value.cars ?? [];
};

t.test('times are counted from the beginning, and cars of another time are not there', (t) => {
  const found = cars(`
cars:
  - { arrival: 17:10, departure: 21:00, energy: 18 kWh, phases: 1, max-current: 32 A, evse: 2 }
  - { name: night, arrival: 22:00, departure: 07:30, energy: 30 kWh, charges-from: 23:00 }
  - { name: there before, arrival: 16:00, departure: 18:00, energy: 5 kWh }
  - { name: gone before, arrival: 12:00, departure: 16:30, energy: 5 kWh }
`);
  t.same(
    found.map(({ name, arrival, departure }) => [name, arrival / 60_000, departure / 60_000]),
    [
      ['car 1', 10, 240],
      ['night', 300, 300 + 9.5 * HOURS],
      ['there before', 0, 60],
    ],
  );
  t.match(found[0], { phases: 1, maxCurrent: 32, energy: 18_000, evse: evseNumber(2) });
  t.match(found[1], { phases: 3, maxCurrent: 16, chargesFrom: minutes(6 * HOURS) });
  t.equal(found[1]?.evse, undefined);
  t.end();
});

t.test('loads and limits of the grid operator', (t) => {
  const result = read(`
load: { main: { curve: office, peak: 40 A, lift: 9 A } }
grid-operator-limit: [{ from: 18:00, to: 20:00, limit: 4.2 kW }]
`);
  if (!result.ok) throw new Error('refused');
  t.equal(result.value.cars, undefined, 'cars are made up');
  t.same([...result.value.loads], [['main', { curve: { name: 'office', peak: 40 }, lift: 9 }]]);
  t.same(result.value.operatorLimits, [{ from: minutes(HOURS), to: minutes(3 * HOURS), limit: 4200 }]);
  t.end();
});

t.test('faults stand where they are', (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ['- x', '1:1 empty evening.yaml describes no evening'],
    ['', '1:1 empty'],
    ['cars: [', '1:8 syntax'],
    ['car: []', '1:1 unknown-key car is not a section of an evening'],
    ['cars: []', '1:7 empty cars is empty'],
    ['cars:\n  - { arrival: 17:10, departure: 18, energy: 4 kWh }', '2:34 wrong-shape departure of car 1'],
    ['cars:\n  - { arrival: 24:10, departure: 18:00, energy: 4 kWh }', '2:16 bad-form arrival of car 1'],
    ['cars:\n  - { arrival: 17:10, departure: 17:10, energy: 4 kWh }', '2:34 out-of-range car 1 leaves when it comes'],
    ['cars:\n  - { arrival: 17:10, departure: 18:00, energy: 4 }', '2:49 unit-missing energy of car 1: 4 has no unit'],
    ['cars:\n  - { arrival: 17:10, departure: 18:00, energy: 4 kW }', '2:49 unit-wrong energy of car 1'],
    [
      'cars:\n  - { arrival: 17:10, departure: 18:00, energy: 4 kWh, max-current: 4 A }',
      '2:69 out-of-range max-current of car 1',
    ],
    ['cars:\n  - { arrival: 17:10, departure: 18:00, energy: 4 kWh, phases: 4 }', '2:64 choose-one-of phases of car 1'],
    [
      'cars:\n  - { arrival: 17:10, departure: 18:00, energy: 4 kWh, evse: 9 }',
      '2:62 unknown-evse the site has no EVSE 9',
    ],
    ['cars:\n  - { arrival: 17:10, departure: 18:00, energy: 4 kWh, evse: some }', '2:62 wrong-shape evse of car 1'],
    ['load: { mian: { constant: 4 A } }', '1:9 unknown-circuit the site has no circuit mian'],
    ['load: { main: { } }', '1:15 empty main of load is empty'],
    [
      'grid-operator-limit: [{ from: 18:00, to: 19:00, limit: 4.2 A }]',
      '1:56 unit-wrong limit of entry 1 of grid-operator-limit',
    ],
  ];
  for (const [text, expected] of cases) {
    const result = read(text);
    t.notOk(result.ok, text);
    const said = (finding: Finding | undefined): string =>
      `${finding?.line ?? 0}:${finding?.column ?? 0} ${finding?.code ?? ''} ${finding?.message ?? ''}`;
    if (!result.ok) t.ok(said(result.error[0]).startsWith(expected), `${said(result.error[0])} for ${expected}`);
  }
  t.end();
});
