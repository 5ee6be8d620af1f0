// Reservations: statuses, the guarantee of a free EVSE, use, expiry and loss (OCPP 1.6 section 5.13, 2.0.1 H01-H04, S45).
import t from 'tap';
import fc from 'fast-check';
import { csmsId, evseNumber } from '../../../gateway/kernel/ids.js';
import { timestamp } from '../../../gateway/kernel/units.js';
import type { ConnectorStatus } from '../../../gateway/site/station-event.js';
import type { ConnectorType } from '../../../gateway/site/topology.js';
import { assign, keptFor } from '../../../gateway/reservations/guarantee.js';
import {
  candidates,
  evseState,
  isReservation,
  type ConnectorState,
  type Reservation,
} from '../../../gateway/reservations/reservation.js';
import {
  blocks,
  cancel,
  consume,
  expire,
  removeUnusable,
  reserve,
  reservedEvses,
} from '../../../gateway/reservations/reserve.js';

const NOW = timestamp(1_800_000_000_000);
const A = csmsId('operator');
const VIEW = [1, 2, 3].map(evseNumber);
const token = (idToken: string) => ({ idToken, type: 'ISO14443' }) as const;
const connector = (evse: number, status: ConnectorStatus = 'Available', type: ConnectorType = 'Type2') => ({
  evse: evseNumber(evse),
  status,
  type,
});
const FREE = [connector(1), connector(2), connector(3)];

/** A reservation of EVSE `evse`, or of any EVSE where it is undefined. */
const held = (id: number, evse?: number, more: Partial<Reservation> = {}): Reservation => ({
  csms: A,
  id,
  ...(evse !== undefined && { evse: evseNumber(evse) }),
  view: VIEW,
  idToken: token(`T${id}`),
  expiry: timestamp(NOW + 60_000),
  ...more,
});
const status = (
  request: Reservation,
  connectors: readonly ConnectorState[] = FREE,
  reservations: readonly Reservation[] = [],
) => reserve(reservations, request, connectors, NOW).status;
const at = (evse: number, idToken: string, group?: string) => ({
  evse: evseNumber(evse),
  idToken: token(idToken),
  ...(group !== undefined && { group: token(group) }),
});

t.test('an EVSE by name: the state of its connectors answers (H01)', async (t) => {
  const rows: readonly (readonly [readonly ConnectorState[], string])[] = [
    [[connector(1)], 'Accepted'],
    [[connector(1, 'Occupied')], 'Occupied'],
    [[connector(1, 'Faulted')], 'Faulted'],
    [[connector(1, 'Unavailable')], 'Unavailable'],
    [[connector(1, 'Reserved')], 'Accepted'],
    [[connector(1, 'Available'), connector(1, 'Occupied', 'CCS2')], 'Occupied'],
    [[connector(1, 'Available'), connector(1, 'Faulted', 'CCS2')], 'Accepted'],
    [[connector(1, 'Unavailable'), connector(1, 'Faulted', 'CCS2')], 'Faulted'],
    [[connector(2)], 'Rejected'],
  ];
  for (const [connectors, expected] of rows)
    t.equal(status(held(1, 1), connectors), expected, JSON.stringify(connectors));
  t.equal(status(held(2, 1), FREE, [held(1, 1)]), 'Occupied', 'reserved already');
  t.equal(status(held(1, 1, { connectorType: 'CCS2' })), 'Rejected', 'no such plug');
  t.equal(status(held(1, 1, { expiry: NOW })), 'Rejected', 'already over');
  t.equal(status(held(1, 1, { view: [evseNumber(2)] })), 'Rejected', 'not in the view');
});

t.test('the same id replaces, and a refused replacement leaves the first (H01.FR.02)', async (t) => {
  const first = reserve([], held(1, 1), FREE, NOW).reservations;
  const moved = reserve(first, held(1, 2), FREE, NOW);
  t.match(moved, { status: 'Accepted', replaced: { evse: 1 } });
  t.same(moved.reservations, [held(1, 2)]);
  t.equal(status(held(1, 1, { idToken: token('new') }), FREE, first), 'Accepted', 'the same EVSE for somebody else');
  t.equal(reserve(first, held(1, 2), [connector(1), connector(2, 'Faulted')], NOW).reservations, first);
  t.equal(reserve(first, held(1, 2, { csms: csmsId('other') }), FREE, NOW).reservations.length, 2, 'ids are per CSMS');
});

t.test('any EVSE: one is kept free for each (H01.FR.20)', async (t) => {
  const busy = [connector(1, 'Occupied'), connector(2), connector(3)];
  const one = [held(1)];
  t.equal(status(held(2), busy, one), 'Accepted');
  t.equal(status(held(3), busy, [held(1), held(2)]), 'Occupied');
  t.equal(status(held(3, 2), busy, [held(1), held(2)]), 'Occupied', 'nor may one by name take it');
  t.equal(status(held(1), [connector(1, 'Faulted'), connector(2, 'Unavailable')]), 'Faulted');
  t.equal(status(held(1), [connector(1, 'Unavailable')]), 'Unavailable');
  t.equal(status(held(1, undefined, { connectorType: 'CHAdeMO' })), 'Rejected');
  t.equal(blocks(one, busy, at(2, 'stranger')), undefined, 'another is still free');
  const last = [connector(1, 'Occupied'), connector(2, 'Occupied'), connector(3)];
  t.equal(blocks(one, last, at(3, 'stranger'))?.id, 1);
  t.equal(blocks(one, last, at(3, 't1')), undefined, 'its own driver');
  t.same([...reservedEvses(one, last)], [3]);
  t.same([...reservedEvses(one, busy)], []);
  t.same([...reservedEvses([...one, held(2)], busy)], [2, 3]);
  const plugged = [connector(1, 'Occupied'), connector(2, 'Occupied'), connector(3, 'Occupied')];
  t.equal(blocks(one, plugged, at(3, 'stranger'))?.id, 1, 'plugging in does not take it (G01.FR.09)');
  const ccs = [connector(1), connector(2, 'Available', 'CCS2')];
  const wantsCcs = [held(1, undefined, { connectorType: 'CCS2' })];
  t.equal(blocks(wantsCcs, ccs, at(2, 'stranger'))?.id, 1, 'the only one of its type');
  t.equal(blocks(wantsCcs, ccs, at(1, 'stranger')), undefined);
  const views = [held(1, undefined, { view: [evseNumber(1)] }), held(2, undefined, { view: VIEW.slice(0, 2) })];
  t.equal(status(held(3, undefined, { view: VIEW.slice(0, 2) }), FREE, views), 'Occupied', 'views that overlap');
  t.equal(status(held(3), FREE, views), 'Accepted');
});

t.test('who may start where (H03)', async (t) => {
  const all = [held(1, 1, { group: token('G') }), held(2, 2)];
  t.equal(blocks(all, FREE, at(1, 'stranger'))?.id, 1);
  t.equal(blocks(all, FREE, at(1, 't1')), undefined);
  t.equal(blocks(all, FREE, at(1, 'member', 'g')), undefined);
  t.equal(blocks(all, FREE, at(1, 'member', 'other'))?.id, 1);
  t.equal(blocks(all, FREE, at(2, 'member', 'G'))?.id, 2, 'the group of another reservation');
  t.equal(blocks(all, FREE, at(1, 'G'))?.id, 1, 'a group is not a token');
  t.equal(blocks([held(1, 1, { group: token('') })], FREE, at(1, 'x', ''))?.id, 1, 'an empty group is none');
  t.equal(blocks(all, FREE, at(3, 'stranger')), undefined);
  t.equal(blocks([held(1, 1), held(2)], FREE, at(1, 't2'))?.id, 1, 'any EVSE is not this one');
});

t.test('a start uses up the nearest match', async (t) => {
  const own = held(3, 1, { idToken: token('me') });
  const any = held(1, undefined, { idToken: token('ME') });
  const byGroup = held(2, 1, { group: token('G') });
  t.equal(consume([any, byGroup, own], FREE, at(1, 'me', 'G')).used, own);
  t.equal(consume([any, byGroup], FREE, at(1, 'me', 'G')).used, byGroup);
  t.same(consume([any, byGroup], FREE, at(2, 'Me', 'G')), { reservations: [byGroup], used: any });
  const sooner = held(9, undefined, { idToken: token('me'), expiry: timestamp(NOW + 1) });
  t.equal(consume([any, sooner], FREE, at(2, 'me')).used, sooner);
  const kept = [byGroup];
  t.same(consume(kept, FREE, at(1, 'stranger')), { reservations: kept });
});

t.test('the ways it ends', async (t) => {
  const all = [held(1, 1), held(2, 2, { expiry: timestamp(NOW + 120_000) })];
  t.match(cancel(all, A, 1), { status: 'Accepted', cancelled: { id: 1 }, reservations: [{ id: 2 }] });
  t.match(cancel(all, A, 7), { status: 'Rejected', reservations: all });
  t.equal(cancel(all, csmsId('other'), 1).status, 'Rejected', 'not its own');
  t.same(expire(all, timestamp(NOW + 59_999)).ended, []);
  const expired = expire(all, timestamp(NOW + 60_000));
  t.match(expired.ended, [{ why: 'Expired', reservation: { id: 1 } }]);
  t.equal(expired.reservations.length, 1);
  const any = held(3);
  const broken = [connector(1, 'Faulted'), connector(2), connector(3, 'Unavailable')];
  t.match(removeUnusable([...all, any], broken).ended, [{ why: 'Removed', reservation: { id: 1 } }]);
  const dead = [connector(1, 'Faulted'), connector(2, 'Faulted'), connector(3, 'Unavailable')];
  t.equal(removeUnusable([any], dead).ended.length, 1, 'no EVSE is left that could serve it');
  t.equal(removeUnusable([any], [connector(1, 'Occupied')]).ended.length, 0, 'one that is busy will be free again');
});

t.test('it survives a restart (B11.FR.05)', async (t) => {
  const stored: unknown = JSON.parse(JSON.stringify(held(1, 1, { group: token('G') })));
  t.ok(isReservation(stored));
  t.same(stored, held(1, 1, { group: token('G') }));
  for (const value of [null, 7, {}, { csms: 'a', id: 1, view: [], idToken: null, expiry: 1 }])
    t.notOk(isReservation(value));
});

t.test('the guarantee agrees with trying every assignment', async (t) => {
  const statuses = fc.constantFrom<ConnectorStatus>('Available', 'Available', 'Occupied', 'Faulted');
  const wish = fc.record({
    evse: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
    view: fc.uniqueArray(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
    type: fc.option(fc.constantFrom<ConnectorType>('Type2', 'CCS2'), { nil: undefined }),
  });
  const bays = fc.array(fc.tuple(statuses, fc.constantFrom<ConnectorType>('Type2', 'CCS2')), {
    minLength: 4,
    maxLength: 4,
  });
  fc.assert(
    fc.property(fc.array(wish, { maxLength: 4 }), bays, fc.integer({ min: 1, max: 4 }), (wishes, states, asked) => {
      const connectors = states.map(([state, type], i) => connector(i + 1, state, type));
      const reservations = wishes.map(({ evse, view, type }, i) =>
        held(i, evse, { view: view.map(evseNumber), ...(type && { connectorType: type }) }),
      );
      const most = (rest: readonly Reservation[], taken: readonly number[]): number => {
        const [first, ...others] = rest;
        if (!first) return 0;
        const given = candidates(first, connectors)
          .filter((evse) => !taken.includes(evse) && evseState(connectors, evse) === 'free')
          .map((evse) => 1 + most(others, [...taken, evse]));
        return Math.max(most(others, taken), ...given);
      };
      const blocked = most(reservations, [asked]) < most(reservations, []);
      return (
        assign(reservations, connectors).size === most(reservations, []) &&
        (keptFor(reservations, connectors, evseNumber(asked)) !== undefined) === blocked
      );
    }),
    { numRuns: 300 },
  );
  t.pass('300 sites');
});
