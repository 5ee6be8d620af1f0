// `forecourt demo`: the gateway on a simulated site over real sockets, to look at or, with --once, to prove that all books agree.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DEMO_UPLINK_LOSSES, runEvening, type EveningReport } from '../simulation/evening.js';
import { fastClock } from '../simulation/fast-clock.js';
import { CLEAR, drawSite, inOneLine, onScreen, SHOW_CURSOR, type SitePicture } from '../simulation/live-table.js';
import type { SimulatedSite } from '../simulation/site.js';
import { BUSY, Traffic } from '../simulation/traffic.js';
import { underTest, withGateway, type Version } from './cli-demo-site.js';
import { showTrouble } from './cli-trouble.js';
import type { RunningGateway } from './compose.js';
import { csmsId } from './kernel/ids.js';
import { seconds } from './kernel/units.js';
import { systemClock } from './system-clock.js';

export interface DemoIo {
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: NodeJS.WritableStream;
}

const USAGE = `usage: forecourt demo [options]

  A gateway with eight EVSEs (OCPP 1.6, OCPP 2.0.1 and Modbus), two meters, a lift and two clouds, all simulated, all
  over real sockets, and the console's page on it. Nothing has to be configured. Ctrl-C ends it.

  --seconds N   end after N seconds
  --speed N     how much faster than the wall time passes (default 1; with --once 10)
  --seed N      another evening of drivers (default 1)
  --authority V the version that the authorizing cloud speaks, 1.6 or 2.0.1; the observing one speaks the other
                (default 2.0.1; with --once both, one after the other)
  --data DIR    keep the journal and the log here (default: a temporary directory, removed at the end)
  --once        every EVSE does one visit, some with the uplink cut; then all books are compared
  --trouble     a building load that jumps, a charger that falls silent, one that does not obey, a meter that dies;
                then what became of the breakers (default speed 6: half a minute)
  --json        print the result of --once or --trouble as one JSON object
  --help        this text

  Exit code of --once: 0 when cars, chargers, journal and clouds agree, 1 when they do not.
  Exit code of --trouble: 0 when every breaker held and every trouble was met, 1 otherwise.
`;

interface DemoOptions {
  readonly seconds: number | undefined;
  readonly speed: number | undefined;
  readonly seed: number;
  readonly authority: Version | undefined;
  readonly data: string | undefined;
  readonly once: boolean;
  readonly trouble: boolean;
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
    if (options.trouble) return await showTrouble({ ...options, data }, io.stdout);
    return options.once ? await once(data, options, io) : await live(data, options, io);
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
        authority: { type: 'string' },
        data: { type: 'string' },
        once: { type: 'boolean' },
        trouble: { type: 'boolean' },
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
    const { authority } = values;
    if (authority !== undefined && authority !== '1.6' && authority !== '2.0.1') {
      throw new RangeError(`--authority is 1.6 or 2.0.1, not "${authority}"`);
    }
    return {
      authority,
      seconds: number('seconds'),
      speed: number('speed'),
      seed: number('seed') ?? 1,
      data: values.data,
      once: values.once === true,
      trouble: values.trouble === true,
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
  const evening = async (authority: Version): Promise<EveningReport> => {
    const directory = join(data, `authority-${authority}`);
    return withGateway({ dataDirectory: directory, authority, clock }, (simulated, running) =>
      runEvening(simulated, underTest(running, simulated), clock, {
        charge: 25,
        uplink: DEMO_UPLINK_LOSSES,
        progress: (text) => tell(`${authority} authority: ${text}`),
      }),
    );
  };
  const evenings: EveningReport[] = [];
  for (const authority of options.authority === undefined ? (['2.0.1', '1.6'] as const) : [options.authority]) {
    evenings.push(await evening(authority));
  }
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

/** A busy afternoon until Ctrl-C: a table on a terminal, a line every five seconds elsewhere. */
async function live(data: string, options: DemoOptions, io: DemoIo): Promise<number> {
  const clock = fastClock(options.speed ?? 1, systemClock);
  const setting = { dataDirectory: data, authority: options.authority ?? '2.0.1', clock } as const;
  return withGateway(setting, async (simulated, running, log) => {
    simulated.connect(underTest(running, simulated).ocppPort);
    const traffic = new Traffic(simulated, csmsId('operator'), clock, log, { ...BUSY, seed: options.seed });
    traffic.start();
    const { stdout } = io;
    const screen = stdout.isTTY === true;
    const began = clock.monotonic();
    const draw = (): void => {
      const shown = picture(simulated, running, traffic, (clock.monotonic() - began) / 1000);
      stdout.write(screen ? onScreen(drawSite(shown), stdout.columns ?? 120) : `${inOneLine(shown)}\n`);
    };
    if (screen) stdout.write(CLEAR);
    else if (running.consolePort !== undefined) stdout.write(`the console's page: ${pageOf(running)}\n`);
    const cancel = systemClock.every(seconds(screen ? 1 : 5), draw);
    draw();
    await ended(options.seconds);
    cancel();
    draw();
    if (screen) stdout.write(`${SHOW_CURSOR}\n`);
    await traffic.stop();
    return 0;
  });
}

const pageOf = ({ consolePort }: RunningGateway): string | undefined =>
  consolePort === undefined ? undefined : `http://127.0.0.1:${consolePort}/`;

/** Resolves on Ctrl-C, on SIGTERM, or after so many seconds of wall time. */
function ended(after: number | undefined): Promise<void> {
  return new Promise((resolve) => {
    const signals = ['SIGINT', 'SIGTERM'] as const;
    const done = (): void => {
      for (const signal of signals) process.off(signal, done);
      cancel();
      resolve();
    };
    const cancel = after === undefined ? () => undefined : systemClock.after(seconds(after), done);
    for (const signal of signals) process.once(signal, done);
  });
}

function picture(simulated: SimulatedSite, running: RunningGateway, traffic: Traffic, elapsed: number): SitePicture {
  const { site, world } = simulated;
  const { gateway } = running;
  return {
    title: `${site.name} (${site.id})`,
    page: pageOf(running),
    elapsed,
    uplink: [...simulated.csms.values()].every((server) => server.up),
    evses: [...world.evses].map(([number, { evse }]) => {
      const seen = gateway.live.evse(number);
      const transaction = seen?.transaction;
      const energy = transaction && (transaction.register ?? 0) - (transaction.meterStart ?? transaction.register ?? 0);
      const connector = gateway.live.connector(number, 1);
      const charging = transaction === undefined ? undefined : connector?.chargingState;
      return {
        evse: number,
        station: evse.station,
        protocol: simulated.protocolOf(number),
        status: charging ?? connector?.status ?? 'unknown',
        car: traffic.carAt(number),
        current: world.currentOf(number),
        limit: seen?.offered,
        kiloWattHours: energy === undefined ? undefined : energy / 1000,
      };
    }),
    circuits: world.circuits().map(({ circuit, current, charging }) => ({
      circuit: circuit.id,
      breaker: circuit.breaker,
      current,
      charging,
    })),
    csms: site.csms.map(({ id, ocpp, role }) => {
      const status = gateway.views.find((view) => view.csms === id)?.status();
      return {
        name: id,
        ocpp,
        role,
        accepted: status?.accepted === true && status.connected,
        queued: status?.queued ?? 0,
        dead: status?.dead ?? 0,
      };
    }),
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
