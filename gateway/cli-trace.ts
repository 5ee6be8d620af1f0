// `forecourt trace <station>`: what goes over the wire of a station or a CSMS, as it comes, without tokens and passwords.
import { parseArgs } from 'node:util';
import { atSite, clientOf, EXIT, isSiteFile, SITE_HELP, whyNot, type ConsoleIo } from './cli-console.js';
import { failed, ok } from './kernel/result.js';

const USAGE = `usage: forecourt trace [--csms] [--minutes N] <station>

  OCPP frames of a station, each with its time and direction, until Ctrl+C; tokens and passwords are masked.

${SITE_HELP}
  --csms        the name is that of a CSMS
  --minutes N   what is still known of the last N minutes, instead of what comes
  exit code     0 printed, 1 the gateway could not be asked or knows no such station, 2 wrong usage or no site.yaml
`;

/** The gateway gives a sign of life each 15 s. */
const QUIET_ms = 40_000;

const OPTIONS = {
  site: { type: 'string' },
  csms: { type: 'boolean' },
  minutes: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** @returns the exit code */
export async function runTrace(
  args: readonly string[],
  io: ConsoleIo & { readonly write: (piece: string | Uint8Array) => Promise<void> },
): Promise<number> {
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (err) {
    io.err(`${err instanceof Error ? err.message : String(err)}\n\n${USAGE}`);
    return EXIT.usage;
  }
  const { values, positionals } = parsed;
  if (values.help === true) {
    io.out(USAGE);
    return EXIT.done;
  }
  const [name, ...more] = positionals.filter((word) => !isSiteFile(word));
  if (name === undefined || more.length > 0 || (values.minutes !== undefined && !/^\d+$/.test(values.minutes))) {
    io.err(USAGE);
    return EXIT.usage;
  }
  const asked = { site: values.site ?? positionals.find(isSiteFile) };
  return atSite(asked, USAGE, io, async (_, where) => {
    const client = clientOf(where);
    const query = new URLSearchParams({ [values.csms === true ? 'csms' : 'station']: name });
    if (values.minutes !== undefined) query.set('minutes', values.minutes);
    const path = `/api/trace${values.minutes === undefined ? '' : '/download'}?${query.toString()}`;
    const pieces = client === undefined ? undefined : await client.lines(path, QUIET_ms);
    if (pieces === undefined || !pieces.ok)
      return failed(whyNot(where, pieces === undefined ? { kind: 'nobody' } : pieces.error));
    try {
      for await (const line of linesOf(pieces.value)) {
        const json = line.startsWith('data: ') ? line.slice(6) : line;
        if (json.startsWith('{')) await io.write(shown(json));
      }
    } catch (err) {
      return failed(`the trace broke off: ${err instanceof Error ? err.message : String(err)}`);
    }
    return ok(EXIT.done);
  });
}

function shown(json: string): string {
  const { at, direction, frame, missed } = JSON.parse(json) as {
    readonly at: string;
    readonly direction: string;
    readonly frame: string;
    readonly missed?: number;
  };
  const gap = missed === undefined ? '' : `(${missed} frames were too many for this terminal)\n`;
  return `${gap}${at} ${direction === 'in' ? '<-' : '->'} ${frame}\n`;
}

async function* linesOf(pieces: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const piece of pieces) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}
