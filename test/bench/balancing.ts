// Time of one plan for 1,000 EVSEs on 50 circuits, against a naive equal split of the same input; prints JSON.
import { performance } from 'node:perf_hooks';
import { circuitId, evseNumber, meterId, stationId } from '../../gateway/kernel/ids.js';
import { ampere, minutes, timestamp, volt } from '../../gateway/kernel/units.js';
import { perPhase, PHASES, type Circuit, type Evse, type Phase } from '../../gateway/site/topology.js';
import { plan } from '../../gateway/balancing/balancer.js';
import { confirmed } from '../../gateway/balancing/commit.js';
import { networkOf } from '../../gateway/balancing/network.js';
import type { EvseObservation, Snapshot } from '../../gateway/balancing/observation.js';
import { initialBalancing, type BalancingState } from '../../gateway/balancing/state.js';

const EVSES = 1000;
const ROWS = 40;
const DECKS = 9;
const ROUNDS = Number(process.argv[2] ?? 300);

/** mulberry32: the same site on every run. */
let seed = 20190301;
const random = (): number => {
  seed = (seed + 0x6d2b79f5) | 0;
  let x = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
  return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
};

const grid: Circuit = { id: circuitId('grid'), breaker: ampere(5500), margin: ampere(20), meter: meterId('grid') };
const decks = Array.from({ length: DECKS }, (_, i): Circuit => ({
  id: circuitId(`deck-${i}`),
  fedBy: grid.id,
  breaker: ampere(600),
  margin: ampere(0),
}));
const rows = Array.from({ length: ROWS }, (_, i): Circuit => ({
  id: circuitId(`row-${i}`),
  fedBy: circuitId(`deck-${i % DECKS}`),
  breaker: ampere(160),
  margin: ampere(0),
}));
const turns: readonly (readonly Phase[])[] = [PHASES, ['L2', 'L3', 'L1'], ['L3', 'L1', 'L2'], ['L1'], ['L2'], ['L3']];
const stations = Array.from({ length: EVSES }, (_, i) => {
  const evse: Evse = {
    number: evseNumber(i + 1),
    station: stationId(`CP${i + 1}`),
    stationEvse: 1,
    connectors: [{ number: 1, type: 'Type2' }],
    circuit: circuitId(`row-${i % ROWS}`),
    maxCurrent: ampere(random() < 0.3 ? 16 : 32),
    minCurrent: ampere(6),
    fallbackCurrent: ampere(0),
    phases: turns[Math.floor(random() * turns.length)] ?? PHASES,
    rotationKnown: random() < 0.8,
  };
  return {
    id: evse.station,
    link: { kind: 'ocpp' as const, securityProfile: 0 as const },
    evses: [evse],
    start: { kind: 'authorized' as const },
  };
});
const evses = stations.flatMap((station) => station.evses);
const network = networkOf({
  circuits: [grid, ...decks, ...rows],
  stations,
  nominalVoltage: volt(230),
  balancing: { strategy: 'fair', rotation: minutes(15) },
});

function snapshotAt(second: number, now: number): Snapshot {
  const background = 200 + 40 * Math.sin(second / 20);
  return {
    meters: new Map([
      [meterId('grid'), { meter: meterId('grid'), at: timestamp(now), current: perPhase(() => ampere(background)) }],
    ]),
    evses: evses.map((evse): EvseObservation => ({
      evse: evse.number,
      link: 'connected',
      wantsEnergy: (evse.number + Math.floor(second / 30)) % 10 < 8,
      transactionOpen: true,
      chargingState: 'Charging',
      priority: evse.number % 7 === 0 ? 1 : 0,
      activeSince: timestamp(1),
      upperBound: evse.maxCurrent,
    })),
  };
}

/** What a simple system does: each circuit's breaker, or what its meter leaves, over its cars; the least along the path, phases ignored. */
function equalSplit(snapshot: Snapshot): readonly number[] {
  const wanting = network.circuits.map(() => 0);
  snapshot.evses.forEach((one, i) => {
    if (one.wantsEnergy)
      for (const circuit of network.outlets[i]?.path ?? []) wanting[circuit] = (wanting[circuit] ?? 0) + 1;
  });
  return snapshot.evses.map((one, i) => {
    if (!one.wantsEnergy) return 0;
    let share = Number(one.upperBound);
    for (const index of network.outlets[i]?.path ?? []) {
      const circuit = network.circuits[index];
      const background = circuit?.meter === undefined ? 0 : (snapshot.meters.get(circuit.meter)?.current.L1 ?? 0);
      share = Math.min(share, ((circuit?.breaker ?? 0) - background) / (wanting[index] ?? 1));
    }
    return share < 6 ? 0 : Math.floor(share * 10) / 10;
  });
}

const summary = (times: readonly number[]): { readonly medianMs: number; readonly p99Ms: number } => {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number): number => Number((sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(3));
  return { medianMs: at(0.5), p99Ms: at(0.99) };
};

const START = 1_800_000_000_000;
let state: BalancingState = initialBalancing(network, timestamp(START), new Map(evses.map((evse) => [evse.number, 0])));
const ours: number[] = [];
const naive: number[] = [];
let commands = 0;
let charging = 0;
let naiveCharging = 0;
let granted = 0;
let naiveGranted = 0;
for (let second = 1; second <= ROUNDS + 50; second++) {
  const now = START + second * 1000;
  const snapshot = snapshotAt(second, now);
  const begun = performance.now();
  const made = plan(network, state, snapshot, timestamp(now));
  const between = performance.now();
  const split = equalSplit(snapshot);
  const ended = performance.now();
  state = made.state;
  for (const command of made.commands) {
    state = confirmed(network, state, command.evse, command.current, timestamp(now));
  }
  // The first plans warm the compiler up and fill an empty site.
  if (second <= 50) continue;
  ours.push(between - begun);
  naive.push(ended - between);
  commands += made.commands.length;
  const currents = made.report().evses.map((one) => Number(one.sent ?? 0));
  charging += currents.filter((current) => current > 0).length / ROUNDS;
  naiveCharging += split.filter((current) => current > 0).length / ROUNDS;
  granted += currents.reduce((sum, current) => sum + current, 0) / ROUNDS;
  naiveGranted += split.reduce((sum, current) => sum + current, 0) / ROUNDS;
}
const round = (value: number): number => Number(value.toFixed(1));
console.log(
  JSON.stringify({
    benchmark: 'balancing',
    evses: EVSES,
    circuits: network.circuits.length,
    rounds: ROUNDS,
    plan: {
      ...summary(ours),
      commandsPerPlan: round(commands / ROUNDS),
      charging: round(charging),
      grantedAmpere: round(granted),
    },
    equalSplit: { ...summary(naive), charging: round(naiveCharging), grantedAmpere: round(naiveGranted) },
  }),
);
