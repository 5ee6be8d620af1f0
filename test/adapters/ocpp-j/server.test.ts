// The door for chargers: credentials, subprotocols, duplicates, floods and closing, on real sockets.
import { once } from 'node:events';
import { get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import t, { type Test } from 'tap';
import { WebSocket, type ClientOptions } from 'ws';
import { milliseconds } from '../../../gateway/kernel/units.js';
import { credentialsMatch } from '../../../adapters/ocpp-j/credentials.js';
import type { AdmissionRequest, Admission } from '../../../adapters/ocpp-j/server.js';
import { startServer, type TestServer } from './rig.js';

type Attempt = { readonly socket: WebSocket; readonly status: number };

/** 101 for a handshake that went through. */
async function attempt(url: string, protocols: string[], options: ClientOptions = {}): Promise<Attempt> {
  const socket = new WebSocket(url, protocols, options);
  const status = await new Promise<number>((resolve) => {
    socket.once('open', () => resolve(101));
    socket.once('unexpected-response', (request, response: IncomingMessage) => {
      resolve(response.statusCode ?? 0);
      request.destroy();
    });
    socket.once('error', () => resolve(0));
  });
  socket.on('error', () => undefined);
  return { socket, status };
}

const closeCode = async (socket: WebSocket): Promise<number> => {
  const [code]: unknown[] = await once(socket, 'close');
  return Number(code);
};

const key = '00112233445566778899aabbccddeeff';
const passwords: ReadonlyMap<string, string> = new Map([
  ['CP1', key],
  ['CP2', 'a text password, 2.0.1'],
]);

function admitByPassword({ identity, credentials }: AdmissionRequest): Admission<string> {
  const password = passwords.get(identity);
  if (password === undefined) return { ok: false, status: 404 };
  return credentialsMatch(credentials, identity, password)
    ? { ok: true, station: identity, proven: true }
    : { ok: false, status: 401 };
}

const basic = (user: string, password: string | Buffer): ClientOptions => ({
  headers: {
    Authorization: `Basic ${Buffer.concat([Buffer.from(`${user}:`), Buffer.from(password as string)]).toString('base64')}`,
  },
});

const upgradeHeaders = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
};

async function door(t: Test, ...args: Parameters<typeof startServer>): Promise<TestServer> {
  const rig = await startServer(...args);
  t.teardown(() => rig.server.close());
  return rig;
}

void t.test('S06 who may come in, and in which version', async (t) => {
  const rig = await door(t, admitByPassword);
  const tries: readonly [string, string[], ClientOptions, number][] = [
    ['STRANGER', ['ocpp1.6'], basic('STRANGER', key), 404],
    ['CP1', ['ocpp1.6'], {}, 401],
    ['CP1', ['ocpp1.6'], basic('CP1', 'wrong'), 401],
    ['CP1', ['ocpp1.6'], basic('CP2', Buffer.from(key, 'hex')), 401],
    ['CP1', ['ocpp1.6'], basic('CP1', Buffer.from(key, 'hex')), 101],
    ['CP1', ['ocpp1.6'], basic('CP1', key), 101],
    ['CP2', ['ocpp2.1', 'ocpp2.0.1', 'ocpp1.6'], basic('CP2', 'a text password, 2.0.1'), 101],
    ['%E0%A4%A', ['ocpp1.6'], {}, 404],
  ];
  for (const [identity, protocols, options, expected] of tries) {
    const { status } = await attempt(`${rig.url}/${identity}`, protocols, options);
    t.equal(status, expected, `${identity} ${protocols.join()} ${expected}`);
  }
  t.same(
    rig.accepted.map(({ identity, version }) => [identity, version]),
    [
      ['CP1', 'ocpp1.6'],
      ['CP1', 'ocpp1.6'],
      ['CP2', 'ocpp2.0.1'],
    ],
  );
  t.equal(rig.securityEvents.filter(({ type }) => type === 'attemptFailed').length, 4);
});

void t.test(
  'no common subprotocol: handshake without one, then 1002, unless the station is set to a version',
  async (t) => {
    const rig = await door(t, ({ identity }) => ({
      ok: true,
      station: identity,
      proven: true,
      ...(identity === 'OLD' ? { assumeProtocol: 'ocpp1.6' as const } : {}),
    }));
    const none = await attempt(`${rig.url}/CP1`, []);
    t.equal(none.status, 101);
    t.equal(none.socket.protocol, '');
    t.equal(await closeCode(none.socket), 1002);
    t.equal(rig.accepted.length, 0);

    // This client refuses a handshake without a subprotocol by itself, so the answer is read as HTTP.
    const upgraded = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = get(`${rig.url.replace('ws', 'http')}/CP1`, {
        headers: {
          Connection: 'Upgrade',
          Upgrade: 'websocket',
          'Sec-WebSocket-Version': '13',
          'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
          'Sec-WebSocket-Protocol': 'ocpp1.2, ocpp1.5',
        },
      });
      request.once('error', reject);
      request.once('upgrade', (response, socket) => {
        socket.destroy();
        resolve(response);
      });
    });
    t.equal(upgraded.statusCode, 101);
    t.equal(upgraded.headers['sec-websocket-protocol'], undefined);

    const assumed = await attempt(`${rig.url}/OLD`, []);
    t.equal(assumed.status, 101);
    t.equal((await rig.nth(0)).version, 'ocpp1.6');
    assumed.socket.send('[2,"1","Heartbeat",{}]');
    const [data]: unknown[] = await once(assumed.socket, 'message');
    t.match(String(data), /^\[3,"1"/);

    const shouting = await attempt(`${rig.url}/CP1`, ['OCPP1.6']);
    t.equal(shouting.socket.protocol, 'OCPP1.6');
  },
);

void t.test('S08 a proven newcomer replaces the older connection, whose calls end as sent', async (t) => {
  const rig = await door(t);
  const old = await attempt(`${rig.url}/CP1`, ['ocpp1.6']);
  const { connection } = await rig.nth(0);
  const start = connection.call('RemoteStartTransaction', { idTag: 'A' }, { timeout: 60_000 });
  await once(old.socket, 'message');
  const oldClosed = closeCode(old.socket);
  const newer = await attempt(`${rig.url}/CP1`, ['ocpp1.6']);
  t.same(await start, { kind: 'closed', sent: true });
  t.equal(await oldClosed, 1008);
  t.same(rig.closed, [{ identity: 'CP1', code: 1008 }]);
  const second = await rig.nth(1);
  t.equal(rig.server.connection('CP1'), second.connection, 'the end of the old one leaves the new one in place');
  newer.socket.send('[2,"1","Heartbeat",{}]');
  await once(newer.socket, 'message');
  t.match(rig.securityEvents, [{ type: 'connectionReplaced', identity: 'CP1' }]);
});

void t.test('an answer goes out on the socket that its CALL came in on, or nowhere', async (t) => {
  let release: () => void = () => undefined;
  const blocked = new Promise<void>((resolve) => (release = resolve));
  const rig = await door(t, undefined, {
    handler: async ({ action }) => {
      if (action === 'Heartbeat') await blocked;
      return { kind: 'result', payload: action === 'Heartbeat' ? { currentTime: '2026-01-01T00:00:00Z' } : {} };
    },
  });
  const old = await attempt(`${rig.url}/CP1`, ['ocpp1.6']);
  old.socket.send('[2,"same","Heartbeat",{}]');
  while (rig.calls.length === 0) await new Promise(setImmediate);
  const newer = await attempt(`${rig.url}/CP1`, ['ocpp1.6']);
  const heard: string[] = [];
  newer.socket.on('message', (data: Buffer) => heard.push(data.toString()));
  release();
  newer.socket.send('[2,"other","MeterValues",{"connectorId":1,"meterValue":[]}]');
  await once(newer.socket, 'message');
  t.same(heard, ['[3,"other",{}]']);
});

void t.test(
  'an unproven newcomer is refused while the older connection answers, and takes over when it is dead',
  async (t) => {
    const rig = await door(t, ({ identity }) => ({ ok: true, station: identity, proven: false }), {
      probeTimeout: milliseconds(150),
    });
    const old = await attempt(`${rig.url}/CP1`, ['ocpp1.6']);
    t.equal((await attempt(`${rig.url}/CP1`, ['ocpp1.6'])).status, 409);
    t.equal(old.socket.readyState, WebSocket.OPEN);
    t.match(rig.securityEvents, [{ type: 'duplicateRefused', identity: 'CP1' }]);

    old.socket.pause();
    const [newer, third] = await Promise.all([
      attempt(`${rig.url}/CP1`, ['ocpp1.6']),
      attempt(`${rig.url}/CP1`, ['ocpp1.6']),
    ]);
    t.same(
      [newer.status, third.status].sort((a, b) => Number(a) - Number(b)),
      [101, 409],
      'one of two newcomers',
    );
    t.same(rig.closed, [{ identity: 'CP1', code: 1008 }]);
    t.equal(rig.accepted.length, 2);
    t.equal(rig.server.connection('CP1'), rig.accepted[1]?.connection);
    old.socket.terminate();
  },
);

void t.test('two unproven newcomers at the same moment: one of them gets in', async (t) => {
  const rig = await door(t, ({ identity }) => ({ ok: true, station: identity, proven: false }));
  const tries = await Promise.all(Array.from({ length: 4 }, () => attempt(`${rig.url}/CP1`, ['ocpp1.6'])));
  t.same(
    tries.map(({ status }) => status).sort((a, b) => Number(a) - Number(b)),
    [101, 409, 409, 409],
  );
  t.equal(rig.accepted.length, 1);
});

void t.test('a list of subprotocols with faults still names the one that counts', async (t) => {
  const rig = await door(t);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { ...upgradeHeaders, 'Sec-WebSocket-Protocol': 'ocpp1.6,,ocpp 9;,ocpp1.6' };
    const request = get(`${rig.url.replace('ws', 'http')}/CP1`, { headers }, resolve);
    request.once('error', reject);
    request.once('upgrade', (upgraded, socket) => {
      socket.destroy();
      resolve(upgraded);
    });
  });
  t.equal(response.statusCode, 101);
  t.equal(response.headers['sec-websocket-protocol'], 'ocpp1.6');
});

void t.test('a flood of failing attempts is limited and leaves known chargers alone', async (t) => {
  const rig = await door(t, admitByPassword, { attempts: { perAddress: 5, perIdentity: 50, window: 60_000 } });
  const known = await attempt(`${rig.url}/CP1`, ['ocpp1.6'], basic('CP1', key));
  t.equal(known.status, 101);
  const statuses: number[] = [];
  for (let i = 0; i < 8; i++) statuses.push((await attempt(`${rig.url}/GUESS${i}`, ['ocpp1.6'])).status);
  t.same(statuses, [404, 404, 404, 404, 404, 429, 429, 429]);
  t.equal(rig.securityEvents.filter(({ type }) => type === 'attemptsLimited').length, 1);
  t.equal((await attempt(`${rig.url}/CP1`, ['ocpp1.6'], basic('CP1', key))).status, 101, 'the known one reconnects');
});

void t.test('plain HTTP is told what this is; closing ends everything', async (t) => {
  const rig = await startServer();
  const response = await fetch(rig.url.replace('ws', 'http'));
  t.equal(response.status, 426);
  t.match(await response.text(), /OCPP/);
  const { socket } = await attempt(`${rig.url}/CP1`, ['ocpp1.6']);
  const { port } = rig.server.address();
  t.ok(port > 0);
  const ended = closeCode(socket);
  await rig.server.close();
  t.equal(await ended, 1001);
  t.equal(rig.closed.length, 1);
  t.equal((await attempt(`${rig.url}/CP1`, ['ocpp1.6'])).status, 0);
  t.throws(() => rig.server.address());
});

void t.test('an admission that throws refuses the attempt', async (t) => {
  const rig = await door(t, () => {
    throw new Error('list lost');
  });
  t.equal((await attempt(`${rig.url}/CP1`, ['ocpp1.6'])).status, 500);
  t.equal(rig.log.lines.filter(({ level }) => level === 'error').length, 1);
});
