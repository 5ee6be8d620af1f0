// Uplinks that misbehave, on real sockets: half open, refused, mute, babbling, flooding. Each is survived and told apart.
import dns from 'node:dns';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer, type Server } from 'node:net';
import t, { type Test } from 'tap';
import { WebSocketServer, type WebSocket } from 'ws';
import { openOcpp16Csms } from '../../../adapters/csms-ocpp16/link.js';
import { dialCsms } from '../../../adapters/ocpp-j/csms-dial.js';
import type { DeliveryOutcome } from '../../../gateway/ports/csms.js';
import { milliseconds } from '../../../gateway/kernel/units.js';
import { Cable } from '../../peers/cable.js';
import { Changes } from '../../peers/changes.js';
import { dialTest, realClock, rememberingLog } from '../ocpp-j/rig.js';
import { aliasTable, AT_TEXT, csmsOf, rememberingHost, transaction, view } from './rig.js';

type Answer = (socket: WebSocket, id: string, action: string) => void;

const say = (socket: WebSocket, ...frame: unknown[]): void => socket.send(JSON.stringify(frame));

const RESULTS: Readonly<Record<string, unknown>> = {
  BootNotification: { status: 'Accepted', interval: 300, currentTime: AT_TEXT },
  Heartbeat: { currentTime: AT_TEXT },
  StartTransaction: { transactionId: 113, idTagInfo: { status: 'Accepted' } },
};
const usual: Answer = (socket, id, action) => say(socket, 3, id, RESULTS[action] ?? {});

/** A raw OCPP 1.6 CSMS. */
async function openCsms(t: Test, changes: Changes, answer: { current: Answer }, port = 0) {
  const server = new WebSocketServer({ port, host: '127.0.0.1' });
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  const actions: string[] = [];
  const sockets: WebSocket[] = [];
  server.on('connection', (socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => changes.happened());
    socket.on('message', (data: Buffer) => {
      const [type, id, action] = JSON.parse(data.toString()) as [number, string, string];
      if (type === 2) {
        actions.push(action);
        answer.current(socket, id, action);
      }
      changes.happened();
    });
    changes.happened();
  });
  t.teardown(() => {
    for (const socket of sockets) socket.terminate();
    server.close();
  });
  return { port: (address as { port: number }).port, actions, sockets, server };
}

/** The gateway's link to it, with waits of some hundredths of a second. */
function openLink(t: Test, changes: Changes, url: string) {
  const host = rememberingHost();
  for (const [name, value] of [
    ['RetryBackOffWaitMinimum', 0.02],
    ['RetryBackOffRandomRange', 0],
    ['RetryBackOffRepeatTimes', 4],
    ['MessageTimeout', 0.6],
    ['WebSocketPingInterval', 60],
  ] as const)
    host.settings.set(name, value);
  const log = rememberingLog();
  const watched: typeof log = {
    ...log,
    warn: (fields, message) => {
      log.warn(fields, message);
      changes.happened();
    },
  };
  const context = { clock: realClock, log: watched };
  const events = host.events;
  const up = () => events.filter((event) => event.startsWith('up')).length;
  const csms = csmsOf('1.6', url);
  const link = openOcpp16Csms(csms, host, context, dialCsms(csms, host, context), { aliases: aliasTable() });
  const linkUp = host.linkUp.bind(host);
  host.linkUp = (booted) => {
    linkUp(booted);
    changes.happened();
  };
  t.teardown(() => link.stop());
  link.start();
  const refusals = () =>
    log.lines.filter(({ message }) => message === 'No link to the CSMS').map(({ fields }) => fields);
  return { link, host, up, refusals, log };
}

const status = { type: 'status', connector: view() } as const;

void t.test(
  'a half-open link is noticed by the first CALL, long before its time-out, and costs no attempt',
  async (t) => {
    const changes = new Changes();
    const csms = await openCsms(t, changes, { current: usual });
    const cable = await Cable.lay(csms.port);
    t.teardown(() => cable.remove());
    const { link, up, host } = openLink(t, changes, `ws://127.0.0.1:${cable.port}`);
    host.settings.set('MessageTimeout', 1.5);
    await changes.until('the link', () => up() === 1);
    cable.goDead();
    const begun = performance.now();
    const outcome = await link.deliver(transaction());
    t.match(outcome, { kind: 'unsent', underWay: true });
    t.ok(performance.now() - begun < 1400, `after ${Math.round(performance.now() - begun)} ms`);
    cable.mend();
    await changes.until('the next link', () => up() === 2);
    t.match(await link.deliver(transaction()), { kind: 'answered', state: { csmsTransactionId: 113 } });
    t.equal(csms.actions.filter((action) => action === 'BootNotification').length, 1);
  },
);

void t.test('a CSMS that is slow and there keeps its link; a late answer is told', async (t) => {
  const changes = new Changes();
  const answer = { current: usual };
  const csms = await openCsms(t, changes, answer);
  const { link, up } = openLink(t, changes, `ws://127.0.0.1:${csms.port}`);
  await changes.until('the link', () => up() === 1);
  const after = (ms: number): Answer => {
    return (socket, id, action) => realClock.after(milliseconds(ms), () => usual(socket, id, action));
  };
  answer.current = after(500);
  t.match(await link.deliver(transaction()), { kind: 'answered' }, 'just in time');
  answer.current = after(700);
  const outcome = await link.deliver(transaction());
  t.match(outcome, { kind: 'refused', unanswered: true });
  const late: DeliveryOutcome | undefined = outcome.kind === 'refused' ? await outcome.late : undefined;
  t.match(late, { kind: 'answered', state: { csmsTransactionId: 113 } }, 'just too late');
  answer.current = (socket, id, action) => {
    usual(socket, id, action);
    say(socket, 3, id, { transactionId: 9, idTagInfo: { status: 'Blocked' } });
    say(socket, 4, id, 'InternalError', 'twice', {});
  };
  t.match(await link.deliver(transaction()), { state: { csmsTransactionId: 113 } }, 'the first of two answers counts');
  t.equal(up(), 1, 'on one link');
});

void t.test('a Boot that is always answered a little too late is accepted all the same', async (t) => {
  const changes = new Changes();
  const slow: Answer = (socket, id, action) => realClock.after(milliseconds(700), () => usual(socket, id, action));
  const csms = await openCsms(t, changes, { current: slow });
  const { up, host, link } = openLink(t, changes, `ws://127.0.0.1:${csms.port}`);
  host.settings.set('RetryBackOffWaitMinimum', 1);
  await changes.until('the link', () => up() === 1);
  t.ok(link.accepted);
});

void t.test('a link that comes and goes: one Boot, and less and less often', async (t) => {
  const changes = new Changes();
  const answer: { current: Answer } = {
    current: (socket, id, action) => {
      usual(socket, id, action);
      realClock.after(milliseconds(5), () => socket.terminate());
    },
  };
  const csms = await openCsms(t, changes, answer);
  csms.server.on('connection', (socket) => {
    if (csms.sockets.length > 1) realClock.after(milliseconds(5), () => socket.terminate());
  });
  const { refusals } = openLink(t, changes, `ws://127.0.0.1:${csms.port}`);
  await changes.until('some links', () => refusals().length >= 5);
  t.same(
    refusals()
      .slice(0, 5)
      .map(({ retryAfter }) => retryAfter),
    [20, 40, 80, 160, 320],
  );
  t.equal(csms.actions.filter((action) => action === 'BootNotification').length, 1);
});

void t.test('a CSMS that closes after each message gets them all', async (t) => {
  const changes = new Changes();
  const answer: { current: Answer } = { current: usual };
  const csms = await openCsms(t, changes, answer);
  const { link, up, host } = openLink(t, changes, `ws://127.0.0.1:${csms.port}`);
  host.settings.set('RetryBackOffRepeatTimes', 0);
  await changes.until('the link', () => up() === 1);
  answer.current = (socket, id, action) => {
    usual(socket, id, action);
    socket.close(1000);
  };
  for (let n = 1; n <= 4; n++) {
    await changes.until('a link', () => up() === n && link.accepted);
    t.match(await link.deliver(transaction({ n })), { kind: 'answered' });
    await changes.until('its end', () => host.events.filter((event) => event.startsWith('down')).length === n);
  }
});

void t.test('nonsense of every kind is answered or ignored, and the link goes on', async (t) => {
  const changes = new Changes();
  const answer: { current: Answer } = { current: usual };
  const csms = await openCsms(t, changes, answer);
  const { link, up, host, log } = openLink(t, changes, `ws://127.0.0.1:${csms.port}`);
  await changes.until('the link', () => up() === 1);
  const nonsense: readonly ((socket: WebSocket, id: string) => void)[] = [
    (socket) => socket.send('not JSON'),
    (socket) => socket.send('{"an":"object"}'),
    (socket) => socket.send('null'),
    (socket) => socket.send(''),
    (socket) => say(socket, 3, 'unknown', {}),
    (socket) => say(socket, 4, 'unknown', 'InternalError', '', {}),
    (socket) => say(socket, 5, 'a', {}),
    (socket) => say(socket, 2, 'b', 'Unlock', {}),
    (socket) => say(socket, 2, 'c', 'Reset', { type: 'Perhaps' }),
    (socket) => socket.send(Buffer.from([0xff, 0xfe, 0x00])),
    (socket, id) => socket.send(Buffer.from(JSON.stringify([3, id, RESULTS['StartTransaction']]))),
    (socket, id) => {
      const text = JSON.stringify([3, id, RESULTS['StartTransaction']]);
      socket.send(text.slice(0, 10), { fin: false });
      socket.send(text.slice(10), { fin: true });
    },
  ];
  for (const [index, each] of nonsense.entries()) {
    answer.current = (socket, id, action) => {
      each(socket, id);
      if (index < nonsense.length - 2) usual(socket, id, action);
    };
    t.match(await link.deliver(transaction({ n: index })), { kind: 'answered', state: { csmsTransactionId: 113 } });
  }
  const odd: readonly (readonly [unknown, unknown])[] = [
    [{ idTagInfo: { status: 'Accepted' } }, { kind: 'refused' }],
    [{ status: 'Accepted' }, { kind: 'refused' }],
    [{ transactionId: 'one', idTagInfo: { status: 'Accepted' } }, { kind: 'refused' }],
    [{ transactionId: 0, idTagInfo: { status: 'Accepted' } }, { state: { csmsTransactionId: 0 } }],
    [{ transactionId: -7, idTagInfo: { status: 'Accepted' } }, { state: { csmsTransactionId: -7 } }],
    [{ transactionId: 0, idTagInfo: { status: 'Invalid' } }, { state: { csmsTransactionId: 0, rejected: true } }],
  ];
  for (const [payload, outcome] of odd) {
    answer.current = (socket, id) => say(socket, 3, id, payload);
    t.match(await link.deliver(transaction()), outcome, JSON.stringify(payload));
  }
  for (const code of [
    'NotImplemented',
    'NotSupported',
    'InternalError',
    'ProtocolError',
    'FormationViolation',
    'PropertyConstraintViolation',
    'OccurenceConstraintViolation',
    'TypeConstraintViolation',
    'GenericError',
    'Whatever',
    '',
  ]) {
    answer.current = (socket, id) => say(socket, 4, id, code, 'why', {});
    t.match(await link.deliver(transaction()), { kind: 'refused', reason: /: why$/ }, code);
  }
  t.equal(up(), 1, 'on one link');
  answer.current = (socket) => socket.send(`[3,"x",{"a":"${'x'.repeat(300_000)}"}]`);
  t.match(await link.deliver(transaction()), { kind: 'unsent', underWay: true }, 'a huge frame ends it');
  answer.current = usual;
  await changes.until('the next link', () => up() === 2);
  t.match(await link.deliver(transaction()), { kind: 'answered' });
  t.ok(log.lines.every(({ level }) => level !== 'error'));
  t.same(host.commands, [], 'nothing of it was taken for a command');
});

void t.test('CALLs before Boot is accepted, while ours is outstanding, and in a flood', async (t) => {
  const changes = new Changes();
  const heard: unknown[] = [];
  const answer: { current: Answer } = {
    current: (socket, id, action) => {
      if (heard.length === 0) say(socket, 2, 'early', 'Reset', { type: 'Soft' });
      socket.once('message', () => usual(socket, id, action));
    },
  };
  const csms = await openCsms(t, changes, answer);
  csms.server.on('connection', (socket) =>
    socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as unknown[];
      if (frame[0] !== 2) heard.push(frame);
      changes.happened();
    }),
  );
  const { link, up, host } = openLink(t, changes, `ws://127.0.0.1:${csms.port}`);
  await changes.until('the link', () => up() === 1);
  t.same(heard, [[3, 'early', { status: 'Rejected' }]], 'Boot was not answered yet');
  t.same(host.commands, []);
  answer.current = (socket, id, action) => {
    say(socket, 2, 'crossing', 'Reset', { type: 'Soft' });
    socket.once('message', () => usual(socket, id, action));
  };
  t.match(await link.deliver(status), { kind: 'answered' }, 'ours is answered after theirs');
  t.same(heard.at(-1), [3, 'crossing', { status: 'Accepted' }]);
  answer.current = usual;
  const socket = csms.sockets.at(-1);
  for (let n = 0; n < 1000; n++) if (socket) say(socket, 2, `flood-${n}`, 'ClearCache', {});
  await changes.until('an end of it', () => heard.length >= 1002 || up() === 2);
  await changes.until('a link', () => link.accepted);
  t.match(await link.deliver(status), { kind: 'answered' }, 'and life goes on');
});

async function listen(t: Test, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return (server.address() as { port: number }).port;
}

void t.test('HTTP refusals are told by their number, and Retry-After is kept to', async (t) => {
  const changes = new Changes();
  let refusal: readonly [status: number, retryAfter?: string] = [401];
  const refuse: RequestListener = (_, response) => response.end();
  const server = createServer(refuse);
  server.on('upgrade', (_: IncomingMessage, socket) => {
    const [code, retryAfter] = refusal;
    socket.end(
      `HTTP/1.1 ${code} No\r\nContent-Length: 0\r\n${retryAfter === undefined ? '' : `Retry-After: ${retryAfter}\r\n`}\r\n`,
    );
  });
  const port = await listen(t, server);
  const site = { url: `ws://127.0.0.1:${port}`, identity: 'SITE', version: 'ocpp1.6' } as const;
  for (const code of [401, 403, 404, 429, 503]) {
    refusal = [code, '7'];
    t.match(await dialTest(site), { ok: false, reason: 'refused', status: code, retryAfter: 7000 });
  }
  refusal = [503, new Date(Date.now() + 90_000).toUTCString()];
  const dated = await dialTest(site);
  if (dated.ok || dated.reason !== 'refused') throw new Error('not refused');
  t.ok(Math.abs((dated.retryAfter ?? 0) - 90_000) < 2000, 'as a date');
  for (const odd of ['soon', '-5', new Date(0).toUTCString()]) {
    refusal = [503, odd];
    const outcome = await dialTest(site);
    t.ok(!outcome.ok && outcome.reason === 'refused' && (outcome.retryAfter ?? 0) === 0, odd);
  }
  refusal = [503, '0'];
  const { refusals } = openLink(t, changes, site.url);
  await changes.until('two refusals', () => refusals().length >= 2);
  t.match(refusals()[0], { fault: 'FC-C02', reason: 'HTTP 503 No', retryAfter: 20 });
  refusal = [503, '3600000'];
  await changes.until('a longer wait', () => refusals().at(-1)?.['retryAfter'] === 3_600_000);
});

void t.test('no subprotocol, another one, a door that opens for ever, TLS that does not hold', async (t) => {
  const changes = new Changes();
  for (const chosen of [false, 'ocpp9.9'] as const) {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => chosen });
    await new Promise((resolve) => server.once('listening', resolve));
    t.teardown(() => server.close());
    const { port } = server.address() as { port: number };
    t.match(await dialTest({ url: `ws://127.0.0.1:${port}`, identity: 'S', version: 'ocpp1.6' }), {
      reason: 'unreachable',
      detail: /subprotocol/,
    });
  }
  const dripping = createTcpServer((socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nX: ');
    const stop = realClock.every(milliseconds(10), () => socket.write('x'));
    socket.on('error', stop);
    socket.on('close', stop);
  });
  const door = `ws://127.0.0.1:${await listen(t, dripping)}`;
  const begun = performance.now();
  t.match(await dialTest({ url: door, identity: 'S', version: 'ocpp1.6', handshakeTimeout: milliseconds(100) }), {
    reason: 'unreachable',
  });
  t.ok(performance.now() - begun < 3000);

  const pem = readFileSync('test/peers/expired-certificate.pem', 'utf8');
  const expired = await listen(t, createTlsServer({ key: pem, cert: pem }));
  const site = { identity: 'S', version: 'ocpp1.6' } as const;
  t.match(await dialTest({ ...site, url: `wss://localhost:${expired}`, tls: { ca: pem } }), {
    reason: 'untrusted',
    detail: /expired/,
  });
  const strict = await listen(
    t,
    createTlsServer({ key: pem, cert: pem, minVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256' }),
  );
  t.match(
    await dialTest({ ...site, url: `wss://127.0.0.1:${strict}` }),
    { reason: 'untrusted' },
    'nobody knows who signed it',
  );
  const plain = await listen(t, createServer());
  t.match(await dialTest({ ...site, url: `wss://127.0.0.1:${plain}` }), { reason: 'untrusted' }, 'no TLS at all');
  const { refusals } = openLink(t, changes, `wss://localhost:${expired}`);
  await changes.until('attempts that go on', () => refusals().length >= 3);
  t.match(refusals()[2], { fault: 'FC-C04' });
});

void t.test('a name that is not found, and found again at another address', async (t) => {
  const changes = new Changes();
  const answer = { current: usual };
  const csms = await openCsms(t, changes, answer);
  const usualLookup = dns.lookup;
  let address: string | undefined;
  const lookup = (name: string, ...rest: readonly unknown[]): unknown => {
    if (name !== 'csms.test') return Reflect.apply(usualLookup, dns, [name, ...rest]);
    const done = rest.at(-1) as (...result: unknown[]) => void;
    if (address === undefined) return done(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }));
    const { all } = rest[0] as { all?: boolean };
    return all === true ? done(null, [{ address, family: 4 }]) : done(null, address, 4);
  };
  dns.lookup = lookup as unknown as typeof dns.lookup;
  t.teardown(() => (dns.lookup = usualLookup));
  const { up, refusals, link } = openLink(t, changes, `ws://csms.test:${csms.port}`);
  await changes.until('a refusal', () => refusals().length >= 2);
  t.match(refusals()[0], { fault: 'FC-C02', reason: /ENOTFOUND/ });
  address = '127.0.0.1';
  await changes.until('the link', () => up() === 1);
  address = undefined;
  csms.sockets.at(-1)?.terminate();
  await changes.until('a refusal again', () => refusals().length >= 4);
  // Nobody listens at the old address any more.
  csms.server.close();
  const moved = new WebSocketServer({ port: csms.port, host: '127.0.0.2' });
  t.teardown(() => moved.close());
  let met = false;
  moved.on('connection', () => (met = true));
  address = '127.0.0.2';
  await changes.until('the link', () => up() === 2 && link.accepted);
  await changes.until('the other address', () => met);
  for (const socket of moved.clients) socket.terminate();
});
