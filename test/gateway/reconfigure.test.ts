// Another site.yaml under a gateway that runs: what each change means, and that no plan after it counts a charger too low.
import fc from 'fast-check';
import t from 'tap';
import { Gateway } from '../../gateway/gateway.js';
import { meterId, stationId, stationTransactionId, type StationId } from '../../gateway/kernel/ids.js';
import { ampere } from '../../gateway/kernel/units.js';
import type { StationDriver } from '../../gateway/ports/station.js';
import { entryInForce, inForce } from '../../gateway/site/in-force.js';
import { effectsOf, withoutRestart, type SiteEffect } from '../../gateway/site/site-change.js';
import { perPhase, PHASES, type Site, type Station } from '../../gateway/site/topology.js';
import { loadSiteText } from '../../site-config/loader.js';
import { FakeClock } from '../fakes/fake-clock.js';
import { knowing } from '../fakes/fake-machine.js';
import { MemoryJournal } from '../fakes/memory-journal.js';
import { recordingLog } from '../fakes/recording-log.js';
import { devices } from '../site-config/devices.js';

const load = (yaml: string): Site => {
  const loaded = loadSiteText(yaml, '/nowhere/site.yaml', { devices, env: {} });
  if (!loaded.ok) throw new Error(loaded.error.map(({ line, message }) => `${line}: ${message}`).join('\n'));
  return loaded.value.site;
};

const BASE = `site: { id: S1, name: One, time-zone: Europe/Berlin }
data-directory: /nowhere/data
circuits:
  main: { breaker: 63 A, margin: 2 A, meter: grid }
  row: { breaker: 40 A, fed-by: main }
meters: { grid: { device: eastron-sdm630, connection: 'rtu-over-tcp://127.0.0.1:502' } }
stations:
  CP1: { circuit: row, security-profile: 0, evses: [{ number: 1, max-current: 32 A, fallback-current: 6 A }] }
  CP2: { circuit: main, device: keba-p30, connection: 'tcp://127.0.0.1:503', evses: [{ number: 2, max-current: 16 A, fallback-current: 6 A }] }
csms: { cloud: { url: 'ws://127.0.0.1:9/a', ocpp: '2.0.1', role: authority, security-profile: 0 } }
tariff: { currency: EUR, energy-price: 0.3 per kWh, time-price: 0 per h }
telemetry: { broker: { url: 'mqtt://127.0.0.1' }, local-broker: { listen: '127.0.0.1:1884' } }
console: { listen: '127.0.0.1:8080' }
`;

const TABLE: readonly (readonly [name: string, from: string, to: string, expected: readonly string[]])[] = [
  ['nothing', 'One', 'One', []],
  ['name', 'name: One', 'name: Two', ['live gateway: name Two']],
  ['breaker', 'breaker: 63 A', 'breaker: 50 A', ['live circuit/main: breaker 50 A instead of 63 A']],
  ['margin', 'margin: 2 A', 'margin: 3 A', ['live circuit/main: margin 3 A instead of 2 A']],
  [
    'new circuit',
    'meters:',
    '  new: { breaker: 9 A, fed-by: main }\nmeters:',
    ['live circuit/new: added: breaker 9 A'],
  ],
  ['meter address', ':502', ':504', ['reconnects meter/grid: read anew']],
  [
    'fallback',
    'number: 1, max-current: 32 A, fallback-current: 6 A',
    'number: 1, max-current: 32 A, fallback-current: 8 A',
    ['live evse/1: fallback-current 8 A'],
  ],
  ['priority', 'number: 1, ', 'number: 1, priority: 3, ', ['live evse/1: priority 3']],
  ['circuit of a station', 'CP1: { circuit: row', 'CP1: { circuit: main', ['live evse/1: circuit main']],
  [
    'password',
    'CP1: { circuit: row, security-profile: 0',
    'CP1: { circuit: row, password: a-password-of-16',
    ['reconnects station/CP1: connected anew: transactions go on'],
  ],
  [
    'Modbus fallback',
    'number: 2, max-current: 16 A, fallback-current: 6 A',
    'number: 2, max-current: 16 A, fallback-current: 7 A',
    ['reconnects station/CP2: connected anew: transactions go on'],
  ],
  ['Modbus circuit', 'CP2: { circuit: main', 'CP2: { circuit: row', ['live evse/2: circuit row']],
  [
    'second connector',
    'number: 1, ',
    'number: 1, connectors: [Type2, CCS2], ',
    ['reconnects station/CP1: connected anew: transactions go on'],
  ],
  [
    'new station',
    'csms:',
    '  CP3: { circuit: row, security-profile: 0, evses: [{ number: 3, max-current: 32 A, fallback-current: 6 A }] }\ncsms:',
    ['reconnects station/CP3: added'],
  ],
  ['CSMS url', '9/a', '9/b', ['reconnects csms/cloud: called anew']],
  [
    'CSMS evses',
    "ws://127.0.0.1:9/a'",
    "ws://127.0.0.1:9/a', evses: [1]",
    ['live csms/cloud: sees other EVSEs, and is told of them'],
  ],
  ['tariff', '0.3 per kWh', '0.4 per kWh', ['live tariff: for transactions that end from now on']],
  ['strategy', 'tariff:', 'balancing: { strategy: first-come }\ntariff:', ['live balancing: how current is shared']],
  ['cards', 'tariff:', 'authorization: { local-tokens: [CARD1] }\ntariff:', ['live authorization: who may charge']],
  [
    'cache',
    'tariff:',
    'authorization: { cache: { entries: 7 } }\ntariff:',
    ['restart authorization: cache of 7 tokens'],
  ],
  ['broker', 'mqtt://127.0.0.1', 'mqtt://127.0.0.2', ['reconnects broker: called anew']],
  ['local broker', '1884', '1885', ['restart local-broker: where LAN clients subscribe']],
  ['console', '8080', '8081', ['restart console: where the console listens']],
  [
    'listen',
    'tariff:',
    "listen: { ocpp: '127.0.0.1:9001' }\ntariff:",
    ['restart gateway: where chargers connect, and its certificate'],
  ],
  ['bills', 'tariff:', 'journal: { keep-bills: 500 d }\ntariff:', ['live journal: how long bills are kept']],
  [
    'voltage',
    'id: S1',
    'id: S1, nominal-voltage: 240 V',
    [
      'restart gateway: nominal-voltage 240',
      'restart gateway: everything else of this change: it stands on what is above',
    ],
  ],
];

void t.test('what a change means', (t) => {
  const running = load(BASE);
  for (const [name, from, to, expected] of TABLE) {
    if (!BASE.includes(from)) throw new Error(`${name}: the base has no ${from}`);
    const next = load(BASE.replace(from, to));
    const told = ({ effect, subject, what }: SiteEffect): string => `${effect} ${subject}: ${what}`;
    t.same(effectsOf(running, next).map(told), expected, name);
    const atOnce = withoutRestart(running, next);
    t.same(
      effectsOf(atOnce, next).map(({ effect }) => effect),
      expected.flatMap((each) => (each.startsWith('restart') ? ['restart'] : [])),
      `${name}: what needs a restart, and nothing else, still waits`,
    );
  }
  const next = withoutRestart(running, load(BASE.replace('breaker: 63 A', 'breaker: 50 A')));
  t.equal(next.stations[0], running.stations[0], 'what did not change is the same object');
  t.match(effectsOf(running, load(BASE.replace(/ {2}CP2.*\n/, ''))), [
    { subject: 'station/CP2', effect: 'reconnects' },
  ]);
  t.end();
});

void t.test('whoever holds an entry reads it as it is in force, and after it is gone as it was last', (t) => {
  let current = load(BASE);
  const site = inForce(() => current);
  const [first] = site.stations;
  if (first === undefined) throw new Error('the base has stations');
  let searches = 0;
  const counting = (stations: readonly Station[]): readonly Station[] =>
    new Proxy(stations, {
      get: (list, key) => {
        if (key === 'find') searches += 1;
        return Reflect.get(list, key) as unknown;
      },
    });
  current = { ...current, stations: counting(current.stations) };
  const station = entryInForce(first, () => site.stations);
  const most = (): number | undefined => station.evses[0]?.maxCurrent;
  t.equal(most(), 32);
  t.equal(station.id, 'CP1');
  t.equal(searches, 1, 'however often it is read');
  const weaker = load(BASE.replace('max-current: 32 A', 'max-current: 20 A'));
  current = { ...weaker, stations: counting(weaker.stations) };
  t.equal(most(), 20);
  current = { ...weaker, stations: [] };
  t.equal(most(), 20);
  t.equal(searches, 2);
  t.end();
});

async function openGateway(
  site: Site,
  drivers: ReadonlyMap<StationId, StationDriver>,
  clock: FakeClock,
): Promise<Gateway> {
  let drawn = 0;
  const gateway = await Gateway.open({
    site,
    journal: new MemoryJournal(),
    drivers,
    clock,
    machine: knowing(clock),
    log: recordingLog(),
    randomBytes: (count) => new Uint8Array(count).fill(++drawn),
    firmwareVersion: '0',
  });
  gateway.start();
  return gateway;
}

/** The station connects, and a car charges at its first EVSE. @param begins where it is a new transaction */
async function plugIn(gateway: Gateway, station: Station, clock: FakeClock, begins = true): Promise<void> {
  const { id } = station;
  await gateway.stations.report({
    type: 'connected',
    station: id,
    capabilities: {
      protocol: 'ocpp2.0.1',
      currentLimit: true,
      fallback: true,
      reservation: false,
      remoteStart: true,
      unlock: true,
      localList: false,
      phaseSwitching: false,
      trigger: false,
      reader: true,
    },
  });
  const [evse] = station.evses;
  if (evse === undefined || !begins) return;
  const place = { station: id, evse: evse.number, connector: 1, at: clock.now() } as const;
  await gateway.stations.report({ type: 'status', ...place, status: 'Occupied', chargingState: 'Charging' });
  await gateway.stations.report({
    type: 'transaction',
    ...place,
    kind: 'started',
    stationTransactionId: stationTransactionId(`tx-${id}-${clock.now()}`),
    trigger: 'Authorized',
    chargingState: 'Charging',
    idToken: { idToken: `CARD-${id}`, type: 'ISO14443' },
    meterValues: [],
    offline: false,
  });
}

void t.test('a lower breaker is acted on in the same moment, by the last reading of its meter', async (t) => {
  const clock = new FakeClock();
  const told: number[] = [];
  const file = (breaker: number, port = 502): string => `site: { id: S1, time-zone: Europe/Berlin }
circuits: { main: { breaker: ${breaker} A, meter: grid, when-meter-lost: 6 A } }
meters: { grid: { device: eastron-sdm630, connection: 'rtu-over-tcp://127.0.0.1:${port}' } }
stations: { CP1: { circuit: main, security-profile: 0, evses: [{ number: 1, max-current: 32 A, fallback-current: 6 A }] } }
authorization: { offline: free }
`;
  const first = load(file(63));
  const [station] = first.stations;
  if (station === undefined) throw new Error('no station');
  const execute: StationDriver['execute'] = (command) => {
    if (command.type === 'setLimit') told.push(command.current);
    return Promise.resolve({ status: 'Accepted' });
  };
  const drivers = new Map([[station.id, { station, execute, stop: () => Promise.resolve() }]]);
  const gateway = await openGateway(first, drivers, clock);
  const read = (amperes: number): void =>
    gateway.meters.reading({ meter: meterId('grid'), at: clock.now(), current: perPhase(() => ampere(amperes)) });
  await plugIn(gateway, station, clock);
  for (let second = 0; second < 90; second++) {
    read(20 + (told.at(-1) ?? 0));
    await clock.advance(1000);
  }
  t.equal(told.at(-1), 32, 'a car beside 20 A of the building');
  const before = told.length;
  (await gateway.prepareSite(withoutRestart(gateway.site, load(file(40)))))();
  t.match(gateway.circuits, [{ circuit: 'main', limit: 40, meter: 'live' }]);
  t.ok((told[before] ?? Infinity) <= 20, 'before any other reading');
  await clock.advance(500);
  (await gateway.prepareSite(withoutRestart(gateway.site, load(file(40, 503)))))();
  t.match(gateway.circuits, [{ circuit: 'main', meter: 'lost' }], 'another meter has said nothing yet');
  await clock.advance(1000);
  t.ok((told.at(-1) ?? Infinity) <= 6, 'and until it does, when-meter-lost holds');
  await gateway.stop();
});

/** One of many sites with the same foundations. */
interface Choice {
  readonly main: number;
  readonly row: number;
  readonly margin: number;
  readonly stations: readonly {
    readonly on: boolean;
    readonly row: boolean;
    readonly fallback: number;
    readonly max: number;
  }[];
  readonly csms: 'all' | 'some' | 'none';
}

const MOST = 5;
const choice: fc.Arbitrary<Choice> = fc.record({
  main: fc.integer({ min: 50, max: 125 }),
  row: fc.integer({ min: 40, max: 80 }),
  margin: fc.integer({ min: 0, max: 5 }),
  stations: fc.array(
    fc.record({
      on: fc.boolean(),
      row: fc.boolean(),
      fallback: fc.constantFrom(0, 6, 8),
      max: fc.constantFrom(10, 16, 32),
    }),
    { minLength: MOST, maxLength: MOST },
  ),
  csms: fc.constantFrom('all', 'some', 'none'),
});

const yamlOf = ({ main, row, margin, stations, csms }: Choice): string => {
  const all = stations.map((each, index) => ({ ...each, number: index + 1 }));
  // The first one is always there: a site has a station.
  const there = all.filter(({ on, number }) => on || number === 1);
  const evses =
    csms === 'some'
      ? `, evses: [${there
          .map(({ number }) => number)
          .slice(0, 2)
          .join(', ')}]`
      : '';
  return `site: { id: S1, time-zone: Europe/Berlin }
circuits:
  main: { breaker: ${main} A, margin: ${margin} A }
  row: { breaker: ${row} A, fed-by: main }
stations:
${there
  .map(
    (each) =>
      `  CP${each.number}: { circuit: ${each.row ? 'row' : 'main'}, security-profile: 0, evses: [{ number: ${each.number}, max-current: ${each.max} A, fallback-current: ${each.fallback} A }] }`,
  )
  .join('\n')}
authorization: { offline: free }
${csms === 'none' ? '' : `csms: { cloud: { url: 'ws://127.0.0.1:9', ocpp: '1.6', role: observer, security-profile: 0${evses} } }`}
`;
};

void t.test('no change leaves the site without a plan, or counts a charger lower than it was', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(choice, { minLength: 2, maxLength: 5 }), async (choices) => {
      const [first, ...later] = choices.map((each) => load(yamlOf(each)));
      if (first === undefined) return;
      const clock = new FakeClock();
      const drivers = new Map<StationId, StationDriver>();
      const gateway = await openGateway(first, drivers, clock);
      const started = new Set<StationId>();
      const arrive = async (site: Site): Promise<void> => {
        for (const station of site.stations) {
          if (drivers.has(station.id)) continue;
          drivers.set(station.id, {
            station,
            execute: () => Promise.resolve({ status: 'Accepted' }),
            stop: () => Promise.resolve(),
          });
          await plugIn(gateway, station, clock, !started.has(station.id));
          started.add(station.id);
        }
      };
      const fits = (site: Site): void => {
        for (const { circuit, granted, reserved, limit } of gateway.circuits ?? []) {
          const margin = site.circuits.find(({ id }) => id === circuit)?.margin ?? 0;
          for (const phase of PHASES)
            if (granted[phase] + reserved[phase] > limit - margin + 0.01)
              throw new Error(`${circuit} is planned to ${granted[phase] + reserved[phase]} A of ${limit} A`);
        }
      };
      await arrive(first);
      await clock.advance(60_000);
      fits(gateway.site);
      for (const next of later) {
        const before = new Map(gateway.balancing?.evses.map(({ evse, ceiling }) => [evse, ceiling]));
        const plans = await gateway.prepareSite(withoutRestart(gateway.site, next));
        plans();
        if (gateway.plannedAt !== clock.monotonic()) throw new Error('nobody has planned');
        const report = gateway.balancing;
        const numbers = next.stations.flatMap(({ evses }) => evses.map(({ number }) => number)).sort((a, b) => a - b);
        t.strictSame(
          report?.evses.map(({ evse }) => evse),
          numbers,
        );
        t.strictSame(report?.circuits.map(({ circuit }) => circuit).sort(), ['main', 'row']);
        for (const { evse, ceiling } of report?.evses ?? []) {
          const was = before.get(evse);
          if (was !== undefined && ceiling < was - 0.01)
            throw new Error(`EVSE ${evse} counts ${ceiling} A after ${was} A`);
        }
        for (const { evse, ceiling, target } of report?.evses ?? []) {
          const hardware = next.stations
            .flatMap(({ evses }) => evses)
            .find(({ number }) => number === evse)?.maxCurrent;
          if (target > (hardware ?? 0)) throw new Error(`EVSE ${evse} is to have ${target} A`);
          if (target > ceiling && ceiling > 0 && !started.has(stationId(`CP${evse}`)))
            throw new Error('raised at once');
        }
        for (const id of drivers.keys()) if (!next.stations.some((each) => each.id === id)) drivers.delete(id);
        await gateway.endRemoved();
        for (const id of started) if (!next.stations.some((each) => each.id === id)) started.delete(id);
        await arrive(gateway.site);
        await clock.advance(120_000);
        fits(gateway.site);
        for (const each of next.stations) {
          const charging = gateway.live.evse(each.evses[0]?.number ?? (0 as never))?.transaction;
          if (charging === undefined) throw new Error(`${each.id} has lost its transaction`);
        }
        t.equal(gateway.views.length, next.csms.length);
      }
      await gateway.stop();
    }),
    { numRuns: 25 },
  );
});
