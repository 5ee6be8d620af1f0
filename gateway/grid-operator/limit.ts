// The grid operator's limit: what each source last said, and the fail-safe limit while one is not heard (EnWG section 14a and its like).
import type { CircuitId } from '../kernel/ids.js';
import { seconds, type Ampere, type Milliseconds, type Timestamp } from '../kernel/units.js';
import { gridConnections, type Circuit, type GridOperatorLimit } from '../site/topology.js';

/** `mqtt`, `contact <name>`, or `csms <id>`. */
export type Source = string;

/** What one source is known to have said. */
interface SourceState {
  /** Any sign of life; absent: not heard of since the gateway began. */
  readonly heardAt?: Timestamp;
  /** By circuit; one that is not in it is not limited. */
  readonly words: ReadonlyMap<CircuitId, Ampere>;
  /** Since when the fail-safe limit holds because of this source; absent: it does not. */
  readonly failsafeSince?: Timestamp;
}

/** Plain data, replaced as a whole. */
export interface GridOperatorState {
  readonly sources: ReadonlyMap<Source, SourceState>;
}

/** What holds now. */
export interface InForce {
  /** Per phase, by circuit: the lowest of all sources. */
  readonly limits: ReadonlyMap<CircuitId, Ampere>;
  /** The fail-safe limit is among them. */
  readonly failsafe: boolean;
}

/** Without a sign of life for this long, the fail-safe limit holds. */
const HEARTBEAT: Milliseconds = seconds(120);

const SILENT: SourceState = { words: new Map() };

/** Where the limit is meant, unless a word names a circuit: as site.yaml says, or every grid connection. */
export const meantCircuits = (
  policy: GridOperatorLimit | undefined,
  circuits: readonly Circuit[],
): readonly CircuitId[] => (policy?.circuit === undefined ? gridConnections(circuits) : [policy.circuit]);

/** What is on disk of a source. */
export interface RememberedSource {
  readonly source: Source;
  readonly words: readonly (readonly [CircuitId, Ampere])[];
  readonly failsafeSince?: Timestamp;
}

/**
 * The state at the start: sources of site.yaml that nothing is known of are in fail-safe from now on. One that was heard
 * before the restart keeps its word, and has as long as ever to be heard again.
 */
export function begun(
  sources: readonly Source[],
  remembered: readonly RememberedSource[],
  now: Timestamp,
): GridOperatorState {
  return {
    sources: new Map(
      sources.map((source): [Source, SourceState] => {
        const known = remembered.find((each) => each.source === source);
        if (known === undefined) return [source, { ...SILENT, failsafeSince: now }];
        const words = new Map(known.words);
        return [
          source,
          known.failsafeSince === undefined ? { words, heardAt: now } : { words, failsafeSince: known.failsafeSince },
        ];
      }),
    ),
  };
}

/** The state for other sources and circuits: those that are still there keep what they said, new ones are as at the start. */
export function amongOthers(
  state: GridOperatorState,
  sources: readonly Source[],
  circuits: readonly Circuit[],
  now: Timestamp,
): GridOperatorState {
  const fresh = begun(sources, [], now);
  const there = new Set(circuits.map(({ id }) => id));
  return {
    sources: new Map(
      [...fresh.sources].map(([source, first]): [Source, SourceState] => {
        const known = state.sources.get(source);
        if (known === undefined) return [source, first];
        return [source, { ...known, words: new Map([...known.words].filter(([circuit]) => there.has(circuit))) }];
      }),
    ),
  };
}

/** A sign of life that says nothing of a limit: it ends no fail-safe. */
export const heard = (state: GridOperatorState, source: Source, now: Timestamp): GridOperatorState =>
  withSource(state, source, { ...(state.sources.get(source) ?? SILENT), heardAt: now });

/** A limit, or that there is none: a sign of life, and the end of the fail-safe. @param limit undefined: none */
export function said(
  state: GridOperatorState,
  source: Source,
  circuits: readonly CircuitId[],
  limit: Ampere | undefined,
  now: Timestamp,
): GridOperatorState {
  const words = new Map(state.sources.get(source)?.words);
  for (const circuit of circuits) {
    if (limit === undefined) words.delete(circuit);
    else words.set(circuit, limit);
  }
  return withSource(state, source, { words, heardAt: now });
}

/** All that a source says, in place of what it said before: as `said`, of every circuit. */
export const stands = (
  state: GridOperatorState,
  source: Source,
  words: ReadonlyMap<CircuitId, Ampere>,
  now: Timestamp,
): GridOperatorState => withSource(state, source, { words, heardAt: now });

/** Lets time pass: whoever is silent for too long is in fail-safe until he has spoken again, however long that takes. */
export function tended(state: GridOperatorState, now: Timestamp): GridOperatorState {
  let next = state;
  for (const [source, of] of state.sources) {
    const silent = of.heardAt === undefined || now - of.heardAt > HEARTBEAT;
    if (silent && of.failsafeSince === undefined) next = withSource(next, source, { ...of, failsafeSince: now });
  }
  return next;
}

/**
 * The lowest of what all sources have said, and of the fail-safe limit where it holds.
 * @param policy absent: whatever was said holds, and nobody has to be heard
 */
export function inForce(
  state: GridOperatorState,
  policy: GridOperatorLimit | undefined,
  circuits: readonly Circuit[],
): InForce {
  const limits = new Map<CircuitId, Ampere>();
  const lower = (circuit: CircuitId, limit: Ampere): void => {
    if (limit < (limits.get(circuit) ?? Infinity)) limits.set(circuit, limit);
  };
  for (const { words } of state.sources.values()) for (const [circuit, limit] of words) lower(circuit, limit);
  const failsafe = policy !== undefined && [...state.sources.values()].some((of) => of.failsafeSince !== undefined);
  if (policy !== undefined && failsafe)
    for (const circuit of meantCircuits(policy, circuits)) lower(circuit, policy.failsafe);
  return { limits, failsafe };
}

/** What has to outlive a restart. */
export const toRemember = (state: GridOperatorState): readonly RememberedSource[] =>
  [...state.sources].map(([source, { words, failsafeSince }]) => ({
    source,
    words: [...words],
    ...(failsafeSince !== undefined && { failsafeSince }),
  }));

const withSource = (state: GridOperatorState, source: Source, of: SourceState): GridOperatorState => ({
  sources: new Map([...state.sources, [source, of]]),
});
