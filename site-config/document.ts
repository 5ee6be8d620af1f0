// A YAML text as plain values, with the place of every key and value: what findings point at.
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments, type Document, type Node } from 'yaml';
import { nearestPlace, pointer, type Path, type Place } from './place.js';

/** A fault of the text itself, before anything is known about sites. */
export interface TextFault {
  readonly code: 'syntax' | 'duplicate-key';
  readonly place: Place;
  readonly message: string;
  readonly suggestion?: string;
}

export interface SiteDocument {
  /** Scalars as YAML types them; what the schema is checked against. */
  readonly typed: unknown;
  /** Every scalar as it is written, so that the card 0815 keeps its zero; null where nothing is written. */
  readonly written: unknown;
  readonly faults: readonly TextFault[];
  /** Where the value at `path` stands, or the nearest thing around it. */
  valueAt(path: Path): Place;
  /** Where the key at the end of `path` stands. */
  keyAt(path: Path): Place;
}

/** More than any site needs; a text that unfolds to more (aliases of aliases) is refused. */
const MOST_NODES = 100_000;
const MOST_DEPTH = 24;

/** Never throws: whatever is wrong with the text is in `faults`. */
export function readDocument(text: string): SiteDocument {
  const lines = new LineCounter();
  const places = new Map<string, { readonly key?: Place; readonly value: Place }>();
  const faults: TextFault[] = [];
  const start: Place = { line: 1, column: 1 };
  const placeOf = (offset: number): Place => {
    const { line, col } = lines.linePos(Math.min(offset, text.length));
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const documents = parseAllDocuments(text, {
    lineCounter: lines,
    uniqueKeys: false,
    prettyErrors: false,
    merge: false,
  });
  const document: Document | undefined = documents[0];
  for (const { code, message, pos } of documents.flatMap((each) => each.errors)) {
    faults.push({ code: 'syntax', place: placeOf(pos[0]), ...inOurWords(code, message) });
  }
  const second = documents[1];
  if (second !== undefined && faults.length === 0) {
    const offset = second.range[0];
    faults.push({
      code: 'syntax',
      place: placeOf(offset),
      message: 'a second document begins here',
      suggestion: 'write one site in one file, without ---',
    });
  }

  let nodes = 0;
  const plain = (node: unknown, path: Path, around: Place): { readonly typed: unknown; readonly written: unknown } => {
    const place = hasRange(node) ? placeOf(node.range[0]) : around;
    const known = places.get(pointer(path));
    places.set(pointer(path), known?.key === undefined ? { value: place } : { key: known.key, value: place });
    if (++nodes > MOST_NODES || path.length > MOST_DEPTH) {
      if (nodes <= MOST_NODES + 1)
        faults.push({ code: 'syntax', place, message: 'the text unfolds to more than any site needs' });
      nodes = MOST_NODES + 1;
      return { typed: null, written: null };
    }
    if (isAlias(node)) {
      const target = document === undefined ? undefined : node.resolve(document);
      return target === undefined ? { typed: null, written: null } : plain(target, path, place);
    }
    if (isMap(node)) return plainMap(node.items, path, place);
    if (isSeq(node)) {
      const items = node.items.map((item, index) => plain(item, [...path, index], place));
      return { typed: items.map((item) => item.typed), written: items.map((item) => item.written) };
    }
    if (!isScalar(node) || node.value === null || node.value === undefined) return { typed: null, written: null };
    return { typed: node.value, written: node.source ?? scalarText(node.value) };
  };
  const plainMap = (
    items: readonly { readonly key: unknown; readonly value: unknown }[],
    path: Path,
    around: Place,
  ) => {
    const typed = new Map<string, unknown>();
    const written = new Map<string, unknown>();
    for (const { key, value } of items) {
      const place = hasRange(key) ? placeOf(key.range[0]) : around;
      if (!isScalar(key)) {
        faults.push({ code: 'syntax', place, message: 'a key must be one word' });
        continue;
      }
      const name = key.source ?? scalarText(key.value);
      const here = [...path, name];
      const earlier = places.get(pointer(here))?.key;
      if (typed.has(name)) {
        const message = `${name} stands here a second time; the first is in line ${earlier?.line ?? around.line}`;
        faults.push({
          code: 'duplicate-key',
          place,
          message,
          suggestion: 'keep one of the two, or give this one another name',
        });
        continue;
      }
      places.set(pointer(here), { key: place, value: place });
      const both = plain(value, here, place);
      typed.set(name, both.typed);
      written.set(name, both.written);
    }
    return { typed: Object.fromEntries(typed), written: Object.fromEntries(written) };
  };

  const { typed, written } = plain(document?.contents, [], start);
  return {
    typed,
    written,
    faults,
    valueAt: (path) => nearestPlace(path, (at) => places.get(at)?.value) ?? start,
    keyAt: (path) => nearestPlace(path, (at) => places.get(at)?.key ?? places.get(at)?.value) ?? start,
  };
}

const hasRange = (node: unknown): node is Node & { readonly range: readonly [number, number, number] } =>
  typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range);

/** The faults that people make, in words of people; the parser's own where we have none. */
function inOurWords(code: string, message: string): { readonly message: string; readonly suggestion?: string } {
  switch (code) {
    case 'TAB_AS_INDENT':
      return { message: 'the line begins with a tab', suggestion: 'indent with spaces, two for each level' };
    case 'BAD_INDENT':
      return {
        message: 'the line is not indented like its neighbours',
        suggestion: 'indent with two spaces for each level',
      };
    case 'MISSING_CHAR':
      return {
        message: lowerFirst(firstLine(message)),
        suggestion: 'look for a bracket, quote, comma or colon that is missing here or in the line before',
      };
    case 'BLOCK_AS_IMPLICIT_KEY':
    case 'MULTILINE_IMPLICIT_KEY':
      return {
        message: 'this is not one key and its value',
        suggestion: 'look for a colon too many, or one without a space behind it',
      };
    case 'UNEXPECTED_TOKEN':
    case 'BAD_COLLECTION_TYPE':
      return { message: lowerFirst(firstLine(message)), suggestion: 'look for a bracket or quote too many' };
    default:
      return { message: lowerFirst(firstLine(message)) };
  }
}

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? text;
const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
const scalarText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
