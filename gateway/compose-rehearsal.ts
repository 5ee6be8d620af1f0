// Puts the real core on a site that is only tried out: simulated chargers and cars, a journal in memory, a clock without waiting.
import type { Load } from '../simulation/building-load.js';
import { MemoryJournal } from '../simulation/rehearsal/memory-journal.js';
import type { OperatorLimit, PlannedCar } from '../simulation/rehearsal/planned-car.js';
import { Rehearsal } from '../simulation/rehearsal/rehearsal.js';
import type { ChartSeries } from '../simulation/rehearsal/chart-series.js';
import type { RehearsalReport } from '../simulation/rehearsal/report.js';
import type { Hindrance } from '../simulation/rehearsal/visit-account.js';
import { seededRandom } from '../simulation/random.js';
import { reason } from './balancing/explain.js';
import type { Because, BalancingReport } from './balancing/report.js';
import { Gateway } from './gateway.js';
import type { CircuitId, EvseNumber } from './kernel/ids.js';
import type { Log } from './kernel/log.js';
import { timestamp, type Milliseconds } from './kernel/units.js';
import type { Site } from './site/topology.js';

export interface RehearsalOptions {
  readonly site: Site;
  readonly cars: readonly PlannedCar[];
  readonly loads: ReadonlyMap<CircuitId, Load>;
  /** Milliseconds since 1970; the hours of the day are those of UTC. */
  readonly begins: number;
  readonly operatorLimits: readonly OperatorLimit[];
  readonly length: Milliseconds;
  readonly seed: number;
  readonly log: Log;
}

/** @throws Error where the gateway itself failed */
export async function rehearse(
  options: RehearsalOptions,
): Promise<{ readonly report: RehearsalReport; readonly chart: ChartSeries }> {
  const { log, seed } = options;
  const site = onTrial(options.site, options.cars);
  const rehearsal = new Rehearsal({ ...options, site });
  const random = seededRandom(seed);
  const gateway = await Gateway.open({
    site,
    journal: new MemoryJournal(),
    drivers: rehearsal.chargers,
    clock: rehearsal.clock,
    machine: { boot: 'rehearsal', released: timestamp(0), lastSynchronised: () => rehearsal.clock.now() },
    log,
    randomBytes: (count) => Uint8Array.from({ length: count }, () => Math.floor(random.next() * 256)),
    firmwareVersion: 'rehearsal',
  });
  gateway.start();
  const because = newestReasons(gateway);
  try {
    const report = await rehearsal.run({
      stations: gateway.stations,
      meters: gateway.meters,
      hindrance: (evse) => hindranceOf(because(evse)),
      operator: (power) => gateway.gridLimit(power === undefined ? 'none' : `${power} W`),
      limits: () => new Map((gateway.circuits ?? []).map(({ circuit, limit }) => [circuit, limit])),
    });
    return { report, chart: rehearsal.chart };
  } finally {
    await gateway.stop();
  }
}

/** Nobody is there but the chargers: no CSMS is asked and none limits, and every car's card is one of the site's own. */
function onTrial(site: Site, cars: readonly PlannedCar[]): Site {
  const { maxEnergyOnInvalidId: _, ...authorization } = site.authorization;
  const { console: _console, ...rest } = site;
  return {
    ...rest,
    csms: [],
    telemetry: {},
    balancing: {
      ...site.balancing,
      ...(site.balancing.gridOperatorLimit && {
        // The evening itself is the grid operator, whatever his box is.
        gridOperatorLimit: { ...site.balancing.gridOperatorLimit, from: ['mqtt'], contacts: [] },
      }),
    },
    authorization: {
      ...authorization,
      listsInChargers: false,
      localTokens: cars.map((_car, index) => ({ idToken: `CAR${index + 1}` })),
    },
  };
}

/** One report of the balancing serves all EVSEs of one moment. */
function newestReasons(gateway: Gateway): (evse: EvseNumber) => Because | undefined {
  let of: Milliseconds | undefined;
  let reasons = new Map<EvseNumber, Because>();
  return (evse) => {
    if (gateway.plannedAt !== of) {
      of = gateway.plannedAt;
      const report: BalancingReport | undefined = gateway.balancing;
      reasons = new Map(report?.evses.map((one) => [one.evse, one.because]));
    }
    return reasons.get(evse);
  };
}

/** What the car or its charger does by itself is no hindrance. */
function hindranceOf(because: Because | undefined): Hindrance | undefined {
  if (because === undefined) return undefined;
  switch (because.kind) {
    case 'idle':
    case 'demand':
    case 'upperBound':
      return undefined;
    case 'full':
    case 'rotation': {
      const { where, why } = because;
      const operator = why === 'gridOperator' || why === 'gridOperatorLost';
      // Whose turn it is does not matter afterwards: the circuit was full.
      const text = reason({ ...because, kind: 'full' });
      return {
        text,
        phase: where.phase,
        ...(where.kind === 'circuit' && { circuit: where.name }),
        ...(operator && { gridOperator: true }),
      };
    }
    default:
      return { text: reason(because) };
  }
}
