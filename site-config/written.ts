// Reads pieces of a site as it is written, whatever else may be wrong with it: a missing or misshapen piece is undefined.

/** Scalars are text as written; null where nothing is written. */
export type Section = Readonly<Record<string, unknown>>;

const NOTHING: Section = {};

export const isSection = (value: unknown): value is Section =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const section = (of: Section, key: string): Section => {
  const value = Object.hasOwn(of, key) ? of[key] : undefined;
  return isSection(value) ? value : NOTHING;
};

/** The named sections inside a section, such as every circuit. */
export const entries = (of: Section, key: string): readonly (readonly [string, Section])[] =>
  Object.entries(section(of, key)).flatMap(([name, value]) => (isSection(value) ? [[name, value] as const] : []));

export const text = (of: Section, key: string): string | undefined => {
  const value = Object.hasOwn(of, key) ? of[key] : undefined;
  return typeof value === 'string' ? value : undefined;
};

export const list = (of: Section, key: string): readonly unknown[] => {
  const value = Object.hasOwn(of, key) ? of[key] : undefined;
  return Array.isArray(value) ? value : [];
};

export const has = (of: Section, key: string): boolean => Object.hasOwn(of, key);

export interface WrittenEvse {
  readonly station: string;
  /** In the station's list, from 0. */
  readonly index: number;
  readonly number: number | undefined;
  readonly keys: Section;
}

/** Every EVSE of every station, in the order of the file. */
export const evsesOf = (site: Section): readonly WrittenEvse[] =>
  entries(site, 'stations').flatMap(([station, keys]) =>
    list(keys, 'evses').flatMap((evse, index) => {
      if (!isSection(evse)) return [];
      const number = Number(text(evse, 'number'));
      return [{ station, index, number: Number.isInteger(number) ? number : undefined, keys: evse }];
    }),
  );
