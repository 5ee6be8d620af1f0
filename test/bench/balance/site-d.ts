// Site D: 1,000 EVSEs on 50 circuits, for time. What a plan costs, from nothing, a second later and when one meter has told something new.
import { performance } from 'node:perf_hooks';
import { circuitId, evseNumber, meterId, stationId } from '../../../gateway/kernel/ids.js';
import { ampere, minutes, timestamp, volt } from '../../../gateway/kernel/units.js';
import {
  perPhase,
  PHASES,
  type BalancingPolicy,
  type Circuit,
  type Evse,
  type Phase,
} from '../../../gateway/site/topology.js';
import { plan, type Plan } from '../../../gateway/balancing/balancer.js';
import { confirmed } from '../../../gateway/balancing/commit.js';
import { networkOf } from '../../../gateway/balancing/network.js';
import type { EvseObservation, Snapshot } from '../../../gateway/balancing/observation.js';
import { defaultSettings } from '../../../gateway/balancing/settings.js';
import { initialBalancing, type BalancingState } from '../../../gateway/balancing/state.js';
import { percentile } from '../statistics.js';
import { seededRandom } from '../../../simulation/random.js';
import { chargerEach } from './chargers.js';

const EVSES = 1000;
const ROWS = 40;
const DECKS = 9;
const START = 1_800_000_000_000;
/** These warm the compiler up and fill an empty site. */
const WARMING = 100;
const TURNS: readonly (readonly Phase[])[] = [PHASES, ['L2', 'L3', 'L1'], ['L3', 'L1', 'L2'], ['L1'], ['L2'], ['L3']];
const GRID = meterId('grid');

function siteD(strategy: BalancingPolicy['strategy']) {
  const random = seededRandom(20190301).next;
  const circuit = (id: string, breaker: number, fedBy?: string): Circuit => ({
    id: circuitId(id),
    breaker: ampere(breaker),
    margin: ampere(0),
    ...(fedBy !== undefined && { fedBy: circuitId(fedBy) }),
    ...(!id.startsWith('row') && { meter: meterId(id) }),
  });
  const evses = Array.from({ length: EVSES }, (_, i): Evse => ({
    number: evseNumber(i + 1),
    station: stationId(`CP${i + 1}`),
    stationEvse: 1,
    connectors: [{ number: 1, type: 'Type2' }],
    circuit: circuitId(`row-${i % ROWS}`),
    maxCurrent: ampere(random() < 0.3 ? 16 : 32),
    minCurrent: ampere(6),
    fallbackCurrent: ampere(0),
    phases: TURNS[Math.floor(random() * TURNS.length)] ?? PHASES,
    rotationKnown: random() < 0.8,
  }));
  const network = networkOf({
    circuits: [
      circuit('grid', 5500),
      ...Array.from({ length: DECKS }, (_, i) => circuit(`deck-${i}`, 600, 'grid')),
      ...Array.from({ length: ROWS }, (_, i) => circuit(`row-${i}`, 160, `deck-${i % DECKS}`)),
    ],
    stations: chargerEach(evses),
    nominalVoltage: volt(230),
    balancing: { strategy, rotation: minutes(15) },
  });
  return { network, evses };
}

interface Timed {
  readonly plans: readonly number[];
  readonly commandsEach: number;
  readonly charging: number;
}

/** What of the last plan the timed one may use: nothing, all after a second of changes, or all 200 ms after with one new meter value. */
type Occasion = 'from nothing' | 'a second later' | 'one meter sample';

function timed(strategy: BalancingPolicy['strategy'], occasion: Occasion, rounds: number): Timed {
  const { network, evses } = siteD(strategy);
  let state: BalancingState = initialBalancing(
    network,
    timestamp(START),
    new Map(evses.map((evse) => [evse.number, 0])),
  );
  const set = new Float64Array(EVSES);
  /** Chargers sample once a minute, in turn. */
  const observe = (second: number, now: number): readonly EvseObservation[] =>
    evses.map((evse, i): EvseObservation => {
      const wants = (evse.number + Math.floor((second + i) / 300)) % 10 < 8;
      const sampled = now - ((second + i) % 60) * 1000;
      const takes = wants ? (set[i] ?? 0) : 0;
      return {
        evse: evse.number,
        link: 'connected',
        wantsEnergy: wants,
        transactionOpen: wants,
        chargingState: wants ? 'Charging' : 'Idle',
        priority: evse.number % 7 === 0 ? 1 : 0,
        activeSince: timestamp(START),
        upperBound: evse.maxCurrent,
        measured: {
          current: perPhase((phase) => ampere(evse.phases.includes(phase) ? takes : 0)),
          at: timestamp(sampled),
        },
        departure: timestamp(START + (3600 + ((i * 37) % 7200)) * 1000),
      };
    });
  const meters = (second: number, now: number): Snapshot['meters'] =>
    new Map(
      network.circuits.flatMap(({ meter }, i) => {
        const background = i === 0 ? 200 + 40 * Math.sin(second / 20) : 20;
        if (meter === undefined) return [];
        return [[meter, { meter, at: timestamp(now), current: perPhase(() => ampere(background)) }]];
      }),
    );
  const plans: number[] = [];
  let before: Plan | undefined;
  let commands = 0;
  let charging = 0;
  const make = (snapshot: Snapshot, now: number, counts: boolean): void => {
    const begun = performance.now();
    const made = plan(network, state, snapshot, timestamp(now), defaultSettings, before);
    if (counts) {
      plans.push(performance.now() - begun);
      commands += made.commands.length;
    }
    state = made.state;
    before = occasion === 'from nothing' ? undefined : made;
    for (const { evse, current } of made.commands) {
      state = confirmed(network, state, evse, current, timestamp(now));
      set[evse - 1] = current;
    }
  };
  for (let second = 1; second <= rounds + WARMING; second++) {
    const now = START + second * 1000;
    const snapshot = { evses: observe(second, now), meters: meters(second, now) };
    const counts = second > WARMING;
    make(snapshot, now, counts && occasion !== 'one meter sample');
    if (occasion !== 'one meter sample') continue;
    const later = now + 200;
    const grid = { meter: GRID, at: timestamp(later), current: perPhase(() => ampere(200 + (second % 7))) };
    // As a gateway would: everything observed anew, and only one value of it new.
    const again = { evses: observe(second, now), meters: new Map(snapshot.meters).set(GRID, grid) };
    make(again, later, counts);
  }
  for (const current of set) if (current > 0) charging++;
  return { plans, commandsEach: commands / rounds, charging };
}

export function timesOfSiteD(rounds: number): void {
  console.log(`site D: ${EVSES} EVSEs, 50 circuits, ${rounds} plans each; ms`);
  console.log('strategy     occasion            p50     p99     max  commands  charging');
  for (const strategy of ['fair', 'first-come', 'most-energy'] as const) {
    for (const occasion of ['from nothing', 'a second later', 'one meter sample'] as const) {
      const { plans, commandsEach, charging } = timed(strategy, occasion, rounds);
      const columns = [percentile(plans, 0.5), percentile(plans, 0.99), Math.max(...plans)].map((time) =>
        time.toFixed(2).padStart(7),
      );
      console.log(
        `${strategy.padEnd(12)} ${occasion.padEnd(17)} ${columns.join(' ')} ${commandsEach.toFixed(1).padStart(9)} ${String(charging).padStart(9)}`,
      );
    }
  }
}
