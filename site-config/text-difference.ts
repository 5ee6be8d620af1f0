// What is different between two texts of a site.yaml, for people: unified, and without the passwords that stand in them.
import { createTwoFilesPatch } from 'diff';
import { isScalar, parseAllDocuments, visit } from 'yaml';

const MASK = '********';

/** Unified, with three lines around each change; empty where only passwords differ, or nothing does. */
export function differenceOf(before: string, after: string): string {
  const [from, to] = [withoutPasswords(before), withoutPasswords(after)];
  if (from === to) return '';
  return createTwoFilesPatch('before', 'after', from, to, undefined, undefined, { context: 3 });
}

/** The text with every password in it masked, whatever else may be wrong with it. */
export function withoutPasswords(text: string): string {
  const ranges: (readonly [from: number, to: number])[] = [];
  for (const document of parseAllDocuments(text, { uniqueKeys: false, prettyErrors: false })) {
    // A list of documents is what a text is parsed to; an empty one has none.
    visit(document, {
      Pair(_, { key, value }) {
        if (!isScalar(key) || key.value !== 'password' || !isScalar(value) || !value.range) return;
        if (value.range[1] > value.range[0]) ranges.push([value.range[0], value.range[1]]);
      },
    });
  }
  const masked = ranges
    .toSorted(([a], [b]) => b - a)
    .reduce(
      (rest, [from, to]) =>
        `${rest.slice(0, from)}${MASK}${rest.slice(from, to).endsWith('\n') ? '\n' : ''}${rest.slice(to)}`,
      text,
    );
  return (
    masked
      // What could not be parsed, and who signs in with the address.
      .replace(/(\bpassword["']?\s*:\s*)(?!\{|\*{8})([^\s#,}][^#,}\n]*)/g, `$1${MASK}`)
      .replace(/(\/\/[^\s/:@'"]*:)[^\s/@'"]+@/g, `$1${MASK}@`)
  );
}
