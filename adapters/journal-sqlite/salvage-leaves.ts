// Finds places in a table of documents by looking at the raw pages of its file: where reading may start again behind damage.
import { closeSync, openSync, readSync } from 'node:fs';

const PAGE_SIZE = 4096;
/** A leaf of an index, which is what a table without row ids is kept in (SQLite file format, section 1.6). */
const INDEX_LEAF = 0x0a;
const CELL_COUNT = 3;
const CELL_POINTERS = 8;

export type Place = readonly [collection: string, key: string];

/** The first row of every page that looks like a leaf, in the order of the names. Nothing but places to try: pages may be stale. */
export function leafPlaces(file: string): readonly Place[] {
  const places: Place[] = [];
  const handle = openSync(file, 'r');
  try {
    const page = Buffer.alloc(PAGE_SIZE);
    for (let at = 0; readSync(handle, page, 0, PAGE_SIZE, at) === PAGE_SIZE; at += PAGE_SIZE) {
      const place = page[0] === INDEX_LEAF ? firstRow(page) : undefined;
      if (place !== undefined) places.push(place);
    }
  } finally {
    closeSync(handle);
  }
  return places.sort(inOrder);
}

/** As SQLite compares: byte by byte. */
export const inOrder = (one: Place, other: Place): number =>
  Buffer.compare(Buffer.from(one[0]), Buffer.from(other[0])) ||
  Buffer.compare(Buffer.from(one[1]), Buffer.from(other[1]));

/** Collection and key of the first cell: size of the row, size of the header, a type for each column, the columns (section 2.1). */
function firstRow(page: Buffer): Place | undefined {
  try {
    if (page.readUInt16BE(CELL_COUNT) === 0) return undefined;
    const [, header] = varint(page, page.readUInt16BE(CELL_POINTERS));
    const [headerSize, types] = varint(page, header);
    const [first, next] = varint(page, types);
    const [second] = varint(page, next);
    const lengths = [textLength(first), textLength(second)] as const;
    if (lengths[0] === undefined || lengths[1] === undefined) return undefined;
    const [start, end] = [header + headerSize + lengths[0], header + headerSize + lengths[0] + lengths[1]];
    if (end > PAGE_SIZE) return undefined;
    return [page.toString('utf8', header + headerSize, start), page.toString('utf8', start, end)];
  } catch {
    // It only looked like a leaf.
    return undefined;
  }
}

/** Serial types of texts are odd and 13 at least. */
const textLength = (type: number): number | undefined => (type >= 13 && type % 2 === 1 ? (type - 13) / 2 : undefined);

/** @throws RangeError behind the end of the page */
function varint(page: Buffer, at: number): readonly [value: number, next: number] {
  let value = 0;
  for (let i = 0; i < 8; i++) {
    const byte = page.readUInt8(at + i);
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return [value, at + i + 1];
  }
  throw new RangeError('no size of a row is that large');
}
