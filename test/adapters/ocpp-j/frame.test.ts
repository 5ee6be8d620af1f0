// The parts of the wire that are plain functions: frames, broken JSON, error codes, queue, back-off, credentials, limits.
import fc from 'fast-check';
import t from 'tap';
import type { Clock } from '../../../gateway/kernel/clock.js';
import { milliseconds, timestamp } from '../../../gateway/kernel/units.js';
import { AttemptLimit } from '../../../adapters/ocpp-j/attempt-limit.js';
import { reconnectWaits } from '../../../adapters/ocpp-j/backoff.js';
import { mendJson } from '../../../adapters/ocpp-j/broken-json.js';
import { CallQueue } from '../../../adapters/ocpp-j/call-queue.js';
import { basicHeader, credentialsFrom, credentialsMatch } from '../../../adapters/ocpp-j/credentials.js';
import { isDateTime } from '../../../adapters/ocpp-j/date-time.js';
import { errorCodeFrom, errorLiteral } from '../../../adapters/ocpp-j/error-codes.js';
import { formatCall, formatError, formatResult, parseFrame } from '../../../adapters/ocpp-j/frame.js';
import { shortMessageIds, uuidMessageIds } from '../../../adapters/ocpp-j/message-ids.js';
import { chooseSubprotocol } from '../../../adapters/ocpp-j/subprotocol.js';
import { requestedIdentity } from '../../../adapters/ocpp-j/upgrade.js';

void t.test('no text makes the frame parser throw', (t) => {
  const frameLike = fc
    .tuple(fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), fc.jsonValue())
    .map((parts) => JSON.stringify(parts));
  const cut = fc.tuple(frameLike, fc.nat(200)).map(([text, at]) => text.slice(0, at));
  const kinds = ['call', 'result', 'error', 'bad'];
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json(), frameLike, cut), (text) => {
      const { kind } = parseFrame(text);
      return kinds.includes(kind);
    }),
    { numRuns: 500 },
  );
  t.end();
});

void t.test('what we write, we read back', (t) => {
  const id = fc.uuid();
  const payload = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }));
  const limits = { length: 1e6, depth: 50 };
  const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
  fc.assert(
    fc.property(id, payload, fc.string(), (id, payload, description) => {
      t.same(parseFrame(formatCall(id, 'DataTransfer', payload), limits), {
        kind: 'call',
        id,
        action: 'DataTransfer',
        payload: plain(payload),
      });
      t.same(parseFrame(formatResult(description.slice(0, 36) || '"', payload), limits), {
        kind: 'result',
        id: description.slice(0, 36) || '"',
        payload: plain(payload),
      });
      t.match(parseFrame(formatError(id, 'GenericError', description), limits), { kind: 'error', id, description });
    }),
    { numRuns: 50 },
  );
  t.end();
});

void t.test('frames that are none say so, with the id where it can be read', (t) => {
  const cases: readonly [string, string, string | undefined][] = [
    ['', 'RpcFrameworkError', undefined],
    ['[2,"7","Heartbeat",{', 'RpcFrameworkError', '7'],
    ['[3,"7",{', 'RpcFrameworkError', undefined],
    ['{}', 'RpcFrameworkError', undefined],
    ['null', 'RpcFrameworkError', undefined],
    ['[]', 'RpcFrameworkError', undefined],
    ['[2,7,"Heartbeat",{}]', 'RpcFrameworkError', undefined],
    ['[2,"","Heartbeat",{}]', 'RpcFrameworkError', undefined],
    [`[2,"${'x'.repeat(256)}","Heartbeat",{}]`, 'RpcFrameworkError', undefined],
    ['[2,"7",5,{}]', 'RpcFrameworkError', '7'],
    ['["2","7","Heartbeat",{}]', 'RpcFrameworkError', '7'],
    ['[5,"7","X",{}]', 'MessageTypeNotSupported', '7'],
    ['[6,"7","X",{}]', 'MessageTypeNotSupported', '7'],
    [`[2,"7","DataTransfer",${'['.repeat(40)}${']'.repeat(40)}]`, 'FormatViolation', '7'],
    [`[2,"7","DataTransfer",{"data":"${'x'.repeat(300_000)}"}]`, 'FormatViolation', '7'],
  ];
  for (const [text, code, id] of cases) t.match(parseFrame(text), { kind: 'bad', code, id }, text.slice(0, 60));
  t.match(parseFrame(`[2,"${'x'.repeat(37)}","Heartbeat",{}]`), { kind: 'call' }, 'a 37 character id is read');
  const brackets = JSON.stringify([2, '7', 'DataTransfer', { data: '[{'.repeat(500) }]);
  t.match(parseFrame(brackets), { kind: 'call' }, 'brackets in a string are no nesting');
  const wide = JSON.stringify([2, '7', 'MeterValues', { list: Array.from({ length: 200 }, () => ({ a: [1] })) }]);
  t.match(parseFrame(wide), { kind: 'call' }, 'width is no depth');
  t.end();
});

void t.test('broken JSON is mended where the intention is plain', (t) => {
  const cases: readonly [string, unknown][] = [
    ['{"a":,"b":1}', { a: null, b: 1 }],
    ['{"a": }', { a: null }],
    ['{"a":1,}', { a: 1 }],
    ['[1,2, ]', [1, 2]],
    ['{"a":[{"b":,},],}', { a: [{ b: null }] }],
    ['{"a":":,","b":"\\",}"}', { a: ':,', b: '",}' }],
    ['{"a":1}\0\0', { a: 1 }],
  ];
  for (const [text, value] of cases) t.same(JSON.parse(mendJson(text)), value, text);
  fc.assert(
    fc.property(fc.json(), (text) => mendJson(text) === text),
    { numRuns: 200 },
  );
  const began = performance.now();
  mendJson('\\"'.repeat(130_000));
  mendJson('"\\'.repeat(130_000));
  mendJson(',}'.repeat(130_000));
  t.ok(performance.now() - began < 1000, 'hostile text takes linear time');
  t.end();
});

void t.test('times are RFC 3339 as Date reads it', (t) => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true }),
      fc.nat(30),
      (date, at) => {
        const text = date.toISOString();
        const spoilt = `${text.slice(0, at)}x${text.slice(at + 1)}`;
        return isDateTime(text) && !isDateTime(spoilt);
      },
    ),
  );
  for (const good of ['2024-02-29T23:59:59Z', '2026-01-01T00:00:00+05:30', '2026-01-01T00:00:00.123456789-11:00']) {
    t.ok(isDateTime(good) && !Number.isNaN(Date.parse(good)), good);
  }
  for (const wrong of [
    '',
    '2026-01-01',
    '2026-01-01T00:00:00',
    '2026-01-01T00:00:00+03',
    '2026-01-01T00:00:00+0300',
    '2026-01-01 00:00:00Z',
    '2023-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:00:60Z',
    '2026-01-01T00:00:00.Z',
    '2026-01-01T00:00:00Z ',
    '2026-01-01T00:00:00+24:00',
  ]) {
    t.notOk(isDateTime(wrong), wrong);
  }
  t.end();
});

void t.test('each version has its own spelling of errors, and every spelling is understood', (t) => {
  t.equal(errorLiteral('ocpp1.6', 'FormatViolation'), 'FormationViolation');
  t.equal(errorLiteral('ocpp1.6', 'OccurrenceConstraintViolation'), 'OccurenceConstraintViolation');
  t.equal(errorLiteral('ocpp2.0.1', 'FormatViolation'), 'FormatViolation');
  t.equal(errorLiteral('ocpp2.0.1', 'OccurrenceConstraintViolation'), 'OccurrenceConstraintViolation');
  for (const literal of ['FormationViolation', 'FormatViolation']) t.equal(errorCodeFrom(literal), 'FormatViolation');
  for (const literal of [
    'OccurenceConstraintViolation',
    'OccurrenceConstraintViolation',
    'occurrenceconstraintviolation',
  ])
    t.equal(errorCodeFrom(literal), 'OccurrenceConstraintViolation');
  t.equal(errorCodeFrom('Gibberish'), 'GenericError');
  t.equal(errorCodeFrom('__proto__'), 'GenericError');
  t.end();
});

void t.test('waiting calls leave by priority, then in order', (t) => {
  fc.assert(
    fc.property(fc.array(fc.nat(4), { maxLength: 50 }), (priorities) => {
      const queue = new CallQueue<[number, number]>();
      priorities.forEach((priority, n) => queue.push([priority, n], priority));
      const left: [number, number][] = [];
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) left.push(item);
      const expected = priorities
        .map((priority, n): [number, number] => [priority, n])
        .sort(([a, m], [b, n]) => a - b || m - n);
      return JSON.stringify(left) === JSON.stringify(expected) && queue.size === 0;
    }),
  );
  t.end();
});

void t.test('the wait before a reconnect doubles up to the limit and then stays', (t) => {
  const settings = { waitMinimum: milliseconds(1000), randomRange: milliseconds(400), repeatTimes: 3 };
  const taken = (random: () => number): number[] => {
    const waits = reconnectWaits(settings, random);
    return Array.from({ length: 6 }, () => waits.next().value);
  };
  t.same(
    taken(() => 0),
    [1000, 2000, 4000, 8000, 8000, 8000],
  );
  t.same(
    taken(() => 0.5),
    [1200, 2600, 5400, 11000, 11000, 11000],
  );
  t.end();
});

void t.test('message ids are unique and at most 36 characters', (t) => {
  const short = shortMessageIds();
  const ids = Array.from({ length: 2000 }, (_, n) => (n % 2 === 0 ? short() : uuidMessageIds()));
  t.equal(new Set(ids).size, ids.length);
  t.ok(ids.every((id) => id.length <= 36 && /^[\w-]+$/.test(id)));
  t.not(shortMessageIds()(), shortMessageIds()(), 'two connections do not share ids');
  t.end();
});

void t.test('Basic credentials match as text and as a 1.6 key', (t) => {
  const key = '0123456789abcdefFF00112233445566';
  const of = (user: string, password: Buffer | string): Buffer | undefined =>
    credentialsFrom(
      `Basic ${Buffer.concat([Buffer.from(`${user}:`), Buffer.from(password as string)]).toString('base64')}`,
    );
  t.ok(credentialsMatch(of('CP1', key), 'CP1', key), 'hex key sent as text');
  t.ok(credentialsMatch(of('CP1', Buffer.from(key, 'hex')), 'CP1', key), 'hex key sent as bytes');
  t.ok(credentialsMatch(of('CP1', 'pässword:with:colons'), 'CP1', 'pässword:with:colons'));
  t.ok(credentialsMatch(of('CP:1', 'a password of 2.0.1'), 'CP:1', 'a password of 2.0.1'));
  t.notOk(credentialsMatch(of('CP2', key), 'CP1', key), 'another identity');
  t.notOk(credentialsMatch(of('CP1', `${key}0`), 'CP1', key), 'another password');
  t.notOk(credentialsMatch(undefined, 'CP1', key));
  for (const header of [undefined, '', 'Basic', 'Bearer abc', 'Basic $$$']) t.equal(credentialsFrom(header), undefined);
  t.same(credentialsFrom(basicHeader('ocpp1.6', 'CP1', key)), of('CP1', Buffer.from(key, 'hex')));
  t.same(credentialsFrom(basicHeader('ocpp2.0.1', 'CP1', key)), of('CP1', key));
  t.same(credentialsFrom(basicHeader('ocpp1.6', 'CP1', 'deadbeef')), of('CP1', 'deadbeef'), 'too short for a key');
  t.end();
});

void t.test('the first subprotocol of the charger that we speak is taken', (t) => {
  t.same(chooseSubprotocol(['ocpp2.1', ' ocpp2.0.1', 'ocpp1.6']), { offered: 'ocpp2.0.1', version: 'ocpp2.0.1' });
  t.same(chooseSubprotocol(['OCPP1.6', 'ocpp2.0.1']), { offered: 'OCPP1.6', version: 'ocpp1.6' });
  t.equal(chooseSubprotocol(['ocpp1.5', '']), undefined);
  t.end();
});

void t.test('the identity is the last segment of the path', (t) => {
  t.equal(requestedIdentity('/a/b/CP%2001?x=/y'), 'CP 01');
  t.equal(requestedIdentity('/CP%2F1'), 'CP/1');
  for (const url of [undefined, '', '/', '/a/', '/%E0%A4%A', `/${'x'.repeat(256)}`]) {
    t.equal(requestedIdentity(url), undefined, url?.slice(0, 20) ?? 'none');
  }
  t.end();
});

void t.test('a flood is limited by address and by identity, for a window', (t) => {
  let now = 0;
  const clock: Clock = {
    now: () => timestamp(now),
    monotonic: () => milliseconds(now),
    after: () => () => undefined,
    every: () => () => undefined,
  };
  const limit = new AttemptLimit(clock, { perAddress: 3, perIdentity: 2, window: 60_000 });
  for (let i = 0; i < 50; i++) limit.failed('10.0.0.1', `guess ${i % 2}`);
  t.notOk(limit.allows('10.0.0.1', 'guess 0'), 'the address has to wait');
  t.notOk(limit.allows('10.0.0.1', 'CP2'), 'a stranger from there waits as well');
  t.ok(limit.allows('10.0.0.2', 'guess 0'), 'an address without failures may try the identity');
  limit.failed('10.0.0.2', 'guess 0');
  t.notOk(limit.allows('10.0.0.2', 'guess 0'), 'once');
  t.ok(limit.allows('10.0.0.2', 'CP3'));
  now = 60_000;
  t.ok(limit.allows('10.0.0.1', 'guess 0'), 'the window has passed');
  for (let i = 0; i < 30_000; i++) limit.failed(`address ${i}`, `identity ${i}`);
  t.ok(limit.allows('10.0.0.1', 'CP1'), 'the oldest are forgotten');
  t.end();
});
