// Quantities and times as they are read on the page: the unit always with the number, times in the site's time zone.

/** A word of OCPP as words: `EVDisconnected` is EV disconnected. */
export const spaced = (word: string): string =>
  word
    .replace(/([a-z])([A-Z])|([A-Z])([A-Z][a-z])/g, '$1$3 $2$4')
    .replace(/ ([A-Z])([a-z])/g, (_, first: string, second: string) => ` ${first.toLowerCase()}${second}`);

/** Without its unit, for columns whose head names it; a dash where nothing was measured. */
export const amperes = (current_A: number | undefined): string =>
  current_A === undefined ? '–' : current_A.toFixed(1);

/** A rating or a setting: no decimals where there are none. */
export const rating = (current_A: number): string => `${Number(current_A.toFixed(1))} A`;

export const power = (power_W: number): string =>
  Math.abs(power_W) < 100 ? `${Math.round(power_W)} W` : `${(power_W / 1000).toFixed(1)} kW`;

export const energy = (energy_Wh: number): string => `${(energy_Wh / 1000).toFixed(2)} kWh`;

export const money = ({ amount, currency }: { readonly amount: number; readonly currency: string }): string =>
  `${amount.toFixed(2)} ${currency}`;

const BYTES = ['B', 'kB', 'MB', 'GB', 'TB'];

export function bytes(size_bytes: number): string {
  const step = Math.min(BYTES.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, size_bytes)) / 3)));
  const value = size_bytes / 1000 ** step;
  return `${value >= 100 || step === 0 ? Math.round(value) : value.toFixed(1)} ${BYTES[step] ?? 'B'}`;
}

/** The two largest units: `1 h 05 min`. */
export function duration(time_s: number): string {
  const whole = Math.max(0, Math.round(time_s));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
  return `${Math.floor(whole / 86_400)} d ${two(Math.floor((whole % 86_400) / 3600))} h`;
}

/** What is left of a time that runs out: `4:05`. */
export function countdown(left_s: number): string {
  const whole = Math.max(0, Math.ceil(left_s));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  return `${hours > 0 ? `${hours}:${two(minutes)}` : minutes}:${two(whole % 60)}`;
}

const two = (value: number): string => String(value).padStart(2, '0');

/** Seconds from one RFC 3339 time to a later one. */
export const secondsBetween = (from: string, to: string): number => (Date.parse(to) - Date.parse(from)) / 1000;

export class SiteTime {
  readonly #time: Intl.DateTimeFormat;
  readonly #day: Intl.DateTimeFormat;
  readonly #timeZone: string;

  constructor(timeZone: string) {
    this.#timeZone = timeZone;
    const part = { timeZone, hourCycle: 'h23' } as const;
    this.#time = new Intl.DateTimeFormat('en-GB', { ...part, hour: '2-digit', minute: '2-digit', second: '2-digit' });
    this.#day = new Intl.DateTimeFormat('en-GB', { ...part, day: '2-digit', month: 'short', year: 'numeric' });
  }

  /** `14:05:09` */
  time(at: string): string {
    return this.#time.format(Date.parse(at));
  }

  /** `14:05` */
  hour(at: string): string {
    return this.time(at).slice(0, 5);
  }

  /** `14:05:09.123`, for messages that follow one another within the second. */
  millisecond(at: string): string {
    return `${this.time(at)}.${String(new Date(at).getMilliseconds()).padStart(3, '0')}`;
  }

  /** `25 Nov 2026` */
  day(at: string): string {
    return this.#day.format(Date.parse(at));
  }

  /** The time alone today, with its day before. */
  moment(at: string, now: string): string {
    const day = this.day(at);
    return day === this.day(now) ? this.time(at) : `${day.slice(0, -5)} ${this.hour(at)}`;
  }

  /**
   * The RFC 3339 time of a day and time of the site, as a field of a form gives it.
   * @param local `2026-11-25T14:05`
   */
  instant(local: string): string {
    const asUtc = Date.parse(`${local}Z`);
    // The zone's distance from UTC at about that time; once more, for the hour around a change of the clocks.
    const once = asUtc - this.#offset_ms(asUtc);
    return new Date(asUtc - this.#offset_ms(once)).toISOString();
  }

  #offset_ms(at_ms: number): number {
    const parts = new Intl.DateTimeFormat('sv-SE', {
      timeZone: this.#timeZone,
      dateStyle: 'short',
      timeStyle: 'medium',
    }).format(at_ms);
    return Date.parse(`${parts.replace(' ', 'T')}Z`) - Math.floor(at_ms / 1000) * 1000;
  }
}
