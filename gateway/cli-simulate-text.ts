// The result of `forecourt simulate` in words and tables for an electrician.
import type { CircuitResult, RehearsalReport } from '../simulation/rehearsal/report.js';
import type { VisitReport } from '../simulation/rehearsal/visit-account.js';
import type { Span } from '../simulation/rehearsal/planned-car.js';
import { span as duration, table, wrapped } from './cli-table.js';
import { PHASES, type Phase } from './site/topology.js';

export interface SimulationAbout {
  readonly title: string;
  readonly subtitle: string;
  /** What hangs on which circuit, in words. */
  readonly load: readonly string[];
  /** Nobody has said what else is on the site's circuits. */
  readonly assumed: boolean;
  readonly span: Span;
}

/** Cars that are told one by one; the others only count. */
const MOST_CARS = 15;
/** Part of what all cars want that a circuit has to keep from them to be called too small. */
const NOTICEABLE = 0.02;
const DAY = 86_400_000;

/** `17:05` for a time in milliseconds after midnight. */
export const clockTime = (time: number): string => {
  const minutes = Math.floor((time % DAY) / 60_000);
  return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
};

export function simulationText(report: RehearsalReport, about: SimulationAbout): string {
  const { circuits, cars } = report;
  const load =
    about.load.length === 0
      ? 'Beside the chargers: nothing on any circuit (--load says otherwise)'
      : `Beside the chargers: ${about.load.join('; ')}${about.assumed ? ' (assumed: say better with --load)' : ''}`;
  return [
    `${about.title}: ${report.evses} ${report.evses === 1 ? 'EVSE' : 'EVSEs'}, ${about.subtitle}\n`,
    wrapped(load, 0),
    '\n',
    ...verdict(report).map((line) => wrapped(line, 0)),
    '\n',
    circuitTable(circuits),
    '\n',
    ...energy(cars),
    ...waits(report),
    ...shortCars(cars, about.span),
  ].join('');
}

/** What matters first: did a breaker hold, and what is the site too small for. */
function verdict({ circuits, cars }: RehearsalReport): readonly string[] {
  const exceeded = circuits.flatMap((circuit) =>
    PHASES.filter((phase) => circuit.phases[phase].outcome === 'exceeded').map((phase) =>
      exceededWords(circuit, phase),
    ),
  );
  const brief = circuits.filter(({ phases }) => PHASES.some((phase) => phases[phase].outcome === 'brief'));
  const [tightest] = [...circuits].sort((a, b) => b.refused_Wh - a.refused_Wh);
  return [
    ...(exceeded.length > 0 ? exceeded : ['No breaker was exceeded.']),
    ...(brief.length > 0
      ? [
          `Above its rating for moments, until the cars had followed, as no breaker minds: ${brief.map(({ circuit }) => circuit).join(', ')}.`,
        ]
      : []),
    ...(tightest !== undefined && tightest.refused_Wh >= Math.max(500, NOTICEABLE * sumOf(cars, (car) => car.wanted_Wh))
      ? [
          `Too small for these cars: circuit ${tightest.circuit}. It kept ${kiloWattHours(tightest.refused_Wh)} from ${counted(tightest.heldBack, 'car')}.`,
        ]
      : ['Large enough for these cars: no circuit kept much from them.']),
    ...circuits
      .filter(({ refusedByOperator_Wh: refused }) => refused > 0)
      .map(
        ({ circuit, refusedByOperator_Wh: refused }) =>
          `The grid operator's limit on ${circuit} kept ${kiloWattHours(refused)} from cars.`,
      ),
  ];
}

function exceededWords(circuit: CircuitResult, phase: Phase): string {
  const { peak_A: peak, above_s: above } = circuit.phases[phase];
  const what = `BREAKER EXCEEDED: circuit ${circuit.circuit} had up to ${peak} A on ${phase} with a breaker of ${circuit.breaker_A} A, above it for ${duration(above)}.`;
  if (circuit.building_A > circuit.breaker_A)
    return `${what} The building alone takes up to ${circuit.building_A} A: no charger can help.`;
  if (!circuit.metered && circuit.loaded)
    return `${what} Something else hangs on it and it has no meter, so the gateway cannot leave room for that.`;
  return what;
}

const circuitTable = (circuits: readonly CircuitResult[]): string =>
  table(
    [
      { title: 'CIRCUIT', most: 20 },
      { title: 'BREAKER A', align: 'right' },
      { title: 'PEAK L1 / L2 / L3 A' },
      { title: 'OF RATING', align: 'right' },
      { title: 'ABOVE IT', align: 'right' },
      { title: 'BUILDING A', align: 'right' },
      { title: 'KEPT FROM CARS' },
    ],
    circuits.map((circuit) => {
      const phases = PHASES.map((phase) => circuit.phases[phase]);
      const above = Math.max(...phases.map(({ above_s: seconds }) => seconds));
      const peak = Math.max(...phases.map(({ peak_A: current }) => current));
      return [
        circuit.circuit,
        String(circuit.breaker_A),
        phases.map(({ peak_A: current }) => current.toFixed(1)).join(' / '),
        `${Math.round((peak / circuit.breaker_A) * 100)} %`,
        above === 0 ? '-' : duration(above),
        circuit.building_A === 0 ? '-' : circuit.building_A.toFixed(1),
        circuit.refused_Wh === 0 ? '-' : `${kiloWattHours(circuit.refused_Wh)} (${counted(circuit.heldBack, 'car')})`,
      ];
    }),
  );

function energy(cars: readonly VisitReport[]): readonly string[] {
  const sum = (of: (car: VisitReport) => number): number => sumOf(cars, of);
  const wanted = sum((car) => car.wanted_Wh);
  const delivered = sum((car) => car.delivered_Wh);
  const refused = sum((car) => car.refused_Wh);
  const turnedAway = sum((car) => (car.evse === undefined ? car.wanted_Wh : 0));
  const short = wanted - delivered - refused - turnedAway;
  const share = wanted === 0 ? 100 : Math.round((delivered / wanted) * 100);
  return [
    `Energy   ${kiloWattHours(wanted)} wanted, ${kiloWattHours(delivered)} delivered (${share} %)\n`,
    ...(refused > 0
      ? [`         ${kiloWattHours(refused)} refused: their cars would have had it alone on the site\n`]
      : []),
    ...(turnedAway > 0 ? [`         ${kiloWattHours(turnedAway)} of cars that found no free EVSE\n`] : []),
    ...(short > 50 ? [`         ${kiloWattHours(short)} more than the cars could take in their time\n`] : []),
  ];
}

function waits({ cars, evses, mostPlugged, mostCharging }: RehearsalReport): readonly string[] {
  const parked = cars.filter(({ evse }) => evse !== undefined);
  const lacking = parked.filter(({ refused_Wh: refused }) => refused > 0).length;
  const atEvse = parked.map(({ waitedForEvse_min: wait }) => wait);
  const forCurrent = parked.flatMap(({ waitedForCurrent_min: wait }) => wait ?? []);
  return [
    `Cars     ${cars.length} came, ${cars.length - parked.length} found no place; ${lacking} got less than they could have taken\n`,
    `         at most ${mostPlugged} of ${evses} EVSEs taken, ${mostCharging} charging at once\n`,
    ...(parked.length === 0
      ? []
      : [
          `Waited   for a free EVSE: ${spread(atEvse)}\n`,
          ...(forCurrent.length === 0 ? [] : [`         for current, once plugged in: ${spread(forCurrent)}\n`]),
        ]),
  ];
}

/** Minutes: the median and the longest. */
function spread(waits: readonly number[]): string {
  const sorted = [...waits].sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  return `half of them at most ${duration(median * 60)}, the longest ${duration((sorted.at(-1) ?? 0) * 60)}`;
}

function shortCars(cars: readonly VisitReport[], { from, length }: Span): readonly string[] {
  const short = cars
    .filter(({ wanted_Wh: wanted, delivered_Wh: delivered }) => wanted - delivered >= 100)
    .sort((a, b) => b.refused_Wh - a.refused_Wh || b.wanted_Wh - b.delivered_Wh - (a.wanted_Wh - a.delivered_Wh));
  if (short.length === 0) return ['\nEvery car got what it wanted.\n'];
  const at = (minutes: number | undefined): string => clockTime(from + (minutes ?? length / 60_000) * 60_000);
  const lines = short.slice(0, MOST_CARS).flatMap((car) => {
    const { name, evse, arrival_min: arrival, left_min: left } = car;
    const until = left === undefined ? (evse === undefined ? '' : ', still there') : ` to ${at(left)}`;
    const place = evse === undefined ? 'no place' : `EVSE ${evse}`;
    const got = `${kiloWattHours(car.delivered_Wh)} of ${kiloWattHours(car.wanted_Wh)}`;
    return [
      wrapped(`${name} (${place}, ${at(arrival)}${until}): ${got}`, 2),
      ...reasons(car).map((one) => wrapped(one, 6)),
    ];
  });
  const rest = short.length - MOST_CARS;
  return [
    '\nCars that got less than they wanted:\n',
    ...lines,
    ...(rest > 0 ? [`  and ${counted(rest, 'car')} more; --json has all\n`] : []),
  ];
}

function reasons(car: VisitReport): readonly string[] {
  const { wanted_Wh: wanted, delivered_Wh: delivered, refused_Wh: refused, evse, left_min: left } = car;
  if (evse === undefined) return [`no free EVSE for ${duration(car.waitedForEvse_min * 60)}`];
  const rest = wanted - delivered - refused;
  return [
    ...car.because
      .filter(({ energy_Wh: lost }) => lost >= Math.max(50, refused / 20))
      .slice(0, 4)
      .map(({ energy_Wh: lost, text }) => `${kiloWattHours(lost)}: ${text}`),
    ...(rest >= 100
      ? [
          `${kiloWattHours(rest)}: ${left === undefined ? 'its time here is not over yet' : 'its own charger would have taken longer than it stayed'}`,
        ]
      : []),
  ];
}

const sumOf = (cars: readonly VisitReport[], of: (car: VisitReport) => number): number =>
  cars.reduce((total, car) => total + of(car), 0);
const kiloWattHours = (wattHours: number): string => `${(wattHours / 1000).toFixed(1)} kWh`;
const counted = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`;
