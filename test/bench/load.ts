// The load of the bench, a process of its own: N chargers that play one suite against one port and tell what they saw.
// The process is sent one LoadRequest and answers with `ready`, then with one LoadResult.
import { Charger } from './charger.js';
import { cpuOf, machineBusy, percentile, residentOf, treeOf } from './statistics.js';

export type Suite = 'closed' | 'rate' | 'hold' | 'storm';

export interface LoadRequest {
  readonly suite: Suite;
  readonly port: number;
  /** The process that is measured, with its children. */
  readonly pid: number;
  readonly chargers: number;
  /** Seconds before and while it is measured. */
  readonly warmUp: number;
  readonly seconds: number;
  /** Messages a second of all chargers together, for `rate`. */
  readonly rate: number;
  /** False: the values name a transaction that nobody has given. */
  readonly knownTransaction: boolean;
}

export interface LoadResult {
  readonly perSecond?: number;
  /** Processor seconds of the measured process for 10,000 messages. */
  readonly cpu?: number;
  readonly p50?: number;
  readonly p99?: number;
  readonly kbPerCharger?: number;
  /** Until the last of all chargers was answered its boot, in ms. */
  readonly stormTime?: number;
  readonly errors: number;
  readonly messageSize: number;
  /** Cores that neither the load nor the measured process used: the CSMSs, and whoever else is on the machine. */
  readonly otherCores: number;
}

const UNKNOWN_TRANSACTION = 99_999_999;
/** Chargers that dial at once while a suite is set up. */
const TOGETHER = 50;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

let cachedAt = 0;
let cachedMoment = '';
/** The present time; written out once a millisecond. */
function moment(): string {
  const at = Date.now();
  if (at !== cachedAt) {
    cachedAt = at;
    cachedMoment = new Date(at).toISOString();
  }
  return cachedMoment;
}

async function setUp(charger: Charger, { port, suite, knownTransaction }: LoadRequest): Promise<void> {
  await charger.connect(port);
  await charger.boot();
  await charger.status('Available');
  if (suite === 'storm') return;
  charger.prepareValues(knownTransaction ? await charger.start() : UNKNOWN_TRANSACTION);
  await charger.status('Charging');
}

/** Waits until the other side has nothing left to ask: what it does at a charger's arrival is no part of the steady load. */
async function settled(chargers: readonly Charger[]): Promise<void> {
  const asked = (): number => chargers.reduce((sum, charger) => sum + charger.asked, 0);
  for (let tries = 0, before = -1; tries < 60 && asked() !== before; tries++) {
    before = asked();
    await pause(500);
  }
}

function meter(pid: number): () => { seconds: number; cpu: number; otherCores: number } {
  const pids = treeOf(pid);
  const used = (): number => pids.reduce((sum, each) => sum + cpuOf(each), 0);
  const own = (): number => cpuOf(process.pid);
  const before = { at: performance.now(), cpu: used(), own: own(), all: machineBusy() };
  return () => {
    const span = (performance.now() - before.at) / 1000;
    const cpu = used() - before.cpu;
    const others = machineBusy() - before.all - cpu - (own() - before.own);
    return { seconds: span, cpu, otherCores: Math.max(0, others) / span };
  };
}

async function closed(chargers: readonly Charger[], request: LoadRequest): Promise<LoadResult> {
  let latencies: number[] = [];
  let errors = 0;
  let going = true;
  for (const charger of chargers) {
    charger.onAnswer = (_, due, failed) => {
      const at = performance.now();
      latencies.push(at - due);
      if (failed) errors++;
      if (going) charger.sendValues(moment(), at);
    };
    charger.sendValues(moment(), performance.now());
  }
  await pause(request.warmUp * 1000);
  latencies = [];
  const read = meter(request.pid);
  await pause(request.seconds * 1000);
  const { seconds, cpu, otherCores } = read();
  going = false;
  return {
    perSecond: latencies.length / seconds,
    cpu: (cpu / latencies.length) * 10_000,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    errors,
    otherCores,
    messageSize: chargers[0]?.messageSize ?? 0,
  };
}

/** Open loop: messages leave when they are due, whatever became of those before; latency counts from when they were due. */
async function rate(chargers: readonly Charger[], request: LoadRequest): Promise<LoadResult> {
  const latencies: number[] = [];
  let errors = 0;
  const start = performance.now();
  const from = start + request.warmUp * 1000;
  const until = from + request.seconds * 1000;
  for (const charger of chargers) {
    charger.onAnswer = (_, due, failed) => {
      if (failed) errors++;
      if (due >= from) latencies.push(performance.now() - due);
    };
  }
  const gap = 1000 / request.rate;
  let read: ReturnType<typeof meter> | undefined;
  let sent = 0;
  let measured = 0;
  await new Promise<void>((resolve) => {
    const tick = (): void => {
      const at = performance.now();
      if (at >= from) read ??= meter(request.pid);
      for (let due = start + sent * gap; due <= at && due < until; due = start + ++sent * gap) {
        chargers[sent % chargers.length]?.sendValues(moment(), due);
        if (due >= from) measured++;
      }
      if (at >= until) resolve();
      else setTimeout(tick, 1);
    };
    tick();
  });
  const { cpu = 0, otherCores = 0 } = read?.() ?? {};
  await pause(500);
  return {
    perSecond: latencies.length / request.seconds,
    cpu: (cpu / measured) * 10_000,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    errors: errors + (measured - latencies.length),
    otherCores,
    messageSize: chargers[0]?.messageSize ?? 0,
  };
}

/** Resident memory that all connected chargers have added, after some messages of each. */
async function hold(chargers: readonly Charger[], request: LoadRequest, before: number): Promise<LoadResult> {
  let errors = 0;
  for (let round = 0; round < 5; round++) {
    for (const [i, charger] of chargers.entries()) {
      charger.onAnswer = (_, __, failed) => {
        if (failed) errors++;
      };
      charger.sendValues(moment(), performance.now());
      if (i % TOGETHER === TOGETHER - 1) await pause(20);
    }
  }
  await pause(request.seconds * 1000);
  return {
    kbPerCharger: (residentOf(request.pid) - before) / chargers.length,
    errors: errors + chargers.reduce((sum, charger) => sum + charger.unanswered, 0),
    otherCores: 0,
    messageSize: chargers[0]?.messageSize ?? 0,
  };
}

/** Every line is cut at once; all dial again and boot, with a little jitter after a refusal, as chargers do. */
async function storm(chargers: readonly Charger[], request: LoadRequest): Promise<LoadResult> {
  await pause(request.warmUp * 1000);
  const read = meter(request.pid);
  let errors = 0;
  const start = performance.now();
  for (const charger of chargers) charger.drop();
  await Promise.all(
    chargers.map(async (charger) => {
      for (;;) {
        try {
          await charger.connect(request.port);
          await charger.boot();
          return;
        } catch {
          errors++;
          await pause(20 + Math.random() * 30);
        }
      }
    }),
  );
  const stormTime = performance.now() - start;
  const { cpu, otherCores } = read();
  return { stormTime, cpu: (cpu / chargers.length) * 10_000, errors, otherCores, messageSize: 0 };
}

async function play(request: LoadRequest): Promise<LoadResult> {
  const before = residentOf(request.pid);
  const chargers = Array.from({ length: request.chargers }, (_, i) => new Charger(i + 1));
  for (let i = 0; i < chargers.length; i += TOGETHER)
    await Promise.all(chargers.slice(i, i + TOGETHER).map((charger) => setUp(charger, request)));
  await settled(chargers);
  let lost = 0;
  for (const charger of chargers) {
    charger.onLost = () => {
      lost++;
    };
  }
  const result = await { closed, rate, hold, storm }[request.suite](chargers, request, before);
  const stray = chargers.reduce((sum, charger) => sum + charger.stray, 0);
  return { ...result, errors: result.errors + lost + stray };
}

process.on('message', (request: LoadRequest) => {
  play(request).then(
    (result) => process.send?.({ result }, () => process.exit(0)),
    (error: unknown) => process.send?.({ failure: String(error) }, () => process.exit(1)),
  );
});
process.on('disconnect', () => process.exit(0));
