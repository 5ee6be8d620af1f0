// Somebody at the site starts, stops, unlocks and reserves: over HTTP and the command line, and what the clouds saw of it.
import t, { type Test } from 'tap';
import { forecourt } from '../peers/forecourt-command.js';
import { freePort } from '../peers/free-port.js';
import { checkEnergy, checkSound, openWorld, type World } from '../peers/world.js';

const CARD = 'GUESTCARD1';

interface Answered {
  readonly status: number;
  readonly body: { readonly status?: string; readonly error?: string; readonly action?: string };
}

void t.test('acts of the site', async (t) => {
  const port = await freePort();
  const world = await openWorld(t, {
    chargers: ['ocpp1.6', 'ocpp2.0.1'],
    authority: 'ocpp2.0.1',
    observer: 'ocpp1.6',
    consolePort: port,
    yaml: `authorization: { offline: known-only, timeout: 1 s, local-tokens: [{ token: ${CARD} }] }`,
  });
  const site = ['--site', world.gateway.file];
  const post = async (path: string, command: object = {}): Promise<Answered> => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(command),
    });
    return { status: answer.status, body: (await answer.json()) as Answered['body'] };
  };
  await world.ready();
  for (const number of [1, 2]) await world.powerUp(number);

  for (const number of [1, 2])
    await t.test(`start and stop at a charger of ${world.charger(number).version}`, (t) =>
      startAndStop(t, world, number, post),
    );

  await t.test('unlock, out of service and back', async (t) => {
    t.match(await post('/api/evses/2/unlock'), { status: 200, body: { status: 'Unlocked' } });
    t.match(await post('/api/evses/2/availability', { operative: false }), { status: 200 });
    await shown(world, 2, 'Unavailable');
    t.match(await post('/api/evses/2/start'), { status: 409, body: { error: /Unavailable/, action: /./ } });
    t.match(await post('/api/evses/2/availability', { operative: true }), { status: 200 });
    await shown(world, 2, 'Available');
    t.match(await post('/api/evses/2/availability', { operative: 'no' }), { status: 400 });
  });

  await t.test('a reservation, seen by both clouds', async (t) => {
    t.match(await forecourt('reserve', '1', '--card', CARD, '--minutes', '30', ...site), {
      code: 0,
      out: 'EVSE 1: reserve accepted\n',
      err: '',
    });
    await shown(world, 1, 'Reserved');
    t.match(await forecourt('start', '1', ...site), { code: 1, err: /reserved for another driver/ });
    t.match(await post('/api/evses/1/release'), { status: 200, body: { status: 'Accepted' } });
    await shown(world, 1, 'Available');
    t.match(await post('/api/evses/1/release'), { status: 409 });
    t.match(await post('/api/evses/1/reserve', { idToken: 'no spaces', minutes: 5 }), { status: 400 });
    t.match(await post('/api/evses/1/reserve', { idToken: CARD, minutes: 0.5 }), { status: 400 });
  });

  await t.test('the command line', async (t) => {
    const { act } = world.charger(1);
    const before = act.starts;
    await act.plug();
    t.match(await forecourt('start', '1', '--card', CARD, ...site), { code: 0, out: 'EVSE 1: start accepted\n' });
    await world.changes.until('the charger to begin', () => act.starts > before);
    await act.charge(500);
    t.match(await forecourt('needs', '1', '--departure', '17:30', '--energy', '20kWh', ...site), { code: 0 });
    const status = (await (await fetch(`http://127.0.0.1:${port}/api/status`)).json()) as {
      evses: { needs?: { departure?: string; energy_Wh?: number }; transaction?: { energy_Wh?: number } }[];
    };
    t.match(status.evses[0], { needs: { departure: /:30:00.000Z$/, energy_Wh: 20_000 } });
    t.match(await forecourt('stop', '1', ...site), { code: 0, out: 'EVSE 1: stop accepted\n' });
    await through(world, 1);
    await act.unplug();
    t.match(await forecourt('stop', '1', ...site), { code: 1, err: /no transaction is open/ });
    t.match(await forecourt('start', 'one', ...site), { code: 2, err: /by its number/ });
    t.match(await forecourt('stop', '1', '--card', CARD, ...site), { code: 2, err: /knows no --card/ });
    t.match(await forecourt('unlock', '9', ...site), { code: 1, err: /no EVSE 9/ });
    t.match(await forecourt('needs', '1', '--energy', '20', ...site), { code: 2, err: /such as 20kWh/ });
  });

  await t.test('the wire, without cards', async (t) => {
    const { code, out } = await forecourt('trace', 'CP1', '--minutes', '60', ...site);
    t.equal(code, 0);
    t.match(out, /-> \[2,"[^"]+","RemoteStartTransaction",\{"connectorId":1,"idTag":"CO\*\*\*\(7\)"\}\]/);
    t.match(out, /<- \[2,"[^"]+","StartTransaction"/);
    t.notMatch(out, CARD);
    t.match((await forecourt('trace', '--csms', 'observer', '--minutes', '60', ...site)).out, /BootNotification/);
    t.match(await forecourt('trace', 'CP9', ...site), { code: 1, err: /no station CP9/ });
  });

  const events = (await (await fetch(`http://127.0.0.1:${port}/api/events`)).json()) as { events: { text: string }[] };
  t.ok(
    events.events.some(({ text }) => text === 'console: stop (Accepted)'),
    'who did what is told',
  );
  t.notMatch(JSON.stringify([events, world.gateway.lines]), CARD, 'no card in full');
  await checkSound(t, world);
});

const shown = (world: World, slot: number, status: string): Promise<unknown> =>
  Promise.all(
    world.csmss.map((csms) =>
      world.changes.until(`${csms.record.peer} to see ${status} on ${slot}`, () => csms.book.status(slot) === status),
    ),
  );

/** The charger has ended its transaction by itself and said all there is to say, and both clouds know. */
async function through(world: World, number: number): Promise<void> {
  const { version, record } = world.charger(number);
  await world.changes.until('the end to be told', () => world.csmss.every((csms) => csms.book.latest(number)?.ended));
  await world.changes.until('the charger to be through', () => {
    const last = record.sent.at(-1);
    if (last === undefined || !record.answers.has(last.messageId)) return false;
    return version === 'ocpp2.0.1' || last.payload['status'] === 'Finishing';
  });
}

async function startAndStop(
  t: Test,
  world: World,
  number: number,
  post: (path: string, command?: object) => Promise<Answered>,
): Promise<void> {
  const { act } = world.charger(number);
  const from = act.register;
  const before = act.starts;
  await act.plug();
  t.match(await post(`/api/evses/${number}/start`), { status: 200, body: { status: 'Accepted' } });
  // The simulated charger does what it is told: it begins and ends its transaction by itself.
  await world.changes.until('the charger to begin', () => act.starts > before);
  await act.charge(2000);
  for (const csms of world.csmss) {
    const booked = await world.changes.until(`${csms.record.peer} to be told`, () => csms.book.latest(number));
    t.match(booked, { ended: false, meterStart: from });
  }
  t.match(await post(`/api/evses/${number}/start`), { status: 409, body: { error: /transaction is open/ } });
  t.match(await post(`/api/evses/${number}/stop`), { status: 200, body: { status: 'Accepted' } });
  await through(world, number);
  await act.unplug();
  await shown(world, number, 'Available');
  await checkEnergy(t, world, number, { from, to: from + 2000 });
  t.match(await post(`/api/evses/${number}/stop`), { status: 409 });
}
