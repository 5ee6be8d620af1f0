// What a grid operator's box may say of a limit: text or JSON, in ampere or as power, never believed before it is understood.
import { failed, ok, type Result } from '../kernel/result.js';
import { ampere, watt } from '../kernel/units.js';
import type { PowerLimit } from '../site/power-limit.js';

export interface Word {
  /** Undefined: no limit. */
  readonly limit: PowerLimit | undefined;
  /** The circuit it is meant for; absent: the one that site.yaml names. */
  readonly circuit?: string;
}

/** Of any grid connection that has chargers behind it: A per phase, and W. */
const MOST = { current: 10_000, power: 10_000_000 } as const;
const NO_LIMIT = new Set(['none', 'null']);
/** Longer than any word that means something. */
const LONGEST = 500;

/**
 * `16`, `16 A`, `4.2 kW`, `none`, or JSON: such a text, a number of ampere, or an object with `limit` (either of these, or
 * null for none), `limit_A` or `limit_kW`, and perhaps `circuit`.
 * @returns in words why it means nothing
 */
export function readWord(payload: string): Result<Word, string> {
  const text = payload.trim();
  if (text === '') return failed('an empty message is no limit of zero');
  if (text.length > LONGEST) return failed('too long to be a limit');
  if (!/^[{"]/.test(text)) return fromText(text);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return failed('not JSON');
  }
  return fromJson(parsed);
}

function fromJson(value: unknown): Result<Word, string> {
  if (typeof value === 'string') return fromText(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return failed('JSON without a limit');
  const field = (name: string): unknown =>
    Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
  const circuit = field('circuit');
  if (circuit !== undefined && typeof circuit !== 'string') return failed('a circuit is named by a text');
  const said = [fromField(field('limit'), 'A'), fromField(field('limit_A'), 'A'), fromField(field('limit_kW'), 'kW')];
  const [text, ...more] = said.filter((each) => each !== undefined);
  if (text === undefined) return failed('no limit, limit_A or limit_kW in it');
  if (more.length > 0) return failed('more than one limit in it');
  const word = fromText(text);
  return word.ok && circuit !== undefined ? ok({ ...word.value, circuit }) : word;
}

/** A field as the text that it would be. */
function fromField(value: unknown, unit: 'A' | 'kW'): string | undefined {
  if (value === undefined) return undefined;
  if (value === null) return 'none';
  if (typeof value === 'number') return `${value} ${unit}`;
  // Only the field without a unit in its name may bring one.
  return typeof value === 'string' && (unit === 'A' || !/[A-Za-z]/.test(value)) ? value : 'not a limit';
}

function fromText(text: string): Result<Word, string> {
  const said = text.trim().toLowerCase();
  if (NO_LIMIT.has(said)) return ok({ limit: undefined });
  const [, number, unit = 'a'] = /^(\d{1,9}(?:\.\d{1,9})?)\s*(a|w|kw)?$/.exec(said) ?? [];
  if (number === undefined) return failed('neither a current, a power nor none');
  const value = Number(number) * (unit === 'kw' ? 1000 : 1);
  const kind = unit === 'a' ? 'current' : 'power';
  if (value > MOST[kind]) return failed('more than any grid connection has');
  return ok({ limit: kind === 'current' ? { current: ampere(value) } : { power: watt(value) } });
}
