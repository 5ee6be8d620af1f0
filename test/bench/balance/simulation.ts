// A garage second by second: cars that follow late, taper and sleep, chargers that answer, refuse or keep silent, breakers that heat up.
import { performance } from 'node:perf_hooks';
import { percentile } from '../statistics.js';
import type { Garage, Visit } from './garage.js';
import { POLICY } from './garage.js';
import { seededRandom } from '../../../simulation/random.js';

/** What a controller can see of one EVSE. */
export interface SeenEvse {
  readonly visit: Visit | undefined;
  /** Wh. */
  readonly served: number;
  readonly connected: boolean;
  /** As its charger measured it last, per phase in A, and in which second. */
  readonly measured: readonly [number, number, number];
  readonly measuredAt: number;
}

export interface SeenSite {
  readonly second: number;
  readonly evses: readonly SeenEvse[];
  /** The grid meter's last reading and its second. */
  readonly meter: readonly [number, number, number];
  readonly meterAt: number;
}

export interface Order {
  readonly outlet: number;
  readonly current: number;
}

export interface Controller {
  readonly name: string;
  /** Called every second. */
  control(site: SeenSite): readonly Order[];
  answered(order: Order, outcome: 'Accepted' | 'Rejected' | 'Uncertain', second: number): void;
}

export interface Outcome {
  readonly name: string;
  /** kWh that cars took, and that they wanted. */
  readonly delivered: number;
  readonly wanted: number;
  /** Ampere-seconds above 1, 1.13 and 1.45 of the breakers. */
  readonly above: readonly [number, number, number];
  readonly trips: number;
  readonly jain: number;
  /** Longest time in which a car got nothing, in minutes. */
  readonly starved: number;
  readonly setpointsEach: number;
  readonly startsEach: number;
  /** From a sample to the commands, in ms. */
  readonly p50: number;
  readonly p99: number;
}

/** Chargers tell what they measure this often, in turn. */
const SAMPLES_EVERY = 10;
/** Of an answer, and of a car that follows up or down, in seconds. */
const ANSWERS_AFTER = 1;
const RISES_AFTER = 2;
const FALLS_AFTER = 4;
/** A per second. */
const RISES_BY = 4;
/** A car takes less and less in the last fifth of its energy, but not less than its least current. */
const TAPERS_AT = 0.8;
const LEAST = 6;
const VOLT = 230;
/** A breaker as quick as IEC 60898-1 allows: it trips at 1.3 of its rating for ever, at 2.55 within a minute. */
const TRIPS_AT = 1.3 * 1.3;
const HEATS_IN = 200;
const DEAD_FOR = 600;

interface Socket {
  visit: Visit | undefined;
  served: number;
  holds: number;
  takes: number;
  /** The second from which the car follows a new setpoint. */
  follows: number;
  offeredSince: number | undefined;
  starvedSince: number;
  orders: { readonly current: number; readonly at: number }[];
  setpoints: number;
  starts: number;
  measured: readonly [number, number, number];
  measuredAt: number;
}

const onPhases = (phases: number, current: number): readonly [number, number, number] => [
  phases & 1 ? current : 0,
  phases & 2 ? current : 0,
  phases & 4 ? current : 0,
];

/** What the car would take if it were offered all. */
function appetite({ visit, served, offeredSince }: Socket, second: number): number {
  if (visit === undefined || served >= visit.energy) return 0;
  if (offeredSince !== undefined && second - offeredSince < visit.sleeps) return 0;
  const done = served / visit.energy;
  const tapered = done <= TAPERS_AT ? visit.most : visit.most * (1 - 0.8 * ((done - TAPERS_AT) / (1 - TAPERS_AT)));
  return Math.max(LEAST, tapered);
}

function follow(socket: Socket, second: number, dead: boolean): void {
  if (socket.holds >= LEAST) socket.offeredSince ??= second;
  else socket.offeredSince = undefined;
  const wish = dead || socket.holds < LEAST ? 0 : Math.min(socket.holds, appetite(socket, second));
  if (wish === socket.takes || dead) {
    socket.takes = wish;
    socket.follows = second;
    return;
  }
  const falls = wish < socket.takes;
  if (second - socket.follows < (falls ? FALLS_AFTER : RISES_AFTER)) return;
  const next = falls ? wish : Math.min(wish, Math.max(LEAST, socket.takes + RISES_BY));
  if (socket.takes === 0 && next > 0) socket.starts++;
  socket.takes = next;
  if (socket.takes === wish) socket.follows = second;
}

export function simulate(garage: Garage, controller: Controller): Outcome {
  const network = garage.network(POLICY);
  const random = seededRandom(99).next;
  const sockets = network.outlets.map((): Socket => ({
    visit: undefined,
    served: 0,
    holds: 0,
    takes: 0,
    follows: 0,
    offeredSince: undefined,
    starvedSince: 0,
    orders: [],
    setpoints: 0,
    starts: 0,
    measured: [0, 0, 0],
    measuredAt: 0,
  }));
  const arrivals = [...garage.visits].sort((a, b) => a.arrival - b.arrival);
  const heat = network.circuits.map((): [number, number, number] => [0, 0, 0]);
  const deadUntil = network.circuits.map(() => 0);
  const above: [number, number, number] = [0, 0, 0];
  const shares: number[] = [];
  const times: number[] = [];
  let [trips, starved, delivered, next] = [0, 0, 0, 0];
  let meter: readonly [number, number, number] = [0, 0, 0];
  let meterAt = 0;
  const leave = (socket: Socket): void => {
    if (socket.visit !== undefined) shares.push(Math.min(1, socket.served / socket.visit.energy));
    socket.visit = undefined;
  };
  for (let second = 1; second < garage.seconds; second++) {
    const struck = (what: string, outlet?: number): boolean =>
      garage.faults.some(
        (one) => one.what === what && one.from <= second && second < one.to && (outlet ?? one.outlet) === one.outlet,
      );
    const silent = sockets.map((_, outlet) => struck('link', outlet));
    for (const socket of sockets) if (socket.visit !== undefined && socket.visit.departure <= second) leave(socket);
    for (; (arrivals[next]?.arrival ?? Infinity) <= second; next++) {
      const visit = arrivals[next];
      const socket = visit && sockets[visit.outlet];
      if (socket === undefined) continue;
      Object.assign(socket, { visit, served: 0, starvedSince: second, offeredSince: undefined });
    }
    sockets.forEach((socket, outlet) => {
      while ((socket.orders[0]?.at ?? Infinity) <= second) {
        const order = socket.orders.shift();
        if (order === undefined) break;
        const lost = silent[outlet] === true || random() < garage.unanswered;
        const refused = !lost && random() < garage.refused;
        // Half of what is not answered is in force all the same.
        if ((!lost || random() < 0.5) && !refused && silent[outlet] !== true && !struck('deaf', outlet))
          socket.holds = order.current;
        const answer = { outlet, current: order.current };
        controller.answered(answer, lost ? 'Uncertain' : refused ? 'Rejected' : 'Accepted', second);
      }
      const dead = network.outlets[outlet]?.path.some((row) => (deadUntil[row] ?? 0) > second) === true;
      follow(socket, second, dead);
      const { visit } = socket;
      const phases = visit?.phases ?? 0;
      const count = (phases & 1) + ((phases >> 1) & 1) + ((phases >> 2) & 1);
      const energy = (socket.takes * count * VOLT) / 3600;
      socket.served += energy;
      delivered += energy / 1000;
      if (socket.takes > 0 || visit === undefined || socket.served >= visit.energy) socket.starvedSince = second;
      starved = Math.max(starved, second - socket.starvedSince);
      if ((second + outlet) % SAMPLES_EVERY === 0 && silent[outlet] !== true) {
        socket.measured = onPhases(phases, socket.takes);
        socket.measuredAt = second;
      }
    });
    const flows = network.circuits.map((_, row): [number, number, number] =>
      row === 0 ? [...garage.building(second)] : [0, 0, 0],
    );
    sockets.forEach((socket, outlet) => {
      const own = onPhases(socket.visit?.phases ?? 0, socket.takes);
      for (const row of network.outlets[outlet]?.path ?? []) {
        const flow = flows[row];
        if (flow !== undefined) own.forEach((current, phase) => (flow[phase] = (flow[phase] ?? 0) + current));
      }
    });
    flows.forEach((flow, row) => {
      const rating = network.circuits[row]?.breaker ?? Infinity;
      const warm = heat[row] ?? [0, 0, 0];
      flow.forEach((current, phase) => {
        [1, 1.13, 1.45].forEach(
          (factor, i) => (above[i] = (above[i] ?? 0) + Math.max(0, current - factor * rating - 1e-6)),
        );
        const load = (current / rating) ** 2;
        warm[phase] = load + ((warm[phase] ?? 0) - load) * Math.exp(-1 / HEATS_IN);
      });
      if (warm.every((one) => one < TRIPS_AT)) return;
      trips++;
      deadUntil[row] = second + DEAD_FOR;
      heat[row] = [0, 0, 0];
    });
    if (!struck('meter')) {
      meter = flows[0] ?? meter;
      meterAt = second;
    }
    const evses = sockets.map(({ visit, served, measured, measuredAt }, outlet): SeenEvse => ({
      visit,
      served,
      connected: silent[outlet] !== true,
      measured,
      measuredAt,
    }));
    const begun = performance.now();
    const orders = controller.control({ second, evses, meter, meterAt });
    times.push(performance.now() - begun);
    for (const { outlet, current } of orders) {
      const socket = sockets[outlet];
      if (socket === undefined) continue;
      socket.orders.push({ current, at: second + ANSWERS_AFTER });
      socket.setpoints++;
    }
  }
  sockets.forEach(leave);
  const sum = shares.reduce((all, share) => all + share, 0);
  const squares = shares.reduce((all, share) => all + share * share, 0);
  const visits = garage.visits.length;
  return {
    name: controller.name,
    delivered,
    wanted: garage.visits.reduce((all, { energy }) => all + energy / 1000, 0),
    above,
    trips,
    jain: (sum * sum) / (shares.length * squares),
    starved: starved / 60,
    setpointsEach: sockets.reduce((all, { setpoints }) => all + setpoints, 0) / visits,
    startsEach: sockets.reduce((all, { starts }) => all + starts, 0) / visits,
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
  };
}
