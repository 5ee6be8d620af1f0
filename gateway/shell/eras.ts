// The spans in which the site did not know the time for sure, and by how much what was stamped in them is to be moved.
import type { StationId } from '../kernel/ids.js';
import { milliseconds, timestamp, type Milliseconds, type Timestamp } from '../kernel/units.js';
import type { TimeShift } from '../site/time-shift.js';
import type { Standing } from './site-clock.js';

/** The span that goes on. It may have begun under an earlier process, and on a time that was unset in an earlier boot. */
export interface OpenEra {
  readonly id: number;
  /** Times from here on are the era's; earlier ones are known. */
  readonly from: Timestamp;
  readonly standing: Extract<Standing, 'unset' | 'assumed'>;
  /** It has been going on since before the machine was last started: how long that took nobody knows. */
  readonly overBoots: boolean;
  /** It began because something set the clock, and not because the machine was started. */
  readonly set: boolean;
}

/** A span of which the offset is known; `next`: as far as it is in the era that followed. */
interface PastEra {
  readonly id: number;
  readonly from: Timestamp;
  readonly offset: Milliseconds;
  readonly next?: number;
  /** Chargers that were told the era's time, and may still go by it. */
  readonly stations: readonly StationId[];
}

/** Plain JSON, stored as it is. An era that needed no move is not kept: an id that is unknown means that. */
export interface Eras {
  /** Ids are never used again. */
  readonly nextId: number;
  readonly open?: OpenEra;
  readonly past: readonly PastEra[];
}

/** Eras remembered: some hundred power cuts of a box without a clock, when nothing from that time waits any more. */
const KEPT = 256;

export const NO_ERAS: Eras = { nextId: 1, past: [] };

export const begin = (
  { nextId, past }: Eras,
  from: Timestamp,
  standing: OpenEra['standing'],
): Eras & { readonly open: OpenEra } => ({
  nextId: nextId + 1,
  past,
  open: { id: nextId, from, standing, overBoots: false, set: false },
});

/** The open era goes on in another boot of the machine. */
export const overBoot = (eras: Eras): Eras =>
  eras.open === undefined ? eras : { ...eras, open: { ...eras.open, overBoots: true } };

/** The time is known, and no longer in doubt. */
export function end(eras: Eras, offset: Milliseconds, stations: readonly StationId[]): Eras {
  const { open, past, nextId } = eras;
  if (open === undefined) return eras;
  const { id, from } = open;
  return { nextId, past: offset === 0 ? past : kept([...past, { id, from, offset, stations }]) };
}

/**
 * The time is another one, which is in doubt too: whatever becomes known of that one holds for this era as well.
 * @param set see `OpenEra`
 */
export function follow(eras: Eras, offset: Milliseconds, stations: readonly StationId[], set: boolean): Eras {
  const { open } = eras;
  if (open === undefined) return eras;
  const next = begin(eras, timestamp(open.from + offset), 'assumed');
  const past = { id: open.id, from: open.from, offset, next: next.open.id, stations };
  return { ...next, open: { ...next.open, set }, past: kept([...eras.past, past]) };
}

/** What moves the times stamped in an era, in this order; nothing as long as it is open. */
export function shiftsOf({ past }: Eras, id: number): readonly TimeShift[] {
  const era = past.find((each) => each.id === id);
  if (era === undefined) return [];
  const { from, offset, next } = era;
  return [{ from, offset }, ...(next === undefined ? [] : shiftsOf({ nextId: 0, past }, next))];
}

const kept = (past: readonly PastEra[]): readonly PastEra[] => past.slice(-KEPT);

/** Reads what was stored; anything else is as good as nothing. */
export function parseEras(value: unknown): Eras {
  if (typeof value !== 'object' || value === null) return NO_ERAS;
  const { nextId, open, past } = value as Partial<Record<keyof Eras, unknown>>;
  if (!Number.isSafeInteger(nextId) || !Array.isArray(past)) return NO_ERAS;
  return {
    nextId: nextId as number,
    past: past.filter(isPast),
    ...(isOpenEra(open) && { open }),
  };
}

const isOpenEra = (value: unknown): value is OpenEra =>
  typeof value === 'object' &&
  value !== null &&
  Number.isSafeInteger((value as Partial<OpenEra>).id) &&
  typeof (value as Partial<OpenEra>).from === 'number' &&
  ['unset', 'assumed'].includes(String((value as Partial<OpenEra>).standing));

const isPast = (value: unknown): value is PastEra =>
  typeof value === 'object' &&
  value !== null &&
  Number.isSafeInteger((value as Partial<PastEra>).id) &&
  typeof (value as Partial<PastEra>).from === 'number' &&
  typeof (value as Partial<PastEra>).offset === 'number' &&
  Array.isArray((value as Partial<PastEra>).stations);

/** How far an era that was unset is moved by a time known from the next boot on: it ended, at the latest, when that began. */
export const upTo = (last: Timestamp, bootBegan: number): Milliseconds => milliseconds(Math.max(0, bootBegan - last));
