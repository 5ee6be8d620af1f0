// The one status the world is told: every rule of the merge in its order, what measuring changes, and silence.
import t from 'tap';
import { evseNumber, stationId, transactionUid } from '../../../gateway/kernel/ids.js';
import { ampere, timestamp } from '../../../gateway/kernel/units.js';
import type { SampledValue } from '../../../gateway/site/metering.js';
import { SiteBook } from '../../../gateway/site/site-book.js';
import type { ConnectorStatus, StatusReported } from '../../../gateway/site/station-event.js';
import { transaction } from '../telemetry/rig.js';
import { evse, site } from '../views/fixture.js';

const CP1 = stationId('CP1');
const ONE = evseNumber(1);
const T0 = timestamp(1_700_000_000_000);
const at = (seconds: number) => timestamp(T0 + seconds * 1000);

const book = (connectors = 1): SiteBook => new SiteBook(site([evse(1, 'CP1', connectors), evse(2)]), T0);

const report = (status: ConnectorStatus, over: Partial<StatusReported> = {}): StatusReported => ({
  type: 'status',
  station: CP1,
  evse: ONE,
  connector: 1,
  status,
  at: at(1),
  ...over,
});
/** The station speaks of itself as a whole: connector 0 of OCPP 1.6. */
const whole = (status: ConnectorStatus): StatusReported => {
  const { evse: _evse, connector: _connector, ...rest } = report(status);
  return rest;
};

type Step = (book: SiteBook) => void;
const steps = {
  connected: (b) => b.linkChanged(CP1, true, at(0)),
  away: (b) => b.linkChanged(CP1, false, at(10)),
  lost: (b) => b.lost(CP1, at(40)),
  available: (b) => b.status(report('Available')),
  occupied: (b) => b.status(report('Occupied')),
  faulted: (b) => b.status(report('Faulted', { error: { code: 'GroundFailure' } })),
  faultedOnly: (b) => b.status(report('Faulted')),
  unavailable: (b) => b.status(report('Unavailable')),
  warned: (b) => b.status(report('Available', { error: { code: 'HighTemperature' } })),
  wholeFaulted: (b) => b.status(whole('Faulted')),
  wholeUnavailable: (b) => b.status(whole('Unavailable')),
  wholeAvailable: (b) => b.status(whole('Available')),
  wholeOccupied: (b) => b.status(whole('Occupied')),
  inoperative: (b) => b.operative(ONE, undefined, false),
  operative: (b) => b.operative(ONE, 1, true),
  reserved: (b) => b.reserved(ONE, true, at(5)),
  freed: (b) => b.reserved(ONE, false, at(6)),
  started: (b) => b.transactionChanged(transaction(), at(2)),
  ended: (b) => b.transactionChanged(transaction({ endedAt: at(3) }), at(3)),
} satisfies Record<string, Step>;

const rows: readonly (readonly [path: string, status: ConnectorStatus, error?: string])[] = [
  // Silence and unknown values.
  ['', 'Unavailable', 'OtherError'],
  ['connected', 'Unavailable'],
  ['connected available', 'Available'],
  ['connected occupied', 'Occupied'],
  ['connected unavailable', 'Unavailable'],
  // A charger that is away: within the grace nothing changes, afterwards idle connectors are Unavailable.
  ['connected available away', 'Available'],
  ['connected available away lost', 'Unavailable', 'OtherError'],
  ['connected available lost', 'Available'],
  ['connected available away lost connected', 'Available'],
  ['connected occupied started away lost', 'Occupied'],
  ['connected occupied started away lost ended', 'Unavailable', 'OtherError'],
  ['connected available reserved away lost', 'Unavailable', 'OtherError'],
  // Taken out of service from outside: first of all rules, but a transaction goes on.
  ['connected available inoperative', 'Unavailable'],
  ['connected faulted inoperative', 'Unavailable', 'GroundFailure'],
  ['connected available inoperative operative', 'Available'],
  ['connected occupied started inoperative', 'Occupied'],
  ['connected occupied started inoperative ended', 'Unavailable'],
  // Faults of the connector, then of the station.
  ['connected faulted', 'Faulted', 'GroundFailure'],
  ['connected faultedOnly', 'Faulted', 'OtherError'],
  ['connected occupied started faulted', 'Faulted', 'GroundFailure'],
  ['connected faulted available', 'Available'],
  ['connected available wholeFaulted', 'Faulted', 'OtherError'],
  ['connected available wholeFaulted wholeAvailable', 'Available'],
  ['connected available wholeFaulted available', 'Faulted', 'OtherError'],
  ['connected faulted away lost', 'Faulted', 'GroundFailure'],
  ['connected available reserved wholeFaulted', 'Faulted', 'OtherError'],
  // An error that comes with another status is a warning.
  ['connected warned', 'Available', 'HighTemperature'],
  // The station as a whole out of service; any other word of connector 0 says nothing of the connectors.
  ['connected available wholeUnavailable', 'Unavailable'],
  ['connected available wholeUnavailable reserved', 'Unavailable'],
  ['connected available wholeUnavailable wholeAvailable', 'Available'],
  ['connected occupied started wholeUnavailable', 'Occupied'],
  ['connected available wholeOccupied', 'Available'],
  // Reservations.
  ['connected available reserved', 'Reserved'],
  ['connected occupied reserved', 'Reserved'],
  ['connected unavailable reserved', 'Unavailable'],
  ['connected available reserved freed', 'Available'],
  ['connected occupied reserved started', 'Occupied'],
  ['connected available reserved inoperative', 'Unavailable'],
  // A transaction is Occupied, whatever the charger has or has not said.
  ['connected available started', 'Occupied'],
  ['connected unavailable started', 'Occupied'],
  ['started', 'Occupied'],
  ['connected occupied started ended', 'Occupied'],
  ['connected occupied started ended available', 'Available'],
  ['connected available started ended', 'Available'],
];

void t.test('the merged status, first rule that fits', (t) => {
  for (const [path, status, error] of rows) {
    const the = book();
    for (const step of path.split(' ').filter((name) => name !== '')) steps[step as keyof typeof steps](the);
    const live = the.connector(ONE, 1);
    t.same([live?.status, live?.error?.code], [status, error], path === '' ? 'at the start' : path);
    t.equal(the.connector(evseNumber(2), 1)?.status, 'Unavailable', 'no other station is touched');
  }
  t.end();
});

void t.test('changes are told once, with the time of their reason', (t) => {
  const the = book();
  const change = [{ evse: ONE, connector: 1 }];
  t.same(the.linkChanged(CP1, true, at(0)), change, 'no longer offline, not yet known');
  t.same(the.status(report('Available')), change);
  t.same(the.status(report('Available', { at: at(2) })), []);
  t.equal(the.connector(ONE, 1)?.at, at(1), 'Available since then');
  t.same(the.linkChanged(CP1, false, at(10)), []);
  t.same(the.lost(CP1, at(40)), change);
  t.equal(the.connector(ONE, 1)?.at, at(40));
  t.match(the.connector(ONE, 1)?.error, { info: 'charger offline', vendorErrorCode: 'GW_OFFLINE' });
  t.same(the.linkChanged(CP1, true, at(50)), change);
  t.same(the.reserved(ONE, true, at(60)), change);
  t.equal(the.connector(ONE, 1)?.at, at(60));
  t.same(the.reserved(ONE, true, at(61)), []);
  const stranger = stationId('NOBODY');
  t.same(the.linkChanged(stranger, true, at(1)), []);
  t.same(the.lost(stranger, at(1)), []);
  t.same(the.status(report('Faulted', { evse: evseNumber(99) })), []);
  t.same(the.status(report('Faulted', { connector: 7 })), []);
  t.same(the.status({ ...whole('Faulted'), station: stranger }), []);
  t.same(the.reserved(evseNumber(99), true, at(1)), []);
  the.measured(evseNumber(99), [], at(1));
  t.end();
});

void t.test('charging states', (t) => {
  const the = book();
  const state = (): unknown[] => {
    const live = the.connector(ONE, 1);
    return [live?.chargingState, live?.transaction];
  };
  steps.connected(the);
  steps.available(the);
  t.same(state(), ['Idle', 'none']);
  steps.occupied(the);
  t.same(state(), ['EVConnected', 'none']);
  steps.started(the);
  t.same(state(), ['Charging', 'open']);
  the.status(report('Occupied', { chargingState: 'SuspendedEV' }));
  t.same(state(), ['SuspendedEV', 'open']);
  steps.ended(the);
  t.same(state(), ['EVConnected', 'ended'], 'the cable is still in');
  steps.available(the);
  t.same(state(), ['Idle', 'none']);
  t.end();
});

void t.test('a late word about an older transaction does not end the one that is open', (t) => {
  const the = book();
  steps.connected(the);
  const second = transaction({ uid: transactionUid('second') });
  the.transactionChanged(second, at(5));
  t.same(the.transactionChanged(transaction({ endedAt: at(3) }), at(6)), []);
  t.equal(the.evse(ONE)?.transaction?.uid, 'second');
  t.equal(the.connector(ONE, 1)?.transaction, 'open');
  t.end();
});

void t.test(
  'a transaction whose connector is known only later leaves nothing behind where it was thought to be',
  (t) => {
    const the = book(2);
    steps.connected(the);
    the.status(report('Available'));
    the.status(report('Occupied', { connector: 2 }));
    the.transactionChanged(transaction(), at(2));
    t.equal(the.connector(ONE, 1)?.status, 'Occupied');
    t.same(the.transactionChanged(transaction({ connector: 2 }), at(3)), [
      { evse: ONE, connector: 1 },
      { evse: ONE, connector: 2 },
    ]);
    t.match(the.connector(ONE, 1), { status: 'Available', transaction: 'none', chargingState: 'Idle' });
    t.match(the.connector(ONE, 2), { status: 'Occupied', transaction: 'open' });
    the.transactionChanged(transaction({ connector: 2, endedAt: at(4) }), at(4));
    t.match(the.connector(ONE, 1), { status: 'Available', transaction: 'none' });
    t.match(the.connector(ONE, 2), { status: 'Occupied', transaction: 'ended' });
    t.end();
  },
);

void t.test('where a transaction most likely is', (t) => {
  const the = book(2);
  steps.connected(the);
  t.same(the.likeliestConnector(CP1), { evse: ONE, connector: 1 });
  the.status(report('Occupied', { connector: 2 }));
  t.same(the.likeliestConnector(CP1), { evse: ONE, connector: 2 }, 'where something is plugged in');
  the.transactionChanged(transaction({ connector: 2 }), at(2));
  t.same(the.likeliestConnector(CP1), { evse: ONE, connector: 1 }, 'and free');
  t.throws(() => the.likeliestConnector(stationId('NOBODY')));
  t.end();
});

void t.test('availability is per connector, and remembered', (t) => {
  const the = book(2);
  steps.connected(the);
  for (const connector of [1, 2]) the.status(report('Available', { connector }));
  the.operative(ONE, 2, false);
  t.same(
    [1, 2].map((connector) => the.isInoperative(ONE, connector)),
    [false, true],
  );
  t.same(
    [1, 2].map((connector) => the.connector(ONE, connector)?.status),
    ['Available', 'Unavailable'],
  );
  t.equal(the.isInoperative(evseNumber(99), 1), false);
  t.end();
});

void t.test('measured values', (t) => {
  const the = book();
  const values = (seconds: number, ...sampled: SampledValue[]) => [{ at: at(seconds), sampled }];
  const current = (value: number): SampledValue => ({ measurand: 'Current.Import', phase: 'L1', value });
  const energy = (value: number): SampledValue => ({ measurand: 'Energy.Active.Import.Register', value });
  the.measured(ONE, values(10, current(10), energy(1000), { measurand: 'SoC', value: 40 }), at(10));
  t.match(the.evse(ONE), { current: { L1: 0, L2: 10, L3: 0 }, currentAt: at(10), register: 1000 });
  the.measured(ONE, values(20, current(11)), at(20));
  t.match(the.evse(ONE), { current: { L2: 11 }, currentAt: at(20), register: 1000 }, 'a register stays until the next');
  t.same(
    the.evse(ONE)?.lastValues,
    { at: at(20), sampled: [current(11), energy(1000), { measurand: 'SoC', value: 40 }] },
    'the last of every measurand, though the message had one',
  );
  the.measured(ONE, values(5, current(32), energy(500)), at(21));
  t.match(
    the.evse(ONE),
    { current: { L2: 11 }, currentAt: at(20), register: 1000 },
    'late values replace nothing newer',
  );
  t.match(the.evse(ONE)?.lastValues?.sampled[0], { value: 11 });
  the.measured(ONE, values(1000, { measurand: 'Voltage', value: 231 }), at(1000));
  t.same(the.evse(ONE)?.lastValues?.sampled, [{ measurand: 'Voltage', value: 231 }], 'old samples are no longer shown');
  the.offered(ONE, ampere(16));
  t.equal(the.evse(ONE)?.offered, 16);
  const years = 3e8;
  the.measured(ONE, values(years, current(12)), at(1001));
  the.measured(ONE, values(1002, current(13)), at(1002));
  t.match(the.evse(ONE)?.current, { L2: 13 }, 'a clock that was far ahead keeps nothing out');
  t.end();
});
