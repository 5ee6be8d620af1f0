// Keeps what the grid operator has said over restarts: written when it changes, and again when the disk has refused.
import { toRemember, type GridOperatorState, type RememberedSource } from '../grid-operator/limit.js';
import { FAULTS } from '../kernel/faults.js';
import { circuitId, type CircuitId } from '../kernel/ids.js';
import type { Log } from '../kernel/log.js';
import { ampere, timestamp, type Ampere } from '../kernel/units.js';
import type { Journal } from '../ports/journal.js';

const COLLECTION = 'grid-operator';
const KEY = 'sources';

export class GridOperatorStore {
  #meant: readonly CircuitId[];
  /** As text, what is on disk or on its way there; undefined: nobody knows. */
  #kept: string | undefined;
  #writing: Promise<void> = Promise.resolve();
  #refused = false;

  private constructor(
    readonly journal: Journal,
    readonly log: Log,
    meant: readonly CircuitId[],
    /** Nothing where site.yaml means another circuit than it did: words without a circuit were said of that one. */
    readonly remembered: readonly RememberedSource[],
  ) {
    this.#meant = meant;
  }

  /** @param circuits of the site: words about others are forgotten */
  static async open(
    journal: Journal,
    log: Log,
    meant: readonly CircuitId[],
    circuits: readonly CircuitId[],
  ): Promise<GridOperatorStore> {
    const saved = (await journal.load(COLLECTION)).get(KEY);
    return new GridOperatorStore(journal, log, meant, understood(saved, meant, new Set(circuits)));
  }

  /** Another site means these circuits. */
  reconfigured(meant: readonly CircuitId[]): void {
    this.#meant = meant;
  }

  /** Writes what has changed. */
  keep(state: GridOperatorState): void {
    const value = { meant: this.#meant, sources: toRemember(state) };
    const text = JSON.stringify(value);
    if (text === this.#kept) return;
    this.#kept = text;
    this.#writing = this.journal.commit({ documents: [{ collection: COLLECTION, key: KEY, value }] }).then(
      () => {
        this.#refused = false;
      },
      (err: unknown) => {
        // It holds all the same, and is written with one of the next looks.
        this.#kept = undefined;
        const fault = FAULTS.journalUnavailable.code;
        if (!this.#refused) this.log.error({ err, fault }, "the grid operator's limit could not be kept");
        this.#refused = true;
      },
    );
  }

  /** Resolves when what was given to keep is on disk, or was refused. */
  settled(): Promise<void> {
    return this.#writing;
  }
}

/** What can be made of the document; a salvaged journal may hold anything. */
function understood(
  saved: unknown,
  meant: readonly CircuitId[],
  circuits: ReadonlySet<CircuitId>,
): readonly RememberedSource[] {
  if (typeof saved !== 'object' || saved === null) return [];
  const { meant: then, sources } = saved as { readonly meant?: unknown; readonly sources?: unknown };
  if (!Array.isArray(sources) || JSON.stringify(then) !== JSON.stringify(meant)) return [];
  return sources.flatMap((each: unknown): RememberedSource[] => {
    if (typeof each !== 'object' || each === null) return [];
    const { source, words, failsafeSince } = each as Partial<Record<keyof RememberedSource, unknown>>;
    if (typeof source !== 'string' || !Array.isArray(words)) return [];
    const known = words.flatMap((word: unknown): [CircuitId, Ampere][] => {
      const [circuit, limit] = Array.isArray(word) ? (word as readonly unknown[]) : [];
      return typeof circuit === 'string' && circuits.has(circuitId(circuit)) && typeof limit === 'number'
        ? [[circuitId(circuit), ampere(limit)]]
        : [];
    });
    const since = typeof failsafeSince === 'number' ? { failsafeSince: timestamp(failsafeSince) } : {};
    return [{ source, words: known, ...since }];
  });
}
