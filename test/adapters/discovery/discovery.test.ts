// Looking for devices: which addresses, what is asked and never asked, what a reading proves, and what is printed of it.
import type { Socket } from 'node:net';
import t, { type Test } from 'tap';
import { hostsIn, ownNetworks } from '../../../adapters/discovery/address-range.js';
import { mayRead } from '../../../adapters/discovery/never-probe.js';
import { survey, type SurveyOptions } from '../../../adapters/discovery/survey.js';
import { rtuShape } from '../../../adapters/modbus/rtu-shape.js';
import { WireFraming } from '../../../adapters/modbus/wire-framing.js';
import { decodePdu, IDENTIFICATION, identificationOf } from '../../../adapters/modbus/pdu.js';
import { runCheck } from '../../../gateway/cli-check.js';
import { runDiscover, type DiscoverIo } from '../../../gateway/cli-discover.js';
import { silentLog } from '../../../gateway/kernel/log.js';
import { systemClock } from '../../../gateway/system-clock.js';
import { modbusFrame, startModbusSlave, type SlaveRequest } from '../../../simulation/modbus-slave.js';
import { rtuFrame, startRtuSlave } from '../../../simulation/rtu-slave.js';
import { ModbusMeter } from '../../../simulation/modbus-meter.js';
import type { Units } from '../../../simulation/register-map.js';
import { openShelf } from '../../../site-config/devices/shelf.js';
import { ampere, milliseconds, volt } from '../../../gateway/kernel/units.js';
import { perPhase } from '../../../gateway/site/topology.js';
import { startElectricianSite } from '../../peers/electrician-site.js';
import { freePort } from '../../peers/free-port.js';
import { meter, profiles } from '../../fakes/profiles.js';
import { folder, noSocat, plug } from '../modbus/peers.js';

const context = { clock: systemClock, log: silentLog };
const NOTHING = { say: () => undefined };
/** A device says by function 43/14 who made it. */
const says = (...texts: readonly string[]): Buffer =>
  Buffer.concat([
    Buffer.from([43, 14, 1, 1, 0, 0, texts.length]),
    ...texts.map((text, i) => Buffer.concat([Buffer.from([i, text.length]), Buffer.from(text, 'latin1')])),
  ]);

const look = (options: Partial<SurveyOptions>) =>
  survey({ hosts: [], port: 502, lines: [], profiles, ...options }, NOTHING, context);

/** The registers of a meter that measures a little. */
function meterUnits(name: string, unit: number): Units {
  const units: Units = new Map();
  const device = new ModbusMeter(meter(name), units, { unit }, volt(230), 1000);
  device.show(
    perPhase(() => ampere(5)),
    milliseconds(0),
  );
  return units;
}

t.test('only private networks, and none too large', (test) => {
  test.match(hostsIn('10.0.0.0/30'), { ok: true, value: ['10.0.0.1', '10.0.0.2'] });
  test.match(hostsIn('192.168.7.9'), { ok: true, value: ['192.168.7.9'] });
  const within = hostsIn('10.0.4.0/22');
  test.equal(within.ok && within.value.length, 1022);
  for (const no of ['8.8.8.0/24', '172.32.0.1', '10.0.0.0/15', '10.0.0.0/33', '10.0.0', '192.168.0.0/15', 'localhost'])
    test.equal(hostsIn(no).ok, false, no);
  const of = (address: string, netmask: string, internal = false) => ownNetworks([{ address, netmask, internal }]);
  test.same(of('10.1.2.3', '255.0.0.0'), ['10.1.0.0/22'], 'of a large network the part around the box');
  test.same(of('192.168.1.7', '255.255.255.0'), ['192.168.1.0/24']);
  test.same(of('8.8.8.8', '255.255.255.0'), [], 'a box at the internet looks at nobody');
  test.same(of('127.0.0.1', '255.0.0.0', true), []);
  test.same(of('fe80::1', 'ffff:ffff::'), []);
  test.end();
});

t.test('no question that locks a device is ever asked', (test) => {
  const may = mayRead(profiles);
  test.notOk(may(3, 730, 1));
  test.notOk(may(3, 720, 20), 'nor one that passes over it');
  test.ok(may(4, 730, 1));
  const own = profiles.map((profile) => ({
    ...profile,
    identification: { ...profile.identification, neverRead: [{ read: 4 as const, from: 5, to: 6 }] },
  }));
  test.notOk(mayRead(own)(4, 6, 1), 'what one profile forbids holds for all');
  test.end();
});

t.test('function 43/14 on a line, whole, in pieces and among noise', (test) => {
  const request = { kind: 'identification', unit: 3, fc: IDENTIFICATION } as const;
  const answer = rtuFrame(3, says('Acme', 'M1', '2.0'));
  const taken = (...chunks: readonly Buffer[]): string => {
    const framing = new WireFraming(rtuShape);
    test.equal(framing.begin(request).toString('hex').slice(0, 10), '032b0e0100');
    for (const chunk of chunks) {
      const verdict = framing.take(chunk);
      if (verdict === undefined) continue;
      const { outcome } = verdict;
      if (outcome.ok) return JSON.stringify(identificationOf(outcome.value));
      return outcome.error.kind === 'exception' ? `exception ${outcome.error.code}` : outcome.error.kind;
    }
    return 'nothing';
  };
  const told = '{"vendor":"Acme","product":"M1","revision":"2.0"}';
  test.equal(taken(answer), told);
  test.equal(taken(...[...answer].map((byte) => Buffer.from([byte]))), told);
  test.equal(taken(Buffer.from([3, 43, 14, 0, 255, 43]), answer), told);
  test.equal(taken(rtuFrame(3, Buffer.from([0xab, 1]))), 'exception 1');
  test.equal(taken(rtuFrame(4, says('Other'))), 'nothing');
  const cut = decodePdu(says('Acme').subarray(0, -1), request);
  test.equal(cut.ok, false);
  test.same(
    identificationOf(Buffer.from([0, 3, 27, 65, 10])),
    { vendor: 'A' },
    'no control characters go to a terminal',
  );
  test.end();
});

t.test('one request at a time, reads only, and what is found is told with what it rests on', async (test) => {
  const asked: SlaveRequest[] = [];
  let crowded = false;
  let last: Socket | undefined;
  const slave = await startModbusSlave({
    units: meterUnits('eastron-sdm630', 4),
    answer: (request, plain, socket) => {
      asked.push(request);
      crowded ||= last !== undefined && last !== socket && !last.destroyed && !last.readableEnded;
      last = socket;
      return plain;
    },
  });
  test.teardown(() => slave.stop());
  const [found, ...more] = await look({ hosts: ['127.0.0.1'], port: slave.port, units: [4] });
  test.same(more, []);
  test.ok(asked.every(({ fc }) => [3, 4, 43].includes(fc)));
  test.notOk(crowded, 'one connection, never two');
  test.match(found, { unit: 4, connection: { kind: 'tcp', host: '127.0.0.1' } });
  const names = found?.candidates.map(({ profile }) => profile) ?? [];
  test.ok(names.includes('eastron-sdm630'));
  test.ok(
    found?.candidates.every(({ proven }) => !proven),
    'a plausible voltage proves no model',
  );
  test.equal(
    new Set(asked.filter(({ fc }) => fc !== 43).map(({ pdu }) => pdu.toString('hex'))).size,
    asked.length - 1,
    'nothing is asked twice',
  );
});

t.test('who says his name needs no guessing; who is no known device is told all the same', async (test) => {
  const answer = (request: SlaveRequest, plain: Buffer | undefined): Buffer | undefined =>
    request.fc === 43 && plain !== undefined
      ? modbusFrame(request.transaction, request.unit, says('Eastron', 'SDM'))
      : plain;
  const named = await startModbusSlave({ units: meterUnits('eastron-sdm630', 1), answer });
  const stranger = await startModbusSlave({ units: new Map([[1, { holding: new Map([[0, 7]]) }]]), answer });
  test.teardown(() => Promise.all([named.stop(), stranger.stop()]));
  const [device] = await look({ hosts: ['127.0.0.1'], port: named.port, units: [1] });
  test.match(device?.says, { vendor: 'Eastron', product: 'SDM' });
  test.ok(device?.candidates.every(({ profile, proven }) => proven && profile.startsWith('eastron')));
  const [unknown] = await look({ hosts: ['127.0.0.1'], port: stranger.port, units: [1] });
  test.match(unknown, { candidates: [], says: { vendor: 'Eastron' } });
});

t.test('a serial line: the speed that somebody answers at', { skip: noSocat }, async (test) => {
  const line = await startRtuSlave({ units: meterUnits('abb-b23-b24', 2) });
  test.teardown(() => line.stop());
  const path = `${folder(test)}/bus`;
  await plug(test, path, { port: line.port });
  const [found] = await look({ lines: [{ path }], units: [1, 2] });
  test.match(found, {
    unit: 2,
    connection: { kind: 'serial', path },
    candidates: [{ profile: 'abb-b23-b24', proven: true }],
  });
});

async function discover(test: Test, args: readonly string[]) {
  let out = '';
  let err = '';
  const io: DiscoverIo = {
    out: (text) => (out += text),
    err: (text) => (err += text),
    readFile: () => {
      throw new Error('there is no site.yaml here');
    },
    writeNewFile: (_path, text) => (out += text),
    interfaces: () => [],
    serialPorts: () => [],
    devices: openShelf,
    clock: systemClock,
  };
  const code = await runDiscover(args, io);
  test.comment(err);
  return { code, out, err };
}

t.test('a whole file that forecourt check takes as it is', async (test) => {
  const port = await freePort();
  const site = await startElectricianSite({ chargers: 7, meters: 2, port }, systemClock);
  test.teardown(() => site.stop());
  const { code, out } = await discover(test, ['--network', '127.0.0.0/25', '--port', `${port}`, '--site', 'new.yaml']);
  test.equal(code, 0);
  for (const [name, device] of [
    ['WB01', 'amperfied-connect'],
    ['WB02', 'alfen-eve-ng9xx'],
    ['WB03', 'phoenix-charx-sec'],
    ['WB04', 'innogy-ebox'],
    ['WB05', 'kathrein-kwb'],
    ['WB06', 'vestel-evc04'],
    ['WB07', 'keba-p30'],
    ['meter-01', 'carlo-gavazzi-em24-ethernet'],
    ['meter-02', 'abb-b23-b24'],
  ] as const)
    test.match(out, new RegExp(`  ${name}: #[^\n]*\n    device: ${device}\n`), name);
  test.match(out, /max-current: as the charger tells it/);
  test.match(out, /serial number SIM100002, firmware 1\.0/);
  const told: string[] = [];
  const verdict = await runCheck(['new.yaml'], {
    out: (text) => told.push(text),
    err: (text) => told.push(text),
    readFile: () => out,
    env: {},
    devices: () => openShelf(),
  });
  test.equal(verdict, 0, told.join(''));
  const json = await discover(test, ['--network', '127.0.0.8', '--port', `${port}`, '--json']);
  test.match(JSON.parse(json.out), { devices: [{ unit: 255, candidates: [{ profile: 'keba-p30', maxCurrent: 16 }] }] });
});

t.test('wrong words are told with what to write', async (test) => {
  for (const args of [
    ['--network', '8.8.8.8'],
    ['--serial', 'COM1'],
    ['--serial', '/dev/ttyUSB0:9600'],
    ['--units', '1-300'],
    ['--units', 'all'],
    ['--port', '0'],
    ['--unit', '1'],
  ]) {
    const { code, err } = await discover(test, args);
    test.equal(code, 2, args.join(' '));
    test.match(err, /usage: forecourt discover/);
  }
  test.equal((await discover(test, [])).code, 1, 'nothing to look at, nothing found');
});
