// What a charger can do as the gateway has been told: reported after set-up, and again when a command has taught better.
import type { Capabilities } from '../../gateway/site/capabilities.js';
import type { CommandOutcome } from '../../gateway/site/station-command.js';
import type { Station } from '../../gateway/site/topology.js';
import type { LimitWriter } from './limit-writer.js';
import type { StationReports } from './station-reports.js';

/** One or two refusals may be of a transaction that was just over. */
const PHASES_REFUSED = 3;

export class AnnouncedCapabilities {
  readonly #station: Station;
  readonly #reports: StationReports;
  #current: Capabilities;
  /** In a row and none taken, since set-up. */
  #phasesRefused = 0;

  constructor(station: Station, reports: StationReports, initial: Capabilities) {
    this.#station = station;
    this.#reports = reports;
    this.#current = initial;
  }

  /** As told last; what an earlier connection taught still holds for the same charger. */
  get current(): Capabilities {
    return this.#current;
  }

  /** Reports in any case: from the end of set-up on, a limit that is set stays. */
  announce(limits: LimitWriter, change: Partial<Capabilities> = {}): void {
    this.#current = this.#with(limits, change);
    this.#phasesRefused = 0;
    this.#tell({ limitsReset: true });
  }

  /** Reports where a command has changed what the charger will do. */
  announceChange(limits: LimitWriter): void {
    const now = this.#with(limits, {});
    const before = this.#current;
    if (
      now.fallback === before.fallback &&
      now.currentLimit === before.currentLimit &&
      now.setpointsPerDay === before.setpointsPerDay
    )
      return;
    this.#current = now;
    this.#tell();
  }

  /** How a limit that came with a number of phases ended. One that always refuses is not asked again until its next set-up. */
  phasesSet({ status }: CommandOutcome): void {
    if (status === 'Accepted') this.#phasesRefused = -Infinity;
    if (status === 'Rejected') this.#phasesRefused += 1;
    if (!this.#current.phaseSwitching || this.#phasesRefused < PHASES_REFUSED) return;
    this.#current = { ...this.#current, phaseSwitching: false };
    this.#tell();
  }

  #tell(more: { readonly limitsReset?: true } = {}): void {
    this.#reports.tell({ type: 'capabilities', station: this.#station.id, capabilities: this.#current, ...more });
  }

  #with(limits: LimitWriter, change: Partial<Capabilities>): Capabilities {
    const { setpointsPerDay: _, ...current } = this.#current;
    const { setpointsPerDay } = limits;
    return {
      ...current,
      ...change,
      ...(limits.unsupported && { currentLimit: false }),
      ...(setpointsPerDay !== undefined && { setpointsPerDay }),
      fallback: this.#station.evses.every((evse) => limits.fallsBack(evse)),
    };
  }
}
