// Another site.yaml under a running gateway, over real sockets: who notices, who does not, and what comes back by itself.
import { readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { ampere, volt, wattHour } from '../../gateway/kernel/units.js';
import { systemClock } from '../../gateway/system-clock.js';
import { EvseHardware } from '../../simulation/evse.js';
import { ModbusCharger } from '../../simulation/modbus-charger.js';
import { startModbusSlave } from '../../simulation/modbus-slave.js';
import type { Units } from '../../simulation/register-map.js';
import { chargerProfile, openShelf } from '../../site-config/devices/shelf.js';
import { evse } from '../gateway/views/fixture.js';
import { forecourt } from '../peers/forecourt-command.js';
import { freePort } from '../peers/free-port.js';
import { checkEnergy, checkSound, openWorld } from '../peers/world.js';
import type { RpcCharger } from '../peers/rpc-charger.js';

t.setTimeout(180_000);

const limitOf = (charger: RpcCharger): number =>
  charger.act.limits.findLast(({ transaction }) => transaction)?.current ?? Infinity;

/** A wallbox that can be reached by Modbus; nobody is at it. */
async function wallbox() {
  const units: Units = new Map();
  const hardware = new EvseHardware(3, ampere(16), 3, volt(230), wattHour(1000));
  new ModbusCharger(chargerProfile(openShelf(), 'keba-p30'), evse(3, 'WB'), hardware, units, undefined, systemClock);
  return startModbusSlave({ units });
}

void t.test('a changed file: sockets, transactions and books go on, and a trial comes back', async (t) => {
  const consolePort = await freePort();
  const slave = await wallbox();
  t.teardown(() => slave.stop());
  const world = await openWorld(t, {
    chargers: ['ocpp1.6', 'ocpp2.0.1'],
    authority: 'ocpp2.0.1',
    observer: 'ocpp1.6',
    consolePort,
  });
  const { authority, changes, gateway, observer } = world;
  await world.ready();
  const cars = [await world.powerUp(1), await world.powerUp(2)];
  for (const { act } of cars) {
    await act.plug();
    await act.start({ idToken: `CARD${act.starts}` });
    await act.charge(100);
  }
  await changes.until('both to have all they want', () => cars.every((car) => limitOf(car) === 32));
  const arrivals = (): readonly unknown[] =>
    gateway.lines.filter(({ msg }) => msg === 'station connected').map(({ station }) => station);
  const draft = `${gateway.file}.draft.yaml`;
  const written = (): string => readFileSync(gateway.file, 'utf8');
  const run = (...words: readonly string[]) => forecourt(...words, '--site', gateway.file);
  const apply = async (text: string, ...options: readonly string[]) => {
    writeFileSync(draft, text);
    return run('apply', ...options, draft);
  };
  /** As the command asks, without a process for each question. */
  const ask = async (path: string, body?: object): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${consolePort}/api/${path}`, {
      ...(body && { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    return response.text();
  };
  const put = (text: string, more = {}): Promise<string> => ask('config/apply', { text, ...more });
  const first = written();

  // Two stations more: one by Modbus, and one that calls.
  const more = first.replace(
    'csms:\n',
    `  WB: { circuit: main, device: keba-p30, connection: 'tcp://127.0.0.1:${slave.port}', evses: [{ number: 3, max-current: 16 A, fallback-current: 6 A }] }
  CP9: { circuit: main, security-profile: 0, evses: [{ number: 9, max-current: 16 A, fallback-current: 6 A }] }
csms:
`,
  );
  const added = await apply(more, '--comment', 'two more');
  t.equal(added.code, 0, added.err);
  t.match(added.out, /station\/WB .*reconnects .*added/);
  await changes.until('the CSMSs to be told of both', () =>
    world.csmss.every(({ book }) => book.status(3) !== undefined && book.status(4) !== undefined),
  );
  const guest = world.stranger({ identity: 'CP9', version: 'ocpp1.6' });
  await guest.powerUp();
  await changes.until('the wallbox to be read', () => observer.book.status(3) === 'Available');
  const wires = slave.connections;

  // A lower breaker, one station less, and another way to the observer.
  const less = more
    .replace('main: { breaker: 125 A }', 'main: { breaker: 24 A }')
    .replaceAll('fallback-current: 16 A', 'fallback-current: 6 A')
    .replace(/ {2}CP9: .*\n/, '')
    .replace(observer.url, observer.url.replace('127.0.0.1', 'localhost'));
  t.match(await put(less), /breaker 24 A instead of 125 A","effect":"live","subject":"circuit\/main"/);
  await changes.until('the cars to share what is left', () => cars.reduce((sum, car) => sum + limitOf(car), 0) <= 24);
  await changes.until('the guest to be let go', () => !guest.connected);
  await changes.until('the observer to be called anew', () => observer.boots === 2 && observer.connected);
  t.same(arrivals(), ['CP1', 'CP2', 'CP9'], 'no other charger has connected again');
  t.equal(slave.connections, wires, 'the Modbus line is the same');
  const fallbacks = () => cars.map(({ act }) => act.limits.findLast(({ transaction }) => !transaction)?.current);
  await changes.until('the chargers to have the new fallback', () => fallbacks().every((each) => each === 6));
  t.equal(authority.boots, 1, 'nor was the other CSMS called');
  await guest.powerUp().then(
    () => t.fail('a station that the site does not have is refused'),
    (err: Error) => t.match(err.message, /Not Found/),
  );

  // A trial that nobody keeps.
  t.equal((await apply(less.replace('24 A', '20 A'), '--confirm-within', '10s', '--comment', 'a try')).code, 0);
  await changes.until('the trial to be in force', () => cars.reduce((sum, car) => sum + limitOf(car), 0) <= 20);
  t.match(written(), /breaker: 20 A/);
  t.match(await put(first), /revision 4 waits to be kept/, 'one change at a time');
  await changes.until('it to be over', () => written() === less, 40_000);
  const status = JSON.parse(await ask('status')) as { circuits: { breaker_A: number }[] };
  t.equal(status.circuits[0]?.breaker_A, 24, 'in the plan as in the file');

  // A file with faults changes nothing.
  const broken = await apply(less.replace('breaker: 24 A', 'breaker: 24 kW'));
  t.equal(broken.code, 1);
  t.match(broken.err, /site\.yaml:\d+:\d+: .*kW/);
  t.equal(written(), less);

  // The file itself is edited and read anew; with a mistake it is not.
  writeFileSync(gateway.file, less.replace('24 A', '26 A').replace('name: Journey', 'name: Edited'));
  process.kill(gateway.pid ?? 0, 'SIGHUP');
  await changes.until('the edit', () => gateway.lines.some(({ by }) => by === 'SIGHUP'));
  t.match(await ask('events'), /"kind":"configuration"[^}]*nobody kept it: revision 4 of site.yaml was taken back/);
  const edited = written();
  writeFileSync(gateway.file, `${edited}circuitz: {}\n`);
  process.kill(gateway.pid ?? 0, 'SIGHUP');
  await changes.until('the mistake to be told', () =>
    gateway.lines.some(({ line, reason }) => line === edited.split('\n').length && /circuitz/.test(String(reason))),
  );
  t.match(await put(less), /was edited since/, 'nor is it overwritten');
  writeFileSync(gateway.file, edited);

  // The gateway falls while a change is on trial.
  t.match(await put(edited.replace('26 A', '22 A'), { confirmWithin_s: 3600 }), /"revision":"6"/);
  await gateway.kill();
  t.match(written(), /22 A/);
  await gateway.start();
  t.equal(written(), edited, 'the next start takes it back');
  await changes.until('the CSMS', () => authority.connected && observer.connected);
  for (const number of [1, 2]) await world.powerUp(number);
  const history = JSON.parse(await ask('config/history')) as {
    changes: { revision: string; by: string; state: string; comment?: string; diff: string }[];
  };
  t.same(
    history.changes.map(({ state }) => state),
    ['reverted', 'kept', 'reverted', 'kept', 'kept', 'kept'],
    'every change is known',
  );
  t.match(history.changes[2], { comment: 'a try', diff: /^-.*24 A.*\n\+.*20 A/m });

  // An ordered restart does not end a trial; then it is kept, and later put aside for an older one.
  t.match(await put(edited.replace('26 A', '30 A'), { confirmWithin_s: 3600 }), /"revision":"7"/);
  await gateway.restart();
  await changes.until('the CSMS', () => authority.connected && observer.connected);
  t.equal((await run('keep')).code, 0);
  t.match(written(), /30 A/);
  t.match(await ask('config/revert', { revision: '5' }), /"revision":"8"/);
  t.equal(written(), edited);
  for (const number of [1, 2]) await world.powerUp(number);
  for (const { act } of cars) {
    await act.charge(400);
    await act.stop();
    await act.unplug();
  }
  for (const [index] of cars.entries()) {
    const from = 1000 * (index + 1);
    await checkEnergy(t, world, index + 1, { from, to: from + 500 });
  }
  await checkSound(t, world, [/site\.yaml/]);
});
