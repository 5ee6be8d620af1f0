// Who may come in, and what a second socket of the same name does: over real handshakes.
import { once } from 'node:events';
import t from 'tap';
import { WebSocket } from 'ws';
import { held, answer } from '../peers/reactions.js';
import { checkSound, openWorld } from '../peers/world.js';
import type { OcppVersion } from '../peers/wire-record.js';

const HEX_KEY = '00112233445566778899aabbccddeeff00112233';
const TEXT_KEY = 'a-password-of-text-40';

const status = async (act: Promise<unknown>): Promise<number | string> => {
  try {
    await act;
    return 'accepted';
  } catch (err) {
    return (err as { code?: number }).code ?? String(err);
  }
};

void t.test('S06: unknown, wrong password, no common version, both forms of a key', async (t) => {
  const world = await openWorld(t, {
    chargers: ['ocpp1.6', 'ocpp2.0.1'],
    authority: 'ocpp2.0.1',
    stationPasswords: [HEX_KEY, TEXT_KEY],
  });
  const { changes } = world;
  await world.ready();
  const unknown = world.stranger({ identity: 'NOBODY', version: 'ocpp1.6', password: TEXT_KEY });
  t.equal(await status(unknown.connect()), 404);
  const wrong = world.stranger({ identity: 'CP2', version: 'ocpp2.0.1', password: 'not the password at all' });
  t.equal(await status(wrong.connect()), 401);
  const without = world.stranger({ identity: 'CP2', version: 'ocpp2.0.1' });
  t.equal(await status(without.connect()), 401);
  const binary = world.stranger({ identity: 'CP1', version: 'ocpp1.6', password: Buffer.from(HEX_KEY, 'hex') });
  t.equal(await status(binary.connect()), 'accepted', 'the key as bytes');
  t.match(await binary.act.boot(), { status: 'Accepted' });
  const written = world.stranger({ identity: 'CP1', version: 'ocpp1.6', password: HEX_KEY });
  t.equal(
    await status(written.connect()),
    'accepted',
    'the key as it is written, and the newest socket of a proven name wins',
  );
  await changes.until('the older socket to be closed', () => !binary.connected);
  t.match(await written.act.boot(), { status: 'Accepted' });
  const text = world.stranger({ identity: 'CP2', version: 'ocpp2.0.1', password: TEXT_KEY });
  t.equal(await status(text.connect()), 'accepted');
  t.match(await text.act.boot(), { status: 'Accepted' });

  const socket = new WebSocket(`ws://127.0.0.1:${world.port}/ocpp/CP2`, ['ocpp9.9'], {
    auth: `CP2:${TEXT_KEY}`,
  });
  const protocolError = new Promise<string>((resolve) => socket.on('error', (err) => resolve(err.message)));
  const [upgraded] = (await once(socket, 'upgrade')) as [{ headers: Record<string, string> }];
  t.equal(upgraded.headers['sec-websocket-protocol'], undefined, 'the handshake names no version (Part 4 section 3.2)');
  t.match(await protocolError, /subprotocol/);
  t.ok(text.connected, 'and the charger that is there keeps its socket');

  const event = await changes.until(
    'the security event',
    () => world.authority.record.of('SecurityEventNotification')[0],
  );
  t.match(event.payload, { type: 'connectionReplaced', techInfo: /^evse=1;CP1 from / });
  const logged = world.gateway.lines.map((line) => JSON.stringify(line)).join('\n');
  t.notMatch(logged, /a-password-of-text|001122334455|not the password/, 'no password in the log');
  await checkSound(t, world);
});

for (const version of ['ocpp1.6', 'ocpp2.0.1'] as const satisfies readonly OcppVersion[]) {
  void t.test(`S08: a second socket while a remote start is in flight to a ${version} charger`, async (t) => {
    const password = 'the same for both of them';
    const world = await openWorld(t, {
      chargers: [version],
      authority: version === 'ocpp1.6' ? 'ocpp2.0.1' : 'ocpp1.6',
      stationPasswords: [password],
    });
    const { changes, authority } = world;
    await world.ready();
    const first = await world.powerUp(1);
    await changes.until('Available', () => authority.book.status(1) === 'Available');
    const action = version === 'ocpp1.6' ? 'RemoteStartTransaction' : 'RequestStartTransaction';
    const never = held();
    first.scripts.once(action, never.script);
    const asked =
      authority.version === 'ocpp1.6'
        ? authority.ask('RemoteStartTransaction', { idTag: 'CARD1', connectorId: 1 })
        : authority.ask('RequestStartTransaction', {
            idToken: { idToken: 'CARD1', type: 'ISO14443' },
            remoteStartId: 7,
            evseId: 1,
          });
    await changes.until('the command to be in flight', () => never.waiting === 1);
    const second = world.stranger({ identity: 'CP1', version, password });
    await second.connect();
    t.match(await asked, { status: 'Rejected' });
    await changes.until('the older socket to be closed', () => !first.connected);
    never.release(answer({ status: 'Accepted' }));
    t.match(await second.act.boot(), { status: 'Accepted' });
    await second.act.available();
    t.equal(second.record.of(action).length, 0, 'the start is not tried again');
    t.equal(first.act.starts + second.act.starts, 0);
    await changes.until('the log to call it uncertain', () =>
      world.gateway.lines.some(({ outcome }) => outcome === 'Uncertain'),
    );
    await checkSound(t, world);
  });
}
