// Hears the grid operator over every way that site.yaml names, keeps his word over restarts, and says what holds now.
import type { GridOperatorLimits, SharedCap } from '../balancing/observation.js';
import {
  amongOthers,
  begun,
  heard,
  inForce,
  meantCircuits,
  said,
  stands,
  tended,
  type GridOperatorState,
  type Source,
} from '../grid-operator/limit.js';
import { readWord } from '../grid-operator/word.js';
import type { Clock } from '../kernel/clock.js';
import { FAULTS } from '../kernel/faults.js';
import { circuitId, type CircuitId, type CsmsId, type EvseNumber } from '../kernel/ids.js';
import type { Log } from '../kernel/log.js';
import { steadyTime } from '../kernel/steady-time.js';
import { ampere, type Ampere, type Timestamp } from '../kernel/units.js';
import type { Journal } from '../ports/journal.js';
import { currentOfLimit } from '../site/power-limit.js';
import type { Contact, Site } from '../site/topology.js';
import { GridOperatorStore } from './grid-operator-store.js';

const MQTT: Source = 'mqtt';
const contactSource = (number: number): Source => `contact ${number}`;
const csmsSource = (id: CsmsId): Source => `csms ${id}`;

export interface GridOperatorDependencies {
  readonly site: Site;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Log;
  /** Something else holds now. */
  readonly changed: () => void;
}

/** How the grid operator's limit stands, for those who watch. */
export interface GridOperatorStanding {
  /** Per phase, by circuit; one that is not limited is not in it. */
  readonly limits: ReadonlyMap<CircuitId, Ampere>;
  readonly failsafe: boolean;
  readonly sources: readonly { readonly source: string; readonly failsafeSince?: Timestamp }[];
}

export class GridOperator {
  readonly #deps: GridOperatorDependencies;
  readonly #store: GridOperatorStore;
  /** CSMSs that are there. */
  readonly #online = new Set<CsmsId>();
  /** What site.yaml says of the limit. */
  #terms: Terms;
  /** A clock that is set must not end a heartbeat. */
  readonly #now: () => Timestamp;
  #state: GridOperatorState;
  /** What holds of what was said, and what of it was told last, as text. */
  #held: GridOperatorLimits;
  #told = '';

  private constructor(deps: GridOperatorDependencies, store: GridOperatorStore) {
    const { site, clock } = deps;
    this.#deps = deps;
    this.#now = steadyTime(clock);
    this.#store = store;
    this.#terms = termsOf(site);
    this.#state = begun(this.#terms.sources, store.remembered, this.#now());
    this.#held = inForce(this.#state, site.balancing.gridOperatorLimit, site.circuits);
  }

  static async open(deps: GridOperatorDependencies): Promise<GridOperator> {
    const { site, journal, log } = deps;
    const meant = meantCircuits(site.balancing.gridOperatorLimit, site.circuits);
    const circuits = site.circuits.map(({ id }) => id);
    const operator = new GridOperator(deps, await GridOperatorStore.open(journal, log, meant, circuits));
    operator.#tell();
    return operator;
  }

  /** The site is another one: what was said holds as far as it is still meant, as after a restart. */
  reconfigured(): void {
    const { site } = this.#deps;
    const before = this.#terms;
    this.#terms = termsOf(site);
    const { meant, sources } = this.#terms;
    this.#store.reconfigured(meant);
    this.#set(
      JSON.stringify(meant) === JSON.stringify(before.meant)
        ? amongOthers(this.#state, sources, site.circuits, this.#now())
        : begun(sources, [], this.#now()),
    );
    for (const csms of this.#terms.csms) if (this.#online.has(csms) && !before.csms.includes(csms)) this.#present(csms);
  }

  /** A message over MQTT, as it came. @param circuit that its topic names; absent: the one the limit is meant for */
  word(payload: string, circuit?: string): void {
    const { site, log } = this.#deps;
    const word = readWord(payload);
    if (!word.ok) {
      log.warn({ text: payload.slice(0, 40), reason: word.error }, 'the grid operator sent something that is no limit');
      return;
    }
    const named = circuit ?? word.value.circuit;
    if (named !== undefined && !site.circuits.some(({ id }) => id === named)) {
      log.warn({ circuit: named.slice(0, 40) }, 'the grid operator limits a circuit that the site does not have');
      return;
    }
    const { limit } = word.value;
    const circuits = named === undefined ? this.#terms.meant : [circuitId(named)];
    let state = this.#state;
    for (const id of circuits) {
      const of = site.circuits.find((each) => each.id === id);
      const current = limit && currentOfLimit(limit, of, site.nominalVoltage);
      state = said(state, MQTT, [id], current, this.#now());
    }
    this.#set(state);
  }

  /** A sign of life over MQTT. */
  heartbeat(): void {
    this.#set(heard(this.#state, MQTT, this.#now()));
  }

  /** A contact was read. */
  contact({ number, active, limit, circuit }: Contact, closed: boolean): void {
    const holds = closed === (active === 'closed');
    const circuits = circuit === undefined ? this.#terms.meant : [circuit];
    const words = new Map(holds ? circuits.map((each) => [each, limit]) : []);
    this.#set(stands(this.#state, contactSource(number), words, this.#now()));
  }

  /** While a CSMS is there its caps are its word: it can read them, and they hold until it replaces them (K01). */
  csmsOnline(csms: CsmsId, online: boolean): void {
    if (online) this.#online.add(csms);
    else this.#online.delete(csms);
    if (online && this.#terms.csms.includes(csms)) this.#present(csms);
  }

  /** Once a second. */
  tend(): void {
    const now = this.#now();
    let state = this.#state;
    for (const csms of this.#terms.csms) if (this.#online.has(csms)) state = heard(state, csmsSource(csms), now);
    this.#set(tended(state, now));
  }

  /** What holds now. @param caps of all CSMSs; those that are the grid operator's word are not in the answer */
  inForce(caps: readonly SharedCap[]): GridOperatorLimits & { readonly caps: readonly SharedCap[] } {
    const { csms, meant, transformed } = this.#terms;
    if (csms.length === 0 || transformed) return { ...this.#held, caps };
    const mine = (cap: SharedCap): boolean =>
      cap.profile !== undefined && csms.includes(cap.profile.csms) && this.#covers(cap);
    const limits = new Map(this.#held.limits);
    for (const { limit } of caps.filter(mine))
      for (const circuit of meant) limits.set(circuit, ampere(Math.min(limit, limits.get(circuit) ?? Infinity)));
    return { limits, failsafe: this.#held.failsafe, caps: caps.filter((cap) => !mine(cap)) };
  }

  /** Undefined where no grid operator has anything to do with the site. */
  standing(caps: readonly SharedCap[]): GridOperatorStanding | undefined {
    if (this.#state.sources.size === 0) return undefined;
    const { limits, failsafe } = this.inForce(caps);
    const sources = [...this.#state.sources].map(([source, { failsafeSince }]) => ({
      source,
      ...(failsafe && failsafeSince !== undefined && { failsafeSince }),
    }));
    return { limits, failsafe, sources };
  }

  /** Resolves when what was said is on disk, or was refused. */
  stop(): Promise<void> {
    return this.#store.settled();
  }

  #present(csms: CsmsId): void {
    this.#set(said(this.#state, csmsSource(csms), [], undefined, this.#now()));
  }

  #covers({ evses }: SharedCap): boolean {
    const capped = new Set(evses);
    return this.#terms.behind.every((number) => capped.has(number));
  }

  #set(state: GridOperatorState): void {
    const { site } = this.#deps;
    this.#state = state;
    this.#held = inForce(state, site.balancing.gridOperatorLimit, site.circuits);
    this.#tell();
  }

  /** Logs, keeps and passes on what has changed; that somebody was heard again is no change. */
  #tell(): void {
    const { log, changed } = this.#deps;
    if (this.#state.sources.size > 0) this.#store.keep(this.#state);
    const { limits, failsafe } = this.#held;
    const told = JSON.stringify([failsafe, [...limits]]);
    if (told === this.#told) return;
    const before = this.#told;
    this.#told = told;
    // While it is opened nobody plans yet.
    if (before !== '') changed();
    if (failsafe === before.startsWith('[true')) return;
    if (failsafe) {
      const silent = [...this.#state.sources]
        .filter(([, of]) => of.failsafeSince !== undefined)
        .map(([source]) => source);
      log.warn(
        { fault: FAULTS.gridOperatorLost.code, sources: silent },
        'the grid operator is not heard: the fail-safe limit holds until he speaks again',
      );
    } else log.info({}, 'the grid operator is heard again, and the fail-safe limit is over');
  }
}

/** What site.yaml says of the limit, and what follows from it. */
interface Terms {
  /** The circuits that it is meant for. */
  readonly meant: readonly CircuitId[];
  readonly sources: readonly Source[];
  /** CSMSs whose cap on the whole station is the grid operator's word. */
  readonly csms: readonly CsmsId[];
  /** A cap counts what chargers take: before a transformer that is another current, and it stays a cap. */
  readonly transformed: boolean;
  /** EVSEs behind the circuits that the limit is meant for. */
  readonly behind: readonly EvseNumber[];
}

function termsOf(site: Site): Terms {
  const policy = site.balancing.gridOperatorLimit;
  const from = new Set(policy?.from);
  const meant = meantCircuits(policy, site.circuits);
  const csms = from.has('csms') ? speakersAmong(site) : [];
  const contacts = from.has('contact') ? (policy?.contacts ?? []) : [];
  return {
    meant,
    sources: [
      ...(from.has('mqtt') ? [MQTT] : []),
      ...csms.map(csmsSource),
      ...contacts.map(({ number }) => contactSource(number)),
    ],
    csms,
    transformed: site.circuits.some((each) => each.primaryVoltage !== undefined && meant.includes(each.id)),
    behind: evsesBehind(site, meant),
  };
}

/** Those whose cap on the whole station is the grid operator's word: limiters, or where there is none, the authorities. */
function speakersAmong({ csms }: Site): readonly CsmsId[] {
  const limiters = csms.filter(({ role }) => role === 'limiter');
  return (limiters.length > 0 ? limiters : csms.filter(({ role }) => role === 'authority')).map(({ id }) => id);
}

function evsesBehind({ circuits, stations }: Site, above: readonly CircuitId[]): readonly EvseNumber[] {
  const behind = new Set(above);
  // Feeders stand before what they feed.
  for (const { id, fedBy } of circuits) if (fedBy !== undefined && behind.has(fedBy)) behind.add(id);
  return stations.flatMap(({ evses }) =>
    evses.filter(({ circuit }) => behind.has(circuit)).map(({ number }) => number),
  );
}
