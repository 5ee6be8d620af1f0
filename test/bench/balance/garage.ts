// Sites B, C and E: European garages with a building behind the same fuse, their cars of some days, and what breaks.
import { circuitId, evseNumber, meterId, stationId } from '../../../gateway/kernel/ids.js';
import { ampere, minutes, volt } from '../../../gateway/kernel/units.js';
import { PHASES, type BalancingPolicy, type Circuit, type Evse, type Phase } from '../../../gateway/site/topology.js';
import { networkOf, type Network } from '../../../gateway/balancing/network.js';
import { seededRandom } from '../../../simulation/random.js';
import { chargerEach } from './chargers.js';

/** One car's visit; times in seconds, energy in Wh, currents in A. */
export interface Visit {
  readonly outlet: number;
  readonly arrival: number;
  readonly departure: number;
  readonly energy: number;
  readonly most: number;
  /** Grid phases it uses, as bits. */
  readonly phases: number;
  /** It takes nothing for this long after it was offered current. */
  readonly sleeps: number;
}

export interface Fault {
  readonly from: number;
  readonly to: number;
  /** `meter`: the grid meter is silent. `link`: a charger is not reached, and keeps what it holds. `deaf`: it accepts and does nothing. */
  readonly what: 'meter' | 'link' | 'deaf';
  readonly outlet: number;
}

export interface Garage {
  readonly name: string;
  readonly seconds: number;
  readonly network: (policy: BalancingPolicy) => Network;
  readonly visits: readonly Visit[];
  /** What the building takes on L1, L2 and L3, in A. */
  readonly building: (second: number) => readonly [number, number, number];
  readonly faults: readonly Fault[];
  /** Share of commands that are refused, and of those that nobody answers. */
  readonly refused: number;
  readonly unanswered: number;
}

export const POLICY: BalancingPolicy = { strategy: 'fair', rotation: minutes(15) };
const TURNS: readonly (readonly Phase[])[] = [PHASES, ['L2', 'L3', 'L1'], ['L3', 'L1', 'L2']];
const VOLT = 230;

interface Plan {
  readonly name: string;
  readonly seed: number;
  readonly evses: number;
  readonly hours: number;
  readonly main: number;
  /** Circuits below the main one: how many, their breakers, and how many more below each of them. */
  readonly decks: number;
  readonly deck: number;
  readonly rowsEach: number;
  readonly row: number;
  readonly building: number;
  readonly faults: boolean;
}

const SITE_B: Plan = {
  name: 'B',
  seed: 11,
  evses: 32,
  hours: 24,
  main: 63,
  decks: 4,
  deck: 40,
  rowsEach: 0,
  row: 0,
  building: 12,
  faults: false,
};
const PLANS: Readonly<Record<'B' | 'C' | 'E', Plan>> = {
  B: SITE_B,
  C: {
    name: 'C',
    seed: 12,
    evses: 200,
    hours: 10,
    main: 400,
    decks: 5,
    deck: 100,
    rowsEach: 4,
    row: 40,
    building: 40,
    faults: false,
  },
  E: { ...SITE_B, name: 'E', faults: true },
};

export function garage(which: keyof typeof PLANS): Garage {
  const plan = PLANS[which];
  const random = seededRandom(plan.seed).next;
  const circuit = (id: string, breaker: number, fedBy?: string): Circuit => ({
    id: circuitId(id),
    breaker: ampere(breaker),
    margin: ampere(fedBy === undefined ? 3 : 0),
    ...(fedBy === undefined
      ? { meter: meterId('grid'), whenMeterLost: ampere(breaker / 3) }
      : { fedBy: circuitId(fedBy) }),
  });
  const circuits = [circuit('main', plan.main)];
  const ends: string[] = [];
  for (let deck = 0; deck < plan.decks; deck++) {
    circuits.push(circuit(`deck-${deck}`, plan.deck, 'main'));
    if (plan.rowsEach === 0) ends.push(`deck-${deck}`);
    for (let row = 0; row < plan.rowsEach; row++) {
      circuits.push(circuit(`row-${deck}-${row}`, plan.row, `deck-${deck}`));
      ends.push(`row-${deck}-${row}`);
    }
  }
  const evses = Array.from({ length: plan.evses }, (_, i): Evse => {
    const turned = TURNS[i % 3] ?? PHASES;
    return {
      number: evseNumber(i + 1),
      station: stationId(`CP${i + 1}`),
      stationEvse: 1,
      connectors: [{ number: 1, type: 'Type2' }],
      circuit: circuitId(ends[i % ends.length] ?? 'main'),
      maxCurrent: ampere(random() < 0.5 ? 16 : 32),
      minCurrent: ampere(6),
      fallbackCurrent: ampere(0),
      phases: random() < 0.2 ? turned.slice(0, 1) : turned,
      rotationKnown: random() < 0.8,
    };
  });
  const stations = chargerEach(evses);
  const seconds = plan.hours * 3600;
  return {
    name: plan.name,
    seconds,
    network: (policy) => networkOf({ circuits, stations, nominalVoltage: volt(VOLT), balancing: policy }),
    visits: visitsOf(evses, seconds, random),
    building: buildingOf(plan.building, seconds, random),
    faults: plan.faults ? faultsOf(plan.evses, seconds, random) : [],
    refused: plan.faults ? 0.02 : 0,
    unanswered: plan.faults ? 0.02 : 0,
  };
}

const bitsOf = (phases: readonly Phase[]): number =>
  phases.reduce((bits, phase) => bits | (1 << PHASES.indexOf(phase)), 0);

/** 40 % of the cars charge on one phase, each tenth on two; most stay some hours and want some 15 kWh. */
function visitsOf(evses: readonly Evse[], seconds: number, random: () => number): readonly Visit[] {
  return evses.flatMap((evse, outlet) => {
    const visits: Visit[] = [];
    let free = random() * 7200;
    while (free < seconds - 3600) {
      const stay = 3600 + random() * 18_000;
      const kind = random();
      const phases = kind < 0.4 ? evse.phases.slice(0, 1) : kind < 0.5 ? evse.phases.slice(0, 2) : evse.phases;
      visits.push({
        outlet,
        arrival: Math.round(free),
        departure: Math.round(Math.min(seconds, free + stay)),
        energy: 3000 + random() * 24_000,
        most: Math.min(evse.maxCurrent, random() < 0.7 ? 16 : 32),
        phases: bitsOf(phases),
        sleeps: random() < 0.1 ? 60 + random() * 240 : 0,
      });
      free += stay + 600 + random() * 14_400;
    }
    return visits;
  });
}

/** A slow curve, and machines of up to an eighth of the fuse that go on and off. */
function buildingOf(base: number, seconds: number, random: () => number): Garage['building'] {
  const load = [0, 1, 2].map(() => new Float32Array(seconds + 1));
  for (const [phase, of] of load.entries()) {
    for (let second = 0; second <= seconds; second++)
      of[second] = base * (1 + 0.4 * Math.sin((second / 86_400) * 2 * Math.PI + phase));
    for (let at = random() * 600; at < seconds;) {
      const lasts = 30 + random() * 900;
      const takes = (base * (2 + 4 * random())) / 9;
      for (let second = Math.floor(at); second < Math.min(seconds, at + lasts); second++)
        of[second] = (of[second] ?? 0) + takes;
      at += lasts + 30 + random() * 1200;
    }
  }
  return (second) => [load[0]?.[second] ?? 0, load[1]?.[second] ?? 0, load[2]?.[second] ?? 0];
}

function faultsOf(evses: number, seconds: number, random: () => number): readonly Fault[] {
  const some = (what: Fault['what'], count: number, lasts: number): Fault[] =>
    Array.from({ length: count }, () => {
      const from = Math.floor(random() * (seconds - lasts));
      return { what, from, to: from + Math.floor(lasts * (0.3 + random())), outlet: Math.floor(random() * evses) };
    });
  return [...some('meter', 6, 300), ...some('link', 40, 900), ...some('deaf', 12, 600)];
}
