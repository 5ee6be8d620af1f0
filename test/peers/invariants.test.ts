// Each of the seven rules can fail: a sound journey with one thing changed is named by the rule that it breaks.
import { EventEmitter } from 'node:events';
import t from 'tap';
import { Changes } from './changes.js';
import { grantsOf, meteredVisits } from './charger-visits.js';
import { CsmsBook } from './csms-book.js';
import { broken, type CsmsEvidence, type Evidence } from './invariants.js';
import { WireRecord } from './wire-record.js';

const AT = '2026-01-01T00:00:00.000Z';
const UID = '0190a5b0-0000-7000-8000-000000000001';

/** What a 2.0.1 CSMS has in its book of one visit from 1000 to 1500 Wh. */
function modernBook(seqNos: readonly number[] = [0, 1, 2]): CsmsBook {
  const book = new CsmsBook('ocpp2.0.1', 1);
  const event = (eventType: string, seqNo: number, context: string, value: number) =>
    book.take('TransactionEvent', {
      eventType,
      seqNo,
      timestamp: AT,
      triggerReason: 'Authorized',
      evse: { id: 1, connectorId: 1 },
      transactionInfo: { transactionId: UID },
      meterValue: [{ timestamp: AT, sampledValue: [{ value, context }] }],
    });
  event('Started', seqNos[0] ?? 0, 'Transaction.Begin', 1000);
  event('Updated', seqNos[1] ?? 1, 'Sample.Periodic', 1200);
  event('Ended', seqNos[2] ?? 2, 'Transaction.End', 1500);
  return book;
}

const csms = (more: Partial<CsmsEvidence> = {}): CsmsEvidence => ({
  name: 'authority',
  transactions: [...modernBook().transactions.values()],
  deadLetters: [],
  behind: false,
  ...more,
});

const written = {
  uid: UID,
  evse: 1,
  meterStart: 1000,
  meterStop: 1500.4,
  ended: true,
  listedOpen: false,
  bill: { meterStart: 1000, meterStop: 1500.4, estimated: false },
};
const visit = { from: 1000, to: 1500, begun: 10, ended: 20 };
const sound: Evidence = {
  wireFaults: [],
  chargers: [
    { evse: 1, visits: [visit], grants: [{ at: 5, ampere: 16 }] },
    { evse: 2, visits: [{ from: 0, to: undefined, begun: 12, ended: undefined }], grants: [{ at: 12, ampere: 16 }] },
  ],
  journal: [
    written,
    { uid: 'open', evse: 2, meterStart: 0, meterStop: undefined, ended: false, listedOpen: true, bill: undefined },
  ],
  csmss: [csms()],
  cap: 32,
};

const rules = (evidence: Partial<Evidence>): readonly string[] =>
  broken({ ...sound, ...evidence }).map((text) => text.slice(0, 2));

void t.test('a sound journey breaks none', (t) => {
  t.same(broken(sound), []);
  t.end();
});

void t.test('I1, I2, I3: seen on the wire', (t) => {
  const record = new WireRecord('peer', new Changes());
  const socket = new EventEmitter();
  record.listen(socket);
  const frame = (message: unknown, outbound = false) =>
    socket.emit('message', { message: JSON.stringify(message), outbound });
  frame([2, 'a', 'Heartbeat', {}]);
  frame([3, 'a', { currentTime: AT }], true);
  frame([2, 'b', 'Heartbeat', {}]);
  t.same(record.faults, []);
  frame([2, 'c', 'Heartbeat', {}]);
  t.match(record.faults.at(-1), /^I2 peer: Heartbeat was sent while/);
  frame([3, 'c', { currentTime: AT }], true);
  frame([2, 'a', 'Heartbeat', {}]);
  t.match(record.faults.at(-1), /^I3 peer: the message id a/);
  socket.emit('strictValidationFailure', { method: 'Heartbeat', error: new Error('no'), params: {}, outbound: false });
  t.match(record.faults.at(-1), /^I1 peer: Heartbeat of the gateway/);
  socket.emit('badMessage', { error: new Error('no'), buffer: 'x' });
  t.match(record.faults.at(-1), /^I1 peer: bad message/);
  t.equal(record.faults.length, 4);
  t.same(rules({ wireFaults: record.faults }), ['I2', 'I3', 'I1', 'I1']);
  t.end();
});

void t.test('I4: meter, journal and every CSMS', (t) => {
  const chargers = (to: number) => [{ evse: 1, visits: [{ ...visit, to }], grants: [] }];
  const unmetered = [{ evse: 1, visits: [], grants: [] }];
  t.same(rules({ chargers: chargers(1600) }), ['I4', 'I4'], 'metered otherwise than billed');
  t.same(rules({ chargers: unmetered }), ['I4'], 'billed without a meter');
  t.same(rules({ journal: [{ ...written, bill: undefined }] }), ['I4'], 'no bill');
  t.same(
    rules({ chargers: unmetered, journal: [{ ...written, bill: { ...written.bill, estimated: true } }] }),
    [],
    'an estimate has no meter',
  );
  t.same(rules({ csmss: [csms({ transactions: [] })] }), ['I4'], 'a CSMS does not know of it');
  t.same(rules({ csmss: [csms({ transactions: [], behind: true })] }), [], 'or not yet');
  const letter = { uid: UID, kind: 'ended', seqNo: undefined };
  t.same(rules({ csmss: [csms({ transactions: [], deadLetters: [letter] })] }), [], 'or has refused it');
  const twice = [...modernBook().transactions.values(), ...modernBook().transactions.values()];
  t.same(rules({ csmss: [csms({ transactions: twice })] }), ['I4'], 'a CSMS has it twice');
  const [one] = modernBook().transactions.values();
  t.ok(one);
  if (one !== undefined) {
    t.same(rules({ csmss: [csms({ transactions: [{ ...one, meterStop: 1499 }] })] }), ['I4', 'I4'], 'another register');
    const bare = { ...one, meterStart: undefined };
    t.same(
      rules({ csmss: [csms({ transactions: [{ ...bare, meterStop: 1 }], deadLetters: [letter] })] }),
      ['I4'],
      'a stop without a start at a register of nobody',
    );
  }
  t.end();
});

void t.test('I5: the sum of grants while transactions are open', (t) => {
  t.same(rules({ cap: 31 }), ['I5'], 'both together');
  const [first, second] = sound.chargers;
  t.ok(first && second);
  if (first && second) {
    t.same(rules({ chargers: [{ ...first, grants: [{ at: 15, ampere: 33 }] }, second] }), ['I5'], 'a raise too early');
    t.same(
      rules({ chargers: [{ ...first, grants: [{ at: 25, ampere: 33 }] }, second] }),
      [],
      'after its end it is void',
    );
  }
  t.end();
});

void t.test('I6: an end, or the list of what is open', (t) => {
  const [done, open] = sound.journal;
  t.ok(done && open);
  if (done && open) {
    t.same(rules({ journal: [done, { ...open, listedOpen: false }] }), ['I6']);
    t.same(rules({ journal: [{ ...done, listedOpen: true }, open] }), ['I6']);
  }
  const waiting = modernBook();
  waiting.take('TransactionEvent', {
    eventType: 'Started',
    seqNo: 0,
    evse: { id: 3, connectorId: 1 },
    transactionInfo: { transactionId: 'lost' },
    triggerReason: 'Authorized',
    timestamp: AT,
  });
  t.same(rules({ csmss: [csms({ transactions: [...waiting.transactions.values()] })] }), ['I6']);
  t.end();
});

void t.test('I7: numbers without a gap, in order', (t) => {
  const withNumbers = (seqNos: readonly number[], more: Partial<CsmsEvidence> = {}) =>
    rules({ csmss: [csms({ transactions: [...modernBook(seqNos).transactions.values()], ...more })] });
  t.same(withNumbers([0, 1, 3]), ['I7'], 'a gap');
  t.same(withNumbers([1, 2, 3]), ['I7'], 'no beginning');
  t.same(withNumbers([0, 2, 1]), ['I7'], 'out of order');
  t.same(
    withNumbers([0, 1, 3], { deadLetters: [{ uid: UID, kind: 'updated', seqNo: 2 }] }),
    [],
    'a dead letter keeps its own',
  );
  t.end();
});

void t.test('what a charger metered and was granted is read from its frames', (t) => {
  const call = (at: number, action: string, payload: Record<string, unknown>, messageId = String(at)) => ({
    at,
    action,
    payload,
    messageId,
    socket: 1,
  });
  const start = { connectorId: 1, idTag: 'A', timestamp: AT, meterStart: 1000 };
  const sent = [
    call(1, 'StartTransaction', start),
    call(2, 'StartTransaction', start),
    call(3, 'StopTransaction', { transactionId: 7, meterStop: 1500 }),
    call(4, 'StartTransaction', { ...start, meterStart: 1500, timestamp: '2026-01-01T01:00:00.000Z' }),
    call(5, 'StopTransaction', { transactionId: -1, meterStop: 1700 }),
  ];
  const schedule = { chargingRateUnit: 'W', chargingSchedulePeriod: [{ limit: 6900 }] };
  const calls = [
    call(6, 'SetChargingProfile', { csChargingProfiles: { chargingSchedule: schedule } }),
    call(7, 'SetChargingProfile', { csChargingProfiles: { chargingSchedule: schedule } }),
  ];
  const answers = new Map<string, Record<string, unknown>>([
    ['2', { transactionId: 7 }],
    ['6', { status: 'Accepted' }],
    ['7', { status: 'Rejected' }],
  ]);
  t.match(meteredVisits('ocpp1.6', { calls, sent, answers }), [
    { from: 1000, to: 1500, begun: 1, ended: 3 },
    { from: 1500, to: 1700, begun: 4, ended: 5 },
  ]);
  t.same(grantsOf({ calls, sent, answers }), [{ at: 6, ampere: 10 }]);
  t.end();
});
