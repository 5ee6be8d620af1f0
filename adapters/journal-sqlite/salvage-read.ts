// Reads what can be read of a damaged database, row by row, around the pages that cannot.
import type { Connection } from './database.js';
import { inOrder, leafPlaces, type Place } from './salvage-leaves.js';

export type EntryRow = readonly [seq: number, body: string];
export type DocumentRow = readonly [collection: string, key: string, body: string];

const PAGE = 200;
/** Places that could not be read after which the entries are given up: their tree is gone, not some leaves. */
const PATIENCE = 10_000;
/** Above every entry number. */
const BEYOND = Number.MAX_SAFE_INTEGER;
/** Above every name. */
const END: Place = ['\u{10ffff}', ''];

/** Every entry that is readable and whose body is JSON, each once, in no order. */
export function* readEntries(db: Connection): Iterable<EntryRow> {
  const where = 'SELECT seq, body FROM entry WHERE seq > ? AND seq < ? ORDER BY seq';
  const upwards = prepare<EntryRow>(db, `${where} LIMIT ?`);
  const downwards = prepare<EntryRow>(db, `${where} DESC LIMIT ?`);
  if (upwards === undefined || downwards === undefined) return;
  const spans: (readonly [low: number, high: number, step: number])[] = [[-1, BEYOND, 1]];
  for (let damaged = 0; damaged < PATIENCE;) {
    const span = spans.pop();
    if (span === undefined) return;
    let [low, high, step] = span;
    if (
      yield* walk(
        upwards,
        () => [low, high],
        ([seq]) => (low = seq),
      )
    )
      continue;
    damaged++;
    if (
      yield* walk(
        downwards,
        () => [low, high],
        ([seq]) => (high = seq),
      )
    )
      continue;
    // Neither end can be read on from: what is between lies behind the damage, or in it.
    if (high - low <= 2) continue;
    // Where the end is open there is nothing to halve towards: ever larger steps, as long as nothing was read.
    step = low === span[0] ? 2 * step : 2;
    const middle = Math.min(high === BEYOND ? low + step : Infinity, Math.floor((low + high) / 2));
    // The lower part, with the middle itself, is taken first.
    spans.push([middle, high, step], [low, middle + 1, step]);
  }
}

/**
 * Every document that is readable and is JSON, each once, in no order.
 * @param file the database's own
 */
export function* readDocuments(db: Connection, file: string): Iterable<DocumentRow> {
  const where = `SELECT collection, key, body FROM document
    WHERE (collection, key) > (?, ?) AND (collection, key) < (?, ?) ORDER BY collection`;
  const upwards = prepare<DocumentRow>(db, `${where}, key LIMIT ?`);
  const downwards = prepare<DocumentRow>(db, `${where} DESC, key DESC LIMIT ?`);
  const exactly = prepare<DocumentRow>(
    db,
    'SELECT collection, key, body FROM document WHERE (collection, key) = (?, ?) LIMIT ?',
  );
  if (upwards === undefined || downwards === undefined || exactly === undefined) return;
  let low: Place = ['', ''];
  if (
    yield* walk(
      upwards,
      () => [...low, ...END],
      (row) => (low = [row[0], row[1]]),
    )
  )
    return;
  // Behind the damage reading starts again at the first row of a leaf, and goes back from there as far as it can.
  for (const place of leafPlaces(file)) {
    if (inOrder(place, low) <= 0) continue;
    let row: DocumentRow | undefined;
    if (
      !(yield* walk(
        exactly,
        () => place,
        (found) => (row = found),
      )) ||
      row === undefined
    )
      continue;
    let high: Place = place;
    yield* walk(
      downwards,
      () => [...low, ...high],
      ([collection, key]) => (high = [collection, key]),
    );
    low = place;
    if (
      yield* walk(
        upwards,
        () => [...low, ...END],
        ([collection, key]) => (low = [collection, key]),
      )
    )
      return;
  }
  let high = END;
  yield* walk(
    downwards,
    () => [...low, ...high],
    ([collection, key]) => (high = [collection, key]),
  );
}

type Query<R> = (bounds: readonly unknown[], limit: number) => readonly R[];

function prepare<R>(db: Connection, sql: string): Query<R> | undefined {
  try {
    const statement = db.prepare(sql).raw();
    return (bounds, limit) => statement.all(...bounds, limit) as R[];
  } catch {
    // No such table: the schema is gone.
    return undefined;
  }
}

/**
 * Gives rows until there are no more, or the next one cannot be read.
 * @param bounds asked before every read
 * @param at told of the last row of every read
 * @returns true: there are no more between the bounds
 */
function* walk<R extends readonly [unknown, ...unknown[]]>(
  query: Query<R>,
  bounds: () => readonly unknown[],
  at: (row: R) => void,
): Generator<R, boolean> {
  for (let limit = 1; ;) {
    let page: readonly R[];
    try {
      page = query(bounds(), limit);
    } catch {
      if (limit === 1) return false;
      limit = 1;
      continue;
    }
    const last = page.at(-1);
    if (last !== undefined) at(last);
    for (const row of page) if (isJson(row.at(-1))) yield row;
    if (page.length < limit) return true;
    limit = Math.min(2 * limit, PAGE);
  }
}

function isJson(body: unknown): boolean {
  if (typeof body !== 'string') return false;
  try {
    JSON.parse(body);
    return true;
  } catch {
    return false;
  }
}
