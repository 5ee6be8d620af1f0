// `forecourt apply`, `keep`, `revert` and `history`: changes site.yaml under the running gateway, and tells what became of it.
import { parseArgs } from 'node:util';
import { askGateway, atSite, EXIT, SITE_HELP, whyNot, type ConsoleIo } from './cli-console.js';
import { moment, table } from './cli-table.js';
import { failed, ok, type Result } from './kernel/result.js';
import type { Applied, ConfigurationChange } from './ports/configuration.js';

const USAGE = {
  apply: `usage: forecourt apply [--confirm-within TIME] [--comment TEXT] <new-site.yaml>

  Checks the file and puts it in the place of the running gateway's site.yaml, in force at once: no charger that it does not
  touch is disconnected. What has to wait for a restart is said.

  --confirm-within   such as 5min or 90s: it is taken back by itself unless you say forecourt keep by then
  --comment          why, for forecourt history
${SITE_HELP}
  exit code          0 in force, 1 refused or no gateway asked, 2 wrong usage or no file
`,
  keep: `usage: forecourt keep [revision]

  Keeps the change that was applied with --confirm-within.

${SITE_HELP}
  exit code     0 kept, 1 refused or no gateway asked, 2 wrong usage or no site.yaml
`,
  revert: `usage: forecourt revert [revision]

  Takes back the change that waits to be kept; otherwise puts the revision in force, or the one before the last change.

${SITE_HELP}
  exit code     0 in force, 1 refused or no gateway asked, 2 wrong usage or no site.yaml
`,
  history: `usage: forecourt history [--diff] [--json]

  Who changed site.yaml, when and why, the newest first.

  --diff        with what was changed; passwords are masked
  --json        as one JSON object
${SITE_HELP}
  exit code     0 printed, 1 the gateway could not be asked, 2 wrong usage or no site.yaml
`,
} as const;

type Command = keyof typeof USAGE;

const OPTIONS = {
  site: { type: 'string' },
  'confirm-within': { type: 'string' },
  comment: { type: 'string' },
  diff: { type: 'boolean' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

export interface ApplyIo extends ConsoleIo {
  /** Who sits here; absent where the system does not say. */
  readonly user: string | undefined;
}

/** @returns the exit code */
export async function runApply(command: Command, args: readonly string[], io: ApplyIo): Promise<number> {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (err) {
    io.err(`${err instanceof Error ? err.message : String(err)}\n\n${USAGE[command]}`);
    return EXIT.usage;
  }
  const { values, positionals } = parsed;
  if (values.help === true) {
    io.out(USAGE[command]);
    return EXIT.done;
  }
  const [word, ...more] = positionals;
  if (more.length > 0 || (command === 'apply' && word === undefined) || (command === 'history' && word !== undefined)) {
    io.err(USAGE[command]);
    return EXIT.usage;
  }
  const asked =
    command === 'apply' ? application(word ?? '', values, io) : ok({ ...(word !== undefined && { revision: word }) });
  if (!asked.ok) {
    io.err(`${asked.error}\n`);
    return EXIT.usage;
  }
  const body = { ...asked.value, ...(io.user !== undefined && { by: io.user }) };
  return atSite({ site: values.site }, USAGE[command], io, async (_, where) => {
    const answer = await askGateway<Applied & { readonly changes?: readonly ConfigurationChange[] }>(
      where,
      `/api/config/${command}`,
      command === 'history' ? undefined : body,
    );
    if (!answer.ok) return failed(whyNot(where, answer.error));
    const { changes = [] } = answer.value;
    if (values.json === true) io.out(`${JSON.stringify(answer.value, undefined, 2)}\n`);
    else if (command === 'history') io.out(historyText(changes, values.diff === true));
    else if (command === 'keep') io.out(`revision ${answer.value.revision} is kept\n`);
    else io.out(appliedText(answer.value));
    return ok(EXIT.done);
  });
}

const parse = (args: readonly string[]) => parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });

function application(
  file: string,
  values: { readonly 'confirm-within'?: string | undefined; readonly comment?: string | undefined },
  io: ApplyIo,
): Result<object, string> {
  const within = values['confirm-within'];
  const seconds = within === undefined ? undefined : inSeconds(within);
  if (within !== undefined && seconds === undefined)
    return failed(`--confirm-within ${within} is no time: write for example 5min or 90s`);
  try {
    return ok({
      text: io.readFile(file),
      ...(seconds !== undefined && { confirmWithin_s: seconds }),
      ...(values.comment !== undefined && { comment: values.comment }),
    });
  } catch (err) {
    return failed(`${file} cannot be read: ${err instanceof Error ? err.message : String(err)}`);
  }
}

const SECONDS = { s: 1, min: 60, h: 3600 } as const;

function inSeconds(text: string): number | undefined {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?) ?(s|min|h)$/.exec(text) ?? [];
  return number === '' ? undefined : Number(number) * SECONDS[unit as keyof typeof SECONDS];
}

function appliedText({ revision, until, effects }: Applied): string {
  const rows = effects.map(({ subject, effect, what }) => [subject, effect, what]);
  const waiting = effects.filter(({ effect }) => effect === 'restart').length;
  return [
    `revision ${revision} is in force\n`,
    ...(rows.length === 0 ? [] : [table([{ title: 'WHAT' }, { title: 'EFFECT' }, { title: 'CHANGE' }], rows)]),
    ...(waiting === 0
      ? []
      : [`what says restart waits until the gateway is started again: systemctl restart forecourt\n`]),
    ...(until === undefined ? [] : [`it is taken back at ${moment(until)} unless you say: forecourt keep\n`]),
  ].join('\n');
}

function historyText(changes: readonly ConfigurationChange[], withDiff: boolean): string {
  const columns = [
    { title: 'REVISION' },
    { title: 'WHEN' },
    { title: 'WHO', most: 20 },
    { title: 'STATE' },
    { title: 'WHY', most: 50 },
  ];
  const row = ({ revision, at, by, state, comment }: ConfigurationChange) => [
    revision,
    moment(at),
    by,
    state,
    comment ?? '-',
  ];
  if (!withDiff) return table(columns, changes.map(row));
  return changes.map((change) => `${table(columns, [row(change)])}\n${change.diff}`).join('\n');
}
