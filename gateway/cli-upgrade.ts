// `forecourt upgrade`: a signed release into use, watched, and back by itself. Also the two commands that releases and the service
// manager call: `settle` before each start, `migrate` for the journal.
import { appendFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { migrateJournal } from '../adapters/journal-sqlite/migrate.js';
import { ReleaseFolder } from '../adapters/releases/folder.js';
import { JournalFile } from '../adapters/releases/journal-file.js';
import { takeLock, type Lock } from '../adapters/releases/lock.js';
import { runRelease } from '../adapters/releases/program.js';
import { serviceControl, type UpgradableService } from '../adapters/service-manager/control.js';
import { clientOf, findSite, type ConsoleIo } from './cli-console.js';
import { prepareFormer, prepareRelease, type Asked, type Site } from './cli-upgrade-prepare.js';
import type { Clock } from './kernel/clock.js';
import { FAULTS } from './kernel/faults.js';
import { milliseconds, toRfc3339 } from './kernel/units.js';
import type { Health, SiteStatus } from './ports/console.js';
import {
  UpgradeRefused,
  type Course,
  type Observation,
  type Outcome,
  type ServiceControl,
} from './ports/installation.js';
import { settle, Upgrade } from './upgrades/upgrade.js';

const USAGE = `usage: forecourt upgrade [--force] [--trial MIN] [--site FILE] <file>
       forecourt upgrade --back [--trial MIN] [--site FILE]
       forecourt upgrade --status

  <file>        a release: forecourt-<version>-<platform>.tar.gz, signed
  --back        to the release that was in use before, in the same way
  --force       also an older version, or the same one once more
  --trial MIN   how many minutes the site may take to come back (10)
  --status      which releases are here, what is under way, how the last upgrade ended
  --site FILE   the site, /etc/forecourt/site.yaml

It goes on without whoever asked for it: the session may be cut off.
exit code: 0 the new release is kept, 1 nothing has changed or the former release runs again, 2 wrong usage
`;

/** Tells the launcher that the service has to wait (EX_TEMPFAIL of sysexits.h). */
const WAIT = 75;
const FOLLOW_EVERY = milliseconds(500);

export interface UpgradeBox extends ConsoleIo {
  readonly clock: Clock;
  /** Of the release that this program is of, and its folder. */
  readonly version: string;
  readonly release: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

function places({ env, release }: UpgradeBox): Site {
  const home = env['FORECOURT_HOME'] ?? '/opt/forecourt';
  const packaged = env['FORECOURT_PACKAGED'] ?? '/usr/lib/forecourt/release';
  return {
    folder: new ReleaseFolder({ home, packaged }),
    home,
    lock: join(home, 'upgrade.lock'),
    keys: ['/etc/forecourt/keys', join(release, 'keys')],
  };
}

export async function runUpgrade(args: readonly string[], box: UpgradeBox): Promise<number> {
  const asked = readArguments(args);
  if (asked === undefined) {
    box.err(USAGE);
    return args.includes('--help') || args.includes('-h') ? 0 : 2;
  }
  // The service's user reads what is unpacked here, however careful root's own shell is.
  process.umask(0o022);
  const machine = places(box);
  if (asked.status) return status(machine.folder, box);
  const service = serviceControl(join(machine.home, 'service-control'));
  try {
    if (asked.carryOn) return await carryOn(machine, service, box);
    return await upgrade(asked, machine, service, box);
  } catch (err) {
    const fault = err instanceof UpgradeRefused ? ` (${err.fault}: forecourt faults says what to do)` : '';
    box.err(`not upgraded: ${err instanceof Error ? err.message : String(err)}${fault}\n`);
    return 1;
  }
}

function readArguments(args: readonly string[]): Asked | undefined {
  const values = new Map<string, string>();
  const flags = new Set<string>();
  const files: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const argument = args[at] ?? '';
    if (argument === '--trial' || argument === '--site') values.set(argument, args[++at] ?? '');
    else if (['--force', '--back', '--status', '--continue'].includes(argument)) flags.add(argument);
    else if (argument.startsWith('-')) return undefined;
    else files.push(argument);
  }
  const trial_min = Number(values.get('--trial') ?? 10);
  const ways = files.length + [...flags].filter((flag) => flag !== '--force').length;
  if (ways !== 1 || values.get('--site') === '' || !(trial_min >= 1 && trial_min <= 24 * 60)) return undefined;
  return {
    file: files[0],
    site: values.get('--site') ?? '/etc/forecourt/site.yaml',
    trial_min,
    force: flags.has('--force'),
    back: flags.has('--back'),
    status: flags.has('--status'),
    carryOn: flags.has('--continue'),
  };
}

/** Prepares in the open, and hands over to the service that carries it out. */
async function upgrade(
  asked: Asked,
  machine: Site,
  service: UpgradableService | undefined,
  box: UpgradeBox,
): Promise<number> {
  const { folder } = machine;
  if (service === undefined)
    throw new Error('nobody here restarts the gateway; in a container, start the image of the new release instead');
  const siteFile = resolve(asked.site);
  const site = findSite(siteFile, box);
  if (!site.ok) throw new Error(site.error);
  if (site.value.console === undefined)
    throw new Error('the console is switched off in site.yaml, so that nobody could see whether the site comes back');
  folder.releases();
  const lock = takeLock(machine.lock);
  if (lock === undefined || folder.course() !== undefined) {
    lock?.release();
    throw new Error('an upgrade is under way already: forecourt upgrade --status');
  }
  let course: Course;
  try {
    const before = await observe(siteFile, box);
    if (before === undefined) box.out('the gateway does not answer: nothing is known of what has to come back\n');
    const known = { siteFile, dataDirectory: site.value.dataDirectory, before, version: box.version };
    course = asked.back ? prepareFormer(asked, machine, known) : await prepareRelease(asked, machine, known, box.out);
    rmSync(log(machine), { force: true });
    folder.writeCourse(course);
  } finally {
    lock.release();
  }
  try {
    await service.carryOut();
  } catch (err) {
    withdraw(course, machine, box, err instanceof Error ? err.message : String(err));
    throw err;
  }
  return follow(course, machine, box);
}

/** What nobody could be told to carry out must not begin by itself at the next boot. */
function withdraw(
  { toVersion, from }: Course,
  { folder, lock: file }: Site,
  { clock }: UpgradeBox,
  reason: string,
): void {
  const lock = takeLock(file);
  // Who holds it carries it out after all.
  if (lock === undefined) return;
  try {
    if (folder.course()?.stage === 'prepared')
      folder.endCourse({ version: toVersion, from, outcome: 'returned', reason, at: toRfc3339(clock.now()) });
  } finally {
    lock.release();
  }
}

const log = ({ home }: Site): string => join(home, 'upgrade.log');

/** Shows what the service says, until there is a verdict. */
async function follow(course: Course, machine: Site, { clock, out }: UpgradeBox): Promise<number> {
  let shown = 0;
  const show = (): void => {
    const text = existsSync(log(machine)) ? readFileSync(log(machine), 'utf8') : '';
    out(text.slice(shown));
    shown = text.length;
  };
  while (machine.folder.course() !== undefined) {
    show();
    await new Promise<void>((done) => void clock.after(FOLLOW_EVERY, done));
  }
  show();
  const last = machine.folder.last();
  return last?.outcome === 'kept' && last.version === course.toVersion ? 0 : 1;
}

async function carryOn(machine: Site, service: UpgradableService | undefined, box: UpgradeBox): Promise<number> {
  const lock = takeLock(machine.lock);
  // Who holds it does what is to be done, or is about to write what is.
  if (lock === undefined) return 1;
  try {
    const course = machine.folder.course();
    if (course === undefined) return 0;
    const say = (line: string): void => {
      box.out(`${line}\n`);
      appendFileSync(log(machine), `${line}\n`);
    };
    const control = service ?? atRest;
    say(verdict(await theUpgrade(machine, control, box, say).carryOn(course)));
    return 0;
  } finally {
    lock.release();
  }
}

const verdict = ({ outcome, version, from, reason }: Outcome): string =>
  outcome === 'kept'
    ? `release ${version} is kept`
    : `release ${version} is not kept, ${from} runs again: ${reason ?? ''} (${FAULTS.upgradeReturned.code})`;

/** The service is starting at this moment, or nobody can start it. */
const atRest: ServiceControl = { stop: () => Promise.resolve(), start: () => Promise.resolve() };

const theUpgrade = (machine: Site, service: ServiceControl, box: UpgradeBox, say: (line: string) => void): Upgrade =>
  new Upgrade({
    installation: machine.folder,
    journal: ({ dataDirectory }) =>
      new JournalFile(dataDirectory, (release, folder) => {
        const ran = runRelease(machine.folder.folder(release), ['migrate', folder], dataDirectory);
        if (!ran.ok) throw new Error(`release ${release} cannot use the journal: ${ran.text}`);
      }),
    service,
    observe: ({ siteFile }) => observe(siteFile, box),
    clock: box.clock,
    say,
  });

/** What the gateway of this site says of itself; undefined where none answers. */
async function observe(siteFile: string, box: UpgradeBox): Promise<Observation | undefined> {
  const site = findSite(siteFile, box);
  const client = site.ok ? clientOf(site.value) : undefined;
  if (!site.ok || client === undefined) return undefined;
  const status = await client.ask(site.value.site, '/api/status');
  const health = await client.ask(site.value.site, '/health');
  if (!status.ok || !health.ok) return undefined;
  const { version, stations, csms } = status.value as unknown as SiteStatus;
  return {
    version,
    failing: (health.value as unknown as Health).checks
      .filter((check) => check.status === 'failing')
      .map(({ check, reason }) => `${check}: ${reason ?? 'fails'}`),
    stations: stations.filter(({ connected }) => connected).map(({ station }) => station),
    csms: csms.filter(({ connected, accepted }) => connected && accepted).map((each) => each.csms),
  };
}

function status(folder: ReleaseFolder, { out }: UpgradeBox): number {
  const course = folder.course();
  const last = folder.last();
  out(`in use: ${folder.current() ?? 'nothing'}\n`);
  out(`before: ${folder.former() ?? 'nothing'}\n`);
  if (course !== undefined) out(`under way: ${course.from} to ${course.to} (${course.stage})\n`);
  if (last !== undefined) out(`last upgrade, ${last.at}: ${verdict(last)}\n`);
  return 0;
}

/** `settle`: before each start of the service. */
export async function runSettle(box: UpgradeBox): Promise<number> {
  const machine = places(box);
  let lock: Lock | undefined;
  try {
    lock = takeLock(machine.lock);
    const say = (line: string): void => box.err(`${line}\n`);
    const upgrading = theUpgrade(machine, atRest, box, say);
    return (await settle(machine.folder, lock !== undefined, upgrading)) === 'wait' ? WAIT : 0;
  } finally {
    lock?.release();
  }
}

/** `migrate <folder>`: the journal there, to this release's form. */
export function runMigrate([folder, ...more]: readonly string[], io: Pick<ConsoleIo, 'err'>): Promise<number> {
  if (folder === undefined || more.length > 0) {
    io.err('usage: forecourt migrate <data-directory>\n');
    return Promise.resolve(2);
  }
  try {
    migrateJournal(folder);
    return Promise.resolve(0);
  } catch (err) {
    io.err(`${err instanceof Error ? err.message : String(err)}\n`);
    return Promise.resolve(1);
  }
}
