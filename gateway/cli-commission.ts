// `forecourt commission`: has the running gateway try a station out, step by step, and tells what was seen.
import { parseArgs } from 'node:util';
import type { Whereabouts } from '../site-config/whereabouts.js';
import { askGateway, atSite, EXIT, isSiteFile, SITE_HELP, whyNot, type ConsoleIo } from './cli-console.js';
import { moment, table, wrapped } from './cli-table.js';
import { commissioningReport } from './commissioning/report.js';
import { STEPS } from './commissioning/step.js';
import type { Clock } from './kernel/clock.js';
import { failed, ok, type Result } from './kernel/result.js';
import { seconds, toRfc3339 } from './kernel/units.js';
import type { CommissioningOverview, CommissioningStep } from './ports/commissioning.js';

const USAGE = `usage: forecourt commission [options] [station]

  Without a station: how the commissioning of every station stands.
  With one, its steps in their order: ${STEPS.join(', ')}.
  All but the first need a car, or a load, that charges there. Only this charger is moved, and only below what load balancing
  gives it; Ctrl-C breaks the step off, and everything is as before.

  --step STEP   only this step; several times for several
  --evse N      of a station with several EVSEs; each of them in turn unless written
  --by NAME     who does it, for the report; the user of this terminal unless written
  --report      the report of the whole site, in Markdown
  --cancel      breaks off what runs at the station
${SITE_HELP}
  --json        as one JSON object
  exit code     0 nothing failed, 1 a step failed or the gateway could not be asked, 2 wrong usage or no site.yaml
`;

const OPTIONS = {
  site: { type: 'string' },
  step: { type: 'string', multiple: true },
  evse: { type: 'string' },
  by: { type: 'string' },
  report: { type: 'boolean' },
  cancel: { type: 'boolean' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Between two looks at a step that runs. */
const LOOK = seconds(1);

export interface CommissionIo extends ConsoleIo {
  readonly clock: Clock;
  /** Resolves when whoever waits wants no more. */
  readonly interrupted: Promise<void>;
  readonly user: string;
}

interface Asked {
  readonly station: string | undefined;
  readonly site: string | undefined;
  readonly steps: readonly string[];
  readonly evse: number | undefined;
  readonly by: string;
  readonly report: boolean;
  readonly cancel: boolean;
  readonly json: boolean;
}

/** @returns the exit code */
export function runCommission(args: readonly string[], io: CommissionIo): Promise<number> {
  const help = args.includes('--help') || args.includes('-h');
  const asked = help ? undefined : askedFor(args, io.user);
  return atSite(asked, USAGE, io, (wanted, where) => carryOut(wanted, where, io));
}

/** @returns in words what is wrong with it */
function askedFor(args: readonly string[], user: string): Asked | string {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
    const [station, ...more] = positionals.filter((word) => !isSiteFile(word));
    const wrong = (values.step ?? []).find((step) => !STEPS.some((known) => known === step));
    if (wrong !== undefined) return `there is no step ${wrong}`;
    if (more.length > 0) return 'one station at a time';
    if (values.evse !== undefined && !/^\d{1,4}$/.test(values.evse)) return `${values.evse} is no EVSE number`;
    if (values.cancel === true && station === undefined) return 'say at which station';
    return {
      station,
      site: values.site ?? positionals.find(isSiteFile),
      steps: values.step ?? STEPS,
      evse: values.evse === undefined ? undefined : Number(values.evse),
      by: values.by ?? user,
      report: values.report === true,
      cancel: values.cancel === true,
      json: values.json === true,
    };
  } catch (err) {
    return err instanceof Error ? err.message : String(err);
  }
}

async function carryOut(asked: Asked, where: Whereabouts, io: CommissionIo): Promise<Result<number, string>> {
  const { station, steps, evse, json } = asked;
  const before = await ask(where, '/api/commission');
  if (!before.ok) return before;
  if (asked.report) {
    io.out(commissioningReport({ id: where.site, name: where.site }, toRfc3339(io.clock.now()), before.value.stations));
    return ok(EXIT.done);
  }
  if (station === undefined) {
    io.out(json ? `${JSON.stringify(before.value, null, 2)}\n` : overview(before.value));
    return ok(EXIT.done);
  }
  if (asked.cancel) {
    const cancelled = await ask(where, address(station, 'cancel'), {});
    return cancelled.ok ? ok(EXIT.done) : cancelled;
  }
  const own = before.value.stations.find((each) => each.station === station)?.steps;
  if (own === undefined) return failed(`there is no station ${station}: forecourt commission lists them`);
  const wanted = own.filter(
    (each) => steps.includes(each.step) && (evse === undefined || (each.evse ?? evse) === evse),
  );
  const results: CommissioningStep[] = [];
  const interruption = { seen: false };
  void io.interrupted.then(() => (interruption.seen = true));
  for (const each of wanted) {
    if (interruption.seen) break;
    const result = await oneStep(station, each, asked, where, io);
    if (!result.ok) return result;
    results.push(result.value);
    if (!json) io.out(wrapped(lineOf(result.value), 0));
    // Who does not answer can show nothing else.
    if (each.step === 'communication' && result.value.state === 'failed') break;
  }
  if (json) io.out(`${JSON.stringify({ site: where.site, station, steps: results }, null, 2)}\n`);
  return ok(results.some(({ state }) => state === 'failed') ? EXIT.failed : EXIT.done);
}

/** Begins it, and looks until it is over. */
async function oneStep(
  station: string,
  { step, evse }: CommissioningStep,
  { by, json }: Asked,
  where: Whereabouts,
  io: CommissionIo,
): Promise<Result<CommissioningStep, string>> {
  if (!json) io.err(`${name({ step, evse })} ...\n`);
  let answer = await ask(where, address(station, step), { by, ...(evse !== undefined && { evse }) });
  let called = false;
  void io.interrupted.then(() => (called = true));
  while (answer.ok) {
    const now = answer.value.stations
      .find((each) => each.station === station)
      ?.steps.find((each) => each.step === step && each.evse === evse);
    if (now === undefined) return failed(`the gateway does not know ${station} any more`);
    if (now.state !== 'running') return ok(now);
    if (called) {
      answer = await ask(where, address(station, 'cancel'), {});
      continue;
    }
    await Promise.race([new Promise<void>((resolve) => io.clock.after(LOOK, resolve)), io.interrupted]);
    answer = await ask(where, '/api/commission');
  }
  return answer;
}

const address = (station: string, what: string): string => `/api/commission/${encodeURIComponent(station)}/${what}`;

async function ask(where: Whereabouts, path: string, command?: object): Promise<Result<CommissioningOverview, string>> {
  const answer = await askGateway<CommissioningOverview>(where, path, command);
  return answer.ok ? answer : failed(whyNot(where, answer.error));
}

const name = ({ step, evse }: Pick<CommissioningStep, 'step'> & { readonly evse: number | undefined }): string =>
  evse === undefined ? step : `${step} of EVSE ${evse}`;

const lineOf = ({ step, evse, state, detail = '' }: CommissioningStep): string =>
  `${state.toUpperCase()}  ${name({ step, evse })}: ${detail}`;

const overview = ({ stations }: CommissioningOverview): string =>
  table(
    ['station', 'step', 'EVSE', 'state', 'when', 'who', 'what was seen'].map((title) => ({ title })),
    stations.flatMap(({ station, steps }) =>
      steps.map(({ step, evse, state, at, by = '', detail = '' }) => [
        station,
        step,
        evse === undefined ? '' : `${evse}`,
        state,
        at === undefined ? '' : moment(at),
        by,
        detail,
      ]),
    ),
  );
