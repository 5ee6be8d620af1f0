// Commissioning as the console shows it: every step of every station, and the report that goes into the site's folder.
import { STEPS } from '../commissioning/step.js';
import { commissioningReport } from '../commissioning/report.js';
import { toRfc3339, type Timestamp } from '../kernel/units.js';
import type {
  CommissioningDesk,
  CommissioningOverview,
  CommissioningStep,
  NotDone,
  UnknownStations,
} from '../ports/commissioning.js';
import type { Commissioning, KeptResult } from '../shell/commissioning.js';
import type { KnockingStations } from '../shell/knocking-stations.js';
import type { Site, Station } from '../site/topology.js';

export class CommissioningConsole implements CommissioningDesk {
  constructor(
    private readonly site: Site,
    private readonly commissioningOf: Commissioning,
    private readonly knocking: KnockingStations,
    private readonly now: () => Timestamp,
  ) {}

  unknownStations(): UnknownStations {
    return {
      site: this.site.id,
      stations: this.knocking.all.map(({ firstAt, lastAt, ...rest }) => ({
        ...rest,
        firstAt: toRfc3339(firstAt),
        lastAt: toRfc3339(lastAt),
      })),
    };
  }

  commissioning(): CommissioningOverview {
    return {
      site: this.site.id,
      stations: this.site.stations.map((station) => ({ station: station.id, steps: this.#steps(station) })),
    };
  }

  commission(station: string, step: string, evse: number | undefined, by: string): NotDone | undefined {
    return this.commissioningOf.begin(station, step, evse, by);
  }

  cancelCommissioning(station: string): NotDone | undefined {
    return this.commissioningOf.cancel(station);
  }

  commissioningReport(): string {
    const { id, name } = this.site;
    return commissioningReport({ id, name }, toRfc3339(this.now()), this.commissioning().stations);
  }

  #steps({ id, evses }: Station): readonly CommissioningStep[] {
    const results = this.commissioningOf.results(id);
    return STEPS.flatMap((step) => {
      if (step === 'communication') return [this.#step(id, step, undefined, results)];
      return evses.map(({ number }) => this.#step(id, step, number, results));
    });
  }

  #step(
    station: string,
    step: CommissioningStep['step'],
    evse: number | undefined,
    results: readonly KeptResult[],
  ): CommissioningStep {
    const of = { step, ...(evse !== undefined && { evse }) };
    const { running } = this.commissioningOf;
    if (running?.station === station && running.step === step && (evse === undefined || running.evse === evse))
      return { ...of, state: 'running', by: running.by };
    const result = results.find((each) => each.step === step && each.evse === evse);
    if (result === undefined) return { ...of, state: 'open' };
    const { state, detail, at, by } = result;
    return { ...of, state, detail, at: toRfc3339(at), by };
  }
}
