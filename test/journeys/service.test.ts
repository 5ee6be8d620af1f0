// Under a service manager: started when the doors are open, watched by real progress, and ended in time with nothing lost.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { Changes, present } from '../peers/changes.js';
import { forecourt } from '../peers/forecourt-command.js';
import { freePort } from '../peers/free-port.js';
import { startGateway, type GatewayProcess } from '../peers/gateway-process.js';
import { MuteCsms } from '../peers/mute-csms.js';
import { silence } from '../peers/reactions.js';
import { RpcCharger } from '../peers/rpc-charger.js';
import { RpcCsms } from '../peers/rpc-csms.js';
import { listenForWords } from '../peers/service-manager.js';
import type { OcppVersion } from '../peers/wire-record.js';

const VERSIONS: readonly OcppVersion[] = ['ocpp1.6', 'ocpp2.0.1'];
/** Milliseconds. */
const WATCHDOG = 2_000;
/** Milliseconds: what deploy/forecourt.service gives it, and less than a service manager's own patience. */
const STOP_WITHIN = 20_000;
/** Milliseconds between two attempts of a charger: an impatient one. */
const REDIAL = 50;
const CARD = 'CARETAKER';

const siteYaml = (ports: { readonly ocpp: number; readonly broker: number; readonly csms: number }): string => `
site: { id: SITE-01, time-zone: Europe/Amsterdam }
circuits: { main: { breaker: 125 A } }
listen: { ocpp: '127.0.0.1:${ports.ocpp}' }
stations:
${VERSIONS.map(
  (_, index) => `  CP${index + 1}:
    circuit: main
    security-profile: 0
    evses: [{ number: ${index + 1}, max-current: 32 A, phases: L1 L2 L3, fallback-current: 16 A }]`,
).join('\n')}
csms:
  operator: { url: 'ws://127.0.0.1:${ports.csms}/ocpp', ocpp: 2.0.1, security-profile: 0 }
  landlord: { url: 'ws://csms.invalid/ocpp', ocpp: 1.6, role: observer, security-profile: 0 }
authorization: { local-tokens: [${CARD}] }
telemetry: { local-broker: { listen: '127.0.0.1:${ports.broker}' } }
`;

/** A gateway whose event loop, and whose journal's thread, can be made to hang. */
async function watched(t: Test) {
  const changes = new Changes();
  const [ocpp, broker, csms, consolePort] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const manager = await listenForWords(changes, [ocpp, broker, consolePort]);
  const flags = mkdtempSync(join(tmpdir(), 'hang-'));
  const gateway = await startGateway(siteYaml({ ocpp, broker, csms }), {
    changes,
    consolePort,
    env: {
      NOTIFY_SOCKET: manager.socket,
      WATCHDOG_USEC: String(WATCHDOG * 1000),
      NODE_OPTIONS: `--import=${pathToFileURL('test/peers/hang.mjs').href}`,
      HANG_MAIN: join(flags, 'main'),
      HANG_WORKER: join(flags, 'worker'),
    },
  });
  t.teardown(async () => {
    await gateway.remove();
    manager.close();
    rmSync(flags, { recursive: true, force: true });
  });
  const alive = (): number => manager.words.filter((word) => word.includes('WATCHDOG=1')).length;
  await changes.until('signs of life', () => alive() >= 3);
  return {
    changes,
    gateway,
    manager,
    alive,
    ports: [ocpp, broker, consolePort],
    hang: (what: string) => writeFileSync(join(flags, what), ''),
  };
}

void t.test('READY comes when every door is open, then signs of life, then the farewell', async (t) => {
  const { changes, gateway, manager, ports } = await watched(t);
  t.match(manager.words[0], /^READY=1 STATUS=0 of 2 stations; 0 transactions; operator away/);
  for (const port of ports) t.match(manager.words[0], `${port}=open`);
  await gateway.stop();
  await changes.until('the farewell', () => manager.words.some((word) => word.startsWith('STOPPING=1')));
  t.equal(manager.words.filter((word) => word.includes('READY=1')).length, 1);
});

void t.test("a journal's thread that hangs ends the signs of life", async (t) => {
  const { changes, gateway, manager, alive, hang } = await watched(t);
  hang('worker');
  const stuck = (): number => manager.words.filter((word) => /stuck: the journal's thread/.test(word)).length;
  await changes.until('the gateway to say what is stuck', () => stuck() > 0);
  const before = alive();
  await changes.until('more than the time of the watchdog', () => stuck() > 5);
  t.equal(alive(), before, 'not one sign of life since');
  t.match(
    gateway.lines.filter(({ level }) => level >= 50),
    [{ fault: 'FC-G01', stuck: /journal's thread/ }],
  );
});

void t.test('an event loop that hangs ends the signs of life', async (t) => {
  const { changes, gateway, manager, hang } = await watched(t);
  hang('main');
  await changes.until(
    'silence for longer than the watchdog waits',
    () => performance.now() - manager.lastWordAt > WATCHDOG,
    20_000,
  );
  t.ok(gateway.running, 'it is there, and says nothing');
});

/** Dials until it is let in, as a charger does. */
async function dial(charger: RpcCharger): Promise<readonly string[]> {
  const refusals: string[] = [];
  for (;;)
    try {
      await charger.connect();
      return refusals;
    } catch (err) {
      refusals.push(String((err as { readonly code?: unknown }).code ?? err));
      await new Promise((resolve) => setTimeout(resolve, REDIAL));
    }
}

async function stopped(t: Test, gateway: GatewayProcess): Promise<void> {
  const begun = performance.now();
  // Throws unless the exit code is 0.
  await gateway.stop();
  const took = performance.now() - begun;
  t.comment(`ended after ${Math.round(took)} ms`);
  t.ok(took < STOP_WITHIN, 'in time');
}

void t.test(
  'no uplink and no DNS: known cards at once; a cloud that never lets go: an end in time; nothing is lost',
  async (t) => {
    const changes = new Changes();
    const [ocpp, broker, port] = [await freePort(), await freePort(), await freePort()];
    const mute = await MuteCsms.listen(port, 'ocpp2.0.1');
    const chargers = VERSIONS.map(
      (version, index) =>
        new RpcCharger({ identity: `CP${index + 1}`, version, port: ocpp, changes, register: 1000 * (index + 1) }),
    );
    let gateway: GatewayProcess | undefined;
    let csms: RpcCsms | undefined;
    t.teardown(async () => {
      for (const charger of chargers) await charger.drop();
      await gateway?.remove();
      await csms?.stop();
      await mute.stop();
    });

    const begun = performance.now();
    const [refusals, running] = await Promise.all([
      Promise.all(
        chargers.map(async (charger) => {
          const tried = await dial(charger);
          t.match(await charger.act.boot(), { status: 'Accepted' });
          t.comment(`${charger.identity} was accepted ${Math.round(performance.now() - begun)} ms after the start`);
          return tried;
        }),
      ),
      startGateway(siteYaml({ ocpp, broker, csms: port }), { changes }),
    ]);
    gateway = running;
    for (const tried of refusals)
      t.same(
        tried.filter((code) => code !== 'ECONNREFUSED'),
        [],
        'the door was shut until there was somebody behind it',
      );
    for (const { act } of chargers) {
      await act.available();
      await act.plug();
      t.equal(await act.authorize(CARD), 'Accepted', 'a card of the site');
      t.equal(await act.start({ idToken: CARD }), 'Accepted');
      for (let sample = 0; sample < 20; sample++) await act.charge(10);
    }
    await changes.until('the cloud to be dialled', () => mute.taken > 0);

    await stopped(t, running);
    const registers = chargers.map(({ act }) => act.register);
    await mute.stop();
    csms = await RpcCsms.listen({ name: 'operator', version: 'ocpp2.0.1', changes, port });
    await running.start();
    for (const [index, charger] of chargers.entries()) {
      await charger.drop();
      await dial(charger);
      await charger.act.boot();
      await charger.act.charge(10);
      await charger.act.stop();
      await charger.act.unplug();
      const { book } = csms;
      const booked = await changes.until(
        'the whole transaction',
        () => book.latest(index + 1)?.ended && book.latest(index + 1),
        30_000,
      );
      const from = 1000 * (index + 1);
      t.match(booked, { idToken: CARD, meterStart: from, meterStop: (registers[index] ?? 0) + 10, repeated: 0 });
    }
    // Now it takes a message and says nothing more: the gateway is told to stop while it waits for the answer.
    const act = present(chargers[0], 'charger').act;
    csms.scripts.always('TransactionEvent', silence);
    const { record, book } = csms;
    const events = record.of('TransactionEvent').length;
    await act.plug();
    await act.start({ idToken: CARD });
    for (let sample = 0; sample < 20; sample++) await act.charge(10);
    await act.stop();
    await changes.until('a message on its way', () => record.of('TransactionEvent').length > events);
    await stopped(t, running);
    csms.scripts.always('TransactionEvent', undefined);
    await running.start();
    const all = (): boolean => book.transactions.size === 3 && book.open().length === 0;
    await changes.until('the second transaction', all, 30_000);
    t.match(book.latest(1), { meterStop: act.register, repeated: 0 });
    t.same(book.faults(), []);
    await stopped(t, running);
  },
);

/** What `systemd-analyze security` may give the gateway's unit at most: 0 is locked in, 10 is bare. */
const EXPOSURE = 1.5;

void t.test('the manual page knows every command', async (t) => {
  const { out } = await forecourt('--help');
  const commands = [...out.matchAll(/^ {2}([a-z]+(?:, [a-z]+)*)/gm)].flatMap(([, names = '']) => names.split(', '));
  t.ok(commands.includes('run') && commands.includes('needs'), commands.join(' '));
  const page = readFileSync('deploy/package/forecourt.1', 'utf8');
  const tagged = [...page.matchAll(/^\.TP\n(.*)$/gm)].map(([, tag]) => tag).join('\n');
  for (const command of commands) t.match(tagged, new RegExp(`\\b${command}\\b`), command);
});

void t.test('the unit files are such', { skip: !hasSystemd() && 'no systemd-analyze here' }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'unit-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of ['forecourt.service', 'forecourt-upgrade.service']) {
    const file = join(folder, name);
    // The tool looks whether the program is there; a launcher is where a package puts it.
    writeFileSync(
      file,
      readFileSync(join('deploy', name), 'utf8').replaceAll('/usr/lib/forecourt/launch', '/bin/true'),
    );
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' });
    t.equal(status, 0, `${name}: ${stderr}`);
  }
  const unit = readFileSync('deploy/forecourt.service', 'utf8');
  t.match(unit, /^Type=notify$/m);
  t.match(unit, /^NotifyAccess=all$/m, 'systemd-notify is a process of its own');
  const { stdout } = spawnSync(
    'systemd-analyze',
    ['security', '--offline=true', '--no-pager', join(folder, 'forecourt.service')],
    { encoding: 'utf8' },
  );
  const exposure = Number(/exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1]);
  t.ok(exposure <= EXPOSURE, `exposure ${exposure}`);
  t.end();
});

function hasSystemd(): boolean {
  return spawnSync('systemd-analyze', ['--version']).status === 0;
}
