// `npm run bench`: the whole gateway against its baselines in the same run. Options: --quick, --json FILE, --suite A,B,
// --only SUBJECT,SUBJECT, --rounds N, --seconds N, --profile FOLDER (a CPU profile of each gateway process).
import { fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { LoadRequest, LoadResult, Suite } from './load.js';
import { median } from './statistics.js';
import { baselines, gateway, messageOf, type Counted, type Subject } from './subjects.js';

interface Measured extends LoadResult {
  /** Messages with meter values that came out at all CSMSs together. */
  readonly forwarded: number;
}

type Figure = 'perSecond' | 'cpu' | 'p50' | 'p99' | 'kbPerCharger' | 'stormTime';

interface Plan {
  readonly suite: Suite;
  readonly rounds: number;
  readonly load: Pick<LoadRequest, 'chargers' | 'warmUp' | 'seconds' | 'rate'>;
  readonly subjects: readonly Subject[];
  readonly figures: readonly Figure[];
}

const TITLES: Record<Figure, string> = {
  perSecond: 'round trips/s',
  cpu: 'CPU s per 10,000',
  p50: 'p50 ms',
  p99: 'p99 ms',
  kbPerCharger: 'KB per charger',
  stormTime: 'storm ms',
};

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    suite: { type: 'string' },
    only: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    profile: { type: 'string' },
  },
});

function plans(): readonly Plan[] {
  const profile = options.profile === undefined ? {} : { profile: options.profile };
  const whole = gateway({
    ...profile,
    name: 'forecourt',
    about: 'the whole gateway, both CSMSs at their default interval',
  });
  const every = gateway({
    ...profile,
    name: 'forecourt-1s',
    about: 'the same, both CSMSs ask for a sample every second',
    interval: 1,
  });
  const unknown = gateway({
    ...profile,
    name: 'forecourt-unknown',
    about: 'the same, values of a transaction that nobody has given',
    knownTransaction: false,
  });
  const { quick } = options;
  const only = options.only?.split(',');
  const suites = options.suite?.split(',');
  const rounds = (usual: number): number =>
    options.rounds === undefined ? (quick ? 1 : usual) : Number(options.rounds);
  const seconds = (usual: number): number => Number(options.seconds ?? usual);
  const all: readonly Plan[] = [
    {
      suite: 'closed',
      rounds: rounds(3),
      load: { chargers: 200, warmUp: quick ? 1.5 : 2.5, seconds: seconds(quick ? 1.5 : 2.5), rate: 0 },
      subjects: [...baselines, whole, unknown],
      figures: ['perSecond', 'cpu', 'p50', 'p99'],
    },
    {
      suite: 'rate',
      rounds: rounds(2),
      load: { chargers: 500, warmUp: quick ? 1 : 1.5, seconds: seconds(quick ? 2 : 3), rate: 500 },
      subjects: [...baselines, whole, every],
      figures: ['p50', 'p99', 'cpu'],
    },
    {
      suite: 'hold',
      rounds: 1,
      load: { chargers: quick ? 500 : 2000, warmUp: 0, seconds: 2, rate: 0 },
      subjects: [...baselines, whole],
      figures: ['kbPerCharger'],
    },
    {
      suite: 'storm',
      rounds: rounds(2),
      load: { chargers: quick ? 200 : 500, warmUp: 2, seconds: 0, rate: 0 },
      subjects: [...baselines, whole],
      figures: ['stormTime', 'cpu'],
    },
  ];
  return all
    .filter(({ suite }) => suites?.includes(suite) ?? true)
    .map((plan) => ({ ...plan, subjects: plan.subjects.filter(({ name }) => only?.includes(name) ?? true) }));
}

async function measure(subject: Subject, { suite, load }: Plan): Promise<Measured> {
  const running = await subject.start(load.chargers);
  try {
    const child = fork(fileURLToPath(new URL('./load.js', import.meta.url)));
    const told = messageOf<{ result: LoadResult } | { failure: string }>(child);
    const { port, pid } = running;
    child.send({ suite, port, pid, ...load, knownTransaction: subject.knownTransaction } satisfies LoadRequest);
    const answer = await told;
    if ('failure' in answer) throw new Error(`${subject.name}, ${suite}: ${answer.failure}`);
    const counted: Counted = await running.counted();
    if (counted.unreadable > 0) throw new Error(`${subject.name} sent ${counted.unreadable} unreadable messages`);
    return { ...answer.result, forwarded: counted.values };
  } finally {
    await running.stop();
  }
}

const rounded = (value: number): number => Number(value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2));

/** The middle of all rounds, so that one disturbed round does not decide. */
function middle(results: readonly Measured[], figure: Figure | 'otherCores' | 'errors' | 'forwarded'): number {
  return rounded(median(results.map((result) => result[figure] ?? NaN)));
}

/** How the gateway stands to a baseline, always as gateway / baseline. */
function ratios(plan: Plan, results: ReadonlyMap<string, readonly Measured[]>) {
  const own = results.get('forecourt');
  if (own === undefined) return {};
  const of = (name: string) =>
    Object.fromEntries(
      plan.figures.map((figure) => [figure, rounded(middle(own, figure) / middle(results.get(name) ?? [], figure))]),
    );
  return Object.fromEntries(baselines.filter(({ name }) => results.has(name)).map(({ name }) => [name, of(name)]));
}

function show(plan: Plan, results: ReadonlyMap<string, readonly Measured[]>): void {
  const { chargers, rate } = plan.load;
  process.stdout.write(
    `\n${plan.suite}: ${chargers} chargers${rate > 0 ? `, ${rate} messages/s` : ''}, middle of ${plan.rounds}\n`,
  );
  const head = ['', ...plan.figures.map((figure) => TITLES[figure]), 'values at CSMSs', 'errors', 'other cores'];
  const rows = [...results].map(([name, each]) => [
    name,
    ...plan.figures.map((figure) => String(middle(each, figure))),
    String(middle(each, 'forwarded')),
    String(middle(each, 'errors')),
    String(middle(each, 'otherCores')),
  ]);
  for (const row of [head, ...rows])
    process.stdout.write(`  ${row.map((cell, i) => (i === 0 ? cell.padEnd(18) : cell.padStart(17))).join('')}\n`);
  for (const [name, of] of Object.entries(ratios(plan, results)))
    process.stdout.write(
      `  forecourt / ${name}: ${Object.entries(of)
        .map(([figure, x]) => `${figure} ${x}`)
        .join(', ')}\n`,
    );
}

const report: Record<string, unknown> = {
  at: new Date().toISOString(),
  node: process.version,
  cpu: cpus()[0]?.model,
  cores: cpus().length,
};
process.stdout.write(`${String(report['cpu'])}, ${cpus().length} cores, Node ${process.version}\n`);
for (const plan of plans()) {
  const results = new Map<string, Measured[]>();
  // Rounds are interleaved: a slow minute of the machine meets every subject.
  for (let round = 0; round < plan.rounds; round++) {
    for (const subject of plan.subjects) {
      const result = await measure(subject, plan);
      results.set(subject.name, [...(results.get(subject.name) ?? []), result]);
    }
  }
  show(plan, results);
  report[plan.suite] = { ...plan.load, results: Object.fromEntries(results), ratios: ratios(plan, results) };
}
process.stdout.write(
  '\nOnly ratios within one run mean anything: this machine may have been busy with other things, and the load and the CSMSs ' +
    'share its cores with what is measured. "other cores" is what they and everybody else used.\n',
);
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, undefined, 2)}\n`);
