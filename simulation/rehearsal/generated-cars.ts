// Cars that nobody has written down: arrivals with a peak in the morning and one in the evening, the same for the same seed.
import { ampere, milliseconds, minutes, wattHour } from '../../gateway/kernel/units.js';
import { isDirectCurrent, type Evse, type Site } from '../../gateway/site/topology.js';
import { seededRandom, type Random } from '../random.js';
import { DAY, type PlannedCar, type Span } from './planned-car.js';

const HOUR = 3_600_000;

/** Arrivals at one EVSE in an hour, at this hour of the day: a few at all times, many around 8:00 and around 18:00. */
function arrivalRate(hour: number): number {
  const peak = (at: number, width: number): number => {
    const away = Math.min(Math.abs(hour - at), 24 - Math.abs(hour - at));
    return Math.exp(-((away / width) ** 2) / 2);
  };
  return (hour > 6 && hour < 22 ? 0.06 : 0.01) + 0.4 * peak(8, 0.9) + 0.5 * peak(18, 1.2);
}
const HIGHEST_RATE = 0.6;

/** 40 % use one phase, 10 % two, the others three. */
const ONE_PHASE = 0.4;
const TWO_PHASES = 0.1;
/** Of those that stay for the night, so many wait for a cheap tariff. */
const SLEEPERS = 0.25;
const SLEEPS_UNTIL = 23;

/** In the search for a free EVSE. */
const PATIENCE = minutes(10);

/** About one and a half cars an evening for each EVSE, so that a site shows what it does when it is full. */
export function generatedCars(site: Site, { from, length }: Span, seed: number): readonly PlannedCar[] {
  const random = seededRandom(seed);
  const evses = site.stations.flatMap((station) => station.evses);
  const arrivals: { readonly at: number; readonly kind: Evse }[] = [];
  for (const evse of evses) {
    // Thinning: events at the highest rate, of which each hour keeps its own part.
    for (let at = 0; ;) {
      at += (-Math.log(1 - random.next()) / HIGHEST_RATE) * HOUR;
      if (at >= length) break;
      const hour = (((from + at) % DAY) + DAY) % DAY;
      if (random.next() * HIGHEST_RATE < arrivalRate(hour / HOUR)) arrivals.push({ at, kind: evse });
    }
  }
  return arrivals
    .sort((a, b) => a.at - b.at)
    .map(({ at, kind }, index) => {
      const directCurrent = isDirectCurrent(kind);
      const arrival = Math.round(at / 60_000) * 60_000;
      const hour = ((from + arrival) % DAY) / HOUR;
      const stay = directCurrent ? random.between(0.4, 1.5) : stayAt(hour, random);
      const departure = milliseconds(arrival + Math.round(stay * 60) * 60_000);
      const sleeps = !directCurrent && stay > 7 && hour >= 15 && hour < SLEEPS_UNTIL && random.next() < SLEEPERS;
      return {
        name: `car ${index + 1}`,
        arrival: milliseconds(arrival),
        departure,
        energy: energyOf(directCurrent, random),
        ...onBoardCharger(kind, random),
        directCurrent,
        patience: PATIENCE,
        ...(sleeps && { chargesFrom: milliseconds(arrival + (SLEEPS_UNTIL - hour) * HOUR) }),
      };
    });
}

/** In hours: a working day in the morning, a visit or a night in the evening. */
function stayAt(hour: number, random: Random): number {
  if (hour >= 5 && hour < 11) return random.next() < 0.7 ? random.between(6, 9.5) : random.between(0.7, 3);
  if (hour >= 15) return random.next() < 0.55 ? random.between(8, 14) : random.between(1, 4);
  return random.between(0.7, 4);
}

/** Log-normal around 13 kWh (direct current: 30), as fleets of public chargers show it. */
function energyOf(directCurrent: boolean, random: Random) {
  const normal = Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  const kiloWattHours = (directCurrent ? 30 : 13) * Math.exp(0.55 * normal);
  return wattHour(Math.round(Math.min(70, Math.max(2, kiloWattHours)) * 10) * 100);
}

function onBoardCharger(evse: Evse, random: Random): Pick<PlannedCar, 'phases' | 'maxCurrent'> {
  if (isDirectCurrent(evse))
    return { phases: 3, maxCurrent: ampere(Math.round(evse.maxCurrent * random.between(0.6, 1))) };
  const kind = random.next();
  if (kind < ONE_PHASE) return { phases: 1, maxCurrent: ampere(random.pick([16, 16, 20, 32])) };
  if (kind < ONE_PHASE + TWO_PHASES) return { phases: 2, maxCurrent: ampere(16) };
  return { phases: 3, maxCurrent: ampere(random.pick([16, 16, 16, 16, 32])) };
}
