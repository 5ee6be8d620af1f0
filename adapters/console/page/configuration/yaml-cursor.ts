// Where in a YAML text the cursor stands: the path of keys to it, and whether a key or a value is being written. Reads text that is not yet YAML.

export interface Cursor {
  /** Keys from the top; `[]` for an item of a list. Of the key itself, where a value is being written. */
  readonly path: readonly string[];
  readonly writing: 'key' | 'value';
  /** What of the word stands before the cursor, and where it begins. */
  readonly word: string;
  readonly from: number;
  /** Keys that the mapping around the cursor has already. */
  readonly siblings: readonly string[];
  /** Within braces: entries are parted by commas. */
  readonly flow: boolean;
}

interface Level {
  readonly kind: 'block' | 'map' | 'list';
  /** Columns from the left; only of a block. */
  readonly indent: number;
  /** How this level is reached from the one outside it; undefined for one whose key is being written. */
  key: string | undefined;
  readonly seen: string[];
}

/** @param offset of the cursor, in UTF-16 units from the start */
export function cursorAt(text: string, offset: number): Cursor {
  const scan = new Scan();
  const lines = text.slice(0, offset).split('\n');
  let start = 0;
  for (const [index, line] of lines.entries()) {
    scan.line(line, start);
    if (index < lines.length - 1) scan.endOfLine();
    start += line.length + 1;
  }
  const cursor = scan.cursor(offset);
  return cursor.flow ? cursor : { ...cursor, siblings: [...cursor.siblings, ...keysBelow(text, offset, scan.indent)] };
}

const KEY = /^("[^"]*"|'[^']*'|[^\s:#{}[\],&*!|>'"%@`-][^:#{}[\],]*?|[^\s:#{}[\],&*!|>'"%@`][^:#{}[\],\s]*):(\s|$)/;

class Scan {
  #levels: Level[] = [];
  #flow: Level[] = [];
  /** The value or key that is being written: its text, and where it begins. */
  #word = '';
  #from = 0;
  #writing: 'key' | 'value' = 'key';
  indent = 0;

  line(line: string, start: number): void {
    let at = 0;
    if (this.#flow.length === 0) at = this.#block(line);
    this.#begin(start + at);
    this.#rest(line, at, start);
  }

  endOfLine(): void {
    if (this.#flow.length === 0) this.#writing = 'key';
  }

  /** The keys and dashes at the start of a line. @returns where its value begins */
  #block(line: string): number {
    let at = /^ */.exec(line)?.[0].length ?? 0;
    this.#writing = 'key';
    if (line.trim() === '' || line.trimStart().startsWith('#')) {
      // An empty line belongs to what its indent says, once something is written on it.
      this.indent = line.length;
      if (line.trim() === '') this.#leave(line.length);
      return line.length;
    }
    this.#leave(at);
    while (/^-(\s|$)/.test(line.slice(at))) {
      this.#levels.push({ kind: 'block', indent: at, key: '[]', seen: [] });
      at += 1 + (/^ */.exec(line.slice(at + 1))?.[0].length ?? 0);
    }
    this.indent = at;
    const key = KEY.exec(line.slice(at))?.[1];
    if (key === undefined) return at;
    this.#outer()?.seen.push(unquoted(key));
    this.#levels.push({ kind: 'block', indent: at, key: unquoted(key), seen: [] });
    this.#writing = 'value';
    at += key.length + 1;
    return at + (/^ */.exec(line.slice(at))?.[0].length ?? 0);
  }

  #top: Level = { kind: 'block', indent: -1, key: undefined, seen: [] };

  #outer(): Level {
    return this.#levels.at(-1) ?? this.#top;
  }

  #leave(indent: number): void {
    while ((this.#levels.at(-1)?.indent ?? -1) >= indent) this.#levels.pop();
  }

  #rest(line: string, begin: number, start: number): void {
    let quote: string | undefined;
    for (let at = begin; at < line.length; at++) {
      const char = line.charAt(at);
      if (quote !== undefined) {
        if (char === quote) quote = undefined;
        this.#word += char;
        continue;
      }
      if (char === '#' && (at === 0 || /\s/.test(line.charAt(at - 1)))) {
        this.#begin(start + line.length);
        return;
      }
      const next = line.charAt(at + 1);
      const within = this.#flow.at(-1);
      if ((char === '"' || char === "'") && this.#word === '') {
        quote = char;
        this.#word += char;
      } else if (char === '{' || char === '[') this.#open(char, start + at + 1);
      else if (within !== undefined && (char === '}' || char === ']')) {
        this.#flow.pop();
        this.#writing = 'value';
        this.#begin(start + at + 1);
      } else if (within !== undefined && char === ',') {
        if (within.kind === 'map') within.key = undefined;
        this.#writing = within.kind === 'map' ? 'key' : 'value';
        this.#begin(start + at + 1);
      } else if (within?.kind === 'map' && within.key === undefined && char === ':' && (next === ' ' || next === '')) {
        within.key = unquoted(this.#word.trim());
        within.seen.push(within.key);
        this.#writing = 'value';
        this.#begin(start + at + 1);
      } else if (this.#word === '' && /\s/.test(char)) this.#from = start + at + 1;
      else this.#word += char;
    }
  }

  #open(bracket: '{' | '[', from: number): void {
    const kind = bracket === '{' ? 'map' : 'list';
    this.#flow.push({ kind, indent: 0, key: kind === 'list' ? '[]' : undefined, seen: [] });
    this.#writing = kind === 'map' ? 'key' : 'value';
    this.#begin(from);
  }

  #begin(from: number): void {
    this.#word = '';
    this.#from = from;
  }

  cursor(offset: number): Cursor {
    const flow = this.#flow.length > 0;
    const keys = [...this.#levels, ...this.#flow].flatMap(({ key }) => key ?? []);
    const around = flow ? this.#flow.at(-1) : this.#outer();
    return {
      path: keys,
      writing: this.#writing,
      word: this.#word,
      from: Math.min(this.#from, offset),
      siblings: around?.seen ?? [],
      flow,
    };
  }
}

/** The keys of the same block that stand below the cursor's line. */
function keysBelow(text: string, offset: number, indent: number): readonly string[] {
  const end = text.indexOf('\n', offset);
  if (end === -1) return [];
  const keys: string[] = [];
  for (const line of text.slice(end + 1).split('\n')) {
    const own = /^ */.exec(line)?.[0].length ?? 0;
    if (line.trim() === '' || line.trimStart().startsWith('#') || own > indent) continue;
    if (own < indent) break;
    const key = KEY.exec(line.slice(own))?.[1];
    if (key !== undefined) keys.push(unquoted(key));
  }
  return keys;
}

const unquoted = (key: string): string => (/^(["']).*\1$/.test(key) ? key.slice(1, -1) : key);
