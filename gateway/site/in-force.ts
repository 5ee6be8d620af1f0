// What is in force now, behind one object: whoever holds it reads the new values after a change, without being told.

/**
 * @param current what is in force at the moment of the reading
 * @returns an object that cannot be written to
 */
export const inForce = <T extends object>(current: () => T): T => {
  const read: ProxyHandler<object> = {
    get: (_, key) => Reflect.get(current(), key) as unknown,
    has: (_, key) => Reflect.has(current(), key),
    ownKeys: () => Reflect.ownKeys(current()),
    getOwnPropertyDescriptor: (_, key) => {
      const own = Reflect.getOwnPropertyDescriptor(current(), key);
      return own && { ...own, configurable: true };
    },
    set: () => false,
    deleteProperty: () => false,
    defineProperty: () => false,
  };
  // The target is only there for the language's sake: every reading goes to what is in force.
  return new Proxy<object>({}, read) as T;
};

/**
 * One entry of a list that is in force; after it has been taken out, as it was last. Looked for once in every list and not at
 * every reading: a charger's driver reads its station several times a message, and a site may have a thousand of them.
 * @param list as it is in force
 */
export function entryInForce<T extends { readonly id: string }>(first: T, list: () => readonly T[]): T {
  let last = first;
  let searched: readonly T[] | undefined;
  return inForce(() => {
    const now = list();
    if (now !== searched) last = now.find(({ id }) => id === first.id) ?? last;
    searched = now;
    return last;
  });
}
