// `forecourt run site.yaml`: the gateway, until it is told to stop.
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { pino, stdTimeFunctions } from 'pino';
import { JournalReader } from '../adapters/journal-sqlite/reader.js';
import { siteFiles } from '../adapters/site-files/site-files.js';
import { serviceManager } from '../adapters/service-manager/systemd.js';
import { openShelf, type DeviceShelf } from '../site-config/devices/shelf.js';
import { loadSiteText } from '../site-config/loader.js';
import { readWhereabouts } from '../site-config/whereabouts.js';
import { renderFinding } from './cli-check.js';
import { composeGateway, type RunningGateway } from './compose.js';
import { LifeSigns } from './console/life-signs.js';
import { statusLine } from './console/status-line.js';
import type { Clock } from './kernel/clock.js';
import { FAULTS } from './kernel/faults.js';
import type { Log } from './kernel/log.js';
import { seconds } from './kernel/units.js';
import { JournalUnavailable } from './ports/journal.js';
import { SiteFileUnwritable, type SiteFiles } from './ports/site-files.js';
import { takeBack } from './shell/configuration.js';
import type { Machine } from './ports/machine.js';

/** A service manager kills what takes much longer. */
const STOP_WITHIN = seconds(8);

/**
 * How much the heap may grow in percent of what lives before it is collected. V8's own choice for a large machine is
 * several times as much: with 2,000 chargers two thirds of the memory held nothing but garbage. Measured: half the memory a
 * charger for about a tenth more processor time under full load, and no difference to be seen at 500 messages a second.
 */
const HEAP_GROWTH = 50;

const USAGE = `usage: forecourt run [--log-level LEVEL] <site.yaml>

  --log-level   debug, info (default), warn or error; log lines are JSON on stdout
`;

/** The exit code that asks the service manager for a new process at once. */
const START_ANEW = 3;

/** What the gateway runs on. */
export interface Box {
  readonly clock: Clock;
  readonly machine: Machine;
}

/**
 * @returns the exit code: 0 stopped in order, 1 could not start, 2 wrong usage or a faulty site.yaml, 3 to be started
 *   again, since the journal is damaged or is not what this process believes
 */
export async function runGateway(
  args: readonly string[],
  firmwareVersion: string,
  { clock, machine }: Box,
): Promise<number> {
  const level = args.indexOf('--log-level');
  const logLevel = level === -1 ? 'info' : (args[level + 1] ?? 'info');
  const [path, ...more] = args.filter((_, i) => level === -1 || (i !== level && i !== level + 1));
  if (
    path === undefined ||
    more.length > 0 ||
    path.startsWith('-') ||
    !['debug', 'info', 'warn', 'error'].includes(logLevel)
  ) {
    process.stderr.write(USAGE);
    return path === '--help' || path === '-h' ? 0 : 2;
  }
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH}`);
  const start = await startOf(path);
  if (typeof start === 'string') {
    process.stderr.write(`${start}\n`);
    return 2;
  }
  const { files, text, devices, loaded, takenBack } = start;
  const findings = loaded.ok ? loaded.value.warnings : loaded.error;
  for (const finding of findings) process.stderr.write(`${renderFinding(finding, undefined)}\n`);
  if (!loaded.ok) {
    process.stderr.write(`${path} has faults: the gateway does not start\n`);
    return 2;
  }
  const { site } = loaded.value;
  const log = pino({ level: logLevel, base: { site: site.id }, timestamp: stdTimeFunctions.isoTime });
  process.on('unhandledRejection', (err) => log.error({ err }, 'a failure that nobody expected'));
  // Listened to from the first moment: a gateway that is told to stop while it starts stops in order, too.
  const signalled = new Promise<string>((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => resolve(name));
  });
  let up: RunningGateway | undefined;
  // Heard from the first moment, too: by itself it would end the process. What is read at the start needs no second reading.
  process.on('SIGHUP', () => {
    if (up !== undefined) void reload(up, log);
  });
  try {
    const source = { files, text, devices: () => openShelf(path), env: process.env };
    const running = await composeGateway(site, devices, clock, machine, log, firmwareVersion, source);
    if (takenBack !== undefined)
      log.warn(
        { revision: takenBack, fault: FAULTS.siteTakenBack.code },
        'the gateway fell while a change of site.yaml was on trial: it was taken back',
      );
    up = running;
    const { ocppPort, brokerPort, consolePort, gateway, journal } = running;
    log.info({ ocppPort, brokerPort, consolePort, stations: site.stations.length }, 'gateway is up');
    const lifeSigns = new LifeSigns({
      service: serviceManager(process.env, process.pid, log),
      journal,
      plannedAt: () => gateway.plannedAt,
      status: () => statusLine(running.console.status()),
      clock,
      log,
    });
    lifeSigns.ready();
    const lost = running.lost.then((fault) => ({ fault }));
    const why = await Promise.race([signalled, lost]);
    const startAnew = typeof why !== 'string';
    lifeSigns.stopping();
    if (startAnew) log.error(why, 'gateway stops, to be started again on what the disk holds');
    else log.info({ signal: why }, 'gateway stops');
    // Everything that was answered is on disk already: a neighbour that does not let go must not hold up a restart.
    const late = new Promise<'late'>((resolve) => {
      clock.after(STOP_WITHIN, () => resolve('late'));
    });
    if ((await Promise.race([running.stop(), late])) === 'late')
      log.warn({}, 'gateway stopped without waiting further');
    return startAnew ? START_ANEW : 0;
  } catch (err) {
    const fault = err instanceof JournalUnavailable ? err.fault : undefined;
    log.error({ err, ...(fault !== undefined && { fault }) }, 'the gateway cannot run');
    const code = fault === undefined ? '' : ` (${fault}: forecourt faults says what to do)`;
    process.stderr.write(`${err instanceof Error ? err.message : String(err)}${code}\n`);
    return 1;
  }
}

/** What the gateway starts with. */
interface Start {
  readonly files: SiteFiles;
  readonly text: string;
  readonly devices: DeviceShelf;
  readonly loaded: ReturnType<typeof loadSiteText>;
  /** The revision that was. */
  readonly takenBack: string | undefined;
}

/**
 * The site as its file describes it. A change that nobody has kept, and that the gateway fell under, is taken back first.
 * @returns in words why the gateway cannot start
 */
async function startOf(path: string): Promise<Start | string> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (err) {
    return `${path} cannot be read: ${err instanceof Error ? err.message : String(err)}`;
  }
  const devices = openShelf(path);
  const load = (source: string): Start['loaded'] => loadSiteText(source, path, { devices, env: process.env });
  const loaded = load(text);
  const dataDirectory = loaded.ok ? loaded.value.site.dataDirectory : whereIn(text, path);
  const files = siteFiles(path, dataDirectory ?? dirname(path));
  const asItIs = { files, text, devices, loaded, takenBack: undefined };
  if (dataDirectory === undefined) return asItIs;
  try {
    const { trial } = await files.log();
    if (trial === undefined || (await isRunning(dataDirectory))) return asItIs;
    const takenBack = await takeBack(files);
    if (takenBack === undefined) return asItIs;
    const former = await files.read();
    return { files, text: former, devices, loaded: load(former), takenBack };
  } catch (err) {
    const action = err instanceof SiteFileUnwritable ? `; ${err.action}` : '';
    return `a change of ${path} waits to be taken back, and cannot be: ${err instanceof Error ? err.message : String(err)}${action}`;
  }
}

/** Also of a file with faults, which may be those of a change on trial. */
function whereIn(text: string, path: string): string | undefined {
  const where = readWhereabouts(text, path);
  return where.ok ? where.value.dataDirectory : undefined;
}

/** Another gateway has the data directory: the trial is its own. This one will not start. */
async function isRunning(dataDirectory: string): Promise<boolean> {
  try {
    await new JournalReader(dataDirectory).lastSeq();
    return false;
  } catch (err) {
    return err instanceof JournalUnavailable && err.fault === FAULTS.journalLocked.code;
  }
}

/** SIGHUP: the file is read anew. */
async function reload({ configuration }: RunningGateway, log: Log): Promise<void> {
  try {
    const outcome = await configuration?.reload('SIGHUP');
    if (outcome === undefined) return;
    if (outcome.ok) {
      const { revision, effects } = outcome.value;
      if (effects.length === 0) log.info({ revision }, 'site.yaml was read anew, and changes nothing');
      for (const { what, effect, subject } of effects.filter((each) => each.effect === 'restart'))
        log.warn({ subject, what, effect }, 'this change of site.yaml waits for a restart');
      return;
    }
    const { message, action, findings = [], why } = outcome.error;
    log.error({ fault: FAULTS.siteFaulty.code, reason: message, action, why }, 'site.yaml was not put in force');
    for (const { severity, line, column, message: words } of findings)
      if (severity === 'error')
        log.error({ fault: FAULTS.siteFaulty.code, line, column, reason: words }, 'a fault of site.yaml');
  } catch (err) {
    log.error({ err, fault: FAULTS.siteFaulty.code }, 'site.yaml could not be read anew');
  }
}
