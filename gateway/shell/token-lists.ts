// The local list of each CSMS, kept over restarts: a document for each entry, so that an update costs what its message holds.
import type { Clock } from '../kernel/clock.js';
import { FAULTS } from '../kernel/faults.js';
import { csmsId, type CsmsId } from '../kernel/ids.js';
import type { Log } from '../kernel/log.js';
import { milliseconds } from '../kernel/units.js';
import {
  decideUpdate,
  emptyList,
  isListEntry,
  type ListChange,
  type ListEntry,
  type ListUpdate,
  type LocalList,
} from '../authorization/local-list.js';
import type { DocumentPut, Journal } from '../ports/journal.js';
import type { Site } from '../site/topology.js';
import { LOCAL_LIST_ENTRIES } from '../views/variable-table.js';

const HEADS = 'local-list';
/** Entries of a replaced list that are forgotten at once, and the pause before the next ones: nobody waits for it. */
const CLEARED_AT_ONCE = 1000;
const CLEARING_PAUSE = milliseconds(100);

/** What is stored of a list beside its entries. */
interface Head {
  readonly version: number;
  readonly ocpp: LocalList['ocpp'];
  /** Names the collection of the entries: a list that replaces another gets a collection of its own. */
  readonly generation: number;
  /** Earlier collections of which something may be left. */
  readonly stale?: readonly number[];
}

interface Kept extends LocalList {
  readonly entries: Map<string, ListEntry>;
  readonly generation: number;
}

export interface TokenListDependencies {
  readonly site: Site;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Log;
}

export class TokenLists {
  readonly #deps: TokenListDependencies;
  readonly #lists = new Map<CsmsId, Kept>();
  /** Generations that are being cleared away. */
  readonly #stale = new Map<CsmsId, Set<number>>();
  /** The last update of each CSMS: one stands on the other. */
  readonly #turns = new Map<CsmsId, Promise<unknown>>();

  private constructor(deps: TokenListDependencies) {
    this.#deps = deps;
  }

  static async open(deps: TokenListDependencies): Promise<TokenLists> {
    const lists = new TokenLists(deps);
    for (const [id, head] of await deps.journal.load(HEADS)) {
      if (!isHead(head)) continue;
      const { version, ocpp, generation, stale = [] } = head;
      const stored = await deps.journal.load(entriesOf(csmsId(id), generation));
      const entries = new Map([...stored].filter((pair): pair is [string, ListEntry] => isListEntry(pair[1])));
      lists.#lists.set(csmsId(id), { version: entries.size === 0 ? 0 : version, ocpp, generation, entries });
      for (const each of stale) {
        const left = await deps.journal.load(entriesOf(csmsId(id), each));
        lists.#clear(csmsId(id), each, [...left.keys()]);
      }
    }
    return lists;
  }

  of(csms: CsmsId): LocalList | undefined {
    return this.#lists.get(csms);
  }

  /**
   * Carries out SendLocalList; on disk when it resolves.
   * @throws JournalUnavailable: the list is as before
   */
  update(csms: CsmsId, update: ListUpdate): Promise<'Accepted' | 'Failed' | 'VersionMismatch'> {
    const turn = (this.#turns.get(csms) ?? Promise.resolve()).then(() => this.#update(csms, update));
    this.#turns.set(
      csms,
      turn.catch(() => undefined),
    );
    return turn;
  }

  async #update(csms: CsmsId, update: ListUpdate): Promise<'Accepted' | 'Failed' | 'VersionMismatch'> {
    const ocpp = this.#deps.site.csms.find((each) => each.id === csms)?.ocpp ?? '2.0.1';
    const before = this.#lists.get(csms) ?? {
      ...emptyList(ocpp),
      entries: new Map<string, ListEntry>(),
      generation: 0,
    };
    const decided = decideUpdate(before, update, LOCAL_LIST_ENTRIES);
    if (!decided.ok) return decided.error;
    const change = decided.value;
    const generation = change.replaces ? before.generation + 1 : before.generation;
    const stale = [...(this.#stale.get(csms) ?? [])];
    if (change.replaces && before.entries.size > 0) stale.push(before.generation);
    const head: Head = { version: change.version, ocpp, generation, ...(stale.length > 0 && { stale }) };
    await this.#deps.journal.commit({
      documents: [...documentsOf(entriesOf(csms, generation), change), { collection: HEADS, key: csms, value: head }],
    });
    const entries = change.replaces ? new Map(change.put) : before.entries;
    if (!change.replaces) {
      for (const [key, entry] of change.put) entries.set(key, entry);
      for (const key of change.removed) entries.delete(key);
    }
    this.#lists.set(csms, { version: change.version, ocpp, generation, entries });
    if (change.replaces) this.#clear(csms, before.generation, [...before.entries.keys()]);
    return 'Accepted';
  }

  /** Forgets what a replaced list has left on disk, a part at a time. */
  #clear(csms: CsmsId, generation: number, keys: readonly string[], from = 0): void {
    const { journal, clock, log } = this.#deps;
    const stale = this.#stale.get(csms) ?? new Set();
    const next = from + CLEARED_AT_ONCE;
    if (from >= keys.length) return void stale.delete(generation);
    this.#stale.set(csms, stale.add(generation));
    const collection = entriesOf(csms, generation);
    const documents = keys.slice(from, next).map((key): DocumentPut => ({ collection, key }));
    journal.commit({ documents }, 'batch').then(
      () => clock.after(CLEARING_PAUSE, () => this.#clear(csms, generation, keys, next)),
      // Nobody reads it, and the next process finds what is left.
      (err: unknown) =>
        log.warn(
          { err, csms, fault: FAULTS.journalUnavailable.code },
          'a replaced local list could not be cleared away',
        ),
    );
  }
}

const entriesOf = (csms: CsmsId, generation: number): string => `${HEADS}/${csms}/${generation}`;

const documentsOf = (collection: string, { put, removed }: ListChange): readonly DocumentPut[] => [
  ...[...put].map(([key, value]): DocumentPut => ({ collection, key, value })),
  ...removed.map((key): DocumentPut => ({ collection, key })),
];

function isHead(value: unknown): value is Head {
  if (typeof value !== 'object' || value === null) return false;
  const { version, ocpp, generation, stale } = value as Partial<Record<keyof Head, unknown>>;
  return (
    Number.isSafeInteger(version) &&
    Number.isSafeInteger(generation) &&
    (ocpp === '1.6' || ocpp === '2.0.1') &&
    (stale === undefined || (Array.isArray(stale) && stale.every(Number.isSafeInteger)))
  );
}
