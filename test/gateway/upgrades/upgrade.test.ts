// An upgrade on a disk: kept, gone back from, and cut off at every single change of the disk.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { connect, STORE_VERSION } from '../../../adapters/journal-sqlite/database.js';
import { migrateJournal } from '../../../adapters/journal-sqlite/migrate.js';
import { ReleaseFolder } from '../../../adapters/releases/folder.js';
import { JournalFile } from '../../../adapters/releases/journal-file.js';
import { runUpgrade } from '../../../gateway/cli-upgrade.js';
import { PACKAGED, type Course, type Observation, type ServiceControl } from '../../../gateway/ports/installation.js';
import { settle, Upgrade } from '../../../gateway/upgrades/upgrade.js';
import { judge, MOST_STARTS, STEADY, type Trial } from '../../../gateway/upgrades/verdict.js';
import { compareVersions, isVersion } from '../../../gateway/upgrades/version.js';
import { milliseconds, minutes, seconds } from '../../../gateway/kernel/units.js';
import { FakeClock } from '../../fakes/fake-clock.js';
import { freePort } from '../../peers/free-port.js';
import { withPowerCut } from '../../peers/power-cut.js';

const OLD = '0.1.0+aaaaaaaa';
const NEW = '0.2.0+bbbbbbbb';

/** What a release is made of, as far as an upgrade can tell. */
interface Kind {
  /** In which it writes the journal. */
  readonly form: number;
  readonly healthy: boolean;
  /** It ends as soon as it has opened the journal. */
  readonly crashes?: boolean;
}

interface Stored {
  readonly form: number;
  readonly entries: readonly string[];
}

/** A machine with a service manager; its processes die with the power. */
class Machine {
  readonly root = mkdtempSync(join(tmpdir(), 'upgrade-'));
  readonly home = join(this.root, 'home');
  readonly packaged = join(this.root, 'packaged');
  readonly data = join(this.root, 'data');
  readonly clock = new FakeClock();
  readonly folder = new ReleaseFolder({ home: this.home, packaged: this.packaged });
  readonly said: string[] = [];
  running: string | undefined;
  /** Somebody carries an upgrade out. */
  carriedOut = false;

  constructor(
    readonly kinds: Readonly<Record<string, Kind>>,
    readonly from: string,
  ) {
    for (const folder of [this.home, this.data]) mkdirSync(folder);
    for (const name of Object.keys(kinds)) {
      const bin = join(this.folder.folder(name), 'bin');
      mkdirSync(bin, { recursive: true });
      writeFileSync(join(bin, 'forecourt'), `#!/bin/sh\necho ${name} "$@"\n`);
      chmodSync(join(bin, 'forecourt'), 0o755);
    }
    if (from !== PACKAGED) this.folder.putIntoUse(from);
    this.write({ form: 1, entries: ['before'] });
    this.open(from);
  }

  #kind(name: string): Kind {
    const kind = this.kinds[name];
    if (kind === undefined) throw new Error(`no release ${name}`);
    return kind;
  }

  stored(): Stored {
    return JSON.parse(readFileSync(join(this.data, 'journal.db'), 'utf8')) as Stored;
  }

  /** As a database does it: wholly or not at all. */
  write(stored: Stored, folder = this.data): void {
    const file = join(folder, 'journal.db');
    writeFileSync(`${file}.next`, JSON.stringify(stored));
    renameSync(`${file}.next`, file);
  }

  migrate(release: string, folder: string): void {
    const file = join(folder, 'journal.db');
    const stored = JSON.parse(readFileSync(file, 'utf8')) as Stored;
    const { form } = this.#kind(release);
    if (stored.form > form) throw new Error(`${release} cannot read form ${stored.form}`);
    this.write({ ...stored, form }, folder);
  }

  /** A gateway that starts. @throws Error where it cannot: the site is dead */
  open(release: string): void {
    this.migrate(release, this.data);
    const stored = this.stored();
    this.write({ ...stored, entries: [...stored.entries, release] });
    this.running = this.#kind(release).crashes === true ? undefined : release;
  }

  /** What `launch` hands over to. */
  chosen(command: string): string {
    const { stdout } = spawnSync('sh', ['deploy/package/launch', command], {
      encoding: 'utf8',
      env: { ...process.env, FORECOURT_HOME: this.home, FORECOURT_PACKAGED: this.packaged },
    });
    return stdout.split(' ')[0]?.trim() ?? '';
  }

  /** The service's start: `settle`, then the program; once more every two seconds while that falls. */
  async start(): Promise<void> {
    for (let attempt = 0; attempt < 6 && this.running === undefined; attempt++) {
      const atRest: ServiceControl = { stop: () => Promise.resolve(), start: () => Promise.resolve() };
      if ((await settle(this.folder, !this.carriedOut, this.upgrade(atRest))) === 'start') {
        const release = this.folder.current();
        if (release === undefined) throw new Error('nothing to start');
        this.open(release);
      }
    }
  }

  upgrade(service: ServiceControl): Upgrade {
    return new Upgrade({
      installation: this.folder,
      journal: ({ dataDirectory }) => {
        const file = new JournalFile(dataDirectory, (release, folder) => this.migrate(release, folder));
        // The form stands elsewhere in this journal than SQLite has it.
        return Object.assign(file, { form: () => this.stored().form });
      },
      service,
      observe: () => Promise.resolve(this.observe()),
      clock: this.clock,
      say: (line) => this.said.push(line),
    });
  }

  observe(): Observation | undefined {
    if (this.running === undefined) return undefined;
    const version = this.running === PACKAGED ? '0.1.0' : (this.running.split('+')[0] ?? '');
    const { healthy } = this.#kind(this.running);
    return { version, failing: [], stations: healthy ? ['CP01'] : [], csms: [] };
  }

  course(): Course {
    return {
      stage: 'prepared',
      from: this.from,
      to: NEW,
      toVersion: '0.2.0',
      store: this.#kind(NEW).form,
      siteFile: 'site.yaml',
      dataDirectory: this.data,
      baseline: { stations: ['CP01'], csms: [] },
      trial_min: 1,
    };
  }

  /** Whoever carries it out, from where the disk says it is to its end. */
  async carryOut(): Promise<void> {
    const course = this.folder.course();
    if (course === undefined) return;
    this.carriedOut = true;
    const service: ServiceControl = {
      stop: () => {
        this.running = undefined;
        return Promise.resolve();
      },
      start: () => this.start(),
    };
    let over = false;
    const upgrading = this.upgrade(service)
      .carryOn(course)
      .finally(() => {
        over = true;
        this.carriedOut = false;
      });
    // Seen to at once: it may fail while the time is being moved.
    upgrading.catch(() => undefined);
    while (!over) await this.clock.advance(2_000);
    await upgrading;
  }

  /** The power comes back: the service starts, and whatever was under way is carried on. */
  async boot(): Promise<void> {
    this.running = undefined;
    this.carriedOut = false;
    await this.start();
  }

  remove(): void {
    rmSync(this.root, { recursive: true });
  }
}

const GOOD: Kind = { form: 1, healthy: true };

function machine(t: Test, next: Kind, from = OLD): Machine {
  const made = new Machine({ [PACKAGED]: GOOD, [OLD]: GOOD, [NEW]: next }, from);
  t.teardown(() => made.remove());
  return made;
}

void t.test('a healthy release is kept beside the former one, and its journal with it', async (t) => {
  for (const form of [1, 2]) {
    const box = machine(t, { form, healthy: true });
    mkdirSync(join(box.home, 'releases/0.0.9+cccccccc/bin'), { recursive: true });
    box.folder.writeCourse(box.course());
    t.equal(box.chosen('upgrade'), OLD, 'the former release watches');
    await box.carryOut();
    t.match(box.folder.last(), { outcome: 'kept', version: '0.2.0', from: OLD });
    t.equal(box.running, NEW);
    t.equal(box.chosen('run'), NEW);
    t.equal(box.folder.former(), OLD);
    t.same(readdirSync(join(box.home, 'releases')).sort(), [OLD, NEW], 'two releases on the disk');
    t.same(box.stored(), { form, entries: ['before', OLD, NEW] });
    t.same(readdirSync(box.data), ['journal.db'], 'the copy for the way back is gone');
  }
});

void t.test('one that does not become healthy, or falls, is gone back from with its journal', async (t) => {
  for (const [next, reason] of [
    [{ form: 2, healthy: false }, /after 1 min: stations not back: CP01/],
    [{ form: 2, healthy: true, crashes: true }, /started more than 3 times/],
    [{ form: 0, healthy: true }, /cannot read form 1/],
  ] as const) {
    for (const from of [OLD, PACKAGED]) {
      const box = machine(t, next, from);
      box.folder.writeCourse(box.course());
      await box.carryOut();
      t.match(box.folder.last(), { outcome: 'returned', reason, from });
      t.equal(box.running, from);
      t.equal(box.chosen('run'), from);
      t.same(box.stored(), { form: 1, entries: ['before', from, from] }, 'the journal as it was');
      if (next.form === 2) {
        const kept = JSON.parse(readFileSync(join(box.data, 'journal.db.newer'), 'utf8')) as Stored;
        t.ok(kept.entries.includes(NEW), 'and what came in meanwhile is not thrown away');
      }
      t.notOk(existsSync(join(box.home, 'releases', NEW)), 'the failed release is gone');
    }
  }
});

void t.test('nobody watches: the starts alone bring a falling release back', async (t) => {
  const box = machine(t, { form: 1, healthy: true, crashes: true });
  box.folder.writeCourse({ ...box.course(), stage: 'trial' });
  box.folder.putIntoUse(NEW);
  await box.boot();
  t.equal(box.running, OLD);
  t.match(box.folder.last(), { outcome: 'returned', reason: /started more than 3 times/ });
});

void t.test('without an own release the launcher falls back to the one that is there', (t) => {
  const box = machine(t, GOOD);
  rmSync(join(box.home, 'releases', OLD), { recursive: true });
  t.equal(box.chosen('run'), PACKAGED);
  t.equal(box.chosen('settle'), '', 'nothing is under way, nothing is asked');
  t.end();
});

void t.test('a service that cannot be started: nothing is left that would begin at the next boot', async (t) => {
  const box = machine(t, GOOD);
  box.folder.putIntoUse(NEW);
  symlinkSync(join('releases', OLD), join(box.home, 'former'));
  writeFileSync(join(box.home, 'releases', OLD, 'package.json'), '{ "version": "0.1.0", "store": 1 }');
  writeFileSync(join(box.home, 'service-control'), '#!/bin/sh\necho no such unit >&2\nexit 1\n', { mode: 0o755 });
  rmSync(join(box.data, 'journal.db'));
  const site = join(box.root, 'site.yaml');
  const console = `127.0.0.1:${await freePort()}`;
  writeFileSync(site, `site: { id: S1 }\ndata-directory: ${box.data}\nconsole: { listen: '${console}' }\n`);
  const errors: string[] = [];
  const code = await runUpgrade(['--back', '--site', site], {
    out: () => undefined,
    err: (text) => errors.push(text),
    readFile: (path) => readFileSync(path, 'utf8'),
    clock: box.clock,
    version: '0.2.0',
    release: box.root,
    env: { FORECOURT_HOME: box.home, FORECOURT_PACKAGED: box.packaged },
  });
  t.equal(code, 1);
  t.match(errors.join(''), /not upgraded: .*carry-out failed: no such unit/);
  t.equal(box.folder.course(), undefined);
  t.match(box.folder.last(), { outcome: 'returned', from: NEW, reason: /no such unit/ });
  t.equal(box.chosen('run'), NEW);
});

/** Where it stands after everything has been carried to its end. */
function finished(t: Test, box: Machine, where: string): void {
  const { running } = box;
  const last = box.folder.last();
  t.equal(box.folder.course(), undefined, `${where}: nothing is left under way`);
  t.ok(running === box.from || running === NEW, `${where}: ${running ?? 'nothing'} runs`);
  t.equal(running, last?.outcome === 'kept' ? NEW : box.from, `${where}: the verdict says what runs`);
  t.equal(box.folder.current(), running, where);
  const stored = box.stored();
  t.ok(stored.entries.includes('before'), `${where}: the journal is there`);
  t.equal(stored.form, box.kinds[running ?? '']?.form, `${where}: in the form of what runs`);
  t.notOk(existsSync(join(box.data, 'upgrade')), `${where}: no copy is left`);
}

const endings: readonly (readonly [string, Kind, string])[] = [
  ['kept, the journal as it is', { form: 1, healthy: true }, OLD],
  ['kept, the journal migrated', { form: 2, healthy: true }, PACKAGED],
  ['not healthy, the journal migrated', { form: 2, healthy: false }, OLD],
  ['falls, the journal migrated', { form: 2, healthy: true, crashes: true }, PACKAGED],
];
for (const [name, next, from] of endings)
  void t.test(`${name}: a power cut at every change of the disk leaves a release that starts`, async (t) => {
    let cuts = 0;
    for (let n = 1; ; n++) {
      const box = machine(t, next, from);
      box.folder.writeCourse(box.course());
      if (!(await withPowerCut(n, () => box.carryOut()))) break;
      cuts++;
      // It may go again while it comes back.
      await withPowerCut(1 + (n % 7), () => box.boot());
      await withPowerCut(Infinity, () => box.boot());
      t.ok(box.running === from || box.running === NEW, `cut ${n}: ${box.running ?? 'nothing'} runs at once`);
      await withPowerCut(Infinity, () => box.carryOut());
      finished(t, box, `cut ${n}`);
    }
    t.comment(`${cuts} cuts`);
    t.ok(cuts > 15, 'there were changes to cut');
  });

void t.test('the form of a journal that was closed in order, and a migration of it by this release', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'form-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = new JournalFile(folder, () => undefined);
  t.equal(file.form(), undefined);
  migrateJournal(folder);
  t.notOk(existsSync(join(folder, 'journal.db')), 'where there is none, none is made');
  connect(join(folder, 'journal.db')).close();
  t.equal(file.form(), STORE_VERSION);
  migrateJournal(folder);
  t.same(readdirSync(folder), ['journal.db'], 'it leaves no log behind');
  writeFileSync(join(folder, 'journal.db'), 'not a database'.repeat(1000));
  t.throws(() => migrateJournal(folder), { name: 'JournalUnavailable' });
  t.end();
});

void t.test('the verdict', (t) => {
  const seen: Observation = { version: '0.2.0', failing: [], stations: ['CP01', 'CP02'], csms: ['operator'] };
  const trial = (changed: Partial<Trial>): Trial => ({
    course: { toVersion: '0.2.0', trial_min: 10, baseline: { stations: ['CP01'], csms: ['operator'] } },
    seen,
    starts: 1,
    elapsed: seconds(60),
    wellFor: milliseconds(0),
    ...changed,
  });
  const waits = (changed: Partial<Trial>, missing: RegExp): void => {
    t.match(judge(trial(changed)), { kind: 'wait', missing: [missing] });
    t.match(judge(trial({ ...changed, elapsed: minutes(10) })), { kind: 'return', reason: missing });
  };
  t.same(judge(trial({})), { kind: 'wait', missing: [] }, 'not for long enough');
  t.same(judge(trial({ wellFor: STEADY })), { kind: 'keep' });
  t.same(
    judge(trial({ elapsed: minutes(10) })),
    { kind: 'wait', missing: [] },
    'well at the last moment: a little longer',
  );
  waits({ seen: undefined }, /does not answer/);
  waits({ seen: { ...seen, version: '0.1.0' } }, /0\.1\.0 runs/);
  waits({ seen: { ...seen, stations: ['CP02'] } }, /stations not back: CP01/);
  waits({ seen: { ...seen, csms: [] } }, /CSMS not back: operator/);
  waits({ seen: { ...seen, failing: ['balancing: no plan'] } }, /balancing: no plan/);
  t.match(judge(trial({ starts: MOST_STARTS + 1, wellFor: STEADY })), { kind: 'return' });
  t.end();
});

void t.test('versions', (t) => {
  const rising = ['0.9.9', '0.10.0-alpha', '0.10.0-alpha.1', '0.10.0-rc.2', '0.10.0-rc.10', '0.10.0', '1.0.0'];
  for (const [at, version] of rising.entries()) {
    t.ok(isVersion(version));
    for (const [other, against] of rising.entries())
      t.equal(Math.sign(compareVersions(version, against)), Math.sign(at - other), `${version} and ${against}`);
  }
  for (const text of ['1.0', '../../etc', '1.0.0/..', `1.0.${'0'.repeat(40)}`]) t.notOk(isVersion(text), text);
  t.end();
});
