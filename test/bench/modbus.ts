// `npm run bench -- modbus`: polls of 50 TCP slaves, and of 32 units on one RTU line, against modbus-serial on the same slaves;
// then the line with one dead unit, and with 10 million bytes of garbage. Options: --rounds N, --seconds N.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Measured } from './peers/modbus-master.js';
import type { Flood, Ports } from './peers/modbus-slaves.js';
import { machineBusy, median } from './statistics.js';

const TCP_SLAVES = 50;
const UNITS = 32;
const GARBAGE = 10_000_000;
const SUBJECTS = ['forecourt', 'modbus-serial'] as const;

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, seconds: { type: 'string', default: '6' } },
});
const rounds = Number(options.rounds);
const seconds = Number(options.seconds);

type Subject = (typeof SUBJECTS)[number];
interface Scenario {
  readonly name: string;
  readonly kind: 'tcp' | 'rtu';
  readonly dead?: number;
  readonly flooded?: true;
}

const SCENARIOS: readonly Scenario[] = [
  { name: `${TCP_SLAVES} TCP slaves`, kind: 'tcp' },
  { name: `${UNITS} units on a line`, kind: 'rtu' },
  { name: `the same, one of them dead`, kind: 'rtu', dead: 1 },
  { name: `the same, ${GARBAGE / 1e6} million bytes of garbage`, kind: 'rtu', flooded: true },
];

const program = (name: string, ...args: readonly (string | number)[]): ChildProcess =>
  fork(fileURLToPath(new URL(`./peers/${name}.js`, import.meta.url)), args.map(String));

/** The next message that is of a kind; fails where the process ends first. */
async function told<T>(child: ChildProcess, is: (message: unknown) => message is T): Promise<T> {
  const gone = once(child, 'exit').then(([code]: unknown[]) => {
    throw new Error(`the process ended with ${String(code)}`);
  });
  for (;;) {
    const [message] = (await Promise.race([once(child, 'message'), gone])) as [unknown];
    if (is(message)) return message;
  }
}

const isPorts = (message: unknown): message is Ports =>
  typeof message === 'object' && message !== null && 'tcp' in message;
const isMeasured = (message: unknown): message is Measured =>
  typeof message === 'object' && message !== null && 'rate' in message;
const isBegun = (message: unknown): message is 'begun' => message === 'begun';

async function measure(subject: Subject, { kind, dead = 0, flooded }: Scenario): Promise<Measured> {
  const slaves = program('modbus-slaves', kind === 'tcp' ? TCP_SLAVES : 0, UNITS, dead);
  try {
    const ports = await told(slaves, isPorts);
    const addresses = kind === 'tcp' ? ports.tcp : [ports.rtu];
    const master = program('modbus-master', subject, kind, seconds, kind === 'tcp' ? 1 : UNITS, ...addresses);
    await told(master, isBegun);
    const result = told(master, isMeasured);
    if (flooded) slaves.send({ flood: GARBAGE, pace: Math.ceil(GARBAGE / (seconds * 1000)) } satisfies Flood);
    return await result;
  } finally {
    slaves.kill();
  }
}

const results = new Map<string, Measured[]>();
const busyBefore = machineBusy();
for (let round = 0; round < rounds; round++) {
  for (const scenario of SCENARIOS) {
    for (const subject of SUBJECTS) {
      const key = `${scenario.name}/${subject}`;
      const measured = await measure(subject, scenario);
      results.set(key, [...(results.get(key) ?? []), measured]);
      process.stderr.write(`${key}: ${Math.round(measured.rate)} polls/s\n`);
    }
  }
}

const middle = (scenario: Scenario, subject: Subject, of: keyof Measured): number =>
  Number(median((results.get(`${scenario.name}/${subject}`) ?? []).map((each) => each[of])).toPrecision(4));
const summary = SCENARIOS.map((scenario) => ({
  scenario: scenario.name,
  ...Object.fromEntries(
    SUBJECTS.map((subject) => [
      subject,
      {
        'polls/s': middle(scenario, subject, 'rate'),
        'values/s': middle(scenario, subject, 'values'),
        'p50 ms': middle(scenario, subject, 'p50'),
        'p99 ms': middle(scenario, subject, 'p99'),
        'CPU s per 10,000': middle(scenario, subject, 'cpu'),
        unanswered: middle(scenario, subject, 'failed'),
      },
    ]),
  ),
  'rate to modbus-serial': Number(
    (middle(scenario, 'forecourt', 'rate') / middle(scenario, 'modbus-serial', 'rate')).toPrecision(3),
  ),
}));
const elapsed = SCENARIOS.length * SUBJECTS.length * rounds * seconds;
console.log(
  JSON.stringify(
    {
      benchmark: 'modbus',
      rounds,
      seconds,
      coresBusy: Number(((machineBusy() - busyBefore) / elapsed).toFixed(1)),
      summary,
    },
    undefined,
    2,
  ),
);
