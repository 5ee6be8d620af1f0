// Paths into site.yaml and their places in its text.

/** Keys, and indices of lists from 0. */
export type Path = readonly (string | number)[];

/** Line and column from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A path as one text, as JSON Pointer writes it (RFC 6901). */
export const pointer = (path: Path): string =>
  path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

/** A JSON Pointer as a path; indices stay text, which `pointer` does not mind. */
export const fromPointer = (text: string): Path =>
  text === ''
    ? []
    : text
        .slice(1)
        .split('/')
        .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));

/** What `find` knows of the path, or of the shortest way up from it. */
export function nearestPlace(path: Path, find: (pointer: string) => Place | undefined): Place | undefined {
  for (let length = path.length; length >= 0; length--) {
    const found = find(pointer(path.slice(0, length)));
    if (found !== undefined) return found;
  }
  return undefined;
}

const NOUNS: Readonly<Record<string, string>> = { circuits: 'circuit', meters: 'meter', stations: 'station' };

/** What stands at `path`, in words: `breaker of circuit main`, `max-current of EVSE 3 (station WB07)`. */
export function inWords(path: Path, root: unknown): string {
  const [section, name, ...rest] = path.map(String);
  if (section === undefined) return 'the file';
  if (name === undefined) return section;
  // A file that is a list at the top: the evening's cars.
  if (Array.isArray(step(root, section)) && /^\d+$/.test(name)) {
    const entry = Number(name) + 1;
    return [...rest]
      .reverse()
      .concat(section === 'cars' ? `car ${entry}` : `entry ${entry} of ${section}`)
      .join(' of ');
  }
  const noun = NOUNS[section];
  if (noun === undefined && section !== 'csms')
    return entriesNamed([name, ...rest])
      .reverse()
      .concat(section)
      .join(' of ');
  const owner = `${noun ?? 'csms'} ${name}`;
  if (section === 'stations' && rest[0] === 'evses' && rest[1] !== undefined) {
    const index = Number(rest[1]);
    const number = step(step(step(step(step(root, section), name), 'evses'), rest[1]), 'number');
    const evse =
      typeof number === 'string' || typeof number === 'number' ? `EVSE ${number}` : `entry ${index + 1} of evses`;
    return [...rest.slice(2).reverse(), `${evse} (${owner})`].join(' of ');
  }
  return [...rest].reverse().concat(owner).join(' of ');
}

/** Of a list with a name for its entries, the entry instead of list and index: `contact 2`. */
const entriesNamed = (parts: readonly string[]): string[] =>
  parts.flatMap((part, index) => {
    if (parts[index - 1] === 'contacts') return [`contact ${Number(part) + 1}`];
    return part === 'contacts' && index + 1 < parts.length ? [] : [part];
  });

/** One step into an unknown value. */
export const step = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Readonly<Record<string, unknown>>)[key]
    : undefined;
