// Which statuses one CSMS is sent, and when: only what it can tell apart, debounced, one at a time.
import type { EvseNumber } from '../kernel/ids.js';
import type { CancelTimer, Clock } from '../kernel/clock.js';
import type { Log } from '../kernel/log.js';
import type { Milliseconds } from '../kernel/units.js';
import type { CsmsLink, CsmsMessage } from '../ports/csms.js';
import type { LiveSite } from '../site/live-state.js';
import type { Csms } from '../site/topology.js';
import type { ConnectorError, ConnectorStatus } from '../site/station-event.js';
import { connectorView, look } from './connector-view.js';
import type { SlotRow, SlotTable } from './slots.js';
import { Suspicion } from './suspicion.js';

export interface StatusDependencies {
  readonly csms: Csms;
  readonly slots: SlotTable;
  readonly live: LiveSite;
  readonly clock: Clock;
  readonly log: Log;
  /** MinimumStatusDuration: a status that lasts for less is never told. */
  readonly minimumDuration: () => Milliseconds;
  /** After a longer absence a 2.0.1 CSMS is told every status (B04.FR.01). */
  readonly offlineThreshold: () => Milliseconds;
  /** The gateway as a station: what 1.6 calls connector 0, no sum of the others (1.6 section 4.9). */
  readonly stationStatus: () => StationStatus;
}

export interface StationStatus {
  readonly status: ConnectorStatus;
  readonly error?: ConnectorError;
}

/** The station as a whole, beside the connectors' flat numbers, as in 1.6. */
const STATION = 0;
/** Statuses of one connector that may wait; of a longer sequence the oldest are left out. */
const MOST_WAITING = 8;

interface Told {
  readonly message: CsmsMessage;
  /** What this CSMS sees in it: two that look the same are told once. */
  readonly look: string;
}

export class Statuses {
  readonly #is: StatusDependencies;
  #link: CsmsLink | undefined;
  #online = false;
  #downSince: Milliseconds | undefined;
  /** What the CSMS was last told of each flat number. */
  readonly #told = new Map<number, string>();
  /** Still to be told of each flat number, oldest first: a quick sequence is told whole, as far as it fits. */
  readonly #waiting = new Map<number, Told[]>();
  readonly #debounce = new Map<number, CancelTimer>();
  /** What is not told of each flat number, and what is suspected of ending the link. */
  readonly #spared = new Map<number, string>();
  readonly #suspicions = new Map<number, Suspicion<string>>();
  #sending = false;
  /** Counts the times the link came up: what failed on an earlier link is sent on the next. */
  #links = 0;
  #whenQuiet: (() => void)[] = [];

  constructor(dependencies: StatusDependencies) {
    this.#is = dependencies;
  }

  attach(link: CsmsLink): void {
    this.#link = link;
  }

  /**
   * Tells the CSMS what it has to know now: everything after a boot (1.6 errata 3.22, B01.FR.05), else what has changed.
   * Resolves when it has been told, or the link is lost.
   */
  linkUp(booted: boolean): Promise<void> {
    this.#online = true;
    this.#links++;
    if (booted) this.#spared.clear();
    const away = this.#downSince === undefined ? 0 : this.#is.clock.monotonic() - this.#downSince;
    const all = booted || (this.#is.csms.ocpp === '2.0.1' && away > this.#is.offlineThreshold());
    if (all) this.#told.clear();
    this.#downSince = undefined;
    for (const flat of [STATION, ...this.#is.slots.rows.map((row) => row.slot.flat)]) this.#enqueue(flat);
    return this.#quiet();
  }

  linkDown(): void {
    if (this.#online) this.#downSince = this.#is.clock.monotonic();
    this.#online = false;
    for (const cancel of this.#debounce.values()) cancel();
    this.#debounce.clear();
    this.#waiting.clear();
  }

  /** An EVSE's connector has changed; its siblings may look different with it. */
  connectorChanged(evse: EvseNumber): void {
    for (const row of this.#is.slots.ofEvse(evse)) this.#changed(row.slot.flat);
  }

  /** What was told of the EVSE was true but too early for this CSMS to be told in full. */
  toldTooEarly(evse: EvseNumber): void {
    for (const row of this.#is.slots.ofEvse(evse)) this.#told.delete(row.slot.flat);
    this.connectorChanged(evse);
  }

  stationChanged(): void {
    this.#changed(STATION);
  }

  /** The CSMS sees other EVSEs. */
  reconfigured(): void {
    for (const row of this.#is.slots.rows) this.#changed(row.slot.flat);
  }

  /** A CSMS asked (TriggerMessage): told even when nothing has changed. Without rows: the station and all connectors. */
  tell(rows: readonly SlotRow[] | undefined): void {
    const flats = rows?.map((row) => row.slot.flat) ?? [STATION, ...this.#is.slots.rows.map((row) => row.slot.flat)];
    for (const flat of flats) {
      const next = this.#message(flat);
      if (next === undefined || this.#link === undefined) continue;
      this.#told.set(flat, next.look);
      // At once and not in turn: the link lets out what was asked for even before Boot is accepted.
      void this.#deliver(this.#link, next.message);
    }
  }

  #changed(flat: number): void {
    if (!this.#online) return;
    this.#debounce.get(flat)?.();
    this.#debounce.delete(flat);
    const duration = this.#is.minimumDuration();
    if (duration === 0) {
      this.#enqueue(flat);
      this.#send();
    } else if (this.#isNew(flat, this.#message(flat))) {
      const cancel = this.#is.clock.after(duration, () => {
        this.#debounce.delete(flat);
        this.#enqueue(flat);
        this.#send();
      });
      this.#debounce.set(flat, cancel);
    }
  }

  #enqueue(flat: number): void {
    const next = this.#message(flat);
    if (!this.#isNew(flat, next)) return;
    const waiting = [...(this.#waiting.get(flat) ?? []), next];
    this.#waiting.set(flat, waiting.slice(-MOST_WAITING));
  }

  #isNew(flat: number, next: Told | undefined): next is Told {
    const last = this.#waiting.get(flat)?.at(-1)?.look ?? this.#told.get(flat);
    return next !== undefined && next.look !== last;
  }

  #quiet(): Promise<void> {
    const quiet = new Promise<void>((resolve) => {
      this.#whenQuiet.push(resolve);
    });
    this.#send();
    return quiet;
  }

  #send(): void {
    if (this.#sending) return;
    this.#sending = true;
    void this.#run();
  }

  /** One outstanding at a time: a burst of a whole site must not stand in front of the transactions. */
  async #run(): Promise<void> {
    for (;;) {
      const [first] = this.#waiting;
      if (first === undefined || !this.#online || this.#link === undefined) break;
      const [flat, [next, ...later]] = first;
      // To the end of the line: one restless connector does not hold up the others.
      this.#waiting.delete(flat);
      if (later.length > 0) this.#waiting.set(flat, later);
      if (next === undefined || this.#told.get(flat) === next.look) continue;
      this.#told.set(flat, next.look);
      const links = this.#links;
      if (await this.#tellSafely(this.#link, flat, next)) continue;
      this.#told.delete(flat);
      if (this.#online) this.#enqueue(flat);
      if (links === this.#links) break;
    }
    this.#sending = false;
    for (const resolve of this.#whenQuiet.splice(0)) resolve();
  }

  /** A CSMS that answers everything but this one status, each time with the end of the link, is spared it. */
  async #tellSafely(link: CsmsLink, flat: number, next: Told): Promise<boolean> {
    if (this.#spared.get(flat) === next.look) return true;
    const suspicion = this.#suspicions.get(flat) ?? new Suspicion<string>();
    this.#suspicions.set(flat, suspicion);
    const suspect = suspicion.suspects(next.look);
    if (suspect && !(await link.probe())) return false;
    const outcome = await this.#deliver(link, next.message);
    if (outcome === 'told') suspicion.clear();
    if (outcome !== 'lost') return outcome === 'told';
    suspicion.lost(next.look);
    if (!suspect) return false;
    this.#spared.set(flat, next.look);
    this.#is.log.warn({ csms: this.#is.csms.id, status: next.look }, 'The CSMS closes the connection at a status');
    return true;
  }

  /** `lost`: the link ended while it was under way. A refused status is not repeated: the next change replaces it. */
  async #deliver(link: CsmsLink, message: CsmsMessage): Promise<'told' | 'unsent' | 'lost'> {
    try {
      const outcome = await link.deliver(message);
      if (outcome.kind === 'refused')
        this.#is.log.warn({ csms: this.#is.csms.id, reason: outcome.reason }, 'The CSMS refused a status');
      if (outcome.kind !== 'unsent') return 'told';
      return outcome.underWay ? 'lost' : 'unsent';
    } catch (err) {
      this.#is.log.error({ csms: this.#is.csms.id, err }, 'The adapter failed to send a status');
      return 'told';
    }
  }

  #message(flat: number): Told | undefined {
    const { csms, slots, live, clock } = this.#is;
    if (flat === STATION) {
      const station = this.#is.stationStatus();
      const look = `${station.status} ${station.error?.vendorErrorCode ?? ''}`;
      return { message: { type: 'stationStatus', ...station, at: clock.now() }, look };
    }
    const row = slots.flat(flat);
    if (row === undefined) return undefined;
    const connector = connectorView(row, slots, live, csms.ocpp, clock.now());
    return { message: { type: 'status', connector }, look: look(connector, csms.ocpp) };
  }
}
