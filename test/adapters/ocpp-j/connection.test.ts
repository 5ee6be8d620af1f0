// One connection on a real socket: hostile frames, order, priorities, one CALL at a time, time-outs, silence.
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { WebSocket, type RawData } from 'ws';
import { milliseconds } from '../../../gateway/kernel/units.js';
import type { CallAnswer, OcppVersion } from '../../../adapters/ocpp-j/contract.js';
import { defaultFrameLimits } from '../../../adapters/ocpp-j/frame.js';
import { dialTest, realClock, startServer, type TestServer } from './rig.js';

/** A charger that says exactly what it is told to, and hears frames one by one. */
class RawCharger {
  readonly socket: WebSocket;
  readonly #frames: unknown[] = [];
  readonly #waiting: ((frame: unknown) => void)[] = [];

  constructor(url: string, version: OcppVersion = 'ocpp1.6', identity = 'CP1') {
    this.socket = new WebSocket(`${url}/${identity}`, [version]);
    this.socket.on('message', (data: RawData) => {
      const frame: unknown = JSON.parse((data as Buffer).toString());
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#frames.push(frame);
      else waiting(frame);
    });
    this.socket.on('error', () => undefined);
  }

  async opened(): Promise<this> {
    await once(this.socket, 'open');
    return this;
  }

  say(...frames: (string | readonly unknown[])[]): void {
    for (const frame of frames) this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  /** Frames that came and that nobody has asked for yet. */
  get unheard(): number {
    return this.#frames.length;
  }

  hear(): Promise<unknown> {
    return this.#frames.length > 0
      ? Promise.resolve(this.#frames.shift())
      : new Promise((resolve) => this.#waiting.push(resolve));
  }

  async closed(): Promise<number> {
    const [code]: unknown[] = await once(this.socket, 'close');
    return Number(code);
  }
}

async function pair(
  t: Test,
  version: OcppVersion = 'ocpp1.6',
  more: Parameters<typeof startServer>[1] = {},
): Promise<{ rig: TestServer; charger: RawCharger }> {
  const rig = await startServer(undefined, more);
  const charger = await new RawCharger(rig.url, version).opened();
  t.teardown(() => {
    charger.socket.terminate();
    return rig.server.close();
  });
  return { rig, charger };
}

const heartbeat = (id: string): readonly unknown[] => [2, id, 'Heartbeat', {}];

void t.test('hostile frames get the right answer, and the connection lives on', async (t) => {
  const long = 'x'.repeat(37);
  const cases: readonly [OcppVersion, string, readonly unknown[] | undefined][] = [
    ['ocpp1.6', '[2,"1","Heartbeat",{', [4, '1', 'FormationViolation']],
    ['ocpp2.0.1', '[2,"1","Heartbeat",{', [4, '1', 'RpcFrameworkError']],
    ['ocpp2.0.1', '{"a"', [4, '-1', 'RpcFrameworkError']],
    ['ocpp1.6', '{"a"', undefined],
    ['ocpp1.6', '', undefined],
    ['ocpp1.6', '[3,"nobody",{}]', undefined],
    ['ocpp1.6', '[4,"nobody","Whatever","",{}]', undefined],
    ['ocpp2.0.1', '[5,"1","X",{}]', [4, '1', 'MessageTypeNotSupported']],
    ['ocpp2.0.1', '[6,"1","X",{}]', [4, '1', 'MessageTypeNotSupported']],
    ['ocpp1.6', '[5,"1","X",{}]', [4, '1', 'GenericError']],
    ['ocpp1.6', '[2,"1","Brew",{}]', [4, '1', 'NotImplemented']],
    ['ocpp1.6', '[2,"1","__proto__",{}]', [4, '1', 'NotImplemented']],
    ['ocpp1.6', '[2,"1","Heartbeat",[]]', [4, '1', 'FormationViolation']],
    ['ocpp2.0.1', '[2,"1","Heartbeat",7]', [4, '1', 'FormatViolation']],
    ['ocpp1.6', '[2,"1","StartTransaction",{"connectorId":1}]', [4, '1', 'OccurenceConstraintViolation']],
    ['ocpp2.0.1', '[2,"1","BootNotification",{"reason":"PowerUp"}]', [4, '1', 'OccurrenceConstraintViolation']],
    ['ocpp1.6', '[2,"1","Authorize",{"idTag":{}}]', [4, '1', 'TypeConstraintViolation']],
    ['ocpp1.6', `[2,"1","Authorize",{"idTag":"${long}"}]`, [4, '1', 'PropertyConstraintViolation']],
    ['ocpp1.6', `[2,"${long}","Heartbeat",{}]`, [3, long]],
    ['ocpp1.6', '[2,"\\"","Heartbeat"]', [3, '"']],
    ['ocpp1.6', '[2,"1","Heartbeat",null]', [3, '1']],
    ['ocpp1.6', `[2,"1","DataTransfer",${'['.repeat(100_000)}`, [4, '1', 'FormationViolation']],
    [
      'ocpp1.6',
      '[2,"1","MeterValues",{"connectorId":1,"transactionId":,"meterValue":[{"timestamp":"2026-01-01T00:00:00","sampledValue":[]}]}]',
      [3, '1'],
    ],
  ];
  for (const version of ['ocpp1.6', 'ocpp2.0.1'] as const) {
    const { rig, charger } = await pair(t, version);
    let n = 0;
    for (const [of, text, answer] of cases) {
      if (of !== version) continue;
      const probe = `probe ${n++}`;
      charger.say(text, heartbeat(probe));
      if (answer !== undefined) t.match(await charger.hear(), answer, text.slice(0, 70));
      t.match(await charger.hear(), [3, probe], `the connection lives after ${text.slice(0, 70)}`);
    }
    t.equal(rig.log.lines.filter(({ level }) => level === 'error').length, 0);
    t.notMatch(JSON.stringify(rig.log.lines), long, 'no value of a frame is logged');
  }
});

void t.test('a frame beyond the limit ends the connection, a stream of rubbish too', async (t) => {
  const { charger } = await pair(t);
  charger.say(`[2,"1","DataTransfer",{"vendorId":"${'x'.repeat(defaultFrameLimits.length)}"}]`);
  t.equal(await charger.closed(), 1009);

  const { charger: babbler } = await pair(t);
  for (let i = 0; i < 200; i++) babbler.say('rubbish');
  t.equal(await babbler.closed(), 1008);
});

void t.test('repairs are logged once a station and counted, and can be switched off', async (t) => {
  const { rig, charger } = await pair(t);
  const broken = (id: string): readonly unknown[] => [
    2,
    id,
    'StatusNotification',
    { connectorId: 1, errorCode: 'Error', status: 'Faulted' },
  ];
  charger.say(broken('1'), broken('2'));
  t.match(await charger.hear(), [3, '1', {}]);
  t.match(await charger.hear(), [3, '2', {}]);
  t.match(rig.calls[1]?.payload, { errorCode: 'OtherError' });
  t.equal(rig.calls[1]?.text, JSON.stringify(broken('2')), 'the frame as it came');
  t.equal(rig.log.lines.filter(({ message }) => message === 'frame repaired').length, 1);
  t.same([...(rig.server.quirks.get('CP1')?.counts ?? [])], [['unknown error code', 2]]);

  const strict = await startServer(({ identity }) => ({ ok: true, station: identity, proven: true, repair: false }));
  const refused = await new RawCharger(strict.url).opened();
  t.teardown(() => strict.server.close());
  refused.say(broken('1'), '[2,"2","Heartbeat",]');
  t.match(await refused.hear(), [4, '1', 'PropertyConstraintViolation']);
  t.match(await refused.hear(), [4, '2', 'FormationViolation']);
  refused.socket.terminate();
});

void t.test('CALLs are handled one at a time, in order, and no more than the bound may wait', async (t) => {
  let busy = 0;
  let most = 0;
  let block: Promise<void> = Promise.resolve();
  const { rig, charger } = await pair(t, 'ocpp1.6', {
    handler: async () => {
      most = Math.max(most, ++busy);
      await block;
      busy--;
      return { kind: 'result', payload: { currentTime: '2026-01-01T00:00:00Z' } };
    },
  });
  const ids = Array.from({ length: 100 }, (_, n) => String(n));
  charger.say(...ids.map(heartbeat));
  const heard: unknown[] = [];
  for (const _ of ids) heard.push(await charger.hear());
  t.same(
    heard.map((frame) => (Array.isArray(frame) ? frame[1] : undefined)),
    ids,
  );
  t.equal(most, 1);
  t.equal(rig.calls.length, 100);

  let release: () => void = () => undefined;
  block = new Promise((resolve) => (release = resolve));
  charger.say(heartbeat('a'), heartbeat('a'), heartbeat('b'));
  while (rig.calls.length < 101) await new Promise(setImmediate);
  release();
  t.match(await charger.hear(), [3, 'a']);
  t.match(await charger.hear(), [3, 'b'], 'a repetition of the CALL at hand is answered once');

  block = new Promise((resolve) => (release = resolve));
  charger.say(...Array.from({ length: 200 }, (_, n) => heartbeat(`flood ${n}`)));
  t.equal(await charger.closed(), 1008);
  release();
  t.same(rig.closed, [{ identity: 'CP1', code: 1008 }]);
});

void t.test('a handler that fails or answers nonsense becomes InternalError', async (t) => {
  const outcomes: (() => Promise<CallAnswer>)[] = [
    () => Promise.reject(new Error('disk full')),
    () => {
      throw new Error('at once');
    },
    () => Promise.resolve({ kind: 'result', payload: { currentTime: 'noon' } }),
    () => Promise.resolve({ kind: 'error', code: 'SecurityError', description: 'not you' }),
    () =>
      Promise.resolve({
        kind: 'result',
        payload: { currentTime: '2026-01-01T00:00:00Z' },
        afterwards: () => {
          throw new Error('afterwards');
        },
      }),
  ];
  const { rig, charger } = await pair(t, 'ocpp2.0.1', {
    handler: () => (outcomes.shift() ?? (() => Promise.reject(new Error('too many'))))(),
  });
  charger.say(...['1', '2', '3', '4', '5'].map(heartbeat));
  t.match(await charger.hear(), [4, '1', 'InternalError']);
  t.match(await charger.hear(), [4, '2', 'InternalError']);
  t.match(await charger.hear(), [4, '3', 'InternalError']);
  t.match(await charger.hear(), [4, '4', 'SecurityError', 'not you']);
  t.match(await charger.hear(), [3, '5']);
  t.equal(rig.log.lines.filter(({ level }) => level === 'error').length, 4);
  t.ok(rig.log.lines.some(({ fields }) => fields.fault === 'FC-P01'));
});

void t.test('what follows an answer runs after it has left', async (t) => {
  const { rig, charger } = await pair(t, 'ocpp1.6', {
    handler: () =>
      Promise.resolve({
        kind: 'result',
        payload: { currentTime: '2026-01-01T00:00:00Z' },
        afterwards: () => void rig.accepted[0]?.connection.call('ClearCache', {}, { timeout: 1000 }),
      }),
  });
  charger.say(heartbeat('1'));
  t.match(await charger.hear(), [3, '1']);
  t.match(await charger.hear(), [2, /.{36}/, 'ClearCache', {}]);
});

void t.test('our CALLs leave one at a time, by priority, and every outcome is told', async (t) => {
  const { rig, charger } = await pair(t);
  const { connection } = await rig.nth(0);
  const call = (key: string, priority?: number, timeout = 5000) =>
    connection.call('GetConfiguration', { key: [key] }, priority === undefined ? { timeout } : { timeout, priority });
  const answer = { unknownKey: ['x'] };
  const outcomes = [call('first'), call('low', 5), call('normal'), call('urgent', 0), call('normal 2')];
  const order: unknown[] = [];
  for (let n = 0; n < 5; n++) {
    const frame = await charger.hear();
    if (!Array.isArray(frame)) throw new Error('no frame');
    order.push(frame[3]);
    // Whatever was sent too early would arrive before the pong.
    charger.socket.ping();
    await once(charger.socket, 'pong');
    t.equal(charger.unheard, 0, 'one outstanding');
    charger.say([3, frame[1], answer]);
  }
  t.same(
    order,
    ['first', 'urgent', 'normal', 'normal 2', 'low'].map((key) => ({ key: [key] })),
  );
  t.same(new Set((await Promise.all(outcomes)).map(({ kind }) => kind)), new Set(['result']));

  const reply = async (rest: (id: unknown) => readonly unknown[]): Promise<void> => {
    const frame = await charger.hear();
    if (Array.isArray(frame)) charger.say(rest(frame[1]));
  };
  const failing = call('error');
  await reply((id) => [4, id, 'OccurenceConstraintViolation', 'why', {}]);
  t.same(await failing, { kind: 'error', code: 'OccurrenceConstraintViolation', description: 'why' });

  const invalid = connection.call('ClearCache', {}, { timeout: 5000 });
  await reply((id) => [3, id, { status: 'Perhaps' }]);
  t.match(await invalid, { kind: 'invalid' });

  const mended = connection.call('ClearCache', {}, { timeout: 5000 });
  await reply((id) => [3, id, { status: 'accepted', vendor: null }]);
  t.same(await mended, { kind: 'result', payload: { status: 'Accepted' } });

  t.match(await connection.call('ClearCache', { stray: 1 }, { timeout: 5000 }), { kind: 'invalid' });
  t.match(await connection.call('Brew', {}, { timeout: 5000 }), { kind: 'invalid' });

  const late = call('late', 1, 20);
  const lateFrame = await charger.hear();
  t.same(await late, { kind: 'timeout' });
  const next = call('next');
  if (Array.isArray(lateFrame)) charger.say([3, lateFrame[1], { unknownKey: ['late'] }]);
  await reply((id) => [3, id, answer]);
  t.same(await next, { kind: 'result', payload: answer }, 'a late answer is nobody else’s');

  const lost = [call('sent'), call('waiting')];
  await charger.hear();
  charger.socket.terminate();
  t.same(await Promise.all(lost), [
    { kind: 'closed', sent: true },
    { kind: 'closed', sent: false },
  ]);
  t.equal(connection.open, false);
  t.same(await call('too late'), { kind: 'closed', sent: false });
});

void t.test('a silent peer is given up, one that answers pings is not', async (t) => {
  const { rig, charger } = await pair(t, 'ocpp1.6', { pingInterval: milliseconds(40) });
  await once(charger.socket, 'ping');
  await once(charger.socket, 'ping');
  await once(charger.socket, 'ping');
  t.equal(rig.closed.length, 0);
  charger.socket.pause();
  const ended = await new Promise((resolve) => {
    const stop = realClock.every(milliseconds(5), () => {
      if (rig.closed.length === 0) return;
      stop();
      resolve(rig.closed[0]);
    });
  });
  t.same(ended, { identity: 'CP1', code: 1006 });
});

void t.test('the trace sees every frame', async (t) => {
  const seen: string[] = [];
  const { charger } = await pair(t, 'ocpp1.6', {
    trace: (identity) => (direction, text) => seen.push(`${identity} ${direction} ${text}`),
  });
  charger.say('[2,"1","Heartbeat",{}]');
  await charger.hear();
  t.same(seen, ['CP1 in [2,"1","Heartbeat",{}]', 'CP1 out [3,"1",{"currentTime":"2026-01-01T00:00:00.000Z"}]']);
});

void t.test('the client compresses, signs in, and says why it could not connect', async (t) => {
  const key = '00112233445566778899aabbccddeeff';
  const seen: string[] = [];
  const rig = await startServer(({ identity, credentials }) => {
    seen.push(credentials?.toString('latin1') ?? '');
    return identity === 'SITE' ? { ok: true, station: identity, proven: true } : { ok: false, status: 404 };
  });
  t.teardown(() => rig.server.close());
  const site = { url: `${rig.url}/`, identity: 'SITE', version: 'ocpp1.6' } as const;
  const dialled = await dialTest({ ...site, password: key });
  if (!dialled.ok) throw new Error(dialled.detail);
  t.equal(seen[0], `SITE:${Buffer.from(key, 'hex').toString('latin1')}`);
  t.match(await dialled.connection.call('Heartbeat', {}, { timeout: 5000 }), { kind: 'result' });
  dialled.connection.close(1000, 'done');

  t.match(await dialTest({ ...site, identity: 'OTHER' }), { ok: false, reason: 'refused', status: 404 });
  t.match(await dialTest({ ...site, url: 'ws://127.0.0.1:1' }), { ok: false, reason: 'unreachable' });
  t.match(await dialTest({ ...site, url: 'no url' }), { ok: false, reason: 'unreachable' });
  t.match(await dialTest({ ...site, signal: AbortSignal.abort() }), { ok: false, reason: 'unreachable' });
});
