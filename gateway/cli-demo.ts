// `forecourt demo`: the gateway on a simulated site over real sockets, to look at or, with --once, to prove that all books agree.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { destination, pino } from 'pino';
import { demoLoads, demoSite, demoVersion } from '../simulation/demo-site.js';
import { DEMO_UPLINK_LOSSES, runEvening, type EveningReport, type GatewayUnderTest } from '../simulation/evening.js';
import { fastClock } from '../simulation/fast-clock.js';
import { SimulatedSite } from '../simulation/site.js';
import { composeGateway, type RunningGateway } from './compose.js';
import type { Clock } from './kernel/clock.js';
import type { Log } from './kernel/log.js';
import { systemClock } from './system-clock.js';
import { topicRoot } from './telemetry/topics.js';

export interface DemoIo {
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: NodeJS.WritableStream;
}

const USAGE = `usage: forecourt demo [options]

  A gateway with eight EVSEs (OCPP 1.6, OCPP 2.0.1 and Modbus), two meters, a lift and two clouds, all simulated, all
  over real sockets. Nothing has to be configured. Ctrl-C ends it.

  --seconds N   end after N seconds
  --speed N     how much faster than the wall time passes (default 1; with --once 10)
  --seed N      another evening of drivers (default 1)
  --data DIR    keep the journal and the log here (default: a temporary directory, removed at the end)
  --once        every EVSE does one visit, some with the uplink cut; then all books are compared
  --json        print the result of --once as one JSON object
  --help        this text

  Exit code of --once: 0 when cars, chargers, journal and clouds agree, 1 when they do not.
`;

interface DemoOptions {
  readonly seconds: number | undefined;
  readonly speed: number | undefined;
  readonly seed: number;
  readonly data: string | undefined;
  readonly once: boolean;
  readonly json: boolean;
}

/** @returns the exit code: 0 in order, 1 the books disagree or the demo could not run, 2 wrong usage */
export async function runDemo(args: readonly string[], io: DemoIo): Promise<number> {
  const options = optionsOf(args);
  if (options === 'help' || typeof options === 'string') {
    (options === 'help' ? io.stdout : io.stderr).write(options === 'help' ? USAGE : `${options}\n\n${USAGE}`);
    return options === 'help' ? 0 : 2;
  }
  const data = options.data ?? (await mkdtemp(join(tmpdir(), 'forecourt-demo-')));
  try {
    return options.once ? await once(data, options, io) : 1;
  } catch (err) {
    io.stderr.write(`the demo could not run: ${err instanceof Error ? (err.stack ?? err.message) : String(err)}\n`);
    return 1;
  } finally {
    if (options.data === undefined) await rm(data, { recursive: true, force: true });
  }
}

function optionsOf(args: readonly string[]): DemoOptions | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        seconds: { type: 'string' },
        speed: { type: 'string' },
        seed: { type: 'string' },
        data: { type: 'string' },
        once: { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help === true) return 'help';
    const number = (name: 'seconds' | 'speed' | 'seed'): number | undefined => {
      const text = values[name];
      if (text === undefined) return undefined;
      const value = Number(text);
      if (!(value > 0)) throw new RangeError(`--${name} takes a number above 0, not "${text}"`);
      return value;
    };
    return {
      seconds: number('seconds'),
      speed: number('speed'),
      seed: number('seed') ?? 1,
      data: values.data,
      once: values.once === true,
      json: values.json === true,
    };
  } catch (err) {
    return err instanceof Error ? err.message : String(err);
  }
}

/** Both ways round, one after the other: a 2.0.1 authority with a 1.6 observer, and a 1.6 authority with a 2.0.1 observer. */
async function once(data: string, options: DemoOptions, io: DemoIo): Promise<number> {
  const clock = fastClock(options.speed ?? 10, systemClock);
  const tell = (text: string): void => void (options.json || io.stdout.write(`${text}\n`));
  const evening = async (authority: '1.6' | '2.0.1'): Promise<EveningReport> => {
    const directory = join(data, `authority-${authority}`);
    return withGateway(directory, authority, clock, (simulated, running, log) =>
      runEvening(simulated, underTest(running, simulated), clock, log, {
        charge: 25,
        uplink: DEMO_UPLINK_LOSSES,
        progress: (text) => tell(`${authority} authority: ${text}`),
      }),
    );
  };
  const evenings = [await evening('2.0.1'), await evening('1.6')];
  const result = {
    ok: evenings.every(({ ok }) => ok),
    visits: evenings.flatMap(({ authority, visits }) => visits.map((visit) => ({ authority, ...visit }))),
    csms: evenings.flatMap(({ authority, csms }) => csms.map((each) => ({ authority, ...each }))),
    circuits: evenings.flatMap(({ authority, circuits }) => circuits.map((each) => ({ authority, ...each }))),
    differences: evenings.flatMap(({ authority, differences }) => differences.map((each) => ({ authority, ...each }))),
  };
  if (options.json) io.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
  else for (const each of evenings) io.stdout.write(summary(each));
  return result.ok ? 0 : 1;
}

/** Starts the demo site and a gateway on it, hands both over, and ends both in order whatever happens. */
async function withGateway<T>(
  dataDirectory: string,
  authority: '1.6' | '2.0.1',
  clock: Clock,
  use: (simulated: SimulatedSite, running: RunningGateway, log: Log) => Promise<T>,
): Promise<T> {
  await mkdir(dataDirectory, { recursive: true });
  const file = destination({ dest: join(dataDirectory, 'demo.log'), sync: true });
  const log = pino({ level: 'info', base: null }, file);
  const simulated = await SimulatedSite.start(demoSite({ dataDirectory, authority }), clock, log, {
    loads: demoLoads,
    version: demoVersion,
  });
  try {
    const running = await composeGateway(simulated.site, clock, log, '0.0.0-demo');
    try {
      return await use(simulated, running, log);
    } finally {
      await running.stop();
    }
  } finally {
    await simulated.stop();
    file.end();
  }
}

function underTest(
  { gateway, journal, ocppPort, brokerPort }: RunningGateway,
  { site }: SimulatedSite,
): GatewayUnderTest {
  if (ocppPort === undefined || brokerPort === undefined) throw new Error('the demo site has chargers and a broker');
  return {
    journal,
    ocppPort,
    brokerPort,
    topicRoot: topicRoot('forecourt', site.id),
    views: () => gateway.views.map((view) => view.status()),
    settled: () =>
      gateway.views.every((view) => view.status().accepted) &&
      site.stations.every(({ id }) => gateway.live.station(id)?.booted === true) &&
      [...gateway.live.connectors()].every(({ status }) => status === 'Available'),
  };
}

function summary({ ok, authority, visits, csms, circuits, differences }: EveningReport): string {
  const lines = [`\nauthority ${authority}: ${ok ? 'all books agree' : 'THE BOOKS DISAGREE'}`];
  for (const visit of visits) {
    const failed = visit.steps.find((step) => !step.ok);
    const trouble = failed === undefined ? '' : `  failed at ${failed.step} ${failed.name}: ${failed.detail ?? ''}`;
    lines.push(
      `  EVSE ${visit.evse}  ${visit.station}  ${visit.protocol.padEnd(9)}  ${String(visit.energy).padStart(5)} Wh  ` +
        `${visit.steps.filter((step) => step.ok).length}/8 steps  uplink ${visit.uplink}${trouble}`,
    );
  }
  for (const { name, ocpp, role, transactions, energy } of csms) {
    lines.push(
      `  ${name.padEnd(9)} OCPP ${ocpp.padEnd(5)} ${role.padEnd(9)}  ${transactions} transactions, ${energy} Wh`,
    );
  }
  for (const { circuit, breaker, highest, overload } of circuits) {
    lines.push(
      `  ${circuit.padEnd(9)} ${breaker} A: highest ${highest.L1} / ${highest.L2} / ${highest.L3} A, overload ${overload} As`,
    );
  }
  for (const { where, visit, what, expected, found } of differences) {
    lines.push(
      `  ! ${where}${visit === undefined ? '' : ` ${visit}`}: ${what}, expected ${expected ?? '-'}, found ${found ?? '-'}`,
    );
  }
  return `${lines.join('\n')}\n`;
}
