// The command line: finds the command and hands over.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { networkInterfaces, userInfo } from 'node:os';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { openShelf } from '../site-config/devices/shelf.js';
import type { ActName } from './cli-act.js';
import { runCheck } from './cli-check.js';

const USAGE = `usage: forecourt <command> [options]

  run <site.yaml>     the gateway
  check <site.yaml>   every fault of the file, with what to write instead, and the electrical review
  apply <site.yaml>   another site.yaml under the running gateway, for good or until nobody keeps it
  keep, revert, history
                      what becomes of such changes: who, when and what
  discover            looks for chargers and meters on the network and serial ports, prints what to write into site.yaml
  commission [station]
                      tries a station out: limits, pause, watchdog, which phase is which; writes the report
  status              stations, EVSEs, transactions, circuits and CSMSs of the running gateway
  explain <evse>      why an EVSE has the current it has
  start, stop, unlock, reserve, release, needs <evse>
                      acts of the site: charging begins or ends, the cable is let go, an EVSE kept for a card, a car's departure
  journal             what waits for which CSMS, dead letters and why; redrive, export
  upgrade <file>      puts a signed release into use, and goes back by itself if the site does not come back
  trace <station>     what goes over the wire of a station, or of a CSMS, as it comes
  users               who may use the console: list, add, password, role, remove
  demo                the gateway on a simulated site: no hardware, no configuration
                      --once --json: every EVSE does one visit, all books are compared
  simulate <site.yaml>
                      an evening on your own site with simulated cars, before anything is wired
  faults              the catalogue of faults: code, meaning, what to do

Each command explains its options with --help.
`;

const version = (): string => {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
};

const io = {
  out: (text: string): void => void process.stdout.write(text),
  err: (text: string): void => void process.stderr.write(text),
  readFile: (path: string): string => readFileSync(path, 'utf8'),
};

/** The first line of stdin, for what nobody should read in a list of processes. */
async function firstLine(): Promise<string> {
  for await (const line of createInterface({ input: process.stdin })) return line;
  return '';
}

/** What `cli-act` does; named here so that no other command loads it. */
const ACTS: readonly string[] = ['start', 'stop', 'unlock', 'reserve', 'release', 'needs'] satisfies readonly ActName[];
const isAct = (command: string | undefined): command is ActName => command !== undefined && ACTS.includes(command);

/** Adapters keep their names here over a restart. */
const SERIAL_PORTS = '/dev/serial/by-id';
const serialPorts = (): readonly string[] =>
  existsSync(SERIAL_PORTS) ? readdirSync(SERIAL_PORTS).map((name) => `${SERIAL_PORTS}/${name}`) : [];

/** Resolves when it was taken: an export is larger than the memory should hold, and a pipe is cut off by the exit. */
const writeOut = (piece: string | Uint8Array): Promise<void> =>
  new Promise((resolve, reject) => {
    process.stdout.write(piece, (err) => (err === null || err === undefined ? resolve() : reject(err)));
  });

async function main([command, ...args]: readonly string[]): Promise<number> {
  if (isAct(command)) {
    const { runAct } = await import('./cli-act.js');
    const { systemClock } = await import('./system-clock.js');
    return runAct(command, args, { ...io, now: () => systemClock.now() });
  }
  switch (command) {
    case 'run': {
      const { runGateway } = await import('./cli-run.js');
      const { systemClock } = await import('./system-clock.js');
      const { systemMachine } = await import('./system-machine.js');
      return runGateway(args, version(), { clock: systemClock, machine: systemMachine() });
    }
    case 'check':
      return runCheck(args, {
        ...io,
        env: process.env,
        devices: openShelf,
      });
    case 'status':
    case 'explain': {
      const { runExplain, runStatus } = await import('./cli-status.js');
      return (command === 'status' ? runStatus : runExplain)(args, io);
    }
    case 'apply':
    case 'keep':
    case 'revert':
    case 'history': {
      const { runApply } = await import('./cli-apply.js');
      return runApply(command, args, { ...io, user: process.env['SUDO_USER'] ?? process.env['USER'] });
    }
    case 'journal': {
      const { runJournal } = await import('./cli-journal.js');
      // Whoever reads an export may have seen enough.
      process.stdout.once('error', () => process.exit(1));
      return runJournal(args, { ...io, write: writeOut });
    }
    case 'upgrade':
    case 'settle':
    case 'migrate': {
      const { runMigrate, runSettle, runUpgrade } = await import('./cli-upgrade.js');
      const { systemClock } = await import('./system-clock.js');
      if (command === 'migrate') return runMigrate(args, io);
      const release = fileURLToPath(new URL('../..', import.meta.url));
      const box = { ...io, clock: systemClock, version: version(), release, env: process.env };
      return command === 'settle' ? runSettle(box) : runUpgrade(args, box);
    }
    case 'trace': {
      const { runTrace } = await import('./cli-trace.js');
      process.stdout.once('error', () => process.exit(1));
      return runTrace(args, { ...io, write: writeOut });
    }
    case 'users': {
      const { runUsers } = await import('./cli-users.js');
      const { systemClock } = await import('./system-clock.js');
      return runUsers(args, { ...io, clock: systemClock, readLine: firstLine });
    }
    case 'demo': {
      const { runDemo } = await import('./cli-demo.js');
      return runDemo(args, { stdout: process.stdout, stderr: process.stderr });
    }
    case 'simulate': {
      const { runSimulate } = await import('./cli-simulate.js');
      const writeFile = (path: string, text: string): void => writeFileSync(path, text);
      return runSimulate(args, { ...io, writeFile, devices: openShelf });
    }
    case 'discover': {
      const { runDiscover } = await import('./cli-discover.js');
      const { systemClock } = await import('./system-clock.js');
      return runDiscover(args, {
        ...io,
        writeNewFile: (path, text) => writeFileSync(path, text, { flag: 'wx' }),
        interfaces: () => Object.values(networkInterfaces()).flatMap((each) => each ?? []),
        serialPorts,
        devices: openShelf,
        clock: systemClock,
      });
    }
    case 'commission': {
      const { runCommission } = await import('./cli-commission.js');
      const { systemClock } = await import('./system-clock.js');
      const interrupted = new Promise<void>((resolve) => process.once('SIGINT', () => resolve()));
      return runCommission(args, { ...io, clock: systemClock, interrupted, user: userInfo().username });
    }
    case 'faults': {
      const { FAULTS } = await import('./kernel/faults.js');
      for (const { code, means, action } of Object.values(FAULTS))
        process.stdout.write(`${code}  ${means}\n        ${action}\n`);
      return 0;
    }
    case '--version':
    case '-v':
      process.stdout.write(`${version()}\n`);
      return 0;
    case undefined:
    case '--help':
    case '-h':
    case 'help':
      process.stdout.write(USAGE);
      return command === undefined ? 2 : 0;
    default:
      process.stderr.write(`there is no command ${command}\n\n${USAGE}`);
      return 2;
  }
}

// Commands may leave sockets in closing: the exit code is set, and the process ends when they are gone or at the latest now.
process.exit(await main(process.argv.slice(2)));
