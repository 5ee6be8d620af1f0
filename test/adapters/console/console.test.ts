// The console on a real socket: what is answered, who may ask, and what happens to a port that is taken.
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { connect, createServer, type AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { ConsoleClient } from '../../../adapters/console/client.js';
import { MOST_STREAMS } from '../../../adapters/console/event-streams.js';
import { openConsole } from '../../../adapters/console/server.js';
import { FAULTS } from '../../../gateway/kernel/faults.js';
import { timestamp } from '../../../gateway/kernel/units.js';
import { JournalUnavailable } from '../../../gateway/ports/journal.js';
import { FakeClock } from '../../fakes/fake-clock.js';
import { FakeSiteConsole } from '../../fakes/fake-site-console.js';
import { noUsers } from '../../fakes/fake-users.js';
import { recordingLog } from '../../fakes/recording-log.js';

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

async function open(t: Test, port = 0, page?: string) {
  const site = new FakeSiteConsole();
  const clock = new FakeClock();
  const log = recordingLog();
  const users = await noUsers(clock);
  const server = await openConsole(
    { host: '127.0.0.1', port, names: [] },
    { site, users, ...(page && { page }) },
    { clock, log },
  );
  t.teardown(() => server.close());
  const ask = (
    path: string,
    {
      method = 'GET',
      headers = {},
      body = '',
    }: { method?: string; headers?: Record<string, string>; body?: string } = {},
  ): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const asked = request(
        { host: '127.0.0.1', port: server.port, path, method, headers, agent: false },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
          );
          response.on('error', reject);
        },
      );
      asked.on('error', reject);
      asked.end(body);
    });
  return { site, clock, log, server, ask };
}

/** Server-sent events as they come: `text` is everything so far. */
async function listen(t: Test, port: number | undefined, path: string) {
  const heard = { text: '', closed: false };
  let woken = (): void => undefined;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, agent: false }, resolve).on('error', reject);
    t.teardown(() => asked.destroy());
    asked.end();
  });
  response.setEncoding('utf8').on('data', (piece: string) => {
    heard.text += piece;
    woken();
  });
  response
    .on('error', () => undefined)
    .on('close', () => {
      heard.closed = true;
      woken();
    });
  return {
    response,
    heard,
    count: (event: string) => heard.text.split(`event: ${event}\n`).length - 1,
    async until(good: () => boolean) {
      while (!good()) await new Promise<void>((resolve) => (woken = resolve));
    },
  };
}

const JSON_TYPE = { 'content-type': 'application/json' };

void t.test('what is asked is answered, and nothing that is answered may be kept or framed', async (t) => {
  const { site, ask } = await open(t);
  const status = await ask('/api/status');
  t.equal(status.status, 200);
  t.match(status.headers, {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'content-security-policy': /default-src 'none'/,
  });
  t.notOk('access-control-allow-origin' in status.headers, 'no other origin may read it');
  t.match(JSON.parse(status.body), { site: 'S1', evses: [{ evse: 1 }] });
  t.match(JSON.parse((await ask('/api/evses/1/explain')).body), { explanation: /takes no more/ });
  t.equal((await ask('/api/evses/9/explain')).status, 404);
  t.match(JSON.parse((await ask('/api/journal')).body), { lastSeq: 12, csms: [{ csms: 'operator', delivered: 7 }] });
  t.equal((await ask('/health')).status, 200);
  site.statusOf = 'degraded';
  t.equal((await ask('/health')).status, 200, 'a gateway without its cloud works');
  site.statusOf = 'failing';
  t.equal((await ask('/health')).status, 503);
});

void t.test('errors are JSON with what to do', async (t) => {
  const { ask } = await open(t);
  for (const [path, status] of [
    ['/nothing.js', 404],
    ['/api/nothing', 404],
    ['/api/journal/nobody/dead', 404],
    ['/api/journal/%E0%A4%A/dead', 404],
    ['/api/journal/export?from=yesterday', 400],
    ['/api/journal/export?from=2025-03-01', 400],
    ['/api/journal/export?types=meter', 400],
    ['/api/journal/export?fulll=true', 400],
    ['/api/journal/export?full=perhaps', 400],
  ] as const) {
    const answer = await ask(path);
    t.equal(answer.status, status, path);
    t.match(JSON.parse(answer.body), { error: /./, action: /./ }, path);
  }
  const wrong = await ask('/api/journal', { method: 'PUT' });
  t.equal(wrong.status, 405);
  t.equal(wrong.headers.allow, 'GET');
});

void t.test('dead letters are sent again: all, or those that are named', async (t) => {
  const { site, ask } = await open(t);
  const post = (path: string, body: string) => ask(path, { method: 'POST', headers: JSON_TYPE, body });
  t.match(JSON.parse((await post('/api/journal/operator/redrive', '{}')).body), { site: 'S1', redriven: [] });
  t.match(JSON.parse((await post('/api/journal/operator/redrive', '{"seqs":[3,4]}')).body), { redriven: [3, 4] });
  t.same(site.redrives, [
    { csms: 'operator', seqs: undefined },
    { csms: 'operator', seqs: [3, 4] },
  ]);
  for (const body of ['[]', '"x"', '{', '{"seqs":"all"}', '{"seqs":[1.5]}', '{"seqs":[null]}'])
    t.equal((await post('/api/journal/operator/redrive', body)).status, 400, body);
  t.equal((await post('/api/journal/nobody/redrive', '{}')).status, 404);
  t.equal((await post('/api/journal/operator/redrive', `{"x":"${'x'.repeat(70_000)}"}`)).status, 413);
  t.equal(site.redrives.length, 2, 'none of these did anything');
});

void t.test('a page that somebody has open can do nothing', async (t) => {
  const { site, ask } = await open(t);
  const refused: readonly (readonly [Record<string, string>, number])[] = [
    [{ host: 'rebound.example' }, 421],
    [{ host: '127.0.0.1.rebound.example:8080' }, 421],
    [{ origin: 'https://evil.example', ...JSON_TYPE }, 403],
    [{ origin: 'null', ...JSON_TYPE }, 403],
    [{ 'sec-fetch-site': 'cross-site', ...JSON_TYPE }, 403],
    [{ 'content-type': 'text/plain' }, 415],
    [{ 'content-type': 'application/x-www-form-urlencoded' }, 415],
    [{}, 415],
  ];
  for (const [headers, status] of refused) {
    const answer = await ask('/api/journal/operator/redrive', { method: 'POST', headers, body: '{}' });
    t.equal(answer.status, status, JSON.stringify(headers));
  }
  t.equal((await ask('/api/status', { headers: { host: 'rebound.example' } })).status, 421, 'nor read anything');
  t.equal((await ask('/api/status', { method: 'OPTIONS', headers: { origin: 'https://evil.example' } })).status, 403);
  t.same(site.redrives, []);
  for (const host of ['localhost:8080', '127.0.0.1', '[::1]:8080'])
    t.equal((await ask('/api/status', { headers: { host } })).status, 200, host);
});

void t.test('whoever looks on hears what changes, and nobody works for nobody', async (t) => {
  const { site, server, clock, ask } = await open(t);
  t.equal(site.looks, 0);
  const first = await listen(t, server.port, '/api/live');
  t.match(first.response.headers, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' });
  await first.until(() => first.count('status') === 1);
  t.match(first.heard.text, /^retry: 2000$/m);
  const data = /^data: (.*)$/m.exec(first.heard.text)?.[1] ?? '';
  t.same(JSON.parse(data), site.status(), 'the body of /api/status');
  const second = await listen(t, server.port, '/api/live');
  await second.until(() => second.count('status') === 1);
  site.looks = 0;
  await clock.advance(5000);
  t.equal(site.looks, 5, 'one look a second for both');
  site.limit = 10;
  site.events.add({ at: 'now', kind: 'status', severity: 'info', subject: 'evse/1', text: 'charges' });
  await clock.advance(1000);
  await second.until(() => second.count('event') === 1);
  await first.until(() => first.count('event') === 1);
  t.equal(first.count('status'), 2, 'only when something has changed');
  t.match(first.heard.text, /"limit_A":10/);
  await clock.advance(15_000);
  await first.until(() => first.heard.text.endsWith(':\n\n'));
  t.match(JSON.parse((await ask('/api/events?limit=1')).body), { events: [{ subject: 'evse/1', text: 'charges' }] });
  t.equal((await ask('/api/events?limit=0')).status, 400);
  first.response.destroy();
  second.response.destroy();
  while (clock.pending > 0) await new Promise((resolve) => setImmediate(resolve));
  t.equal(clock.pending, 0, 'nobody looks on');
});

void t.test('a reader who does not read is passed over, and catches up with the newest', async (t) => {
  const { site, server, clock } = await open(t);
  const slow = await listen(t, server.port, '/api/live');
  await slow.until(() => slow.count('status') === 1);
  slow.response.pause();
  // More than every buffer between takes.
  site.padding = 'x'.repeat(1_000_000);
  for (let limit = 1; limit <= 60; limit++) {
    site.limit = limit;
    await clock.advance(1000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  slow.response.resume();
  await slow.until(() => slow.heard.text.includes('"limit_A":60'));
  t.ok(slow.count('status') < 40, `he was spared most of 60: ${slow.count('status')}`);
});

void t.test('no more look on than there is room for', async (t) => {
  const { server, ask } = await open(t);
  for (let n = 0; n < MOST_STREAMS; n++) await listen(t, server.port, '/api/live');
  const one = await ask('/api/live');
  t.equal(one.status, 503);
  t.ok(one.headers['retry-after']);
});

void t.test('whoever asks for the head only takes no place', async (t) => {
  const { site, clock, ask } = await open(t);
  const answer = await ask('/api/live', { method: 'HEAD' });
  t.match(answer, { status: 200, body: '', headers: { 'content-type': 'text/event-stream; charset=utf-8' } });
  t.match(await ask('/api/journal/export', { method: 'HEAD' }), { status: 200, body: '' });
  t.equal(site.looks, 0);
  t.equal(clock.pending, 0);
});

void t.test('the site is told as it was drawn, with what tells one drawing from the next', async (t) => {
  const { ask } = await open(t);
  const drawn = JSON.parse((await ask('/api/site')).body) as { revision: string };
  t.match(drawn, {
    site: 'S1',
    timeZone: 'Europe/Amsterdam',
    stations: [{ station: 'CP1', protocol: 'ocpp', evses: [1] }],
    evses: [{ evse: 1, circuit: 'main', max_A: 32, phases: ['L2', 'L3', 'L1'], fallback_A: 6 }],
    revision: /^[0-9a-f]{12}$/,
  });
  t.equal((JSON.parse((await ask('/api/site')).body) as { revision: string }).revision, drawn.revision);
});

void t.test('transactions as a list and as a table', async (t) => {
  const { site, ask } = await open(t);
  const row = { station: 'CP1', evse: 1, startedAt: '2025-03-01T08:00:00.000Z', energy_Wh: 4500, open: false };
  site.listed = [
    { transaction: 'a', ...row, idToken: '=HYPERLINK("x")', cost: { amount: 1.5, currency: 'EUR' }, reason: 'Local' },
    { transaction: 'b', ...row, open: true },
  ];
  const list = await ask('/api/transactions?from=2025-03-01T00:00:00Z&evse=1&limit=1');
  t.match(JSON.parse(list.body), { site: 'S1', transactions: [{ transaction: 'a' }] });
  t.same(site.listings.at(-1), { from: Date.parse('2025-03-01T00:00:00Z'), evse: 1, tokens: 'masked' });
  const table = await ask('/api/transactions.csv');
  t.match(table.headers, { 'content-type': /^text\/csv/, 'content-disposition': /transactions\.csv/ });
  t.equal(
    table.body,
    'transaction,station,evse,startedAt,endedAt,idToken,energy_Wh,cost,currency,reason,estimated,open\r\n' +
      'a,CP1,1,2025-03-01T08:00:00.000Z,,"\'=HYPERLINK(""x"")",4500,1.50,EUR,Local,,\r\n' +
      'b,CP1,1,2025-03-01T08:00:00.000Z,,,4500,,,,,open\r\n',
  );
  for (const query of ['from=yesterday', 'evse=x', 'limit=0'])
    t.equal((await ask(`/api/transactions?${query}`)).status, 400, query);
  site.history.sample(site.status(), timestamp(0));
  t.match(JSON.parse((await ask('/api/evses/1/history')).body), { evse: 1, step_s: 10, limit_A: [null] });
  t.match(JSON.parse((await ask('/api/circuits/main/history?minutes=5')).body), { breaker_A: 63, limit_A: [50] });
  t.equal((await ask('/api/evses/9/history')).status, 404);
  t.equal((await ask('/api/circuits/none/history')).status, 404);
  t.equal((await ask('/api/evses/1/history?minutes=999')).status, 400);
});

void t.test('the files of the page, and nothing beside them', async (t) => {
  const folder = t.testdir({
    'secret.txt': 'SECRET',
    page: { 'index.html': '<title>Page</title>', assets: { 'index-DkH2xS1a.js': 'run()', 'notes.exe': '' } },
  });
  const { ask } = await open(t, 0, `${folder}/page`);
  const index = await ask('/');
  t.match(index.headers, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-cache',
    'content-security-policy': /script-src 'self';.*frame-ancestors 'none'/,
    'x-content-type-options': 'nosniff',
  });
  t.notMatch(index.headers['content-security-policy'], /unsafe/);
  t.equal(index.body, '<title>Page</title>');
  t.equal((await ask('/evses/3')).body, index.body, 'an address that only the page knows');
  t.equal((await ask('/', { headers: { 'if-none-match': index.headers.etag ?? '' } })).status, 304);
  const script = await ask('/assets/index-DkH2xS1a.js');
  t.match(script.headers, { 'content-type': /javascript/, 'cache-control': /immutable/ });
  t.equal((await ask('/', { method: 'HEAD' })).body, '');
  for (const path of ['/assets/notes.exe', '/../secret.txt', '/%2e%2e/secret.txt', '/..%2fsecret.txt', '/api/other'])
    t.equal((await ask(path)).status, 404, path);
  const bare = await open(t);
  t.match((await bare.ask('/')).body, /without the files of its page/);
});

void t.test('an export is JSON lines, and shows when it broke off', async (t) => {
  const { site, server, ask } = await open(t);
  site.entries = [1, 2, 3].map((seq) => ({ seq, type: 'cdr' }));
  const answer = await ask('/api/journal/export?from=2&to=2025-03-01T00:00:00Z&types=cdr');
  t.match(answer.headers, { 'content-type': 'application/x-ndjson; charset=utf-8' });
  t.same(
    answer.body
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { seq: number }).seq),
    [1, 2, 3],
  );
  t.same(site.selections.at(-1), {
    types: ['cdr'],
    from: { seq: 2 },
    to: { at: Date.parse('2025-03-01T00:00:00Z') },
    tokens: 'masked',
  });
  await ask('/api/journal/export?full');
  t.match(site.selections.at(-1), { types: ['transaction', 'cdr'], tokens: 'full' });
  site.breaksOff = new JournalUnavailable('the disk is gone');
  const lines = await new ConsoleClient({ host: '127.0.0.1', port: server.port ?? 0 }).lines('/api/journal/export');
  if (!lines.ok) throw new Error('not answered');
  await t.rejects(async () => {
    for await (const piece of lines.value) t.ok(piece.length > 0);
  }, 'whoever reads it can tell');
});

void t.test('the client believes only the gateway of its own site', async (t) => {
  const { server } = await open(t);
  const client = new ConsoleClient({ host: '127.0.0.1', port: server.port ?? 0 });
  t.match(await client.ask('S1', '/api/status'), { ok: true, value: { name: 'Site' } });
  t.match(await client.ask('S1', '/api/journal/operator/redrive', { seqs: [9] }), {
    ok: true,
    value: { redriven: [9] },
  });
  t.match(await client.ask('S2', '/api/status'), {
    ok: false,
    error: { kind: 'refused', message: /another site, S1/ },
  });
  t.match(await client.ask('S1', '/api/evses/9/explain'), { ok: false, error: { message: /no EVSE 9/ } });

  const stranger = createServer((socket) => {
    socket.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello');
    socket.on('error', () => undefined).resume();
  });
  stranger.listen(0, '127.0.0.1');
  await once(stranger, 'listening');
  const other = new ConsoleClient({ host: '127.0.0.1', port: (stranger.address() as AddressInfo).port });
  t.match(await other.ask('S1', '/api/status'), { ok: false, error: { message: /is no gateway/ } });
  stranger.close();
  await once(stranger, 'close');
  t.match(await other.ask('S1', '/api/status'), { ok: false, error: { kind: 'nobody' } });
});

void t.test('a port that is taken is told, and tried again', async (t) => {
  const squatter = createServer().listen(0, '127.0.0.1');
  await once(squatter, 'listening');
  const { port } = squatter.address() as AddressInfo;
  const { server, clock, log, ask } = await open(t, port);
  t.equal(server.port, undefined);
  t.match(log.lines, [{ level: 'warn', fields: { fault: FAULTS.consoleUnavailable.code } }]);
  await clock.advance(30_000);
  t.equal(log.lines.length, 1, 'it is told once');
  squatter.close();
  await once(squatter, 'close');
  clock.advanceSync(30_000);
  while (server.port === undefined) await new Promise((resolve) => setImmediate(resolve));
  t.equal((await ask('/health')).status, 200);
});

void t.test('it ends at once, whoever is connected, and does not come back', async (t) => {
  const { server, clock } = await open(t);
  const socket = connect(server.port ?? 0, '127.0.0.1');
  await once(socket, 'connect');
  socket.write('GET /api/status HTTP/1.1\r\nhost: localhost\r\n');
  // Cut off, it may end with an error as well as without.
  const closed = new Promise((resolve) => socket.on('error', () => undefined).once('close', resolve));
  await server.close();
  await closed;
  t.equal(server.port, undefined);
  t.equal(clock.pending, 0, 'nothing is left to be done');
});
