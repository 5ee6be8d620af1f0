// An operator at the box: what waits, what was refused and why, sending it again, and the books as a file.
import t, { type Test } from 'tap';
import { forecourt } from '../peers/forecourt-command.js';
import { freePort } from '../peers/free-port.js';
import { callError } from '../peers/reactions.js';
import type { RpcCsms } from '../peers/rpc-csms.js';
import { openWorld, type World } from '../peers/world.js';
import type { OcppVersion, Payload } from '../peers/wire-record.js';

const TOKEN = 'OPERATORCARD';

/** A sample of /metrics by its name and labels. */
async function metric(port: number, name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1));
}

/** Asks again and again, for what nobody announces. */
async function eventually<T>(
  world: World,
  what: string,
  ask: () => Promise<T>,
  good: (value: T) => boolean,
): Promise<T> {
  let last: T | undefined;
  let asking = false;
  return world.changes.until(
    what,
    () => {
      if (last !== undefined && good(last)) return last;
      if (!asking) {
        asking = true;
        void ask()
          .then((value) => (last = value))
          .finally(() => (asking = false));
      }
      return undefined;
    },
    20_000,
  );
}

/** Refused messages are repeated at once, and once; a link that is lost is tried each second. */
async function hurry(csms: RpcCsms): Promise<void> {
  const set: readonly (readonly [key: string, name: string, instance: string | undefined, value: string])[] = [
    ['TransactionMessageRetryInterval', 'MessageAttemptInterval', 'TransactionEvent', '0'],
    ['TransactionMessageAttempts', 'MessageAttempts', 'TransactionEvent', '2'],
    ['RetryBackOffWaitMinimum', 'RetryBackOffWaitMinimum', undefined, '1'],
    ['RetryBackOffRandomRange', 'RetryBackOffRandomRange', undefined, '0'],
    ['RetryBackOffRepeatTimes', 'RetryBackOffRepeatTimes', undefined, '0'],
  ];
  for (const [key, name, instance, attributeValue] of set)
    if (csms.version === 'ocpp1.6') await csms.ask('ChangeConfiguration', { key, value: attributeValue });
    else
      await csms.ask('SetVariables', {
        setVariableData: [
          {
            component: { name: 'OCPPCommCtrlr' },
            variable: { name, ...(instance !== undefined && { instance }) },
            attributeValue,
          },
        ],
      });
}

const isEnd = (payload: Payload): boolean => payload['eventType'] === undefined || payload['eventType'] === 'Ended';

/** The end of transactions is refused until the answer is called. */
function refuseEnds(csms: RpcCsms): () => void {
  const action = csms.version === 'ocpp1.6' ? 'StopTransaction' : 'TransactionEvent';
  csms.scripts.always(action, (payload) =>
    isEnd(payload) ? callError('InternalError', `no session for card ${TOKEN}`) : csms.usual(action, payload),
  );
  return () => csms.scripts.always(action, undefined);
}

async function visit(world: World, number: number, wattHours: number): Promise<void> {
  const { act } = world.charger(number);
  await act.plug();
  await act.authorize(TOKEN);
  await act.start({ idToken: TOKEN });
  await act.charge(wattHours);
  await act.stop();
  await act.unplug();
}

interface Line {
  readonly seq: number;
  readonly type: string;
  readonly idToken?: string;
  readonly meterStart_Wh: number;
  readonly meterStop_Wh: number;
}

async function exported(...args: readonly string[]): Promise<readonly Line[]> {
  const { code, out, err } = await forecourt('journal', 'export', ...args);
  if (code !== 0) throw new Error(err);
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

for (const [version, observer] of [
  ['ocpp1.6', 'ocpp2.0.1'],
  ['ocpp2.0.1', 'ocpp1.6'],
] as const satisfies readonly (readonly [OcppVersion, OcppVersion])[])
  void t.test(`the authority speaks ${version}`, async (t: Test) => {
    const port = await freePort();
    const world = await openWorld(t, {
      chargers: ['ocpp1.6', 'ocpp2.0.1'],
      authority: version,
      observer,
      consolePort: port,
      yaml: 'authorization: { offline: accept-unknown, timeout: 1 s }',
    });
    const { authority, gateway, changes } = world;
    const site = ['--site', gateway.file];
    await world.ready();
    await hurry(authority);
    for (const number of [1, 2]) await world.powerUp(number);

    await t.test('a message that was refused for good is listed with its reason, and sent again', async (t) => {
      const mended = refuseEnds(authority);
      await visit(world, 1, 250);
      await eventually(
        world,
        'the dead letter',
        () => metric(port, 'forecourt_csms_dead_letters{csms="authority"}'),
        (count) => count === 1,
      );
      t.equal(await metric(port, 'forecourt_csms_refused_total{csms="authority"}'), 2, 'each attempt is counted');
      const delivered = await metric(port, 'forecourt_csms_delivered_total{csms="authority"}');
      t.ok(delivered > 0);

      const health = await fetch(`http://127.0.0.1:${port}/health`);
      t.equal(health.status, 200);
      t.match(await health.text(), /"csms\/authority","status":"degraded","reason":"1 dead letters/);

      const listed = await forecourt('journal', gateway.file);
      t.equal(listed.code, 0, listed.err);
      t.match(listed.out, /authority +accepted +0 +- +no +1 /);
      t.match(listed.out, /no session for card OP\*\*\*\(12\)/, 'why, without the whole token');
      t.ok(
        listed.out.split('\n').every((line) => line.length <= 100),
        'it fits the screen',
      );
      t.notMatch(
        JSON.stringify([gateway.lines, await (await fetch(`http://127.0.0.1:${port}/api/status`)).text()]),
        TOKEN,
        'nor do the log and the status have it',
      );
      const { csms } = JSON.parse((await forecourt('journal', '--json', ...site)).out) as {
        csms: { csms: string; dead: { seq: number; message: string; attempts: number; evse: number }[] }[];
      };
      const letter = csms.find((each) => each.csms === 'authority')?.dead[0];
      t.match(letter, { message: 'ended', attempts: 2, evse: 1 });
      t.equal(authority.book.latest(1)?.ended, false, 'the book lacks the end');

      t.match(await forecourt('journal', 'redrive', 'authority', '999999', ...site), {
        code: 1,
        err: /no dead letters of authority: 999999/,
      });
      t.match(await forecourt('journal', 'redrive', 'nobody', ...site), { code: 1, err: /no CSMS nobody/ });
      mended();
      const sent = await forecourt('journal', 'redrive', 'authority', String(letter?.seq), ...site);
      t.match(sent, { code: 0, out: /1 dead letter goes to authority once more, now/ });
      await changes.until('the end', () => authority.book.latest(1)?.ended);
      t.equal(authority.book.latest(1)?.meterStop, world.charger(1).act.register);
      await eventually(
        world,
        'an empty list',
        () => metric(port, 'forecourt_csms_dead_letters{csms="authority"}'),
        (count) => count === 0,
      );
      t.ok(
        (await metric(port, 'forecourt_csms_delivered_total{csms="authority"}')) > delivered,
        'the counter has moved',
      );
    });

    await t.test(
      'while the cloud is away, depth and age are told; from the disk, too, when the gateway is down',
      async (t) => {
        await authority.settle();
        await authority.stop();
        await visit(world, 2, 500);
        await eventually(
          world,
          'an age',
          () => metric(port, 'forecourt_csms_queue_oldest_age_seconds{csms="authority"}'),
          (age) => age >= 1,
        );
        t.equal(await metric(port, 'forecourt_csms_connected{csms="authority"}'), 0);
        const depth = await metric(port, 'forecourt_csms_queue_entries{csms="authority"}');
        t.ok(depth >= 2, `${depth} entries wait`);
        t.match((await forecourt('status', gateway.file)).out, /authority +down +\d+ /);

        for (const number of [1, 2]) await world.charger(number).drop();
        await gateway.stop();
        t.match(await forecourt('status', gateway.file), { code: 1, err: /no gateway answers at 127.0.0.1/ });
        t.match(await forecourt('journal', 'redrive', 'authority', ...site), {
          code: 1,
          err: /sent by the running gateway/,
        });
        const stored = JSON.parse((await forecourt('journal', '--json', ...site)).out) as {
          gateway: string;
          csms: { csms: string; queued: number; oldestAge_s?: number; dead: unknown[] }[];
        };
        t.equal(stored.gateway, 'stopped');
        const waiting = stored.csms.find(({ csms }) => csms === 'authority');
        t.ok((waiting?.queued ?? 0) >= 2 && (waiting?.oldestAge_s ?? 0) >= 1, JSON.stringify(waiting));
        const offline = await exported(...site);
        await gateway.start();
        t.same(await exported(...site), offline, 'the disk and the gateway tell the same');
        await authority.start();
        await changes.until('the whole visit', () => authority.book.latest(2)?.ended);
        await eventually(
          world,
          'an empty queue',
          () => metric(port, 'forecourt_csms_queue_entries{csms="authority"}'),
          (count) => count === 0,
        );
      },
    );

    await t.test('the exported bills are what the cloud has booked', async (t) => {
      const bills = await exported('--types', 'cdr', '--full', ...site);
      const booked = [...authority.book.transactions.values()];
      t.same(
        bills.map((line) => [line.idToken, line.meterStart_Wh, line.meterStop_Wh]),
        booked.map(({ idToken, meterStart, meterStop }) => [idToken, meterStart, meterStop]),
      );
      const all = await exported(...site);
      t.notMatch(JSON.stringify(all), TOKEN, 'tokens are masked unless asked for');
      t.ok(all.some(({ type }) => type === 'transaction'));
      const [first] = bills;
      t.same(
        (await exported('--from', String(first?.seq), '--to', String(first?.seq), ...site)).map(({ seq }) => seq),
        [first?.seq],
      );
      t.match(await forecourt('journal', 'export', '--from', 'yesterday', ...site), {
        code: 2,
        err: /sequence number such as/,
      });
    });

    await t.test('the site at a glance, and why an EVSE has its current', async (t) => {
      await world.powerUp(1);
      const { act } = world.charger(1);
      await act.plug();
      await act.authorize(TOKEN);
      await act.start({ idToken: TOKEN });
      await act.charge(100, 15);
      const shown = await eventually(
        world,
        'the current',
        () => forecourt('status', gateway.file),
        ({ out }) => out.includes('15.0'),
      );
      t.match(shown.out, /^ +1 +CP1 +Charging +\d+ +15\.0/m);
      t.match(shown.out, /^main +125 +125 +none +15\.0/m);
      t.ok(
        shown.out.split('\n').every((line) => line.length <= 100),
        'it fits the screen',
      );
      t.equal(await metric(port, 'forecourt_circuit_current_amperes{circuit="main",phase="L1"}'), 15);
      t.equal(await metric(port, 'forecourt_transactions_open'), 1);
      const why = await forecourt('explain', '1', ...site);
      t.match(why, { code: 0, out: /^EVSE 1 was told \d+ A/ });
      t.match(await forecourt('explain', '7', ...site), { code: 1, err: /no EVSE 7/ });
      t.match(await forecourt('explain', ...site), { code: 2 });
      await act.stop();
    });
    await gateway.stop();
  });

void t.test(
  'two gateways of one machine: the second works without its console, and is not mistaken for the first',
  async (t) => {
    const port = await freePort();
    const first = await openWorld(t, { chargers: ['ocpp1.6'], authority: 'ocpp1.6', consolePort: port });
    const second = await openWorld(t, {
      chargers: ['ocpp1.6'],
      authority: 'ocpp1.6',
      consolePort: port,
      site: 'SITE-02',
    });
    t.match(
      second.gateway.lines.filter(({ level }) => level >= 40),
      [{ fault: 'FC-H01', level: 40 }],
    );
    await second.ready();
    t.match(await forecourt('status', first.gateway.file), { code: 0, out: /SITE-01/ });
    t.match(await forecourt('journal', second.gateway.file), { code: 1, err: /another site, SITE-01/ });
  },
);
