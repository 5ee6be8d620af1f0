// `forecourt simulate`: the examples hold, a small site is told to be small, a blind one to be blind, and one seed is one evening.
import { readFileSync } from 'node:fs';
import t from 'tap';
import { runSimulate } from '../../../gateway/cli-simulate.js';
import { openShelf } from '../../../site-config/devices/shelf.js';
import type { RehearsalReport } from '../../../simulation/rehearsal/report.js';

t.setTimeout(300_000);

interface Printed extends RehearsalReport {
  readonly load: readonly string[];
}

/** @param files beside those on disk */
async function simulate(args: readonly string[], files: Readonly<Record<string, string>> = {}) {
  const text = { out: '', err: '' };
  const written = new Map<string, string>();
  const code = await runSimulate(args, {
    out: (piece) => void (text.out += piece),
    err: (piece) => void (text.err += piece),
    readFile: (path) => files[path] ?? readFileSync(path, 'utf8'),
    writeFile: (path, content) => void written.set(path, content),
    devices: openShelf,
  });
  return { code, ...text, written, report: () => JSON.parse(text.out) as Printed };
}

const site = (circuits: string, stations: string): string => `
site: { id: TRIAL, time-zone: Europe/Berlin }
circuits:
${circuits}
meters: { grid: { device: janitza-umg604, connection: tcp://10.0.0.5:502 } }
stations:
${stations}
authorization: { offline: free }
`;

const station = (number: number, circuit: string, phases: string, device = ''): string =>
  `  CP${number}: { ${device}circuit: ${circuit}, evses: [{ number: ${number}, connector: Type2, max-current: 32 A, phases: ${phases}, fallback-current: 0 A }]${device === '' ? ', security-profile: 0' : ''} }`;

const TURNS = ['L1 L2 L3', 'L2 L3 L1', 'L3 L1 L2'];
const stations = (count: number, circuit: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) =>
    station(
      index + 1,
      circuit(index),
      TURNS[index % 3] ?? '',
      index % 3 === 2 ? `device: keba-p30, connection: "tcp://10.0.1.${index + 1}:502", ` : '',
    ),
  ).join('\n');

for (const name of ['small-office', 'car-park', 'depot']) {
  void t.test(`${name}: half an hour in which no breaker is exceeded, with its picture`, async (t) => {
    const path = `site-config/examples/${name}.yaml`;
    const { code, written, err, report } = await simulate([
      path,
      '--from',
      '18:00',
      '--hours',
      '0.5',
      '--json',
      '--chart',
      'c.svg',
    ]);
    t.equal(err, '');
    t.equal(code, 0);
    const { ok, circuits, cars } = report();
    t.equal(ok, true);
    t.ok(cars.length > 0);
    t.ok(
      cars.some(({ delivered_Wh: delivered }) => delivered > 500),
      'cars are charged, whatever their chargers speak',
    );
    for (const { name: car, wanted_Wh: wanted, delivered_Wh: delivered, refused_Wh: refused } of cars)
      t.ok(delivered + refused <= wanted + 1, `${car} is not refused what it did not want`);
    const chart = written.get('c.svg') ?? '';
    t.match(chart, /^<svg [^>]*viewBox="0 0 960 \d+"[^]*<\/svg>\n$/);
    for (const { circuit } of circuits) t.ok(chart.includes(`>${circuit}<`), `a panel of ${circuit}`);
    t.notMatch(chart, /NaN|undefined|Infinity/);
    t.ok(chart.length < 40_000, `${chart.length} bytes`);
  });
}

t.test('a site that is too small says which circuit, and why its cars went short', async (t) => {
  const small = site(
    '  main: { breaker: 63 A }\n  row: { fed-by: main, breaker: 20 A }',
    stations(4, (index) => (index === 3 ? 'main' : 'row')),
  );
  const cars = `
cars:
  - { name: Anna, arrival: 17:00, departure: 18:00, energy: 9 kWh, evse: 1 }
  - { name: Bert, arrival: 17:00, departure: 18:00, energy: 9 kWh, evse: 2 }
  - { name: Cleo, arrival: 17:05, departure: 18:00, energy: 9 kWh, evse: 3 }
  - { name: Dora, arrival: 17:00, departure: 17:50, energy: 3 kWh, evse: 4 }
`;
  const files = { 'small.yaml': small, 'cars.yaml': cars };
  const args = ['small.yaml', '--hours', '1', '--cars', 'cars.yaml'];
  const { code, out } = await simulate(args, files);
  t.equal(code, 0, 'small is not dangerous');
  t.match(out, /No breaker was exceeded\./);
  t.match(out, /Too small for these cars: circuit row\. It kept \d+\.\d kWh from 3 cars\./);
  t.match(out, /Anna \(EVSE 1, 17:00 to 18:00\): \d\.\d kWh of 9\.0 kWh\n {6}\d\.\d kWh: circuit row is full on L\d/);
  t.notMatch(out, /Dora/, 'who got everything is not told of');
  const { circuits, cars: visits } = (await simulate([...args, '--json'], files)).report();
  const row = circuits.find(({ circuit }) => circuit === 'row');
  t.ok(row !== undefined && row.phases.L1.peak_A > 18 && row.phases.L1.peak_A <= 20, 'used, and not exceeded');
  const short = visits.filter(({ refused_Wh: refused }) => refused > 0);
  t.equal(short.length, 3);
  for (const { name, refused_Wh: refused, because } of short)
    t.ok(Math.abs(because.reduce((sum, one) => sum + one.energy_Wh, 0) - refused) <= 3, `${name}: reasons add up`);
});

t.test('what no meter shows to the gateway exceeds a breaker, and the exit code says so', async (t) => {
  const blind = site(
    '  main: { breaker: 32 A }',
    stations(3, () => 'main'),
  );
  const cars =
    'cars:\n  - { arrival: 17:01, departure: 17:30, energy: 20 kWh }\n  - { arrival: 17:01, departure: 17:30, energy: 20 kWh }\n';
  const files = { 'blind.yaml': blind, 'cars.yaml': cars };
  const args = ['blind.yaml', '--hours', '0.5', '--cars', 'cars.yaml', '--load', 'main=10A'];
  const { code, out } = await simulate(args, files);
  t.equal(code, 1);
  t.match(out, /BREAKER EXCEEDED: circuit main had up to 42 A on L1 with a breaker of 32 A/);
  t.match(out.replaceAll('\n', ' '), /it has no meter, so the gateway cannot leave room/);
  const seeing = site(
    '  main: { breaker: 32 A, meter: grid, when-meter-lost: 0 A }',
    stations(3, () => 'main'),
  );
  const metered = await simulate(args, { ...files, 'blind.yaml': seeing });
  t.equal(metered.code, 0, metered.out);
});

t.test('a lift that starts hard is brief, and no exceeded breaker', async (t) => {
  const plan = site(
    '  main: { breaker: 40 A, meter: grid, margin: 2 A, when-meter-lost: 0 A }',
    stations(3, () => 'main'),
  );
  const { code, out } = await simulate(
    ['s.yaml', '--hours', '0.5', '--load', 'main=12A', '--load', 'main=lift:9A', '--json'],
    {
      's.yaml': plan,
    },
  );
  t.equal(code, 0, out);
});

t.test('the grid operator limits a circuit for half an hour', async (t) => {
  const plan = `${site(
    '  main: { breaker: 63 A }',
    stations(3, () => 'main'),
  )}
balancing: { grid-operator-limit: { from: contact, failsafe: 4.2 kW, contacts: [{ file: /nowhere, limit: 0 kW }] } }
`;
  const evening = `
cars: [{ arrival: 17:00, departure: 18:00, energy: 30 kWh, max-current: 16 A }]
grid-operator-limit: [{ from: 17:20, to: 17:50, limit: 6.9 kW }]
`;
  const files = { 's.yaml': plan, 'evening.yaml': evening };
  const args = ['s.yaml', '--hours', '1', '--cars', 'evening.yaml'];
  const { code, out, written } = await simulate([...args, '--chart', 'c.svg'], files);
  t.equal(code, 0);
  t.match(out, /The grid operator's limit on main kept 2\.\d kWh from cars\./);
  t.match(out, /circuit main is full on L1: the grid operator limits it/);
  t.match(written.get('c.svg'), /class="operator"/);
  const [car] = (await simulate([...args, '--json'], files)).report().cars;
  // 11 kW for half an hour, and 6.9 kW for the other half.
  t.ok(car !== undefined && car.delivered_Wh > 8_700 && car.delivered_Wh < 9_100, `${car?.delivered_Wh ?? 0} Wh`);
});

t.test('one seed is one evening, another seed another', async (t) => {
  const path = 'site-config/examples/car-park.yaml';
  const run = async (seed: string) => (await simulate([path, '--hours', '0.25', '--json', '--seed', seed])).out;
  const first = await run('5');
  t.equal(await run('5'), first);
  t.not(await run('6'), first);
});

t.test('half an hour of 30 EVSEs', async (t) => {
  const big = site(
    [
      '  main: { breaker: 200 A, meter: grid, margin: 5 A, when-meter-lost: 60 A }',
      ...[1, 2, 3].map((deck) => `  deck-${deck}: { fed-by: main, breaker: 63 A }`),
    ].join('\n'),
    stations(30, (index) => `deck-${1 + Math.floor(index / 10)}`),
  );
  const begun = process.cpuUsage();
  const { code, report } = await simulate(['big.yaml', '--from', '18:30', '--hours', '0.5', '--json'], {
    'big.yaml': big,
  });
  const spent = process.cpuUsage(begun);
  t.equal(code, 0);
  t.equal(report().evses, 30);
  t.comment(`${((spent.user + spent.system) / 1e6).toFixed(1)} s of CPU time for half an hour of 30 EVSEs`);
});

t.test('wrong usage and faulty files end with 2 and say what to write', async (t) => {
  const path = 'site-config/examples/small-office.yaml';
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /write one site\.yaml/],
    [[path, '--from', '25:00'], /--from takes a time of day/],
    [[path, '--hours', '0'], /--hours takes a number/],
    [[path, '--hours', '49'], /--hours takes a number up to 48/],
    [[path, '--seed', 'x'], /--seed takes a whole number/],
    [[path, '--load', 'mains=20A'], /write one of main=20A, chargers=20A/],
    [[path, '--load', 'main=much'], /write for example main=20A/],
    [[path, '--cars', 'nowhere.yaml'], /nowhere\.yaml cannot be read/],
    [['nowhere.yaml'], /nowhere\.yaml cannot be read/],
    [['faulty.yaml'], /faulty\.yaml:2:1: error: /],
    [[path, '--cars', 'evening.yaml'], /evening\.yaml:2:5: error: car 1 has no departure \[missing-key\]/],
  ];
  const files = {
    'faulty.yaml': 'site: { id: X }\ncircuit: {}\n',
    'evening.yaml': 'cars:\n  - { arrival: 17:10, energy: 4 kWh }\n',
  };
  for (const [args, expected] of cases) {
    const { code, err } = await simulate(args, files);
    t.equal(code, 2, args.join(' '));
    t.match(err, expected);
  }
  const help = await simulate(['--help']);
  t.equal(help.code, 0);
  t.match(help.out, /^usage: forecourt simulate/);
});
