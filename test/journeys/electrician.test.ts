// The electrician's path: a site that is wired and nothing else, from forecourt discover to cars that charge and a report of commissioning.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { WebSocket } from 'ws';
import { runDiscover } from '../../gateway/cli-discover.js';
import { composeGateway } from '../../gateway/compose.js';
import { evseNumber, stationId } from '../../gateway/kernel/ids.js';
import { milliseconds } from '../../gateway/kernel/units.js';
import { systemClock } from '../../gateway/system-clock.js';
import type { CommissioningOverview, CommissioningStep } from '../../gateway/ports/commissioning.js';
import type { EvseExplanation, SiteStatus } from '../../gateway/ports/console.js';
import { ConsoleClient } from '../../adapters/console/client.js';
import { fastClock } from '../../simulation/fast-clock.js';
import { pause, until as trueWithin } from '../../simulation/wait.js';
import { openShelf } from '../../site-config/devices/shelf.js';
import { loadSite } from '../../site-config/loader.js';
import { knowing } from '../fakes/fake-machine.js';
import { recordingLog } from '../fakes/recording-log.js';
import { startElectricianSite } from '../peers/electrician-site.js';
import { forecourt } from '../peers/forecourt-command.js';
import { freePort } from '../peers/free-port.js';
import { startGateway } from '../peers/gateway-process.js';

/** ELECTRICIAN_CHARGERS=20 is a whole car park with every step; a few are enough to see whether the path is open. */
const CHARGERS = Number(process.env['ELECTRICIAN_CHARGERS'] ?? 4);
const WHOLE = CHARGERS > 4;
/** Seconds that pass for gateway and chargers in one of the wall. */
const SPEED = 10;
/** Seconds of that. */
const PATIENCE = 600;

t.test('from forecourt discover to a running gateway and its report', { timeout: 240_000 }, async (test) => {
  const clock = fastClock(SPEED, systemClock);
  const port = await freePort();
  const wired = await startElectricianSite({ chargers: CHARGERS, meters: 3, port }, clock);
  test.teardown(() => wired.stop());
  const folder = mkdtempSync(join(tmpdir(), 'forecourt-'));
  test.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'site.yaml');

  const looked = ['--network', wired.network, '--port', `${port}`, '--no-serial'];
  const found = await forecourt('discover', ...looked, '--free', 'STAFF', '--site', file);
  test.equal(found.code, 0, found.err);
  // What an electrician knows and no bus tells: the breakers. The console's port is this test's own.
  const consolePort = await freePort();
  const edited = readFileSync(file, 'utf8')
    .replace(/breaker: \d+ A/g, 'breaker: 400 A')
    .concat(`listen: { ocpp: '127.0.0.1:${await freePort()}' }\n`);
  const own = `console: { listen: '127.0.0.1:${consolePort}' }\ndata-directory: ${join(folder, 'data')}\n`;
  writeFileSync(file, edited + own);
  const checked = await forecourt('check', file);
  test.match(checked.out, /: 0 errors/, 'and forecourt check takes it');

  await forecourtRun(test, edited, consolePort);

  const devices = openShelf(file);
  const loaded = loadSite(file, { devices, env: {}, readFile: (path) => readFileSync(path, 'utf8') });
  if (!loaded.ok) throw new Error('checked a moment ago');
  const log = recordingLog();
  const running = await composeGateway(loaded.value.site, devices, clock, knowing(clock), log, '0.0.0');
  test.teardown(() => running.stop());
  const { gateway } = running;
  const until = async (what: string, holds: () => boolean): Promise<void> => {
    test.ok(await trueWithin(clock, PATIENCE, holds), what);
  };
  const stations = loaded.value.site.stations.map(({ id }) => id);
  test.equal(stations.length, CHARGERS);
  await until('all chargers connected', () => stations.every((id) => gateway.live.station(id)?.connected === true));
  await until('all planned', () => gateway.balancing?.evses.length === CHARGERS);
  await until('all meters read', () => gateway.readings.size === 3);

  const numbers = Array.from({ length: CHARGERS }, (_, i) => i + 1);
  for (const number of numbers) wired.plug(number);
  const live = (number: number) => gateway.live.evse(evseNumber(number));
  const charges = (number: number): boolean =>
    live(number)?.transaction !== undefined && wired.world.evse(evseNumber(number)).hardware.currents[0] > 12;
  await until('a car charges at every EVSE', () => numbers.every(charges));

  const commission = (...args: readonly string[]) => forecourt('commission', '--site', file, ...args);
  const shown = async (station: string, ...steps: readonly string[]) => {
    const wanted = steps.flatMap((step) => ['--step', step]);
    const done = await commission(station, '--by', 'A. Electrician', '--json', ...wanted);
    test.comment(done.out, done.err);
    return JSON.parse(done.out) as { readonly steps: readonly CommissioningStep[] };
  };
  test.match(await shown('WB02', 'communication', 'phases', ...(WHOLE ? ['setpoint', 'pause', 'watchdog'] : [])), {
    steps: [
      { step: 'communication', state: 'passed', detail: /Alfen/ },
      ...(WHOLE
        ? [
            { step: 'setpoint', state: 'passed', by: 'A. Electrician' },
            { step: 'pause', state: 'passed' },
            { step: 'watchdog', state: 'passed' },
          ]
        : []),
      { step: 'phases', evse: 2, state: 'passed', detail: `write phases: ${wired.phasesOf(2).join(' ')}` },
    ],
  });
  // The first falls back when it hears nothing at all, the third keeps its limit.
  const kept = (station: string) => gateway.commissioning.results(stationId(station)).at(-1);
  for (const station of ['WB01', 'WB03']) {
    test.equal(gateway.commissioning.begin(station, 'watchdog', undefined, 'test'), undefined);
    await until(`the watchdog of ${station}`, () => kept(station) !== undefined);
  }
  test.match(kept('WB01'), { state: 'passed', detail: /fell from 16 A to 6 A/ });
  test.match(kept('WB03'), { state: 'skipped', detail: /it keeps its last limit/ });
  if (WHOLE)
    test.match(await shown('WB01', 'phases'), {
      steps: [{ step: 'phases', state: 'passed', detail: `write phases: ${wired.phasesOf(1).join(' ')}` }],
    });
  // What is broken off leaves nothing behind. Meanwhile load balancing may have paused this one for those that were silent.
  const drawn = () => Math.max(...Object.values(gateway.live.evse(evseNumber(2))?.current ?? { none: 0 }));
  await until('the car at WB02 to charge', () => drawn() > 10);
  const bound = () => gateway.commissioning.bound(evseNumber(2));
  test.equal(gateway.commissioning.begin('WB02', 'setpoint', undefined, 'test'), undefined);
  test.equal(bound(), 6, 'never more than load balancing gives');
  test.match(gateway.commissioning.begin('WB01', 'setpoint', undefined, 'test'), { status: 409 }, 'one at a time');
  test.equal(gateway.commissioning.cancel('WB02'), undefined);
  test.equal(bound(), undefined);
  test.match(gateway.commissioning.cancel('WB02'), { status: 409 });

  const report = await commission('--report');
  test.match(report.out, /# Commissioning of NEW-SITE/);
  test.match(report.out, /\| phases \| 2 \| passed \| write phases: /);

  await knock(`ws://127.0.0.1:${running.ocppPort}/CP-NEW`);
  const again = await discoverBeside(file, ...looked.slice(2), '--network', '127.0.0.2');
  test.match(again.err, /left in peace.*127\.0\.0\.2/, 'a charger of the running gateway is not asked by another');
  test.match(again.out, /^stations:\n  CP-NEW: # knocks from 127\.0\.0\.1/m);
  test.match(again.out, new RegExp(`password: CHANGE-ME-CP-NEW.*\\n.*number: ${CHARGERS + 1},`));

  for (const number of numbers) wired.world.evse(evseNumber(number)).hardware.unplugAtCar();
  await until('every visit is over', () => numbers.every((number) => live(number)?.transaction === undefined));
  test.notOk(
    log.lines.some(({ level }) => level === 'error'),
    'and nothing failed',
  );
});

/** The same file with the program itself: every charger comes, is planned for, and a kill in the middle leaves nothing behind. */
async function forecourtRun(test: Test, yaml: string, consolePort: number): Promise<void> {
  const gateway = await startGateway(yaml, { consolePort });
  test.teardown(() => gateway.remove());
  const client = new ConsoleClient({ host: '127.0.0.1', port: consolePort });
  const ask = async <T>(path: string, command?: object): Promise<T> => {
    const answer = await client.ask('NEW-SITE', path, command);
    if (!answer.ok) throw new Error(JSON.stringify(answer.error));
    return answer.value as T;
  };
  let status = await ask<SiteStatus>('/api/status');
  for (; !status.stations.every(({ connected }) => connected); status = await ask<SiteStatus>('/api/status'))
    await pause(systemClock, milliseconds(200));
  test.equal(status.stations.length, CHARGERS, 'every charger is connected');
  for (const { evse } of status.evses) {
    const why = await ask<EvseExplanation>(`/api/evses/${evse}/explain`);
    test.ok(why.plan, `EVSE ${evse} is planned`);
  }
  if (!WHOLE) return gateway.stop();
  test.match(await ask('/api/commission/WB01/watchdog', { by: 'A. Electrician' }), { site: 'NEW-SITE' });
  await gateway.kill();
  await gateway.start();
  const after = await ask<CommissioningOverview>('/api/commission');
  test.notOk(
    after.stations.flatMap(({ steps }) => steps).some(({ state }) => state === 'running'),
    'nothing runs after a kill',
  );
  await gateway.stop();
}

/** An OCPP charger that nobody knows is turned away. */
const knock = (url: string): Promise<void> =>
  new Promise((resolve) => {
    const socket = new WebSocket(url, ['ocpp1.6']);
    socket.on('error', () => resolve());
  });

/** The command as it is run in the folder of the site. */
async function discoverBeside(file: string, ...args: readonly string[]) {
  let out = '';
  let err = '';
  await runDiscover(args, {
    out: (text) => (out += text),
    err: (text) => (err += text),
    readFile: () => readFileSync(file, 'utf8'),
    writeNewFile: () => undefined,
    interfaces: () => [],
    serialPorts: () => [],
    devices: () => openShelf(),
    clock: systemClock,
  });
  return { out, err };
}
