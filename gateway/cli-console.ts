// What the commands that ask a running gateway have in common: finding the site, and its gateway.
import { readFileSync } from 'node:fs';
import { localTokenFile } from '../adapters/console/account-file.js';
import { readWhereabouts, type Whereabouts } from '../site-config/whereabouts.js';
import { ConsoleClient, type Refusal } from '../adapters/console/client.js';
import { JournalReader } from '../adapters/journal-sqlite/reader.js';
import { FAULTS } from './kernel/faults.js';
import { failed, ok, type Result } from './kernel/result.js';
import { JournalUnavailable } from './ports/journal.js';

export interface ConsoleIo {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** The text of a file; throws where it cannot be read. */
  readonly readFile: (path: string) => string;
}

/** Where a package puts the file; a site.yaml in the folder one is in goes before it. */
const USUAL_PLACES = ['site.yaml', '/etc/forecourt/site.yaml'];

export const EXIT = { done: 0, failed: 1, usage: 2 } as const;

/** What is said of the site file in every --help. */
export const SITE_HELP = `  --site FILE   the site; otherwise site.yaml here, or /etc/forecourt/site.yaml`;

/** A name that is a site file and not a CSMS or a number. */
export const isSiteFile = (argument: string): boolean => /\.ya?ml$/.test(argument);

/** @returns where the site and its gateway are, or why that cannot be found out */
export function findSite(path: string | undefined, io: ConsoleIo): Result<Whereabouts, string> {
  const reasons: string[] = [];
  for (const place of path === undefined ? USUAL_PLACES : [path]) {
    try {
      return readWhereabouts(io.readFile(place), place);
    } catch (err) {
      reasons.push(`${place} cannot be read: ${err instanceof Error ? err.message : String(err)}`);
    }
  }
  return failed(reasons.join('\n'));
}

/**
 * Carries a command out at its site.
 * @param asked undefined: nothing but the usage; a text: what is wrong with it
 * @param carryOut answers with the exit code, or in words why it could not be done
 * @returns the exit code
 */
export async function atSite<A extends { readonly site: string | undefined }>(
  asked: A | string | undefined,
  usage: string,
  io: ConsoleIo,
  carryOut: (asked: A, where: Whereabouts) => Promise<Result<number, string>>,
): Promise<number> {
  if (asked === undefined) {
    io.out(usage);
    return EXIT.done;
  }
  if (typeof asked === 'string') {
    io.err(`${asked}\n\n${usage}`);
    return EXIT.usage;
  }
  const where = findSite(asked.site, io);
  if (!where.ok) {
    io.err(`${where.error}\n`);
    return EXIT.usage;
  }
  const done = await carryOut(asked, where.value);
  if (done.ok) return done.value;
  io.err(`${done.error}\n`);
  return EXIT.failed;
}

/** Asks with the token that the gateway has put into its data directory; who may not read it asks without. */
export function clientOf({ console, dataDirectory }: Whereabouts): ConsoleClient | undefined {
  if (console === undefined) return undefined;
  let token: string | undefined;
  try {
    token = readFileSync(localTokenFile(dataDirectory), 'utf8').trim();
  } catch {
    // Without users it is not needed; with them the answer says who may read it.
  }
  return new ConsoleClient(console, token);
}

/** What the running gateway answers; a command never goes to the gateway of another site. `nobody`: none can be asked. */
export async function askGateway<T>(
  where: Whereabouts,
  path: string,
  command?: object,
  method?: 'PATCH' | 'DELETE',
): Promise<Result<T, Refusal>> {
  const client = clientOf(where);
  if (client === undefined) return failed({ kind: 'nobody' });
  // The answer to a command tells whose gateway it was only when it is done.
  const known = command === undefined ? undefined : await client.ask(where.site, '/health');
  if (known?.ok === false) return known;
  const answer = await client.ask(where.site, path, command, method);
  // It has said that it is the gateway of this very site: its answers have the form that this program's port gives them.
  return answer.ok ? ok(answer.value as T) : answer;
}

/** The journal on the disk of a gateway that does not run. */
export const journalOnDisk = (where: Whereabouts): JournalReader => new JournalReader(where.dataDirectory);

/** In words why the gateway could not be asked. */
export function whyNot(where: Whereabouts, refusal: Refusal): string {
  if (refusal.kind === 'refused') return refusal.message;
  return where.console === undefined
    ? 'the console of this site is switched off: write console: { listen: 127.0.0.1:8080 } in site.yaml'
    : `no gateway answers at ${where.console.host}:${where.console.port}: start it with forecourt run`;
}

/** In words why the journal on the disk cannot be read; a gateway that owns it should have been asked instead. */
export function whyNoJournal(where: Whereabouts, err: unknown): string {
  if (!(err instanceof JournalUnavailable)) throw err;
  if (err.fault !== FAULTS.journalLocked.code) return `${err.message} (${err.fault})`;
  return where.console === undefined
    ? 'a gateway runs, and its console is switched off: write console: { listen: 127.0.0.1:8080 } in site.yaml and restart it'
    : `a gateway runs, and does not listen at ${where.console.host}:${where.console.port}: its log says why (${FAULTS.consoleUnavailable.code}), or it was started from another site.yaml`;
}
