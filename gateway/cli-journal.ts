// `forecourt journal`: what waits for which CSMS, what was refused and why, sending it once more, and the books as a file.
import { parseArgs } from 'node:util';
import { exportSelection } from '../adapters/console/export-query.js';
import type { Whereabouts } from '../site-config/whereabouts.js';
import {
  askGateway,
  atSite,
  clientOf,
  EXIT,
  isSiteFile,
  journalOnDisk,
  SITE_HELP,
  whyNoJournal,
  whyNot,
  type ConsoleIo,
} from './cli-console.js';
import { csmsTable } from './cli-status.js';
import { moment, table, wrapped } from './cli-table.js';
import { exportEntries } from './console/export.js';
import { storedDeadLetters, storedOverview } from './console/stored-journal.js';
import { failed, ok, type Result } from './kernel/result.js';
import type { DeadLetterSummary, JournalOverview, Redrive } from './ports/console.js';
import { systemClock } from './system-clock.js';

const USAGE = `usage: forecourt journal [--json] [site.yaml]
       forecourt journal redrive <csms> [seq...]
       forecourt journal export [--from WHERE] [--to WHERE] [--types LIST] [--full]

  What waits for each CSMS, and the messages that it refused for good (dead letters), with the reason. Where no
  gateway runs, the journal on the disk is read; nothing is ever written to it.

  redrive       sends dead letters once more: all of a CSMS, or those of the numbers given; the gateway must run
  export        transactions and charge detail records as JSON lines, in the order of the journal
    --from, --to  a number of the journal (both included), or a time such as 2025-03-01T00:00:00Z (the end excluded)
    --types       transaction, cdr, or both joined by a comma (default)
    --full        shows the tokens of drivers in full; otherwise they are masked

${SITE_HELP}
  --json        as one JSON object
  exit code     0 done, 1 it could not be done, 2 wrong usage or no site.yaml
`;

const OPTIONS = {
  site: { type: 'string' },
  json: { type: 'boolean' },
  from: { type: 'string' },
  to: { type: 'string' },
  types: { type: 'string' },
  full: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Dead letters printed of one CSMS; --json has them all. */
const MOST_PRINTED = 50;

export type JournalIo = ConsoleIo & {
  /** Writes a piece of an export, and waits until there is room for the next one. */
  readonly write: (piece: string | Uint8Array) => Promise<void>;
};

interface Asked {
  readonly site: string | undefined;
  readonly json: boolean;
  readonly query: URLSearchParams;
  readonly words: readonly string[];
}

/** @returns the exit code */
export function runJournal(args: readonly string[], io: JournalIo): Promise<number> {
  return atSite(parsed(args), USAGE, io, (asked, where) => carryOut(asked, where, io));
}

/** @returns what is asked for, or in words what is wrong; undefined: only the usage. */
function parsed(args: readonly string[]): Asked | string | undefined {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
    if (values.help === true) return undefined;
    const words = positionals.filter((word) => !isSiteFile(word));
    const [command, csms, ...seqs] = words;
    if (command !== undefined && command !== 'redrive' && command !== 'export') return `there is no journal ${command}`;
    if (command === 'redrive' && csms === undefined) return 'redrive needs the name of a CSMS';
    if (command === 'redrive' && !seqs.every((seq) => /^\d{1,15}$/.test(seq)))
      return 'redrive takes numbers of dead letters';
    if (command === 'export' && csms !== undefined) return `export does not take ${csms}`;
    const query = new URLSearchParams();
    for (const name of ['from', 'to', 'types'] as const) {
      const value = values[name];
      if (value !== undefined) query.set(name, value);
    }
    if (values.full === true) query.set('full', 'true');
    if (command !== 'export' && query.size > 0) return `${[...query.keys()].join(', ')} belong to export`;
    const selection = exportSelection(query);
    if (!selection.ok) return selection.error;
    return { site: values.site ?? positionals.find(isSiteFile), json: values.json === true, query, words };
  } catch (err) {
    return err instanceof Error ? err.message : String(err);
  }
}

type Done = Result<number, string>;

async function carryOut(asked: Asked, where: Whereabouts, io: JournalIo): Promise<Done> {
  const [command, csms = '', ...seqs] = asked.words;
  if (command === 'redrive') return redrive(csms, seqs.map(Number), asked, where, io);
  if (command === 'export') return exportAll(asked, where, io);
  return list(asked, where, io);
}

async function list(asked: Asked, where: Whereabouts, io: JournalIo): Promise<Done> {
  const found = await overview(where);
  if (!found.ok) return found;
  const { journal, deadLetters } = found.value;
  if (asked.json) {
    const csms = journal.csms.map((each) => ({ ...each, dead: deadLetters.get(each.csms) ?? [] }));
    io.out(`${JSON.stringify({ ...journal, csms }, undefined, 2)}\n`);
  } else io.out(printed(journal, deadLetters));
  return ok(EXIT.done);
}

interface Found {
  readonly journal: JournalOverview;
  readonly deadLetters: ReadonlyMap<string, readonly DeadLetterSummary[]>;
}

/** Of the running gateway; where none answers, from the disk. */
async function overview(where: Whereabouts): Promise<Result<Found, string>> {
  const deadLetters = new Map<string, readonly DeadLetterSummary[]>();
  const answer = await askGateway<JournalOverview>(where, '/api/journal');
  if (answer.ok) {
    for (const { csms, deadLetters: count } of answer.value.csms) {
      if (count === 0) continue;
      const dead = await askGateway<{ readonly deadLetters: readonly DeadLetterSummary[] }>(
        where,
        `/api/journal/${encodeURIComponent(csms)}/dead`,
      );
      if (!dead.ok) return failed(whyNot(where, dead.error));
      deadLetters.set(csms, dead.value.deadLetters);
    }
    return ok({ journal: answer.value, deadLetters });
  }
  if (answer.error.kind === 'refused') return failed(answer.error.message);
  try {
    const disk = journalOnDisk(where);
    const journal = await storedOverview(where.site, where.csms, disk, systemClock.now());
    for (const csms of where.csms) deadLetters.set(csms, await storedDeadLetters(csms, disk));
    return ok({ journal, deadLetters });
  } catch (err) {
    return failed(whyNoJournal(where, err));
  }
}

function printed(journal: JournalOverview, deadLetters: Found['deadLetters']): string {
  const { site, gateway, lastSeq, size_bytes: size, writable } = journal;
  const disk = writable === false ? `, CANNOT BE WRITTEN (${journal.fault ?? ''})` : '';
  const bytes = size === undefined ? '' : `, ${(size / 1e6).toFixed(1)} MB`;
  const head = `journal of ${site}: gateway ${gateway}, last entry ${lastSeq}${bytes}${disk}\n`;
  const letters = [...deadLetters].filter(([, dead]) => dead.length > 0).map(([csms, dead]) => lettersOf(csms, dead));
  return [head, csmsTable(journal.csms), ...letters].join('\n');
}

function lettersOf(csms: string, dead: readonly DeadLetterSummary[]): string {
  const shown = dead.slice(0, MOST_PRINTED);
  const rows = table(
    [
      { title: 'SEQ', align: 'right' },
      { title: 'MESSAGE' },
      { title: 'TRANSACTION', most: 36 },
      { title: 'EVSE', align: 'right' },
      { title: 'WHEN' },
      { title: 'ATTEMPTS', align: 'right' },
    ],
    shown.map(({ seq, message, transaction, evse, at, attempts }) => [
      String(seq),
      message,
      transaction ?? '-',
      evse === undefined ? '-' : String(evse),
      moment(at),
      String(attempts),
    ]),
  ).split('\n');
  const reasons = shown.map(({ reason }, index) => `${rows[index + 1] ?? ''}\n${wrapped(reason, 4)}`);
  const more = dead.length > shown.length ? `... and ${dead.length - shown.length} more: --json has them all\n` : '';
  return `dead letters of ${csms}: forecourt journal redrive ${csms} sends them once more\n${rows[0] ?? ''}\n${reasons.join('')}${more}`;
}

async function redrive(
  csms: string,
  seqs: readonly number[],
  asked: Asked,
  where: Whereabouts,
  io: JournalIo,
): Promise<Done> {
  const path = `/api/journal/${encodeURIComponent(csms)}/redrive`;
  const answer = await askGateway<Redrive>(where, path, seqs.length === 0 ? {} : { seqs });
  if (!answer.ok)
    return failed(
      answer.error.kind === 'refused'
        ? answer.error.message
        : `dead letters are sent by the running gateway: ${whyNot(where, answer.error)}`,
    );
  const { accepted, redriven, left, unknown } = answer.value;
  if (asked.json) io.out(`${JSON.stringify(answer.value, undefined, 2)}\n`);
  else {
    const when = accepted ? 'now' : 'as soon as it is back';
    const count = redriven.length === 1 ? '1 dead letter goes' : `${redriven.length} dead letters go`;
    io.out(redriven.length === 0 ? `nothing to send to ${csms}\n` : `${count} to ${csms} once more, ${when}\n`);
    if (left.length > 0)
      io.out(`on their way already, or of an EVSE that ${csms} no longer sees: ${left.join(', ')}\n`);
  }
  return unknown.length === 0 ? ok(EXIT.done) : failed(`no dead letters of ${csms}: ${unknown.join(', ')}`);
}

async function exportAll({ query }: Asked, where: Whereabouts, io: JournalIo): Promise<Done> {
  const running = await askGateway<JournalOverview>(where, '/api/journal');
  if (!running.ok && running.error.kind === 'refused') return failed(running.error.message);
  try {
    const client = clientOf(where);
    if (running.ok && client !== undefined) {
      const lines = await client.lines(`/api/journal/export?${query.toString()}`);
      if (!lines.ok) return failed(whyNot(where, lines.error));
      for await (const piece of lines.value) await io.write(piece);
      return ok(EXIT.done);
    }
  } catch (err) {
    return failed(`the export broke off: ${err instanceof Error ? err.message : String(err)}`);
  }
  const selection = exportSelection(query);
  if (!selection.ok) return failed(selection.error);
  const disk = journalOnDisk(where);
  try {
    for await (const entry of exportEntries((after, limit) => disk.read(after, limit), selection.value))
      await io.write(`${JSON.stringify(entry)}\n`);
    return ok(EXIT.done);
  } catch (err) {
    return failed(whyNoJournal(where, err));
  }
}
