// Signing in over HTTP: the first user, cookies, roles of every address, other pages, the network, and the file that is kept.
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import t, { type Test } from 'tap';
import { accountFile, localTokenFile, writeLocalToken } from '../../../adapters/console/account-file.js';
import { scryptSecrets } from '../../../adapters/console/secrets.js';
import { openConsole } from '../../../adapters/console/server.js';
import { answer, type ConsoleRoute } from '../../../gateway/ports/console-routes.js';
import type { Role } from '../../../gateway/ports/console-users.js';
import { FakeClock } from '../../fakes/fake-clock.js';
import { FakeSiteConsole } from '../../fakes/fake-site-console.js';
import { openUsers } from '../../fakes/fake-users.js';
import { recordingLog } from '../../fakes/recording-log.js';
import { freePort } from '../../peers/free-port.js';

const LOCAL_TOKEN = 'a-token-that-only-the-box-has';
const PASSWORD = 'correct horse';

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Readonly<Record<string, unknown>>;
}

type Asking = { readonly method?: string; readonly headers?: Record<string, string>; readonly body?: object };

async function open(t: Test, { host = '127.0.0.1', port = 0, routes = [] as readonly ConsoleRoute[] } = {}) {
  const clock = new FakeClock();
  const log = recordingLog();
  const { users } = await openUsers(clock);
  const site = new FakeSiteConsole();
  const server = await openConsole(
    { host, port, names: ['Forecourt.local'] },
    { site, users, localToken: LOCAL_TOKEN, routes },
    { clock, log },
  );
  t.teardown(() => server.close());
  const ask = (path: string, { method = 'GET', headers = {}, body }: Asking = {}, to = '127.0.0.1'): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const type = { 'content-type': 'application/json' };
      const asked = request(
        { host: to, port: server.port, path, method, headers: { ...(body && type), ...headers }, agent: false },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
          response.on('end', () => {
            const json = response.headers['content-type']?.startsWith('application/json') === true;
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: json ? (JSON.parse(text) as Answer['body']) : { text },
            });
          });
        },
      );
      asked.on('error', reject);
      asked.end(body === undefined ? undefined : JSON.stringify(body));
    });
  /** @returns the cookie of a session */
  const cookie = (answer: Answer): Record<string, string> => ({
    cookie: answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '',
  });
  const setUp = async () =>
    cookie(
      await ask('/api/setup', { method: 'POST', body: { token: users.setupToken, name: 'anna', password: PASSWORD } }),
    );
  const signIn = (name: string, password = PASSWORD) =>
    ask('/api/session', { method: 'POST', body: { name, password } });
  return { clock, log, users, server, ask, cookie, setUp, signIn };
}

void t.test('without users everything is open on the box; the first one closes it', async (t) => {
  const { ask, users, setUp, cookie, signIn } = await open(t);
  t.match(await ask('/api/session'), { status: 200, body: { name: '', role: 'operator', setup: true } });
  t.equal((await ask('/api/status')).status, 200);
  t.equal(
    (await ask('/api/setup', { method: 'POST', body: { token: 'x', name: 'eve', password: PASSWORD } })).status,
    401,
  );
  const anna = await setUp();
  t.ok(users.exist);
  for (const path of ['/api/status', '/api/live', '/api/users', '/api/journal/export', '/api/events'])
    t.match(await ask(path), { status: 401, body: { error: /./, action: /./ } }, path);
  t.equal((await ask('/api/session')).status, 401);
  t.equal((await ask('/health')).status, 200);
  t.equal((await ask('/metrics')).status, 200, 'from the box');
  t.equal((await ask('/')).status, 200, 'the page itself holds nothing');
  t.match(await ask('/api/session', { headers: anna }), {
    status: 200,
    body: { name: 'anna', role: 'operator', setup: false },
  });
  t.equal((await ask('/api/status', { headers: anna })).status, 200);
  t.match(await ask('/api/setup', { method: 'POST', body: { token: 'x', name: 'eve', password: PASSWORD } }), {
    status: 409,
  });

  t.equal((await signIn('anna', 'wrong guess')).status, 401);
  const again = await signIn('anna');
  t.match(again.headers['set-cookie'], [/^forecourt=[\w-]+; HttpOnly; SameSite=Strict; Path=\/; Max-Age=\d+$/]);
  const out = await ask('/api/session', {
    method: 'DELETE',
    headers: { ...cookie(again), 'content-type': 'application/json' },
  });
  t.match(out.headers['set-cookie'], [/Max-Age=0/]);
  t.equal((await ask('/api/status', { headers: cookie(again) })).status, 401);
  t.equal((await ask('/api/status', { headers: { cookie: 'other=1; forecourt=nonsense' } })).status, 401);
});

void t.test('too many attempts are told when to come again', async (t) => {
  const { setUp, signIn } = await open(t);
  await setUp();
  for (let n = 0; n < 10; n++) t.equal((await signIn('anna', 'wrong guess')).status, 401);
  const late = await signIn('anna', 'wrong guess');
  t.equal(late.status, 429);
  t.ok(Number(late.headers['retry-after']) > 0);
});

void t.test('the command line on the box proves itself by its token', async (t) => {
  const { ask, setUp } = await open(t);
  await setUp();
  const headers = { authorization: `Bearer ${LOCAL_TOKEN}` };
  t.match(await ask('/api/session', { headers }), { status: 200, body: { name: 'console', role: 'operator' } });
  t.equal((await ask('/api/users', { headers })).status, 200);
  t.equal((await ask('/api/users', { headers: { authorization: `Bearer ${LOCAL_TOKEN}x` } })).status, 401);
  t.equal((await ask('/api/users', { headers: { authorization: 'Basic YW5uYTp4' } })).status, 401);
});

void t.test('every address is for its role and those above it', async (t) => {
  const of = (role: Role): ConsoleRoute[] => [
    { method: 'GET', path: `/api/test/${role}`, access: role, answer: ({ caller }) => answer({ ...caller }) },
    { method: 'POST', path: `/api/test/${role}`, access: role, answer: ({ body }) => answer(body) },
  ];
  const { ask, users, setUp, cookie, signIn } = await open(t, {
    routes: [...of('viewer'), ...of('electrician'), ...of('operator')],
  });
  const cookies = { operator: await setUp(), electrician: {}, viewer: {} } as Record<Role, Record<string, string>>;
  for (const role of ['electrician', 'viewer'] as const) {
    await users.add(role, PASSWORD, role, 'anna');
    cookies[role] = cookie(await signIn(role));
  }
  const ranks: readonly Role[] = ['viewer', 'electrician', 'operator'];
  for (const role of ranks)
    for (const wanted of ranks)
      for (const method of ['GET', 'POST']) {
        const asked = await ask(`/api/test/${wanted}`, {
          method,
          headers: cookies[role],
          ...(method === 'POST' && { body: {} }),
        });
        t.equal(asked.status, ranks.indexOf(role) >= ranks.indexOf(wanted) ? 200 : 403, `${role} ${method} ${wanted}`);
      }
  const by = (role: Role) => ({ headers: cookies[role] });
  t.equal((await ask('/api/journal/export?full=true', by('viewer'))).status, 403, 'whole tokens are for operators');
  t.equal((await ask('/api/journal/operator/redrive', { method: 'POST', body: {}, ...by('electrician') })).status, 403);
  t.equal((await ask('/api/users', by('electrician'))).status, 403);

  const patch = (role: Role, name: string, body: object) =>
    ask(`/api/users/${name}`, { method: 'PATCH', body, headers: cookies[role] });
  t.equal((await patch('viewer', 'electrician', { password: 'another horse' })).status, 403);
  t.equal((await patch('viewer', 'viewer', { role: 'operator' })).status, 403, 'nobody raises himself');
  t.equal((await patch('viewer', 'viewer', { password: 'another horse' })).status, 200, 'the own password');
  t.equal((await ask('/api/session', by('viewer'))).status, 200, 'and stays signed in');
  t.match(await patch('operator', 'anna', { role: 'viewer' }), { status: 409 });
  t.match(await ask('/api/users', by('operator')), { status: 200, body: { users: [{ name: 'anna' }, {}, {}] } });
  t.notMatch(JSON.stringify((await ask('/api/users', by('operator'))).body), 'plain', 'no hash');
  const added = await ask('/api/users', {
    method: 'POST',
    body: { name: 'dora', password: PASSWORD, role: 'viewer' },
    ...by('operator'),
  });
  t.equal(added.status, 201);
  t.equal(
    (
      await ask('/api/users', {
        method: 'POST',
        body: { name: 'x', password: PASSWORD, role: 'king' },
        ...by('operator'),
      })
    ).status,
    400,
  );
  const gone = await ask('/api/users/viewer', {
    method: 'DELETE',
    headers: { ...cookies.operator, 'content-type': 'application/json' },
  });
  t.equal(gone.status, 200);
  t.equal((await ask('/api/status', by('viewer'))).status, 401, 'his session is over at once');
});

void t.test('a page of somebody else can do nothing with the cookie', async (t) => {
  const { ask, server, setUp } = await open(t);
  const anna = await setUp();
  const post = (headers: Record<string, string>, body: object | undefined = {}) =>
    ask('/api/journal/operator/redrive', { method: 'POST', headers: { ...anna, ...headers }, ...(body && { body }) });
  t.equal((await post({ origin: 'https://evil.example' })).status, 403);
  t.equal((await post({ 'sec-fetch-site': 'same-site' })).status, 403);
  t.equal((await post({ 'content-type': 'text/plain' })).status, 415);
  const host = `127.0.0.1:${server.port}`;
  t.equal((await post({ host, origin: `http://${host}` })).status, 200);
  t.equal((await post({ host, origin: `https://${host}` })).status, 200, 'behind a proxy that speaks TLS');
  t.equal((await post({ host: 'rebound.example' })).status, 421);
  t.equal((await post({ host: 'forecourt.local:80' })).status, 200, 'a name of site.yaml');
  t.equal((await post({ host: '10.0.0.7:8080' })).status, 200, 'an address cannot be rebound');
});

void t.test('the network is let in with the first user', async (t) => {
  const port = await freePort();
  const { ask, setUp, log } = await open(t, { host: '0.0.0.0', port });
  const listens = () =>
    log.lines.filter(({ message }) => message === 'the console listens').map(({ fields }) => fields['address']);
  t.same(listens(), [`127.0.0.1:${port}`]);
  await t.rejects(ask('/health', {}, '127.0.0.5'), 'nobody beyond the box');
  t.equal((await ask('/health', { headers: { host: '10.0.0.7' } })).status, 421, 'nor under another name');
  const anna = await setUp();
  while (listens().length < 2) await new Promise((resolve) => setImmediate(resolve));
  t.equal((await ask('/api/status', { headers: anna }, '127.0.0.5')).status, 200, 'from elsewhere');
  t.equal((await ask('/api/status', { headers: anna })).status, 200, 'and from the box');
  t.equal((await ask('/api/status', {}, '127.0.0.5')).status, 401);
});

void t.test('whoever looks on is sent away when he may no longer', async (t) => {
  const { users, server, setUp, cookie, signIn } = await open(t);
  await setUp();
  await users.add('ben', PASSWORD, 'viewer', 'anna');
  const headers = cookie(await signIn('ben'));
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ host: '127.0.0.1', port: server.port, path: '/api/live', headers, agent: false }, resolve)
      .on('error', reject)
      .end();
  });
  t.equal(response.statusCode, 200);
  const ended = new Promise((resolve) => response.resume().on('end', resolve));
  await users.remove('ben', 'anna');
  await ended;
});

void t.test('users and the token of the box are on disk for nobody else, and a damaged file is kept', async (t) => {
  const data = t.testdir({});
  const store = accountFile(data);
  t.equal(await store.load(), undefined);
  const accounts = { users: [{ name: 'anna', role: 'operator', hash: 'x', createdAt: 1 }], sessions: [] } as const;
  await store.save(accounts);
  t.same(await store.load(), accounts);
  const file = `${data}/console/accounts.json`;
  t.equal(statSync(file).mode & 0o777, 0o600);
  t.equal(statSync(`${data}/console`).mode & 0o777, 0o700);
  const token = await writeLocalToken(data);
  t.equal(readFileSync(localTokenFile(data), 'utf8').trim(), token);
  t.equal(statSync(localTokenFile(data)).mode & 0o777, 0o600);
  t.not(await writeLocalToken(data), token, 'another one for the next process');
  writeFileSync(file, '{"users":[{"name":"anna"}],"sessions":[]}');
  await t.rejects(store.load(), /does not hold users/);
  writeFileSync(file, '{');
  await t.rejects(store.load());
  t.equal(readFileSync(`${file}.broken`, 'utf8'), '{');
});

void t.test('passwords are kept as scrypt hashes with their parameters', async (t) => {
  const secrets = scryptSecrets();
  const hash = await secrets.hash('pässword 123');
  t.match(hash, /^\$scrypt\$ln=15,r=8,p=3\$[^$]{22}\$[^$]{43}$/);
  t.ok(await secrets.verify('pa\u0308ssword 123', hash), 'however the letter was typed');
  t.notOk(await secrets.verify('password 123', hash));
  t.notOk(await secrets.verify('', undefined), 'a user that does not exist');
  t.notOk(
    await secrets.verify('x', '$scrypt$ln=30,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA'),
    'no file exhausts the box',
  );
  t.ok(secrets.token().length >= 32);
});
