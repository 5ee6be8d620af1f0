// Reading single fields out of a payload without trusting it: a field of another type is as good as absent.
import { timestamp, type Timestamp } from '../../gateway/kernel/units.js';
import type { Payload } from './contract.js';

const isRecord = (value: unknown): value is Payload =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const textOf = (payload: Payload, name: string): string | undefined => {
  const value = payload[name];
  return typeof value === 'string' ? value : undefined;
};

/** A string that says something: chargers fill fields they have no value for with blanks. */
export const filledTextOf = (payload: Payload, name: string): string | undefined => {
  const value = textOf(payload, name)?.trim();
  return value === '' ? undefined : value;
};

export const integerOf = (payload: Payload, name: string): number | undefined => {
  const value = payload[name];
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined;
};

export const booleanOf = (payload: Payload, name: string): boolean | undefined => {
  const value = payload[name];
  return typeof value === 'boolean' ? value : undefined;
};

export const recordOf = (payload: Payload, name: string): Payload | undefined => {
  const value = payload[name];
  return isRecord(value) ? value : undefined;
};

/** The records of a list; some chargers send the only entry bare, without the list around it. */
export const recordsOf = (payload: Payload, name: string): readonly Payload[] => {
  const value: unknown = payload[name];
  if (isRecord(value)) return [value];
  return Array.isArray(value) ? value.filter(isRecord) : [];
};

/** The member of an enumeration that `value` means, letter case aside. */
export const memberOf = <T extends string>(value: unknown, members: readonly T[]): T | undefined => {
  if (typeof value !== 'string') return undefined;
  // Nearly every charger writes it as the standard does.
  if ((members as readonly string[]).includes(value)) return value as T;
  const wanted = value.trim().toLowerCase();
  return members.find((member) => member.toLowerCase() === wanted);
};

const MOMENT = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?(\.\d+)?\s*(Z|[+-]\d\d)?:?(\d\d)?$/i;

/** A date-time, read leniently: without a zone it is UTC, and zones such as `+03` count. */
export const momentFrom = (value: unknown): Timestamp | undefined => {
  if (typeof value !== 'string') return undefined;
  const parts = MOMENT.exec(value.trim());
  if (!parts) return undefined;
  const [, day, minute, second = ':00', fraction = '', zone = 'Z', zoneMinutes] = parts;
  const offset = zone.toUpperCase() === 'Z' ? 'Z' : `${zone}:${zoneMinutes ?? '00'}`;
  const at = Date.parse(`${day}T${minute}${second}${fraction.slice(0, 4)}${offset}`);
  return Number.isFinite(at) ? timestamp(at) : undefined;
};

export const momentOf = (payload: Payload, name: string): Timestamp | undefined => momentFrom(payload[name]);
