// What the console may ask while a site is being set up: who knocks without being known, and how the commissioning of each station stands.

/** An OCPP charger that was answered 404. */
export interface UnknownStation {
  /** The identity that it dials with. */
  readonly station: string;
  readonly remoteAddress: string;
  readonly attempts: number;
  /** RFC 3339. */
  readonly firstAt: string;
  readonly lastAt: string;
}

export interface UnknownStations {
  readonly site: string;
  /** The last that came first; a bounded list. */
  readonly stations: readonly UnknownStation[];
}

/** `needs-car`: it can be tried only while a car charges. */
export type CommissioningState = 'open' | 'running' | 'passed' | 'failed' | 'skipped' | 'needs-car';

export interface CommissioningStep {
  /** communication, setpoint, pause, watchdog or phases. */
  readonly step: string;
  /** Absent where the step is of the whole station. */
  readonly evse?: number;
  readonly state: CommissioningState;
  /** What was seen, or what to do. */
  readonly detail?: string;
  /** RFC 3339. */
  readonly at?: string;
  /** Who had it done. */
  readonly by?: string;
}

export interface CommissioningOverview {
  readonly site: string;
  readonly stations: readonly { readonly station: string; readonly steps: readonly CommissioningStep[] }[];
}

/** Why something is not done, and what to do instead. */
export interface NotDone {
  readonly status: 404 | 409;
  readonly error: string;
  readonly action: string;
}

export interface CommissioningDesk {
  unknownStations(): UnknownStations;
  commissioning(): CommissioningOverview;
  /**
   * Begins a step; the site has one at a time.
   * @param evse of a station with several; absent: the first that charges and has not passed
   */
  commission(station: string, step: string, evse: number | undefined, by: string): NotDone | undefined;
  /** Breaks off what runs at the station; everything is as load balancing wants it at once. */
  cancelCommissioning(station: string): NotDone | undefined;
  /** Markdown. */
  commissioningReport(): string;
}
