// The profiles that come along, and those that lie beside a site.yaml.
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { runCheck } from '../../../gateway/cli-check.js';
import { readProfile } from '../../../site-config/devices/profile.js';
import { chargerProfile, openShelf, unverified, whenSilent } from '../../../site-config/devices/shelf.js';

const KEBA = 'site-config/devices/chargers/keba-p30.yaml';

function folder(t: Test): { readonly site: string; readonly devices: string } {
  const made = mkdtempSync(join(tmpdir(), 'forecourt-shelf-'));
  t.teardown(() => rmSync(made, { recursive: true, force: true }));
  mkdirSync(join(made, 'devices'));
  return { site: join(made, 'site.yaml'), devices: join(made, 'devices') };
}

const site = (device: string): string => `
site: { id: TEST-01 }
circuits: { main: { breaker: 32 A } }
stations:
  WB01:
    device: ${device}
    connection: tcp://10.0.0.9
    circuit: main
    start: { free: DEPOT }
    evses: [{ number: 1, max-current: 16 A, phases: L1 L2 L3, fallback-current: 6 A }]
csms: { operator: { url: 'wss://csms.example/ocpp', password: { env: PASSWORD } } }
`;

async function check(file: string): Promise<{ readonly code: number; readonly out: string }> {
  let out = '';
  const io = {
    out: (text: string): void => void (out += text),
    err: (text: string): void => void (out += text),
    readFile: (path: string): string => readFileSync(path, 'utf8'),
    env: { PASSWORD: 'a-password-of-16-or-more' },
    devices: openShelf,
  };
  return { code: await runCheck([file], io), out };
}

t.test('a profile beside site.yaml is a device like any other', async (t) => {
  const { site: file, devices } = folder(t);
  copyFileSync(KEBA, join(devices, 'my-box.yaml'));
  writeFileSync(file, site('my-box'));
  const { code, out } = await check(file);
  t.equal(code, 0, out);
  t.match(out, /not everything about my-box is sure/);
  const shelf = openShelf(file);
  t.ok(shelf.chargers.includes('my-box'));
  t.notOk(openShelf().chargers.includes('my-box'), 'and of this site only');
});

t.test('one of the same name replaces ours', (t) => {
  const { site: file, devices } = folder(t);
  writeFileSync(join(devices, 'keba-p30.yaml'), readFileSync(KEBA, 'utf8').replace('number: 255', 'number: 1'));
  const found = openShelf(file).find('keba-p30');
  t.match(found, { ok: true, value: { unit: { unit: 1 } } });
  t.match(openShelf().find('keba-p30'), { ok: true, value: { unit: { unit: 255 } } });
  t.end();
});

t.test('what is wrong with it is said with its own file and line, and once', async (t) => {
  const { site: file, devices } = folder(t);
  const broken = join(devices, 'my-box.yaml');
  writeFileSync(broken, readFileSync(KEBA, 'utf8').replace('setpoint: Setpoint.Current', 'setpoint: Setpoint.Curent'));
  writeFileSync(file, site('my-box'));
  const { code, out } = await check(file);
  t.equal(code, 1);
  t.match(out, `${broken}:45:13: error: there is no register Setpoint.Curent [unknown-register]`);
  t.match(out, /1 error, 0 warnings/);
});

t.test('a device that nobody knows', async (t) => {
  const { site: file } = folder(t);
  writeFileSync(file, site('keba-p3o'));
  const { code, out } = await check(file);
  t.equal(code, 1);
  t.match(out, /there is no device profile keba-p3o \[unknown-device\]/);
  t.match(out, /did you mean keba-p30\?/);
});

t.test('the example of the manual is a good profile', (t) => {
  const example = /```yaml\n([^]*?)```/.exec(readFileSync('deploy/DEVICES.md', 'utf8'))?.[1] ?? '';
  t.match(readProfile('acme', example, 'deploy/DEVICES.md'), { ok: true, value: { kind: 'charger', vendor: 'Acme' } });
  t.end();
});

t.test('the manual lists every device', (t) => {
  const manual = readFileSync('deploy/DEVICES.md', 'utf8');
  const { chargers, meters } = openShelf();
  const rows = [...manual.matchAll(/^\| `([^`]+)` +\| (charger|meter)/gm)].map(
    ([, name = '', kind = '']) => `${kind} ${name}`,
  );
  t.same(rows.sort(), [...chargers.map((name) => `charger ${name}`), ...meters.map((name) => `meter ${name}`)].sort());
  t.end();
});

t.test('the manual says of each charger what its profile says of a silent gateway', (t) => {
  const manual = readFileSync('deploy/DEVICES.md', 'utf8');
  const shelf = openShelf();
  const says = {
    'falls back': /^falls back /,
    'keeps its last limit': /^\*\*keeps its last limit\*\*/,
    'takes all it can get': /^\*\*takes all it can get\*\*/,
    'does what nobody knows': /^\*\*nobody knows\*\*/,
  };
  for (const name of shelf.chargers) {
    const row = manual.split('\n').find((line) => line.startsWith(`| \`${name}\` `)) ?? '';
    const [silence = '', beside = '', unsure = ''] = row
      .split('|')
      .slice(4)
      .map((cell) => cell.trim());
    const profile = chargerProfile(shelf, name);
    t.match(silence, says[whenSilent(shelf, name) ?? 'falls back'], name);
    t.equal(beside.includes('cards'), profile.reader !== undefined, `${name}: cards`);
    t.equal(beside.includes('phase switching'), profile.phases !== undefined, `${name}: phases`);
    t.equal(unsure !== '', unverified(shelf, name).length > 0, `${name}: not verified`);
  }
  t.end();
});
