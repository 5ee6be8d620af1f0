// The grid operator as the shell hears him: every way, over restarts, with a disk that refuses.
import t from 'tap';
import { GridOperator } from '../../../gateway/shell/grid-operator.js';
import type { SharedCap } from '../../../gateway/balancing/observation.js';
import { circuitId, csmsId, evseNumber } from '../../../gateway/kernel/ids.js';
import { ampere, timestamp } from '../../../gateway/kernel/units.js';
import type { Contact, GridOperatorLimit, Site } from '../../../gateway/site/topology.js';
import { FakeClock } from '../../fakes/fake-clock.js';
import { MemoryJournal } from '../../fakes/memory-journal.js';
import { recordingLog } from '../../fakes/recording-log.js';
import { csms, evse, site } from '../views/fixture.js';

const LIMITER = csmsId('dso');

function plan(policy: Partial<GridOperatorLimit>): Site {
  const plain = site([evse(1), evse(2)]);
  return {
    ...plain,
    circuits: [{ id: circuitId('main'), breaker: ampere(63), margin: ampere(0) }],
    csms: [csms(), csms({ id: LIMITER, role: 'limiter' })],
    balancing: {
      ...plain.balancing,
      gridOperatorLimit: { from: ['mqtt'], failsafe: ampere(6), contacts: [], ...policy },
    },
  };
}

async function opened(policy: Partial<GridOperatorLimit> = {}, journal = new MemoryJournal(), clock = new FakeClock()) {
  const log = recordingLog();
  const the = { changes: 0 };
  const operator = await GridOperator.open({
    site: plan(policy),
    journal,
    clock,
    log,
    changed: () => void the.changes++,
  });
  clock.every(1000 as Parameters<typeof clock.every>[0], () => operator.tend());
  const main = (caps: readonly SharedCap[] = []) => operator.inForce(caps).limits.get(circuitId('main'));
  return { the, operator, log, journal, clock, main };
}

const cap = (limit: number, csmsOf = LIMITER, evses = [1, 2]): SharedCap => ({
  name: 'cap',
  evses: evses.map(evseNumber),
  limit: ampere(limit),
  profile: { csms: csmsOf, purpose: 'ChargingStationMaxProfile', id: 1 },
});

t.test('MQTT: a word at once, silence of two minutes, and the word that ends it', async (t) => {
  const { operator, clock, log, the, main } = await opened();
  t.equal(main(), 6);
  operator.word('11 kW');
  t.equal(main(), 15.9);
  t.equal(the.changes, 1);
  operator.word('11 kW');
  t.equal(the.changes, 1, 'said again, it wakes nobody');
  operator.word('{"limit":"none","circuit":"elsewhere"}');
  operator.word('much');
  t.equal(main(), 15.9);
  await clock.advance(119_000);
  operator.heartbeat();
  await clock.advance(119_000);
  t.equal(main(), 15.9, 'a sign of life is enough');
  await clock.advance(3_000);
  t.equal(main(), 6);
  operator.heartbeat();
  await clock.advance(7_200_000 - 60_000);
  operator.heartbeat();
  t.equal(main(), 6);
  operator.word('none');
  t.equal(main(), undefined);
  t.same(
    log.lines.map(({ level, message }) => `${level} ${message}`),
    [
      'warn the grid operator is not heard: the fail-safe limit holds until he speaks again',
      'info the grid operator is heard again, and the fail-safe limit is over',
      'warn the grid operator limits a circuit that the site does not have',
      'warn the grid operator sent something that is no limit',
      'warn the grid operator is not heard: the fail-safe limit holds until he speaks again',
      'info the grid operator is heard again, and the fail-safe limit is over',
    ],
  );
  t.equal(log.lines[0]?.fields.fault, 'FC-B06');
});

t.test('over restarts, and nothing is written while nothing changes', async (t) => {
  const first = await opened();
  first.operator.word('20 A');
  await first.operator.stop();
  const { length } = first.journal.commits;
  for (let i = 0; i < 20; i++) {
    first.operator.word('20 A');
    await first.clock.advance(30_000);
  }
  t.equal(first.journal.commits.length, length, 'an SD card is spared');
  const second = await opened({}, first.journal.afterCrash());
  t.equal(second.main(), 20);
  await second.clock.advance(122_000);
  t.equal(second.main(), 6);
  await second.operator.stop();
  const later = new FakeClock('2025-03-01T12:00:00Z');
  const third = await opened({}, second.journal.afterCrash(), later);
  t.equal(third.main(), 6);
  third.operator.heartbeat();
  t.equal(third.main(), 6);
  const [source] = third.operator.standing([])?.sources ?? [];
  t.equal(source?.failsafeSince, timestamp(Date.parse('2025-03-01T08:02:01Z')), 'known since when');
});

t.test('what a salvaged journal holds is taken as far as it can be understood', async (t) => {
  const journal = new MemoryJournal();
  const sources = [null, 7, { source: 1 }, { source: 'mqtt', words: [['main', 'x'], ['gone', 3], 4, ['main', 9]] }];
  const value = { meant: ['main'], sources };
  await journal.commit({ documents: [{ collection: 'grid-operator', key: 'sources', value }] });
  t.equal((await opened({}, journal)).main(), 9);
  for (const other of ['x', null, [], { meant: ['deck'], sources }, { meant: ['main'], sources: 1 }]) {
    await journal.commit({ documents: [{ collection: 'grid-operator', key: 'sources', value: other }] });
    t.equal((await opened({}, journal)).main(), 6, JSON.stringify(other));
  }
});

t.test('a disk that refuses: the word holds, and is written when it can be', async (t) => {
  const { operator, journal, log, clock, main } = await opened();
  await operator.stop();
  journal.failNext(3);
  operator.word('12');
  t.equal(main(), 12);
  await clock.advance(10_000);
  t.equal(log.lines.filter(({ level }) => level === 'error').length, 1, 'told once');
  t.equal((await opened({}, journal.afterCrash())).main(), 12);
});

t.test('contacts: what closed means, which holds, and a broken wire', async (t) => {
  const contact = (number: number, limit: number, active: Contact['active'] = 'closed'): Contact => ({
    number,
    limit: ampere(limit),
    active,
    input: { kind: 'file', path: '/dev/null' },
  });
  const contacts = [contact(1, 30), contact(2, 10), contact(3, 0, 'open')];
  const { operator, clock, main } = await opened({ from: ['contact'], contacts });
  const [sixty, thirty, off] = contacts as [Contact, Contact, Contact];
  const read = (...closed: readonly boolean[]): void =>
    contacts.forEach((each, index) => operator.contact(each, closed[index] ?? false));
  read(false, false, true);
  t.equal(main(), undefined);
  operator.contact(sixty, true);
  t.equal(main(), 30);
  operator.contact(thirty, true);
  t.equal(main(), 10, 'the lowest');
  operator.contact(off, false);
  t.equal(main(), 0);
  read(false, false, true);
  t.equal(main(), undefined);
  for (let second = 0; second < 125; second++) {
    operator.contact(sixty, false);
    operator.contact(thirty, false);
    await clock.advance(1000);
  }
  t.equal(main(), 6, 'the third is not read any more');
  operator.contact(off, true);
  t.equal(main(), undefined, 'a contact that is read says what holds');
});

t.test('a CSMS: its cap on the whole is a limit of the circuit, while it is there and after', async (t) => {
  const { operator, clock, main } = await opened({ from: ['csms'] });
  t.equal(main([cap(20)]), 6, 'it was not there yet');
  operator.csmsOnline(LIMITER, true);
  t.equal(main(), undefined);
  t.equal(main([cap(20)]), 20);
  t.same(operator.inForce([cap(20)]).caps, [], 'it is no cap beside');
  const others = [cap(20, csmsId('operator')), cap(20, LIMITER, [1])];
  t.same(operator.inForce(others).caps, others, 'of another, or of a part of the site');
  t.equal(main(others), undefined);
  await clock.advance(600_000);
  t.equal(main([cap(20)]), 20, 'as long as it is connected');
  operator.csmsOnline(LIMITER, false);
  await clock.advance(119_000);
  t.equal(main([cap(20)]), 20);
  await clock.advance(4_000);
  t.equal(main([cap(20)]), 6);
  t.equal(main([cap(4)]), 4);
  operator.csmsOnline(LIMITER, true);
  t.equal(main([cap(20)]), 20);
});
