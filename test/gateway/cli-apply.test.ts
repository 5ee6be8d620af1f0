// `forecourt apply`, `keep`, `revert` and `history` against a console on a real socket: what is sent, what is printed, how it ends.
import t, { type Test } from 'tap';
import { configurationRoutes } from '../../adapters/console/configuration-routes.js';
import { openConsole } from '../../adapters/console/server.js';
import { runApply } from '../../gateway/cli-apply.js';
import { failed, ok } from '../../gateway/kernel/result.js';
import type { SiteConfiguration, Wish } from '../../gateway/ports/configuration.js';
import { FakeClock } from '../fakes/fake-clock.js';
import { noUsers } from '../fakes/fake-users.js';
import { FakeSiteConsole } from '../fakes/fake-site-console.js';
import { recordingLog } from '../fakes/recording-log.js';

const AT = '2025-03-01T08:00:00.000Z';

class FakeConfiguration implements SiteConfiguration {
  readonly schema = { title: 'a site' };
  readonly wishes: Wish[] = [];
  readonly reverted: (string | undefined)[] = [];
  now = () => ({ revision: '3', text: 'site: {}', path: '/etc/forecourt/site.yaml' });
  check = (text: string) =>
    text === 'good'
      ? []
      : [{ severity: 'error' as const, line: 2, column: 3, message: 'no site', action: 'write one' }];
  difference = () => ({ diff: '-a\n+b\n', effects: [] });
  history = () => [
    { revision: '3', at: AT, by: 'anna', comment: 'new fuse', state: 'kept' as const, diff: '-63 A\n+50 A\n' },
    { revision: '2', at: AT, by: 'SIGHUP', state: 'reverted' as const, diff: '' },
  ];
  apply: SiteConfiguration['apply'] = (wish) => {
    this.wishes.push(wish);
    const findings = this.check(wish.text);
    if (findings.length > 0)
      return Promise.resolve(
        failed({ why: 'faults', message: 'site.yaml:2:3: no site', action: 'write one', findings }),
      );
    return Promise.resolve(
      ok({
        revision: '4',
        ...(wish.confirmWithin !== undefined && { until: AT }),
        effects: [
          { subject: 'circuit/main', effect: 'live', what: 'breaker 50 A instead of 63 A' },
          { subject: 'console', effect: 'restart', what: 'where the console listens' },
        ],
      }),
    );
  };
  keep: SiteConfiguration['keep'] = (revision) =>
    Promise.resolve(
      revision === '9'
        ? failed({ why: 'unknown', message: 'no change waits to be kept', action: 'it was kept' })
        : ok({ revision: revision ?? '4' }),
    );
  revert: SiteConfiguration['revert'] = (revision) => {
    this.reverted.push(revision);
    return Promise.resolve(ok({ revision: '3', effects: [] }));
  };
}

async function open(t: Test) {
  const configuration = new FakeConfiguration();
  const clock = new FakeClock();
  const routes = configurationRoutes('S1', configuration);
  const offer = { site: new FakeSiteConsole(), users: await noUsers(clock), routes };
  const listen = { host: '127.0.0.1', port: 0, names: [] };
  const server = await openConsole(listen, offer, { clock, log: recordingLog() });
  t.teardown(() => server.close());
  const files = new Map([
    ['site.yaml', `site: { id: S1 }\nconsole: { listen: '127.0.0.1:${server.port}' }\n`],
    ['other.yaml', `site: { id: S2 }\nconsole: { listen: '127.0.0.1:${server.port}' }\n`],
    ['new.yaml', 'good'],
    ['bad.yaml', 'bad'],
  ]);
  const run = async (...words: readonly string[]) => {
    const [command, ...args] = words;
    if (command !== 'apply' && command !== 'keep' && command !== 'revert' && command !== 'history')
      throw new Error(`no command ${command}`);
    const said = { out: '', err: '' };
    const code = await runApply(command, args, {
      out: (text) => void (said.out += text),
      err: (text) => void (said.err += text),
      readFile: (path) => {
        const text = files.get(path);
        if (text === undefined) throw new Error('no such file');
        return text;
      },
      user: 'anna',
    });
    return { code, ...said };
  };
  const ask = async (path: string, body?: object) => {
    const response = await fetch(`http://127.0.0.1:${server.port}/api/config${path}`, {
      ...(body && { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  return { configuration, run, ask };
}

void t.test('commands', async (t) => {
  const { configuration, run } = await open(t);
  const applied = await run('apply', '--confirm-within', '5min', '--comment', 'new fuse', 'new.yaml');
  t.equal(applied.code, 0, applied.err);
  t.same(configuration.wishes, [{ text: 'good', by: 'anna', comment: 'new fuse', confirmWithin: 300_000 }]);
  t.match(applied.out, /revision 4 is in force[\s\S]*circuit\/main +live[\s\S]*restart forecourt[\s\S]*taken back at/);
  t.match(await run('apply', 'new.yaml', '--json'), { code: 0, out: /"revision": "4"/ });
  t.match(await run('apply', 'bad.yaml'), { code: 1, err: /site.yaml:2:3: no site; write one/ });
  t.match(await run('keep'), { code: 0, out: /4 is kept/ });
  t.match(await run('keep', '9'), { code: 1, err: /no change waits/ });
  t.match(await run('revert', '3'), { code: 0, out: /revision 3 is in force/ });
  t.same(configuration.reverted, ['3']);
  t.match(await run('history'), { code: 0, out: /3 .*anna .*kept .*new fuse\n.*2 .*SIGHUP .*reverted/ });
  t.match(await run('history', '--diff'), { code: 0, out: /-63 A\n\+50 A/ });
});

void t.test('wrong usage asks nobody', async (t) => {
  const { configuration, run } = await open(t);
  for (const words of [
    ['apply'],
    ['apply', 'new.yaml', 'more.yaml'],
    ['apply', '--confirm-within', '5', 'new.yaml'],
    ['apply', 'missing.yaml'],
    ['apply', '--nonsense', 'new.yaml'],
    ['history', '3'],
    ['keep', '--site', 'missing.yaml'],
  ]) {
    const { code, err } = await run(...words);
    t.equal(code, 2, words.join(' '));
    t.not(err, '');
  }
  t.match(await run('revert', '--help'), { code: 0, out: /usage: forecourt revert/ });
  t.same(configuration.wishes, []);
});

void t.test('addresses', async (t) => {
  const { configuration, ask } = await open(t);
  t.match(await ask(''), { status: 200, body: { site: 'S1', revision: '3', text: 'site: {}' } });
  t.match(await ask('/schema'), { status: 200, body: { title: 'a site' } });
  t.match(await ask('/history'), { status: 200, body: { changes: [{ revision: '3' }, { revision: '2' }] } });
  t.match(await ask('/check', { text: 'bad' }), {
    status: 200,
    body: { faults: [{ line: 2, column: 3 }], review: [] },
  });
  t.match(await ask('/diff', { text: 'good' }), { status: 200, body: { diff: /\+b/, effects: [] } });
  t.match(await ask('/apply', { text: 'bad' }), {
    status: 422,
    body: { error: /2:3/, faults: [{ severity: 'error' }] },
  });
  t.match(await ask('/apply', { text: 'good', confirmWithin_s: 60 }), { status: 202, body: { until: AT } });
  for (const body of [
    {},
    { text: 7 },
    { text: 'good', confirmWithin_s: 5 },
    { text: 'good', confirmWithin_s: '60' },
    { text: 'good', comment: 'x'.repeat(501) },
  ])
    t.match(await ask('/apply', body), { status: 400, body: { error: /./, action: /./ } });
  t.match(await ask('/keep', { revision: 4 }), { status: 400 });
  t.match(await ask('/keep', { revision: '9' }), { status: 404 });
  t.match(await ask('/apply', { text: 'x'.repeat(200_000) }), { status: 422 }, 'a large site is taken in');
  t.match(await ask('/apply', { text: 'x'.repeat(3_000_000) }), { status: 413 });
  await ask('/apply', { text: 'good', by: 'line\nbreak' });
  t.equal(configuration.wishes.at(-1)?.by, 'console', 'a name that is none is not put down');
});

void t.test('who has signed in is put down, whatever he says and is called', async (t) => {
  const configuration = new FakeConfiguration();
  const apply = configurationRoutes('S1', configuration).find(({ path }) => path === '/api/config/apply');
  const asked = { parts: [], query: new URLSearchParams(), body: { text: 'good', by: 'anna' } };
  const caller = { name: 'console', role: 'electrician', address: '192.0.2.7' } as const;
  await apply?.answer({ ...asked, caller: { ...caller, session: 'digest' } });
  await apply?.answer({ ...asked, caller });
  t.same(
    configuration.wishes.map(({ by }) => by),
    ['console', 'anna'],
    'only a program on the box speaks for somebody else',
  );
});

void t.test('a command never goes to the gateway of another site', async (t) => {
  const { configuration, run } = await open(t);
  t.match(await run('apply', '--site', 'other.yaml', 'new.yaml'), { code: 1, err: /another site, S1/ });
  t.match(await run('revert', '--site', 'other.yaml', '3'), { code: 1, err: /another site, S1/ });
  t.same(configuration.wishes, []);
  t.same(configuration.reverted, []);
});
