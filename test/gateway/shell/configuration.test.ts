// Changes of site.yaml: on trial, kept, taken back, edited in between, and with a disk that refuses or a gateway that falls.
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { siteFiles } from '../../../adapters/site-files/site-files.js';
import type { SiteFiles } from '../../../gateway/ports/site-files.js';
import { Configuration, takeBack } from '../../../gateway/shell/configuration.js';
import { inForce } from '../../../gateway/site/in-force.js';
import type { Site } from '../../../gateway/site/topology.js';
import { loadSiteText } from '../../../site-config/loader.js';
import { differenceOf, withoutPasswords } from '../../../site-config/text-difference.js';
import { FakeClock } from '../../fakes/fake-clock.js';
import { recordingLog } from '../../fakes/recording-log.js';
import { devices } from '../../site-config/devices.js';

const yaml = (breaker: number, more = ''): string => `site: { id: S1, time-zone: Europe/Berlin }
data-directory: data
circuits: { main: { breaker: ${breaker} A } }
stations: { CP1: { circuit: main, password: in-the-open-12345, evses: [{ number: 1, max-current: 16 A, fallback-current: 6 A }] } }
${more}`;

const MINUTE = 60_000;

/** A gateway, as far as its configuration goes. */
class Box {
  readonly folder = mkdtempSync(join(tmpdir(), 'forecourt-'));
  readonly file = join(this.folder, 'site.yaml');
  readonly data = join(this.folder, 'data');
  readonly clock = new FakeClock();
  readonly log = recordingLog();
  readonly told: string[] = [];
  files: SiteFiles = siteFiles(this.file, this.data);
  /** What keeps a site from being put in force. */
  broken: Error | undefined;
  site: Site;
  #configuration: Configuration | undefined;

  constructor(t: Test, text = yaml(63)) {
    mkdirSync(this.data);
    writeFileSync(this.file, text);
    this.site = this.#load(text).site;
    t.teardown(() => rmSync(this.folder, { recursive: true }));
  }

  get configuration(): Configuration {
    if (this.#configuration === undefined) throw new Error('not started');
    return this.#configuration;
  }

  get text(): string {
    return readFileSync(this.file, 'utf8');
  }

  get breaker(): number | undefined {
    return this.site.circuits[0]?.breaker;
  }

  /** @returns what was taken back */
  async start(): Promise<string | undefined> {
    const back = await takeBack(this.files);
    const text = this.text;
    this.site = this.#load(text).site;
    this.#configuration = await Configuration.open(
      {
        files: this.files,
        site: inForce(() => this.site),
        schema: {},
        check: (source) => {
          const loaded = loadSiteText(source, this.file, { devices, env: {} });
          if (!loaded.ok) return { findings: loaded.error };
          return {
            findings: loaded.value.warnings,
            candidate: {
              site: loaded.value.site,
              putInForce: async () => {
                if (this.broken !== undefined) throw this.broken;
                this.site = loaded.value.site;
              },
            },
          };
        },
        diff: differenceOf,
        told: ({ severity, text, fault }) => void this.told.push([severity, text, fault].join(' ').trim()),
        clock: this.clock,
        log: this.log,
      },
      text,
    );
    return back;
  }

  states(): readonly string[] {
    return this.configuration.history().map(({ revision, by, state }) => `${revision} ${by} ${state}`);
  }

  #load(text: string): { readonly site: Site } {
    const loaded = loadSiteText(text, this.file, { devices, env: {} });
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
    return loaded.value;
  }
}

void t.test('a change is kept with who, when and what, and nobody but us reads its text', async (t) => {
  const box = new Box(t);
  chmodSync(box.file, 0o640);
  await box.start();
  const applied = await box.configuration.apply({ text: yaml(50), by: 'anna', comment: 'new fuse' });
  t.match(applied, { ok: true, value: { revision: '2', effects: [{ subject: 'circuit/main', effect: 'live' }] } });
  t.equal(box.text, yaml(50));
  t.equal(box.breaker, 50);
  t.equal(statSync(box.file).mode & 0o777, 0o640, 'whoever could read it can read it');
  t.equal(box.configuration.now().waiting, undefined);
  const [change] = box.configuration.history();
  t.match(change, { by: 'anna', comment: 'new fuse', state: 'kept', diff: /-.*63 A[\s\S]*\+.*50 A/ });
  t.notMatch(JSON.stringify(box.configuration.history()), /in-the-open/);
  const folder = join(box.data, 'configuration');
  t.same(readdirSync(folder).toSorted(), ['1.yaml', '2.yaml', 'revisions.json'], 'nothing half is left');
  for (const name of readdirSync(folder)) t.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name);
  t.match(await box.configuration.apply({ text: yaml(50), by: 'anna' }), {
    ok: true,
    value: { revision: '2', effects: [] },
  });
  t.match(await box.configuration.revert(undefined, 'bert'), { ok: true, value: { revision: '3' } });
  t.equal(box.text, yaml(63), 'the one before');
  t.match(await box.configuration.revert('77', 'bert'), { ok: false, error: { why: 'unknown' } });
  t.same(box.states(), ['3 bert kept', '2 anna kept', '1 file kept']);
});

void t.test('a trial: in force at once, taken back by itself, or kept', async (t) => {
  const box = new Box(t);
  await box.start();
  const applied = await box.configuration.apply({ text: yaml(50), by: 'anna', confirmWithin: 5 * MINUTE });
  t.match(applied, { ok: true, value: { until: /T/ } });
  t.match(box.configuration.now(), { revision: '2', pending: { revision: '2', by: 'anna', kept: false } });
  t.match(await box.configuration.apply({ text: yaml(40), by: 'bert' }), { ok: false, error: { why: 'conflict' } });
  t.match(await box.configuration.keep('1'), { ok: false });
  await box.clock.advance(5 * MINUTE - 1000);
  t.equal(box.breaker, 50);
  await box.clock.advance(1000);
  await box.configuration.keep('nobody'); // Behind what is under way.
  t.equal(box.breaker, 63);
  t.equal(box.text, yaml(63));
  t.equal(box.configuration.now().pending, undefined);
  t.same(box.states(), ['2 anna reverted', '1 file kept']);

  await box.configuration.apply({ text: yaml(45), by: 'anna', confirmWithin: MINUTE });
  t.match(await box.configuration.keep(undefined), { ok: true, value: { revision: '3' } });
  await box.clock.advance(10 * MINUTE);
  t.equal(box.text, yaml(45));
  await box.configuration.apply({ text: yaml(44), by: 'anna', confirmWithin: MINUTE });
  t.match(await box.configuration.revert(undefined, 'bert'), { ok: true, value: { revision: '3' } }, 'before its time');
  t.equal(box.text, yaml(45));
  t.same(box.told, [
    'info anna: revision 2 of site.yaml is on trial',
    'warning nobody kept it: revision 2 of site.yaml was taken back FC-F03',
    'info anna: revision 3 of site.yaml is on trial',
    'info revision 3 of site.yaml is kept',
    'info anna: revision 4 of site.yaml is on trial',
    'warning bert: revision 4 of site.yaml was taken back FC-F03',
  ]);
});

void t.test('whatever was tried before, or is in the way, a trial is taken back', async (t) => {
  const box = new Box(t);
  const folder = join(box.data, 'configuration');
  const real = box.files;
  let full: 'folder of the revisions' | 'folder of the site' | undefined = 'folder of the revisions';
  const noRoom = (): Promise<never> => Promise.reject(new Error(`no room in the ${full}`));
  box.files = {
    ...real,
    saveText: (...what) => (full === 'folder of the revisions' ? noRoom() : real.saveText(...what)),
    write: (text) => (full === 'folder of the site' ? noRoom() : real.write(text)),
  };
  await box.start();
  full = undefined;
  await box.configuration.apply({ text: yaml(50), by: 'anna', confirmWithin: MINUTE });
  await box.clock.advance(MINUTE);
  await box.configuration.keep('nobody');
  t.equal(box.text, yaml(63), 'what was there at the start could not be kept then');

  const [kept] = box.configuration.history();
  const tried = Array.from({ length: 99 }, (_, i) => ({
    ...kept,
    at: 0,
    revision: String(i + 2),
    state: 'reverted',
    diff: '',
  }));
  const first = { ...tried[0], revision: '1', state: 'kept' };
  writeFileSync(join(folder, 'revisions.json'), JSON.stringify({ revisions: [first, ...tried] }));
  writeFileSync(join(folder, '1.yaml'), yaml(63));
  await box.start();
  await box.configuration.apply({ text: yaml(50), by: 'anna', confirmWithin: MINUTE });
  t.equal(box.configuration.history().length, 100);
  await box.clock.advance(MINUTE);
  await box.configuration.keep('nobody');
  t.equal(box.text, yaml(63), 'many others were tried and taken back since it was kept');
  t.equal(box.configuration.now().revision, '1');

  await box.configuration.apply({ text: yaml(50), by: 'anna', confirmWithin: MINUTE });
  box.broken = new Error('its CSMS cannot be read from the disk');
  await box.clock.advance(MINUTE);
  await box.configuration.keep('nobody');
  t.equal(box.breaker, 50);
  t.ok(box.configuration.now().pending, 'it is tried again');
  box.broken = undefined;
  full = 'folder of the site';
  await box.clock.advance(MINUTE);
  await box.configuration.keep('nobody');
  t.equal(box.breaker, 63);
  full = undefined;
  await box.clock.advance(MINUTE);
  await box.configuration.keep('nobody');
  t.equal(box.text, yaml(63));
  t.equal(box.configuration.now().pending, undefined);
  t.notOk(readdirSync(folder).includes('edited.yaml'), 'nobody has edited it');
  const errors = box.log.lines.length;
  await box.clock.advance(10 * MINUTE);
  t.equal(box.log.lines.length, errors, 'and that is all');
});

void t.test('a fall ends a trial, an ordered stop only suspends it', async (t) => {
  const box = new Box(t);
  await box.start();
  await box.configuration.apply({ text: yaml(50), by: 'anna', confirmWithin: 5 * MINUTE });
  await box.clock.advance(3 * MINUTE);
  await box.configuration.stop();
  await box.clock.advance(60 * MINUTE);
  t.equal(await box.start(), undefined, 'the time that nobody ran does not count');
  t.equal(box.breaker, 50);
  await box.clock.advance(2 * MINUTE - 1000);
  t.equal(box.breaker, 50);
  await box.clock.advance(1000);
  await box.configuration.keep('nobody');
  t.equal(box.breaker, 63);

  await box.configuration.apply({ text: yaml(40), by: 'anna', confirmWithin: 60 * MINUTE });
  await box.configuration.stop();
  await box.start();
  t.equal(await box.start(), '3', 'suspended once, and fallen since');
  t.equal(box.text, yaml(63));
  t.equal(await box.start(), undefined, 'once is enough');
  t.same(box.states(), ['3 anna reverted', '2 anna reverted', '1 file kept']);

  // The power fails before the file has the text that is on trial.
  const real = box.files;
  const reached = new Promise<void>((resolve) => {
    box.files = {
      ...real,
      write: () => {
        resolve();
        return new Promise<void>(() => undefined);
      },
    };
  });
  await box.start();
  void box.configuration.apply({ text: yaml(30), by: 'anna', confirmWithin: MINUTE });
  await reached;
  box.files = real;
  t.equal(await box.start(), undefined, 'there is nothing to take back');
  t.equal(box.text, yaml(63));
  t.equal(box.states()[0], '4 anna reverted');
});

void t.test('an edit by hand is put in force by a reload, and lost by nothing', async (t) => {
  const box = new Box(t);
  await box.start();
  t.match(await box.configuration.reload('SIGHUP'), { ok: true, value: { effects: [] } });
  writeFileSync(box.file, yaml(55));
  t.match(await box.configuration.apply({ text: yaml(40), by: 'anna' }), { ok: false, error: { message: /edited/ } });
  t.match(await box.configuration.revert(undefined, 'anna'), { ok: false });
  t.match(await box.configuration.reload('SIGHUP'), { ok: true, value: { revision: '2' } });
  t.equal(box.breaker, 55);
  writeFileSync(box.file, `${yaml(55)}nonsense: 1\n`);
  const refused = await box.configuration.reload('SIGHUP');
  t.match(refused, {
    ok: false,
    error: { why: 'faults', message: /:5:1: .*nonsense/ },
  });
  t.equal(box.breaker, 55);
  writeFileSync(box.file, yaml(55));
  await box.configuration.apply({ text: yaml(50), by: 'anna', confirmWithin: MINUTE });
  writeFileSync(box.file, yaml(52));
  t.match(await box.configuration.reload('SIGHUP'), { ok: false, error: { why: 'conflict' } });
  await box.configuration.revert(undefined, 'anna');
  t.equal(box.text, yaml(55));
  t.equal(readFileSync(join(box.data, 'configuration', 'edited.yaml'), 'utf8'), yaml(52));
  // Edited while nobody ran.
  writeFileSync(box.file, yaml(48));
  await box.start();
  t.equal(box.states()[0], '4 file kept');
});

void t.test('what cannot be written, read or put in force changes nothing', async (t) => {
  const box = new Box(t);
  await box.start();
  box.broken = new Error('no room for another CSMS');
  t.match(await box.configuration.apply({ text: yaml(50), by: 'anna', confirmWithin: MINUTE }), {
    ok: false,
    error: { why: 'failed', message: /no room/ },
  });
  box.broken = undefined;
  t.equal(box.text, yaml(63));
  t.equal(box.configuration.now().pending, undefined);
  t.same(box.states(), ['1 file kept']);
  t.match(await box.configuration.apply({ text: yaml(50).replace(': data', ': other'), by: 'anna' }), {
    ok: false,
    error: { message: /data-directory/ },
  });

  const real = join(box.folder, 'real.yaml');
  writeFileSync(real, box.text);
  rmSync(box.file);
  symlinkSync(real, box.file);
  t.match(await box.configuration.apply({ text: yaml(50), by: 'anna' }), {
    ok: false,
    error: { why: 'unwritable', message: /symbolic link/, action: /reload/ },
  });
  t.equal(box.breaker, 63);
  t.same(box.states(), ['1 file kept']);
  rmSync(join(box.data, 'configuration'), { recursive: true });
  writeFileSync(join(box.data, 'configuration'), 'a file in the way');
  rmSync(box.file);
  writeFileSync(box.file, yaml(63));
  t.match(await box.configuration.apply({ text: yaml(50), by: 'anna' }), { ok: false, error: { why: 'unwritable' } });
  t.equal(box.text, yaml(63));
  rmSync(join(box.data, 'configuration'));
  mkdirSync(join(box.data, 'configuration'));
  writeFileSync(join(box.data, 'configuration', 'revisions.json'), '{"revisions":[{}]}');
  await t.rejects(box.start(), /no revision/, 'a log that cannot be read is not taken for none');
});

void t.test('passwords are masked however they are written', (t) => {
  const secrets = [
    'plain-secret-1',
    'quoted secret 2',
    'flow-secret-3',
    'url-secret-4',
    'block-secret-5',
    'torn-secret-6',
  ];
  const text = `stations:
  A: { password: flow-secret-3, circuit: main }
csms:
  one: { url: 'wss://me:url-secret-4@example.org/x' }
  two:
    password: plain-secret-1 # of the operator
  three:
    "password": "quoted secret 2"
  four:
    password: |
      block-secret-5
  five: { password: { file: secrets/five } }
`;
  for (const each of [text, `${text}  six: { password: torn-secret-6, [\n`])
    for (const secret of secrets) t.notMatch(withoutPasswords(each), secret, secret);
  t.match(withoutPasswords(text), /of the operator[\s\S]*secrets\/five/);
  t.equal(differenceOf(text, text.replace('plain-secret-1', 'other')), '', 'not even that it has changed');
  t.end();
});
