// Hears the grid operator over every way that site.yaml names, keeps his word over restarts, and says what holds now.
import type { GridOperatorLimits, SharedCap } from '../balancing/observation.js';
import {
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
  readonly #meant: readonly CircuitId[];
  /** CSMSs whose cap on the whole station is the grid operator's word, and whether each is there. */
  readonly #csms: Map<CsmsId, boolean>;
  /** A cap counts what chargers take: before a transformer that is another current, and it stays a cap. */
  readonly #transformed: boolean;
  /** EVSEs behind the circuits that the limit is meant for. */
  readonly #behind: readonly EvseNumber[];
  /** A clock that is set must not end a heartbeat. */
  readonly #now: () => Timestamp;
  #state: GridOperatorState;
  /** What holds of what was said, and what of it was told last, as text. */
  #held: GridOperatorLimits;
  #told = '';

  private constructor(deps: GridOperatorDependencies, store: GridOperatorStore, meant: readonly CircuitId[]) {
    const { site, clock } = deps;
    const policy = site.balancing.gridOperatorLimit;
    this.#deps = deps;
    this.#now = steadyTime(clock);
    this.#store = store;
    this.#meant = meant;
    this.#behind = evsesBehind(site, this.#meant);
    this.#transformed = site.circuits.some((each) => each.primaryVoltage !== undefined && meant.includes(each.id));
    this.#csms = new Map((policy?.from.includes('csms') === true ? speakersAmong(site) : []).map((id) => [id, false]));
    const sources = [
      ...(policy?.from.includes('mqtt') === true ? [MQTT] : []),
      ...[...this.#csms.keys()].map(csmsSource),
      ...(policy?.from.includes('contact') === true ? policy.contacts.map(({ number }) => contactSource(number)) : []),
    ];
    this.#state = begun(sources, store.remembered, this.#now());
    this.#held = inForce(this.#state, policy, site.circuits);
  }

  static async open(deps: GridOperatorDependencies): Promise<GridOperator> {
    const { site, journal, log } = deps;
    const meant = meantCircuits(site.balancing.gridOperatorLimit, site.circuits);
    const circuits = site.circuits.map(({ id }) => id);
    const operator = new GridOperator(deps, await GridOperatorStore.open(journal, log, meant, circuits), meant);
    operator.#tell();
    return operator;
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
    const circuits = named === undefined ? this.#meant : [circuitId(named)];
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
    const circuits = circuit === undefined ? this.#meant : [circuit];
    const words = new Map(holds ? circuits.map((each) => [each, limit]) : []);
    this.#set(stands(this.#state, contactSource(number), words, this.#now()));
  }

  /** While a CSMS is there its caps are its word: it can read them, and they hold until it replaces them (K01). */
  csmsOnline(csms: CsmsId, online: boolean): void {
    if (!this.#csms.has(csms)) return;
    this.#csms.set(csms, online);
    if (online) this.#set(said(this.#state, csmsSource(csms), [], undefined, this.#now()));
  }

  /** Once a second. */
  tend(): void {
    const now = this.#now();
    let state = this.#state;
    for (const [csms, online] of this.#csms) if (online) state = heard(state, csmsSource(csms), now);
    this.#set(tended(state, now));
  }

  /** What holds now. @param caps of all CSMSs; those that are the grid operator's word are not in the answer */
  inForce(caps: readonly SharedCap[]): GridOperatorLimits & { readonly caps: readonly SharedCap[] } {
    if (this.#csms.size === 0 || this.#transformed) return { ...this.#held, caps };
    const mine = (cap: SharedCap): boolean =>
      cap.profile !== undefined && this.#csms.has(cap.profile.csms) && this.#covers(cap);
    const limits = new Map(this.#held.limits);
    for (const { limit } of caps.filter(mine))
      for (const circuit of this.#meant) limits.set(circuit, ampere(Math.min(limit, limits.get(circuit) ?? Infinity)));
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

  #covers({ evses }: SharedCap): boolean {
    const capped = new Set(evses);
    return this.#behind.every((number) => capped.has(number));
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
