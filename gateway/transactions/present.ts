// Objects with optional properties: leaves out what is undefined, so that exactOptionalPropertyTypes holds and JSON stays small.

type Present<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** A shallow copy of `value` without its undefined properties. */
export const present = <T extends object>(value: T): Present<T> =>
  Object.fromEntries(Object.entries(value).filter(([, property]) => property !== undefined)) as Present<T>;
