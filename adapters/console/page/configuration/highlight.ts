// What each piece of a line of site.yaml is, so that it can be drawn in its colour.

export interface Piece {
  readonly kind: 'comment' | 'key' | 'mark' | 'text';
  readonly text: string;
}

/** A number sign within a word is part of it. */
const PIECE =
  /((?<=^|\s)#.*$)|((?:"[^"]*"|'[^']*'|[A-Za-z0-9*_=+|@.-]+)(?=\s*:(?:\s|$)))|([{}[\],:-](?=\s|$)|[{}[\],])/g;

export function pieces(line: string): readonly Piece[] {
  const found: Piece[] = [];
  let from = 0;
  for (const match of line.matchAll(PIECE)) {
    const [text, comment, key] = match;
    if (match.index > from) found.push({ kind: 'text', text: line.slice(from, match.index) });
    found.push({ kind: comment !== undefined ? 'comment' : key !== undefined ? 'key' : 'mark', text });
    from = match.index + text.length;
  }
  if (from < line.length) found.push({ kind: 'text', text: line.slice(from) });
  return found;
}
