// `forecourt status` and `forecourt explain`: the site on one screen, and why an EVSE has the current it has.
import { parseArgs } from 'node:util';
import { askGateway, atSite, EXIT, isSiteFile, SITE_HELP, whyNot, type ConsoleIo } from './cli-console.js';
import { moment, span, table, wrapped } from './cli-table.js';
import { failed, ok } from './kernel/result.js';
import type { EvseExplanation, GridOperatorSummary, SiteStatus } from './ports/console.js';
import { PHASES, type PerPhase } from './site/topology.js';

const STATUS_USAGE = `usage: forecourt status [--json] [site.yaml]

  Stations, EVSEs with their transactions, circuits per phase and CSMSs, as the running gateway sees them.

${SITE_HELP}
  --json        as one JSON object
  exit code     0 printed, 1 the gateway could not be asked, 2 wrong usage or no site.yaml
`;

const EXPLAIN_USAGE = `usage: forecourt explain [--json] <evse>

  Why the EVSE of this number has the current it has.

${SITE_HELP}
  --json        as one JSON object
  exit code     0 printed, 1 the gateway could not be asked or knows no such EVSE, 2 wrong usage or no site.yaml
`;

const OPTIONS = { site: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const;

interface Asked {
  readonly site: string | undefined;
  readonly json: boolean;
  readonly words: readonly string[];
}

/** @returns in words what is wrong; undefined: only the usage */
function parsed(args: readonly string[]): Asked | string | undefined {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
    if (values.help === true) return undefined;
    return {
      site: values.site ?? positionals.find(isSiteFile),
      json: values.json === true,
      words: positionals.filter((word) => !isSiteFile(word)),
    };
  } catch (err) {
    return err instanceof Error ? err.message : String(err);
  }
}

/** @returns the exit code */
export async function runStatus(args: readonly string[], io: ConsoleIo): Promise<number> {
  return run<SiteStatus>(args, io, STATUS_USAGE, {
    path: (words) => (words.length === 0 ? '/api/status' : undefined),
    print: screen,
  });
}

/** @returns the exit code */
export async function runExplain(args: readonly string[], io: ConsoleIo): Promise<number> {
  return run<EvseExplanation>(args, io, EXPLAIN_USAGE, {
    path: ([evse = '', ...more]) =>
      more.length === 0 && /^\d+$/.test(evse) ? `/api/evses/${evse}/explain` : undefined,
    print: explanation,
  });
}

async function run<T>(
  args: readonly string[],
  io: ConsoleIo,
  usage: string,
  question: { readonly path: (words: readonly string[]) => string | undefined; readonly print: (answer: T) => string },
): Promise<number> {
  const asked = parsed(args);
  const path = typeof asked === 'object' ? question.path(asked.words) : '';
  if (path === undefined) {
    io.err(usage);
    return EXIT.usage;
  }
  return atSite(asked, usage, io, async ({ json }, where) => {
    const answer = await askGateway<T>(where, path);
    if (!answer.ok) return failed(whyNot(where, answer.error));
    io.out(json ? `${JSON.stringify(answer.value, undefined, 2)}\n` : question.print(answer.value));
    return ok(EXIT.done);
  });
}

const phases = (of: PerPhase<number> | undefined): string =>
  of === undefined ? '-' : PHASES.map((phase) => of[phase].toFixed(1)).join(' / ');

function screen(status: SiteStatus): string {
  const { site, name, version, at, startedAt, stations, evses, circuits, csms, gridOperator } = status;
  const away = new Set(stations.filter(({ connected }) => !connected).map(({ station }) => station));
  const up = span((Date.parse(at) - Date.parse(startedAt)) / 1000);
  return [
    `${name} (${site}), Forecourt ${version}, running for ${up}, ${moment(at)}\n`,
    table(
      [
        { title: 'STATION', most: 24 },
        { title: 'LINK' },
        { title: 'SINCE' },
        { title: 'SPEAKS' },
        { title: 'CHARGER', most: 34 },
      ],
      stations.map(({ station, connected, since, protocol, vendor, model }) => [
        station,
        connected ? 'up' : 'down',
        moment(since),
        protocol ?? '-',
        [vendor, model].filter((word) => word !== undefined).join(' ') || '-',
      ]),
    ),
    table(
      [
        { title: 'EVSE', align: 'right' },
        { title: 'STATION', most: 16 },
        { title: 'STATUS', most: 24 },
        { title: 'OFFERED A', align: 'right' },
        { title: 'L1 / L2 / L3 A' },
        { title: 'kWh', align: 'right' },
        { title: 'CARD', most: 12 },
      ],
      evses.map(({ evse, station, connectors, offered_A: offered, current_A: current, transaction }) => [
        String(evse),
        station,
        away.has(station)
          ? 'offline'
          : connectors
              .map(
                ({ status: word, chargingState, error }) => error ?? (chargingState === 'Idle' ? word : chargingState),
              )
              .join(', '),
        offered === undefined ? '-' : String(offered),
        phases(current),
        transaction?.energy_Wh === undefined ? '-' : (transaction.energy_Wh / 1000).toFixed(2),
        transaction === undefined ? '-' : (transaction.idToken ?? '(none)'),
      ]),
    ),
    table(
      [
        { title: 'CIRCUIT', most: 16 },
        { title: 'BREAKER A', align: 'right' },
        { title: 'LIMIT A', align: 'right' },
        { title: 'METER' },
        { title: 'FLOWS L1 / L2 / L3 A' },
        { title: 'EVSES MAY A' },
      ],
      circuits.map(({ circuit, breaker_A: breaker, standing }) => [
        circuit,
        String(breaker),
        standing === undefined ? '-' : String(standing.limit_A),
        standing?.meter ?? '-',
        phases(standing?.current_A),
        phases(standing?.granted_A),
      ]),
    ),
    csmsTable(csms),
    ...(gridOperator === undefined ? [] : [operatorLines(gridOperator)]),
  ].join('\n');
}

/** What the grid operator allows, and whether he is heard. */
function operatorLines({ limits_A: limits, failsafe, sources }: GridOperatorSummary): string {
  const circuits = Object.entries(limits).map(([circuit, limit]) => `${circuit} ${limit} A`);
  const allowed = circuits.length === 0 ? 'no limit' : `${circuits.join(', ')} on each phase`;
  const silent = sources.flatMap(({ source, failsafeSince: since }) =>
    since === undefined ? [] : `${source} since ${moment(since)}`,
  );
  return wrapped(`Grid operator: ${allowed}${failsafe ? `; fail-safe, not heard: ${silent.join(', ')}` : ''}`, 0);
}

/** How CSMSs stand; shared with `forecourt journal`. */
export const csmsTable = (csms: SiteStatus['csms']): string =>
  table(
    [
      { title: 'CSMS', most: 20 },
      { title: 'LINK' },
      { title: 'WAITING', align: 'right' },
      { title: 'OLDEST', align: 'right' },
      { title: 'IN FLIGHT' },
      { title: 'DEAD', align: 'right' },
      { title: 'GIVEN UP', align: 'right' },
      { title: 'LAST ERROR', most: 24 },
    ],
    csms.map((each) => [
      each.csms,
      each.accepted ? 'accepted' : each.connected ? 'refused' : 'down',
      String(each.queued),
      span(each.oldestAge_s),
      each.inFlight ? 'yes' : 'no',
      String(each.deadLetters),
      each.shed === undefined
        ? '-'
        : String(Object.values(each.shed).reduce<number>((sum, count) => sum + (count ?? 0), 0)),
      each.lastError ?? '-',
    ]),
  );

function explanation({ explanation: sentence, plan, measured_A: measured }: EvseExplanation): string {
  const words = wrapped(sentence, 0);
  if (plan === undefined) return words;
  const rows = [
    ['told', plan.sent_A === undefined ? 'nothing yet' : `${plan.sent_A} A`],
    ['planned', `${plan.target_A} A`],
    ['counted with', `${plan.ceiling_A} A on ${plan.phases.join(' ')} (${plan.standing})`],
    ['measured', measured === undefined ? '-' : `${phases(measured)} A`],
  ];
  return `${words}\n${rows.map(([name = '', value = '']) => `  ${name.padEnd(14)}${value}\n`).join('')}`;
}
