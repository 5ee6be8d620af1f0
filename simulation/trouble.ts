// What goes wrong in an electrical room, one after the other: load that jumps, a charger that falls silent, one that does not obey, a meter that dies.
import type { Clock } from '../gateway/kernel/clock.js';
import { circuitId, evseNumber, meterId, type EvseNumber } from '../gateway/kernel/ids.js';
import { ampere, seconds } from '../gateway/kernel/units.js';
import { perPhase, PHASES, type PerPhase } from '../gateway/site/topology.js';
import type { Load } from './building-load.js';
import { CAR_MODELS, Car } from './car.js';
import { operatorDesk } from './operator-desk.js';
import { BreakerAccount, type Outcome } from './rehearsal/breaker-account.js';
import type { SimulatedSite } from './site.js';
import { pause, until } from './wait.js';

/** What the scenario asks the gateway. */
export interface TroubledGateway {
  readonly ocppPort: number;
  readonly settled: () => boolean;
  /** How load balancing sees an EVSE: the most that it may take, and why, in words. */
  readonly evse: (number: EvseNumber) => { readonly ceiling: number; readonly why: string } | undefined;
  readonly meterLost: (circuit: string) => boolean;
  /** From each sample that led to cuts until they were sent, in clock milliseconds. */
  readonly reactions: () => readonly number[];
  /** Steps taken against an EVSE that does not obey, the oldest first. */
  readonly steps: (number: EvseNumber) => readonly string[];
}

export interface Incident {
  /** Clock seconds since the cars charge. */
  readonly at: number;
  readonly what: string;
  /** What the gateway did about it, and why. */
  readonly answer: string;
  readonly ok: boolean;
}

export interface TroubleReport {
  readonly ok: boolean;
  readonly incidents: readonly Incident[];
  readonly circuits: readonly {
    readonly circuit: string;
    readonly breaker: number;
    readonly peak: PerPhase<number>;
    /** The most of the three, in seconds. */
    readonly secondsAbove: number;
    readonly outcome: Outcome;
  }[];
  /** From a meter's sample until the cuts of the plan on it were sent, in ms of the wall clock. */
  readonly reaction: { readonly plans: number; readonly p50: number; readonly p99: number };
}

export interface TroubleOptions {
  readonly clock: Clock;
  /** How many of its seconds pass in one of the wall's. */
  readonly speed: number;
  /** What the building takes on each phase; the scenario changes it. */
  readonly building: BuildingSwitch;
  readonly progress: (text: string) => void;
}

/** A building whose load the scenario sets: the same evening every time. */
export interface BuildingSwitch {
  /** A on each phase. */
  load: number;
}

export const quietBuilding = (): BuildingSwitch => ({ load: 34 });

export const switchedLoad =
  (building: BuildingSwitch): Load =>
  () =>
    perPhase(() => ampere(building.load));

const SILENT = { station: 'CP01', evse: evseNumber(1) };
const DEAF = evseNumber(2);
const SETTLING = 240;
/** Motors of a lift, fans and a kitchen, in A on each phase; cars make room for each at once. */
const STEPS = [6, 5, 5];
const SMALL_STEP = 4;
const LARGE_STEP = 10;

export async function runTrouble(
  simulated: SimulatedSite,
  gateway: TroubledGateway,
  { clock, speed, building, progress }: TroubleOptions,
): Promise<TroubleReport> {
  const { world, site } = simulated;
  simulated.connect(gateway.ocppPort);
  progress('waiting for chargers and clouds');
  const settled = await until(clock, SETTLING, gateway.settled);
  const charging = settled && (await plugEverywhere(simulated, clock));
  // Until everybody has a fair share.
  await pause(clock, seconds(25));
  const began = clock.monotonic();
  const accounts = watchBreakers(simulated);
  const incidents: Incident[] = [];
  const note = (what: string, answer: string, ok: boolean): void => {
    const at = Math.round((clock.monotonic() - began) / 1000);
    incidents.push({ at, what, answer, ok });
    progress(`${what}: ${answer}`);
  };
  if (!charging) note('the cars', 'do not all charge: the scenario makes no sense', false);
  const currentOf = (number: EvseNumber): number => Math.max(...PHASES.map((phase) => world.currentOf(number)[phase]));
  const carsOn = (circuit: string): number =>
    Math.max(...PHASES.map((phase) => stateOf(simulated, circuit)?.charging[phase] ?? 0));

  // From now on one says yes and goes on as it is; that shows with the first cut.
  world.evse(DEAF).hardware.deaf = true;
  const taken = currentOf(DEAF);

  // 1. The building.
  const before = carsOn('main');
  for (const step of STEPS) {
    building.load += step;
    await pause(clock, seconds(4));
  }
  const total = STEPS.reduce((sum, step) => sum + step, 0);
  const made = await until(clock, 12, () => carsOn('main') <= before - total / 2);
  note(
    `the building takes ${total} A more on each phase, in ${STEPS.length} steps`,
    `the cars went from ${amperes(before)} to ${amperes(carsOn('main'))} on the worst phase; EVSE 3: ${gateway.evse(evseNumber(3))?.why ?? ''}`,
    made,
  );

  // 2. A charger without a network, its car charging on.
  const kept = gateway.evse(SILENT.evse)?.ceiling ?? 0;
  const silent = site.stations.find(({ id }) => id === SILENT.station);
  if (silent !== undefined) simulated.silence(silent.id);
  await pause(clock, seconds(3));
  building.load += SMALL_STEP;
  await pause(clock, seconds(8));
  const counted = gateway.evse(SILENT.evse);
  note(
    `charger ${SILENT.station} falls silent, its car takes ${amperes(currentOf(SILENT.evse))}, and the building ${SMALL_STEP} A more`,
    `EVSE ${SILENT.evse} is counted at ${amperes(counted?.ceiling ?? 0)}, since ${counted?.why ?? 'nothing is known'}; the others make room`,
    counted !== undefined && counted.ceiling >= Math.min(kept, currentOf(SILENT.evse)) - 0.1,
  );

  // 3. A meter that is dead, and more load at the same time.
  building.load += LARGE_STEP;
  await pause(clock, seconds(4));
  const grid = meterId('deck-2');
  const deckBefore = carsOn('deck-2');
  simulated.slaves.slaveOf(grid)?.mute(true);
  const allowed = site.circuits.find(({ id }) => id === circuitId('deck-2'))?.whenMeterLost ?? 0;
  const lost = await until(clock, 30, () => gateway.meterLost('deck-2'));
  const lowered = await until(clock, 30, () => carsOn('deck-2') <= allowed + 0.5);
  note(
    `the meter of deck-2 dies, and the building takes ${LARGE_STEP} A more`,
    `its cars went from ${amperes(deckBefore)} to ${amperes(carsOn('deck-2'))}: when-meter-lost allows ${allowed} A`,
    lost && lowered,
  );
  simulated.slaves.slaveOf(grid)?.mute(false);

  // 4. The charger that does not obey: step by step until its car takes nothing.
  const ended = await until(clock, 90, () => currentOf(DEAF) === 0);
  const steps = gateway.steps(DEAF);
  note(
    `EVSE ${DEAF} accepts every limit and goes on at ${amperes(taken)}, since before all this`,
    `counted as measured, the others were cut, and it was ${steps.map((step) => STEP_WORDS[step] ?? step).join(', ')}`,
    ended && steps.join(' ').startsWith('resend pause stop'),
  );
  building.load = quietBuilding().load;
  await pause(clock, seconds(5));

  const circuits = accounts();
  return {
    ok: incidents.every(({ ok }) => ok) && circuits.every(({ outcome }) => outcome !== 'exceeded'),
    incidents,
    circuits,
    reaction: percentiles(gateway.reactions(), speed),
  };
}

const STEP_WORDS: Readonly<Record<string, string>> = {
  resend: 'told again',
  pause: 'told to pause',
  stop: 'ended by remote stop',
  inoperative: 'put out of service',
};

const amperes = (value: number): string => `${Math.round(value * 10) / 10} A`;

const stateOf = ({ world }: SimulatedSite, circuit: string) =>
  world.circuits().find((state) => state.circuit.id === circuitId(circuit));

/** A car at every EVSE, by card or by app; true once all of them charge. */
async function plugEverywhere(simulated: SimulatedSite, clock: Clock): Promise<boolean> {
  const authority = simulated.site.csms.find(({ role }) => role === 'authority');
  const server = authority && simulated.csms.get(authority.id);
  await Promise.all(
    [...simulated.world.evses].map(async ([number, { hardware }], index) => {
      const model = CAR_MODELS[index % CAR_MODELS.length];
      if (model === undefined) return;
      hardware.plug(new Car(model, 0.3));
      const token = `DRIVER${number}`;
      const charger = simulated.chargerOf(number);
      if (charger !== undefined) await charger.present(hardware.number, token);
      else if (server !== undefined) await operatorDesk(server.csms).remoteStart(number, token, 1000 + number);
    }),
  );
  return until(clock, 90, () => [...simulated.world.evses.values()].every(({ hardware }) => hardware.charging));
}

/** Keeps account of each breaker from now on. */
function watchBreakers({ world }: SimulatedSite): () => TroubleReport['circuits'] {
  const accounts = world.site.circuits.map((circuit) => ({
    circuit,
    of: perPhase(() => new BreakerAccount(circuit.breaker)),
  }));
  world.onStep((elapsed) => {
    for (const state of world.circuits()) {
      const account = accounts.find(({ circuit }) => circuit === state.circuit);
      for (const phase of PHASES) account?.of[phase].take(state.current[phase], elapsed);
    }
  });
  const worst: readonly Outcome[] = ['held', 'brief', 'exceeded'];
  return () =>
    accounts.map(({ circuit, of }) => ({
      circuit: circuit.id,
      breaker: circuit.breaker,
      peak: perPhase((phase) => Math.round(of[phase].peak * 10) / 10),
      secondsAbove: Math.round(Math.max(...PHASES.map((phase) => of[phase].secondsAbove)) * 10) / 10,
      outcome: worst.findLast((outcome) => PHASES.some((phase) => of[phase].outcome === outcome)) ?? 'held',
    }));
}

/** @param delays in clock milliseconds */
function percentiles(delays: readonly number[], speed: number): TroubleReport['reaction'] {
  const sorted = delays.map((delay) => delay / speed).toSorted((a, b) => a - b);
  const at = (share: number): number =>
    Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) * 10) / 10;
  return { plans: sorted.length, p50: at(0.5), p99: at(0.99) };
}
