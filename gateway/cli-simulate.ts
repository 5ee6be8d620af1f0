// `forecourt simulate site.yaml`: an evening on the electrician's own site with simulated cars, computed in seconds, before anything is wired.
import { parseArgs } from 'node:util';
import type { Load } from '../simulation/building-load.js';
import { drawChart } from '../simulation/rehearsal/chart.js';
import { readEvening, timeOfDay, type Evening } from '../simulation/rehearsal/evening-file.js';
import { generatedCars } from '../simulation/rehearsal/generated-cars.js';
import { assumedLoads, inWords, loadOf, loadWords, type LoadDescription } from '../simulation/rehearsal/loads.js';
import type { Span } from '../simulation/rehearsal/planned-car.js';
import type { Finding } from '../site-config/finding.js';
import type { DeviceShelf } from '../site-config/devices/shelf.js';
import { loadSite } from '../site-config/loader.js';
import { renderFinding } from './cli-check.js';
import { clockTime, simulationText } from './cli-simulate-text.js';
import { rehearse } from './compose-rehearsal.js';
import type { CircuitId } from './kernel/ids.js';
import { silentLog } from './kernel/log.js';
import { milliseconds } from './kernel/units.js';
import type { Site } from './site/topology.js';

export interface SimulateIo {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** The text of a file; throws where it cannot be read. */
  readonly readFile: (path: string) => string;
  /** Throws where it cannot be written. */
  readonly writeFile: (path: string, text: string) => void;
  /** The device profiles for the site of this file. */
  readonly devices: (siteFile: string) => DeviceShelf;
}

const USAGE = `usage: forecourt simulate [options] <site.yaml>

  The gateway's own load balancing on your site with simulated cars, faster than real time: what a full evening would
  look like. Nothing is connected; chargers of every kind are simulated. deploy/SIMULATE.md explains the result.

  --from 17:00      beginning, as a time of day (default 17:00)
  --hours N         how long (default 6, at most 48)
  --cars FILE       cars, building loads and limits of the grid operator, written down (evening.yaml)
  --seed N          otherwise: other made-up cars for every number (default 1)
  --load WHERE=WHAT what else is on a circuit, such as main=20A, main=office:40A (also home, shop) or main=lift:9A;
                    may stand more than once
  --chart FILE      the currents of every circuit and phase as a picture (SVG)
  --json            the result as one JSON object
  --help            this text

  Exit code: 0 no breaker was exceeded, 1 one was, 2 wrong usage or a file with faults. A breaker counts as exceeded
  when it is above its rating for more than a minute in one go, or so far that it may open.
`;

/** The simulated day: any will do, as long as it is always the same. */
const MIDNIGHT = Date.UTC(2026, 0, 14);
const LONGEST = 48;

interface Options {
  readonly site: string;
  readonly span: Span;
  readonly cars: string | undefined;
  readonly seed: number;
  readonly loads: readonly string[];
  readonly chart: string | undefined;
  readonly json: boolean;
}

/** @returns the exit code: 0 no breaker exceeded, 1 exceeded, 2 wrong usage or faults in a file */
export async function runSimulate(args: readonly string[], io: SimulateIo): Promise<number> {
  const options = optionsOf(args);
  if (typeof options === 'string') {
    if (options === 'help') io.out(USAGE);
    else io.err(`${options}\n\n${USAGE}`);
    return options === 'help' ? 0 : 2;
  }
  try {
    return await simulate(options, io);
  } catch (err) {
    if (!(err instanceof Refusal)) throw err;
    io.err(`${err.message}\n`);
    return 2;
  }
}

/** Something that the user has to set right, in words for him. */
class Refusal extends Error {}

async function simulate(options: Options, io: SimulateIo): Promise<number> {
  const { span, seed } = options;
  const site = siteOf(options.site, io);
  const evening = options.cars === undefined ? NOTHING_WRITTEN : eveningOf(options.cars, site, span, io);
  const said = new Map([...evening.loads, ...loadsOf(options.loads, site)]);
  const assumed = assumedLoads(site, new Set(said.keys()));
  const cars = evening.cars ?? generatedCars(site, span, seed);
  const { report, chart } = await rehearse({
    site,
    cars,
    loads: new Map([...said, ...assumed].map(([id, description]): [CircuitId, Load] => [id, loadOf(description)])),
    operatorLimits: evening.operatorLimits,
    begins: MIDNIGHT + span.from,
    length: span.length,
    seed,
    // The gateway's own log of an evening that never was is of no use to anybody.
    log: silentLog,
  });
  const about = {
    title: `${site.name} (${site.id})`,
    subtitle: `${clockTime(span.from)} to ${clockTime(span.from + span.length)}, ${cars.length} ${cars.length === 1 ? 'car' : 'cars'} ${evening.cars === undefined ? `made up by seed ${seed}` : `as in ${options.cars ?? ''}`}`,
  };
  const load = [...said, ...assumed].map(([id, description]) => `${id}: ${inWords(description)}`);
  if (options.chart !== undefined) written(options.chart, drawChart(site, chart, { ...about, ...span }), io);
  if (options.json) io.out(`${JSON.stringify({ ...about, load, ...report }, undefined, 2)}\n`);
  else io.out(simulationText(report, { ...about, load, assumed: assumed.size > 0, span }));
  return report.ok ? 0 : 1;
}

const NOTHING_WRITTEN: Evening = { cars: undefined, loads: new Map(), operatorLimits: [] };

function optionsOf(args: readonly string[]): Options | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: {
        from: { type: 'string' },
        hours: { type: 'string' },
        cars: { type: 'string' },
        seed: { type: 'string' },
        load: { type: 'string', multiple: true },
        chart: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
      allowPositionals: true,
    });
    if (values.help === true) return 'help';
    const [site, ...more] = positionals;
    if (site === undefined || more.length > 0) return 'write one site.yaml';
    const from = timeOfDay(values.from ?? '17:00');
    if (from === undefined) return `--from takes a time of day such as 17:00, not "${values.from ?? ''}"`;
    const hours = Number(values.hours ?? 6);
    if (!(hours > 0 && hours <= LONGEST)) return `--hours takes a number up to ${LONGEST}, not "${values.hours ?? ''}"`;
    const seed = Number(values.seed ?? 1);
    if (!Number.isSafeInteger(seed) || seed < 0) return `--seed takes a whole number, not "${values.seed ?? ''}"`;
    return {
      site,
      span: { from, length: milliseconds(Math.round(hours * 3_600_000)) },
      cars: values.cars,
      seed,
      loads: values.load ?? [],
      chart: values.chart,
      json: values.json === true,
    };
  } catch (err) {
    return err instanceof Error ? err.message : String(err);
  }
}

/** Takes the place of every secret: a site is tried out before there are any. */
const ANY_SECRET = 'not needed to simulate';

function siteOf(path: string, io: SimulateIo): Site {
  const source = read(path, io);
  const anything = new Proxy<Record<string, string>>({}, { get: () => ANY_SECRET });
  const result = loadSite(path, {
    devices: io.devices(path),
    env: anything,
    readFile: (file) => (file === path ? source : ANY_SECRET),
  });
  if (!result.ok) throw new Refusal(told(result.error, source));
  return result.value.site;
}

function eveningOf(path: string, site: Site, span: Span, io: SimulateIo): Evening {
  const source = read(path, io);
  const result = readEvening(source, path, site, span);
  if (!result.ok) throw new Refusal(told(result.error, source));
  return result.value;
}

function loadsOf(words: readonly string[], site: Site): ReadonlyMap<CircuitId, LoadDescription> {
  const loads = new Map<CircuitId, LoadDescription>();
  for (const word of words) {
    const [, where = '', what = ''] = /^([^=]*)=(.*)$/.exec(word) ?? [];
    const circuit = site.circuits.find(({ id }) => id === where);
    const load = loadWords(what);
    if (circuit === undefined)
      throw new Refusal(`--load ${word}: write one of ${site.circuits.map(({ id }) => `${id}=20A`).join(', ')}`);
    if (load === undefined)
      throw new Refusal(`--load ${word}: write for example ${where}=20A, ${where}=office:40A or ${where}=lift:9A`);
    loads.set(circuit.id, { ...loads.get(circuit.id), ...load });
  }
  return loads;
}

function read(path: string, io: SimulateIo): string {
  try {
    return io.readFile(path);
  } catch (err) {
    throw new Refusal(`${path} cannot be read: ${err instanceof Error ? err.message : String(err)}`);
  }
}

function written(path: string, text: string, io: SimulateIo): void {
  try {
    io.writeFile(path, text);
  } catch (err) {
    throw new Refusal(`${path} cannot be written: ${err instanceof Error ? err.message : String(err)}`);
  }
}

function told(findings: readonly Finding[], source: string): string {
  const lines = source.split(/\r?\n/);
  return findings
    .filter(({ severity }) => severity === 'error')
    .map((finding) => renderFinding(finding, lines[finding.line - 1]))
    .join('\n');
}
