// What each charger's list of drivers holds, over restarts: chargers of one capacity share one stored content.
import { stationId, type StationId } from '../kernel/ids.js';
import type { Timestamp } from '../kernel/units.js';
import type { ChargerEntry, ChargerList } from '../authorization/charger-list.js';
import { isListEntry } from '../authorization/local-list.js';
import type { DocumentPut, Journal } from '../ports/journal.js';
import { tokenKey } from '../site/tokens.js';

const HELD = 'charger-list';
const CONTENTS = 'charger-list-content';

/** What one charger has taken last, as it is stored. */
export interface Held {
  /** Of the list that the charger has taken; 0: none yet. */
  readonly version: number;
  /** Names the content: `empty`, or the charger and version that had it first. */
  readonly content: string;
  readonly refusals?: number;
  /** It has refused: no message before. */
  readonly notBefore?: Timestamp;
}

const EMPTY = 'empty';
const NOTHING: Held = { version: 0, content: EMPTY };

export class ChargerListStore {
  readonly #journal: Journal;
  readonly #held = new Map<StationId, Held>();
  readonly #contents = new Map<string, ChargerList>([[EMPTY, new Map()]]);

  private constructor(journal: Journal) {
    this.#journal = journal;
  }

  static async open(journal: Journal): Promise<ChargerListStore> {
    const store = new ChargerListStore(journal);
    for (const [name, stored] of await journal.load(CONTENTS)) {
      if (Array.isArray(stored) && stored.every(isListEntry))
        store.#contents.set(name, new Map(stored.map((entry) => [tokenKey(entry.idToken), entry])));
    }
    for (const [id, stored] of await journal.load(HELD)) if (isHeld(stored)) store.#held.set(stationId(id), stored);
    return store;
  }

  held(id: StationId): Held {
    return this.#held.get(id) ?? NOTHING;
  }

  /** Undefined where it is not known any more. */
  list({ content }: Held): ChargerList | undefined {
    return this.#contents.get(content);
  }

  holdsNothing(id: StationId): boolean {
    return this.held(id).content === EMPTY;
  }

  /** The charger has taken a list. If the disk refuses, the next process finds another version there and sends the whole. */
  taken(id: StationId, version: number, list: ChargerList): Promise<void> {
    // The order says what is sent first and changes with every use of a card; what is held does not.
    const entries = [...list].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
    const known = this.#nameOf(entries);
    if (known !== undefined) return this.#keep(id, { version, content: known }, []);
    const content = `${id} ${version}`;
    this.#contents.set(content, new Map(entries.map((entry) => [tokenKey(entry.idToken), entry])));
    return this.#keep(id, { version, content }, [{ collection: CONTENTS, key: content, value: entries }]);
  }

  refused(id: StationId, refusals: number, notBefore: Timestamp): Promise<void> {
    return this.#keep(id, { ...this.held(id), refusals, notBefore }, []);
  }

  /** Of a content that some charger holds already; there are as many as chargers of different capacity, mostly one. */
  #nameOf(entries: readonly ChargerEntry[]): string | undefined {
    const text = JSON.stringify(entries);
    for (const [name, content] of this.#contents)
      if (content.size === entries.length && JSON.stringify([...content.values()]) === text) return name;
    return undefined;
  }

  async #keep(id: StationId, held: Held, more: readonly DocumentPut[]): Promise<void> {
    this.#held.set(id, held);
    const documents: DocumentPut[] = [...more, { collection: HELD, key: id, value: held }];
    const inUse = new Set([EMPTY, ...[...this.#held.values()].map(({ content }) => content)]);
    for (const name of this.#contents.keys()) {
      if (inUse.has(name)) continue;
      this.#contents.delete(name);
      documents.push({ collection: CONTENTS, key: name });
    }
    await this.#journal.commit({ documents }, 'batch');
  }
}

function isHeld(value: unknown): value is Held {
  if (typeof value !== 'object' || value === null) return false;
  const { version, content, refusals, notBefore } = value as Partial<Record<keyof Held, unknown>>;
  return (
    Number.isSafeInteger(version) &&
    typeof content === 'string' &&
    (refusals === undefined || Number.isSafeInteger(refusals)) &&
    (notBefore === undefined || Number.isSafeInteger(notBefore))
  );
}
