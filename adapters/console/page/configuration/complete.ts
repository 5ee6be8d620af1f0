// What may be written at the cursor of site.yaml, and what it means: from its JSON Schema, and the names that the file gives itself.
import { partsOf, schemaAt, type JsonSchema } from './schema.js';
import { cursorAt, type Cursor } from './yaml-cursor.js';

export interface Suggestion {
  readonly label: string;
  readonly insert: string;
  readonly detail: string;
}

export interface Completion {
  /** What the suggestion takes the place of. */
  readonly from: number;
  readonly to: number;
  readonly suggestions: readonly Suggestion[];
}

/** The key at the cursor and what it is for. */
export interface Help {
  readonly path: readonly string[];
  readonly text: string;
  readonly default?: string;
  readonly example?: string;
}

/** Places where a name is written that stands elsewhere in the file as a key. */
const NAMED_IN: Readonly<Record<string, string>> = { circuit: 'circuits', 'fed-by': 'circuits', meter: 'meters' };

export function complete(root: JsonSchema, text: string, offset: number): Completion {
  const cursor = cursorAt(text, offset);
  const all = cursor.writing === 'key' ? keys(root, cursor) : values(root, cursor, text);
  const word = cursor.word.toLowerCase();
  return {
    from: cursor.from,
    to: offset,
    suggestions: all.filter(({ label }) => label.toLowerCase().startsWith(word)),
  };
}

export function helpAt(root: JsonSchema, text: string, offset: number): Help | undefined {
  const end = endOfWord(text, offset);
  const cursor = cursorAt(text, end);
  // On a key, what is meant is the key, which may already be complete or still be written.
  const path = cursor.writing === 'key' && cursor.word !== '' ? [...cursor.path, cursor.word.trim()] : cursor.path;
  const here = schemaAt(root, path);
  const description = here.find((schema) => schema.description !== undefined)?.description;
  if (path.length === 0 || description === undefined) return undefined;
  const standard = here.find((schema) => schema.default !== undefined)?.default;
  const example = here.flatMap((schema) => schema.examples ?? [])[0];
  return {
    path,
    text: description,
    ...(standard !== undefined && { default: written(standard) }),
    ...(example !== undefined && { example: written(example) }),
  };
}

function keys(root: JsonSchema, { path, siblings, flow }: Cursor): readonly Suggestion[] {
  const taken = new Set(siblings);
  const here = schemaAt(root, path);
  const required = new Set(here.flatMap((schema) => schema.required ?? []));
  const offered = new Map<string, JsonSchema>();
  for (const { properties } of here)
    for (const [key, schema] of Object.entries(properties ?? {}))
      if (!taken.has(key) && !offered.has(key)) offered.set(key, schema);
  return [...offered]
    .sort(([a], [b]) => Number(required.has(b)) - Number(required.has(a)))
    .map(([key, schema]) => {
      const parts = partsOf(root, schema);
      const below = !flow && parts.some(({ properties, additionalProperties }) => properties ?? additionalProperties);
      return {
        label: key,
        insert: below ? `${key}:` : `${key}: `,
        detail: firstSentence(parts.find(({ description }) => description !== undefined)?.description ?? ''),
      };
    });
}

function values(root: JsonSchema, { path }: Cursor, text: string): readonly Suggestion[] {
  const here = schemaAt(root, path);
  const key = path.at(-1) ?? '';
  const names = NAMED_IN[key] === undefined ? [] : namesIn(text, NAMED_IN[key]);
  const found = new Map<string, string>(names.map((name) => [name, `of ${NAMED_IN[key] ?? ''}`]));
  const add = (value: unknown, detail: string): void => {
    const label = written(value);
    if (!found.has(label)) found.set(label, detail);
  };
  for (const schema of here) {
    for (const value of schema.enum ?? []) add(value, '');
    if (schema.const !== undefined) add(schema.const, '');
    if (schema.type === 'boolean') for (const value of [true, false]) add(value, '');
  }
  for (const schema of here) if (schema.default !== undefined) add(schema.default, 'default');
  for (const schema of here) for (const value of schema.examples ?? []) add(value, 'for example');
  return [...found].map(([label, detail]) => ({ label, insert: label, detail }));
}

/** The keys one step below a key at the left edge. */
function namesIn(text: string, section: string): readonly string[] {
  const lines = text.split('\n');
  const begin = lines.findIndex((line) => line.startsWith(`${section}:`));
  if (begin === -1) return [];
  const below = lines.slice(begin + 1);
  const end = below.findIndex((line) => /^[^\s#]/.test(line));
  const block = end === -1 ? below : below.slice(0, end);
  const indent = block.map((line) => /^( +)[^\s#]/.exec(line)?.[1]).find((each) => each !== undefined);
  if (indent === undefined) return [];
  return block.flatMap((line) => new RegExp(`^${indent}([^\\s#:][^:]*):`).exec(line)?.[1] ?? []);
}

const written = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

const firstSentence = (text: string): string => /^.*?[.;:](?=\s|$)/.exec(text)?.[0].replace(/[;:]$/, '.') ?? text;

function endOfWord(text: string, offset: number): number {
  const rest = /^[A-Za-z0-9_-]*/.exec(text.slice(offset))?.[0] ?? '';
  return offset + rest.length;
}
