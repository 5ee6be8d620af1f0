// Reading site.yaml: the examples, the model that comes out, defaults, secrets, and that no text whatever makes it throw.
import fc from 'fast-check';
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import t from 'tap';
import { loadSite, loadSiteText, type LoadOptions } from '../../site-config/loader.js';
import { devices } from './devices.js';

const examples = 'site-config/examples/';
const exampleFiles = readdirSync(examples).filter((name) => name.endsWith('.yaml'));
const secret = 'a-secret-of-sufficient-length';
const options: LoadOptions = { devices, env: { FORECOURT_DC_02: secret }, readFile: () => secret };

const siteOf = (text: string, more: Partial<LoadOptions> = {}) => {
  const result = loadSiteText(text, '/srv/forecourt/site.yaml', { ...options, ...more });
  if (!result.ok) throw new Error(result.error.map(({ line, message }) => `${line}: ${message}`).join('\n'));
  return result.value;
};

const small = `site: { id: S1 }
circuits: { main: { breaker: 63 A } }
stations:
  "0815": { circuit: main, password: 0123456789012345, evses: [ { number: 4, max-current: 32 A } ] }
`;

t.test('every example site is good, without a warning but of what is not known of its devices', (t) => {
  t.same(exampleFiles, ['car-park.yaml', 'depot.yaml', 'garage.yaml', 'small-office.yaml', 'workplace.yaml']);
  for (const name of exampleFiles) {
    const result = loadSite(examples + name, { devices, env: options.env ?? {} });
    const findings = result.ok ? result.value.warnings : result.error;
    t.same(
      findings.filter(({ code }) => code !== 'not-verified'),
      [],
      name,
    );
  }
  t.end();
});

t.test('a site that uses everything checks out, and says what is not acted on yet', (t) => {
  const { site, warnings } = siteOf(readFileSync('test/site-config/whole-site.yaml', 'utf8'));
  t.same(warnings.map(({ code, message }) => `${code} ${message}`).sort(), [
    'no-meter-lost-current circuit deck-2 has a meter and no when-meter-lost: its EVSEs have their fallback currents when the meter is lost',
    'not-built home-assistant of local-broker of telemetry is accepted, not acted on yet',
    'not-built sparkplug of broker of telemetry is accepted, not acted on yet',
    'not-built uplink is accepted, not acted on yet',
  ]);
  t.same(
    site.circuits.map(({ id, fedBy, breaker }) => [id, fedBy, breaker]),
    [
      ['main', undefined, 125],
      ['deck-1', 'main', 63],
      ['deck-2', 'main', 63],
      ['row-n', 'deck-2', 32],
    ],
  );
  t.match(site.csms, [
    {
      id: 'operator',
      securityProfile: 2,
      ocpp: '2.0.1',
      role: 'authority',
      identity: 'NL-HARBOUR-01',
      password: secret,
    },
    { id: 'landlord', securityProfile: 0, ocpp: '1.6', role: 'observer', evses: [1, 2] },
  ]);
  t.match(site.stations[1], {
    id: 'WB07',
    link: {
      kind: 'modbus',
      device: 'heidelberg-energy-control',
      unit: 2,
      connection: { kind: 'serial', path: '/dev/ttyUSB0', baudRate: 19_200, parity: 'even', stopBits: 1 },
    },
    evses: [{ number: 3, stationEvse: 1, phases: ['L3', 'L1', 'L2'], rotationKnown: true }],
  });
  // 4.2 kW over three phases of 230 V, rounded down.
  t.match(site.balancing.gridOperatorLimit, {
    from: ['mqtt', 'contact'],
    failsafe: 6,
    contacts: [
      {
        number: 1,
        limit: 12.1,
        circuit: 'deck-2',
        active: 'closed',
        input: {
          kind: 'modbus',
          connection: { kind: 'serial', path: '/dev/ttyUSB0', baudRate: 19_200, parity: 'even', stopBits: 1 },
          unit: 3,
          table: 'holding-register',
          address: 12,
          bit: 3,
        },
      },
      { number: 2, limit: 6, active: 'open', input: { kind: 'file', path: '/sys/class/gpio/gpio17/value' } },
    ],
  });
  t.end();
});

t.test('between two phases, behind a transformer, and who comes first', (t) => {
  const read = (name: string) => {
    const loaded = loadSite(examples + name, { devices, env: options.env ?? {} });
    if (!loaded.ok) throw new Error(name);
    return loaded.value.site;
  };
  const workplace = read('workplace.yaml');
  t.equal(workplace.circuits[0]?.primaryVoltage, 480);
  t.match(
    workplace.stations.flatMap(({ evses }) => evses),
    [
      { phases: ['L1', 'L2'], lineToLine: true },
      { phases: ['L2', 'L3'], lineToLine: true },
      { phases: ['L3', 'L1'], lineToLine: true },
      { phases: ['L1', 'L2'], lineToLine: true, chargingPriority: 1 },
    ],
  );
  const office = read('small-office.yaml');
  t.equal(office.stations[0]?.evses[0]?.phaseSwitching, true);
  t.equal(office.stations[1]?.evses[0]?.phaseSwitching, undefined);
  t.equal(office.balancing.unbalance, 20);
  t.match(office.authorization.localTokens, [{ idToken: '04A2B3C4D5E6F7', chargingPriority: 1 }]);
  t.equal(read('depot.yaml').stations[1]?.evses[0]?.weight, 2);
  const { link } = read('car-park.yaml').stations[1] ?? {};
  t.match(link, { smartCharging: { setpointsPerDay: 50 } });
  t.end();
});

t.test('what is not written has the default that the schema documents', (t) => {
  const { site } = siteOf(small);
  t.match(site, {
    id: 'S1',
    name: 'S1',
    timeZone: 'UTC',
    nominalVoltage: 230,
    listen: { ocpp: { host: '0.0.0.0', port: 9000 } },
    dataDirectory: resolve('/srv/forecourt/data'),
    journal: { sizeLimit: 1e9, keepBills: 34_560_000_000 },
    authorization: {
      offline: 'known-only',
      cacheEntries: 5000,
      cacheLifetime: 604_800_000,
      timeout: 8000,
      stopOnInvalidId: true,
      localTokens: [],
    },
    balancing: { strategy: 'fair', rotation: 900_000 },
    circuits: [{ id: 'main', breaker: 63, margin: 0 }],
    csms: [],
    telemetry: {},
  });
  t.match(site.stations[0]?.evses[0], {
    connectors: [{ number: 1, type: 'Type2' }],
    minCurrent: 6,
    fallbackCurrent: 6,
    phases: ['L1', 'L2', 'L3'],
    rotationKnown: false,
  });
  t.end();
});

t.test('every form of a Modbus connection, with its default port and the settings of its line', (t) => {
  const connectionOf = (written: string): unknown =>
    siteOf(
      small
        .replace('63 A', '63 A, meter: m, when-meter-lost: 6 A')
        .concat(`meters: { m: { device: sunspec-meter-201-204, ${written} } }\n`),
    ).site.meters[0]?.connection;
  const host = '10.0.0.9';
  t.same(connectionOf(`connection: tcp://${host}`), { kind: 'tcp', host, port: 502 });
  t.same(connectionOf('connection: "tcp://[fd00::9]:1502"'), { kind: 'tcp', host: 'fd00::9', port: 1502 });
  t.same(connectionOf(`connection: udp://${host}`), { kind: 'udp', host, port: 502 });
  t.same(connectionOf(`connection: rtu-over-tcp://${host}:26`), { kind: 'rtu-over-tcp', host, port: 26 });
  t.same(connectionOf(`connection: rtu-over-udp://${host}:26`), { kind: 'rtu-over-udp', host, port: 26 });
  const path = '/dev/serial/by-id/usb-x';
  const usual = { kind: 'serial', path, baudRate: 9600, parity: 'none', stopBits: 1 };
  t.same(connectionOf(`connection: serial:${path}`), usual);
  t.same(connectionOf(`connection: serial:${path}, baud-rate: 1200, parity: odd, stop-bits: 2`), {
    ...usual,
    baudRate: 1200,
    parity: 'odd',
    stopBits: 2,
  });
  t.end();
});

t.test('identities, cards and passwords keep their leading zeros', (t) => {
  const { site } = siteOf(`${small}authorization: { local-tokens: [ 04123456, { token: 0012, group: 007 } ] }\n`);
  t.equal(site.stations[0]?.id, '0815');
  t.match(site.stations[0]?.link, { password: '0123456789012345' });
  t.same(site.authorization.localTokens, [{ idToken: '04123456' }, { idToken: '0012', group: '007' }]);
  t.same(siteOf(small.replace('"0815"', '0815')).site.stations[0]?.id, '0815', 'unquoted too');
  t.end();
});

t.test('secrets come from files beside site.yaml or the environment, first line only', (t) => {
  const read: string[] = [];
  const readFile = (path: string): string => {
    read.push(path);
    return `${secret}\nsecond line\n`;
  };
  const text = small.replace('0123456789012345', '{ file: secrets/CP }');
  t.match(siteOf(text, { readFile }).site.stations[0]?.link, { password: secret });
  t.same(read, [resolve('/srv/forecourt/secrets/CP')]);
  const fromEnvironment = small.replace('0123456789012345', '{ env: CP }');
  t.match(siteOf(fromEnvironment, { env: { CP: secret } }).site.stations[0]?.link, { password: secret });
  t.end();
});

t.test('no finding shows a password', (t) => {
  const text = small.replace('0123456789012345', 'open-sesame').replace('32 A', '32');
  const result = loadSiteText(text, 'site.yaml', options);
  t.notOk(result.ok);
  t.notMatch(JSON.stringify(result), /open-sesame/);
  const oddShape = loadSiteText(small.replace('0123456789012345', '[open-sesame]'), 'site.yaml', options);
  t.notMatch(JSON.stringify(oddShape), /open-sesame/);
  t.end();
});

t.test('an alias stands for what it names; a text that unfolds without end is refused', (t) => {
  const { site } = siteOf(small.replace('63 A', '&b 63 A').replace('max-current: 32 A', 'max-current: *b'));
  t.equal(site.stations[0]?.evses[0]?.maxCurrent, 63);
  const bomb = Array.from(
    { length: 12 },
    (_, i) => `a${i}: &a${i} [${Array.from({ length: 10 }, () => (i === 0 ? 'x' : `*a${i - 1}`)).join(',')}]`,
  );
  const result = loadSiteText(bomb.join('\n'), 'site.yaml', options);
  t.match(result, { ok: false, error: [{ code: 'syntax', message: /unfolds/ }] });
  t.end();
});

// Mutations stay near real files, where a parser's assumptions are.
const texts = exampleFiles.map((name) => readFileSync(examples + name, 'utf8')).concat(small);
const scrap = fc.oneof(
  fc.constantFrom(
    '',
    ':',
    '- ',
    '{',
    '}',
    '[',
    ']',
    '"',
    "'",
    '\n',
    '\t',
    '  ',
    '#',
    '&a',
    '*a',
    '<<: ',
    '~',
    'null',
    '!!map',
    '---\n',
    '__proto__: ',
    'constructor',
    '0x10',
    '.nan',
    '1e400',
    '-0',
    '63',
    ' A',
    '\u0000',
    '\uFEFF',
    '💡',
  ),
  fc.string({ maxLength: 6 }),
);

t.test('no mutation of a site makes the loader throw, and every finding points into the text', (t) => {
  fc.assert(
    fc.property(
      fc.constantFrom(...texts),
      fc.array(fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), drop: fc.nat(12), put: scrap }), {
        minLength: 1,
        maxLength: 5,
      }),
      (text, edits) => {
        const mutated = edits.reduce((current, { at, drop, put }) => {
          const index = Math.floor(at * current.length);
          return current.slice(0, index) + put + current.slice(index + drop);
        }, text);
        const result = loadSiteText(mutated, 'site.yaml', options);
        const findings = result.ok ? result.value.warnings : result.error;
        const lines = mutated.split(/\r\n|\r|\n/);
        if (!result.ok && !findings.some(({ severity }) => severity === 'error')) return false;
        return findings.every(({ line, column }) => line >= 1 && column >= 1 && line <= lines.length + 1);
      },
    ),
    { numRuns: 250 },
  );
  t.end();
});

t.test('no value in the place of another makes the loader throw', (t) => {
  const odd = [
    'null',
    '[]',
    '{}',
    '0',
    '-1',
    'true',
    '"63 A"',
    '63 A',
    '[1, [2]]',
    '{ a: { b: c } }',
    '{ file: x }',
    '.inf',
    '2020-01-01',
  ];
  const lines = texts.flatMap((text) => text.split('\n').map((line, index) => ({ text, line, index })));
  const candidates = lines.filter(({ line }) => /^\s*[\w-]+:/.test(line));
  fc.assert(
    fc.property(fc.constantFrom(...candidates), fc.constantFrom(...odd), ({ text, line, index }, value) => {
      const mutated = text
        .split('\n')
        .with(index, line.replace(/:.*$/, `: ${value}`))
        .join('\n');
      const result = loadSiteText(mutated, 'site.yaml', options);
      return result.ok || result.error.length > 0;
    }),
    { numRuns: 150 },
  );
  t.end();
});
