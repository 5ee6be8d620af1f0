// What a charger can do as the gateway has been told: reported after set-up, and again when a command has taught better.
import type { Capabilities } from '../../gateway/site/capabilities.js';
import type { Station } from '../../gateway/site/topology.js';
import type { LimitWriter } from './limit-writer.js';
import type { StationReports } from './station-reports.js';

export class AnnouncedCapabilities {
  readonly #station: Station;
  readonly #reports: StationReports;
  #current: Capabilities;

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
    this.#tell({ limitsReset: true });
  }

  /** Reports where a command has changed what the charger will do. */
  announceChange(limits: LimitWriter): void {
    const now = this.#with(limits, {});
    const before = this.#current;
    if (
      now.fallback === before.fallback &&
      now.currentLimit === before.currentLimit &&
      now.limitsPersisted === before.limitsPersisted
    )
      return;
    this.#current = now;
    this.#tell();
  }

  #tell(more: { readonly limitsReset?: true } = {}): void {
    this.#reports.tell({ type: 'capabilities', station: this.#station.id, capabilities: this.#current, ...more });
  }

  #with(limits: LimitWriter, change: Partial<Capabilities>): Capabilities {
    return {
      ...this.#current,
      ...change,
      ...(limits.unsupported && { currentLimit: false }),
      limitsPersisted: limits.persisted,
      fallback: this.#station.evses.every((evse) => limits.fallsBack(evse)),
    };
  }
}
