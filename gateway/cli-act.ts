// `forecourt start`, `stop`, `unlock`, `reserve`, `release` and `needs`: what somebody at the site may do, over the console.
import { parseArgs } from 'node:util';
import { askGateway, atSite, EXIT, isSiteFile, SITE_HELP, whyNot, type ConsoleIo } from './cli-console.js';
import { failed, ok, type Result } from './kernel/result.js';
import type { ActAnswer } from './ports/console-acts.js';
import type { SiteDrawing } from './ports/console.js';

export type ActName = 'start' | 'stop' | 'unlock' | 'reserve' | 'release' | 'needs';

const USAGE: Readonly<Record<ActName, string>> = {
  start: `start [--card CARD] <evse>

  Starts charging, or as soon as a car is plugged in. Without a card it goes under the site's own token
  (console: start-token in site.yaml).
`,
  stop: `stop <evse>

  Ends the transaction.
`,
  unlock: `unlock <evse>

  Lets the cable go; a transaction that is open ends.
`,
  reserve: `reserve --card CARD [--minutes N] <evse>

  Keeps the EVSE for a card, for an hour unless said otherwise.
`,
  release: `release <evse>

  Ends the reservation of the EVSE.
`,
  needs: `needs [--departure TIME] [--energy ENERGY] <evse>

  What the car there needs, until it leaves. TIME is a time of day at the site, such as 17:30, or with date and offset;
  ENERGY is counted from now, such as 20kWh. "none" takes one back.
`,
};

const OPTIONS = {
  site: { type: 'string' },
  card: { type: 'string' },
  minutes: { type: 'string' },
  departure: { type: 'string' },
  energy: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

const KNOWN: Readonly<Record<ActName, readonly string[]>> = {
  start: ['card'],
  stop: [],
  unlock: [],
  reserve: ['card', 'minutes'],
  release: [],
  needs: ['departure', 'energy'],
};

type Values = Readonly<Partial<Record<keyof typeof OPTIONS, string | boolean>>>;

/** @returns the exit code */
export function runAct(
  act: ActName,
  args: readonly string[],
  io: ConsoleIo & { readonly now: () => number },
): Promise<number> {
  const usage = `usage: forecourt ${USAGE[act]}\n${SITE_HELP}\n  exit code     0 done, 1 not done, 2 wrong usage or no site.yaml\n`;
  return atSite(parsed(act, args), usage, io, async ({ evse, values }, where) => {
    const zone = async (): Promise<string | undefined> => {
      const site = await askGateway<SiteDrawing>(where, '/api/site');
      return site.ok ? site.value.timeZone : undefined;
    };
    const command = await commandOf(act, values, io.now(), zone);
    if (!command.ok) {
      io.err(`${command.error}\n\n${usage}`);
      return ok(EXIT.usage);
    }
    const done = await askGateway<ActAnswer>(where, `/api/evses/${evse}/${act}`, command.value);
    if (!done.ok) return failed(whyNot(where, done.error));
    const { status, detail } = done.value;
    io.out(`EVSE ${evse}: ${act} ${status.toLowerCase()}${detail === undefined ? '' : ` (${detail})`}\n`);
    return ok(EXIT.done);
  });
}

interface Asked {
  readonly site: string | undefined;
  readonly evse: string;
  readonly values: Values;
}

/** @returns in words what is wrong; undefined: only the usage */
function parsed(act: ActName, args: readonly string[]): Asked | string | undefined {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
    if (values.help === true) return undefined;
    const stray = Object.keys(values).find((key) => key !== 'site' && !KNOWN[act].includes(key));
    if (stray !== undefined) return `${act} knows no --${stray}`;
    const [evse = '', ...more] = positionals.filter((word) => !isSiteFile(word));
    if (!/^\d{1,6}$/.test(evse) || more.length > 0) return 'name one EVSE by its number';
    return { site: values.site ?? positionals.find(isSiteFile), evse, values };
  } catch (err) {
    return err instanceof Error ? err.message : String(err);
  }
}

async function commandOf(
  act: ActName,
  { card, minutes = '60', departure, energy }: Values,
  now: number,
  zone: () => Promise<string | undefined>,
): Promise<Result<object, string>> {
  if (act === 'start') return ok(card === undefined ? {} : { idToken: card });
  if (act === 'reserve') {
    if (card === undefined) return failed('name the card with --card');
    return /^\d+$/.test(String(minutes))
      ? ok({ idToken: card, minutes: Number(minutes) })
      : failed('--minutes is a whole number');
  }
  if (act !== 'needs') return ok({});
  if (departure === undefined && energy === undefined) return failed('say --departure or --energy, or both');
  const leaves = departure === undefined ? undefined : await departureAt(String(departure), now, zone);
  const wanted = energy === undefined ? undefined : energyOf(String(energy));
  if (leaves === undefined && departure !== undefined)
    return failed('--departure is a time such as 17:30 or 2025-03-01T17:30:00+01:00, or none');
  if (wanted === 'wrong') return failed('--energy is such as 20kWh, or none');
  return ok({
    ...(leaves !== undefined && { departure: leaves }),
    ...(wanted !== undefined && { energy_Wh: wanted }),
  });
}

function energyOf(text: string): number | null | 'wrong' {
  if (text === 'none') return null;
  const [, value, unit] = /^(\d+(?:\.\d+)?)\s*(k?Wh)$/i.exec(text) ?? [];
  return value === undefined ? 'wrong' : Number(value) * (unit?.toLowerCase() === 'wh' ? 1 : 1000);
}

async function departureAt(
  text: string,
  now: number,
  zone: () => Promise<string | undefined>,
): Promise<string | null | undefined> {
  if (text === 'none') return null;
  const [, hour, minute] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text) ?? [];
  if (hour === undefined || minute === undefined) return Number.isNaN(Date.parse(text)) ? undefined : text;
  return new Date(nextTimeOfDay(Number(hour), Number(minute), now, (await zone()) ?? 'UTC')).toISOString();
}

/** The next moment at which clocks in the zone show this time. */
export function nextTimeOfDay(hour: number, minute: number, now: number, timeZone: string): number {
  const shown = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  /** What clocks in the zone show at a moment, as if they showed UTC. */
  const local = (at: number): number => {
    const parts = new Map(shown.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    const of = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
    return Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second'));
  };
  const day = Math.floor(local(now) / 86_400_000) * 86_400_000;
  for (const ahead of [0, 1, 2]) {
    const wanted = day + ahead * 86_400_000 + (hour * 60 + minute) * 60_000;
    // Twice: the offset may change between the first guess and the moment that is meant.
    const guess = wanted - (local(wanted) - wanted);
    const at = wanted - (local(guess) - guess);
    if (at > now) return at;
  }
  return now;
}
