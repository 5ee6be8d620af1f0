// The parts of the console's page that only calculate: the rows of the diagram, words and numbers, completion, what a message on the wire is.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { complete, helpAt } from '../../../adapters/console/page/configuration/complete.js';
import { diffLines } from '../../../adapters/console/page/configuration/diff-lines.js';
import { pieces } from '../../../adapters/console/page/configuration/highlight.js';
import type { JsonSchema } from '../../../adapters/console/page/configuration/schema.js';
import { cursorAt } from '../../../adapters/console/page/configuration/yaml-cursor.js';
import type { DrawnCircuit } from '../../../adapters/console/page/contract.js';
import { bytes, countdown, duration, energy, power, SiteTime, spaced } from '../../../adapters/console/page/format.js';
import { frameWords } from '../../../adapters/console/page/frame-words.js';
import { addressOf, placeOf, type Place } from '../../../adapters/console/page/place.js';
import { may } from '../../../adapters/console/page/roles.js';
import { chartWords, currentChart } from '../../../adapters/console/page/site/chart-data.js';
import { diagramRows } from '../../../adapters/console/page/site/diagram-rows.js';
import { siteFigures } from '../../../adapters/console/page/site/figures.js';
import { differenceOf } from '../../../site-config/text-difference.js';
import { attention, evseStanding, loadOf } from '../../../adapters/console/page/standing.js';
import type { SiteDrawing, SiteStatus } from '../../../gateway/ports/console.js';

const circuit = (name: string, fedBy?: string, evses: readonly number[] = []): DrawnCircuit => ({
  circuit: name,
  breaker_A: 63,
  evses,
  ...(fedBy !== undefined && { fedBy }),
});

const drawing = (circuits: readonly DrawnCircuit[]): SiteDrawing => ({
  site: 'S1',
  name: 'Site',
  timeZone: 'Europe/Amsterdam',
  nominalVoltage_V: 230,
  circuits,
  meters: [],
  stations: [],
  evses: [],
  csms: [],
});

const all = (value_A: number): { L1: number; L2: number; L3: number } => ({ L1: value_A, L2: value_A, L3: value_A });

const STATUS: SiteStatus = {
  site: 'S1',
  name: 'Site',
  version: '1',
  at: '2026-01-01T12:00:00Z',
  startedAt: '2026-01-01T10:00:00Z',
  planAge_s: 0.4,
  stations: [
    { station: 'CP1', connected: true, booted: true, since: '2026-01-01T10:00:00Z' },
    { station: 'CP2', connected: false, booted: false, since: '2026-01-01T10:00:00Z' },
  ],
  evses: [
    {
      evse: 1,
      station: 'CP1',
      connectors: [{ connector: 1, status: 'Occupied', chargingState: 'Charging' }],
      explanation: '',
      transaction: { transaction: 'a', startedAt: '2026-01-01T11:00:00Z' },
    },
    {
      evse: 2,
      station: 'CP2',
      connectors: [{ connector: 1, status: 'Available', chargingState: 'Idle' }],
      explanation: '',
    },
    {
      evse: 3,
      station: 'CP1',
      connectors: [
        { connector: 1, status: 'Available', chargingState: 'Idle' },
        { connector: 2, status: 'Faulted', chargingState: 'Idle', error: 'GroundFailure' },
      ],
      explanation: '',
    },
  ],
  circuits: [
    {
      circuit: 'main',
      breaker_A: 63,
      standing: {
        limit_A: 50,
        limitedBy: 'gridOperator',
        meter: 'lost',
        current_A: { L1: 30, L2: 64, L3: 10 },
        background_A: all(5),
        granted_A: all(20),
        reserved_A: all(0),
      },
    },
  ],
  csms: [{ csms: 'operator', connected: true, accepted: false, queued: 3, inFlight: false, deadLetters: 1 }],
};

void t.test('the diagram draws every circuit and EVSE once, feeders first, with unbroken lines', (t) => {
  const rows = diagramRows(
    drawing([
      circuit('main'),
      circuit('deck-1', 'main', [1, 2]),
      circuit('deck-2', 'main'),
      circuit('row', 'deck-2', [3]),
    ]),
  );
  const shown = rows.map((row) => {
    const lines = row.lines.map((goesOn) => (goesOn ? '|' : ' ')).join('');
    return `${lines}${row.depth > 0 ? (row.last ? '`' : '+') : ''}${row.kind === 'evse' ? row.evse : row.circuit.circuit}`;
  });
  t.same(shown, ['main', '+deck-1', '|+1', '|`2', '`deck-2', ' `row', '  `3']);
  const folded = diagramRows(drawing([circuit('main'), circuit('deck-1', 'main', [1])]), new Set(['main']));
  t.equal(folded.length, 1, 'what is folded is not drawn');
  t.end();
});

void t.test('any tree of circuits is drawn whole', (t) => {
  fc.assert(
    fc.property(fc.array(fc.nat(), { minLength: 1, maxLength: 30 }), (feeders) => {
      const circuits = feeders.map((feeder, index) =>
        circuit(`c${index}`, index === 0 ? undefined : `c${feeder % index}`, [index + 1]),
      );
      const rows = diagramRows(drawing(circuits));
      const names = rows.map((row) => (row.kind === 'evse' ? String(row.evse) : row.circuit.circuit));
      return names.length === circuits.length * 2 && new Set(names).size === names.length;
    }),
  );
  t.end();
});

void t.test('the figures of the site are those of its grid connections', (t) => {
  const figures = siteFigures(drawing([circuit('main')]), STATUS);
  t.match(figures, { charging: 1, transactions: 1, evses: 3, power_W: (30 + 64 + 10) * 230 });
  t.match(figures.tightest, { circuit: 'main', phase: 'L2', room_A: -14, limit_A: 50 });
  t.end();
});

void t.test('what stands how, in the words of the trade', (t) => {
  const [charging, away, faulted] = STATUS.evses;
  t.equal(evseStanding(charging, STATUS).word, 'Charging');
  t.equal(evseStanding(away, STATUS).word, 'Not connected', 'what was last heard of a silent charger is not its state');
  t.same(
    evseStanding(faulted, STATUS),
    { word: 'Faulted', glyph: 'fault' },
    'of two connectors the one with the fault',
  );
  t.equal(evseStanding(undefined, STATUS).word, 'Unknown');
  t.same([loadOf(44, 50), loadOf(45, 50), loadOf(51, 50)], ['normal', 'close', 'over']);
  t.end();
});

void t.test('what wants attention, gravest first', (t) => {
  const found = attention(STATUS).map(({ severity, subject, text }) => `${severity} ${subject} ${text}`);
  t.same(found, [
    'fault circuit/main carries more than its 63 A breaker on L2 (64.0 A)',
    'fault evse/3 faulted: GroundFailure',
    'warning circuit/main its meter is lost',
    'warning station/CP2 is not connected',
    'warning csms/operator does not accept this site',
    'warning csms/operator refused 1 message for good',
  ]);
  t.match(attention({ ...STATUS, planAge_s: 30 })[0], { subject: 'gateway', text: /30 s/ });
  t.end();
});

void t.test('quantities and times', (t) => {
  t.same([power(42), power(7249)], ['42 W', '7.2 kW']);
  t.equal(energy(12_345), '12.35 kWh');
  t.same([bytes(0), bytes(999), bytes(94_200), bytes(1e9)], ['0 B', '999 B', '94.2 kB', '1.0 GB']);
  t.same([duration(42), duration(67), duration(3900), duration(90_000)], ['42 s', '1 min', '1 h 05 min', '1 d 01 h']);
  t.same([countdown(245), countdown(0), countdown(-3), countdown(3661)], ['4:05', '0:00', '0:00', '1:01:01']);
  t.same([spaced('EVDisconnected'), spaced('Local'), spaced('PowerLoss')], ['EV disconnected', 'Local', 'Power loss']);
  const time = new SiteTime('Europe/Amsterdam');
  t.equal(time.moment('2026-01-01T12:00:00Z', '2026-01-01T20:00:00Z'), '13:00:00');
  t.equal(time.moment('2025-12-31T12:00:00Z', '2026-01-01T20:00:00Z'), '31 Dec 13:00');
  t.equal(time.instant('2026-07-01T10:00'), '2026-07-01T08:00:00.000Z', 'summer');
  t.equal(time.instant('2026-01-01T10:00'), '2026-01-01T09:00:00.000Z', 'winter');
  t.equal(time.instant('2026-03-29T03:30'), '2026-03-29T01:30:00.000Z', 'just after the clocks went on');
  t.end();
});

void t.test('every place has an address that leads to it, and no other address does harm', (t) => {
  const places: readonly Place[] = [
    { page: 'site' },
    { page: 'evse', evse: 12 },
    { page: 'circuit', circuit: 'deck 1/b' },
    { page: 'trace' },
    { page: 'trace', peer: 'station/CP01' },
    { page: 'transactions' },
    { page: 'configuration' },
  ];
  for (const place of places) t.same(placeOf(addressOf(place)), place);
  fc.assert(fc.property(fc.string(), (hash) => typeof placeOf(hash).page === 'string'));
  t.end();
});

void t.test('roles', (t) => {
  t.same([may('viewer', 'charge'), may('electrician', 'charge'), may('operator', 'charge')], [false, true, true]);
  t.same(
    [may('electrician', 'redrive'), may('electrician', 'configure'), may('operator', 'users')],
    [false, true, true],
  );
  t.end();
});

void t.test('a history becomes lines with gaps, and words', (t) => {
  const chart = currentChart({
    from: '2026-01-01T12:00:00Z',
    step_s: 10,
    current_A: [
      [null, 10, 12],
      [null, null, null],
      [1, 2, 3],
    ],
    limit_A: [16, 16, 8],
    breaker_A: 63,
  });
  t.same(
    chart.series.map(({ label }) => label),
    ['L1', 'L3', 'Limit', 'Breaker'],
    'a phase without any value is no line',
  );
  t.same(chart.columns[0], [1_767_268_800, 1_767_268_810, 1_767_268_820]);
  t.match(chartWords(chart), 'L1: now 12.0 A, between 10.0 A and 12.0 A');
  t.end();
});

void t.test('what a message on the wire is', (t) => {
  const calls = new Map<string, string>();
  t.match(frameWords('[2,"a","Heartbeat",{}]', calls), { kind: 'call', action: 'Heartbeat', payload: '{}' });
  t.match(frameWords('[3,"a",{"currentTime":"x"}]', calls), { kind: 'result', action: 'Heartbeat' });
  t.match(frameWords('[4,"b","NotSupported","no",{}]', calls), {
    kind: 'error',
    action: '',
    payload: /NotSupported no/,
  });
  t.match(frameWords('01 03 00 00', calls), { kind: 'other', payload: '01 03 00 00' });
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => frameWords(text, calls).payload !== undefined));
  t.end();
});

void t.test('a difference, line by line', (t) => {
  t.same(diffLines('--- a\n+++ b\n@@ -1 +1 @@\n a\n-b\n+c\n'), [
    { kind: 'place', text: '@@ -1 +1 @@' },
    { kind: 'same', text: 'a' },
    { kind: 'removed', text: 'b' },
    { kind: 'added', text: 'c' },
  ]);
  t.same(
    diffLines(differenceOf('a: 1\n---\n', 'a: 1\n')).map(({ kind, text }) => `${kind} ${text}`),
    ['place @@ -1,2 +1,1 @@', 'same a: 1', 'removed ---'],
    'as the gateway writes it: nothing above its first place, and all that is below',
  );
  t.match(diffLines('@@ -1 +1 @@\n-b\n... and more\n').at(-1), { kind: 'place', text: '... and more' });
  t.end();
});

void t.test('the pieces of a line are the whole line', (t) => {
  t.same(
    pieces('  main: { breaker: 63 A } # as on the plan').filter(({ kind }) => kind === 'key'),
    [
      { kind: 'key', text: 'main' },
      { kind: 'key', text: 'breaker' },
    ],
  );
  t.equal(pieces('url: ws://a/#b # c').at(-1)?.text, '# c');
  fc.assert(
    fc.property(
      fc.string(),
      (line) =>
        pieces(line)
          .map(({ text }) => text)
          .join('') === line,
    ),
  );
  t.end();
});

const schema = JSON.parse(readFileSync('site-config/site.schema.json', 'utf8')) as JsonSchema;

/** The text before and after the sign ¦, where the cursor stands. */
function at(marked: string): readonly [text: string, offset: number] {
  return [marked.replace('¦', ''), marked.indexOf('¦')];
}

void t.test('where the cursor stands', (t) => {
  for (const [marked, expected] of [
    ['¦', { path: [], writing: 'key', word: '' }],
    ['circuits:\n  main: { br¦', { path: ['circuits', 'main'], writing: 'key', word: 'br' }],
    ['circuits:\n  main: { breaker: 6¦', { path: ['circuits', 'main', 'breaker'], writing: 'value', word: '6' }],
    ['circuits:\n  main: { breaker: 63 A, ¦ }', { path: ['circuits', 'main'], siblings: ['breaker'] }],
    ['circuits:\n  main:\n    ¦\n    breaker: 63 A', { path: ['circuits', 'main'], siblings: ['breaker'] }],
    ['circuits:\n  main:\n    breaker: 63 A\n¦', { path: [], siblings: ['circuits'] }],
    ['stations:\n  CP1:\n    evses:\n      - { number: 1, c¦', { path: ['stations', 'CP1', 'evses', '[]'], word: 'c' }],
    ['stations:\n  CP1:\n    evses:\n      - number: 1\n        c¦', { path: ['stations', 'CP1', 'evses', '[]'] }],
    ['a: "x: {"\nb: ¦', { path: ['b'], writing: 'value' }],
    ['# a: {\nb¦', { path: [], word: 'b' }],
  ] as const) {
    t.match(cursorAt(...at(marked)), expected, marked);
  }
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...Array.from('ab:{}[],-\n #"\''))), fc.nat(), (signs, place) => {
      const text = signs.join('');
      const cursor = cursorAt(text, place % (text.length + 1));
      return cursor.from <= place % (text.length + 1);
    }),
  );
  t.end();
});

void t.test('what may stand at the cursor, from the schema and from the file itself', (t) => {
  const labels = (marked: string): readonly string[] =>
    complete(schema, ...at(marked)).suggestions.map(({ label }) => label);
  t.same(labels('circuits:\n  main: { br¦').slice(0, 1), ['breaker']);
  t.notOk(labels('circuits:\n  main: { breaker: 63 A, ¦').includes('breaker'), 'a key stands once');
  t.ok(labels('st¦').includes('stations'));
  t.same(labels('circuits:\n  main: { breaker: 63 A }\n  deck: { fed-by: ¦').slice(0, 2), ['main', 'deck']);
  t.ok(labels('csms:\n  op: { role: ¦').includes('authority'), 'the words that the schema knows');
  t.same(labels('circuits:\n  main: { nonsense: ¦'), []);
  t.match(helpAt(schema, ...at('circuits:\n  main: { brea¦ker: 63 A }')), { path: ['circuits', 'main', 'breaker'] });
  t.equal(helpAt(schema, ...at('nonsense¦: 1')), undefined);
  t.end();
});
