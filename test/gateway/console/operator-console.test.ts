// The operator's view of the gateway: health, dead letters and their redrive, exports, and the journal of one that does not run.
import t from 'tap';
import { History } from '../../../gateway/console/history.js';
import { maskedFrame } from '../../../gateway/console/masked-frame.js';
import { EventRing } from '../../../gateway/console/event-ring.js';
import { OperatorConsole, type Watched } from '../../../gateway/console/operator-console.js';
import { storedDeadLetters, storedOverview } from '../../../gateway/console/stored-journal.js';
import { FAULTS } from '../../../gateway/kernel/faults.js';
import {
  circuitId,
  csmsId,
  evseNumber,
  journalSeq,
  stationId,
  transactionUid,
  uuidV7,
} from '../../../gateway/kernel/ids.js';
import { ampere, timestamp } from '../../../gateway/kernel/units.js';
import type { ExportedEntry, ExportSelection, ListedTransaction } from '../../../gateway/ports/console.js';
import type { JournalRecord } from '../../../gateway/site/transaction.js';
import { FakeClock } from '../../fakes/fake-clock.js';
import { MemoryJournal } from '../../fakes/memory-journal.js';
import { AT, bill, happened, TOKEN, transaction } from '../telemetry/rig.js';
import { csms, evse, FakeLive, site } from '../views/fixture.js';

const plan = (over: Partial<Watched> = {}): Watched => ({
  live: new FakeLive(),
  views: [],
  balancing: undefined,
  circuits: undefined,
  readings: new Map(),
  gridOperator: undefined,
  reservation: () => undefined,
  operations: { openTransactions: () => [] },
  needs: () => undefined,
  plannedAt: 0,
  ...over,
});

function opened(over: Partial<Watched> = {}) {
  const clock = new FakeClock();
  const journal = new MemoryJournal();
  const gateway = plan(over);
  const described = { ...site([evse(1), evse(2)]), csms: [csms()] };
  const console = new OperatorConsole({
    site: described,
    version: '1',
    gateway,
    journal,
    clock,
    events: new EventRing(),
  });
  return { clock, journal, console };
}

const collected = async (entries: AsyncIterable<ExportedEntry>): Promise<readonly ExportedEntry[]> => {
  const all: ExportedEntry[] = [];
  for await (const entry of entries) all.push(entry);
  return all;
};

void t.test('health and status: a grid operator who is not heard degrades it', async (t) => {
  const at = timestamp(Date.parse('2025-03-01T07:00:00Z'));
  const sources = [{ source: 'mqtt', failsafeSince: at }, { source: 'contact 1' }];
  const { console } = opened({
    gridOperator: { limits: new Map([[circuitId('main'), ampere(6)]]), failsafe: true, sources },
  });
  t.match(console.health(), { status: 'degraded' });
  t.match(
    console.health().checks.find(({ check }) => check === 'grid-operator'),
    { status: 'degraded', fault: 'FC-B06', reason: 'not heard, so that the fail-safe limit holds: mqtt' },
  );
  t.same(console.status().gridOperator, {
    limits_A: { main: 6 },
    failsafe: true,
    sources: [{ source: 'mqtt', failsafeSince: '2025-03-01T07:00:00.000Z' }, { source: 'contact 1' }],
  });
  const heard = opened({ gridOperator: { limits: new Map(), failsafe: false, sources: [{ source: 'mqtt' }] } });
  t.match(
    heard.console.health().checks.find(({ check }) => check === 'grid-operator'),
    { status: 'ok' },
  );
});

void t.test('health: a disk that refuses fails it, until it keeps something again', async (t) => {
  const { console, journal } = opened();
  t.match(console.health(), { status: 'ok', checks: [{ check: 'journal', status: 'ok' }] });
  journal.failNext(2);
  await t.rejects(journal.commit({}));
  await t.rejects(journal.commit({}));
  t.match(console.health(), {
    status: 'failing',
    checks: [{ check: 'journal', status: 'failing', fault: FAULTS.journalUnavailable.code, reason: /no space/ }],
  });
  t.match(await console.journal(), { writable: false, commits: 0, refusedCommits: 2 });
  await journal.commit({});
  t.match(console.health(), { checks: [{ status: 'ok' }] });
  t.match(await console.journal(), { writable: true, commits: 1, refusedCommits: 2, lastFlush_s: 0 });
  await t.rejects(journal.commit({ documents: [{ collection: 'x', key: 'y', value: 1n }] }));
  t.match(
    await console.journal(),
    { writable: true, refusedCommits: 2 },
    'what JSON cannot hold is no fault of the disk',
  );
});

void t.test('health: stations that are away degrade it, plans that are late fail it', async (t) => {
  const live = new FakeLive();
  const { console, clock } = opened({ live });
  const station = (id: string, connected: boolean) =>
    live.stations.set(id, { id: stationId(id), connected, booted: connected, since: timestamp(0) });
  station('CP1', true);
  station('CP2', false);
  t.match(console.health().checks[2], { check: 'stations', status: 'degraded', reason: '1 of 2 not connected: CP2' });
  station('CP2', true);
  t.equal(console.health().status, 'ok');
  await clock.advance(11_000);
  t.match(console.health(), {
    status: 'failing',
    checks: [{}, { check: 'balancing', reason: 'the last plan is 11 s old' }],
  });
});

void t.test('a circuit without a meter carries what its charging EVSEs say together', (t) => {
  const live = new FakeLive();
  const current = { L1: ampere(10), L2: ampere(0), L3: ampere(4.04) };
  live.evses.set(evseNumber(1), { number: evseNumber(1), current, transaction: transaction() });
  // Its last sample, of a transaction that is over.
  live.evses.set(evseNumber(2), { number: evseNumber(2), current });
  const { console } = opened({ live });
  const status = console.status();
  t.match(status.evses, [
    { evse: 1, current_A: { L1: 10 }, transaction: { idToken: '04***(14)', energy_Wh: 4500 } },
    { evse: 2, current_A: undefined, transaction: undefined },
  ]);
  t.notMatch(JSON.stringify(status), TOKEN, 'no driver is named');
  t.match(console.explain(1), { explanation: /not planned for yet/ });
  t.equal(console.explain(3), undefined);
  t.end();
});

const RECORDS: readonly JournalRecord[] = [
  happened('started', { startToken: { idToken: TOKEN, type: 'ISO14443' } }),
  { type: 'security', event: 'SettingSystemTime', at: AT },
  happened('updated', {
    at: timestamp(AT + 60_000),
    meterValues: [
      {
        at: AT,
        sampled: [
          { value: 1, signed: { data: `{"ID":"${TOKEN}"}`, signingMethod: '', encodingMethod: 'OCMF', publicKey: '' } },
        ],
      },
    ],
  }),
  happened('ended', { at: timestamp(AT + 120_000) }),
  { ...bill, endedAt: timestamp(AT + 120_000) },
];

void t.test('an export: ranges by number and by time, tokens only for whoever bills', async (t) => {
  const { console, journal } = opened();
  await journal.commit({ records: RECORDS });
  const all: ExportSelection = { types: ['transaction', 'cdr'], tokens: 'masked' };
  const seqs = async (selection: Partial<ExportSelection>) =>
    (await collected(console.export({ ...all, ...selection }))).map(({ seq }) => seq);
  t.same(await seqs({}), [1, 3, 4, 5]);
  t.same(await seqs({ types: ['cdr'] }), [5]);
  t.same(await seqs({ from: { seq: 3 }, to: { seq: 4 } }), [3, 4], 'numbers: both included');
  t.same(await seqs({ from: { at: AT + 60_000 }, to: { at: AT + 120_000 } }), [3], 'times: the end excluded');
  t.same(await seqs({ from: { seq: 9 } }), []);
  const masked = await collected(console.export(all));
  t.notMatch(JSON.stringify(masked), TOKEN, 'nor in what is signed');
  t.match(masked[0], { type: 'transaction', event: 'started', at: '2025-03-01T08:00:00.000Z', idToken: '04***(14)' });
  t.match(masked[3], { type: 'cdr', idToken: '04***(14)', energy_Wh: 4500 });
  const full = await collected(console.export({ ...all, tokens: 'full' }));
  t.match(full, [{ idToken: TOKEN, startToken: TOKEN }, {}, {}, { idToken: TOKEN }]);
});

void t.test('an export of more than one page is whole', async (t) => {
  const { console, journal } = opened();
  const records = Array.from({ length: 1234 }, (_, n) => happened('updated', { n }));
  await journal.commit({ records });
  const entries = await collected(console.export({ types: ['transaction'], tokens: 'masked' }));
  t.same(
    entries.map(({ seq }) => seq),
    records.map((_, index) => index + 1),
  );
});

void t.test('where no gateway runs, cursor and dead letters are read from the documents', async (t) => {
  const { journal: memory } = opened();
  const letter = {
    seq: 2,
    record: happened('ended'),
    reason: `InternalError: card ${TOKEN.toLowerCase()} unknown`,
    attempts: 3,
    at: AT,
  };
  await memory.commit({
    records: [1, 2, 3, 4].map((n) => happened('updated', { n, at: timestamp(AT + n * 1000) })),
    documents: [
      { collection: 'view/operator', key: 'cursor', value: { seq: 2, attempts: 0 } },
      { collection: 'view/operator', key: 'dead/2', value: letter },
    ],
  });
  const disk = {
    lastSeq: () => Promise.resolve(memory.lastSeq),
    read: (after: number, limit: number) => memory.read(journalSeq(after), limit),
    load: (collection: string) => memory.load(collection),
    size: () => Promise.resolve(1),
  };
  const overview = await storedOverview('S1', ['operator', csmsId('new')], disk, timestamp(AT + 63_000));
  t.match(overview, {
    gateway: 'stopped',
    lastSeq: 4,
    csms: [
      { csms: 'operator', queued: 2, deadLetters: 1, oldest: '2025-03-01T08:00:03.000Z', oldestAge_s: 60 },
      { csms: 'new', queued: 0, deadLetters: 0, oldest: undefined },
    ],
  });
  t.equal(overview.writable, undefined, 'nobody has tried');
  t.match(await storedDeadLetters('operator', disk), [
    { seq: 2, message: 'ended', evse: 1, attempts: 3, reason: 'InternalError: card 04***(14) unknown' },
  ]);
});

void t.test('transactions: the open ones and the bills, the newest first, within what is asked', async (t) => {
  const now = transaction();
  const { console, journal } = opened({ operations: { openTransactions: () => [now] } });
  const billed = Array.from({ length: 450 }, (_, hour) => {
    const startedAt = timestamp(AT + hour * 3_600_000);
    const uid = transactionUid(uuidV7(startedAt, new Uint8Array(10)));
    return { ...bill, uid, startedAt, endedAt: timestamp(startedAt + 1000), evse: evseNumber(1 + (hour % 2)) };
  });
  await journal.commit({ documents: billed.map((value) => ({ collection: 'cdr', key: value.uid, value })) });
  const listed = async (selection: object) => {
    const all: ListedTransaction[] = [];
    for await (const one of console.transactions({ tokens: 'masked', ...selection })) all.push(one);
    return all;
  };
  const all = await listed({});
  t.equal(all.length, 451);
  t.match(all[0], { open: true, idToken: '04***(14)', energy_Wh: 4500 });
  t.match(all[1], { open: false, startedAt: new Date(AT + 449 * 3_600_000).toISOString() });
  t.match(all.at(-1), { startedAt: new Date(AT).toISOString(), reason: /./ });
  const day = await listed({ from: AT + 3_600_000, to: AT + 25 * 3_600_000, evse: 2 });
  t.equal(day.length, 12);
  t.ok(day.every(({ evse: number }) => number === 2));
  t.match(await listed({ from: AT + 449 * 3_600_000, tokens: 'full' }), [{ idToken: TOKEN }]);
});

void t.test('history: columns of what flowed, empty where nothing did, six hours at most', (t) => {
  const history = new History();
  const main = (current: number) => [
    {
      circuit: 'main',
      breaker_A: 63,
      standing: {
        limit_A: 50,
        limitedBy: 'breaker',
        meter: 'live',
        current_A: { L1: current, L2: 0, L3: 0 },
        background_A: { L1: 0, L2: 0, L3: 0 },
        granted_A: { L1: 0, L2: 0, L3: 0 },
        reserved_A: { L1: 0, L2: 0, L3: 0 },
      },
    },
  ];
  const one = { evse: 1, station: 'CP1', connectors: [], explanation: '', limit_A: 16 };
  const charging = { ...one, current_A: { L1: 15.96, L2: 0, L3: 7.04 }, power_W: 5290 };
  for (let n = 0; n < 2200; n++)
    history.sample({ evses: [n < 2199 ? one : charging], circuits: main(n % 10) }, timestamp(AT + n * 10_000));
  t.same(history.evse(1, 1), {
    evse: 1,
    step_s: 10,
    from: new Date(AT + 2194 * 10_000).toISOString(),
    current_A: [
      [null, null, null, null, null, 16],
      [null, null, null, null, null, 0],
      [null, null, null, null, null, 7],
    ],
    limit_A: [null, null, null, null, null, 16],
    power_W: [null, null, null, null, null, 5290],
  });
  t.same(history.circuit('main', 63, 1).current_A[0], [4, 5, 6, 7, 8, 9]);
  t.equal(history.circuit('main', 63, 360).limit_A.length, 2160);
  t.equal(
    history.evse(7, 60).current_A[0]?.every((value) => value === null),
    true,
  );
  // A circuit that site.yaml loses for a minute and gets again: nothing of before, in none of the places it is written to.
  for (let n = 0; n < 6; n++) history.sample({ evses: [], circuits: [] }, timestamp(AT + (2200 + n) * 10_000));
  history.sample({ evses: [charging], circuits: main(5) }, timestamp(AT + 2206 * 10_000));
  const gap = [null, null, null, null, null];
  t.same(history.circuit('main', 63, 1).current_A[0], [...gap, 5]);
  t.same(history.evse(1, 1).current_A[0], [...gap, 16]);
  t.end();
});

void t.test('a traced frame shows no password, wherever OCPP puts it', (t) => {
  const password = 'Tr0ub4dor&3-and-more';
  const frames = [
    [2, '1', 'ChangeConfiguration', { key: 'AuthorizationKey', value: password }],
    [2, '2', 'GetDiagnostics', { location: `ftp://service:${password}@files.example/up` }],
    [2, '3', 'GetLog', { log: { remoteLocation: `sftp://service:p@rt${password}@files.example/up` } }],
    [2, '4', 'DataTransfer', { vendorId: 'v', data: `upload to ftp://service:${password}@files.example` }],
    [
      2,
      '5',
      'NotifyReport',
      {
        reportData: [
          {
            component: { name: 'SecurityCtrlr' },
            variable: { name: 'BasicAuthPassword' },
            variableAttribute: [{ type: 'Actual', value: password }],
          },
          {
            component: { name: 'ClockCtrlr' },
            variable: { name: 'TimeSource' },
            variableAttribute: [{ type: 'Actual', value: 'NTP' }],
          },
        ],
      },
    ],
  ];
  const shown = frames.map((frame) => maskedFrame(JSON.stringify(frame)));
  for (const frame of shown) t.notMatch(frame, /ub4dor|service/);
  t.match(shown[1], /"ftp:\/\/\*\*\*@files\.example\/up"/, 'where it goes can still be read');
  t.match(shown[4], /"value":"NTP"/);
  t.equal(
    maskedFrame('[2,"6","GetLog",{"log":{"remoteLocation":"https://files.example/a@b"}}]'),
    '[2,"6","GetLog",{"log":{"remoteLocation":"https://files.example/a@b"}}]',
  );
  t.end();
});
