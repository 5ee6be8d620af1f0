// `forecourt demo --trouble`: what the gateway makes of trouble on the simulated site, and whether every breaker held.
import { demoLoads } from '../simulation/demo-site.js';
import { fastClock } from '../simulation/fast-clock.js';
import {
  quietBuilding,
  runTrouble,
  switchedLoad,
  type TroubledGateway,
  type TroubleReport,
} from '../simulation/trouble.js';
import { reason } from './balancing/explain.js';
import { underTest, withGateway, type Version } from './cli-demo-site.js';
import { table, wrapped } from './cli-table.js';
import type { RunningGateway } from './compose.js';
import { circuitId, evseNumber, type EvseNumber } from './kernel/ids.js';
import type { Log } from './kernel/log.js';
import { systemClock } from './system-clock.js';

/** Half a minute for two and a half. */
const SPEED = 6;

export interface TroubleSettings {
  readonly data: string;
  readonly speed: number | undefined;
  readonly authority: Version | undefined;
  readonly json: boolean;
}

/** @returns the exit code: 0 when every breaker held and every trouble was met, 1 otherwise */
export async function showTrouble(
  { data, speed = SPEED, authority = '2.0.1', json }: TroubleSettings,
  stdout: NodeJS.WritableStream,
): Promise<number> {
  const clock = fastClock(speed, systemClock);
  const building = quietBuilding();
  const main = circuitId('main');
  const loads = new Map([...demoLoads, [main, switchedLoad(building)]]);
  const steps = new Map<EvseNumber, string[]>();
  const hear = (log: Log): Log => stepsHeard(log, steps);
  const report = await withGateway({ dataDirectory: data, authority, clock, loads, hear }, (simulated, running) => {
    const tested = underTest(running, simulated);
    return runTrouble(
      simulated,
      {
        ocppPort: tested.ocppPort,
        settled: () => tested.settled(),
        steps: (number) => steps.get(number) ?? [],
        ...seenBy(running),
      },
      {
        clock,
        speed,
        building,
        progress: (text) => void (json || stdout.write(`${text}\n`)),
      },
    );
  });
  const result = { ...report, speed };
  stdout.write(json ? `${JSON.stringify(result, undefined, 2)}\n` : summary(report, speed));
  return report.ok ? 0 : 1;
}

function seenBy({ gateway }: RunningGateway): Pick<TroubledGateway, 'evse' | 'meterLost' | 'reactions'> {
  return {
    evse(number) {
      const report = gateway.balancing?.evses.find(({ evse }) => evse === number);
      return report && { ceiling: report.ceiling, why: reason(report.because) };
    },
    reactions: () => gateway.reactions,
    meterLost: (circuit) => gateway.circuits?.some((one) => one.circuit === circuit && one.meter === 'lost') ?? false,
  };
}

/** The log, and beside it every step against an EVSE that does not obey. */
function stepsHeard(log: Log, steps: Map<EvseNumber, string[]>): Log {
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error(fields, message) {
      const { evse, step } = fields;
      if (evse !== undefined && typeof step === 'string')
        steps.set(evseNumber(evse), [...(steps.get(evseNumber(evse)) ?? []), step]);
      log.error(fields, message);
    },
  };
}

const OUTCOMES = {
  held: 'never above its rating',
  brief: 'above it for moments, as any breaker bears',
  exceeded: 'ABOVE IT TOO LONG',
} as const;

function summary({ ok, incidents, circuits, reaction }: TroubleReport, speed: number): string {
  const told = incidents.map(
    ({ at, what, answer, ok: met }) =>
      `  ${String(at).padStart(4)} s  ${what}${met ? '' : '  NOT MET'}\n${wrapped(answer, 10)}`,
  );
  const breakers = table(
    [
      { title: 'circuit' },
      { title: 'breaker', align: 'right' },
      { title: 'peak L1', align: 'right' },
      { title: 'L2', align: 'right' },
      { title: 'L3', align: 'right' },
      { title: 'above', align: 'right' },
      { title: 'outcome' },
    ],
    circuits.map(({ circuit, breaker, peak, secondsAbove, outcome }) => [
      circuit,
      `${breaker} A`,
      `${peak.L1} A`,
      `${peak.L2} A`,
      `${peak.L3} A`,
      `${secondsAbove} s`,
      OUTCOMES[outcome],
    ]),
  );
  const pace = speed === 1 ? '' : ` (time runs ${speed} times as fast; --speed 1 shortens no wait)`;
  return (
    `\n${ok ? 'every breaker held, every trouble was met' : 'SOMETHING WENT WRONG'}\n\n${told.join('')}\n${breakers}\n` +
    `from a meter's sample to the cuts sent on it: p50 ${reaction.p50} ms, p99 ${reaction.p99} ms ` +
    `of ${reaction.plans} plans${pace}\n`
  );
}
