// `forecourt check`: what it prints and how it exits.
import t from 'tap';
import { renderFinding, runCheck } from '../../gateway/cli-check.js';
import { devices } from '../site-config/devices.js';

const good = `site: { id: S1 }
circuits: { main: { breaker: 63 A } }
stations:
  CP01: { circuit: main, password: { env: CP01 }, evses: [ { number: 1, max-current: 32 A, phases: L1 L2 L3 } ] }
csms:
  operator: { url: wss://csms.example, password: { env: CP01 } }
`;

const check = async (args: readonly string[], files: Readonly<Record<string, string>>) => {
  let out = '';
  let err = '';
  const code = await runCheck(args, {
    out: (text) => (out += text),
    err: (text) => (err += text),
    readFile: (path) => {
      const text = files[path];
      if (text === undefined) throw new Error('no such file');
      return text;
    },
    env: { CP01: 'a-secret-of-sufficient-length' },
    devices: () => devices,
  });
  return { code, out, err };
};

t.test('a good site', async (t) => {
  t.same(await check(['site.yaml'], { 'site.yaml': good }), { code: 0, out: 'site.yaml: no faults\n', err: '' });
});

t.test('a fault, as compilers print it', async (t) => {
  const { code, out } = await check(['site.yaml'], { 'site.yaml': good.replace('63 A', '63') });
  t.equal(code, 1);
  t.equal(
    out,
    `site.yaml:2:30: error: breaker of circuit main: 63 has no unit [unit-missing]
    2 | circuits: { main: { breaker: 63 } }
      |                              ^
        write 63 A

site.yaml: 1 error, 0 warnings
`
      .replace('2:31', '2:30')
      .replace('|                               ^', '|                              ^'),
  );
});

t.test('warnings pass, unless they are to count', async (t) => {
  const files = { 'site.yaml': good.replace(', phases: L1 L2 L3', '') };
  t.match(await check(['site.yaml'], files), { code: 0, out: /site\.yaml: 0 errors, 1 warning\n$/ });
  t.match(await check(['--strict', 'site.yaml'], files), { code: 1 });
});

t.test('what cannot be checked', async (t) => {
  t.match(await check(['other.yaml'], {}), { code: 2, err: 'other.yaml cannot be read: no such file\n' });
  t.match(await check([], {}), { code: 2, err: /^usage/ });
  t.match(await check(['a', 'b'], {}), { code: 2, err: /^usage/ });
  t.match(await check(['--help'], {}), { code: 0, err: /^usage/ });
});

t.test('a password in the line of a finding is not printed', async (t) => {
  const { code, out } = await check(['site.yaml'], { 'site.yaml': good.replaceAll('{ env: CP01 }', 'open-sesame') });
  t.equal(code, 0);
  t.match(out, /secret-in-the-open/);
  t.notMatch(out, /open-sesame/);
  const rendered = renderFinding(
    { file: 'f', line: 1, column: 4, severity: 'error', code: 'bad-form', message: 'm' },
    '    password: "open sesame" # why',
  );
  t.notMatch(rendered, /sesame/);
});
